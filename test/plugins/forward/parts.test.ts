import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import { type Query } from '../../../src/chain/index.js';
import { Deadlines } from '../../../src/exchange/index.js';
import { ManualClock } from '../../../src/lib/clock.js';
import type { Random } from '../../../src/lib/random.js';
import { FailureMemory, failureReply, type LookupFailure } from '../../../src/plugins/forward/failures.js';
import { HealthCheck } from '../../../src/plugins/forward/health-check.js';
import { LateAnswer } from '../../../src/plugins/forward/late-answer.js';
import type { LookupSettings } from '../../../src/plugins/forward/lookup-settings.js';
import { policyOf, type PolicyName } from '../../../src/plugins/forward/policy.js';
import { equal, hashOf, hashOfQuestion } from '../../../src/plugins/forward/same-question.js';
import { expandOrTruncate, tellOf, type Try } from '../../../src/plugins/forward/try.js';
import { Flag, decodeMessage } from '../../../src/wire/index.js';
import { query, reply } from '../../support/dns.js';
import { FakeNetwork } from '../../support/fake-network.js';
import { FakeUpstream, goodReply } from '../../support/fake-upstream.js';

/** Numbers from 0 to 1, one after the other and from the beginning again. */
const drawn = (...parts: number[]): Random => {
  let next = 0;
  return { uint32: () => Math.min(2 ** 32 - 1, Math.floor(parts[next++ % parts.length]! * 2 ** 32)) };
};

describe('questions that failed', () => {
  const failure: LookupFailure = { cause: new Error('i/o timeout'), reported: false, gone: false };
  const asked = (name: string) => {
    const { bytes, questionEnd } = query(name);
    return { bytes, questionEnd };
  };
  const one = asked('a.example.');
  const found = (memory: FailureMemory, now: number, lastHeard = -Infinity, { bytes, questionEnd } = one, hash = 1) =>
    memory.find(bytes, questionEnd, hash, now, lastHeard);

  it('are remembered for 1 second, twice as long each time, and 5 at most', () => {
    const memory = new FailureMemory();
    let now = 0;
    for (const pause of [1000, 2000, 4000, 5000, 5000]) {
      memory.add(one.bytes, 1, failure, now);
      expect([found(memory, now + pause - 1), found(memory, now + pause)]).toEqual([
        failureReply(failure, true),
        undefined,
      ]);
      now += pause;
    }
  });

  it.each([
    { after: 9999, pause: 2000 },
    { after: 10_000, pause: 1000 },
  ])('that fail again $after ms after they were forgotten are remembered for $pause ms', ({ after, pause }) => {
    const memory = new FailureMemory();
    memory.add(one.bytes, 1, failure, 0);
    const again = 1000 + after;
    memory.add(one.bytes, 1, failure, again);
    expect([found(memory, again + pause - 1) !== undefined, found(memory, again + pause)]).toEqual([true, undefined]);
  });

  it('are 1,024 at most, and the oldest goes first', () => {
    const memory = new FailureMemory();
    const at = (hash: number) => found(memory, 500, -Infinity, one, hash) !== undefined;
    for (let hash = 0; hash < 1024; hash++) memory.add(one.bytes, hash, failure, 0);
    memory.add(one.bytes, 0, failure, 0);
    expect([memory.size, at(0), at(1)]).toEqual([1024, true, true]);
    memory.add(one.bytes, 1024, failure, 0);
    expect([memory.size, at(0), at(1), at(2), at(1024)]).toEqual([1024, true, false, true, true]);
    memory.forget(0);
    expect([memory.size, at(0)]).toEqual([1023, false]);
    memory.clear();
    expect(memory.size).toBe(0);
  });

  it('are not those of another name with the same hash', () => {
    const memory = new FailureMemory();
    memory.add(one.bytes, 1, failure, 0);
    expect(found(memory, 0, -Infinity, asked('b.example.'))).toBeUndefined();
  });

  it.each([
    { heard: 99, remembered: true },
    { heard: 100, remembered: false },
  ])(
    'where nobody was there are remembered until somebody is: heard at $heard, asked at 100',
    ({ heard, remembered }) => {
      const memory = new FailureMemory();
      memory.add(one.bytes, 1, { ...failure, gone: true }, 100);
      expect(found(memory, 100, heard) !== undefined).toBe(remembered);
    },
  );

  it('have the answer that came late, for 2 seconds', () => {
    const memory = new FailureMemory();
    const late = reply();
    memory.add(one.bytes, 1, failure, 0);
    memory.addLate(asked('a.example.').bytes, 1, reply(), 900);
    memory.addLate(one.bytes, 1, late, 900);
    expect([found(memory, 2899), found(memory, 2900)]).toEqual([late, undefined]);
  });
});

describe('the same question', () => {
  /** FNV-1a as its authors write it down, with a seed. */
  const fnv = (bytes: Uint8Array, seed: number): number =>
    Number(bytes.reduce((hash, byte) => ((hash ^ BigInt(byte)) * 16_777_619n) & 0xffffffffn, BigInt(seed)));
  const message = query('Www.Example.', 'AAAA', { edns: 1232 });
  const { bytes, questionEnd } = message;
  const changed = (at: number, to: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = to;
    return copy;
  };

  it('has the FNV-1a of its question in small letters, and of what stands around it', () => {
    const question = query('www.example.', 'AAAA').bytes.subarray(12);
    const hash = fnv(question, 7);
    expect(hashOfQuestion(bytes, questionEnd, 7) >>> 0).toBe(hash);
    const around = Buffer.concat([bytes.subarray(2, 4), bytes.subarray(questionEnd)]);
    expect(hashOf(bytes, questionEnd, hash) >>> 0).toBe(fnv(around, hash));
  });

  it.each([
    { name: 'another id', other: changed(1, 99), same: true },
    { name: 'another case of letters', other: changed(13, 0x77), same: true },
    { name: 'another flag', other: changed(2, 0), same: false },
    { name: 'another type that differs as letters do', other: changed(questionEnd - 4, 0x20), same: false },
    { name: 'another class', other: changed(questionEnd - 1, 3), same: false },
    { name: 'another size', other: changed(bytes.length - 1, 1), same: false },
    { name: 'no OPT record', other: bytes.subarray(0, questionEnd), same: false },
  ])('with $name is the same: $same', ({ other, same }) => expect(equal(bytes, other, questionEnd)).toBe(same));

  it('tells types apart that differ as letters do', () => {
    const [a, b] = [query('x.', 'TYPE65'), query('x.', 'TYPE97')];
    expect(equal(a.bytes, b.bytes, a.questionEnd)).toBe(false);
    expect(hashOfQuestion(a.bytes, a.questionEnd, 7)).not.toBe(hashOfQuestion(b.bytes, b.questionEnd, 7));
    const [c, d] = [query('x.', 'TYPE16640'), query('x.', 'TYPE24832')];
    expect(equal(c.bytes, d.bytes, c.questionEnd)).toBe(false);
  });
});

describe('the order of upstreams', () => {
  it.each<{ name: string; policy: PolicyName; latencies: (number | undefined)[]; draws: number[]; want: number[] }>([
    { name: 'by chance, the least numbers', policy: 'random', latencies: [1, 1, 1], draws: [0], want: [1, 2, 0] },
    { name: 'by chance, the greatest numbers', policy: 'random', latencies: [1, 1, 1], draws: [1], want: [0, 1, 2] },
    { name: 'by chance of two', policy: 'random', latencies: [1, 1], draws: [0], want: [1, 0] },
    { name: 'below 2 ms all are alike', policy: 'latency', latencies: [0.1, 1.9], draws: [0.6], want: [1, 0] },
    { name: 'above 2 ms they are not', policy: 'latency', latencies: [2, 3.1], draws: [0.6], want: [0, 1] },
    { name: 'half as much again is alike', policy: 'latency', latencies: [10, 15], draws: [0.6], want: [1, 0] },
    { name: 'twice as much has a quarter', policy: 'latency', latencies: [10, 20], draws: [0.79], want: [0, 1] },
    { name: 'twice as much has no less', policy: 'latency', latencies: [10, 20], draws: [0.81], want: [1, 0] },
    { name: 'the slowest has a fiftieth', policy: 'latency', latencies: [10, 1000], draws: [0.985], want: [1, 0] },
    { name: 'and no more', policy: 'latency', latencies: [10, 1000], draws: [0.975], want: [0, 1] },
    { name: 'a draw of just half', policy: 'latency', latencies: [1, 1], draws: [0.5], want: [1, 0] },
    { name: 'each place is drawn', policy: 'latency', latencies: [1, 1, 1], draws: [0, 0.9], want: [0, 2, 1] },
    {
      name: 'what is not known is as quick as the quickest',
      policy: 'latency',
      latencies: [undefined, 100],
      draws: [0.6],
      want: [1, 0],
    },
    { name: 'nothing is known', policy: 'latency', latencies: [undefined, undefined], draws: [0.6], want: [1, 0] },
  ])('$name', ({ policy, latencies, draws, want }) => {
    const list = latencies.map((latency, number) => ({ latency, number }));
    expect(policyOf(policy, drawn(...draws))(list).map(({ number }) => number)).toEqual(want);
  });

  it('takes turns, from the second one on, and has the others as they are listed', () => {
    const list = ['a', 'b', 'c', 'd'].map((name) => ({ latency: 5, name }));
    const order = policyOf('round_robin', drawn(0));
    const turns = Array.from({ length: 5 }, () =>
      order(list)
        .map(({ name }) => name)
        .join(''),
    );
    expect(turns).toEqual(['bacd', 'cabd', 'dabc', 'abcd', 'bacd']);
  });

  it.each<PolicyName>(['random', 'round_robin', 'sequential', 'latency'])(
    'is no question where there is one: %s',
    (policy) => {
      const list = [{ latency: 5 }];
      const never = { uint32: () => expect.fail('nothing is drawn') } as unknown as Random;
      expect(policyOf(policy, never)(list)).toBe(list);
    },
  );
});

describe('an attempt', () => {
  const over = (secure: boolean, https: boolean, stream: boolean) =>
    ({ proxy: { secure, https, address: '10.0.0.1:53' }, stream, sentAt: 3 }) as unknown as Try;
  it.each([
    { name: 'an rcode', attempt: over(false, false, false), outcome: 3, want: { protocol: 'udp', result: 'answered', rcode: 3 } },
    { name: 'nothing in time', attempt: over(false, false, true), outcome: 'timeout' as const, want: { protocol: 'tcp', result: 'timeout' } },
    { name: 'an error', attempt: over(true, false, true), outcome: new Error('reset'), want: { protocol: 'tls', result: 'error', text: 'reset' } },
    { name: 'another one', attempt: over(true, true, true), outcome: 'overtaken' as const, want: { protocol: 'https', result: 'overtaken' } },
  ])('is told of with what came of it: $name', ({ attempt, outcome, want }) => {
    const notes: unknown[] = [];
    tellOf(attempt, { context: { trail: { note: (note: unknown) => notes.push(note) } } } as unknown as Query, 9, outcome);
    const what = { kind: 'attempt', plugin: 'forward', to: '10.0.0.1:53', sent: 3, ended: 9 };
    expect(notes).toEqual([{ ...what, ...want }]);
  }); // prettier-ignore

  const asked = query('a.example.');
  const answer = (flags: number, length?: number): Buffer => {
    const whole = goodReply(decodeMessage(asked.bytes), { rcode: 0 });
    whole.writeUInt16BE(flags, 2);
    return Buffer.from(whole.subarray(0, length ?? whole.length));
  };
  const cut = asked.questionEnd + 8;
  /** Ends with more than its header says. */
  const wrong = (flags: number): Buffer => {
    const bytes = answer(flags);
    bytes.writeUInt16BE(0xffff, bytes.length - 6);
    bytes[asked.questionEnd] = 0x80;
    return bytes;
  };
  it.each([
    { name: 'whole', bytes: answer(0x8180), stream: false, want: { flags: 0x8180, rcode: 0 } },
    { name: 'cut short over UDP', bytes: answer(0x8183, cut), stream: false, want: { flags: 0x8380, rcode: 3 } },
    { name: 'cut short over TCP', bytes: answer(0x8183, cut), stream: true, want: 'refused' },
    { name: 'unreadable over UDP', bytes: wrong(0x8180), stream: false, want: 'refused' },
    { name: 'unreadable behind TC over UDP', bytes: wrong(0x8385), stream: false, want: { flags: 0x8380, rcode: 5 } },
    { name: 'unreadable behind TC over TCP', bytes: wrong(0x8385), stream: true, want: 'refused' },
  ])('that brings a reply that is $name', ({ bytes, stream, want }) => {
    const take = () => {
      try {
        const { flags, rcode } = expandOrTruncate(bytes, asked.questionEnd, stream);
        return { flags, rcode };
      } catch {
        return 'refused';
      }
    };
    expect(take()).toEqual(want);
  });
});

describe('what comes late', () => {
  function waiting(already = 0, tries = 1) {
    const clock = new ManualClock();
    const settings = { deadlines: new Deadlines(clock), late: { waiting: already } };
    const abandoned: number[] = [];
    const attempts = Array.from({ length: tries }, (_, i) => ({ stream: i === 1, abandon: () => abandoned.push(i) }));
    const late: Reply[] = [];
    const outstanding = { late: (answer: Reply) => void late.push(answer) };
    const until = clock.monotonic() + 4000;
    LateAnswer.waitFor(settings as LookupSettings, outstanding, attempts as unknown as Try[], until);
    const receiver = (attempts[0] as unknown as { receiver?: LateAnswer } | undefined)?.receiver;
    const replied = (bytes: Buffer, attempt = 0) =>
      receiver!.replied(attempts[attempt] as unknown as Try, bytes, query('a.example.').questionEnd);
    return { clock, settings, abandoned, late, replied };
  }
  const good = (flags = 0, rcode = 0) =>
    goodReply(decodeMessage(query('a.example.').bytes), { flags: Flag.QR | Flag.RA | flags, rcode });

  it.each([
    { name: 'there are no attempts', already: 0, tries: 0, want: 0 },
    { name: 'there is one', already: 0, tries: 1, want: 1 },
    { name: '255 wait already', already: 255, tries: 1, want: 256 },
    { name: '256 wait already', already: 256, tries: 1, want: 256 },
  ])('is waited for where $name: then $want wait', ({ already, tries, want }) => {
    const { settings } = waiting(already, tries);
    expect([settings.late.waiting, settings.deadlines.size]).toEqual([want, want - already]);
  });

  it('is not waited for any more at the end', () => {
    const { clock, settings, abandoned } = waiting(0, 2);
    clock.advance(3900);
    expect([settings.late.waiting, abandoned]).toEqual([1, []]);
    clock.advance(200);
    expect([settings.late.waiting, abandoned, settings.deadlines.size]).toEqual([0, [0, 1], 0]);
  });

  it.each([
    { name: 'an answer', bytes: good(), attempt: 0, taken: true, ends: true },
    { name: 'a denial', bytes: good(0, 3), attempt: 0, taken: true, ends: true },
    { name: 'an answer cut short', bytes: good(Flag.TC), attempt: 0, taken: true, ends: false },
    { name: 'a failure', bytes: good(0, 2), attempt: 0, taken: true, ends: false },
    { name: 'nonsense over UDP', bytes: good().fill(0xff, 27), attempt: 0, taken: false, ends: false },
    { name: 'nonsense over TCP', bytes: good().fill(0xff, 27), attempt: 1, taken: true, ends: false },
  ])('may be $name: ends the wait $ends', ({ bytes, attempt, taken, ends }) => {
    const { settings, late, replied, abandoned } = waiting(0, 2);
    expect(replied(bytes, attempt)).toBe(taken);
    expect(late.map(({ rcode }) => rcode)).toEqual(ends ? [bytes[3]! & 15] : []);
    expect([settings.late.waiting, settings.deadlines.size]).toEqual(ends ? [0, 0] : [1, 1]);
    expect(abandoned).toEqual(ends ? [0, 1] : []);
  });
});

describe('a health check', () => {
  const TO = { address: '10.0.0.1', port: 53 };
  async function checking(answers: boolean, random = drawn(0)) {
    const network = new FakeNetwork();
    const { clock } = network;
    const upstream = await new FakeUpstream(network, TO).start();
    const state = { answers };
    upstream.answer = (asked) => void (state.answers && asked.reply(goodReply(asked.message)));
    const told: string[] = [];
    const check = new HealthCheck({
      runtime: { network, clock, random },
      to: TO,
      transport: 'udp',
      tls: undefined,
      https: undefined,
      interval: 500,
      recursion: true,
      name: 'check.example.',
      onAlive: () => told.push('alive'),
      onFailed: () => told.push('failed'),
    });
    const begun = clock.monotonic();
    const finding = () => check.finding(clock.monotonic());
    return { network, clock, upstream, state, told, check, begun, finding };
  }

  it('asks for the name, with an id by chance', async () => {
    const { check, clock, upstream, told } = await checking(true, drawn(1));
    check.start();
    await clock.advanceAsync(10);
    expect(upstream.seen.map(({ message }) => message)).toMatchObject([
      {
        ...{ id: 0xffff, flags: Flag.RD, rcode: 0 },
        question: [{ name: 'check.example.', type: 2, class: 1 }],
      },
    ]);
    expect([told, check.fails, clock.pending]).toEqual([['alive'], 0, 0]);
  });

  it('says that an upstream is unanswered after 450 ms, and gone after 1,600', async () => {
    const { check, clock, finding } = await checking(false);
    expect(finding()).toBe('nothing');
    check.start();
    const steps = [];
    for (const time of [449, 1, 1149, 1]) {
      await clock.advanceAsync(time);
      steps.push(finding());
    }
    expect(steps).toEqual(['nothing', 'unanswered', 'unanswered', 'gone']);
    check.stop();
    await clock.advanceAsync(10);
    expect(clock.pending).toBe(0);
  });

  it('counts checks that fail, from when the last was sent, until one is answered', async () => {
    const { check, clock, state, told, begun, finding } = await checking(false);
    check.start();
    check.start();
    await clock.advanceAsync(999);
    expect([check.fails, check.failedFrom]).toEqual([0, -Infinity]);
    await clock.advanceAsync(1);
    expect([check.fails, check.failedFrom]).toEqual([1, begun]);
    await clock.advanceAsync(1500);
    expect([check.fails, check.failedFrom]).toEqual([2, begun + 1500]);
    state.answers = true;
    await clock.advanceAsync(510);
    expect([check.fails, told, finding(), clock.pending]).toEqual([0, ['failed', 'failed', 'alive'], 'nothing', 0]);
    // It can begin anew.
    state.answers = false;
    check.start();
    await clock.advanceAsync(1000);
    expect(check.fails).toBe(1);
    check.stop();
  });

  it('goes on where another process was', async () => {
    const { check, clock, begun } = await checking(true);
    check.goOn(3);
    expect([check.fails, check.failedFrom]).toEqual([3, begun]);
    await clock.advanceAsync(10);
    expect(check.fails).toBe(0);
  });

  it('is over once it is stopped', async () => {
    const { check, clock, upstream } = await checking(false);
    check.stop();
    check.start();
    await clock.advanceAsync(2000);
    expect([upstream.seen.length, clock.pending]).toEqual([0, 0]);
  });
});
