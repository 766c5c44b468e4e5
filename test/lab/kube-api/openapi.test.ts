import { describe, expect, it } from 'vitest';
import { openapi } from '../../../src/lab/kube-api/openapi.js';
import type { Json } from './client.js';

const documentAt = (path: string, accept = 'application/json'): Json =>
  JSON.parse(openapi(path, accept)!.body.toString());

describe('the documents of version 3', () => {
  it('are one for each group and version', () =>
    expect(documentAt('/openapi/v3')).toEqual({
      paths: Object.fromEntries(
        [
          'api/v1',
          'apis/discovery.k8s.io/v1',
          'apis/apps/v1',
          'apis/rbac.authorization.k8s.io/v1',
          'apis/cilium.io/v2',
          'apis/apiextensions.k8s.io/v1',
        ].map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }]),
      ),
    }));

  it.each([
    {
      root: 'api/v1',
      paths: [
        'namespaces/{name}',
        'namespaces/{namespace}/services/{name}',
        'namespaces/{namespace}/pods/{name}',
        'namespaces/{namespace}/configmaps/{name}',
        'namespaces/{namespace}/serviceaccounts/{name}',
        'namespaces/{namespace}/events/{name}',
        'nodes/{name}',
        'namespaces/{namespace}/endpoints/{name}',
      ],
      schemas: ['Namespace', 'Service', 'Pod', 'ConfigMap', 'ServiceAccount', 'Event', 'Node', 'Endpoints'].map(
        (kind) => `core.v1.${kind}`,
      ),
    },
    {
      root: 'apis/apps/v1',
      paths: ['deployments', 'daemonsets', 'replicasets'].map((kind) => `namespaces/{namespace}/${kind}/{name}`),
      schemas: ['apps.v1.Deployment', 'apps.v1.DaemonSet', 'apps.v1.ReplicaSet'],
    },
    {
      root: 'apis/rbac.authorization.k8s.io/v1',
      paths: ['clusterroles/{name}', 'clusterrolebindings/{name}'],
      schemas: ['rbac.v1.ClusterRole', 'rbac.v1.ClusterRoleBinding'],
    },
    {
      root: 'apis/cilium.io/v2',
      paths: [
        'namespaces/{namespace}/ciliumlocalredirectpolicies/{name}',
        'ciliumnodes/{name}',
        'namespaces/{namespace}/ciliumendpoints/{name}',
      ],
      schemas: ['cilium.v2.CiliumLocalRedirectPolicy', 'cilium.v2.CiliumNode', 'cilium.v2.CiliumEndpoint'],
    },
    {
      root: 'apis/apiextensions.k8s.io/v1',
      paths: ['customresourcedefinitions/{name}'],
      schemas: ['apiextensions.v1.CustomResourceDefinition'],
    },
  ])('$root has its kinds, below a namespace where they belong to one', ({ root, paths, schemas }) => {
    const { openapi: version, info, paths: all, components } = documentAt(`/openapi/v3/${root}`);
    expect([version, info]).toEqual(['3.0.0', { title: 'Kubernetes', version: 'v1.33.2' }]);
    expect(Object.keys(all)).toEqual(paths.map((path) => `/${root}/${path}`));
    expect(Object.keys(components.schemas)).toEqual(schemas.map((name) => `io.k8s.api.${name}`));
  });

  it('what the cluster makes by itself can be read alone', () => {
    const { paths } = documentAt('/openapi/v3/apis/apps/v1');
    const verbs = (plural: string): string[] =>
      Object.keys(paths[`/apis/apps/v1/namespaces/{namespace}/${plural}/{name}`]);
    expect([verbs('deployments'), verbs('replicasets')]).toEqual([['get', 'patch', 'put'], ['get']]);
  });

  it('a patch may be tried, named, checked and forced', () => {
    const { patch } = documentAt('/openapi/v3/api/v1').paths['/api/v1/namespaces/{name}'];
    const kind = { group: '', version: 'v1', kind: 'Namespace' };
    const schema = { type: 'string', uniqueItems: true };
    expect(patch).toEqual({
      parameters: [
        { name: 'dryRun', in: 'query', schema },
        { name: 'fieldManager', in: 'query', schema },
        { name: 'fieldValidation', in: 'query', schema },
        { name: 'force', in: 'query', schema: { ...schema, type: 'boolean' } },
      ],
      responses: { 200: { description: 'OK' } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': kind,
    });
  });

  it('a kind takes members that are not listed', () => {
    const schema = documentAt('/openapi/v3/apis/apps/v1').components.schemas['io.k8s.api.apps.v1.Deployment'];
    expect(schema).toMatchObject({
      type: 'object',
      properties: { metadata: { 'x-kubernetes-preserve-unknown-fields': true } },
      'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
      'x-kubernetes-preserve-unknown-fields': true,
    });
    expect(Object.keys(schema.properties)).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  it.each(['/openapi/v3/apis/batch/v1', '/openapi/v3/', '/openapi', '/api/v1'])('there is none at %s', (path) =>
    expect(openapi(path, 'application/json')).toBeUndefined(),
  );
});

describe('the document of version 2', () => {
  it('has all kinds as JSON', () => {
    const { swagger, paths, definitions } = documentAt('/openapi/v2');
    expect([swagger, paths, Object.keys(definitions).length]).toEqual(['2.0', {}, 18]);
  });

  it('has its head alone as protobuf', () => {
    const { type, body } = openapi('/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf')!;
    expect(type).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    // Document { swagger = 1; info = 2 { title = 1; version = 2 } }, each a length and its bytes (wire type 2).
    expect(body.toString('latin1')).toBe('\n\x032.0\x12\x15\n\x0aKubernetes\x12\x07v1.33.2');
  });
});
