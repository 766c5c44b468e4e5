import type { DatapathConfig } from '../../datapath/config.js';
import type { Pod as ModelPod } from '../../datapath/cluster/endpoint.js';
import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import type { ApiObject } from './api-object.js';

/** Settings of Cilium that wait for its agents to be restarted. */
export interface PendingSettings {
  readonly settings: Partial<DatapathConfig>;
  readonly ipam: IpamConfig;
  readonly localRedirectPolicy: boolean;
}

/** Cilium's agents are part of the model; their DaemonSet stands for them. */
export const isAgents = ({ kind, namespace, name }: ApiObject): boolean =>
  kind === 'DaemonSet' && namespace === 'kube-system' && name === 'cilium';

/** Whether a pod is one of the cluster DNS. */
export const isDns = ({ spec }: ModelPod): boolean => spec.labels?.['k8s-app'] === 'kube-dns';

/** The members of `next` that are not as in `before`; those that are gone are set back. */
export function changed(before: Partial<DatapathConfig>, next: Partial<DatapathConfig>): Partial<DatapathConfig> {
  const keys = new Set([...Object.keys(before), ...Object.keys(next)] as (keyof DatapathConfig)[]);
  return Object.fromEntries(
    [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(next[key])).map((key) => [key, next[key]]),
  );
}
