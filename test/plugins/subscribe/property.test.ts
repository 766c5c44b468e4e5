import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, pod, service, slice } from '../../support/kube.js';
import { Freshness } from './freshness.js';

const NAMES = ['a', 'b', 'c'];
const ZONE = 'cluster.local.';
/** Everything that changes may concern. */
const QUESTIONS: readonly (readonly [name: string, type: string])[] = [
  ...['one', 'two'].flatMap((space) =>
    NAMES.flatMap(
      (name) =>
        [
          [`${name}.${space}.svc.${ZONE}`, 'A'],
          [`${name}.${space}.svc.${ZONE}`, 'AAAA'],
          [`_http._tcp.${name}.${space}.svc.${ZONE}`, 'SRV'],
        ] as const,
    ),
  ),
  [`alias.one.svc.${ZONE}`, 'A'],
  [`10-0-0-1.one.pod.${ZONE}`, 'A'],
  [`two.svc.${ZONE}`, 'A'],
  ...[1, 2, 3].flatMap((ip) => [
    [`${ip}.0.96.10.in-addr.arpa.`, 'PTR'] as const,
    [`${ip}.0.0.10.in-addr.arpa.`, 'PTR'] as const,
  ]),
];
/** After a change: gathering, and the way to the node. */
const NOTICE = 20;

type Change = (world: Freshness) => void;

const placed = (manifest: Manifest, space: string): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace: space },
});
const where = fc.record({
  name: fc.constantFrom(...NAMES),
  space: fc.constantFrom('one', 'two'),
  ip: fc.integer({ min: 1, max: 3 }),
});
const change: fc.Arbitrary<Change> = fc.oneof(
  where.map(({ name, space, ip }): Change => ({ source }) => {
    const address = `10.96.0.${ip}`;
    source.apply(placed(service(name, { clusterIP: address, clusterIPs: [address] }), space));
  }),
  where.map(({ name, space }): Change => ({ source }) => {
    source.apply(placed(service(name, { clusterIP: 'None', clusterIPs: ['None'] }), space));
  }),
  where.map(
    ({ name, space, ip }): Change =>
      ({ source }) =>
        source.apply(placed(slice(name, [`10.0.0.${ip}`]), space)),
  ),
  where.map(
    ({ name, space }): Change =>
      ({ source }) =>
        source.delete('EndpointSlice', space, `${name}-a`),
  ),
  where.map(
    ({ name, space }): Change =>
      ({ source }) =>
        source.delete('Service', space, name),
  ),
  where.map(({ name, space }): Change => ({ source }) => {
    const externalName = `${name}.${space}.svc.${ZONE.slice(0, -1)}`;
    source.apply(
      placed(service('alias', { type: 'ExternalName', externalName, clusterIP: '', clusterIPs: [] }), 'one'),
    );
  }),
  fc.boolean().map(
    (there): Change =>
      ({ source }) =>
        there ? source.apply(namespace('two')) : source.delete('Namespace', '', 'two'),
  ),
  where.map(
    ({ name, ip }): Change =>
      ({ source }) =>
        source.apply(placed(pod(name, `10.0.0.${ip}`), 'one')),
  ),
  where.map(
    ({ name }): Change =>
      ({ source }) =>
        source.delete('Pod', 'one', name),
  ),
);
const step = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  pause: fc.integer({ min: 0, max: 60 }),
  node: fc.nat(1),
  questions: fc.array(fc.nat(QUESTIONS.length - 1), { maxLength: 6 }),
});

/** What the cluster itself has answered to each question, and from when on. */
class History {
  private readonly states = QUESTIONS.map((): { from: number; text: string }[] => []);

  async note(world: Freshness): Promise<void> {
    for (const [i, [name, type]] of QUESTIONS.entries()) {
      const text = await world.told(world.cluster!, name, type);
      if (this.states[i]!.at(-1)?.text !== text) this.states[i]!.push({ from: world.clock.monotonic(), text });
    }
  }

  /** What may be answered to who asks at `asked`: what held then, or has come since, or was not told of yet. */
  allowed(question: number, asked: number): string[] {
    const states = this.states[question]!;
    const first = states.findLastIndex(({ from }) => from <= asked - NOTICE - 10);
    return states.slice(Math.max(0, first)).map(({ text }) => text);
  }
}

describe('answers of node caches that have subscribed', () => {
  it('are never older than what was told, and the cluster’s own in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, latency) => {
          const world = new Freshness([namespace('one'), namespace('two')]);
          try {
            world.network.latency = latency;
            await world.startCluster();
            await world.startNodes(2);
            const history = new History();
            await history.note(world);
            for (const { changes, pause, node, questions } of steps) {
              for (const each of changes) each(world);
              await history.note(world);
              await world.pass(pause);
              for (const question of questions) {
                const asked = world.clock.monotonic();
                const told = await world.told(world.nodes[node]!, ...QUESTIONS[question]!);
                expect(history.allowed(question, asked), QUESTIONS[question]!.join(' ')).toContain(told);
              }
            }
            await world.pass(NOTICE + 20);
            for (const [i, question] of QUESTIONS.entries())
              for (const node of world.nodes)
                expect(await world.told(node, ...question), question.join(' ')).toBe(
                  history.allowed(i, Infinity).at(-1),
                );
          } finally {
            await world.stop();
          }
        },
      ),
      { numRuns: 15, seed: 8765 },
    );
  }, 60_000);
});
