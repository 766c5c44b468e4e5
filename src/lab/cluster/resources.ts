/** A kind of object that the lab's API holds. */
export interface Resource {
  readonly kind: string;
  /** In lower case, as kubectl takes it: `services`. */
  readonly plural: string;
  readonly short: readonly string[];
  /** Empty for the core group. */
  readonly group: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  /** Made by the cluster itself: it can be looked at, and not applied or changed. */
  readonly made?: boolean;
}

const core = (kind: string, plural: string, short: readonly string[], namespaced = true): Resource => ({
  kind,
  plural,
  short,
  group: '',
  apiVersion: 'v1',
  namespaced,
});
const other = (
  group: string,
  version: string,
  kind: string,
  plural: string,
  short: readonly string[],
  namespaced = true,
): Resource => ({ kind, plural, short, group, apiVersion: `${group}/${version}`, namespaced });

/**
 * What can be applied. Roles and accounts are kept so that real manifests can be used; nothing in the lab asks for
 * them.
 */
export const RESOURCES: readonly Resource[] = [
  core('Namespace', 'namespaces', ['ns'], false),
  core('Service', 'services', ['svc']),
  core('Pod', 'pods', ['po']),
  core('ConfigMap', 'configmaps', ['cm']),
  core('ServiceAccount', 'serviceaccounts', ['sa']),
  core('Event', 'events', ['ev']),
  other('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', []),
  other('apps', 'v1', 'Deployment', 'deployments', ['deploy']),
  other('apps', 'v1', 'DaemonSet', 'daemonsets', ['ds']),
  other('rbac.authorization.k8s.io', 'v1', 'ClusterRole', 'clusterroles', [], false),
  other('rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding', 'clusterrolebindings', [], false),
  other('cilium.io', 'v2', 'CiliumLocalRedirectPolicy', 'ciliumlocalredirectpolicies', ['clrp']),
];

/** What can be looked at besides. */
export const MADE_RESOURCES: readonly Resource[] = [
  { ...core('Node', 'nodes', ['no'], false), made: true },
  { ...core('Endpoints', 'endpoints', ['ep']), made: true },
  { ...other('apps', 'v1', 'ReplicaSet', 'replicasets', ['rs']), made: true },
  { ...other('cilium.io', 'v2', 'CiliumNode', 'ciliumnodes', ['cn', 'ciliumn'], false), made: true },
  {
    ...other(
      'apiextensions.k8s.io',
      'v1',
      'CustomResourceDefinition',
      'customresourcedefinitions',
      ['crd', 'crds'],
      false,
    ),
    made: true,
  },
  { ...other('cilium.io', 'v2', 'CiliumEndpoint', 'ciliumendpoints', ['cep', 'ciliumep']), made: true },
];

/** Everything that the API has. */
export const ALL_RESOURCES: readonly Resource[] = [...RESOURCES, ...MADE_RESOURCES];

export const resourceOf = (kind: string): Resource | undefined => RESOURCES.find((resource) => resource.kind === kind);

/**
 * The resource that a word on kubectl's command line means: kind, singular, plural or short name, with or without
 * group.
 */
export function resourceByWord(word: string): Resource | undefined {
  const [name = ''] = word.toLowerCase().split('.', 1);
  return ALL_RESOURCES.find(
    ({ kind, plural, short }) => kind.toLowerCase() === name || plural === name || short.includes(name),
  );
}
