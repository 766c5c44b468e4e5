import type { NetNs } from '../../../datapath/netns/netns.js';
import { parseIp } from '../../../lib/cidr.js';
import { conntrackList, ipAddr, ipBrAddr, ipRoute, iptablesSave, resolvectl } from '../../../observe/host-lists.js';
import {
  conntrackStats,
  ipBrLink,
  ipLink,
  ipNeigh,
  ipRouteGet,
  ipRule,
  ruleTable,
  socketList,
} from '../../../observe/host-tools.js';
import { CommandError } from '../../session/command.js';
import type { LabCommand, CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { nodeNamed } from '../target/targets.js';
import { print } from '../text/input.js';

/** CPUs of a node, as the write-ups' machines have them. */
const CPUS = 2;

/** `ip` in a network namespace. */
const IP_OPTIONS = ['-c', '-br', '-4', '-6', '-o', '-n', '-s', '-d'].map((name) => ({ name, short: name }));
const IP_ALLOWED = 'ip route, ip route get ADDRESS, ip [-br] addr [DEVICE], ip [-br] link [DEVICE], ip neigh, ip rule';

/** The object of `ip` that a word means: its name, or a beginning of it. */
const IP_OBJECTS = ['route', 'address', 'link', 'neighbour', 'rule', 'netns'] as const;
const ipObject = (word: string): string | undefined =>
  word === 'neighbor' ? 'neighbour' : IP_OBJECTS.find((name) => word !== '' && name.startsWith(word));

export function ipIn(netns: NetNs, args: readonly string[], io: CommandIo): number {
  const options = parseOptions('ip', args, IP_OPTIONS);
  const [word = '', ...rest] = options.words;
  const object = ipObject(word);
  if (object === 'route' && rest[0] === 'get' && rest[1] !== undefined) return printRouteGet(netns, rest[1], io);
  const shows = ['show', 'list', 'ls'].some((name) => rest[0] !== undefined && name.startsWith(rest[0]));
  const words = shows ? rest.slice(1) : rest;
  const device = words[0] === 'dev' ? words[1] : words[0];
  const plain = words.length <= (words[0] === 'dev' ? 2 : 1);
  if (device !== undefined && plain && (object === 'address' || object === 'link') && !netns.interface(device))
    throw new CommandError(
      `Device "${device}" does not exist; there are ${netns.interfaces.map(({ name }) => name).join(', ')}`,
    );
  const family = options.has('-4') ? 4 : options.has('-6') ? 6 : undefined;
  if (plain) {
    switch (object) {
      case 'route':
        if (device === undefined) return print(io, ipRoute(netns));
        break;
      case 'address':
        return print(io, options.has('-br') ? ipBrAddr(netns, family, device) : ipAddr(netns, family, device));
      case 'link':
        return print(io, options.has('-br') ? ipBrLink(netns, device) : ipLink(netns, device));
      case 'neighbour':
        return print(io, ipNeigh(io.lab.world, netns));
      case 'rule':
        return print(io, ipRule(netns.kind === 'node'));
      case 'netns':
        return 0;
      case undefined:
        break;
    }
  }
  throw new CommandError(
    `ip: got "${options.words.join(' ')}", allowed: ${IP_ALLOWED}${netns.kind === 'pod' ? '' : ', ip route add BLOCK via ADDRESS'}`,
  );
}

function printRouteGet(netns: NetNs, address: string, io: CommandIo): number {
  const lines = parseIp(address) ? ipRouteGet(netns, address) : undefined;
  if (!lines)
    throw new CommandError(
      parseIp(address)
        ? 'RTNETLINK answers: Network is unreachable'
        : `Error: any valid prefix is expected rather than "${address}".`,
      2,
    );
  return print(io, lines);
}

const ip: LabCommand = {
  name: 'ip',
  usage: 'route [get ADDRESS] | [-br] addr|link [DEVICE] | neigh | rule | route add BLOCK via ADDRESS',
  help: 'Routes, addresses, devices and neighbours of the node.',
  run: (args, io) => runIp(nodeNamed(io.lab, io.node).netns, io.node, args, io),
};

export function runIp(netns: NetNs, machine: string, args: readonly string[], io: CommandIo): number {
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
  usage: '[-t TABLE] -S|-L [CHAIN]',
  help: 'Netfilter rules of one table of the node; filter by default.',
  run(args, io) {
    const options = parseOptions('iptables', args, [
      { name: '-t', short: '-t', value: true },
      { name: '-S', short: '-S' },
      { name: '-L', short: '-L' },
      { name: '-n', short: '-n' },
      { name: '-v', short: '-v' },
      { name: '--line-numbers' },
    ]);
    const table = TABLES.find((one) => one === (options.get('-t') ?? 'filter'));
    if (table === undefined)
      throw new CommandError(`iptables: -t: got "${options.get('-t')}", allowed: ${TABLES.join(', ')}`);
    const [chain] = options.words;
    if (options.has('-S') === options.has('-L'))
      throw new CommandError('iptables: allowed: iptables [-t TABLE] -S|-L [CHAIN]; all of them: iptables-save');
    const saved = iptablesSave(nodeNamed(io.lab, io.node), { now: io.lab.clock.now(), table });
    if (options.has('-L')) return print(io, ruleTable(saved, chain));
    const lines = saved.flatMap((line) => {
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
  usage: '-L [-p udp|tcp|icmp] | -C | -S | -F',
  help: "What the node's kernel tracks.",
  run(args, io) {
    const options = parseOptions('conntrack', args, [
      ...['-L', '-C', '-S', '-F'].map((name) => ({ name, short: name })),
      { name: '--proto', short: '-p', value: true },
    ]);
    const node = nodeNamed(io.lab, io.node);
    const protocol = options.get('--proto')?.toLowerCase();
    if (protocol !== undefined && !['udp', 'tcp', 'icmp'].includes(protocol))
      throw new CommandError(`conntrack: -p: got "${protocol}", allowed: udp, tcp, icmp`);
    const lines = conntrackList(node, node.uptime(io.lab.clock.now())).filter(
      (line) => protocol === undefined || line.startsWith(`${protocol} `),
    );
    if (options.has('-L')) return print(io, lines);
    if (options.has('-C')) return print(io, [String(lines.length)]);
    if (options.has('-S')) return print(io, conntrackStats(CPUS));
    if (!options.has('-F')) throw new CommandError(`conntrack: got "${args.join(' ')}", allowed: -L, -C, -S, -F`);
    node.kernel.flush();
    io.error('conntrack v1.4.8 (conntrack-tools): connection tracking table has been emptied.\n');
    return 0;
  },
};

const ss: LabCommand = {
  name: 'ss',
  usage: '[-t] [-u] [-l] [-a] [-n] [-p]',
  help: 'Sockets of the node.',
  run: (args, io) => socketsIn(nodeNamed(io.lab, io.node).netns, args, io),
};

/** `ss` and `netstat` in a network namespace. */
export function socketsIn(netns: NetNs, args: readonly string[], io: CommandIo): number {
  const options = parseOptions(
    'ss',
    args,
    ['-t', '-u', '-l', '-a', '-n', '-p', '-r', '-4', '-o', '-e', '-i'].map((name) => ({ name, short: name })),
  );
  if (options.words.length > 0)
    throw new CommandError(`ss: got "${options.words.join(' ')}", allowed: options only: -t -u -l -a -n -p; then grep`);
  const both = options.has('-t') === options.has('-u');
  return print(
    io,
    socketList(netns, {
      tcp: both || options.has('-t'),
      udp: both || options.has('-u'),
      listening: options.has('-l') || options.has('-a'),
      connected: !options.has('-l') || options.has('-a'),
    }),
  );
}

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

/** Programs that look at a node's network. */
export const NETWORK_COMMANDS: readonly LabCommand[] = [
  ip,
  iptables,
  rules,
  conntrack,
  ss,
  { ...ss, name: 'netstat' },
  resolve,
];
