import { describe, expect, it } from 'vitest';
import type { ClusterView, LinkView, NodeCacheMode, PodView, ServiceView } from '../../src/lab/web/api.js';
import { commandsFor } from '../../src/page/node-cache-mode.js';
import type { ChosenMode } from '../../src/page/node-cache-mode.js';
import { pathBetween } from '../../src/page/picture/edges.js';
import type { Box } from '../../src/page/picture/edges.js';
import type { CellItem } from '../../src/page/picture/fold.js';
import { lanesOf } from '../../src/page/picture/lanes.js';

const pod = (name: string, node: string, kind: string, hostNetwork = false): PodView => ({
  id: `pod/default/${name}`,
  namespace: 'default',
  name,
  workload: name,
  node,
  ip: '10.0.0.1',
  hostNetwork,
  kind,
  state: 'Running',
  ready: true,
  restarts: 0,
  faults: [],
});
const service = (name: string, port: string): ServiceView => ({
  id: `service/default/${name}`,
  namespace: 'default',
  name,
  ips: ['10.96.0.1'],
  ports: [port],
  backends: [],
  redirects: [],
});
const asks = (from: string, to: string): LinkView => ({
  from: `pod/default/${from}`,
  to: `service/default/${to}`,
  kind: 'asks',
});
const names = (list: readonly CellItem<{ readonly name: string }>[]): readonly string[] =>
  list.map((one) => (one.kind === 'one' ? one.item.name : one.id));
const FOLDED = { keep: new Set<string>(), open: new Set<string>() };

describe('lanes', () => {
  const view: ClusterView = {
    name: 'test',
    domain: 'cluster.local',
    dns: '10.96.0.10',
    nodeCache: 'redirect',
    apiAway: false,
    hosts: [],
    nodes: ['one', 'two'].map((name) => ({ id: `node/${name}`, name, ip: '192.168.0.1', addresses: [] })),
    pods: [
      pod('client', 'one', 'idle'),
      pod('web', 'one', 'web'),
      pod('cilium', 'one', 'idle', true),
      pod('cache-1', 'one', 'node-cache'),
      pod('cache-2', 'two', 'node-cache', true),
      pod('core', 'two', 'dns'),
    ],
    services: [
      service('web', '80/TCP'),
      service('kube-dns', '53/UDP'),
      service('upstream', '53/UDP'),
      service('unasked', '53/UDP'),
    ],
    links: [
      asks('client', 'kube-dns'),
      asks('cache-1', 'kube-dns'),
      asks('cache-1', 'upstream'),
      asks('cache-2', 'upstream'),
    ],
  };

  it('hold the pods of a node by what they do; agents stand apart', () => {
    const {
      lanes: [one, two],
    } = lanesOf(view, FOLDED);
    expect([
      names(one!.stages.work),
      names(one!.stages.cache),
      names(one!.stages.dns),
      one!.agents.map(({ name }) => name),
    ]).toEqual([['client', 'web'], ['cache-1'], [], ['cilium']]);
    // A node cache in the node's network is a server all the same.
    expect([names(two!.stages.cache), names(two!.stages.dns), two!.agents.map(({ name }) => name)]).toEqual([
      ['cache-2'],
      ['core'],
      [],
    ]);
  });

  it('have between them what pods ask, and what caches alone ask', () => {
    const { services } = lanesOf(view, FOLDED);
    expect([names(services.work), names(services.cache), names(services.dns)]).toEqual([
      ['web'],
      ['kube-dns', 'unasked'],
      ['upstream'],
    ]);
  });
});

describe('lines', () => {
  const box = (left: number, top: number, width = 100, height = 40): Box => ({
    left,
    top,
    right: left + width,
    bottom: top + height,
  });
  /** First and last point of a path. */
  const ends = (path: string): readonly number[][] => {
    const numbers = [...path.matchAll(/-?[\d.]+/g)].map(Number);
    return [numbers.slice(0, 2), numbers.slice(-2)];
  };

  it.each([
    {
      name: 'to the right',
      from: box(0, 0),
      to: box(200, 100),
      want: [
        [103, 20],
        [197, 120],
      ],
    },
    {
      name: 'to the left',
      from: box(200, 100),
      to: box(0, 0),
      want: [
        [197, 120],
        [103, 20],
      ],
    },
    {
      name: 'down',
      from: box(0, 0),
      to: box(0, 100),
      want: [
        [50, 43],
        [50, 97],
      ],
    },
    {
      name: 'up',
      from: box(0, 100),
      to: box(0, 0),
      want: [
        [50, 97],
        [50, 43],
      ],
    },
    {
      name: 'down, where they overlap',
      from: box(0, 0),
      to: box(40, 100),
      want: [
        [70, 43],
        [70, 97],
      ],
    },
    {
      name: 'down, where they hardly overlap',
      from: box(0, 0),
      to: box(76, 100),
      want: [
        [50, 43],
        [126, 97],
      ],
    },
    {
      name: 'to the right of what is near',
      from: box(0, 0),
      to: box(112, 100),
      want: [
        [103, 20],
        [109, 120],
      ],
    },
    {
      name: 'down to what is nearer',
      from: box(0, 0),
      to: box(111, 100),
      want: [
        [50, 43],
        [161, 97],
      ],
    },
    {
      name: 'to the left of what is near',
      from: box(112, 100),
      to: box(0, 0),
      want: [
        [109, 120],
        [103, 20],
      ],
    },
    {
      name: 'up to what is nearer',
      from: box(111, 100),
      to: box(0, 0),
      want: [
        [161, 97],
        [50, 43],
      ],
    },
  ])('lead $name', ({ from, to, want }) => expect(ends(pathBetween(from, to))).toEqual(want));

  it('keep clear of boxes between', () => {
    const [from, to] = [box(0, 0), box(0, 200)];
    const besides = (left: number): readonly number[][] => ends(pathBetween(from, to, [from, to, box(left, 100)]));
    // The nearest to the middle of thirteen places, three pixels off at least.
    expect(besides(30).map(([x]) => x!.toFixed(1))).toEqual(['26.9', '26.9']);
    expect(besides(10).map(([x]) => x!.toFixed(1))).toEqual(['3.8', '3.8']);
    // What ends where the line begins, or begins where it ends, is not in its way.
    for (const near of [box(30, 0), box(30, 200)]) expect(ends(pathBetween(from, to, [near]))[0]).toEqual([50, 43]);
    // What lies beside the way does not move it.
    expect(ends(pathBetween(from, to, [box(300, 100)]))[0]).toEqual([50, 43]);
  });
});

describe('the switch of the node cache', () => {
  it.each<{ from: NodeCacheMode; to: ChosenMode; commands: readonly string[] }>([
    { from: 'none', to: 'none', commands: [] },
    { from: 'none', to: 'iptables', commands: ['kubectl apply -f manifests/node-local-dns.yaml'] },
    {
      from: 'none',
      to: 'redirect',
      commands: ['kubectl apply -f manifests/node-local-dns-lrp.yaml', 'kubectl apply -f manifests/lrp.yaml'],
    },
    { from: 'idle', to: 'redirect', commands: ['kubectl apply -f manifests/lrp.yaml'] },
    {
      from: 'redirect',
      to: 'none',
      commands: ['kubectl delete -f manifests/lrp.yaml', 'kubectl delete -f manifests/node-local-dns-lrp.yaml'],
    },
    {
      from: 'redirect',
      to: 'iptables',
      commands: [
        'kubectl delete -f manifests/lrp.yaml',
        'kubectl delete -f manifests/node-local-dns-lrp.yaml',
        'kubectl apply -f manifests/node-local-dns.yaml',
      ],
    },
    { from: 'iptables', to: 'none', commands: ['kubectl delete -f manifests/node-local-dns.yaml'] },
  ])('$from to $to', ({ from, to, commands }) => expect(commandsFor(from, to)).toEqual(commands));
});
