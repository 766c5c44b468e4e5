import { beforeEach, describe, expect, it } from 'vitest';
import { EndpointController } from '../../src/kube/endpoints/controller.js';
import { formedSlices } from '../../src/kube/endpoints/formation.js';
import { ALL_FIELDS } from '../../src/kube/objects/objects.js';
import type { KubeKind, KubeObject, Pod, Service } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { Trimmer } from '../../src/kube/intake/trim.js';
import type { Manifest } from '../support/fake-api.js';
import { RecordedLog, pod, service, slice } from '../support/kube.js';

const trimmer = new Trimmer(ALL_FIELDS, new RecordedLog());
const of = <T extends KubeObject>(manifest: Manifest): T => trimmer.trim(manifest.kind as KubeKind, manifest) as T;
const web = (spec: Record<string, unknown> = {}): Manifest =>
  service('web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec });

function form(svc: Manifest, ...pods: Manifest[]) {
  return formedSlices(
    of<Service>(svc),
    pods.map((one) => of<Pod>(one)),
    (node) => (node === 'node-1' ? 'zone-a' : undefined),
  );
}

describe('formedSlices', () => {
  it('makes one slice of ready pods', () => {
    const [made, ...rest] = form(web(), pod('b', '10.0.0.2'), pod('a', '10.0.0.1'));
    expect(rest).toEqual([]);
    expect(made).toMatchObject({
      kind: 'EndpointSlice',
      namespace: 'default',
      service: 'web',
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    });
    expect(made!.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(made!.endpoints).toEqual([
      {
        addresses: ['10.0.0.1'],
        ready: true,
        serving: true,
        terminating: false,
        hostname: undefined,
        target: 'a',
        node: 'node-1',
        zone: 'zone-a',
      },
      {
        addresses: ['10.0.0.2'],
        ready: true,
        serving: true,
        terminating: false,
        hostname: undefined,
        target: 'b',
        node: 'node-1',
        zone: 'zone-a',
      },
    ]);
  });

  it('names slices by letters of which each says more of what they are for', () => {
    const [{ name } = { name: '' }] = form(web(), pod('a', '10.0.0.1'));
    expect(new Set(name.slice(-5)).size).toBeGreaterThan(1);
  });

  it.each([
    { letters: 63, target: 'p'.repeat(63) },
    { letters: 64, target: undefined },
  ])('leaves a pod out of an endpoint whose name no label can hold: $letters letters', ({ letters, target }) =>
    expect(form(web(), pod('p'.repeat(letters), '10.0.0.1'))[0]!.endpoints[0]!.target).toBe(target),
  );

  const notReady = { status: { conditions: [] } };
  const leaving = { metadata: { deletionTimestamp: 'now' } };
  it.each([
    {
      name: 'not ready',
      svc: web(),
      pod: pod('p', '10.0.0.1', {}, notReady),
      want: { ready: false, serving: false, terminating: false },
    },
    {
      name: 'not ready, published all the same',
      svc: web({ publishNotReadyAddresses: true }),
      pod: pod('p', '10.0.0.1', {}, notReady),
      want: { ready: true, serving: false },
    },
    {
      name: 'terminating',
      svc: web(),
      pod: pod('p', '10.0.0.1', {}, leaving),
      want: { ready: false, serving: true, terminating: true },
    },
    {
      name: 'named within its service',
      svc: web(),
      pod: pod('p', '10.0.0.1', {}, { spec: { hostname: 'h', subdomain: 'web' } }),
      want: { hostname: 'h' },
    },
    {
      name: 'named within another service',
      svc: web(),
      pod: pod('p', '10.0.0.1', {}, { spec: { hostname: 'h', subdomain: 'db' } }),
      want: { hostname: undefined },
    },
    {
      name: 'on no node',
      svc: web(),
      pod: pod('p', '10.0.0.1', {}, { spec: { nodeName: undefined } }),
      want: { node: undefined, zone: undefined },
    },
  ])('describes a pod that is $name', ({ svc, pod: one, want }) => {
    expect(form(svc, one)[0]?.endpoints).toMatchObject([want]);
  });

  it.each([
    { name: 'has no address', pod: pod('p', undefined) },
    { name: 'has done its work', pod: pod('p', '10.0.0.1', {}, { status: { phase: 'Succeeded' } }) },
    { name: 'has failed', pod: pod('p', '10.0.0.1', {}, { status: { phase: 'Failed' } }) },
    { name: 'has an address of the other family only', pod: pod('p', 'fd00::1') },
  ])('leaves out a pod that $name', ({ pod: one }) => expect(form(web(), one)).toEqual([]));

  it('makes slices per family', () => {
    const dual = pod('p', '10.0.0.1', {}, { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } });
    expect(
      form(web({ ipFamilies: ['IPv6', 'IPv4'] }), dual).map(({ addressType, endpoints }) => [
        addressType,
        endpoints[0]?.addresses,
      ]),
    ).toEqual([
      ['IPv6', ['fd00::1']],
      ['IPv4', ['10.0.0.1']],
    ]);
  });

  it('follows the names of container ports, in slices of their own when they differ', () => {
    const port = (n: number) => ({ spec: { containers: [{ ports: [{ name: 'web', containerPort: n }] }] } });
    const made = form(
      web({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] }),
      pod('a', '10.0.0.1', {}, port(8080)),
      pod('b', '10.0.0.2', {}, port(9090)),
      pod('c', '10.0.0.3'),
    );
    expect(made.map(({ ports, endpoints }) => [ports.map((one) => one.port), endpoints[0]?.target])).toEqual([
      [[8080], 'a'],
      [[9090], 'b'],
      [[], 'c'],
    ]);
    expect(new Set(made.map(({ name }) => name)).size).toBe(3);
  });

  it('takes of ports of one name the one of the protocol', () => {
    const ports = [
      { name: 'dns', containerPort: 5353, protocol: 'UDP' },
      { name: 'dns', containerPort: 5354, protocol: 'TCP' },
    ];
    const made = form(
      web({ ports: [{ name: 'dns-tcp', port: 53, targetPort: 'dns', protocol: 'TCP' }] }),
      pod('a', '10.0.0.1', {}, { spec: { containers: [{ ports }] } }),
    );
    expect(made.map((one) => one.ports)).toEqual([[{ name: 'dns-tcp', port: 5354, protocol: 'TCP' }]]);
  });

  it.each([
    { count: 100, want: [100] },
    { count: 201, want: [100, 100, 1] },
  ])('puts at most 100 endpoints in a slice: $count in $want', ({ count, want }) => {
    const pods = Array.from({ length: count }, (_, i) => pod(`p${i}`, `10.0.${i >> 8}.${i & 255}`));
    expect(form(web(), ...pods).map(({ endpoints }) => endpoints.length)).toEqual(want);
  });
});

describe('EndpointController', () => {
  let store: KubeStore;
  beforeEach(() => {
    store = new KubeStore();
  });
  const apply = (...manifests: Manifest[]): void => manifests.forEach((manifest) => store.apply(of(manifest)));
  const addresses = (name = 'web'): string[] =>
    store.slicesOf('default', name).flatMap(({ endpoints }) => endpoints.flatMap((one) => one.addresses));
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('starts with what is there', () => {
    apply(web(), pod('a', '10.0.0.1', { app: 'web' }), pod('x', '10.0.0.9', { app: 'other' }));
    new EndpointController(store);
    expect(addresses()).toEqual(['10.0.0.1']);
  });

  it('follows pods and services', async () => {
    new EndpointController(store);
    apply(pod('a', '10.0.0.1', { app: 'web' }), web());
    await settled();
    expect(addresses()).toEqual(['10.0.0.1']);
    apply(pod('b', '10.0.0.2', { app: 'web' }));
    await settled();
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2']);
    apply(pod('a', '10.0.0.1', { app: 'other' }));
    await settled();
    expect(addresses()).toEqual(['10.0.0.2']);
    apply(web({ selector: { app: 'other' } }));
    await settled();
    expect(addresses()).toEqual(['10.0.0.1']);
    store.delete('Pod', 'default', 'a');
    await settled();
    expect(store.count('EndpointSlice')).toBe(0);
    apply(web());
    await settled();
    expect(addresses()).toEqual(['10.0.0.2']);
    store.delete('Service', 'default', 'web');
    expect(store.count('EndpointSlice')).toBe(0);
  });

  it('takes all labels of a selector together', async () => {
    new EndpointController(store);
    apply(
      web({ selector: { app: 'web', tier: 'front' } }),
      pod('a', '10.0.0.1', { app: 'web' }),
      pod('b', '10.0.0.2', { tier: 'front', app: 'web' }),
    );
    await settled();
    expect(addresses()).toEqual(['10.0.0.2']);
  });

  it('works off many changes of one turn together', async () => {
    new EndpointController(store);
    apply(web());
    await settled();
    let told = 0;
    store.serviceChanges.subscribe(() => told++);
    for (let i = 0; i < 50; i++) apply(pod(`p${i}`, `10.0.0.${i}`, { app: 'web' }));
    await settled();
    expect(told).toBe(1);
    expect(addresses()).toHaveLength(50);
  });

  it.each([
    { name: 'without a selector', svc: service('web') },
    { name: 'of type ExternalName', svc: web({ type: 'ExternalName', externalName: 'x.org' }) },
  ])('leaves a service $name alone', async ({ svc }) => {
    new EndpointController(store);
    apply(svc, pod('a', '10.0.0.1', { app: 'web' }), slice('web', ['192.0.2.1']));
    await settled();
    expect(addresses()).toEqual(['192.0.2.1']);
  });

  it('steps back while somebody else keeps slices of a service', async () => {
    new EndpointController(store);
    apply(web(), pod('a', '10.0.0.1', { app: 'web' }));
    await settled();
    apply(slice('web', ['192.0.2.1']));
    await settled();
    expect(addresses()).toEqual(['192.0.2.1']);
    store.delete('EndpointSlice', 'default', 'web-a');
    await settled();
    expect(addresses()).toEqual(['10.0.0.1']);
  });

  it('keeps nothing of slices that are gone: their names may be of others', async () => {
    new EndpointController(store);
    apply(web(), pod('a', '10.0.0.1', { app: 'web' }));
    await settled();
    const [own] = store.slicesOf('default', 'web');
    store.delete('Pod', 'default', 'a');
    await settled();
    expect(store.count('EndpointSlice')).toBe(0);
    const foreign = slice('web', ['192.0.2.1']);
    apply({ ...foreign, metadata: { ...foreign.metadata, name: own!.name } });
    await settled();
    expect(addresses()).toEqual(['192.0.2.1']);
  });

  it('learns the zone of a node that comes later', async () => {
    new EndpointController(store);
    apply(web(), pod('a', '10.0.0.1', { app: 'web' }));
    await settled();
    apply({ kind: 'Node', metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'z1' } } });
    await settled();
    expect(store.slicesOf('default', 'web')[0]?.endpoints[0]?.zone).toBe('z1');
  });

  it('stops', async () => {
    const controller = new EndpointController(store);
    apply(web());
    controller.stop();
    apply(pod('a', '10.0.0.1', { app: 'web' }));
    await settled();
    expect(store.count('EndpointSlice')).toBe(0);
  });
});
