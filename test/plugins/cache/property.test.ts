import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { Flag } from '../../../src/wire/index.js';
import { reply } from '../../support/dns.js';
import { SOA, World } from './world.js';

const CAP = 30;
const bounded = (ttl: number): number => Math.min(Math.max(ttl, 5), CAP);

/** What the chain may say, and for how many seconds it may be kept. */
const OUTCOMES: readonly { make: (name: string, ttl: number) => Outcome; kept: (ttl: number) => number }[] = [
  { make: (name, ttl) => reply({ answer: [`${name} ${ttl} IN A 192.0.2.1`] }), kept: bounded },
  {
    make: (name, ttl) => reply({ answer: [`${name} ${ttl + 7} IN A 192.0.2.1`, `${name} ${ttl} IN A 192.0.2.2`] }),
    kept: bounded,
  },
  { make: (_name, ttl) => reply({ rcode: 3, authority: [SOA.replace('900', String(ttl))] }), kept: bounded },
  { make: () => reply({ rcode: 2 }), kept: () => 5 },
  { make: () => reply({ rcode: 5 }), kept: () => 0 },
  { make: () => reply({ flags: Flag.TC }), kept: () => 0 },
  { make: () => Reply.failure(2), kept: () => 0 },
  { make: () => DROP, kept: () => 0 },
];

/** One step: who asks for what, what the chain would say, and how much later the next step comes. */
const step = fc.record({
  name: fc.nat(5),
  do: fc.boolean(),
  outcome: fc.nat(OUTCOMES.length - 1),
  ttl: fc.nat(60),
  pause: fc.integer({ min: 0, max: 12_000 }),
});
const steps = fc.array(step, { minLength: 1, maxLength: 60 });
const option = fc.constantFrom(
  '',
  'keepttl',
  'prefetch 1 1m 90%',
  'serve_stale 20s',
  'serve_stale 20s verify',
  'disable denial',
  'servfail 0',
  'success 1024 20 0',
);

const hit = (outcome: Outcome): outcome is Reply => outcome instanceof Reply && (outcome.flags & Flag.AA) !== 0;

interface Step {
  name: number;
  do: boolean;
  outcome: number;
  ttl: number;
  pause: number;
}

/**
 * Plays the steps. `check` sees each outcome, its question as a key, and whether the chain was asked for it;
 * `fetched` what the chain was asked and said.
 */
async function run(
  world: World,
  list: readonly Step[],
  check: (outcome: Outcome, key: string, asked: boolean) => void,
  fetched?: (key: string, query: Query, outcome: Outcome, kept: number) => void,
): Promise<void> {
  for (const { name, do: dnssec, outcome, ttl, pause } of list) {
    const key = `${name} ${dnssec}`;
    const { make, kept } = OUTCOMES[outcome]!;
    world.answer = (query) => {
      const said = make(query.name, ttl);
      fetched?.(key, query, said, kept(ttl));
      return said;
    };
    const before = world.asked.length;
    const got = await world.ask(world.question(`n${name}.example.org.`, 'A', { edns: 1232, do: dnssec }));
    check(got, key, world.asked.length > before);
    await world.settle();
    world.block.clock.advance(pause);
  }
}

describe('cache, whatever is asked and answered', () => {
  it('never sends a TTL above its limit, and counts each request as a hit or a miss', async () => {
    await fc.assert(
      fc.asyncProperty(steps, option, async (list, text) => {
        const world = new World(`cache ${CAP} {\n${text}\n}`);
        await run(world, list, (got) => {
          if (got instanceof Reply)
            for (const record of [...got.answer, ...got.authority]) expect(record.ttl).toBeLessThanOrEqual(CAP);
        });
        const [requests, misses, success, denial] = await Promise.all(
          ['requests_total', 'misses_total', 'hits_total{type="success"}', 'hits_total{type="denial"}'].map((name) =>
            world.metric(name),
          ),
        );
        expect(requests).toBe(list.length);
        expect((misses ?? 0) + (success ?? 0) + (denial ?? 0)).toBe(requests);
      }),
      { numRuns: 60 },
    );
  });

  it('counts a TTL down between two hits and never up, until something new is fetched', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const world = new World(`cache ${CAP}`);
        const last = new Map<string, number>();
        await run(world, list, (got, key, asked) => {
          if (asked) last.delete(key);
          if (!hit(got)) return;
          expect(got.ttl).toBeGreaterThan(0);
          expect(got.ttl).toBeLessThanOrEqual(last.get(key) ?? CAP);
          last.set(key, got.ttl!);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('serves nothing after its time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom('', 'keepttl', 'prefetch 1 1m 90%'), async (list, text) => {
        const world = new World(`cache ${CAP} {\n${text}\n}`);
        const { clock } = world.block;
        const ends = new Map<string, number>();
        const check = (got: Outcome, key: string): void => {
          if (hit(got)) expect(clock.now()).toBeLessThan(ends.get(key)!);
        };
        await run(world, list, check, (key, query, said, kept) => {
          // What is fetched in the background comes over TCP, and a failure then changes nothing.
          const failed = query.transport === 'tcp' && said instanceof Reply && said.rcode === 2;
          if (kept > 0 && !failed) ends.set(key, clock.now() + kept * 1000);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('never holds more than its capacity of a type', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3000), fc.boolean()), { minLength: 1100, maxLength: 2500 }),
        async (list) => {
          const world = new World('cache {\nsuccess 1024\ndenial 1024\n}');
          for (const [name, denied] of list) {
            world.answer = (query) => OUTCOMES[denied ? 2 : 0]!.make(query.name, 60);
            await world.ask(world.question(`n${name}.example.org.`));
          }
          const counts = await Promise.all(
            ['success', 'denial'].map(async (type) => ({
              entries: await world.metric(`entries{type="${type}"}`),
              evicted: (await world.metric(`evictions_total{type="${type}"}`)) ?? 0,
            })),
          );
          for (const { entries } of counts) expect(entries).toBeLessThanOrEqual(1024);
          // What was ever put in is still there, or was counted when it left.
          expect(counts.reduce((sum, { entries, evicted }) => sum + entries! + evicted, 0)).toBe(
            await world.metric('misses_total'),
          );
        },
      ),
      { numRuns: 5 },
    );
  });
});
