import {
  bpfEndpointList,
  ctList,
  endpointList,
  ipMasqLines,
  lrpList,
  natList,
  serviceList,
} from '../../../observe/cilium/lists.js';
import {
  bpfIpcacheList,
  bpfLbList,
  endpointGet,
  identityList,
  ipList,
  nodeList,
} from '../../../observe/cilium/agent-lists.js';
import { statusLines } from '../../../observe/cilium/status.js';
import { startMonitor } from '../../../observe/cilium/monitor.js';
import type { Node } from '../../../datapath/cluster/node.js';
import type { Lab } from '../../lab.js';
import { CommandError, untilEnded } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { nodeNamed } from '../target/targets.js';

const uptime = (lab: Lab, node: Node): number => node.uptime(lab.clock.now());

const LISTS: Readonly<Record<string, (lab: Lab, node: Node) => readonly string[]>> = {
  'service list': (lab, node) => serviceList(lab.world, node),
  'lrp list': (lab, node) => lrpList(lab.redirects.status(node.name)),
  'endpoint list': (_, node) => endpointList(node),
  'bpf endpoint list': (_, node) => bpfEndpointList(node),
  'bpf ct list global': (lab, node) => ctList(node, uptime(lab, node)),
  'bpf nat list': (lab, node) => natList(node, uptime(lab, node)),
  'bpf ipmasq list': (lab) => ipMasqLines(lab.world.config),
  'bpf lb list': (lab, node) => bpfLbList(lab.world, node),
  'bpf ipcache list': (lab, node) => bpfIpcacheList(lab.world, node),
  'identity list': (lab) => identityList(lab.world),
  'node list': (lab) => nodeList(lab.world),
  'ip list': (lab, node) => ipList(lab.world, node),
  // No policy of the lab asks for names to be watched, and none restricts anything.
  'fqdn cache list': () => ['Endpoint   Source   FQDN   TTL   ExpirationTime   IPs'],
  'policy get': () => ['[]', 'Revision: 1'],
  status: (lab, node) => statusLines(lab.world, node),
  version: () => ['Client: 1.17.6', 'Daemon: 1.17.6'],
};

const FLUSHES: Readonly<Record<string, (node: Node) => void>> = {
  'bpf ct flush global': (node) => node.conntrack.flush(),
  'bpf ct flush': (node) => node.conntrack.flush(),
  'bpf nat flush': (node) => node.nat.flush(),
};

/** `cilium-dbg` of the agent on the node that the command runs on. */
export const ciliumDbg: LabCommand = {
  name: 'cilium-dbg',
  usage: `${Object.keys(LISTS).join(' | ')} | monitor [OPTIONS]`,
  help: 'State of the agent on the node.',
  async run(args, io) {
    const node = nodeNamed(io.lab, io.node);
    if (args[0] === 'monitor') {
      const stop = startMonitor(io.lab.world, node.name, args.slice(1), (line) => io.write(`${line}\n`));
      try {
        await untilEnded(io, 'cilium-dbg monitor');
      } finally {
        stop();
      }
      return 0;
    }
    if (args[0] === 'endpoint' && args[1] === 'get') {
      const text = endpointGet(node, Number(args[2]));
      if (text === undefined)
        throw new CommandError(`Cannot get endpoint ${args[2] ?? ''}: not found; there are: cilium-dbg endpoint list`);
      io.write(`${text}\n`);
      return 0;
    }
    const words = args.filter((arg) => arg !== '--verbose').join(' ');
    if (Object.hasOwn(FLUSHES, words)) {
      FLUSHES[words]!(node);
      return 0;
    }
    const list = Object.hasOwn(LISTS, words) ? LISTS[words] : undefined;
    if (!list)
      throw new CommandError(
        `cilium-dbg: got "${args.join(' ')}", allowed: ${Object.keys(LISTS).join(', ')}, endpoint get ID, monitor`,
      );
    list(io.lab, node).forEach((line) => io.write(`${line}\n`));
    return 0;
  },
};
