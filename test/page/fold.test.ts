import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView, PodView, ServiceView } from '../../src/lab/web/api.js';
import { ROOM, drawnNodes, podItems, serviceItems } from '../../src/page/picture/fold.js';
import type { CellItem, FoldChoice } from '../../src/page/picture/fold.js';
import { lanesOf } from '../../src/page/picture/lanes.js';

const pod = (namespace: string, workload: string, number: number, more: Partial<PodView> = {}): PodView => ({
  id: `pod/${namespace}/${workload}-${number}`,
  namespace,
  name: `${workload}-${number}`,
  workload,
  node: 'n1',
  ip: '10.0.0.1',
  hostNetwork: false,
  kind: 'web',
  state: 'Running',
  ready: true,
  restarts: 0,
  faults: [],
  ...more,
});
const replicas = (namespace: string, workload: string, count: number): readonly PodView[] =>
  Array.from({ length: count }, (_, i) => pod(namespace, workload, i));
const choice = (keep: readonly string[] = [], open: readonly string[] = []): FoldChoice => ({
  keep: new Set(keep),
  open: new Set(open),
});
const told = (items: readonly CellItem<{ readonly name: string }>[]): readonly string[] =>
  items.map((item) =>
    item.kind === 'one' ? item.item.name : `${item.id}${item.open ? ' open' : ''} ${item.items.length}`,
  );

/** Eight workloads of two replicas each in two namespaces. */
const MANY = ['b', 'a'].flatMap((namespace) => ['w', 'x', 'y', 'z'].flatMap((name) => replicas(namespace, name, 2)));

describe('a cell', () => {
  it.each<{ name: string; pods: readonly PodView[]; of?: FoldChoice; want: readonly string[] }>([
    {
      name: 'shows its pods while there is room',
      pods: replicas('a', 'w', ROOM),
      want: Array.from({ length: ROOM }, (_, i) => `w-${i}`),
    },
    {
      name: 'stacks replicas, and leaves single pods alone',
      pods: [...replicas('a', 'w', 5), ...replicas('b', 'w', 3), pod('a', 'lone', 1)],
      want: ['replicas/n1/work/a/w 5', 'replicas/n1/work/b/w 3', 'lone-1'],
    },
    {
      name: 'folds namespaces where there are too many stacks',
      pods: MANY,
      want: ['namespace/n1/work/a 8', 'namespace/n1/work/b 8'],
    },
    {
      name: 'draws what is on the way and what is not well by itself',
      pods: [...MANY, pod('a', 'w', 9, { ready: false })],
      of: choice(['pod/b/x-1']),
      want: ['x-1', 'w-9', 'namespace/n1/work/a 8', 'namespace/n1/work/b 7'],
    },
    {
      name: 'shows the stacks of a namespace that was opened, and the pods of an opened stack',
      pods: MANY,
      of: choice([], ['namespace/n1/work/a', 'replicas/n1/work/a/x']),
      want: [
        'namespace/n1/work/a open 8',
        'replicas/n1/work/a/w 2',
        'replicas/n1/work/a/x open 2',
        'x-0',
        'x-1',
        'replicas/n1/work/a/y 2',
        'replicas/n1/work/a/z 2',
        'namespace/n1/work/b 8',
      ],
    },
  ])('$name', ({ pods, of = choice(), want }) => expect(told(podItems(pods, 'n1/work', of))).toEqual(want));

  it('is not filled by pods that are not well', () => {
    const items = podItems(
      replicas('a', 'w', 100).map((one) => ({ ...one, state: 'Crashed' })),
      'n1/work',
      choice(),
    );
    expect(items).toHaveLength(ROOM + 1);
  });

  it('of services folds namespaces but for those on the way', () => {
    const services = MANY.map(({ id, namespace, name }) => ({ id, namespace, name }));
    expect(told(serviceItems(services.slice(0, ROOM), 'work', choice()))).toHaveLength(ROOM);
    expect(told(serviceItems(services, 'work', choice(['pod/a/w-0'])))).toEqual([
      'w-0',
      'namespace/services/work/a 7',
      'namespace/services/work/b 8',
    ]);
  });
});

const nodes = (count: number): readonly NodeView[] =>
  Array.from({ length: count }, (_, i) => ({ id: `node/n${i}`, name: `n${i}`, ip: '192.0.2.1', addresses: [] }));

describe('nodes', () => {
  const dns = pod('kube-system', 'coredns', 1, { node: 'n7', kind: 'dns' });
  const client = pod('a', 'w', 1, { node: 'n9' });
  it.each<{ name: string; count: number; of?: FoldChoice; want: readonly string[] }>([
    { name: 'are all drawn where there are few', count: 6, want: ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'] },
    { name: 'with a DNS server come first', count: 50, want: ['n7', 'n0', 'n1', 'n2'] },
    { name: 'on the way are drawn', count: 50, of: choice([client.id]), want: ['n9', 'n7', 'n0', 'n1'] },
    {
      name: 'that were opened are drawn beside them',
      count: 50,
      of: choice([], ['node/n40']),
      want: ['n7', 'n0', 'n1', 'n2', 'n40'],
    },
  ])('$name', ({ count, of = choice(), want }) =>
    expect([...drawnNodes(nodes(count), [client, dns], of)]).toEqual(want),
  );
});

describe('a cluster of 50 nodes and 2,000 pods', () => {
  const services = Array.from({ length: 200 }, (_, i): ServiceView => {
    const [namespace, name] = [`ns-${i % 6}`, `service-${i}`];
    return {
      id: `service/${namespace}/${name}`,
      namespace,
      name,
      ips: [],
      ports: ['80/TCP'],
      backends: [],
      redirects: [],
    };
  });
  const view = {
    nodes: nodes(50),
    pods: Array.from({ length: 2000 }, (_, i) =>
      pod(`ns-${i % 6}`, `w-${i % 200}`, i, { node: `n${Math.floor(i / 40)}` }),
    ),
    services,
    links: [],
    hosts: [{ id: 'host/far', name: 'far', addresses: [], dns: true, node: 'n49' }],
  } as unknown as ClusterView;
  const { lanes, folded, services: staged, hosts, standIns } = lanesOf(view, choice());

  it('has the hosts that are on the link of no node', () => {
    const far = view.hosts[0]!;
    const hosts = [far, { id: 'host/any', name: 'any', addresses: [], dns: true }, { ...far, node: 'n0' }];
    expect(lanesOf({ ...view, hosts }, choice()).hosts).toEqual(hosts.slice(1));
  });

  it('is drawn with few boxes', () => {
    const boxes = lanes.flatMap(({ stages }) => Object.values(stages).flat()).length + staged.work.length;
    expect([lanes.length, folded.length, boxes, hosts.length]).toEqual([4, 46, 4 * 6 + 6, 0]);
  });

  it('has something in the picture for each entity', () => {
    for (const { id } of [...view.pods, ...view.services, ...view.hosts]) expect(standIns.has(id), id).toBe(true);
    expect([standIns.get('pod/ns-1/w-1-1'), standIns.get('pod/ns-1/w-199-1999')]).toEqual([
      'namespace/n0/work/ns-1',
      'node/n49',
    ]);
    expect(standIns.get('host/far')).toBe('node/n49');
  });
});
