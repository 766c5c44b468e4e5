import { sleep } from '../../../lib/clock.js';
import type { Milliseconds } from '../../../lib/units.js';
import { arrayAt, asObject, textAt } from '../../../kube/objects/raw.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import type { Lab } from '../../lab.js';
import { replicasOf } from '../../pods/generations.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { workloadStatus } from './workload-objects.js';

const POLL: Milliseconds = 200;

/** How `rollout status` waits: until the end or not at all, and for how long at most; 0 for any time. */
export interface Watching {
  readonly watch: boolean;
  readonly limit: Milliseconds;
}

/** `kubectl rollout status`: says how far it is each time that something has changed, until it has ended. */
export async function rolloutStatus(object: ApiObject, { watch, limit }: Watching, io: CommandIo): Promise<void> {
  const { clock, api } = io.lab;
  const end = clock.monotonic() + (limit || Infinity);
  for (let before = ''; !io.signal.aborted;) {
    const now = api.get(object.kind, object.namespace, object.name);
    if (!now) throw new CommandError('error: object has been deleted');
    const { text, done } = progress(now, io.lab);
    if (text !== before) io.write(`${text}\n`);
    before = text;
    if (done || !watch) return;
    if (clock.monotonic() >= end) throw new CommandError('error: timed out waiting for the condition');
    await sleep(clock, POLL, io.signal).catch(() => undefined);
  }
}

interface RolloutProgress {
  readonly text: string;
  readonly done: boolean;
}

/** As kubectl reads it from a workload's status. Throws a CommandError for a rollout that stands still for too long. */
function progress(object: ApiObject, lab: Lab): RolloutProgress {
  const status = workloadStatus(object, lab);
  const number = (key: string): number => Number(status[key] ?? 0);
  const daemons = object.kind === 'DaemonSet';
  const named = `${daemons ? 'daemon set' : 'deployment'} "${object.name}"`;
  const open = (text: string): RolloutProgress => ({
    text: `Waiting for ${named} rollout to finish: ${text}...`,
    done: false,
  });
  const [wanted, updated, available] = daemons
    ? [number('desiredNumberScheduled'), number('updatedNumberScheduled'), number('numberAvailable')]
    : [replicasOf(object), number('updatedReplicas'), number('availableReplicas')];
  const all = number('replicas');
  if (arrayAt(status, 'conditions').some((one) => textAt(asObject(one), 'reason') === 'ProgressDeadlineExceeded'))
    throw new CommandError(`error: ${named} exceeded its progress deadline`);
  if (updated < wanted)
    return open(`${updated} out of ${wanted} new ${daemons ? 'pods' : 'replicas'} have been updated`);
  if (!daemons && all > updated) return open(`${all - updated} old replicas are pending termination`);
  if (daemons ? available < wanted : available < updated)
    return open(`${available} of ${daemons ? wanted : updated} updated ${daemons ? 'pods' : 'replicas'} are available`);
  return { text: `${named} successfully rolled out`, done: true };
}
