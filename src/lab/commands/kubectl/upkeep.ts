import type { VerbHandler } from './verb.js';
import { objectAt } from '../../../kube/objects/raw.js';
import { ownerOf } from '../../cluster/pod-index.js';
import { isCordoned } from '../../pods/scheduler.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { kindNamed } from '../target/kinds.js';
import { found } from '../target/targets.js';

/** Keeps new pods off a node, or lets them on it again. */
async function cordonOne(name: string, wanted: boolean, io: CommandIo): Promise<void> {
  const node = found(io, kindNamed('node'), '', name);
  const done = wanted ? 'cordoned' : 'uncordoned';
  if (isCordoned(node) === wanted) {
    io.write(`node/${node.name} already ${done}\n`);
    return;
  }
  const { unschedulable: _open, ...spec } = objectAt(node.raw, 'spec');
  await io.lab.update({
    ...node,
    raw: { ...node.raw, spec: wanted ? { ...spec, unschedulable: true } : spec },
  });
  io.write(`node/${node.name} ${done}\n`);
}

/** The name of the node that a word means, which may begin with the kind. */
const nodeMeant = (word: string): string => word.replace(/^nodes?\//, '');

const cordonVerb =
  (verb: 'cordon' | 'uncordon'): VerbHandler =>
  async (args, io) => {
    const { words } = parseOptions(`kubectl ${verb}`, args, [{ name: '--namespace', short: '-n', value: true }]);
    if (words.length === 0) throw new CommandError(`error: kubectl ${verb} needs a node: kubectl ${verb} NODE`);
    for (const word of words) await cordonOne(nodeMeant(word), verb === 'cordon', io);
    return 0;
  };

export const cordon = cordonVerb('cordon');
export const uncordon = cordonVerb('uncordon');

/** `kubectl drain NODE`: cordons it and evicts its pods, but for those of DaemonSets. */
export const drain: VerbHandler = async (args, io) => {
  const options = parseOptions('kubectl drain', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--ignore-daemonsets' },
    { name: '--delete-emptydir-data' },
    { name: '--force' },
    { name: '--grace-period', value: true },
    { name: '--timeout', value: true },
  ]);
  const [word, extra] = options.words;
  if (word === undefined || extra !== undefined)
    throw new CommandError('error: kubectl drain needs one node: kubectl drain NODE --ignore-daemonsets');
  const name = nodeMeant(word);
  await cordonOne(name, true, io);
  const pods = io.lab.api.list('Pod').filter((pod) => objectAt(pod.raw, 'spec')['nodeName'] === name);
  const [kept, leaving] = [pods.filter(isOfDaemonSet), pods.filter((pod) => !isOfDaemonSet(pod))];
  const alone = leaving.filter((pod) => ownerOf(pod) === undefined);
  if (kept.length > 0 && !options.has('--ignore-daemonsets'))
    throw cannot(name, 'DaemonSet-managed', kept, '--ignore-daemonsets');
  if (alone.length > 0 && !options.has('--force'))
    throw cannot(name, 'Pods that declare no controller', alone, '--force');
  if (kept.length > 0) io.error(`Warning: ignoring DaemonSet-managed Pods: ${kept.map(full).join(', ')}\n`);
  for (const pod of leaving) io.write(`evicting pod ${full(pod)}\n`);
  for (const pod of leaving) {
    await io.lab.remove('Pod', pod.namespace, pod.name);
    io.write(`pod/${pod.name} evicted\n`);
  }
  io.write(`node/${name} drained\n`);
  return 0;
};

const isOfDaemonSet = (pod: ApiObject): boolean => ownerOf(pod)?.kind === 'DaemonSet';
const full = (pod: ApiObject): string => `${pod.namespace}/${pod.name}`;
const cannot = (node: string, what: string, pods: readonly ApiObject[], option: string): CommandError =>
  new CommandError(
    `error: unable to drain node "${node}" due to error: cannot delete ${what}${what.startsWith('Pods') ? '' : ' Pods'} ` +
      `(use ${option} to ${option === '--force' ? 'override' : 'ignore'}): ${pods.map(full).join(', ')}`,
  );
