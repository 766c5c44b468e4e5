import type { Node } from '../../datapath/node.js';
import { CommandError } from '../session/command.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/kubelet.js';
import type { Spot } from './in-pod.js';

/** A pod by name; the namespace may stand before it (`kube-system/coredns-…`). Throws a CommandError that lists the pods there are. */
export function podNamed(lab: Lab, word: string, namespace = 'default'): RunningPod {
  const slash = word.indexOf('/');
  const [space, name] = slash < 0 ? [namespace, word] : [word.slice(0, slash), word.slice(slash + 1)];
  const pod = lab.kubelet.get(space, name);
  if (pod) return pod;
  const there = lab.kubelet.list().filter((other) => other.namespace === space).map((other) => other.name).sort();
  throw new CommandError(`Error from server (NotFound): pods "${name}" not found; namespace ${space} has ${there.join(', ') || 'none'}`);
}

export const spotOfPod = (pod: RunningPod): Spot => ({
  name: `${pod.namespace}/${pod.name}`, process: pod.model.process, read: (file) => pod.files.read(file),
  env: () => `HOSTNAME=${pod.name}\n`,
});

export function spotOfNode(lab: Lab, node: Node): Spot {
  const { resolvConf } = lab.topology.nodes.find((candidate) => candidate.name === node.name)!;
  return { name: node.name, process: node.process, read: (file) => (file === '/etc/resolv.conf' ? resolvConf : file === '/etc/hostname' ? `${node.name}\n` : undefined), env: () => `HOSTNAME=${node.name}\n` };
}

/** A node by name. Throws a CommandError that lists the nodes there are. */
export function nodeNamed(lab: Lab, name: string): Node {
  const node = lab.world.cluster.nodes.get(name);
  if (!node) throw new CommandError(`there is no node named ${name}; there are ${[...lab.world.cluster.nodes.keys()].join(', ')}`);
  return node;
}
