import { describe, expect, it } from 'vitest';
import { Intake } from '../../src/kube/intake/intake.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import type { RawObject } from '../../src/kube/objects/raw.js';
import { objectAt } from '../../src/kube/objects/raw.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { ClusterApi } from '../../src/lab/cluster/cluster-api.js';
import { namespaceObject } from '../../src/lab/cluster/node-objects.js';
import { resourceOf } from '../../src/lab/cluster/resources.js';
import { ManualClock } from '../../src/lib/clock.js';

const QUIET = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };

/** An API with the namespaces default and shop, whose draws are these numbers in turn, of 256. */
function api(draws: readonly number[] = [4, 0], serviceCidr = '10.96.0.0/16') {
  const store = new KubeStore();
  const clock = new ManualClock(0);
  let drawn = 0;
  const made = new ClusterApi({
    store,
    intake: new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: QUIET }),
    clock,
    random: { uint32: () => (draws[drawn++ % draws.length]! / 256) * 2 ** 32 },
    serviceCidr,
    servicePins: [{ namespace: 'shop', name: 'pinned', clusterIP: '10.96.0.1' }],
  });
  const told: string[] = [];
  for (const name of ['default', 'shop']) made.put(namespaceObject(name, 0));
  made.changes.subscribe((kind) => told.push(kind));
  const apply = (kind: string, name: string, more: RawObject = {}, dryRun = false) => {
    const { metadata, ...rest } = more;
    const apiVersion = resourceOf(kind)?.apiVersion;
    return made.apply(
      { kind, place: 'a.yaml:1:1', raw: { apiVersion, kind, metadata: { name, ...(metadata as object) }, ...rest } },
      dryRun,
    );
  };
  const service = (name: string, spec: RawObject, metadata: RawObject = {}): unknown =>
    objectAt(apply('Service', name, { metadata, spec: { ports: [{ port: 80 }], ...spec } }).object.raw, 'spec')[
      'clusterIP'
    ];
  return { api: made, store, clock, told, apply, service };
}

describe('what is applied', () => {
  it('is created, configured, or unchanged, at the time of its creation', () => {
    const { api: own, apply, clock, told } = api();
    expect(apply('ConfigMap', 'a', { data: { x: '1' } }).applied).toBe('created');
    clock.advance(1000);
    const served = { resourceVersion: '7', uid: 'u', generation: 1, creationTimestamp: 't', managedFields: [] };
    expect(apply('ConfigMap', 'a', { data: { x: '1' }, metadata: served, status: {} }).applied).toBe('unchanged');
    expect(apply('ConfigMap', 'a', { data: { x: '2' } })).toMatchObject({
      applied: 'configured',
      object: { created: 0 },
    });
    expect(own.get('ConfigMap', 'default', 'a')!.raw['data']).toEqual({ x: '2' });
    expect(told).toEqual(['ConfigMap', 'ConfigMap']);
  });

  it('is not kept where it is checked alone', () => {
    const { api: own, apply, told } = api();
    expect(apply('ConfigMap', 'a', {}, true).applied).toBe('created');
    expect([own.get('ConfigMap', 'default', 'a'), told]).toEqual([undefined, []]);
  });

  it('counts versions, each above the one before', () => {
    const { api: own, apply } = api();
    const { object } = apply('ConfigMap', 'a');
    const first = own.versionOf(object);
    apply('ConfigMap', 'b');
    expect(own.versionOf(object)).toBe(first);
    apply('ConfigMap', 'a', { data: { x: '1' } });
    expect(own.versionOf(object)).toBe(first + 2);
    own.delete('ConfigMap', 'default', 'b');
    // Of what is not there: that of the newest change.
    expect(own.versionOf({ kind: 'ConfigMap', namespace: 'default', name: 'b' })).toBe(first + 2);
  });

  it('is listed by namespace, then by name', () => {
    const { api: own, apply } = api();
    for (const [name, namespace] of [
      ['b', 'shop'],
      ['a', 'shop'],
      ['z', 'default'],
      ['c', 'shop'],
    ] as const)
      apply('ConfigMap', name, { metadata: { namespace } });
    const names = (namespace?: string): string[] => own.list('ConfigMap', namespace).map(({ name }) => name);
    expect([names(), names('shop'), names('nowhere')]).toEqual([['z', 'a', 'b', 'c'], ['a', 'b', 'c'], []]);
  });

  it('is gone once it is deleted, from the store too', () => {
    const { api: own, service, store, told } = api();
    service('web', { clusterIP: '10.96.0.9' });
    expect(store.service('default', 'web')).toBeDefined();
    expect([own.delete('Service', 'default', 'web'), own.delete('Service', 'default', 'web')]).toEqual([true, false]);
    expect([store.service('default', 'web'), own.list('Service'), told.length]).toEqual([undefined, [], 3]);
  });

  it.each([
    { name: 'of no kind that there is', kind: 'Job', error: 'no matches for kind "Job" in version ""' },
    {
      name: 'with a name that is none',
      of: 'a-',
      error: `metadata.name: got "a-", allowed: lower-case letters, digits, '-' and '.'`,
    },
    {
      name: 'with what a template leaves open',
      more: { x: '__PILLAR__DNS__SERVER__' },
      error: '__PILLAR__DNS__SERVER__ is not filled in',
    },
  ])('is refused $name', ({ kind = 'ServiceAccount', of = 'a', more = {}, error }) => {
    const { apply } = api();
    expect(() => apply(kind, of, more)).toThrow(expect.objectContaining({ message: `a.yaml:1:1: ${error}` }));
  });

  it('may leave open in a ConfigMap what node-cache fills in', () => {
    expect(api().apply('ConfigMap', 'a', { data: { Corefile: 'bind __PILLAR__LOCAL__DNS__' } }).applied).toBe(
      'created',
    );
  });

  it('stays as it was where the model refuses what is to follow it', () => {
    const { api: own, service, store } = api();
    const end = store.changes.subscribe((change) => {
      if (change.kind === 'Service' && change.new?.ports[0]?.port === 81) throw new Error('no port 81');
    });
    service('web', { clusterIP: '10.96.0.9' });
    expect(() => service('web', { clusterIP: '10.96.0.9', ports: [{ port: 81 }] })).toThrow('no port 81');
    expect(() => service('new', { ports: [{ port: 81 }] })).toThrow('no port 81');
    end();
    expect(store.service('default', 'web')!.ports[0]!.port).toBe(80);
    expect([store.service('default', 'new'), own.get('Service', 'default', 'new')]).toEqual([undefined, undefined]);
  });
});

describe('the address of a service', () => {
  it.each([
    { name: 'is drawn from the range', draws: [5, 7], want: '10.96.7.5' },
    { name: 'is none that is pinned for another, but the next', draws: [1, 0], want: '10.96.0.2' },
    { name: 'is none that another has, but the next', draws: [9, 0], want: '10.96.0.10' },
    { name: 'is none outside a small range', draws: [9, 1], cidr: '10.96.0.0/24', want: '10.96.0.2' },
    { name: 'ends in 254 at most', draws: [254, 255], want: '10.96.255.254' },
    { name: 'begins anew behind the end of the range', draws: [254, 255], cidr: '10.96.0.0/23', want: '10.96.0.2' },
    { name: 'is looked for in the whole range', draws: [10, 0], cidr: '10.96.0.9/31', want: '10.96.0.8' },
    { name: 'is the pinned one', of: 'pinned', namespace: 'shop', want: '10.96.0.1' },
    { name: 'is no pinned one of another namespace', of: 'pinned', draws: [4, 0], want: '10.96.0.4' },
    { name: 'is the given one', spec: { clusterIP: '10.96.3.3' }, want: '10.96.3.3' },
    { name: 'is none where none is wanted', spec: { clusterIP: 'None' }, want: 'None' },
    { name: 'is none for a name elsewhere', spec: { type: 'ExternalName', externalName: 'a.test' }, want: undefined },
  ])('$name', ({ draws, cidr, of = 'web', namespace = 'default', spec = {}, want }) => {
    // 1 of 254 is drawn, then 1 of 256.
    const own = api(
      draws?.map((one, i) => (i % 2 === 0 ? ((one - 0.5) * 256) / 254 : one)),
      cidr,
    );
    own.service('holder', { clusterIP: '10.96.0.9' });
    expect(own.service(of, spec, { namespace })).toBe(want);
  });

  it('is none where all of the range are taken', () => {
    const { service } = api([1, 0], '10.96.0.0/30');
    expect([service('a', {}), service('b', {})]).toEqual(['10.96.0.2', '10.96.0.3']);
    expect(() => service('c', {})).toThrow('failed to allocate a serviceIP: range is full (10.96.0.0/30)');
  });

  it('is kept, and cannot be another', () => {
    const { service } = api([2, 0, 3, 0]);
    const first = service('web', {});
    expect(service('web', { ports: [{ port: 81 }] })).toBe(first);
    expect(service('web', { clusterIP: first })).toBe(first);
    expect(() => service('web', { clusterIP: '10.96.0.77' })).toThrow(
      `spec.clusterIP: Invalid value: "10.96.0.77": field is immutable (it is ${String(first)})`,
    );
    expect(service('later', { clusterIP: 'None' })).toBe('None');
  });

  it.each([
    {
      name: 'outside the range',
      clusterIP: '10.97.0.1',
      error: 'got "10.97.0.1", allowed: an address of 10.96.0.0/16',
    },
    { name: 'that is none', clusterIP: 'x', error: 'got "x", allowed: an address of 10.96.0.0/16' },
    { name: 'of another service', clusterIP: '10.96.0.9', error: '10.96.0.9 belongs to default/holder' },
  ])('cannot be one $name', ({ clusterIP, error }) => {
    const { service } = api();
    service('holder', { clusterIP: '10.96.0.9' });
    for (const [name, namespace] of [
      ['web', 'default'],
      ['holder', 'shop'],
    ] as const)
      expect(() => service(name, { clusterIP }, { namespace })).toThrow(`spec.clusterIP: ${error}`);
  });
});

describe('an API that is away', () => {
  it('tells so once, and takes no events', () => {
    const { api: own } = api();
    const told: string[] = [];
    own.reach.subscribe((what) => told.push(what));
    const about = { kind: 'Pod', namespace: 'default', name: 'a', created: 0 };
    const tell = (reason: string): void => own.tell({ about, reason, message: '', source: { component: 'x' } });
    for (const away of [false, true, true, false]) {
      own.away = away;
      tell(away ? 'lost' : 'heard');
    }
    expect(told).toEqual(['away', 'back']);
    expect(own.events.list().map(({ reason, count }) => [reason, count])).toEqual([['heard', 2]]);
  });
});

describe('a pod that runs', () => {
  const running = () => {
    const own = api();
    const metadata = { labels: { app: 'a' } };
    own.apply('Pod', 'a', { metadata, spec: { containers: [] } });
    const pod = own.api.get('Pod', 'default', 'a')!;
    const raw = {
      ...pod.raw,
      metadata: { ...objectAt(pod.raw, 'metadata'), ownerReferences: [{ kind: 'DaemonSet', name: 'd' }] },
    };
    own.api.put({ ...pod, raw: { ...raw, spec: { containers: [], nodeName: 'n' }, status: { phase: 'Running' } } });
    return { ...own, metadata };
  };

  it.each([
    { name: 'without its node', spec: { containers: [] } },
    { name: 'with its node', spec: { containers: [], nodeName: 'n' } },
  ])('keeps its node, its status and its owner when it is applied $name', ({ spec }) => {
    const { apply, metadata } = running();
    expect(apply('Pod', 'a', { metadata: { ...metadata, annotations: { x: '1' } }, spec }).object.raw).toMatchObject({
      metadata: { annotations: { x: '1' }, ownerReferences: [{ name: 'd' }] },
      spec: { nodeName: 'n' },
      status: { phase: 'Running' },
    });
  });

  it.each([
    {
      name: 'another spec',
      more: { spec: { containers: [], hostNetwork: true } },
      error: 'spec: Forbidden: pod updates',
    },
    { name: 'another node', more: { spec: { containers: [], nodeName: 'm' } }, error: 'spec: Forbidden: pod updates' },
    {
      name: 'other labels',
      more: { metadata: { labels: { app: 'b' } } },
      error: 'metadata.labels: the labels of a pod',
    },
  ])('takes no $name', ({ more, error }) => {
    const { apply, metadata } = running();
    expect(() => apply('Pod', 'a', { metadata, spec: { containers: [] }, ...more })).toThrow(`a.yaml:1:1: ${error}`);
  });
});
