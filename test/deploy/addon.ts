import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

/** An object of Kubernetes as far as tests read it. */
export interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export const objectsIn = (text: string): KubeObject[] =>
  parseAllDocuments(text).map((document) => document.toJS() as KubeObject);

export const objectOf = (all: readonly KubeObject[], kind: string, name = 'node-local-dns'): KubeObject => {
  const found = all.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} among ${all.map((one) => one.kind).join(', ')}`);
  return found;
};

/** What stands at a path such as `spec.containers.0.name`; undefined where nothing does. */
export const at = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);

const POD = 'spec.template.spec';
const CONTAINER = `${POD}.containers.0`;

/**
 * Fields of the addon's manifest (kubernetes/kubernetes, cluster/addons/dns/nodelocaldns, of 2026) that decide how it
 * is reached, scheduled and watched: kind, name, path, value.
 */
export const ADDON_FIELDS: readonly (readonly [kind: string, name: string, path: string, value: unknown])[] = [
  ['ServiceAccount', 'node-local-dns', 'metadata.namespace', 'kube-system'],
  ['Service', 'kube-dns-upstream', 'metadata.labels.k8s-app', 'kube-dns'],
  ['Service', 'kube-dns-upstream', 'spec.selector', { 'k8s-app': 'kube-dns' }],
  ['Service', 'kube-dns-upstream', 'spec.ports.0.port', 53],
  ['Service', 'kube-dns-upstream', 'spec.ports.0.protocol', 'UDP'],
  ['Service', 'kube-dns-upstream', 'spec.ports.1.port', 53],
  ['Service', 'kube-dns-upstream', 'spec.ports.1.protocol', 'TCP'],
  ['Service', 'node-local-dns', 'spec.clusterIP', 'None'],
  ['Service', 'node-local-dns', 'spec.ports.0.port', 9253],
  ['Service', 'node-local-dns', 'spec.selector', { 'k8s-app': 'node-local-dns' }],
  ['DaemonSet', 'node-local-dns', 'metadata.namespace', 'kube-system'],
  ['DaemonSet', 'node-local-dns', 'metadata.labels.k8s-app', 'node-local-dns'],
  ['DaemonSet', 'node-local-dns', 'spec.selector.matchLabels', { 'k8s-app': 'node-local-dns' }],
  ['DaemonSet', 'node-local-dns', 'spec.template.metadata.labels.k8s-app', 'node-local-dns'],
  ['DaemonSet', 'node-local-dns', `${POD}.priorityClassName`, 'system-node-critical'],
  ['DaemonSet', 'node-local-dns', `${POD}.serviceAccountName`, 'node-local-dns'],
  ['DaemonSet', 'node-local-dns', `${POD}.hostNetwork`, true],
  ['DaemonSet', 'node-local-dns', `${POD}.dnsPolicy`, 'Default'],
  ['DaemonSet', 'node-local-dns', `${POD}.tolerations.0`, { key: 'CriticalAddonsOnly', operator: 'Exists' }],
  ['DaemonSet', 'node-local-dns', `${POD}.tolerations.1`, { effect: 'NoExecute', operator: 'Exists' }],
  ['DaemonSet', 'node-local-dns', `${POD}.tolerations.2`, { effect: 'NoSchedule', operator: 'Exists' }],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.name`, 'node-cache'],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.resources.requests.cpu`, '25m'],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.livenessProbe.httpGet.host`, '__PILLAR__LOCAL__DNS__'],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.livenessProbe.httpGet.path`, '/health'],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.livenessProbe.httpGet.port`, 8080],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.livenessProbe.initialDelaySeconds`, 60],
  ['DaemonSet', 'node-local-dns', `${CONTAINER}.livenessProbe.timeoutSeconds`, 5],
];

/** Where its container finds what. */
export const ADDON_MOUNTS: Readonly<Record<string, unknown>> = {
  '/run/xtables.lock': { hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
  '/etc/coredns': { configMap: { name: 'node-local-dns', items: [{ key: 'Corefile', path: 'Corefile.base' }] } },
  '/etc/kube-dns': { configMap: { name: 'kube-dns', optional: true } },
};

/** The volume at each path of a DaemonSet's container. */
export function mountsOf(daemonSet: KubeObject): Record<string, unknown> {
  const volumes = at(daemonSet, `${POD}.volumes`) as { name: string }[];
  const mounts = at(daemonSet, `${CONTAINER}.volumeMounts`) as { name: string; mountPath: string }[];
  return Object.fromEntries(
    mounts.map(({ name, mountPath }) => {
      const { name: _, ...volume } = volumes.find((one) => one.name === name)!;
      return [mountPath, volume];
    }),
  );
}

export const containerOf = (daemonSet: KubeObject): { args: string[]; image: string } =>
  at(daemonSet, CONTAINER) as { args: string[]; image: string };

export const noKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status !== 0;
