import { describe, expect, it } from 'vitest';
import { Attempt, Copy, type UpstreamTransport } from '../../src/exchange/attempt.js';
import { ConnectTime } from '../../src/exchange/connect-time.js';
import { closedByPeer, dialError, dialTimeout, readTimeout, transferError } from '../../src/exchange/errors.js';
import { SentOrder } from '../../src/exchange/sent-order.js';
import { SentQueries } from '../../src/exchange/sent-queries.js';
import { query } from '../support/dns.js';

const { bytes, questionEnd } = query('www.example.org.', 'A', { id: 7 });

/** An attempt under way, what is told of it, and what its transport is told. */
function attempt(accept = true): { attempt: Attempt; events: string[]; transport: UpstreamTransport } {
  const events: string[] = [];
  const transport = { forget: () => void events.push('forgotten'), timeout: () => new Error('late') };
  const say =
    (what: string) =>
    (of: Attempt, more?: unknown): boolean => {
      const text = more instanceof Error ? more.message : Buffer.isBuffer(more) ? more.toString() : '';
      events.push(`${of === made ? '' : 'another: '}${what} ${text}`.trim());
      return accept;
    };
  const listener = { replied: say('replied'), failed: say('failed'), mismatched: say('mismatched') };
  const made: Attempt = new Attempt(bytes, questionEnd, { ...listener, doubted: say('doubted') });
  made.transport = transport;
  made.sentAt = 5;
  return { attempt: made, events, transport };
}

describe('an attempt', () => {
  it.each([
    { name: 'that is cancelled is forgotten where it is under way', end: 'cancel', events: ['forgotten'] },
    { name: 'that is abandoned stays there', end: 'abandon', events: [] },
  ] as const)('$name, and nobody waits for it', ({ end, events }) => {
    const made = attempt();
    made.attempt.apartFrom = made.attempt;
    expect(made.attempt.awaited).toBe(true);
    made.attempt[end]();
    expect([made.attempt.awaited, made.events]).toEqual([false, events]);
  });

  it('is fresh at first', () => {
    const { id, caseBits, takenAt, queued, overtaken, repeats, moved, resent } = attempt().attempt;
    expect([id, caseBits, takenAt]).toEqual([0, 0, 0]);
    expect([queued, overtaken, repeats, moved, resent]).toEqual([false, false, false, false, false]);
  });
});

describe('what comes of a copy on a second connection', () => {
  it('is told as if it had come of the attempt, once', () => {
    for (const accept of [true, false]) {
      const { attempt: original, events } = attempt(accept);
      const copy = new Copy(original);
      expect([copy.message, copy.questionEnd, copy.sentAt, copy.awaited]).toEqual([bytes, questionEnd, 5, true]);
      expect(original.copy).toBe(copy);
      copy.receiver!.mismatched(copy);
      expect(copy.receiver!.replied(copy, Buffer.from('answer'), 12)).toBe(accept);
      expect([original.awaited, copy.awaited]).toEqual([false, false]);
      // Nobody waits any more.
      expect(copy.receiver!.replied(copy, Buffer.from('again'), 12)).toBe(true);
      copy.receiver!.mismatched(copy);
      expect(events).toEqual(['mismatched', 'replied answer']);
    }
  });

  it('is not waited for when it is cancelled itself', () => {
    const { attempt: original } = attempt();
    const copy = new Copy(original);
    copy.cancel();
    expect([copy.awaited, original.awaited]).toEqual([false, true]);
  });

  it('is a failure when the attempt has failed too', () => {
    const { attempt: original, events } = attempt();
    const copy = new Copy(original);
    copy.receiver!.failed(copy, new Error('closed'));
    expect([original.copy, events]).toEqual([undefined, []]);
    original.transport = undefined;
    const other = new Copy(original);
    other.receiver!.doubted(other, new Error('perhaps'));
    other.receiver!.failed(other, new Error('closed too'));
    expect([original.copy, events]).toEqual([undefined, ['failed closed too']]);
  });
});

describe('attempts in the order in which they were sent', () => {
  const sent = (count: number): { order: SentOrder; attempts: Attempt[] } => {
    const { transport } = attempt();
    const order = new SentOrder(transport);
    const attempts = Array.from({ length: count }, () => Object.assign(attempt().attempt, { transport }));
    for (const each of attempts) order.add(each);
    return { order, attempts };
  };
  const end = (order: SentOrder, each: Attempt): boolean => {
    each.transport = undefined;
    return order.ended(each, 0);
  };

  it('are known to be overtaken by those behind them', () => {
    const { order, attempts } = sent(4);
    const [first, second, third, fourth] = attempts as [Attempt, Attempt, Attempt, Attempt];
    expect(order.queued()).toEqual([second, third, fourth]);
    expect([end(order, third), first.overtaken, second.overtaken]).toEqual([false, true, false]);
    expect(order.all()).toEqual([first, second, fourth]);
    expect(end(order, first)).toBe(true);
    expect(order.all()).toEqual([second, fourth]);
    expect([end(order, second), end(order, fourth), order.all()]).toEqual([false, false, []]);
  });

  it.each([257, 600])('are all known when %i have ended before them', (count) => {
    for (const backwards of [false, true]) {
      const { order, attempts } = sent(count + 2);
      const gone = attempts.slice(1, -1);
      if (!backwards) end(order, attempts[0]!);
      for (const each of backwards ? gone.reverse() : gone) end(order, each);
      expect(order.all()).toEqual(backwards ? [attempts[0], attempts.at(-1)] : [attempts.at(-1)]);
      expect(order.queued()).toEqual(backwards ? [attempts.at(-1)] : []);
    }
  });

  it('are none when they are cleared', () => {
    const { order } = sent(3);
    order.clear();
    expect([order.all(), order.queued()]).toEqual([[], []]);
  });
});

describe('queries that a socket sent last', () => {
  const other = query('mail.example.org.');
  it('are known by id and question, so many of them', () => {
    const sent = new SentQueries(2);
    expect(sent.has(7, bytes)).toBe(false);
    sent.add(7, bytes, questionEnd);
    const upper = query('WWW.example.ORG.').bytes;
    expect([sent.has(7, bytes), sent.has(8, bytes), sent.has(7, other.bytes), sent.has(7, upper)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    // Nothing is known of the place that is still free.
    expect(sent.has(0, Buffer.alloc(0))).toBe(false);
    sent.add(0xffff, other.bytes, other.questionEnd);
    expect([sent.has(7, bytes), sent.has(0xffff, other.bytes)]).toEqual([true, true]);
    // One letter, or the type, makes another question of it.
    const almost = 'a b c d e f g h i j k l m n o p q r s t u v x y z'
      .split(' ')
      .map((letter) => query(`ww${letter}.example.org.`).bytes);
    for (const type of ['NS', 'AAAA', 'HTTPS']) almost.push(query('www.example.org.', type).bytes);
    sent.add(7, bytes, questionEnd);
    for (const question of almost) expect(sent.has(7, question)).toBe(false);
    sent.add(0xffff, other.bytes, other.questionEnd);
    sent.add(9, bytes, questionEnd);
    expect([sent.has(7, bytes), sent.has(0xffff, other.bytes), sent.has(9, bytes)]).toEqual([false, true, true]);
  });
});

describe('connections are waited for', () => {
  it.each([
    { name: 'for thirty seconds at first', took: [], limit: 30_000 },
    { name: 'for twice what they take, with a memory of what was before', took: [0], limit: 22_500 },
    { name: 'not for less than a second', took: Array<number>(40).fill(1), limit: 1000 },
    { name: 'not for longer than at first', took: [100_000], limit: 30_000 },
  ])('$name', ({ took, limit }) => {
    const time = new ConnectTime();
    took.forEach((each) => time.learn(each));
    expect(time.limit).toBe(limit);
  });
});

describe('an error is said in the words of CoreDNS', () => {
  const at = { address: '10.0.0.1', port: 53 };
  const from = { address: '::1', port: 40_000 };
  const cause = (code: string | undefined, syscall?: string): Error =>
    Object.assign(new Error('raw'), code === undefined ? {} : { code }, syscall === undefined ? {} : { syscall });
  it.each([
    {
      error: dialError('tcp', at, cause('ENETUNREACH')),
      want: 'dial tcp 10.0.0.1:53: connect: network is unreachable',
    },
    { error: dialError('tcp-tls', at, cause('EODD')), want: 'dial tcp 10.0.0.1:53: connect: raw' },
    { error: dialError('udp', at, cause(undefined)), want: 'dial udp 10.0.0.1:53: raw' },
    { error: dialTimeout('https', at), want: 'dial tcp 10.0.0.1:53: i/o timeout' },
    { error: readTimeout('udp', from, at), want: 'read udp [::1]:40000->10.0.0.1:53: i/o timeout' },
    {
      error: transferError('udp', from, at, cause('ECONNREFUSED', 'recvmsg')),
      want: 'read udp [::1]:40000->10.0.0.1:53: read: connection refused',
    },
    {
      error: transferError('udp', from, at, cause('EPERM', 'sendmsg')),
      want: 'write udp [::1]:40000->10.0.0.1:53: write: operation not permitted',
    },
    {
      error: transferError('tcp', from, at, cause('EPIPE', 'write')),
      want: 'write tcp [::1]:40000->10.0.0.1:53: write: broken pipe',
    },
    { error: closedByPeer(true), want: 'unexpected EOF' },
    { error: closedByPeer(false), want: 'EOF' },
  ])('$want', ({ error, want }) => expect(error.message).toBe(want));
});
