import { describe, expect, it } from 'vitest';
import { Metadata, type Handler, type ProvidesTap, type TappedExchange } from '../../../src/chain/index.js';
import { HedgeBudget } from '../../../src/plugins/forward/hedges.js';
import { query } from '../../support/dns.js';
import { Cluster } from './cluster.js';

/** A cluster with a handler that wants to hear of what goes to upstreams, some time after its start. */
async function tapped(text: string): Promise<{ cluster: Cluster; told: TappedExchange[] }> {
  const cluster = await new Cluster(text).start(1);
  const told: TappedExchange[] = [];
  const tap: Handler & ProvidesTap = {
    name: 'tap',
    handle: (asked, next) => next(asked),
    tap: (exchange) => void told.push(exchange),
  };
  cluster.block.chain = [...cluster.block.chain, tap];
  await cluster.block.run('start');
  await cluster.elapse(100);
  return { cluster, told };
}

describe('who wants to hear of what goes to upstreams', () => {
  it.each(['udp', 'tcp'] as const)(
    'is told of a question over %s and of its answer, with the times of both',
    async (transport) => {
      const { cluster, told } = await tapped('forward . 10.0.0.1');
      const asked = query('www.example.org.', 'A', { transport });
      const start = cluster.block.clock.now();
      cluster.watch(asked);
      await cluster.elapse(20);
      const { seen } = cluster.servers[1]!;
      expect(told).toHaveLength(1);
      expect({ ...told[0], answer: undefined }).toEqual({
        query: asked,
        protocol: transport,
        to: { address: '10.0.0.1', port: 53 },
        from: undefined,
        sent: start,
        answered: transport === 'udp' ? start + 2 : told[0]!.answered,
        question: seen[0]!.bytes,
        answer: undefined,
      });
      expect(Buffer.from(told[0]!.answer!).readUInt16BE(0)).toBe(seen[0]!.message.id);
    },
  );

  it.each([
    { name: 'one that has had its time', option: 'read_timeout 500ms\n max_connect_attempts 1\n max_fails 0' },
    { name: 'those that are given up with their query', option: '' },
  ])('is told of questions that nothing comes of: $name', async ({ option }) => {
    const { cluster, told } = await tapped(`forward . 10.0.0.1 {\n ${option}\n}`);
    cluster.servers[1]!.answer = () => undefined;
    const start = cluster.block.clock.now();
    const asked = cluster.ask();
    await cluster.elapse(1100);
    expect(asked.outcome).toBe('SERVFAIL');
    const { udp } = cluster.counts()[1]!;
    expect(told).toHaveLength(udp);
    for (const exchange of told) expect(exchange).toMatchObject({ answer: undefined, answered: start + asked.took });
    expect(told[0]!.sent).toBe(start);
  });
});

describe('the label forward/upstream', () => {
  it('is set for a query and for those that wait for the same answer', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    const [first, second, other] = ['a.example.', 'a.example.', 'b.example.'].map((name) => query(name));
    for (const one of [first, second]) one!.context.metadata = new Metadata(one!, new Map());
    for (const one of [first, second, other]) cluster.send(one!);
    await cluster.elapse(20);
    const labels = [first, second, other].map((one) => one!.context.metadata?.get('forward/upstream'));
    expect(labels).toEqual(['10.0.0.1:53', '10.0.0.1:53', undefined]);
    expect(cluster.counts()[1]).toEqual({ udp: 2, tcp: 0 });
  });
});

describe('second queries that may be sent early', () => {
  /** How many may be taken at once. */
  const left = (budget: HedgeBudget): number => {
    let taken = 0;
    while (taken < 100 && budget.take()) taken++;
    return taken;
  };

  it.each([
    { name: 'are 20 from the beginning', lookups: 0, want: 20 },
    { name: 'are no more after many lookups', lookups: 1000, want: 20 },
  ])('$name', ({ lookups, want }) => {
    const budget = new HedgeBudget();
    for (let i = 0; i < lookups; i++) budget.earn();
    expect(left(budget)).toBe(want);
  });

  it.each([
    { lookups: 9, want: 0 },
    { lookups: 15, want: 1 },
    { lookups: 105, want: 10 },
    { lookups: 1000, want: 20 },
  ])('are $want after $lookups lookups where all were used', ({ lookups, want }) => {
    const budget = new HedgeBudget();
    left(budget);
    for (let i = 0; i < lookups; i++) budget.earn();
    expect(left(budget)).toBe(want);
  });
});

it('a scrape shows in seconds how long replies take, and who is silent', async () => {
  const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n}').start(1);
  cluster.network.latency = 20;
  for (let i = 0; i < 30; i++) {
    cluster.ask(`n${i}.example.`);
    await cluster.elapse(50);
  }
  const shown = await cluster.metrics(/^coredns_forward_upstream_(latency|silent)/);
  const values = Object.fromEntries(shown.map((line) => line.split(' ') as [string, string]));
  const of = (quantile: string): number =>
    Number(values[`coredns_forward_upstream_latency_seconds{quantile="${quantile}",to="10.0.0.1:53"}`]);
  expect(of('mean')).toBeCloseTo(0.04, 3);
  expect(of('0.95')).toBeGreaterThanOrEqual(0.04);
  expect(of('0.95')).toBeLessThan(0.1);
  expect(values['coredns_forward_upstream_silent{to="10.0.0.1:53"}']).toBe('0');
  // Nothing is said of one that was not asked.
  expect(shown.filter((line) => line.includes('10.0.0.2'))).toEqual([]);
});
