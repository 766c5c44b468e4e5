import { ciliumDbg } from './cilium-dbg.js';
import type { NetNs } from '../../../datapath/netns/netns.js';
import { resolveConfig } from '../../../datapath/config.js';
import { configView } from '../../../observe/cilium/status.js';
import { FILTERS } from '../../../observe/hubble/filter.js';
import { HUBBLE_OUTPUTS } from '../../../observe/hubble/options.js';
import { parseTcpdumpArgs } from '../../../observe/tcpdump/options.js';
import { startTcpdump } from '../../../observe/tcpdump/tcpdump.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { LabCommand, CommandIo } from '../../session/command.js';
import { print } from '../text/input.js';
import { NETWORK_COMMANDS, runIp } from './network-tools.js';
import type { Node } from '../../../datapath/cluster/node.js';
import { nameOfAddress } from '../target/exec-context.js';
import type { ExecContext } from '../target/exec-context.js';
import { nodeContext, nodeNamed } from '../target/targets.js';

/**
 * `tcpdump` in a network namespace; names are looked up as programs in that place do, if one is given. With -w the
 * packets go to a file of the user's, in the format of real captures.
 */
export async function captureIn(
  netns: NetNs,
  args: readonly string[],
  io: CommandIo,
  spot?: ExecContext,
): Promise<number> {
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
    ...(spot && { lookUp: (address: string) => nameOfAddress(address, spot, io) }),
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

const captureOn = (node: Node, args: readonly string[], io: CommandIo): Promise<number> =>
  captureIn(node.netns, args, io, nodeContext(io.lab, node));

const tcpdump: LabCommand = {
  name: 'tcpdump',
  usage: '[-i DEVICE] [-nn] [-q] [-c COUNT] [-w FILE] [FILTER]',
  help: "Prints packets as they pass the node's devices, or writes them to a file. Addresses are looked up unless there is -n.",
  run: (args, io) => captureOn(nodeNamed(io.lab, io.node), args, io),
};

const cilium: LabCommand = {
  name: 'cilium',
  usage: 'config view | hubble port-forward | what cilium-dbg takes',
  help: 'Settings of the agents, and state of the agent on the node.',
  run(args, io) {
    const words = args.filter((arg) => !['--wait', '-w', '--interactive=false'].includes(arg)).join(' ');
    switch (words) {
      case 'config view':
        return print(io, configView(resolveConfig(io.lab.pending.settings), io.lab.pending.ipam));
      case 'hubble port-forward':
        return print(io, ['Hubble is reached without a port-forward here: hubble observe']);
      case 'connectivity test':
        throw new CommandError(
          'cilium: the connectivity test brings images of its own, which the lab has not; ' +
            'a way that you ask for: explain NAME, kubectl exec POD -- curl ADDRESS',
        );
      case 'version':
        return print(io, ['cilium-cli: v0.18.5', 'cilium image (running): 1.17.6']);
    }
    if (args[0] === 'config' || args[0] === 'hubble' || args.length === 0)
      throw new CommandError(
        `cilium: got "${words}", allowed: config view, hubble port-forward, and what cilium-dbg takes: status, service list, ...`,
      );
    // In the agents' containers cilium is the older name of cilium-dbg.
    return ciliumDbg.run(words.split(' '), io);
  },
};

const HUBBLE_FLAGS: readonly string[] = [
  `filters, each of which --not may go before: ${[...FILTERS.keys()].map((name) => `--${name}`).join(' ')}`,
  `formats: ${HUBBLE_OUTPUTS.join(', ')}`,
];

const hubble: LabCommand = {
  name: 'hubble',
  usage: 'observe [FILTER...] [-f] | status',
  help: 'Flows: what Cilium saw of each packet.',
  async run(args, io) {
    const [action, ...rest] = args;
    if (action === 'status') return print(io, io.lab.hubble.status());
    if (action === 'version') return print(io, ['hubble v1.17.6']);
    if (action === 'list' && rest[0] === 'nodes') return print(io, io.lab.hubble.listNodes());
    if (action === 'observe' && rest.includes('--help'))
      return print(io, ['hubble observe [FILTER...] [-f] [--last N] [-o FORMAT]', ...HUBBLE_FLAGS]);
    const layer7 =
      rest.find((arg, i) => ['dns', 'http', 'kafka'].includes(arg) && rest[i - 1] === '--protocol') ??
      /--protocol=(dns|http|kafka)/.exec(rest.join(' '))?.[1];
    if (action === 'observe' && layer7 !== undefined)
      throw new CommandError(
        `hubble: --protocol ${layer7}: Hubble looks into packets only where a policy tells it ` +
          'to, and there is none here; allowed: hubble observe --port 53 --protocol udp',
      );
    if (action !== 'observe')
      throw new CommandError(`hubble: got "${action ?? ''}", allowed: observe, status, list nodes, version`);
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

/** Options of ssh that take a word after them. */
const SSH_VALUED: readonly string[] = ['-o', '-i', '-l', '-p', '-F'];

const ssh: LabCommand = {
  name: 'ssh',
  usage: '[-o OPTION] [USER@]NODE COMMAND...',
  help: 'Runs a command on another node, or ip and tcpdump on a host outside the cluster.',
  run(args, io) {
    let at = 0;
    // Nobody logs in here: keys, ports and what is done with unknown hosts change nothing.
    while (args[at]?.startsWith('-') === true) at += SSH_VALUED.includes(args[at]!) ? 2 : 1;
    const after = args.slice(at + 1);
    const words = after[0] === 'sudo' ? after.slice(1) : after;
    const name = (args[at] ?? '').replace(/^[^@]*@/, '');
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
export const NODE_COMMANDS: readonly LabCommand[] = [hubble, tcpdump, cilium, ciliumDbg, ...NETWORK_COMMANDS, ssh];
