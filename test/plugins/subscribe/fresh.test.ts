import { afterEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, service, slice } from '../../support/kube.js';
import { Freshness, NODE } from './freshness.js';

const S = 'default.svc.cluster.local.';
const at = (name: string, ip: string): Manifest => service(name, { clusterIP: ip, clusterIPs: [ip] });

const MISSES = 'coredns_cache_misses_total{server="dns://10.0.1.1:53",view="",zones="cluster.local.,in-addr.arpa."}';

let world: Freshness | undefined;
const begin = async (objects: Manifest[] = [], nodes = 2): Promise<Freshness> => {
  world = new Freshness([namespace('default'), ...objects]);
  await world.startCluster();
  await world.startNodes(nodes);
  return world;
};
afterEach(async () => {
  await world?.stop();
  world = undefined;
});

interface Row {
  name: string;
  objects?: Manifest[];
  question: [name: string, type?: string];
  before: string;
  change: (world: Freshness) => void;
  after: string;
}

describe('what changes in the cluster is answered anew by every node', () => {
  it.each<Row>([
    {
      name: 'a service that did not exist',
      question: [`web.${S}`],
      before: '3',
      change: ({ source }) => source.apply(at('web', '10.96.0.7')),
      after: `0 web.${S} A 10.96.0.7`,
    },
    {
      name: 'a name below one that did not exist',
      question: [`_http._tcp.web.${S}`, 'SRV'],
      before: '3',
      change: ({ source }) => source.apply(at('web', '10.96.0.7')),
      after: `0 _http._tcp.web.${S} SRV 0 100 80 web.${S}`,
    },
    {
      name: 'a service that goes',
      objects: [at('web', '10.96.0.7')],
      question: [`web.${S}`],
      before: `0 web.${S} A 10.96.0.7`,
      change: ({ source }) => source.delete('Service', 'default', 'web'),
      after: '3',
    },
    {
      name: 'a service with another address',
      objects: [at('web', '10.96.0.7')],
      question: [`web.${S}`],
      before: `0 web.${S} A 10.96.0.7`,
      change: ({ source }) => source.apply(at('web', '10.96.0.8')),
      after: `0 web.${S} A 10.96.0.8`,
    },
    {
      name: 'the reverse name of an address',
      objects: [at('web', '10.96.0.7')],
      question: ['7.0.96.10.in-addr.arpa.', 'PTR'],
      before: `0 7.0.96.10.in-addr.arpa. PTR web.${S}`,
      change: ({ source }) => source.apply(at('web', '10.96.0.8')),
      after: '3',
    },
    {
      name: 'endpoints of a headless service',
      objects: [service('db', { clusterIP: 'None', clusterIPs: ['None'] }), slice('db', ['10.0.9.1'])],
      question: [`db.${S}`],
      before: `0 db.${S} A 10.0.9.1`,
      change: ({ source }) => source.apply(slice('db', ['10.0.9.2'])),
      after: `0 db.${S} A 10.0.9.2`,
    },
    {
      name: 'the end of an alias',
      objects: [
        service('alias', {
          type: 'ExternalName',
          externalName: `web.${S.slice(0, -1)}`,
          clusterIP: '',
          clusterIPs: [],
        }),
        at('web', '10.96.0.7'),
      ],
      question: [`alias.${S}`],
      before: `0 alias.${S} CNAME web.${S} web.${S} A 10.96.0.7`,
      change: ({ source }) => source.apply(at('web', '10.96.0.8')),
      after: `0 alias.${S} CNAME web.${S} web.${S} A 10.96.0.8`,
    },
    {
      name: 'all names of a namespace',
      objects: [service('web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] }, { namespace: 'late' })],
      question: ['web.late.svc.cluster.local.'],
      before: '3',
      change: ({ source }) => source.apply(namespace('late')),
      after: '0 web.late.svc.cluster.local. A 10.96.0.7',
    },
  ])('$name', async ({ objects, question, before, change, after }) => {
    const world = await begin(objects);
    for (const node of world.nodes) expect(await world.told(node, ...question)).toBe(before);
    change(world);
    await world.pass(10);
    for (const node of world.nodes) expect(await world.told(node, ...question)).toBe(after);
  });

  it('a name that has not changed stays where it is', async () => {
    const { source, nodes } = await begin([at('web', '10.96.0.7')], 1);
    await world!.told(nodes[0]!, `web.${S}`);
    source.apply(at('other', '10.96.0.9'));
    await world!.pass(10);
    await world!.told(nodes[0]!, `web.${S}`);
    expect(await world!.metric(nodes[0]!, MISSES)).toBe(1);
  });

  it('without `subscribe`, it is not', async () => {
    world = new Freshness([namespace('default')]);
    world.nodeText = NODE.replace(/subscribe \{[^}]*\}/, '');
    await world.startCluster();
    await world.startNodes(1);
    expect(await world.told(world.nodes[0]!, `web.${S}`)).toBe('3');
    world.source.apply(at('web', '10.96.0.7'));
    await world.pass(10);
    expect(await world.told(world.nodes[0]!, `web.${S}`)).toBe('3');
  });

  it('is looked up once more after `settle`: a server that is asked may be behind the one that tells', async () => {
    world = new Freshness([namespace('default'), at('web', '10.96.0.7')]);
    world.nodeText = NODE.replace('settle 0s', 'settle 1s');
    await world.startCluster();
    await world.startNodes(1);
    world.source.apply(at('web', '10.96.0.8'));
    const misses: number[] = [];
    for (const pause of [10, 500, 600, 600]) {
      await world.pass(pause);
      await world.told(world.nodes[0]!, `web.${S}`);
      misses.push(await world.metric(world.nodes[0]!, MISSES));
    }
    expect(misses).toEqual([1, 1, 2, 2]);
  });

  it('an answer that was on its way is not kept', async () => {
    const { source, network, clock } = await begin([at('web', '10.96.0.7')], 1);
    const node = world!.nodes[0]!;
    // The next answer is held up; what is pushed overtakes it.
    network.latency = 1;
    const first = world!.told(node, `web.${S}`);
    clock.advance(2);
    source.apply(at('web', '10.96.0.8'));
    await first;
    await world!.pass(20);
    expect(await world!.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.8`);
  });
});

describe('a subscription that ends', () => {
  const active = 'coredns_subscribe_push_enabled{to="10.0.0.53:53"}';

  it('begins again when the server is back, and what was known then is looked up anew', async () => {
    const world = await begin([at('web', '10.96.0.7')], 1);
    const node = world.nodes[0]!;
    expect(await world.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.7`);
    expect(await world.metric(node, active)).toBe(1);
    await world.stopCluster();
    expect(await world.metric(node, active)).toBe(0);
    world.source.apply(at('web', '10.96.0.8'));
    // Nobody tells: it is kept for its time.
    expect(await world.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.7`);
    await world.startCluster();
    await world.pass(3000);
    expect(await world.metric(node, active)).toBe(1);
    expect(await world.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.8`);
  });

  it.each([
    {
      name: 'the cluster is reloaded',
      reload: (world: Freshness) => world.cluster!.reload(),
      text: 'clusterText' as const,
    },
    { name: 'the node is reloaded', reload: (world: Freshness) => world.nodes[0]!.reload(), text: 'nodeText' as const },
  ])('begins again when $name', async ({ reload, text }) => {
    const world = await begin([at('web', '10.96.0.7')], 1);
    const node = world.nodes[0]!;
    world[text] = world[text].replace('cache', 'errors\n  cache');
    const reloaded = reload(world);
    await world.pass(3000);
    expect(await reloaded).toBe(true);
    expect(await world.metric(node, active)).toBe(1);
    expect(await world.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.7`);
    world.source.apply(at('web', '10.96.0.8'));
    await world.pass(10);
    expect(await world.told(node, `web.${S}`)).toBe(`0 web.${S} A 10.96.0.8`);
  });

  it('lasts while nothing changes, whatever the bounds of idle connections', async () => {
    const world = await begin([], 1);
    const ended = 'coredns_subscribe_ended_total{reason="lost",to="10.0.0.53:53"}';
    await world.pass(120_000);
    expect(await world.metric(world.nodes[0]!, active)).toBe(1);
    expect(await world.metric(world.nodes[0]!, ended)).toBe(0);
  });
});
