import type { RawObject } from '../../kube/objects/raw.js';
import { NODE_INFO } from '../commands/kubectl/objects.js';
import { ALL_RESOURCES } from '../cluster/resources.js';
import type { Resource } from '../cluster/resources.js';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

const status = (kind: string): Subresource => ({ name: 'status', kind, verbs: ['get'] });
const SCALE: Subresource = {
  name: 'scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: ['get', 'patch', 'update'],
};

const LOG: Subresource = { name: 'log', kind: 'Pod', verbs: ['get'] };
const stream = (name: string, kind: string): Subresource => ({ name, kind, verbs: ['create', 'get'] });
const EVICTION: Subresource = { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] };

/** What can be asked of one object beside itself. */
export const SUBRESOURCES: Readonly<Record<string, readonly Subresource[]>> = {
  Deployment: [SCALE, status('Deployment')],
  DaemonSet: [status('DaemonSet')],
  Node: [status('Node')],
  Pod: [
    stream('attach', 'PodAttachOptions'),
    stream('exec', 'PodExecOptions'),
    EVICTION,
    LOG,
    stream('portforward', 'PodPortForwardOptions'),
    status('Pod'),
  ],
};

/**
 * Verbs of a kind. What the cluster makes by itself can be looked at; nodes of Cilium can be deleted, for its operator
 * makes them anew, and of a node labels, annotations and whether it takes pods can be changed.
 */
export function verbsOf({ made, kind }: Resource): readonly string[] {
  if (kind === 'CiliumNode') return ['delete', ...READ];
  if (kind === 'Node') return [...READ, 'patch', 'update'].sort();
  return made === true ? READ : [...WRITE, ...READ].sort();
}

const VERSION: RawObject = {
  major: '1',
  minor: /^v1\.(\d+)/.exec(NODE_INFO.kubeletVersion)![1],
  gitVersion: NODE_INFO.kubeletVersion,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-06-17T18:32:35Z',
  goVersion: 'go1.24.4',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const apiVersions = [...new Set(ALL_RESOURCES.map(({ apiVersion }) => apiVersion))];
const partsOf = (apiVersion: string): { readonly group: string; readonly version: string } => {
  const [first = '', second] = apiVersion.split('/', 2);
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
};
const resourcesIn = (apiVersion: string): readonly Resource[] =>
  ALL_RESOURCES.filter((resource) => resource.apiVersion === apiVersion);

const groups = apiVersions
  .filter((apiVersion) => apiVersion.includes('/'))
  .map((groupVersion) => {
    const { group, version } = partsOf(groupVersion);
    return { name: group, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
  });

function resourceList(groupVersion: string): RawObject {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resourcesIn(groupVersion).flatMap((resource) => {
      const { plural, kind, namespaced, short } = resource;
      return [
        {
          name: plural,
          singularName: kind.toLowerCase(),
          namespaced,
          kind,
          verbs: verbsOf(resource),
          ...(short.length > 0 && { shortNames: short }),
        },
        ...(SUBRESOURCES[kind] ?? []).map(({ name, ...sub }) => ({
          name: `${plural}/${name}`,
          singularName: '',
          namespaced,
          ...sub,
        })),
      ];
    }),
  };
}

/** All of a group at once, as newer kubectl asks for it. */
function aggregated(kind: 'api' | 'apis', version: string): RawObject {
  const meant = apiVersions.filter((apiVersion) => apiVersion.includes('/') === (kind === 'apis'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: meant.map((apiVersion) => {
      const { group, version: ofGroup } = partsOf(apiVersion);
      return {
        metadata: { name: group, creationTimestamp: null },
        versions: [
          { version: ofGroup, freshness: 'Current', resources: resourcesIn(apiVersion).map(aggregatedResource) },
        ],
      };
    }),
  };
}

function aggregatedResource(resource: Resource): RawObject {
  const { plural, kind, namespaced, short, group, apiVersion } = resource;
  const { version } = partsOf(apiVersion);
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: verbsOf(resource),
    ...(short.length > 0 && { shortNames: short }),
    subresources: (SUBRESOURCES[kind] ?? []).map((sub) => ({
      subresource: sub.name,
      responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
      verbs: sub.verbs,
    })),
  };
}

/** A document that is the same whatever the cluster holds. */
export interface Document {
  readonly type: string;
  readonly body: RawObject;
}

const plain = (body: RawObject): Document => ({ type: 'application/json', body });

/**
 * What the API says of itself: versions, groups and kinds (https://kubernetes.io/docs/concepts/overview/kubernetes-api/);
 * undefined for other paths.
 *
 * @param url where the server is
 */
export function discovery(pathname: string, accept: string, url: string): Document | undefined {
  if (pathname === '/version') return plain(VERSION);
  if (pathname === '/api' || pathname === '/apis') {
    const [, version] = /g=apidiscovery\.k8s\.io;v=(v2|v2beta1);as=APIGroupDiscoveryList/.exec(accept) ?? [];
    const kind = pathname === '/api' ? 'api' : 'apis';
    if (version !== undefined)
      return {
        type: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
        body: aggregated(kind, version),
      };
    if (kind === 'apis') return plain({ kind: 'APIGroupList', apiVersion: 'v1', groups });
    return plain({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: url.replace('https://', '') }],
    });
  }
  const [, apiVersion] = /^\/apis?\/([^/]+(?:\/[^/]+)?)\/?$/.exec(pathname) ?? [];
  if (apiVersion === undefined) return undefined;
  const group = groups.find(({ name }) => name === apiVersion);
  if (group && pathname.startsWith('/apis/')) return plain({ kind: 'APIGroup', apiVersion: 'v1', ...group });
  const known = apiVersions.includes(apiVersion) && apiVersion.includes('/') === pathname.startsWith('/apis/');
  return known ? plain(resourceList(apiVersion)) : undefined;
}
