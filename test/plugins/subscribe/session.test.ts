import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import type { Random } from '../../../src/lib/random.js';
import { SubscriberSession, type SessionEnd } from '../../../src/plugins/subscribe/session.js';
import { Subscription } from '../../../src/plugins/subscribe/subscription.js';
import {
  DsoType,
  FrameReader,
  decodeDso,
  dsoTime,
  encodeDso,
  encodeName,
  frame,
  pushMessages,
  type DsoMessage,
} from '../../../src/wire/index.js';
import { TestLog } from '../../support/block.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const always = (value: number): Random => ({ uint32: () => value });
const LEAST = always(0);
const MOST = always(0xffffffff);

/** The connection to an upstream: what it was sent, and what it says. */
class Upstream extends Duplex {
  readonly got: DsoMessage[] = [];
  private readonly frames = new FrameReader();

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.frames.push(chunk);
    for (let bytes = this.frames.next(); bytes !== undefined; bytes = this.frames.next())
      this.got.push(decodeDso(bytes));
    done();
  }

  async say(...messages: Uint8Array[]): Promise<void> {
    this.push(Buffer.concat(messages.map((message) => frame(message))));
    await settled();
  }

  /** Says yes to all that it was asked. */
  accept(): Promise<void> {
    return this.say(...this.got.map(({ id }) => response(id)));
  }
}

const response = (id: number, rcode = 0, ...tlvs: DsoMessage['tlvs']): Buffer =>
  encodeDso({ id, response: true, rcode, tlvs }, 0);
const comeAgain = (time: number) => ({ type: DsoType.RetryDelay, data: dsoTime(time) });
const unasked = (tlv: DsoMessage['tlvs'][number]): Buffer =>
  encodeDso({ id: 0, response: false, rcode: 0, tlvs: [tlv] }, 0);
const namesIn = (zone: string, count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.${zone}`);

function began(zones = ['a.', 'b.'], random = LEAST) {
  const clock = new ManualClock();
  // At the beginning of a second.
  clock.advance(1000 - (clock.monotonic() % 1000));
  const upstream = new Upstream();
  const subscribed: string[] = [];
  const changed: (readonly string[])[] = [];
  let end: SessionEnd | undefined;
  const session = new SubscriberSession(upstream, zones, clock, random, {
    subscribed: (zone) => subscribed.push(zone),
    changed: (names) => changed.push(names),
  });
  void session.ended.then((how) => (end = how));
  return { clock, upstream, session, subscribed, changed, ended: () => end };
}

describe('a session', () => {
  it.each([
    { name: 'the least', random: LEAST, first: 1 },
    { name: 'the most', random: MOST, first: 0x7000 },
  ])('asks for each zone, then every 15 seconds for a sign of life: ids from $name', async ({ random, first }) => {
    const { upstream, clock } = began(['a.', 'b.'], random);
    const asked = (id: number, type: number, data: Uint8Array) => ({
      ...{ id, response: false, rcode: 0 },
      tlvs: [{ type, data: Buffer.from(data) }],
    });
    const plain = () =>
      upstream.got.map(({ tlvs, ...more }) => ({
        ...more,
        tlvs: tlvs.map(({ type, data }) => ({ type, data: Buffer.from(data) })),
      }));
    const zones = ['a.', 'b.'].map((zone, i) => asked(first + i, DsoType.SubscribeZone, encodeName(zone)));
    expect(plain()).toEqual(zones);
    await upstream.accept();
    clock.advance(14_999);
    expect(plain()).toEqual(zones);
    clock.advance(1);
    const life = asked(first + 2, DsoType.KeepAlive, Buffer.concat([dsoTime(15_000), dsoTime(15_000)]));
    expect(plain()).toEqual([...zones, life]);
  });

  it.each([
    { name: 'all', answered: [], end: { kind: 'refused', text: 'the upstream does not answer' } },
    { name: 'the second', answered: [1], end: { kind: 'lost', text: 'the upstream does not answer' } },
    { name: 'none', answered: [1, 2], end: undefined },
  ])('has to be answered within 5 seconds: $name are not', async ({ answered, end }) => {
    const { upstream, clock, ended } = began();
    await upstream.say(...answered.map((id) => response(id)));
    clock.advance(4999);
    await settled();
    expect(ended()).toBeUndefined();
    clock.advance(1);
    await settled();
    expect(ended()).toEqual(end);
  });

  it.each([
    { name: 'answered in time', time: 4999, end: undefined },
    { name: 'not', time: 5000, end: { kind: 'lost', text: 'the upstream does not answer' } },
  ])('has its signs of life answered: $name', async ({ time, end }) => {
    const { upstream, clock, ended } = began();
    await upstream.accept();
    clock.advance(15_000 + time);
    await upstream.say(response(3));
    clock.advance(2);
    await settled();
    expect(ended()).toEqual(end);
  });

  it.each<{
    name: string;
    before?: (upstream: Upstream) => Promise<void>;
    how: (upstream: Upstream) => void;
    end: object;
  }>([
    {
      name: 'with an error',
      how: (upstream) => upstream.destroy(new Error('reset')),
      end: { kind: 'lost', text: 'reset' },
    },
    { name: 'by us', how: (upstream) => upstream.destroy(), end: { kind: 'lost', text: 'the connection is closed' } },
    {
      name: 'by the upstream',
      how: (upstream) => upstream.push(null),
      end: { kind: 'lost', text: 'the upstream has closed the connection' },
    },
    {
      name: 'before anything was said',
      before: () => Promise.resolve(),
      how: (upstream) => upstream.destroy(),
      end: { kind: 'refused', text: 'the connection is closed' },
    },
    {
      name: 'after a time to come again',
      before: (upstream) => upstream.accept().then(() => upstream.say(unasked(comeAgain(7000)))),
      how: (upstream) => upstream.destroy(),
      end: { kind: 'lost', text: 'sent away', retryAfter: 7000 },
    },
    {
      name: 'after one zone of two was refused, and the other not',
      before: (upstream) => upstream.say(response(1, 5), response(2)),
      how: (upstream) => upstream.destroy(),
      end: { kind: 'lost', text: 'the connection is closed' },
    },
  ])('ends where the connection is closed $name', async ({ before = (upstream) => upstream.accept(), how, end }) => {
    const { upstream, clock, ended } = began();
    await before(upstream);
    how(upstream);
    await settled();
    expect(ended()).toEqual(end);
    expect([clock.pending, upstream.destroyed]).toEqual([0, true]);
  });

  it.each([
    { name: 'all zones', zones: ['a.'], answers: [response(1, 9)], end: { kind: 'refused', text: 'NOTAUTH' } },
    {
      name: 'all zones for a while',
      zones: ['a.'],
      answers: [response(1, 2, comeAgain(20_000))],
      end: { kind: 'refused', text: 'SERVFAIL', retryAfter: 20_000 },
    },
    {
      name: 'what is no time',
      zones: ['a.'],
      answers: [response(1), unasked({ type: DsoType.RetryDelay, data: Buffer.alloc(5) })],
      end: { kind: 'misused', text: expect.stringMatching(/^a time of other than 4 bytes.*\b0\b|4 bytes$/) as string },
    },
  ])('ends where the upstream refuses $name', async ({ zones, answers, end }) => {
    const { upstream, ended } = began(zones);
    await upstream.say(...answers);
    expect(ended()).toEqual(end);
  });

  it('tells nothing more once it is over', async () => {
    const { upstream, changed, ended } = began();
    await upstream.accept();
    await upstream.say(...pushMessages(['x.'], 0), ...pushMessages(['n.a.'], 0));
    expect([changed, ended()?.kind]).toEqual([[], 'misused']);
  });

  it.each([
    { names: 1024, told: Array(1024).fill('a.') },
    { names: 1025, told: ['a.', 'b.'] },
  ])('tells of $names names at once as of themselves up to 1024, else as of its zones', async ({ names, told }) => {
    const { upstream, changed } = began();
    await upstream.accept();
    const messages = pushMessages(Array<string>(names).fill('a.'), 0);
    await upstream.say(...messages);
    expect([messages.length, changed]).toEqual([1, [told]]);
  });

  it.each([
    { name: '20,000 names at once', pauses: [0], counts: [20_000], kind: undefined },
    { name: 'one more', pauses: [0], counts: [20_001], kind: 'misused' },
    { name: 'more in two parts of a second', pauses: [0, 999], counts: [15_000, 5001], kind: 'misused' },
    { name: 'as many in two parts of a second', pauses: [0, 999], counts: [15_000, 5000], kind: undefined },
    { name: 'more in two seconds', pauses: [0, 1000], counts: [15_000, 15_000], kind: undefined },
  ])('takes no more than 20,000 names a second: $name', async ({ pauses, counts, kind }) => {
    const { upstream, clock, ended } = began();
    await upstream.accept();
    for (const [i, pause] of pauses.entries()) {
      clock.advance(pause);
      await upstream.say(...pushMessages(namesIn('a.', counts[i]!), 0));
    }
    expect(ended()?.kind).toBe(kind);
  });
});

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A subscription to an upstream that does with each attempt what the test says. */
function subscribed(
  connect: (signal: AbortSignal, attempt: number) => Promise<Duplex>,
  { random = LEAST, settle = 1000 } = {},
) {
  const clock = new ManualClock();
  const log = new TestLog();
  const ended: string[] = [];
  const told: string[] = [];
  const attempts: number[] = [];
  const begun = clock.monotonic();
  const upstream = {
    label: '10.0.0.53:53',
    connect: (signal: AbortSignal) => connect(signal, attempts.push(clock.monotonic() - begun)),
  };
  const taker = {
    expectChanges: () => undefined,
    namesChanged: (names: readonly string[]) => void told.push(names.join(' ')),
  };
  const metrics = {
    active: { set: () => undefined },
    changes: { inc: () => undefined },
    ended: (kind: string) => ended.push(kind),
  };
  const parts = { zones: ['a.'], settle, takers: [taker], clock, random, log };
  const subscription = new Subscription(upstream, parts, metrics as never);
  stops.push(() => subscription.stop());
  subscription.start();
  return { clock, log, ended, told, attempts, stop: () => subscription.stop() };
}
const refuses = () => Promise.reject(new Error('ECONNREFUSED'));
const pausesOf = (attempts: readonly number[]): number[] => attempts.slice(1).map((at, i) => at - attempts[i]!);

describe('a subscription', () => {
  it('pauses up to a second after a loss, twice as long after each further one, half a minute at most', async () => {
    const { clock, attempts, ended, log } = subscribed(refuses, { random: MOST });
    await clock.advanceAsync(100_000);
    expect(pausesOf(attempts)).toEqual([999, 1999, 3999, 7999, 15_999, 29_999, 29_999]);
    expect(ended).toEqual(Array(8).fill('lost'));
    expect(log.lines[0]).toBe('[DEBUG] 10.0.0.53:53: ECONNREFUSED; what was answered is kept for its TTL');
    // Nothing of the attempts is left but the pause.
    expect(clock.pending).toBe(1);
  });

  it('begins with short pauses again once it was told', async () => {
    const { clock, attempts } = subscribed(
      async (_signal, attempt) => {
        if (attempt !== 3) return refuses();
        const upstream = new Upstream();
        void settled()
          .then(() => upstream.accept())
          .then(() => upstream.destroy());
        return Promise.resolve(upstream);
      },
      { random: MOST },
    );
    for (let i = 0; i < 6; i++) {
      await clock.advanceAsync(1000);
      await settled();
      await settled();
    }
    // The session itself lasts 2 ms.
    expect(pausesOf(attempts)).toEqual([999, 1999, 2 + 999, 1999]);
  });

  it('gives a connection 5 seconds', async () => {
    const signals: AbortSignal[] = [];
    const { clock, ended } = subscribed((signal) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    }, { random: MOST }); // prettier-ignore
    await clock.advanceAsync(4999);
    expect([signals[0]!.aborted, ended]).toEqual([false, []]);
    await clock.advanceAsync(1);
    expect([signals[0]!.aborted, ended]).toEqual([true, ['lost']]);
  });

  it('lets a connection be that it has', async () => {
    const signals: AbortSignal[] = [];
    const upstream = new Upstream();
    const { clock } = subscribed((signal) => {
      signals.push(signal);
      return Promise.resolve(upstream);
    });
    await clock.advanceAsync(0);
    await upstream.accept();
    await clock.advanceAsync(10_000);
    expect([signals[0]!.aborted, upstream.destroyed]).toEqual([false, false]);
  });

  it.each([
    { name: 'five minutes and up to a second', tlvs: [], pause: 300_999 },
    { name: 'as long as it says', tlvs: [comeAgain(20_000)], pause: 20_999 },
    { name: 'five minutes where it says longer', tlvs: [comeAgain(400_000)], pause: 300_999 },
  ])('leaves who refuses alone for $name', async ({ tlvs, pause }) => {
    const { clock, attempts, ended, log } = subscribed(
      () => {
        const upstream = new Upstream();
        void settled().then(() => upstream.say(response(upstream.got[0]!.id, 2, ...tlvs)));
        return Promise.resolve(upstream);
      },
      { random: MOST },
    );
    for (let i = 0; i < 3; i++) {
      await clock.advanceAsync(0);
      for (let round = 0; round < 3; round++) await settled();
      await clock.advanceAsync(pause);
    }
    expect(pausesOf(attempts)).toEqual([pause, pause, pause]);
    expect(ended).toEqual(Array(3).fill('refused'));
    expect(log.lines).toEqual([
      '[INFO] 10.0.0.53:53 does not tell of changes (SERVFAIL): answers are kept for their TTL',
    ]);
  });

  it('says anew that it is refused after it was told', async () => {
    const { clock, log } = subscribed(async (_signal, attempt) => {
      const upstream = new Upstream();
      void settled().then(() => (attempt === 2 ? upstream.accept() : upstream.say(response(upstream.got[0]!.id, 5))));
      void settled().then(settled).then(() => upstream.destroy()); // prettier-ignore
      return Promise.resolve(upstream);
    });
    for (let i = 0; i < 4; i++) {
      await clock.advanceAsync(0);
      for (let round = 0; round < 4; round++) await settled();
      await clock.advanceAsync(300_000);
    }
    expect(log.lines.map((line) => line.split(' ').slice(0, 4).join(' ')).slice(0, 4)).toEqual([
      '[INFO] 10.0.0.53:53 does not',
      '[INFO] 10.0.0.53:53 tells of',
      '[DEBUG] 10.0.0.53:53: the connection',
      '[INFO] 10.0.0.53:53 does not',
    ]);
  });

  it.each([
    { name: 'at least as long as it says', time: 20_000, pause: 20_000 },
    { name: 'five minutes where it says longer', time: 400_000, pause: 300_000 },
    { name: 'not at all where it says nothing', time: undefined, pause: 0 },
  ])('stays away from who sends it away $name', async ({ time, pause }) => {
    const { clock, attempts } = subscribed((_signal, attempt) => {
      const upstream = new Upstream();
      if (attempt > 1) return new Promise(() => undefined);
      void settled()
        .then(() => upstream.accept())
        .then(() => (time === undefined ? undefined : upstream.say(unasked(comeAgain(time)))))
        .then(() => upstream.destroy());
      return Promise.resolve(upstream);
    });
    await clock.advanceAsync(0);
    for (let round = 0; round < 6; round++) await settled();
    await clock.advanceAsync(Math.max(0, pause - 1));
    expect(attempts.length).toBe(pause === 0 ? 2 : 1);
    await clock.advanceAsync(1);
    expect(attempts.length).toBe(2);
  });

  it.each([
    { settle: 0, told: ['a.', 'n.a.'], later: [] },
    { settle: 1, told: ['a.', 'n.a.'], later: ['n.a.'] },
    { settle: 1000, told: ['a.', 'n.a.'], later: ['n.a.'] },
  ])('tells of a change at once, and again after $settle ms', async ({ settle, told: first, later }) => {
    const upstream = new Upstream();
    const { clock, told } = subscribed(() => Promise.resolve(upstream), { settle });
    await clock.advanceAsync(0);
    await upstream.accept();
    await upstream.say(...pushMessages(['n.a.'], 0));
    await clock.advanceAsync(Math.max(0, settle - 1));
    expect(told).toEqual(first);
    await clock.advanceAsync(1);
    expect(told).toEqual([...first, ...later]);
  });

  it.each([
    { name: 'in a pause', connect: refuses },
    { name: 'while it connects', connect: () => new Promise<Duplex>(() => undefined) },
  ])('ends with the configuration $name', async ({ connect }) => {
    const { clock, log, attempts, stop } = subscribed(connect, { random: MOST });
    await clock.advanceAsync(0);
    stop();
    await clock.advanceAsync(100_000);
    expect(attempts).toEqual([0]);
    expect(log.lines.filter((line) => !line.startsWith('[DEBUG]'))).toEqual([]);
  });

  it('ends its session and what has to settle with the configuration', async () => {
    const upstream = new Upstream();
    const { clock, told, ended, stop } = subscribed(() => Promise.resolve(upstream));
    await clock.advanceAsync(0);
    await upstream.accept();
    await upstream.say(...pushMessages(['n.a.'], 0));
    stop();
    await settled();
    expect([upstream.destroyed, clock.pending, ended]).toEqual([true, 0, []]);
    expect(told).toEqual(['a.', 'n.a.']);
  });

  it('ends a session for which the connection came too late', async () => {
    const upstream = new Upstream();
    const { clock, stop } = subscribed(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(upstream))),
    );
    await clock.advanceAsync(0);
    stop();
    await settled();
    expect([upstream.destroyed, clock.pending]).toEqual([true, 0]);
  });

  it('says what is wrong with the program itself', async () => {
    const random = { uint32: () => { throw new Error('no randomness'); } } as unknown as Random; // prettier-ignore
    const { clock, log } = subscribed(refuses, { random });
    await clock.advanceAsync(0);
    expect(log.lines).toEqual(['[ERROR] Error: no randomness']);
  });
});
