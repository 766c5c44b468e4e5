import { describe, expect, it } from 'vitest';
import { BackOff } from '../../../src/lab/pods/back-off.js';
import { tellBackOff, tellOfContainers, tellScheduled } from '../../../src/lab/pods/pod-events.js';
import type { ContainerHappening } from '../../../src/lab/pods/pod-events.js';
import { PodFiles } from '../../../src/lab/pods/pod-files.js';
import { PodLog } from '../../../src/lab/pods/pod-log.js';
import { probesOf } from '../../../src/lab/pods/probes.js';
import { hostsFile, resolvConfOf } from '../../../src/lab/pods/resolver-files.js';
import { runMeant } from '../../../src/lab/pods/running-pod.js';
import type { PodState, RunningPod } from '../../../src/lab/pods/running-pod.js';
import { chooseNode } from '../../../src/lab/pods/scheduler.js';
import type { ApiObject, ClusterApi } from '../../../src/lab/cluster/cluster-api.js';
import type { Happening } from '../../../src/lab/cluster/event-log.js';
import type { ClusterSettings, LabNode } from '../../../src/lab/topology/topology.js';

describe('the files of a pod', () => {
  const MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    coredns: { Corefile: 'one', other: 'two' },
    further: { Corefile: 'three' },
  };
  const files = (items?: readonly object[], maps = MAPS) =>
    new PodFiles(
      {
        spec: {
          volumes: [
            { name: 'x', configMap: { name: 'further' } },
            { name: 'config', configMap: { name: 'coredns', ...(items && { items }) } },
            { name: 'none', configMap: { name: 'not there' } },
          ],
          containers: [
            {
              volumeMounts: [
                { name: 'none', mountPath: '/etc/coredns' },
                { name: 'config', mountPath: '/etc/coredns/' },
              ],
            },
          ],
        },
      },
      (name) => maps[name],
    );

  it.each([
    { name: 'a key of a ConfigMap', file: '/etc/coredns/Corefile', want: 'one' },
    { name: 'no key of another', file: '/etc/coredns/none', want: undefined },
    { name: 'nothing of another folder', file: '/etc/Corefile', want: undefined },
    { name: 'a key under another name', file: '/etc/coredns/a', items: [{ key: 'other', path: 'a' }], want: 'two' },
    { name: 'no other key then', file: '/etc/coredns/Corefile', items: [{ key: 'other', path: 'a' }], want: undefined },
    { name: 'nothing that objects have of themselves', file: '/etc/coredns/toString', want: undefined },
  ])('are $name', ({ file, items, want }) => expect(files(items).read(file)).toBe(want));

  it('are what was written last', () => {
    const own = files();
    own.write('/etc/coredns/Corefile', 'mine');
    const { readFile, fileInfo } = own.asServerFiles;
    expect([readFile('/etc/coredns/Corefile'), fileInfo('/etc/coredns/Corefile')]).toEqual([
      'mine',
      { mtime: 1, size: 4 },
    ]);
    own.write('/etc/coredns/Corefile', 'more');
    expect(fileInfo('/etc/coredns/Corefile')).toEqual({ mtime: 2, size: 4 });
    expect(fileInfo('/none')).toBeUndefined();
    expect(() => readFile('/none')).toThrow(/^ENOENT: no such file or directory, open '\/none'$/);
  });

  it.each([
    { name: 'at its beginning', one: `a${' '.repeat(40)}`, other: `b${' '.repeat(40)}` },
    { name: 'at its end', one: 'xa', other: 'xb' },
    { name: 'at its end by one, up from an odd letter', one: 'xc', other: 'xd' },
    { name: 'at its end by one, up from an even letter', one: 'xb', other: 'xc' },
    { name: 'in its order', one: 'ab', other: 'ba' },
  ])('have another time where a ConfigMap changed $name', ({ one, other }) => {
    const timeOf = (text: string) =>
      files(undefined, { coredns: { Corefile: text } }).asServerFiles.fileInfo('/etc/coredns/Corefile')!.mtime;
    expect(timeOf(one)).toBe(timeOf(one));
    expect(timeOf(one)).not.toBe(timeOf(other));
  });
});

describe('the log of a pod', () => {
  it('keeps the newest 5000 lines', () => {
    const log = new PodLog({ now: () => 0 });
    for (let i = 0; i < 5002; i++) log.write(`${i}\n`);
    const lines = log.lines();
    expect([lines.length, lines[0]!.text, log.tail(1), log.tail(0)]).toEqual([5000, '2', ['5001'], []]);
  });

  it('has lines with their time, of the run that wrote them', () => {
    let now = 10;
    const log = new PodLog({ now: () => now });
    log.write('a\nb\n');
    log.restarted();
    now = 20;
    log.write('c');
    log.restarted();
    log.write('d\n\n');
    expect(log.lines().map(({ at, text, run }) => [at, text, run])).toEqual([
      [10, 'a', 0],
      [10, 'b', 0],
      [20, 'c', 1],
      [20, 'd', 2],
      [20, '', 2],
    ]);
    const texts = (wanted: Parameters<PodLog['lines']>[0]): string =>
      log
        .lines(wanted)
        .map(({ text }) => text)
        .join();
    expect([texts({ since: 20 }), texts({ since: 21 }), texts({ run: 0 }), texts({ run: 1, since: 20 })]).toEqual([
      'c,d,',
      '',
      'a,b',
      'c',
    ]);
    expect([texts({ count: 0 }), texts({ count: 1, run: 0 }), texts({ count: 2, run: 0 }), texts({ run: 3 })]).toEqual([
      '',
      'b',
      'a,b',
      '',
    ]);
  });

  it('tells those who follow it each line, until they leave', () => {
    const log = new PodLog({ now: () => 0 });
    const told: string[] = [];
    log.write('before\n');
    const leave = log.follow((line) => told.push(line));
    log.write('a\nb\n');
    leave();
    log.write('after\n');
    expect(told).toEqual(['a', 'b']);
  });

  it.each<{ state: PodState; restarts: number; now: number; previous: number | undefined }>([
    { state: 'Running', restarts: 0, now: 0, previous: undefined },
    { state: 'Running', restarts: 2, now: 2, previous: 1 },
    { state: 'Crashed', restarts: 0, now: 0, previous: 0 },
    { state: 'Error', restarts: 3, now: 3, previous: 3 },
  ])(
    'of a pod that is $state after $restarts restarts: run $now, and $previous',
    ({ state, restarts, now, previous }) => {
      const pod = { state, restarts } as RunningPod;
      expect([runMeant(pod, false), runMeant(pod, true)]).toEqual([now, previous]);
    },
  );
});

describe('the probes of a pod', () => {
  // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe
  it.each([
    {
      name: 'what the API says where nothing is said',
      said: { httpGet: { port: 80 } },
      want: {
        way: 'http',
        path: '/',
        host: undefined,
        initialDelay: 0,
        period: 10_000,
        timeout: 1000,
        successes: 1,
        failures: 3,
      },
    },
    {
      name: 'what their manifest says',
      said: {
        httpGet: { port: 80, path: '/x', host: '192.0.2.1' },
        initialDelaySeconds: 5,
        periodSeconds: 2,
        timeoutSeconds: 3,
        successThreshold: 4,
        failureThreshold: 6,
      },
      want: {
        way: 'http',
        path: '/x',
        host: '192.0.2.1',
        initialDelay: 5000,
        period: 2000,
        timeout: 3000,
        successes: 4,
        failures: 6,
      },
    },
  ])('are $name', ({ said, want }) =>
    expect(probesOf({ spec: { containers: [{ name: 'a', readinessProbe: said }] } })).toEqual([
      { aim: 'readiness', container: 'a', port: 80, ...want },
    ]),
  );

  const portOf = (port: unknown, ports: readonly object[] = []) =>
    probesOf({ spec: { containers: [{ name: 'a', ports, livenessProbe: { httpGet: { port } } }] } })[0]!.port;
  it.each([
    { name: 'a number', port: 8080, want: 8080 },
    { name: 'a number as text', port: '8080', want: 8080 },
    { name: 'a port of the container', port: 'http', want: 81 },
    { name: 'none that it has', port: 'https', want: 0 },
    { name: 'none', port: undefined, want: 0 },
  ])('ask at $name', ({ port, want }) =>
    expect(
      portOf(port, [
        { name: 'x', containerPort: 1 },
        { name: 'http', containerPort: 81 },
      ]),
    ).toBe(want),
  );
});

// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
describe('the back-off of a container', () => {
  const SECOND = 1000;
  const MINUTE = 60 * SECOND;

  it('is none at first, then 10 s, doubled up to 5 minutes', () => {
    const backOff = new BackOff();
    let now = 7 * SECOND;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const wait = backOff.wait(now);
      waits.push(wait / SECOND);
      now += wait;
      backOff.started(now);
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(backOff.length).toBe(300 * SECOND);
  });

  it('is none at first for a clock that begins at 0, too', () => expect(new BackOff().wait(0)).toBe(0));

  it.each([
    { name: 'is as much less as it ran', ran: 4 * SECOND, wait: 6 * SECOND, next: 20 * SECOND },
    { name: 'is over where it ran longer', ran: 10 * MINUTE, wait: 0, next: 20 * SECOND },
    { name: 'begins anew after 10 minutes', ran: 10 * MINUTE + 1, wait: 0, next: 10 * SECOND },
  ])('$name', ({ ran, wait, next }) => {
    const backOff = new BackOff();
    const start = 100 * MINUTE;
    backOff.wait(start);
    backOff.started(start);
    expect(backOff.wait(start + ran)).toBe(wait);
    backOff.started(start + ran + wait);
    expect(backOff.length).toBe(next);
  });
});

const object = (raw: object, kind = 'Pod', name = 'web'): ApiObject => ({
  kind,
  namespace: 'default',
  name,
  created: 0,
  raw: raw as ApiObject['raw'],
});

describe('the resolver files of a pod', () => {
  const node = { name: 'n1', resolvConf: 'nameserver 192.0.2.53\nsearch home.test\n' } as LabNode;
  const cluster = { dns: '10.96.0.10', domain: 'cluster.local' } as ClusterSettings;
  const of = (spec: object): string =>
    resolvConfOf(object({ spec }), 'n1', { cluster, nodes: [{ ...node, name: 'n0', resolvConf: '' }, node] });
  const CLUSTER =
    'search default.svc.cluster.local svc.cluster.local cluster.local home.test\nnameserver 10.96.0.10\noptions ndots:5\n';
  const HOST = 'search home.test\nnameserver 192.0.2.53\n';

  it.each([
    { name: 'ask the cluster where nothing is said', spec: {}, want: CLUSTER },
    { name: 'are those of the node on its network', spec: { hostNetwork: true }, want: HOST },
    {
      name: 'ask the cluster there too, where that is said',
      spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      want: CLUSTER,
    },
    { name: 'are those of the node by policy', spec: { dnsPolicy: 'Default' }, want: HOST },
    {
      name: 'are what the pod says',
      spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'] } },
      want: 'nameserver 192.0.2.1\n',
    },
  ])('$name', ({ spec, want }) =>
    expect(of(spec).trimEnd().split('\n').sort()).toEqual(want.trimEnd().split('\n').sort()),
  );

  it('are refused for an unknown policy', () =>
    expect(() => of({ dnsPolicy: 'Cluster' })).toThrow(
      'spec.dnsPolicy: got "Cluster", allowed: ClusterFirst, ClusterFirstWithHostNet, Default, None',
    ));

  it('name it beside localhost, but on the network of its node', () => {
    expect(hostsFile('web', '10.0.0.1').split('\n').slice(1)).toEqual([
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
      '10.0.0.1\tweb',
      '',
    ]);
    expect(hostsFile('web', undefined).split('\n').slice(-2)).toEqual(['fe00::2\tip6-allrouters', '']);
  });
});

describe('the node that a pod comes to', () => {
  /** Pods of the workload and of all on nodes a, b and c. */
  const chosen = (own: Record<string, number>, all: Record<string, number>, cordoned = '', spec: object = {}): string =>
    chooseNode(object({ spec }, 'Deployment'), {
      nodes: ['a', 'b', 'c'],
      api: {
        pods: { perNode: (workload?: object) => new Map(Object.entries(workload ? own : all)) },
        get: (_kind: string, _namespace: string, name: string) =>
          object({ spec: cordoned.includes(name) ? { unschedulable: true } : {} }, 'Node', name),
      } as unknown as ClusterApi,
    });
  const selector = (name: string): object => ({ nodeSelector: { 'kubernetes.io/hostname': name } });

  it.each<{
    name: string;
    own?: Record<string, number>;
    all?: Record<string, number>;
    cordoned?: string;
    spec?: object;
    want: string;
  }>([
    { name: 'the first of equal ones', want: 'a' },
    { name: 'the one with the fewest of the workload', own: { a: 2, b: 1, c: 2 }, all: { b: 9 }, want: 'b' },
    { name: 'one without any before one with some', own: { a: 1, b: 1 }, want: 'c' },
    { name: 'then the one with the fewest of all', all: { a: 3, b: 2, c: 1 }, want: 'c' },
    { name: 'none that takes no new pods', cordoned: 'ab', want: 'c' },
    { name: 'the one that the pod names', spec: selector('b'), want: 'b' },
    { name: 'the one that its template names', spec: { template: { spec: selector('c') } }, want: 'c' },
  ])('is $name', ({ own = {}, all = {}, cordoned, spec, want }) => expect(chosen(own, all, cordoned, spec)).toBe(want));

  it('is none where none fits', () =>
    expect(() => chosen({}, {}, 'b', selector('b'))).toThrow(
      'Deployment default/web: no node fits its nodeSelector; there are a, b (cordoned), c',
    ));
});

describe('what a kubelet tells of a pod', () => {
  const told = (tell: (api: ClusterApi) => void, there = true): string[] => {
    const lines: string[] = [];
    const api = {
      get: () => (there ? object({}) : undefined),
      tell: ({ container = '-', warning = false, reason, message, source }: Happening) =>
        lines.push(
          `${container} ${warning ? 'Warning' : 'Normal'} ${reason} ${source.component} ${source.host ?? ''}: ${message}`,
        ),
    };
    tell(api as unknown as ClusterApi);
    return lines;
  };
  const pod = object({
    spec: {
      containers: [
        { name: 'a', image: 'x:1' },
        { name: 'b', image: 'y' },
      ],
    },
  });
  const running = { namespace: 'default', name: 'web', model: { spec: { node: 'n1' } } } as RunningPod;

  it.each<{ what: ContainerHappening; want: readonly string[] }>([
    {
      what: 'created',
      want: [
        'a Normal Pulled kubelet n1: Container image "x:1" already present on machine',
        'a Normal Created kubelet n1: Created container: a',
        'a Normal Started kubelet n1: Started container a',
        'b Normal Pulled kubelet n1: Container image "y" already present on machine',
        'b Normal Created kubelet n1: Created container: b',
        'b Normal Started kubelet n1: Started container b',
      ],
    },
    {
      what: 'stopping',
      want: ['a Normal Killing kubelet n1: Stopping container a', 'b Normal Killing kubelet n1: Stopping container b'],
    },
  ])('$what', ({ what, want }) => expect(told((api) => tellOfContainers(api, pod, 'n1', what))).toEqual(want));

  it('that it waits before it starts a container again, as long as the pod is there', () => {
    const tell = (api: ClusterApi): void => tellBackOff(api, running, 'a');
    expect(told(tell)).toEqual([
      'a Warning BackOff kubelet n1: Back-off restarting failed container a in pod web_default',
    ]);
    expect(told(tell, false)).toEqual([]);
  });

  it('and the scheduler, where it comes to', () =>
    expect(told((api) => tellScheduled(api, pod, 'n1'))).toEqual([
      '- Normal Scheduled default-scheduler : Successfully assigned default/web to n1',
    ]));
});
