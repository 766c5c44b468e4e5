import { describe, expect, it } from 'vitest';
import { objectAt } from '../../../src/kube/objects/raw.js';
import { formOf, metadataOnly } from '../../../src/lab/kube-api/form.js';
import { resourceAt } from '../../../src/lab/kube-api/route.js';
import { scaleOf, withScale } from '../../../src/lab/kube-api/scale.js';
import { selectionOf } from '../../../src/lab/kube-api/selection.js';

const pod = (name: string, spec: object = {}, status: object = {}) => ({
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec,
  status,
});

describe('what a list means', () => {
  const PODS = [
    pod('a', { hostNetwork: true, nodeName: 'one' }),
    pod('b', { hostNetwork: false, nodeName: 'two' }, { phase: 'Running' }),
    { metadata: { name: 'c', namespace: 'other' } },
  ];
  const IN_DEFAULT = '/api/v1/namespaces/default/pods';
  it.each([
    { name: 'all', path: '/api/v1/pods', query: '', want: ['a', 'b', 'c'] },
    { name: 'those of a namespace', path: IN_DEFAULT, query: '', want: ['a', 'b'] },
    { name: 'one by the path', path: `${IN_DEFAULT}/b`, query: '', want: ['b'] },
    { name: 'a label', path: IN_DEFAULT, query: 'labelSelector=app=a', want: ['a'] },
    { name: 'a name', path: IN_DEFAULT, query: 'fieldSelector=metadata.name=b', want: ['b'] },
    { name: 'not a name', path: IN_DEFAULT, query: 'fieldSelector=metadata.name!=b', want: ['a'] },
    { name: 'a field that is true', path: '/api/v1/pods', query: 'fieldSelector=spec.hostNetwork=true', want: ['a'] },
    {
      name: 'several fields',
      path: '/api/v1/pods',
      query: 'fieldSelector=spec.nodeName==two,status.phase=Running',
      want: ['b'],
    },
    { name: 'a field that is not there', path: '/api/v1/pods', query: 'fieldSelector=status.phase=', want: ['a', 'c'] },
  ])('is $name', ({ path, query, want }) => {
    const selects = selectionOf(resourceAt(path)!, new URLSearchParams(query));
    expect(PODS.filter(selects).map(({ metadata }) => metadata.name)).toEqual(want);
  });

  it('has numbers as fields, too', () => {
    const query = new URLSearchParams('fieldSelector=status.replicas=2');
    const selects = selectionOf(resourceAt('/apis/apps/v1/replicasets')!, query);
    expect([1, 2].map((replicas) => selects({ status: { replicas } }))).toEqual([false, true]);
  });

  it.each([
    {
      name: 'a field of another kind',
      query: 'fieldSelector=spec.type=x',
      error: /^field label not supported: got "spec.type=x"/,
    },
    { name: 'what is no selector', query: 'labelSelector=!!', error: /./ },
  ])('is refused: $name', ({ query, error }) =>
    expect(() => selectionOf(resourceAt(IN_DEFAULT)!, new URLSearchParams(query))).toThrow(error),
  );
});

describe('the form that a client wants', () => {
  it.each([
    { accept: '', want: { as: 'object', version: 'v1' } },
    { accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io', want: { as: 'table', version: 'v1beta1' } },
    { accept: 'application/json;as=Table;v=v2;g=meta.k8s.io, application/json', want: { as: 'object', version: 'v1' } },
    {
      accept: 'application/yaml, application/json; as=PartialObjectMetadata; v=v1; g=meta.k8s.io',
      want: { as: 'metadata', version: 'v1' },
    },
  ])('"$accept"', ({ accept, want }) => expect(formOf(accept)).toEqual(want));

  it.each([
    { name: 'of another group', accept: 'application/json;as=Table;v=v1;g=example.com' },
    { name: 'that is not known', accept: 'application/json;as=Chart;v=v1;g=meta.k8s.io' },
    { name: 'without a group', accept: 'application/json;as=Table;v=v1' },
    { name: 'in another language', accept: 'application/yaml' },
  ])('is refused where it is one $name alone', ({ accept }) =>
    expect(() => formOf(accept)).toThrow(`Accept: got "${accept}", allowed: application/json`),
  );

  it('may be metadata alone', () =>
    expect(metadataOnly(pod('a'), { as: 'metadata', version: 'v1beta1' })).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1beta1',
      metadata: pod('a').metadata,
    }));
});

describe('the scale of a workload', () => {
  const { resource } = resourceAt('/apis/apps/v1/deployments')!;
  const workload = { metadata: { name: 'web', resourceVersion: '3' }, spec: { replicas: 2, selector: {} } };
  it('tells none as long as none is there', () =>
    expect(scaleOf(workload)).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 0 } }));

  it.each([
    { name: 'has the selector of its pods as text', selector: { matchLabels: { app: 'web' } }, want: 'app=web' },
    { name: 'has no selector where it selects nothing', selector: {}, want: undefined },
  ])('$name', ({ selector, want }) => {
    const status = objectAt(scaleOf({ ...workload, spec: { replicas: 2, selector } }), 'status');
    expect(status).toEqual(want === undefined ? { replicas: 0 } : { replicas: 0, selector: want });
  });

  it.each([
    { name: 'what it says', spec: { replicas: 1000 }, want: 1000 },
    { name: 'none where it says nothing', spec: {}, want: 0 },
  ])('is set to $name', ({ spec, want }) =>
    expect(withScale(workload, { spec }, resource)).toEqual({
      ...workload,
      spec: { ...workload.spec, replicas: want },
    }),
  );

  it.each([-1, 1001, 1.5, '2'])('is refused: %s', (replicas) =>
    expect(() => withScale(workload, { spec: { replicas } }, resource)).toThrow(/a whole number from 0 to 1000/),
  );

  it('is of the version that it names', () =>
    expect(withScale(workload, { metadata: { resourceVersion: '2' } }, resource)['metadata']).toEqual({
      name: 'web',
      resourceVersion: '2',
    }));
});

// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
describe('a path', () => {
  it.each([
    { path: '/api/v1/pods', want: 'Pod' },
    { path: '/api/v1/namespaces/shop/pods', want: 'Pod in shop' },
    { path: '/api/v1/namespaces/shop/pods/web', want: 'Pod web in shop' },
    { path: '/api/v1/namespaces/shop/pods/web/log', want: 'Pod web in shop, log' },
    { path: '/api/v1/namespaces/shop/configmaps/a%2Fb', want: 'ConfigMap a/b in shop' },
    { path: '/api/v1/namespaces/shop/configmaps/%zz', want: 'ConfigMap %zz in shop' },
    { path: '/api/v1/namespaces', want: 'Namespace' },
    { path: '/api/v1/namespaces/shop', want: 'Namespace shop' },
    { path: '/api/v1/namespaces/shop/status', want: 'Namespace shop, status' },
    { path: '/api/v1/namespaces/shop/finalize', want: 'Namespace shop, finalize' },
    { path: '/api/v1/nodes/w1', want: 'Node w1' },
    { path: '/apis/apps/v1/namespaces/shop/deployments/web/scale', want: 'Deployment web in shop, scale' },
    { path: '/api/v1/pods/web', want: undefined },
    { path: '/api/v1/namespaces/shop/nodes/w1', want: undefined },
    { path: '/api/v1/namespaces/shop/nodes', want: undefined },
    { path: '/api/v1/namespaces/shop/pods/', want: undefined },
    { path: '/api/v1/namespaces/shop/pods/web/log/more', want: undefined },
    { path: '/api/v1/deployments', want: undefined },
    { path: '/apis/apps/v2/deployments', want: undefined },
    { path: '/other/v1/pods', want: undefined },
    { path: '/api/v1', want: undefined },
  ])('$path is $want', ({ path, want }) => {
    const meant = resourceAt(path);
    const words = meant && [
      meant.resource.kind,
      ...(meant.name === undefined ? [] : [` ${meant.name}`]),
      ...(meant.namespace === undefined ? [] : [` in ${meant.namespace}`]),
      ...(meant.subresource === undefined ? [] : [`, ${meant.subresource}`]),
    ];
    expect(words?.join('')).toBe(want);
  });
});
