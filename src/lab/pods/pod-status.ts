import { createHash } from 'node:crypto';
import { textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Milliseconds } from '../../lib/units.js';
import { containersOf } from '../cluster/cluster-api.js';
import type { ContainerEnd, RunningPod } from './running-pod.js';

/** The status of a pod, as its kubelet writes it into the API. */
export const statusOf = (pod: RunningPod, raw: RawObject, hostIP: string): RawObject => ({
  phase: pod.state === 'ContainerCreating' ? 'Pending' : 'Running',
  podIP: pod.model.ip,
  podIPs: [{ ip: pod.model.ip }],
  hostIP,
  qosClass: 'BestEffort',
  startTime: isoTime(pod.started),
  conditions: conditionsOf(pod.model.ready && pod.state === 'Running', pod.state !== 'ContainerCreating'),
  containerStatuses: containersOf(raw).map((container) => ({
    name: textAt(container, 'name'),
    image: textAt(container, 'image'),
    containerID: containerId(pod, container),
    imageID: `${textAt(container, 'image').replace(/:[^/]*$/, '')}@sha256:${digest(textAt(container, 'image'))}`,
    ready: pod.model.ready && pod.state === 'Running',
    restartCount: pod.restarts,
    started: pod.state === 'Running',
    state: stateOf(pod),
    ...(pod.ended && pod.state !== 'Error' && { lastState: { terminated: terminated(pod.ended) } }),
  })),
});

/** What `kubectl get pods` has under STATUS. */
export const statusWord = ({ state }: RunningPod): string => (state === 'Crashed' ? 'CrashLoopBackOff' : state);

const terminated = ({ began, at, exitCode }: ContainerEnd): RawObject => ({
  exitCode,
  reason: 'Error',
  startedAt: isoTime(began),
  finishedAt: isoTime(at),
});
const isoTime = (at: Milliseconds): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const containerId = ({ namespace, name, restarts, started }: RunningPod, container: RawObject): string =>
  `containerd://${digest(`${namespace}/${name}/${textAt(container, 'name')}/${restarts}/${started}`)}`;

/** The conditions of a pod, in the order in which the API has them. */
const conditionsOf = (ready: boolean, created: boolean): RawObject[] =>
  (
    [
      ['PodReadyToStartContainers', created],
      ['Initialized', true],
      ['Ready', ready],
      ['ContainersReady', ready],
      ['PodScheduled', true],
    ] as const
  ).map(([type, status]) => ({ type, status: status ? 'True' : 'False' }));

function stateOf(pod: RunningPod): RawObject {
  const { state, began, ended } = pod;
  if (state === 'Running' || state === 'Terminating') return { running: { startedAt: isoTime(began) } };
  return state === 'Error' && ended ? { terminated: terminated(ended) } : { waiting: { reason: statusWord(pod) } };
}
