import type { Happening } from '../cluster/event-log.js';
import type { RunningPod } from './running-pod.js';
import { textAt } from '../../kube/objects/raw.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import { containersOf } from '../cluster/cluster-api.js';

/** What kubelets tell of the containers of a pod. */
export type ContainerHappening = 'created' | 'stopping';

/** Tells, of each container of a pod, that it was created and started, or that it is stopped. */
export function tellOfContainers(api: ClusterApi, pod: ApiObject, node: string, what: ContainerHappening): void {
  for (const one of containersOf(pod.raw)) {
    const [container, image] = [textAt(one, 'name'), textAt(one, 'image')];
    const tell = (reason: string, message: string): void =>
      api.tell({ about: pod, container, reason, message, source: { component: 'kubelet', host: node } });
    if (what === 'stopping') {
      tell('Killing', `Stopping container ${container}`);
      continue;
    }
    tell('Pulled', `Container image "${image}" already present on machine`);
    tell('Created', `Created container: ${container}`);
    tell('Started', `Started container ${container}`);
  }
}

/** What a kubelet has to warn of, or to tell, about one container. */
export function tellOfContainer(
  api: ClusterApi,
  { namespace, name, model }: RunningPod,
  container: string,
  what: Pick<Happening, 'reason' | 'message' | 'warning'>,
): void {
  const about = api.get('Pod', namespace, name);
  if (about) api.tell({ about, container, ...what, source: { component: 'kubelet', host: model.spec.node } });
}

/** A container that ended is not started at once. */
export const tellBackOff = (api: ClusterApi, pod: RunningPod, container: string): void =>
  tellOfContainer(api, pod, container, {
    warning: true,
    reason: 'BackOff',
    message: `Back-off restarting failed container ${container} in pod ${pod.name}_${pod.namespace}`,
  });

export const tellScheduled = (api: ClusterApi, pod: ApiObject, node: string): void =>
  api.tell({
    about: pod,
    reason: 'Scheduled',
    message: `Successfully assigned ${pod.namespace}/${pod.name} to ${node}`,
    source: { component: 'default-scheduler' },
  });
