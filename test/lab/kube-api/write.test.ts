import { describe, expect, it } from 'vitest';
import { servedLab } from './client.js';
import type { Answer, Json } from './client.js';

const served = servedLab();

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const map = (name: string, data: Json = { a: '1' }): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});
const create = (name: string, data?: Json): Promise<Answer> => served().ask('POST', MAPS, { body: map(name, data) });
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('objects', () => {
  it('are created, replaced and deleted, and the lab holds the same', async () => {
    expect((await create('one')).status).toBe(201);
    const held = (): Json => served().lab.api.get('ConfigMap', 'default', 'one')?.raw['data'];
    expect(held()).toEqual({ a: '1' });
    expect((await served().ask('PUT', `${MAPS}/one`, { body: map('one', { b: '2' }) })).status).toBe(200);
    expect(held()).toEqual({ b: '2' });
    expect((await served().ask('DELETE', `${MAPS}/one`)).body).toMatchObject({
      status: 'Success',
      details: { name: 'one' },
    });
    expect(held()).toBeUndefined();
  });

  it.each([
    { type: 'application/json-patch+json', body: [{ op: 'add', path: '/spec/unschedulable', value: true }] },
    { type: 'application/merge-patch+json', body: { spec: { unschedulable: true } } },
    { type: 'application/strategic-merge-patch+json', body: { spec: { unschedulable: true } } },
  ])('are nodes that keep new pods off, and take them again: $type', async (asked) => {
    const node = '/api/v1/nodes/k8s-w1';
    const closed = await served().ask('PATCH', node, asked);
    const held = served().lab.api.get('Node', '', 'k8s-w1')?.raw;
    const open = await served().ask('PATCH', node, {
      type: 'application/strategic-merge-patch+json',
      body: { spec: { unschedulable: null }, metadata: { labels: { disk: 'ssd' } } },
    });
    expect([closed.status, closed.body.spec.unschedulable, held?.['spec']]).toEqual([
      200,
      true,
      { unschedulable: true },
    ]);
    expect([open.status, open.body.spec.taints, open.body.metadata.labels.disk]).toEqual([200, undefined, 'ssd']);
    expect(open.body.metadata.labels['kubernetes.io/hostname']).toBe('k8s-w1');
  });

  it('get a name where they ask for one', async () => {
    const { body } = await served().ask('POST', MAPS, { body: { ...map(''), metadata: { generateName: 'made-' } } });
    expect(body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
  });

  it.each([
    { type: 'application/json-patch+json', body: [{ op: 'add', path: '/data/b', value: '2' }] },
    { type: 'application/merge-patch+json', body: { data: { b: '2' } } },
    { type: 'application/strategic-merge-patch+json', body: { data: { b: '2' } } },
    {
      type: 'application/apply-patch+yaml',
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: patched }\ndata: { b: "2" }\n',
    },
  ])('are patched: $type', async (asked) => {
    await create('patched');
    const { status, body } = await served().ask('PATCH', `${MAPS}/patched?fieldManager=me`, asked);
    await served().ask('DELETE', `${MAPS}/patched`);
    expect([status, body.data]).toEqual([200, { a: '1', b: '2' }]);
  });

  it('stay as they are in a dry run', async () => {
    expect((await served().ask('POST', `${MAPS}?dryRun=All`, { body: map('dry') })).body.data).toEqual({ a: '1' });
    expect((await served().ask('GET', `${MAPS}/dry`)).status).toBe(404);
  });

  it('are deleted all at once by a selection', async () => {
    for (const name of ['x', 'y', 'z'])
      await served().ask('POST', MAPS, {
        body: { ...map(name), metadata: { name, labels: { go: name === 'z' ? 'no' : 'yes' } } },
      });
    const { body } = await served().ask('DELETE', `${MAPS}?labelSelector=go%3Dyes`);
    expect(body.items.map((item: Json) => item.metadata.name)).toEqual(['x', 'y']);
    expect((await served().ask('GET', `${MAPS}/x`)).status).toBe(404);
    expect((await served().ask('GET', `${MAPS}/z`)).status).toBe(200);
  });
});

describe('is refused', () => {
  it.each([
    {
      name: 'what is there already',
      method: 'POST',
      path: MAPS,
      body: map('coredns'),
      again: true,
      status: 409,
      reason: 'AlreadyExists',
    },
    {
      name: 'an older version',
      method: 'PUT',
      path: `${MAPS}/held`,
      body: { ...map('held'), metadata: { name: 'held', resourceVersion: '1' } },
      status: 409,
      reason: 'Conflict',
    },
    {
      name: 'another kind',
      method: 'POST',
      path: MAPS,
      body: { ...map('x'), kind: 'Secret' },
      status: 400,
      reason: 'BadRequest',
    },
    {
      name: 'another namespace',
      method: 'POST',
      path: MAPS,
      body: { ...map('x'), metadata: { name: 'x', namespace: 'kube-system' } },
      status: 400,
      reason: 'BadRequest',
    },
    {
      name: 'a namespace that is not there',
      method: 'POST',
      path: '/api/v1/namespaces/none/configmaps',
      body: map('x'),
      status: 404,
      reason: 'NotFound',
    },
    { name: 'a name that is none', method: 'POST', path: MAPS, body: map('X_'), status: 422, reason: 'Invalid' },
    {
      name: 'a taint, which nothing here minds',
      method: 'PATCH',
      path: '/api/v1/nodes/k8s-w1',
      body: { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } },
      type: 'application/merge-patch+json',
      status: 422,
      reason: 'Invalid',
    },
    {
      name: 'a body that is no protobuf',
      method: 'POST',
      path: MAPS,
      body: 'x',
      type: 'application/vnd.kubernetes.protobuf',
      status: 400,
      reason: 'BadRequest',
    },
    { name: 'a body that is no JSON', method: 'POST', path: MAPS, body: '{', status: 400, reason: 'BadRequest' },
    {
      name: 'a strategic patch of what has no such lists',
      method: 'PATCH',
      path: '/apis/cilium.io/v2/ciliumnodes/k8s-w1',
      body: {},
      type: 'application/strategic-merge-patch+json',
      status: 405,
      reason: 'MethodNotAllowed',
    },
    {
      name: 'what the cluster makes',
      method: 'DELETE',
      path: '/apis/apps/v1/namespaces/default/replicasets/webpod-556878d5d7',
      status: 405,
      reason: 'MethodNotAllowed',
    },
    {
      name: 'a config map of the model',
      method: 'DELETE',
      path: '/api/v1/namespaces/kube-system/configmaps/cilium-config',
      status: 403,
      reason: 'Forbidden',
    },
    {
      name: 'a namespace that has to stay',
      method: 'DELETE',
      path: '/api/v1/namespaces/default',
      status: 403,
      reason: 'Forbidden',
    },
    {
      name: 'a deletion of another one',
      method: 'DELETE',
      path: `${MAPS}/held`,
      body: { preconditions: { uid: 'x' } },
      status: 409,
      reason: 'Conflict',
    },
    {
      name: 'a change of a pod that runs',
      method: 'PATCH',
      path: '/api/v1/namespaces/default/pods/curl-pod',
      body: { spec: { hostNetwork: true } },
      type: 'application/merge-patch+json',
      status: 422,
      reason: 'Invalid',
    },
    {
      name: 'a pod that cannot be',
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'bad' },
        spec: { dnsPolicy: 'No', containers: [{ name: 'a', image: 'nginx' }] },
      },
      status: 422,
      reason: 'Invalid',
    },
    {
      name: 'a scale that is no number',
      method: 'PATCH',
      path: `${DEPLOYMENTS}/webpod/scale`,
      body: { spec: { replicas: -1 } },
      type: 'application/merge-patch+json',
      status: 422,
      reason: 'Invalid',
    },
  ])('$name', async ({ method, path, body, type = 'application/json', again = false, status, reason }) => {
    await create('held');
    if (again) await served().ask(method, path, { body });
    const answer = await served().ask(method, path, { body, type });
    expect(answer.body).toMatchObject({ kind: 'Status', reason, code: status });
    expect(answer.status).toBe(status);
  });
});

describe('server-side apply', () => {
  const apply = (data: Json, manager: string, more = ''): Promise<Answer> =>
    served().ask('PATCH', `${MAPS}/applied?fieldManager=${manager}${more}`, {
      type: 'application/apply-patch+yaml',
      body: map('applied', data),
    });

  it('has each field belong to who set it: others conflict, unless they force it or say the same', async () => {
    expect((await apply({ a: '1', b: '1' }, 'first')).status).toBe(201);
    expect((await apply({ a: '1', c: '1' }, 'second')).status).toBe(200);
    const refused = await apply({ b: '2' }, 'second');
    expect(refused.body).toMatchObject({
      code: 409,
      details: { causes: [{ field: '.data.b', message: 'conflict with "first"' }] },
    });
    // What a manager no longer names goes, but for what another one names too.
    expect((await apply({ b: '2' }, 'second', '&force=true')).body.data).toEqual({ a: '1', b: '2' });
    expect((await apply({ a: '3' }, 'first')).body.data).toEqual({ a: '3', b: '2' });
  });

  it('says in managedFields whose they are, also of those that were patched', async () => {
    await served().ask('PATCH', `${MAPS}/applied?fieldManager=third`, {
      type: 'application/merge-patch+json',
      body: { data: { b: '4' } },
    });
    const { metadata } = await served().get(`${MAPS}/applied`);
    expect(metadata.managedFields.map((one: Json) => [one.manager, one.operation, one.fieldsV1])).toEqual([
      ['first', 'Apply', { 'f:data': { 'f:a': {} } }],
      ['third', 'Update', { 'f:data': { 'f:b': {} } }],
    ]);
  });

  it('merges lists by the names of their members', async () => {
    const deployment = (containers: Json): Json => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'webpod' },
      spec: { template: { spec: { containers } } },
    });
    const { body } = await served().ask('PATCH', `${DEPLOYMENTS}/webpod?fieldManager=me`, {
      type: 'application/apply-patch+yaml',
      body: deployment([{ name: 'webpod', env: [{ name: 'A', value: '1' }] }]),
    });
    expect(body.spec.template.spec.containers).toMatchObject([
      { name: 'webpod', image: 'traefik/whoami', env: [{ name: 'A', value: '1' }] },
    ]);
  });
});

describe('workloads', () => {
  it('are scaled, and counted by generation', async () => {
    const patch = { type: 'application/merge-patch+json', body: { spec: { replicas: 3 } } };
    const { body } = await served().ask('PATCH', `${DEPLOYMENTS}/webpod/scale`, patch);
    expect(body).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, status: { selector: 'app=webpod' } });
    await until(async () => (await served().get(`${DEPLOYMENTS}/webpod`)).status.readyReplicas === 3);
    const { metadata, status } = await served().get(`${DEPLOYMENTS}/webpod`);
    expect(status.observedGeneration).toBe(metadata.generation);
    expect(metadata.generation).toBeGreaterThan(1);
  });

  it('come back to the ReplicaSet of a template that was in force before, whoever wrote it', async () => {
    const before = await served().get(`${DEPLOYMENTS}/webpod`);
    const patch = (image: string): Promise<Answer> =>
      served().ask('PATCH', `${DEPLOYMENTS}/webpod`, {
        type: 'application/strategic-merge-patch+json',
        body: {
          spec: {
            template: {
              metadata: { creationTimestamp: null },
              spec: { containers: [{ name: 'webpod', image, resources: {} }] },
            },
          },
        },
      });
    const sets = async (): Promise<string[]> =>
      (await served().get('/apis/apps/v1/namespaces/default/replicasets')).items.map(
        (set: Json) => `${set.metadata.name} ${set.spec.replicas}`,
      );
    await patch('traefik/whoami:v1.10');
    await until(async () => (await sets()).filter((set) => set.endsWith(' 3')).length === 1);
    const count = (await sets()).length;
    await patch(before.spec.template.spec.containers[0].image);
    await until(async () => (await sets()).filter((set) => set.endsWith(' 3')).length === 1);
    expect((await sets()).length).toBe(count);
  });

  it('an eviction deletes a pod, for which its Deployment makes another', async () => {
    const pods = async (): Promise<string[]> =>
      (await served().get('/api/v1/namespaces/default/pods?labelSelector=app%3Dwebpod')).items.map(
        (pod: Json) => pod.metadata.name,
      );
    await until(async () => (await pods()).length === 3);
    const [first] = await pods();
    const { status } = await served().ask('POST', `/api/v1/namespaces/default/pods/${first!}/eviction`, {
      body: { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name: first } },
    });
    expect(status).toBe(201);
    await until(async () => !(await pods()).includes(first!) && (await pods()).length === 3);
  });

  it('pods that are left alone stay when their Deployment goes', async () => {
    const { status } = await served().ask('DELETE', `${DEPLOYMENTS}/webpod`, { body: { propagationPolicy: 'Orphan' } });
    expect(status).toBe(200);
    const { items } = await served().get('/api/v1/namespaces/default/pods?labelSelector=app%3Dwebpod');
    expect(items.map((pod: Json) => pod.metadata.ownerReferences)).toEqual([undefined, undefined, undefined]);
  });
});
