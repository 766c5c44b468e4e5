import { describe, expect, it } from 'vitest';
import { Reply, type Query } from '../../../src/chain/index.js';
import { Forward } from '../../../src/plugins/forward/handler.js';
import { OutstandingQuery, OutstandingQueries } from '../../../src/plugins/forward/outstanding.js';
import { hashOf, hashOfQuestion } from '../../../src/plugins/forward/same-question.js';
import { upstreamMessage } from '../../../src/chain/index.js';
import { query } from '../../support/dns.js';

const SEED = 5;
const www = query('www.example.org.', 'A', { id: 1 });

/** The outstanding that a query would have. */
function outstandingOf(
  asked: Query,
  onSettled: (outstanding: OutstandingQuery) => void = () => undefined,
): OutstandingQuery {
  const message = upstreamMessage(asked);
  const question = hashOfQuestion(message, asked.questionEnd, SEED);
  return new OutstandingQuery(
    asked,
    message,
    hashOf(message, asked.questionEnd, question),
    question,
    onSettled,
    () => undefined,
  );
}

describe('a query under way', () => {
  it.each([
    { name: 'the same with another id', other: query('www.example.org.', 'A', { id: 2 }), found: true },
    { name: 'other capitals', other: query('WWW.eXample.org.', 'A', { id: 1 }), found: true },
    { name: 'without RD', other: query('www.example.org.', 'A', { rd: false }), found: true },
    { name: 'another name', other: query('wwx.example.org.'), found: false, apart: false },
    { name: 'another type', other: query('www.example.org.', 'AAAA'), found: false, apart: false },
    { name: 'another flag', other: query('www.example.org.', 'A', { cd: true }), found: false, apart: true },
    { name: 'an OPT record', other: query('www.example.org.', 'A', { edns: 1232 }), found: false, apart: true },
  ])('is found by equals: $name', ({ other, found, apart = false }) => {
    const all = new OutstandingQueries();
    const outstanding = outstandingOf(www);
    all.add(outstanding);
    const second = outstandingOf(other);
    expect(second.hash === outstanding.hash).toBe(found);
    expect(all.find(second.message, other.questionEnd, second.hash)).toBe(found ? outstanding : undefined);
    // Whatever the hash says.
    expect(all.find(second.message, other.questionEnd, outstanding.hash)).toBe(found ? outstanding : undefined);
    if (found) return;
    all.add(second);
    expect([outstanding.apart, second.apart]).toEqual([false, apart]);
  });

  // Letters are told from other bytes that differ by the bit of their case, on both sides of the alphabet.
  it.each([
    { one: 'a@.test.', other: 'a`.test.' },
    { one: 'a[.test.', other: 'a{.test.' },
    { one: 'a^.test.', other: 'a~.test.' },
  ])('is not that for $other where $one is asked for', ({ one, other }) => {
    const [first, second] = [query(one), query(other)];
    const all = new OutstandingQueries();
    all.add(outstandingOf(first));
    const { message, hash } = outstandingOf(second);
    expect(all.find(message, second.questionEnd, hash)).toBeUndefined();
    expect(all.find(message, second.questionEnd, outstandingOf(first).hash)).toBeUndefined();
  });

  it.each([
    { name: 'sizes', one: { edns: 1232 }, other: { edns: 1399 } },
    { name: 'cookies', one: { edns: 1232 }, other: { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8, 1) }] } },
    { name: 'unknown options', one: { edns: 512 }, other: { edns: 0, options: [{ code: 999, data: Buffer.of(1) }] } },
  ])('is joined by those with other $name', ({ one, other }) => {
    const all = new OutstandingQueries();
    const outstanding = outstandingOf(query('www.example.org.', 'A', one));
    all.add(outstanding);
    const asked = query('www.example.org.', 'A', other);
    const { message, hash } = outstandingOf(asked);
    expect(all.find(message, asked.questionEnd, hash)).toBe(outstanding);
  });

  it('has another hash in another process', () => {
    const message = upstreamMessage(www);
    expect(hashOfQuestion(message, www.questionEnd, 1)).not.toBe(hashOfQuestion(message, www.questionEnd, 2));
  });

  it('keeps its place from others with its hash, and loses it when it settles', async () => {
    const all = new OutstandingQueries();
    const settled: OutstandingQuery[] = [];
    const fly = (one: Query): OutstandingQuery =>
      new OutstandingQuery(
        one,
        upstreamMessage(one),
        7,
        7,
        (outstanding) => {
          settled.push(outstanding);
          all.remove(outstanding);
        },
        () => undefined,
      );
    const [first, second] = [fly(www), fly(query('else.example.org.'))];
    const find = ({ message, query: asked }: OutstandingQuery): OutstandingQuery | undefined =>
      all.find(message, asked.questionEnd, 7);
    all.add(first);
    all.add(second);
    expect([find(first), find(second)]).toEqual([first, undefined]);
    const reply = Reply.empty(0);
    second.settle(reply);
    expect(find(first)).toBe(first);
    first.settle(reply);
    expect([find(first), settled]).toEqual([undefined, [second, first]]);
    expect(await first.outcome).toBe(reply);
  });
});

it('hashes begin from a number that each directive draws', () => {
  const draws: number[] = [];
  const random = { uint32: () => draws.push(7) };
  new Forward('.', { random, options: { except: [], maxConcurrent: 0 } } as never, '');
  expect(draws).toEqual([7]);
  const [one, other] = [1, 2].map((seed) => hashOfQuestion(www.bytes, www.questionEnd, seed));
  expect(one).not.toBe(other);
});
