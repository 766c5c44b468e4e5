import type { Node } from '../../../datapath/cluster/node.js';
import { LabelSelector } from '../../../kube/objects/label-selector.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import type { Resource } from '../../cluster/resources.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import type { Options } from '../../session/options.js';
import type { Lab } from '../../lab.js';
import type { RunningPod } from '../../pods/running-pod.js';
import type { ExecContext } from './exec-context.js';
import { kindNamed, namespaceOf } from './kinds.js';
import { nodeFile } from './node-files.js';

/**
 * A pod by name; the namespace may stand before it (`kube-system/coredns-…`). Throws a CommandError that lists the
 * pods there are.
 */
export function podNamed(lab: Lab, word: string, namespace = 'default'): RunningPod {
  const slash = word.indexOf('/');
  const [space, name] = slash < 0 ? [namespace, word] : [word.slice(0, slash), word.slice(slash + 1)];
  const pod = lab.kubelet.get(space, name);
  if (pod) return pod;
  const there = lab.kubelet
    .list()
    .filter((other) => other.namespace === space)
    .map((other) => other.name)
    .sort();
  throw new CommandError(
    `Error from server (NotFound): pods "${name}" not found; namespace ${space} has ${there.join(', ') || 'none'}`,
  );
}

/** The variables of a pod's container. */
export const podEnv = (pod: RunningPod): Readonly<Record<string, string>> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOSTNAME: pod.name,
  ...pod.env,
  HOME: '/root',
});

export const podContext = (pod: RunningPod): ExecContext => ({
  name: `${pod.namespace}/${pod.name}`,
  process: pod.model.process,
  read: (file) => pod.files.read(file),
  env: () =>
    Object.entries(podEnv(pod))
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
});

export function nodeContext(lab: Lab, node: Node): ExecContext {
  const { resolvConf } = lab.topology.nodes.find((candidate) => candidate.name === node.name)!;
  return {
    name: node.name,
    process: node.process,
    // Programs ask the servers that the stub of systemd-resolved stands before.
    read: (file) => (file === '/etc/resolv.conf' ? resolvConf : nodeFile(lab, node.name, file)),
    env: () => `HOSTNAME=${node.name}\n`,
  };
}

/** A node by name. Throws a CommandError that lists the nodes there are. */
export function nodeNamed(lab: Lab, name: string): Node {
  const node = lab.world.cluster.nodes.get(name);
  if (!node)
    throw new CommandError(
      `there is no node named ${name}; there are ${[...lab.world.cluster.nodes.keys()].join(', ')}`,
    );
  return node;
}

/** An object by kind and name. Throws a CommandError in the API server's words. */
export function found(io: CommandIo, resource: Resource, namespace: string, name: string): ApiObject {
  const object = io.lab.api.get(resource.kind, resource.namespaced ? namespace : '', name);
  if (!object)
    throw new CommandError(
      `Error from server (NotFound): ${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${name}" not found`,
    );
  return object;
}

/**
 * Pods that a word or a selector means: a pod, or those of a Deployment or DaemonSet, the one of the command's node
 * first.
 */
export function podsMeant(word: string | undefined, options: Options, io: CommandIo): readonly RunningPod[] {
  const namespace = namespaceOf(options);
  const selector = options.get('--selector');
  if (selector !== undefined) {
    const parsed = LabelSelector.parse(selector);
    const pods = io.lab.kubelet
      .list()
      .filter((pod) => pod.namespace === namespace && parsed.matches(pod.model.spec.labels ?? {}));
    if (pods.length === 0) throw new CommandError(`No resources found in ${namespace} namespace.`, 0);
    return pods;
  }
  if (word === undefined) throw new CommandError('error: expected POD or TYPE/NAME');
  const [kind = '', name] = word.split('/');
  if (name === undefined) return [podNamed(io.lab, word, namespace)];
  const resource = kindNamed(kind);
  if (resource.kind === 'Pod') return [podNamed(io.lab, name, namespace)];
  const pods = io.lab.workloads
    .podsOf(found(io, resource, namespace, name))
    .map((pod) => podNamed(io.lab, pod.name, pod.namespace));
  if (pods.length === 0) throw new CommandError(`error: ${word} has no pods`);
  return [...pods].sort((a, b) => Number(b.model.spec.node === io.node) - Number(a.model.spec.node === io.node));
}
