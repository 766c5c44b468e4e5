import { describe, expect, it } from 'vitest';
import { Intake } from '../../src/kube/intake/intake.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import type { RawObject } from '../../src/kube/objects/raw.js';
import { objectAt } from '../../src/kube/objects/raw.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { admitted } from '../../src/lab/cluster/admission.js';
import { changed } from '../../src/lab/cluster/agents.js';
import type { ApiObject } from '../../src/lab/cluster/cluster-api.js';
import { changedNode, nodeObject } from '../../src/lab/cluster/node-objects.js';
import { PodIndex } from '../../src/lab/cluster/pod-index.js';
import { resourceByWord } from '../../src/lab/cluster/resources.js';
import { followServices } from '../../src/lab/cluster/service-sync.js';
import { runWorldTimers } from '../../src/lab/cluster/world-timers.js';
import { ManualClock } from '../../src/lib/clock.js';
import { lab as datapath } from '../datapath/lab.js';

const QUIET = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };

describe('an object as it is kept', () => {
  it.each([
    { name: 'leaves out null', raw: { a: null, b: 1 }, want: { b: 1 } },
    {
      name: 'leaves out empty resources, and no other empty object',
      raw: { resources: {}, emptyDir: {} },
      want: { emptyDir: {} },
    },
    {
      name: 'keeps what is said of resources',
      raw: { strategy: { type: 'Recreate' } },
      want: { strategy: { type: 'Recreate' } },
    },
    {
      name: 'gives ports of containers their protocol',
      raw: { ports: [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }] },
      want: {
        ports: [
          { protocol: 'TCP', containerPort: 53 },
          { containerPort: 53, protocol: 'UDP' },
        ],
      },
    },
    {
      name: 'leaves other ports alone',
      raw: { ports: [{ port: 53 }], x: [{ containerPort: 1 }] },
      want: { ports: [{ port: 53 }], x: [{ containerPort: 1 }] },
    },
  ])('$name', ({ raw, want }) => expect(admitted(raw)).toEqual(want));
});

it('settings that changed are the new ones, and those that are gone', () => {
  const settings = { mtu: 1500, masqueradeDevices: ['eth0'], kubeProxy: true } as const;
  expect(changed(settings, { mtu: 1400, masqueradeDevices: ['eth0'] })).toEqual({ mtu: 1400, kubeProxy: undefined });
});

describe('a node as clients change it', () => {
  const { world } = datapath();
  const node = nodeObject(world.node('k8s-ctr'), 0);
  const metadata = { labels: { a: '1' }, annotations: { b: '2' } };

  it.each([
    {
      name: 'has their labels and annotations',
      wanted: { metadata },
      want: { metadata: { name: 'k8s-ctr', ...metadata }, spec: {} },
    },
    { name: 'loses what they leave out', wanted: {}, want: { metadata: { name: 'k8s-ctr' }, spec: {} } },
    {
      name: 'is closed',
      wanted: { spec: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable' }] } },
      want: { spec: { unschedulable: true } },
    },
    { name: 'is opened', wanted: { spec: { unschedulable: false } }, want: { spec: {} } },
  ])('$name', ({ wanted, want }) => {
    const before = { ...node, raw: { ...node.raw, spec: { unschedulable: true } } };
    const { raw } = changedNode(before, wanted);
    expect({ metadata: raw['metadata'], spec: raw['spec'] }).toMatchObject(want);
    expect(raw['spec']).toEqual(want.spec);
    if (want.metadata) expect(raw['metadata']).toEqual(want.metadata);
    expect(raw['status']).toEqual({
      addresses: [
        { type: 'InternalIP', address: '192.168.10.100' },
        { type: 'Hostname', address: 'k8s-ctr' },
      ],
    });
  });

  it('takes no taint', () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable' }, { key: 'mine' }];
    expect(() => changedNode(node, { spec: { taints } })).toThrow('spec.taints: got "mine", allowed: none');
  });

  it.each([
    { name: 'k8s-ctr', role: '' },
    { name: 'k8s-w1', role: undefined },
  ])('$name says what it is', ({ name, role }) =>
    expect(
      objectAt(objectAt(nodeObject(world.node(name), 0).raw, 'metadata'), 'labels')[
        'node-role.kubernetes.io/control-plane'
      ],
    ).toBe(role),
  );
});

describe('the index of pods', () => {
  const pod = (name: string, node: string | undefined, owner?: string): ApiObject => ({
    kind: 'Pod',
    namespace: 'default',
    name,
    created: 0,
    raw: {
      metadata: owner === undefined ? {} : { ownerReferences: [{ kind: 'Deployment', name: owner }] },
      spec: node === undefined ? {} : { nodeName: node },
    },
  });
  const web = { kind: 'Deployment', namespace: 'default', name: 'web' };

  it('counts pods by node, those of a workload by themselves', () => {
    const index = new PodIndex();
    const counts = () => [
      Object.fromEntries(index.perNode()),
      Object.fromEntries(index.perNode(web)),
      [...index.of(web)].length,
    ];
    const old = pod('a', undefined, 'web');
    index.put(old, undefined);
    expect(counts()).toEqual([{}, {}, 1]);
    index.put(pod('a', 'n', 'web'), old);
    index.put(pod('b', 'n', 'web'), undefined);
    index.put(pod('c', 'm'), undefined);
    index.put(pod('d', 'n', 'other'), undefined);
    expect(counts()).toEqual([{ n: 3, m: 1 }, { n: 2 }, 2]);
    index.delete(pod('b', 'n', 'web'));
    index.delete(pod('c', 'm'));
    expect(counts()).toEqual([{ n: 2, m: 0 }, { n: 1 }, 1]);
    expect(index.perNode({ ...web, name: 'none' })).toEqual(new Map());
  });
});

it.each([
  { word: 'po', kind: 'Pod' },
  { word: 'Deployments.apps', kind: 'Deployment' },
  { word: 'daemonset', kind: 'DaemonSet' },
  { word: 'ciliumn', kind: 'CiliumNode' },
  { word: 'crds', kind: 'CustomResourceDefinition' },
  { word: 'jobs', kind: undefined },
])('$word is the resource $kind', ({ word, kind }) => expect(resourceByWord(word)?.kind).toBe(kind));

describe('the tables of services', () => {
  const SLICE = {
    kind: 'EndpointSlice',
    namespace: 'shop',
    name: 'web-1',
    service: 'web',
    imported: undefined,
  } as const;
  const endpoint = (ip: string, more: object = {}) => ({
    addresses: [ip],
    ready: true,
    serving: true,
    terminating: false,
    hostname: undefined,
    target: undefined,
    node: undefined,
    zone: undefined,
    ...more,
  });

  /** A service of the store with one slice, as the datapath has it. */
  function tables(pin?: number) {
    const { world } = datapath();
    const store = new KubeStore();
    const intake = new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: QUIET });
    const end = followServices(
      store,
      world,
      pin === undefined ? [] : [{ namespace: 'shop', name: 'web', clusterIP: '', firstId: pin }],
    );
    const service = (spec: RawObject): void => {
      const taken = intake.take('Service', { metadata: { namespace: 'shop', name: 'web' }, spec });
      if (typeof taken === 'object') store.apply(taken.object);
    };
    const slice = (endpoints: readonly ReturnType<typeof endpoint>[], more: object = {}): void =>
      void store.apply({
        ...SLICE,
        addressType: 'IPv4',
        endpoints,
        ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }],
        ...more,
      });
    const shown = () =>
      world.services
        .frontendsOf('shop', 'web')
        .map(({ id, type, port, backends }) => [
          id,
          type,
          port,
          ...backends.map(({ ip, port: at, state, node }) => `${ip}:${at} ${state} ${node}`),
        ]);
    return { world, store, service, slice, shown, end };
  }
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30_053 },
    { name: 'web', port: 80 },
    { name: 'other', port: 90, protocol: 'SCTP' },
  ];

  it('have a frontend for each port of UDP and TCP, and the backends of its name', () => {
    const { world, service, slice, shown } = tables(40);
    service({ clusterIP: '10.96.0.9', type: 'NodePort', ports });
    slice([endpoint('10.0.0.1', { node: 'k8s-w1', addresses: ['10.0.0.1', '10.0.0.9'] })]);
    const at = ['10.0.0.1:5353 active k8s-w1'];
    expect(shown()).toEqual([
      [40, 'ClusterIP', 53, ...at],
      [41, 'ClusterIP', 80],
    ]);
    expect(world.services.lookupNodePort(30_053, 'UDP')).toMatchObject({ owner: 'shop/web', portName: 'dns' });
  });

  it.each([
    { name: 'one that is ready', more: {}, want: ['10.0.0.1:5353 active undefined'] },
    { name: 'one that is not', more: { ready: false }, want: [] },
    {
      name: 'one that ends and serves',
      more: { ready: false, terminating: true },
      want: ['10.0.0.1:5353 terminating undefined'],
    },
    { name: 'one that ends and does not serve', more: { ready: false, terminating: true, serving: false }, want: [] },
    { name: 'none of all ports', slice: { ports: [{ name: 'dns', port: undefined, protocol: 'UDP' }] }, want: [] },
    { name: 'none of SCTP', slice: { ports: [{ name: 'dns', port: 5353, protocol: 'SCTP' }] }, want: [] },
    { name: 'none of names', slice: { addressType: 'FQDN' }, want: [] },
  ])('have of endpoints $name', ({ more, slice: of, want }) => {
    const { service, slice, shown } = tables();
    service({ clusterIP: '10.96.0.9', ports: ports.slice(0, 1).map(({ nodePort: _none, ...port }) => port) });
    slice([endpoint('10.0.0.1', more)], of);
    expect(shown()[0]!.slice(3)).toEqual(want);
  });

  it('lose what is deleted, and what is a name alone', () => {
    const { store, service, slice, shown, end } = tables();
    slice([endpoint('10.0.0.1')]);
    service({ clusterIP: '10.96.0.9', ports });
    expect(shown()[0]).toHaveLength(4);
    store.delete('EndpointSlice', 'shop', 'web-1');
    expect(shown()[0]).toHaveLength(3);
    service({ clusterIP: 'None', ports });
    expect(shown()).toEqual([]);
    service({ clusterIP: '10.96.0.9', ports });
    expect(shown()).not.toEqual([]);
    store.delete('Service', 'shop', 'web');
    expect(shown()).toEqual([]);
    end();
    service({ clusterIP: '10.96.0.9', ports });
    expect(shown()).toEqual([]);
  });
});

describe('the timers of the model', () => {
  it('run when they are due, the earlier of two first, and not after the end', () => {
    const clock = new ManualClock(0);
    const ran: number[] = [];
    let due: number[] = [];
    let earlier = (): void => undefined;
    const add = (at: number): void => {
      due = [...due, at].sort((a, b) => a - b);
      if (due[0] === at) earlier();
    };
    const world = {
      get nextTimer(): number | undefined {
        return due[0];
      },
      runTimers: () => {
        ran.push(clock.now());
        due = due.filter((at) => at > clock.now());
      },
      onEarlierTimer: (fn: () => void) => void (earlier = fn),
    };
    const timer = runWorldTimers(world as unknown as Parameters<typeof runWorldTimers>[0], clock);
    expect(clock.pending).toBe(0);
    add(500);
    add(200);
    expect(clock.pending).toBe(1);
    clock.advance(1000);
    expect([ran, clock.pending]).toEqual([[200, 500], 0]);
    // What was due before runs at once.
    add(900);
    clock.advance(0);
    expect(ran).toEqual([200, 500, 1000]);
    add(2000);
    timer.cancel();
    expect(clock.pending).toBe(0);
    add(1500);
    clock.advance(5000);
    expect(ran).toHaveLength(3);
  });
});
