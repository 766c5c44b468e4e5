import { ciliumDbg } from './cilium-dbg.js';
import type { NetNs } from '../../../datapath/netns/netns.js';
import { configView } from '../../../observe/cilium/status.js';
import { conntrackList, ipAddr, ipBrAddr, ipRoute, iptablesSave, resolvectl } from '../../../observe/host-lists.js';
import { parseTcpdumpArgs } from '../../../observe/tcpdump/options.js';
import { startTcpdump } from '../../../observe/tcpdump/tcpdump.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { LabCommand, CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { print } from '../text/input.js';
import { nodeNamed } from '../target/targets.js';

/** `tcpdump` in a network namespace. With -w the packets go to a file of the user's, in the format of real captures. */
export async function captureIn(netns: NetNs, args: readonly string[], io: CommandIo): Promise<number> {
  const { file } = parseTcpdumpArgs(args);
  const write = io.session.files.write?.bind(io.session.files);
  if (file !== undefined && !write)
    throw new CommandError(
      `tcpdump: -w ${file}: no files are written from here; leave -w out, or type it in: nodens lab shell`,
    );
  const finished = new AbortController();
  const octets: Buffer[] = [];
  const { capture, stop } = startTcpdump(io.lab.world, args, {
    netns,
    onLine: (line) => {
      io.write(`${line}\n`);
      if (capture.done) finished.abort();
    },
    onBytes: (bytes) => {
      octets.push(bytes);
      // The first is the head of the file, which comes before there is a capture.
      if (octets.length > 1 && capture.done) finished.abort();
    },
  });
  try {
    if (!io.endless) await untilEnded(io, 'tcpdump');
    else await untilEnded({ ...io, signal: AbortSignal.any([io.signal, finished.signal]) }, 'tcpdump');
  } finally {
    stop();
  }
  if (file !== undefined) {
    write!(file, Buffer.concat(octets));
    io.write(`${capture.count} packets captured\n`);
  }
  return 0;
}

const tcpdump: LabCommand = {
  name: 'tcpdump',
  usage: '[-i DEVICE] [-nn] [-q] [-c COUNT] [-w FILE] [FILTER]',
  help: "Prints packets as they pass the node's devices, or writes them to a capture file.",
  run: (args, io) => captureIn(nodeNamed(io.lab, io.node).netns, args, io),
};

/** `ip` in a network namespace. */
export function ipIn(netns: NetNs, args: readonly string[], io: CommandIo): number {
  const options = parseOptions(
    'ip',
    args,
    [{ name: '-c' }, { name: '-br' }, { name: '-4' }, { name: '-6' }].map((spec) => ({ ...spec, short: spec.name })),
  );
  const [object = '', action = 'show'] = options.words;
  if (['r', 'ro', 'route'].includes(object) && ['show', 'list'].includes(action)) return print(io, ipRoute(netns));
  if (['a', 'addr', 'address'].includes(object) && ['show', 'list'].includes(action)) {
    const [, , first, second] = options.words;
    const device = first === 'dev' ? second : first;
    if (device !== undefined && !netns.interface(device))
      throw new CommandError(
        `Device "${device}" does not exist; there are ${netns.interfaces.map(({ name }) => name).join(', ')}`,
      );
    const family = options.has('-4') ? 4 : options.has('-6') ? 6 : undefined;
    return print(io, options.has('-br') ? ipBrAddr(netns, family, device) : ipAddr(netns, family, device));
  }
  throw new CommandError(
    `ip: got "${options.words.join(' ')}", allowed: ip route, ip [-br] addr ` +
      `[DEVICE]${netns.kind === 'pod' ? '' : ', ip route add BLOCK via ADDRESS'}`,
  );
}

const ip: LabCommand = {
  name: 'ip',
  usage: 'route | [-br] addr [DEVICE] | route add BLOCK via ADDRESS',
  help: 'Routes and addresses of the node.',
  run: (args, io) => runIp(nodeNamed(io.lab, io.node).netns, io.node, args, io),
};

function runIp(netns: NetNs, machine: string, args: readonly string[], io: CommandIo): number {
  const [object, action, to, word, via] = args;
  if ((object === 'route' || object === 'r') && action === 'add') {
    if (to === undefined || word !== 'via' || via === undefined)
      throw new CommandError('ip route add: allowed: ip route add BLOCK via ADDRESS');
    io.lab.world.addRoute(machine, { to, via });
    return 0;
  }
  return ipIn(netns, args, io);
}

const iptables: LabCommand = {
  name: 'iptables-save',
  usage: '[-t TABLE]',
  help: 'Netfilter rules of the node.',
  run(args, io) {
    const options = parseOptions('iptables-save', args, [{ name: '-t', short: '-t', value: true }]);
    const table = options.get('-t');
    if (table !== undefined && !['raw', 'mangle', 'nat', 'filter'].includes(table))
      throw new CommandError(`iptables-save: -t: got "${table}", allowed: raw, mangle, nat, filter`);
    return print(
      io,
      iptablesSave(nodeNamed(io.lab, io.node), {
        now: io.lab.clock.now(),
        ...(table !== undefined && { table: table as 'raw' }),
      }),
    );
  },
};

const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;

/** `iptables -S`: the rules of one table, as commands that would make them. */
const rules: LabCommand = {
  name: 'iptables',
  usage: '[-t TABLE] -S [CHAIN]',
  help: 'Netfilter rules of one table of the node; filter by default.',
  run(args, io) {
    const options = parseOptions('iptables', args, [
      { name: '-t', short: '-t', value: true },
      { name: '-S', short: '-S' },
      { name: '-L', short: '-L' },
      { name: '-n', short: '-n' },
      { name: '-v', short: '-v' },
    ]);
    const table = TABLES.find((one) => one === (options.get('-t') ?? 'filter'));
    if (table === undefined)
      throw new CommandError(`iptables: -t: got "${options.get('-t')}", allowed: ${TABLES.join(', ')}`);
    if (!options.has('-S') || options.has('-L'))
      throw new CommandError('iptables: allowed: iptables [-t TABLE] -S [CHAIN]; all of them: iptables-save');
    const [chain] = options.words;
    const lines = iptablesSave(nodeNamed(io.lab, io.node), { now: io.lab.clock.now(), table }).flatMap((line) => {
      const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
      return name === undefined
        ? line.startsWith('-A ')
          ? [line]
          : []
        : [policy === '-' ? `-N ${name}` : `-P ${name} ${policy}`];
    });
    return print(io, chain === undefined ? lines : lines.filter((line) => line.split(' ')[1] === chain));
  },
};

const conntrack: LabCommand = {
  name: 'conntrack',
  usage: '-L',
  help: "What the node's kernel tracks.",
  run(args, io) {
    if (args.length !== 1 || args[0] !== '-L')
      throw new CommandError(`conntrack: got "${args.join(' ')}", allowed: -L`);
    const node = nodeNamed(io.lab, io.node);
    return print(io, conntrackList(node, node.uptime(io.lab.clock.now())));
  },
};

const resolve: LabCommand = {
  name: 'resolvectl',
  usage: '[status]',
  help: "Name servers of the node's links.",
  run(args, io) {
    if (args.length > 1 || (args.length === 1 && args[0] !== 'status'))
      throw new CommandError(`resolvectl: got "${args.join(' ')}", allowed: resolvectl [status]`);
    const { interfaces, resolvConf } = io.lab.topology.nodes.find((node) => node.name === io.node)!;
    const domain = /^search (\S+)/m.exec(resolvConf)?.[1];
    const links = Object.fromEntries(
      interfaces.flatMap((device) =>
        device.dhcp?.dns === undefined
          ? []
          : [[device.name, { servers: [device.dhcp.dns], ...(domain !== undefined && { domain }) }]],
      ),
    );
    return print(io, resolvectl(nodeNamed(io.lab, io.node).netns, links));
  },
};

const cilium: LabCommand = {
  name: 'cilium',
  usage: 'config view | hubble port-forward | what cilium-dbg takes',
  help: 'Settings of the agents, and state of the agent on the node.',
  run(args, io) {
    const words = args.join(' ');
    if (words === 'config view') return print(io, configView(io.lab.world));
    if (words === 'hubble port-forward')
      return print(io, ['Hubble is reached without a port-forward here: hubble observe']);
    if (args[0] === 'config' || args[0] === 'hubble' || args.length === 0)
      throw new CommandError(
        `cilium: got "${words}", allowed: config view, hubble port-forward, and what cilium-dbg takes: status, service list, ...`,
      );
    // In the agents' containers cilium is the older name of cilium-dbg.
    return ciliumDbg.run(args, io);
  },
};

const hubble: LabCommand = {
  name: 'hubble',
  usage: 'observe [FILTER...] [-f] | status',
  help: 'Flows: what Cilium saw of each packet.',
  async run(args, io) {
    const [action, ...rest] = args;
    if (action === 'status') return print(io, io.lab.hubble.status());
    const layer7 =
      rest.find((arg, i) => ['dns', 'http', 'kafka'].includes(arg) && rest[i - 1] === '--protocol') ??
      /--protocol=(dns|http|kafka)/.exec(rest.join(' '))?.[1];
    if (action === 'observe' && layer7 !== undefined)
      throw new CommandError(
        `hubble: --protocol ${layer7}: Hubble looks into packets only where a policy tells it ` +
          'to, and there is none here; allowed: hubble observe --port 53 --protocol udp',
      );
    if (action !== 'observe') throw new CommandError(`hubble: got "${action ?? ''}", allowed: observe, status`);
    if (!rest.some((arg) => arg === '-f' || arg === '--follow')) return print(io, io.lab.hubble.observe(rest));
    const stop = io.lab.hubble.follow(rest, (line) => io.write(`${line}\n`));
    try {
      await untilEnded(io, 'hubble observe -f');
    } finally {
      stop();
    }
    return 0;
  },
};

const ssh: LabCommand = {
  name: 'ssh',
  usage: 'NODE COMMAND...',
  help: 'Runs a command on another node, or ip and tcpdump on a host outside the cluster.',
  run(args, io) {
    const [name = '', ...words] = args;
    const host = io.lab.world.cluster.hosts.get(name);
    if (host) {
      if (words[0] === 'ip') return runIp(host.netns, name, words.slice(1), io);
      if (words[0] === 'tcpdump') return captureIn(host.netns, words.slice(1), io);
      throw new CommandError(`ssh ${name}: got "${words[0] ?? ''}", allowed on a host outside: ip, tcpdump`);
    }
    const node = nodeNamed(io.lab, name);
    if (words.length === 0) throw new CommandError('ssh: got no command, allowed: ssh NODE COMMAND...');
    return io.session.execute(words, { ...io, node: node.name });
  },
};

/** Programs of a node. */
export const NODE_COMMANDS: readonly LabCommand[] = [
  hubble,
  tcpdump,
  cilium,
  ciliumDbg,
  ip,
  iptables,
  rules,
  conntrack,
  resolve,
  ssh,
];
