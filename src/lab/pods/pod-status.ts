import { createHash } from 'node:crypto';
import { textAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Milliseconds } from '../../lib/units.js';
import { containersOf } from '../cluster/cluster-api.js';
import type { RunningPod } from './running-pod.js';

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
    ...(pod.ended !== undefined && {
      lastState: { terminated: { exitCode: KILLED, reason: 'Error', finishedAt: isoTime(pod.ended) } },
    }),
  })),
});

/** With what a program ends that is killed. */
const KILLED = 137;
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

const stateOf = ({ state, began }: RunningPod): RawObject =>
  state === 'Running' || state === 'Terminating'
    ? { running: { startedAt: isoTime(began) } }
    : { waiting: { reason: state === 'Crashed' ? 'CrashLoopBackOff' : state } };
