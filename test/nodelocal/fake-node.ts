import type { RunCommand, RunResult } from '../../src/nodelocal/run.js';
import { words } from '../../src/iptables/rule-text.js';

interface Link {
  name: string;
  type: string;
  up: boolean;
  addresses: string[];
  mac: string;
}

const ok = (stdout = ''): RunResult => ({ code: 0, stdout, stderr: '' });
const failed = (code: number, stderr: string): RunResult => ({ code, stdout: '', stderr: `${stderr}\n` });

/**
 * A node's links, rules and tables, changed by the commands that change a real one, with what real ones say when they
 * fail.
 */
export class FakeNode {
  readonly links: Link[] = [
    { name: 'lo', type: 'loopback', up: true, addresses: ['127.0.0.1/8', '::1/128'], mac: '00:00:00:00:00:00' },
  ];
  /** Rules by `COMMAND TABLE CHAIN`, first one first, in the words of iptables-save. */
  readonly rules = new Map<string, string[]>();
  /** Chains of others by iptables command. */
  readonly chains = new Map<string, string[]>();
  /** Comments of rules by nft table, with their chain. */
  readonly tables = new Map<string, string[]>();
  readonly commands: string[] = [];
  /** Types of links that the kernel was built with. */
  types = ['dummy', 'bridge'];
  /** What to answer in place of doing what was asked: the first entry whose key the command begins with. */
  failing: Record<string, RunResult> = {};
  /** The words in which this version of iptables lists what it was given. */
  listedAs = (line: string): string => line;

  readonly run: RunCommand = (command, args, stdin) => {
    const line = [command, ...args].join(' ');
    this.commands.push(line);
    const failure = Object.entries(this.failing).find(([start]) => line.startsWith(start));
    if (failure) return Promise.resolve(failure[1]);
    return Promise.resolve(
      command === 'ip'
        ? this.ip(args)
        : command === 'nft'
          ? this.nft(args, stdin ?? '')
          : command.endsWith('-restore')
            ? this.restore(command.replace('-restore', ''), stdin ?? '')
            : this.iptables(command, args),
    );
  };

  link(name: string): Link | undefined {
    return this.links.find((link) => link.name === name);
  }

  /** The rules as `iptables-save` lists them in both tables. */
  saved(command = 'iptables'): string[] {
    return ['raw PREROUTING', 'raw OUTPUT', 'filter INPUT', 'filter OUTPUT'].flatMap((place) =>
      (this.rules.get(`${command} ${place}`) ?? []).map((rule) => `-A ${place.split(' ')[1]} ${rule}`),
    );
  }

  /** Commands that changed something or tried to, since the last call. */
  changes(): string[] {
    const all = this.commands.filter((line) => !/-save|addr show| -C |nft -j list/.test(line));
    this.commands.length = 0;
    return all;
  }

  private ip(args: readonly string[]): RunResult {
    const line = args.join(' ');
    const [, name = '', mac = '', type = ''] = /^link add (\S+) address (\S+) type (\S+)$/.exec(line) ?? [];
    if (name !== '') {
      if (this.link(name)) return failed(2, 'RTNETLINK answers: File exists');
      if (!this.types.includes(type)) return failed(2, 'Error: Unknown device type.');
      this.links.push({ name, type, up: false, addresses: [], mac });
      return ok();
    }
    if (line === '-d -j addr show')
      return ok(
        JSON.stringify(
          this.links.map((link) => ({
            ifname: link.name,
            address: link.mac,
            ...(link.type !== 'loopback' && { linkinfo: { info_kind: link.type } }),
            addr_info: [
              ...link.addresses.map(addressInfo),
              ...(link.up && link.type !== 'loopback' ? [{ local: 'fe80::1', scope: 'link' }] : []),
            ],
          })),
        ),
      );
    const device = args.includes('dev') ? args[args.indexOf('dev') + 1]! : args[2]!;
    const link = this.link(device);
    if (!link) return failed(1, `Cannot find device "${device}"`);
    if (line.startsWith('addr add ')) link.addresses.push(args[2]!);
    else if (line.startsWith('addr del ')) link.addresses = link.addresses.filter((address) => address !== args[2]);
    else if (line.startsWith('link set ')) link.up = true;
    else this.links.splice(this.links.indexOf(link), 1);
    return ok();
  }

  private iptables(command: string, args: readonly string[]): RunResult {
    if (command.endsWith('-save')) {
      const start = [command.replace('-save', ''), ...args.slice(1), ''].join(' ');
      const listed = [...this.rules].filter(([place]) => place.startsWith(start));
      return ok(
        [
          ...(this.chains.get(command.replace('-save', '')) ?? []).map((chain) => `:${chain} - [0:0]`),
          ...listed.flatMap(([place, rules]) =>
            rules.map((rule) => this.listedAs(`-A ${place.slice(place.lastIndexOf(' ') + 1)} ${rule}`)),
          ),
          '',
        ].join('\n'),
      );
    }
    const [, , , table, action, chain, ...rest] = args;
    const place = `${command} ${table} ${chain}`;
    const rules = this.rules.get(place) ?? [];
    const rule = rest
      .map((word) => (word.includes(' ') ? `"${word}"` : word))
      .join(' ')
      .replace('-j CT --notrack', '-j NOTRACK');
    const at = rules.indexOf(rule);
    this.rules.set(place, rules);
    if (action === '-I') rules.unshift(rule);
    else if (at < 0) return failed(1, 'iptables: Bad rule (does a matching rule exist in that chain?).');
    else if (action === '-D') rules.splice(at, 1);
    return ok();
  }

  /** As `iptables-restore --noflush`: all lines of a table, or none. */
  private restore(command: string, script: string): RunResult {
    const before = new Map([...this.rules].map(([place, rules]) => [place, [...rules]]));
    let table = '';
    for (const line of script.split('\n')) {
      if (line.startsWith('*')) table = line.slice(1);
      if (!line.startsWith('-')) continue;
      const args = ['-w', '5', '-t', table, ...words(line)];
      const single = [command, ...args].join(' ');
      const failure = Object.entries(this.failing).find(([start]) => single.startsWith(start));
      if ((failure?.[1] ?? this.iptables(command, args)).code === 0) continue;
      for (const place of this.rules.keys())
        if (place.startsWith(`${command} ${table} `)) this.rules.set(place, before.get(place) ?? []);
      return failed(1, `${command}-restore: line 2 failed`);
    }
    return ok();
  }

  private nft(args: readonly string[], script: string): RunResult {
    const table = args.at(-1)!;
    if (args[0] === '-f') {
      const name = /^table inet (\S+)/m.exec(script)![1]!;
      let chain = '';
      this.tables.set(
        name,
        script.split('\n').flatMap((line) => {
          chain = /chain (\S+)/.exec(line)?.[1] ?? chain;
          const comment = /comment "(.*)"/.exec(line)?.[1];
          return comment === undefined ? [] : [`${chain} ${comment}`];
        }),
      );
      return ok();
    }
    const rules = this.tables.get(table);
    if (!rules) return failed(1, 'Error: No such file or directory');
    if (args[0] === 'delete') this.tables.delete(table);
    return ok(
      JSON.stringify({
        nftables: [
          { metainfo: {} },
          ...rules.map((rule) => ({ rule: { chain: rule.split(' ')[0], comment: rule.slice(rule.indexOf(' ') + 1) } })),
        ],
      }),
    );
  }
}

const addressInfo = (address: string): { local: string; scope: string } => ({
  local: address.split('/')[0]!,
  scope: 'global',
});

/** A rule of a listing as the arguments that put it there. */
export const insertArgs = (table: string, line: string): string[] => {
  const [, chain = '', ...rest] = words(line);
  return ['-w', '5', '-t', table, '-I', chain, ...rest];
};
