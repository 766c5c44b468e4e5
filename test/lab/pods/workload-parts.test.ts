import { describe, expect, it } from 'vitest';
import { Intake } from '../../../src/kube/intake/intake.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { isAgents, isDns } from '../../../src/lab/cluster/agents.js';
import type { Happening } from '../../../src/lab/cluster/event-log.js';
import type { ApiObject } from '../../../src/lab/cluster/cluster-api.js';
import { Generations, replicasOf } from '../../../src/lab/pods/generations.js';
import { programOf } from '../../../src/lab/pods/images.js';
import { PodPins } from '../../../src/lab/pods/pins.js';
import type { ProgramEnv } from '../../../src/lab/pods/program.js';
import { environmentOf } from '../../../src/lab/pods/service-env.js';
import { WorkloadEvents } from '../../../src/lab/pods/workload-events.js';

const WEB = { kind: 'Deployment', namespace: 'default', name: 'web' };
const object = (kind: string, raw: object = {}, name = 'web', namespace = 'default'): ApiObject => ({
  kind,
  namespace,
  name,
  created: 0,
  raw: raw as ApiObject['raw'],
});

describe('the generations of a workload', () => {
  it('count up; one that comes back keeps its size and its time', () => {
    const generations = new Generations();
    generations.begin(WEB, 'a', 'A', 10);
    generations.resize(WEB, [3]);
    generations.begin(WEB, 'b', 'B', 20);
    generations.resize(WEB, [2, 1]);
    generations.begin(WEB, 'a', 'A', 30);
    expect(generations.of(WEB)).toEqual([
      { template: 'B', hash: 'b', revision: 2, created: 20, size: 1 },
      { template: 'A', hash: 'a', revision: 3, created: 10, size: 2 },
    ]);
    expect(generations.of({ ...WEB, name: 'other' })).toEqual([]);
  });

  it('are kept, few as they are, when they have no pods', () => {
    const generations = new Generations();
    for (const hash of ['a', 'b', 'c']) generations.begin(WEB, hash, hash, 1);
    expect(generations.of(WEB).map(({ hash, size }) => `${hash} ${size}`)).toEqual(['a 0', 'b 0', 'c 0']);
  });

  it('are kept ten beside the newest, and more while they have pods', () => {
    const generations = new Generations();
    for (let i = 0; i <= 10; i++) generations.begin(WEB, `g${i}`, i, i);
    const hashes = (): string[] => generations.of(WEB).map(({ hash }) => hash);
    expect(hashes()).toHaveLength(11);
    generations.resize(
      WEB,
      hashes().map((_, i) => (i === 0 ? 1 : 0)),
    );
    generations.begin(WEB, 'g11', 11, 11);
    expect(hashes()).toEqual(['g0', ...Array.from({ length: 10 }, (_, i) => `g${i + 2}`)]);
  });

  it('of one that is gone have no pods', () => {
    const generations = new Generations();
    for (const workload of [WEB, { ...WEB, name: 'stays' }]) {
      generations.begin(workload, 'a', 'A', 1);
      generations.resize(workload, [2]);
    }
    generations.emptyBut(new Set(['Deployment/default/stays']));
    expect([WEB, { ...WEB, name: 'stays' }].map((one) => generations.of(one)[0]!.size)).toEqual([0, 2]);
  });

  it.each([
    { replicas: 3, want: 3 },
    { replicas: 0, want: 0 },
    { replicas: undefined, want: 1 },
    { replicas: -1, want: 1 },
    { replicas: 1.5, want: 1 },
    { replicas: '2', want: 1 },
  ])('have $want pods where $replicas are asked for', ({ replicas, want }) =>
    expect(replicasOf(object('Deployment', { spec: { replicas } }))).toBe(want),
  );
});

describe('what a topology says of pods', () => {
  const PINS = [
    { namespace: 'default', name: 'web-1', of: 'deployment/web', node: 'a' },
    { namespace: 'default', name: 'web-2', of: 'deployment/web', node: 'b' },
    { namespace: 'shop', name: 'web-3', of: 'deployment/web' },
    { namespace: 'default', name: 'web', ip: '10.0.0.1' },
  ];
  const taken = (node?: string, namespace = 'default'): (string | undefined)[] => {
    const pins = new PodPins(PINS);
    return [1, 2, 3].map(() => pins.take({ ...WEB, namespace }, node)?.name);
  };

  it.each([
    { name: 'is used in its order, once', want: ['web-1', 'web-2', undefined] },
    { name: 'is used on its node', node: 'b', want: ['web-2', undefined, undefined] },
    {
      name: 'is used on any node where it names none',
      node: 'b',
      namespace: 'shop',
      want: ['web-3', undefined, undefined],
    },
  ])('$name', ({ node, namespace, want }) => expect(taken(node, namespace)).toEqual(want));

  it('is of a pod by itself where it names no workload', () => {
    const pins = new PodPins(PINS);
    const own = (name: string, namespace = 'default') => pins.takeOwn({ kind: 'Pod', namespace, name })?.ip;
    expect([own('web', 'shop'), own('web-1'), own('web'), own('web')]).toEqual([
      undefined,
      undefined,
      '10.0.0.1',
      undefined,
    ]);
  });
});

describe('the variables of a container', () => {
  const store = new KubeStore();
  const quiet = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
  const intake = new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: quiet });
  const serve = (namespace: string, name: string, clusterIP: string, ports: readonly object[]): void => {
    const taken = intake.take('Service', { metadata: { namespace, name }, spec: { clusterIP, ports } });
    if (typeof taken === 'object') store.apply(taken.object);
  };
  serve('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443 }]);
  serve('default', 'other', '10.96.0.2', [{ port: 1 }]);
  serve('shop', 'my-web', '10.96.0.3', [{ port: 80 }, { name: 'dns-x', port: 53, protocol: 'UDP' }]);
  serve('shop', 'names', 'None', [{ port: 80 }]);
  const envOf = (namespace: string, env: readonly object[] = []) =>
    environmentOf(
      store,
      namespace,
      { spec: { containers: [{ env }, { env: [{ name: 'SECOND', value: 'x' }] }] } },
      'n1',
    );

  it('are where the services of its namespace are, and the API', () => {
    const { MY_WEB_SERVICE_HOST, KUBERNETES_SERVICE_HOST, ...rest } = envOf('shop');
    expect([MY_WEB_SERVICE_HOST, KUBERNETES_SERVICE_HOST]).toEqual(['10.96.0.3', '10.96.0.1']);
    expect(rest).toEqual({
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      KUBERNETES_PORT: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
      KUBERNETES_PORT_443_TCP_PORT: '443',
      KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
      MY_WEB_SERVICE_PORT: '80',
      MY_WEB_PORT: 'tcp://10.96.0.3:80',
      MY_WEB_PORT_80_TCP: 'tcp://10.96.0.3:80',
      MY_WEB_PORT_80_TCP_PROTO: 'tcp',
      MY_WEB_PORT_80_TCP_PORT: '80',
      MY_WEB_PORT_80_TCP_ADDR: '10.96.0.3',
      MY_WEB_SERVICE_PORT_DNS_X: '53',
      MY_WEB_PORT_53_UDP: 'udp://10.96.0.3:53',
      MY_WEB_PORT_53_UDP_PROTO: 'udp',
      MY_WEB_PORT_53_UDP_PORT: '53',
      MY_WEB_PORT_53_UDP_ADDR: '10.96.0.3',
    });
  });

  it('are those of its own namespace once', () => {
    expect(envOf('default')).toMatchObject({ OTHER_SERVICE_HOST: '10.96.0.2', KUBERNETES_PORT: 'tcp://10.96.0.1:443' });
    expect(envOf('empty')).not.toHaveProperty('OTHER_SERVICE_HOST');
  });

  it('are what its manifest says, before those', () => {
    const own = [
      { name: 'KUBERNETES_PORT', value: 'mine' },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ];
    const env = envOf('default', own);
    expect([env['KUBERNETES_PORT'], env['NODE'], env['POD'], env['SECOND']]).toEqual([
      'mine',
      'n1',
      undefined,
      undefined,
    ]);
  });
});

it('the agents are the DaemonSet cilium of kube-system, and no other', () => {
  const all = [
    object('DaemonSet', {}, 'cilium', 'kube-system'),
    object('Deployment', {}, 'cilium', 'kube-system'),
    object('DaemonSet', {}, 'cilium'),
    object('DaemonSet', {}, 'other', 'kube-system'),
  ];
  expect(all.map(isAgents)).toEqual([true, false, false, false]);
  expect(
    [{ 'k8s-app': 'kube-dns' }, { 'k8s-app': 'x' }, undefined].map((labels) => isDns({ spec: { labels } } as never)),
  ).toEqual([true, false, false]);
});

it('controllers tell what they made, of what size, and what failed', () => {
  const told: string[] = [];
  const events = new WorkloadEvents({
    tell: ({ about, warning, reason, message, source }: Happening) =>
      told.push(`${warning ? 'Warning ' : ''}${about.kind}/${about.name} ${reason} ${source.component}: ${message}`),
  } as never);
  const generation = { template: {}, hash: 'abc', revision: 1, created: 0, size: 2 };
  const [deployment, set] = [object('Deployment'), object('DaemonSet')];
  events.pod(deployment, generation, 'web-abc-1', 'created');
  events.pod(set, generation, 'web-2', 'deleted');
  for (const size of [1, 2, 3]) events.scaled(deployment, generation, size);
  for (const workload of [deployment, set]) events.failed(workload, 'no');
  expect(told).toEqual([
    'ReplicaSet/web-abc SuccessfulCreate replicaset-controller: Created pod: web-abc-1',
    'DaemonSet/web SuccessfulDelete daemonset-controller: Deleted pod: web-2',
    'Deployment/web ScalingReplicaSet deployment-controller: Scaled down replica set web-abc from 2 to 1',
    'Deployment/web ScalingReplicaSet deployment-controller: Scaled up replica set web-abc from 2 to 3',
    'Warning Deployment/web FailedCreate replicaset-controller: no',
    'Warning DaemonSet/web FailedCreate daemonset-controller: no',
  ]);
});

describe('the Corefile of a DNS server in a pod', () => {
  it.each([
    { args: [], want: '/Corefile' },
    { args: ['-conf', '/etc/coredns/Corefile'], want: '/etc/coredns/Corefile' },
    { args: ['--conf', 'a'], want: 'a' },
    { args: ['-dns.port', '53', '-conf', 'a'], want: 'a' },
    { args: ['-dns.port', '53', '--conf', 'a'], want: 'a' },
    { args: ['-quiet', '-conf=a'], want: 'a' },
    { args: ['--conf=a'], want: 'a' },
    { args: ['-conf'], want: '/Corefile' },
  ])('$args: $want', ({ args, want }) => {
    const raw = { spec: { containers: [{ image: 'registry.test/coredns/coredns:v1', args }] } };
    const env = { raw, files: { read: (file: string) => file } } as unknown as ProgramEnv;
    expect((programOf(env) as unknown as { corefile(): string }).corefile()).toBe(want);
  });
});

describe('the program of a pod', () => {
  it.each([
    { image: 'registry.k8s.io/coredns/coredns:v1.12.0', want: 'dns' },
    { image: 'nodens', want: 'dns' },
    { image: 'coredns@sha256:0123', want: 'dns' },
    { image: 'mycoredns', want: 'idle' },
    { image: 'registry.k8s.io/dns/k8s-dns-node-cache:1.26', args: ['-localip', '169.254.20.10'], want: 'node-cache' },
    { image: 'nodens', args: ['node-cache', '-localip', '169.254.20.10'], want: 'node-cache' },
    { image: 'nodens', args: ['-localip', '169.254.20.10'], want: 'node-cache' },
    { image: 'nodens', args: ['-conf', '/etc/coredns/Corefile'], want: 'dns' },
    { image: 'busybox', args: ['node-cache', '-localip', '169.254.20.10'], want: 'idle' },
    { image: 'traefik/whoami', want: 'web' },
    { image: 'docker.io/library/nginx:1.27', want: 'web' },
    { image: 'httpd:2', want: 'web' },
    { image: 'curlimages/curl', want: 'idle' },
  ])('of the image $image with $args is $want', ({ image, args = [], want }) => {
    const raw = { spec: { containers: [{ image, args }] } };
    expect(programOf({ raw, files: { read: () => undefined } } as unknown as ProgramEnv).kind).toBe(want);
  });
});
