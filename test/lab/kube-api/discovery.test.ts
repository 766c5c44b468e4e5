import { describe, expect, it } from 'vitest';
import { discovery } from '../../../src/lab/kube-api/discovery.js';
import type { Json } from './client.js';

const URL = 'https://127.0.0.1:6443';
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const at = (path: string, accept = ''): Json => discovery(path, accept, URL)?.body;
const READ = ['get', 'list', 'watch'];
const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

describe('what the API says of itself', () => {
  it('its version is that of its nodes', () =>
    expect(at('/version')).toMatchObject({ major: '1', minor: '33', gitVersion: 'v1.33.2', platform: 'linux/amd64' }));

  it('its versions, and where it is', () =>
    expect(at('/api')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    }));

  it('its groups', () => {
    const { kind, groups } = at('/apis');
    expect(kind).toBe('APIGroupList');
    expect(groups.map(({ name, versions }: Json) => [name, versions])).toEqual(
      [
        ['discovery.k8s.io', 'v1'],
        ['apps', 'v1'],
        ['rbac.authorization.k8s.io', 'v1'],
        ['cilium.io', 'v2'],
        ['apiextensions.k8s.io', 'v1'],
      ].map(([name, version]) => [name, [{ groupVersion: `${name}/${version}`, version }]]),
    );
  });

  it.each(['/apis/apps', '/apis/apps/'])('%s is one group', (path) =>
    expect(at(path)).toEqual({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'apps',
      versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    }),
  );

  it.each(['/api/apps', '/api/apps/v1', '/apis/v1', '/api/v2', '/apis/apps/v2', '/apis/none', '/', '/api/v1/pods/x'])(
    '%s is none',
    (path) => expect(at(path)).toBeUndefined(),
  );
});

describe('the kinds of a group', () => {
  const kindsOf = (path: string): Json[] => at(path).resources;
  const told = (path: string): string[] =>
    kindsOf(path).map(({ name, kind, namespaced, shortNames = [] }) =>
      [name, kind, namespaced ? 'namespaced' : 'cluster', ...shortNames].join(' '),
    );

  it('the core group', () =>
    expect(told('/api/v1')).toEqual([
      'namespaces Namespace cluster ns',
      'services Service namespaced svc',
      'pods Pod namespaced po',
      'pods/attach PodAttachOptions namespaced',
      'pods/exec PodExecOptions namespaced',
      'pods/eviction Eviction namespaced',
      'pods/log Pod namespaced',
      'pods/portforward PodPortForwardOptions namespaced',
      'pods/status Pod namespaced',
      'configmaps ConfigMap namespaced cm',
      'serviceaccounts ServiceAccount namespaced sa',
      'events Event namespaced ev',
      'nodes Node cluster no',
      'nodes/status Node cluster',
      'endpoints Endpoints namespaced ep',
    ]));

  it('another one, with what can be asked beside an object', () => {
    expect(told('/apis/apps/v1/')).toEqual([
      'deployments Deployment namespaced deploy',
      'deployments/scale Scale namespaced',
      'deployments/status Deployment namespaced',
      'daemonsets DaemonSet namespaced ds',
      'daemonsets/status DaemonSet namespaced',
      'replicasets ReplicaSet namespaced rs',
    ]);
    expect(kindsOf('/apis/discovery.k8s.io/v1')).toEqual([
      { name: 'endpointslices', singularName: 'endpointslice', namespaced: true, kind: 'EndpointSlice', verbs: ALL },
    ]);
  });

  it.each([
    { path: '/apis/apps/v1', name: 'deployments', verbs: ALL },
    { path: '/apis/apps/v1', name: 'replicasets', verbs: READ },
    { path: '/apis/cilium.io/v2', name: 'ciliumnodes', verbs: ['delete', ...READ] },
    { path: '/apis/cilium.io/v2', name: 'ciliumendpoints', verbs: READ },
    { path: '/api/v1', name: 'nodes', verbs: ['get', 'list', 'patch', 'update', 'watch'] },
    { path: '/api/v1', name: 'pods/eviction', verbs: ['create'] },
    { path: '/api/v1', name: 'pods/log', verbs: ['get'] },
    { path: '/apis/apps/v1', name: 'deployments/scale', verbs: ['get', 'patch', 'update'] },
  ])('$name: $verbs', ({ path, name, verbs }) =>
    expect(kindsOf(path).find((one) => one.name === name)?.verbs).toEqual(verbs),
  );
});

describe('all at once', () => {
  it.each([
    { path: '/api', groups: [''] },
    {
      path: '/apis',
      groups: ['discovery.k8s.io', 'apps', 'rbac.authorization.k8s.io', 'cilium.io', 'apiextensions.k8s.io'],
    },
  ])('$path', ({ path, groups }) => {
    expect(discovery(path, AGGREGATED, URL)!.type).toBe(AGGREGATED);
    const { kind, apiVersion, items } = at(path, AGGREGATED);
    expect([kind, apiVersion, items.map(({ metadata }: Json) => metadata.name)]).toEqual([
      'APIGroupDiscoveryList',
      'apidiscovery.k8s.io/v2',
      groups,
    ]);
  });

  it('also in the older version', () =>
    expect(at('/apis', AGGREGATED.replace('v=v2', 'v=v2beta1')).apiVersion).toBe('apidiscovery.k8s.io/v2beta1'));

  it('each kind with its scope and what can be asked beside it', () => {
    const { versions } = at('/apis', AGGREGATED).items[1];
    const [{ resources, ...version }] = versions;
    expect(version).toEqual({ version: 'v1', freshness: 'Current' });
    expect(resources[0]).toEqual({
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ALL,
      shortNames: ['deploy'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
          verbs: ['get'],
        },
      ],
    });
    const slices = at('/apis', AGGREGATED).items[0].versions[0].resources[0];
    expect([slices.scope, 'shortNames' in slices, slices.subresources]).toEqual(['Namespaced', false, []]);
    expect(at('/api', AGGREGATED).items[0].versions[0].resources[0]).toMatchObject({
      resource: 'namespaces',
      responseKind: { group: '', version: 'v1', kind: 'Namespace' },
      scope: 'Cluster',
    });
  });
});
