import { describe, expect, it } from 'vitest';
import { ServedLab, servedLab } from './client.js';
import type { Json } from './client.js';

const served = servedLab();

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PODS = '/api/v1/namespaces/default/pods';
const names = (list: Json): string[] => list.items.map((item: Json) => item.metadata.name);

describe('what the API says of itself', () => {
  it.each([
    { path: '/version', want: { major: '1', gitVersion: 'v1.33.2' } },
    { path: '/api', want: { kind: 'APIVersions', versions: ['v1'] } },
    { path: '/apis', want: { kind: 'APIGroupList' } },
    {
      path: '/apis/apps',
      want: { kind: 'APIGroup', name: 'apps', preferredVersion: { groupVersion: 'apps/v1', version: 'v1' } },
    },
    { path: '/apis/apps/v1', want: { kind: 'APIResourceList', groupVersion: 'apps/v1' } },
    { path: '/openapi/v3/apis/apps/v1', want: { openapi: '3.0.0' } },
  ])('$path', async ({ path, want }) => expect(await served().get(path)).toMatchObject(want));

  it.each(['v2', 'v2beta1'])('all of it at once, as newer clients ask: %s', async (version) => {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    const { type, body } = await served().ask('GET', '/apis', { accept });
    expect(type).toBe(accept);
    const apps = body.items.find((group: Json) => group.metadata.name === 'apps');
    expect(apps.versions[0].resources.find((one: Json) => one.resource === 'deployments')).toMatchObject({
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      shortNames: ['deploy'],
    });
  });

  it('as protobuf where a client reads nothing else: fields 1 and 2 of its Document', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const { body } = await served().ask('GET', '/openapi/v2', { accept });
    expect(body).toBe('\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.33.2');
  });
});

it.each(['/healthz', '/livez', '/readyz'])('%s is well, for whoever asks', async (path) =>
  expect(await served().ask('GET', path, { token: 'another' })).toMatchObject({ status: 200, body: 'ok' }),
);

describe('lists', () => {
  it.each([
    { name: 'a namespace', path: PODS, want: ['curl-pod', 'webpod-556878d5d7-7p8bn', 'webpod-556878d5d7-r4dmh'] },
    {
      name: 'all namespaces, by a label',
      path: `/api/v1/pods?labelSelector=${encodeURIComponent('k8s-app in (kube-dns)')}`,
      want: ['coredns-674b8bbfcf-gbnm8', 'coredns-674b8bbfcf-vvgfm'],
    },
    { name: 'a name', path: `${PODS}?fieldSelector=metadata.name%3Dcurl-pod`, want: ['curl-pod'] },
    {
      name: 'two fields, one of them not',
      path: '/api/v1/pods?fieldSelector=spec.nodeName%3Dk8s-w1%2Cmetadata.namespace!%3Dkube-system',
      want: ['webpod-556878d5d7-r4dmh'],
    },
    { name: 'what the model makes', path: '/apis/cilium.io/v2/ciliumnodes', want: ['k8s-ctr', 'k8s-w1'] },
    {
      name: 'what controllers make',
      path: '/apis/apps/v1/replicasets',
      want: ['webpod-556878d5d7', 'coredns-674b8bbfcf'],
    },
  ])('of $name', async ({ path, want }) => expect(names(await served().get(path))).toEqual(want));

  it('in parts go on where they ended, though objects change', async () => {
    const first = await served().get('/api/v1/pods?limit=3');
    expect(first.metadata.remainingItemCount).toBe(4);
    const second = await served().get(`/api/v1/pods?limit=3&continue=${first.metadata.continue}`);
    const third = await served().get(`/api/v1/pods?limit=3&continue=${second.metadata.continue}`);
    expect(third.metadata.continue).toBeUndefined();
    expect([...names(first), ...names(second), ...names(third)]).toEqual(names(await served().get('/api/v1/pods')));
  });

  it('in parts are open so many at a time; the oldest is given up for one more', async () => {
    const next = async (): Promise<string> => (await served().get('/api/v1/pods?limit=3')).metadata.continue;
    const tokens: string[] = [];
    for (let i = 0; i < 33; i++) tokens.push(await next());
    const status = async (token: string) => (await served().ask('GET', `/api/v1/pods?continue=${token}`)).status;
    expect([await status(tokens[0]!), await status(tokens[1]!), await status(tokens[32]!)]).toEqual([410, 200, 200]);
  });

  it.each([
    { include: 'Object', want: { kind: 'Pod', spec: expect.any(Object) as unknown } },
    { include: 'Metadata', want: { kind: 'PartialObjectMetadata', spec: undefined } },
  ])('as tables have with each row what is asked for: $include', async ({ include, want }) => {
    const { rows } = await served().get(`${PODS}?includeObject=${include}`, TABLE);
    expect({ kind: rows[0].object.kind, spec: rows[0].object.spec }).toEqual(want);
  });

  it('as tables have the columns of kubectl, those of -o wide with priority 1', async () => {
    const table = await served().get(`${PODS}?includeObject=None`, TABLE);
    expect(table.kind).toBe('Table');
    expect(table.columnDefinitions.map((one: Json) => `${one.name} ${one.priority}`).slice(0, 6)).toEqual([
      'NAME 0',
      'READY 0',
      'STATUS 0',
      'RESTARTS 0',
      'AGE 0',
      'IP 1',
    ]);
    // The column that names an object is told apart (meta/v1, TableColumnDefinition); of the wide ones, none is it.
    const formats: string[] = table.columnDefinitions.map((one: Json) => one.format);
    expect(formats).toEqual(formats.map((_, i) => (i === 0 ? 'name' : '')));
    expect(table.rows[0].cells.slice(0, 4)).toEqual(['curl-pod', '1/1', 'Running', '0']);
    expect(table.rows[0].object).toBeUndefined();
  });

  it('of metadata alone', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const { kind, items } = await served().get(PODS, accept);
    expect([kind, Object.keys(items[0])]).toEqual(['PartialObjectMetadataList', ['kind', 'apiVersion', 'metadata']]);
  });

  it('a pod belongs to the ReplicaSet of its Deployment, by its uid', async () => {
    const [pod, set, deployment] = await Promise.all([
      served().get(`${PODS}/webpod-556878d5d7-7p8bn`),
      served().get('/apis/apps/v1/namespaces/default/replicasets/webpod-556878d5d7'),
      served().get('/apis/apps/v1/namespaces/default/deployments/webpod'),
    ]);
    expect(pod.metadata.ownerReferences[0].uid).toBe(set.metadata.uid);
    expect(set.metadata.ownerReferences[0].uid).toBe(deployment.metadata.uid);
  });
});

describe('is refused', () => {
  it.each([
    { name: 'a foreign token', path: PODS, token: 'another', status: 401, reason: 'Unauthorized' },
    { name: 'a kind that is not there', path: '/api/v1/secrets', status: 404, reason: 'NotFound' },
    {
      name: 'a pod that is not there',
      path: `${PODS}/none`,
      status: 404,
      reason: 'NotFound',
      says: 'pods "none" not found',
    },
    { name: 'a name without its namespace', path: '/api/v1/pods/curl-pod', status: 404, reason: 'NotFound' },
    { name: 'a selector that cannot be read', path: `${PODS}?labelSelector=a+in`, status: 400, reason: 'BadRequest' },
    {
      name: 'a field that lists are not narrowed by',
      path: `${PODS}?fieldSelector=spec.x%3D1`,
      status: 400,
      reason: 'BadRequest',
      says: 'field label not supported: got "spec.x=1"',
    },
    {
      name: 'less than no object',
      path: `${PODS}?limit=-1`,
      status: 400,
      reason: 'BadRequest',
      says: 'limit: got "-1"',
    },
    { name: 'half an object', path: `${PODS}?limit=1.5`, status: 400, reason: 'BadRequest', says: 'limit: got "1.5"' },
    { name: 'a list whose rest is not known', path: `${PODS}?continue=x`, status: 410, reason: 'Expired' },
    { name: 'a form other than JSON', path: PODS, accept: 'application/yaml', status: 406, reason: 'NotAcceptable' },
    {
      name: 'a watch from a version to come',
      path: `${PODS}?watch=1&resourceVersion=99999999`,
      status: 410,
      reason: 'Expired',
    },
  ])('$name', async ({ path, status, reason, says = '', ...asked }) => {
    const answer = await served().ask('GET', path, asked);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code: status, reason });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(says);
  });
});

describe('watches', () => {
  const put = (name: string, labels: Record<string, string>): void =>
    served().lab.api.put({
      kind: 'ConfigMap',
      namespace: 'default',
      name,
      created: 1,
      raw: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels }, data: { a: '1' } },
    });
  const MAPS = '/api/v1/namespaces/default/configmaps';

  it('begin after a list, and follow what comes into the selection and leaves it', async () => {
    const { metadata } = await served().get(MAPS);
    const watch = await served().watch(
      `${MAPS}?watch=1&labelSelector=a%3D1&resourceVersion=${metadata.resourceVersion}`,
    );
    const seen: string[] = [];
    for (const labels of [{ a: '1' }, { a: '1', b: '2' }, { a: '2' }, { a: '1' }] as Record<string, string>[]) {
      put('followed', labels);
      const { type, object } = await watch.next();
      seen.push(`${type} ${JSON.stringify(object.metadata.labels)}`);
    }
    served().lab.api.delete('ConfigMap', 'default', 'followed');
    seen.push((await watch.next()).type);
    watch.end();
    expect(seen).toEqual([
      'ADDED {"a":"1"}',
      'MODIFIED {"a":"1","b":"2"}',
      'DELETED {"a":"2"}',
      'ADDED {"a":"1"}',
      'DELETED',
    ]);
  });

  it('begin with all there is, and a bookmark behind it, where that is asked', async () => {
    const asked = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watch = await served().watch(`/api/v1/nodes?watch=1&${asked}`);
    const events = [await watch.next(), await watch.next(), await watch.next()];
    watch.end();
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
    expect(events[2].object).toMatchObject({
      kind: 'Node',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
  });

  it('end after the time that was asked, with a bookmark for who takes it', async () => {
    const { metadata } = await served().get('/api/v1/nodes');
    const asked = `allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`;
    const watch = await served().watch(`/api/v1/nodes?watch=1&${asked}`);
    expect(await watch.next()).toMatchObject({ type: 'BOOKMARK' });
    expect(await watch.next()).toBeUndefined();
  });

  it('as tables show an object that went as it was', async () => {
    put('shown', {});
    const { metadata } = await served().get(MAPS);
    const watch = await served().watch(`${MAPS}?watch=1&resourceVersion=${metadata.resourceVersion}`, TABLE);
    served().lab.api.delete('ConfigMap', 'default', 'shown');
    const { type, object } = await watch.next();
    watch.end();
    expect([type, object.rows[0].cells.slice(0, 2)]).toEqual(['DELETED', ['shown', '1']]);
  });

  it('are told that they are too late when changes are not known any more', async () => {
    const small = await ServedLab.start(3);
    const { metadata } = await small.get(MAPS);
    for (let i = 0; i < 5; i++) {
      small.lab.api.delete('ConfigMap', 'default', 'x');
      small.lab.api.put({
        kind: 'ConfigMap',
        namespace: 'default',
        name: 'x',
        created: i,
        raw: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'default' } },
      });
      await small.get(MAPS);
    }
    const answer = await small.ask('GET', `${MAPS}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    small.stop();
    expect(answer.body).toMatchObject({ code: 410, reason: 'Expired' });
  });
});

describe('a journal of what changes', () => {
  it('tells one that was deleted and made again at once as two', async () => {
    const { metadata } = await served().get(PODS);
    const watch = await served().watch(`${PODS}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    const pod = served().lab.api.get('Pod', 'default', 'curl-pod')!;
    served().lab.api.put({ ...pod, created: pod.created + 1 });
    expect([(await watch.next()).type, (await watch.next()).type]).toEqual(['DELETED', 'ADDED']);
    watch.end();
  });
});
