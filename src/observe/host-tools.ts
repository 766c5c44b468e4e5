import type { NetNs } from '../datapath/netns/netns.js';
import { inPrefix } from '../datapath/address.js';
import { parseCidr } from '../lib/cidr.js';
import type { World } from '../datapath/world.js';
import { ipAddr } from './host-lists.js';
import { layOut } from './table.js';

/** `ip link`: the devices of `ip addr` without their addresses. */
export const ipLink = (netns: NetNs, device?: string): string[] =>
  ipAddr(netns, undefined, device).filter((line) => !/^ +(inet6?|valid_lft) /.test(line));

/** `ip -br link`. */
export const ipBrLink = (netns: NetNs, device?: string): string[] =>
  netns.interfaces
    .filter(({ name }) => device === undefined || name === device)
    .map(
      ({ name, peer, state, mac }) =>
        `${(peer === undefined ? name : `${name}@${peer}`).padEnd(16)} ${state.padEnd(14)} ` +
        `${name === 'lo' ? '00:00:00:00:00:00' : mac} <${name === 'lo' ? 'LOOPBACK' : 'BROADCAST,MULTICAST'},UP,LOWER_UP>`,
    );

/** `ip rule`: on a node with the two rules that Cilium's agent puts before the kernel's. */
export const ipRule = (cilium: boolean): string[] => [
  ...(cilium
    ? ['9:\tfrom all fwmark 0x200/0xf00 lookup 2004', '100:\tfrom all lookup local']
    : ['0:\tfrom all lookup local']),
  '32766:\tfrom all lookup main',
  '32767:\tfrom all lookup default',
];

/** `ip neigh`: the machines that share a link with a node, whose addresses its health checks keep fresh. */
export function ipNeigh(world: World, netns: NetNs): string[] {
  const { nodes, hosts } = world.cluster;
  const others = [...nodes.values(), ...hosts.values()].map((one) => one.netns).filter((one) => one !== netns);
  return netns.interfaces.flatMap(({ name, addresses, segment }) =>
    addresses.flatMap(({ ip, prefixLength }) => {
      const link = prefixLength === 32 ? undefined : parseCidr(`${ip}/${prefixLength}`);
      if (name === 'lo' || !link) return [];
      return others.flatMap((other) =>
        other.interfaces.flatMap((device) =>
          device.addresses
            .filter((one) => device.segment === segment && one.ip !== ip && inPrefix(link, one.ip))
            .map((one) => `${one.ip} dev ${name} lladdr ${device.mac} REACHABLE`),
        ),
      );
    }),
  );
}

/** `ip route get ADDRESS`; undefined where no route leads there. */
export function ipRouteGet(netns: NetNs, address: string): string[] | undefined {
  if (netns.hasAddress(address)) return [`local ${address} dev lo src ${address} uid 0`, '    cache <local>'];
  const route = netns.routes.lookup(address);
  if (!route) return undefined;
  const via = route.via === undefined ? '' : `via ${route.via} `;
  const source = route.source ?? netns.sourceFor(address);
  return [`${address} ${via}dev ${route.device} src ${source} uid 0`, '    cache'];
}

/** What `ss` is asked for. */
export interface SocketQuery {
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Sockets that wait for clients; connections otherwise. Both with -a. */
  readonly listening: boolean;
  readonly connected: boolean;
}

/** `ss`: sockets of a namespace. The queues of the model are always empty. */
export function socketList(netns: NetNs, { tcp, udp, listening, connected }: SocketQuery): string[] {
  const both = tcp && udp;
  const any = (ip: string): string =>
    ip === '' || ip === '0.0.0.0' ? '0.0.0.0' : ip === '::' ? '[::]' : ip.includes(':') ? `[${ip}]` : ip;
  const rows = netns.ports
    .list()
    .filter(({ protocol, peer }) => (protocol === 'TCP' ? tcp : udp) && (peer ? connected : listening))
    .map(({ protocol, localAddress, localPort, peer }) => [
      ...(both ? [protocol.toLowerCase()] : []),
      peer ? 'ESTAB' : protocol === 'TCP' ? 'LISTEN' : 'UNCONN',
      '0',
      protocol === 'TCP' && !peer ? '4096' : '0',
      `${any(localAddress)}:${localPort}`,
      peer ? `${any(peer.ip)}:${peer.port}` : `${any(localAddress).startsWith('[') ? '[::]' : '0.0.0.0'}:*`,
    ]);
  const head = [...(both ? ['Netid'] : []), 'State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port'];
  return layOut([head, ...rows], { minWidth: 6, padding: 2 });
}

/** `iptables -L -n`: the rules of a table as columns, from those of iptables-save; of one chain, where it is named. */
export function ruleTable(saved: readonly string[], chain?: string): string[] {
  const lines: string[] = [];
  for (const line of saved) {
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (name === undefined || (chain !== undefined && chain !== name)) continue;
    const rules = saved.filter((other) => other.startsWith(`-A ${name} `));
    const references = saved.filter((other) => / -[jg] (\S+)$/.exec(other)?.[1] === name).length;
    if (lines.length > 0) lines.push('');
    lines.push(
      `Chain ${name} (${policy === '-' ? `${references} references` : `policy ${policy}`})`,
      'target     prot opt source               destination         ',
      ...rules.map((rule) => ruleRow(rule.slice(`-A ${name} `.length))),
    );
  }
  return lines;
}

const PROTOCOLS: Readonly<Record<string, string>> = { tcp: '6', udp: '17', icmp: '1' };

/** One rule as a row: what the columns do not hold follows them in the words of iptables-save. */
function ruleRow(rule: string): string {
  let rest = ` ${rule} `;
  const take = (option: string): string | undefined => {
    const found = new RegExp(` (?:(!) )?${option} (\\S+)(?= )`).exec(rest);
    if (!found) return undefined;
    rest = rest.replace(found[0], '');
    return `${found[1] ?? ''}${found[2]!}`;
  };
  const [target = '', protocol = '0'] = [take('-j') ?? take('-g'), take('-p')];
  const [source, destination] = [take('-s'), take('-d')].map((one) => (one ?? '0.0.0.0/0').replace(/\/32$/, ''));
  const comment = /--comment ("[^"]*"|\S+)/.exec(rest)?.[1]?.replaceAll('"', '');
  const extra = rest
    .replace(/-m comment|--comment ("[^"]*"|\S+)/g, '')
    .replace(/-m (tcp|udp|state|conntrack|mark|addrtype|statistic)(?= )/g, '$1')
    .replace(/--(dport|sport) (\S+)/g, (_, side: string, port: string) => `${side === 'dport' ? 'dpt' : 'spt'}:${port}`)
    .replace(/\s+/g, ' ')
    .trim();
  const tail = [extra, comment === undefined ? '' : `/* ${comment} */`].filter((part) => part !== '').join(' ');
  return (
    `${target.padEnd(10)} ${(PROTOCOLS[protocol] ?? protocol).padEnd(4)} --  ${source!.padEnd(20)} ` +
    `${destination!.padEnd(20)} ${tail}`
  ).trimEnd();
}

/** `conntrack -S` of a machine with so many CPUs: the model drops nothing for want of room. */
export const conntrackStats = (cpus: number): string[] =>
  Array.from(
    { length: cpus },
    (_, cpu) =>
      `cpu=${cpu}   \tfound=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 search_restart=0 ` +
      'clash_resolve=0 chaintoolong=0',
  );
