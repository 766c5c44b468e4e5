import { beforeEach, describe, expect, it } from 'vitest';
import { Reply, ReplyLease, type Query } from '../../src/chain/index.js';
import { QueryKey } from '../../src/fastpath/query-key.js';
import { SharedAnswerCache, rotationOf } from '../../src/fastpath/shared-answer-cache.js';
import { sharedNow } from '../../src/fastpath/shared-clock.js';
import { MAX_NETWORKS, SLAB } from '../../src/fastpath/table-layout.js';
import type { AnswerTableWriter } from '../../src/fastpath/table-writer.js';
import { parseIp } from '../../src/lib/cidr.js';
import { ManualClock } from '../../src/lib/clock.js';
import { Flag, Rcode, encodeRecords } from '../../src/wire/index.js';
import { query, rrs } from '../support/dns.js';
import { table } from '../support/shared-answer.js';

const A = ['www.example.org. 30 IN A 192.0.2.1'];
const www = query('www.example.org.');

let clock: ManualClock;
let answers: AnswerTableWriter;
let cache: SharedAnswerCache;
let counted: string[];

beforeEach(() => {
  clock = new ManualClock(1_000_000);
  answers = table(8);
  cache = new SharedAnswerCache(answers, clock);
  counted = [];
});

const encoded = (...texts: string[]): ReturnType<typeof encodeRecords> =>
  encodeRecords({ answer: rrs(...texts), authority: [], additional: [] });
const forever = (): ReplyLease => new ReplyLease(Infinity);
const made = (lease?: ReplyLease, texts = A, ttl?: number): Reply =>
  Reply.ofRecords(Flag.AA, Rcode.NOERROR, encoded(...texts), ttl, undefined, lease);
const offer = (asked: Query, reply: Reply, who = 'chain', server = 0): void =>
  cache.offer(asked, reply, server, () => [(plain, edns) => void counted.push(`${who} ${plain}+${edns}`)]);

function slotOf(asked: Query, at = sharedNow(), server = 0): number {
  const key = new QueryKey();
  key.read(asked.bytes, 0, asked.bytes.length, asked.family === 6, server);
  return answers.find(key, at);
}

function ttlAt(later: number): number {
  const target = Buffer.alloc(1024);
  const length = answers.copy(slotOf(www), target, 0, www.bytes, 12, www.questionEnd, sharedNow() + later);
  return target.subarray(0, length).readUInt32BE(length - 10);
}

describe('a reply', () => {
  it('with a lease is kept, and found for the same question at the same address', () => {
    offer(www, made(forever()), 'chain', 2);
    expect(cache.size).toBe(1);
    expect(slotOf(www, sharedNow(), 2)).toBeGreaterThanOrEqual(0);
    expect(slotOf(www, sharedNow(), 1)).toBe(-1);
  });

  const ended = forever();
  ended.revoke();
  it.each([
    { name: 'without a lease', reply: made() },
    { name: 'whose lease was revoked meanwhile', reply: made(ended) },
    { name: 'whose time is over', reply: made(new ReplyLease(1_000_000)) },
    {
      name: 'that is cut short',
      reply: made(forever())
        .withHeader({ flags: Flag.AA | Flag.TC })
        .withLease(forever()),
    },
    {
      name: 'with an rcode that needs an OPT record',
      reply: Reply.ofRecords(0, Rcode.BADVERS, encoded(), undefined, undefined, forever()),
    },
    {
      name: 'with an OPT record of its own',
      reply: Reply.ofRecords(
        0,
        0,
        encoded(),
        undefined,
        { udpSize: 1232, version: 0, do: false, options: [] },
        forever(),
      ),
    },
    {
      name: 'that is too long',
      reply: made(
        forever(),
        Array.from({ length: 17 }, (_, i) => `www.example.org. 30 IN A 192.0.2.${i}`),
      ),
    },
  ])('$name is not', ({ reply }) => {
    offer(www, reply);
    expect(cache.size).toBe(0);
  });

  it.each([
    { name: 'a name with capitals that it may show', asked: query('Www.example.org.') },
    {
      name: 'options',
      asked: query('www.example.org.', 'A', { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8) }] }),
    },
  ])('to a query with $name is not', ({ asked }) => {
    offer(asked, made(forever()));
    expect(cache.size).toBe(0);
  });

  it('to a name with capitals in each label is kept for every spelling where it shows none of them', () => {
    offer(query('WwW.eXample.oRG.'), made(forever(), ['other.example.net. 30 IN A 192.0.2.1']));
    expect([slotOf(www), slotOf(query('wwW.example.org.'))]).toEqual([slotOf(query('WWW.example.org.')), slotOf(www)]);
    expect(slotOf(www)).toBeGreaterThan(0);
    offer(query('Net.Example.Net.'), made(forever(), ['Net.Example.Net. 30 IN A 192.0.2.1']));
    expect(slotOf(query('net.example.net.'))).toBe(-1);
  });

  it.each([
    { name: 'in capitals', asked: query('Www.example.org.') },
    { name: 'without', asked: www },
  ])('of a maker that gives every spelling the same is kept for all of them, first asked $name', ({ asked }) => {
    class Kept extends ReplyLease {
      override get everySpelling(): boolean {
        return true;
      }
    }
    offer(asked, made(new Kept(Infinity), ['Www.example.org. 30 IN A 192.0.2.1']));
    const slots = [www, query('wwW.example.org.'), query('Www.example.org.')].map((other) => slotOf(other));
    expect(slots[0]).toBeGreaterThan(0);
    expect(new Set(slots).size).toBe(1);
  });

  it('whose owners repeat the name is kept for every spelling', () => {
    const asked = query('WwW.eXample.oRG.');
    const records = { ...encoded('WwW.eXample.oRG. 30 IN A 192.0.2.1'), owners: [0] };
    offer(asked, Reply.ofRecords(Flag.AA, 0, records, undefined, undefined, forever()));
    const target = Buffer.alloc(512);
    const other = query('wwW.exampLe.org.');
    const length = answers.copy(slotOf(other), target, 0, other.bytes, 12, other.questionEnd, sharedNow(), true);
    expect(target.subarray(0, length).toString('latin1')).toContain(
      '\x03wwW\x07exampLe\x03org\0\0\x01\0\x01\0\0\0\x1e',
    );
    expect(Buffer.from(records.bytes).includes('WwW')).toBe(true);
  });

  it('to an IPv6 client is kept for those', () => {
    const from6 = query('www.example.org.', 'A', { remote: '2001:db8::1' });
    offer(from6, made(forever()));
    expect([slotOf(www), slotOf(from6) >= 0]).toEqual([-1, true]);
  });

  it('has no flags of the query', () => {
    offer(www, made(forever()));
    expect(answers.flags(slotOf(www))).toBe(Flag.QR | Flag.AA);
  });
});

describe('TTLs', () => {
  it('count down from when the reply was stored', () => {
    offer(www, made(new ReplyLease(clock.monotonic() + 20_000, { ttl: 30, from: clock.monotonic() - 10_000 })));
    expect([ttlAt(0), ttlAt(5000)]).toEqual([20, 15]);
  });

  it('stay as they are without a countdown', () => {
    offer(www, made(forever()));
    expect([ttlAt(0), ttlAt(60_000)]).toEqual([30, 30]);
  });

  it('are those that the reply says, without a change to its records', () => {
    const reply = made(forever(), A, 5);
    offer(www, reply);
    expect([ttlAt(0), ttlAt(60_000)]).toEqual([5, 5]);
    expect(reply.records.bytes).toEqual(encoded(...A).bytes);
  });

  it('end with the lease', () => {
    offer(www, made(new ReplyLease(clock.monotonic() + 30_000)));
    // The clock of the table runs on meanwhile.
    expect([slotOf(www) >= 0, slotOf(www, sharedNow() + 60_000)]).toEqual([true, -1]);
  });
});

describe('a lease that is revoked', () => {
  it('takes all its replies out, and no other', () => {
    const shared = forever();
    const names = ['a.example.org.', 'b.example.org.', 'c.example.org.'].map((name) => query(name));
    names.forEach((asked) => offer(asked, made(shared, [])));
    offer(www, made(forever()));
    shared.revoke();
    expect(names.map((asked) => slotOf(asked))).toEqual([-1, -1, -1]);
    expect([slotOf(www) >= 0, cache.size]).toEqual([true, 1]);
  });

  it('does not take out what has taken the place of its reply', () => {
    const first = forever();
    offer(www, made(first));
    offer(www, made(forever()));
    first.revoke();
    expect([slotOf(www) >= 0, cache.size]).toEqual([true, 1]);
  });

  it('hands its hits on', () => {
    const lease = forever();
    offer(www, made(lease));
    answers.count(slotOf(www), false);
    lease.revoke();
    expect(counted).toEqual(['chain 1+0']);
  });
});

describe('hits', () => {
  it('are told within a second, once, to those who count', () => {
    offer(www, made(forever()));
    [false, false, true].forEach((edns) => answers.count(slotOf(www), edns));
    clock.advance(999);
    expect(counted).toEqual([]);
    clock.advance(1);
    expect(counted).toEqual(['chain 2+1']);
    cache.harvest();
    expect(counted).toEqual(['chain 2+1']);
  });

  it('of an answer that is replaced go to its own chain', () => {
    offer(www, made(forever()), 'old');
    answers.count(slotOf(www), false);
    offer(www, made(forever()), 'new');
    answers.count(slotOf(www), true);
    cache.harvest();
    expect(counted).toEqual(['old 1+0', 'new 0+1']);
  });

  it('are told at the end', () => {
    offer(www, made(forever()));
    answers.count(slotOf(www), false);
    cache.stop();
    expect(counted).toEqual(['chain 1+0']);
    expect(clock.pending).toBe(0);
  });
});

describe('leaving', () => {
  it('all leave with the chains that made them', () => {
    const lease = forever();
    offer(www, made(lease));
    answers.count(slotOf(www), true);
    cache.clear();
    expect([cache.size, slotOf(www)]).toEqual([0, -1]);
    expect(counted).toEqual(['chain 0+1']);
    lease.revoke();
    cache.harvest();
    expect(counted).toEqual(['chain 0+1']);
  });

  it('what has expired leaves with the next harvest, its last hits counted', () => {
    offer(www, made(new ReplyLease(clock.monotonic() + 500)));
    answers.count(slotOf(www), false);
    clock.advance(1000);
    expect(cache.size).toBe(0);
    expect(counted).toEqual(['chain 1+0']);
  });

  it('is what random names come to: neither answers nor holders of a lease grow beyond the table', () => {
    cache = new SharedAnswerCache(table(), clock);
    const shared = forever();
    for (let i = 0; i < 2000; i++) offer(query(`${i}.example.org.`), made(shared, []));
    expect(cache.size).toBeLessThanOrEqual(SLAB / 128);
    let withdrawn = 0;
    const withdrawAll = cache.withdrawAll.bind(cache);
    cache.withdrawAll = (slots) => {
      withdrawn += slots.size;
      withdrawAll(slots);
    };
    shared.revoke();
    expect(withdrawn).toBeLessThanOrEqual(SLAB / 128);
    expect(cache.size).toBe(0);
  });

  it.each([
    { name: 'a lease of all of them ends', end: (lease: ReplyLease) => lease.revoke() },
    { name: 'the chains that made them do', end: () => cache.clear() },
  ])('of many takes some harvests, but none is given from the moment on that $name', ({ end }) => {
    answers = table(64);
    cache = new SharedAnswerCache(answers, clock);
    const lease = forever();
    const names = Array.from({ length: 5000 }, (_, i) => query(`${i}.example.org.`));
    for (const name of names) offer(name, made(lease, []));
    answers.count(slotOf(names[7]!), true);
    expect(cache.size).toBe(5000);
    end(lease);
    expect(names.filter((name) => slotOf(name) >= 0)).toEqual([]);
    offer(names[9]!, made(forever(), []), 'next');
    clock.advance(3000);
    expect([cache.size, slotOf(names[9]!) >= 0, counted]).toEqual([1, true, ['chain 0+1']]);
  });
});

describe('rotation', () => {
  const cname = 'www.example.org. 30 IN CNAME a.example.org.';
  const a = (n: number): string => `a.example.org. 30 IN A 192.0.2.${n}`;
  const aaaa = (n: number): string => `a.example.org. 30 IN AAAA 2001:db8::${n}`;
  it.each([
    { name: 'of addresses', texts: [a(1), a(2), a(3)], want: { start: 0, size: 29, count: 3 } },
    {
      name: 'behind an alias',
      texts: [cname, a(1), a(2)],
      want: { start: encoded(cname).bytes.length, size: 29, count: 2 },
    },
    { name: 'of IPv6 addresses', texts: [aaaa(1), aaaa(2)], want: { start: 0, size: 41, count: 2 } },
    {
      name: 'of the longer run',
      texts: [a(1), a(2), aaaa(1), aaaa(2), aaaa(3)],
      want: { start: 58, size: 41, count: 3 },
    },
    { name: 'of one address', texts: [a(1)], want: undefined },
    { name: 'of none', texts: [], want: undefined },
    { name: 'of one of each family', texts: [a(1), aaaa(1)], want: undefined },
    {
      name: 'of services, whose order means nothing either, but which differ in length',
      texts: ['x. 30 IN SRV 0 0 80 a.', 'x. 30 IN SRV 0 0 80 bb.'],
      want: undefined,
    },
  ])('$name', ({ texts, want }) => {
    expect(rotationOf(encoded(...texts))).toEqual(want);
  });

  it('is only for replies whose order is free', () => {
    const records = encoded(a(1), a(2));
    const order = (): number => {
      const target = Buffer.alloc(1024);
      return target[answers.copy(slotOf(www), target, 0, www.bytes, 12, www.questionEnd, sharedNow()) - 1]!;
    };
    offer(www, Reply.ofRecords(0, 0, records, undefined, undefined, forever()));
    expect(new Set([order(), order(), order()]).size).toBe(1);
    offer(www, Reply.ofRecords(0, 0, records, undefined, undefined, forever()).withOrder(records));
    expect(new Set([order(), order()]).size).toBe(2);
  });
});

describe('answers that clients of one network share', () => {
  const from = (remote: string): Query => query('www.example.org.', 'A', { remote });
  const found = (asked: Query): boolean => {
    const key = new QueryKey();
    key.read(asked.bytes, 0, asked.bytes.length, asked.family === 6);
    const bits = answers.networkBits(0, asked.family === 6);
    if (bits > 0) key.addNetwork(parseIp(asked.client.remote.address)!, 0, bits);
    return answers.find(key, sharedNow()) >= 0;
  };

  it('are found for those, and for nobody else', () => {
    cache.keepApart(0, { ipv4: 24, ipv6: 64 });
    offer(from('192.0.2.1'), made(forever()));
    expect(['192.0.2.1', '192.0.2.200', '192.0.3.1'].map((remote) => found(from(remote)))).toEqual([true, true, false]);
  });

  it('are found for all once they are no longer kept apart', () => {
    cache.keepApart(0, { ipv4: 32, ipv6: 128 });
    cache.keepApart(0, undefined);
    offer(from('192.0.2.1'), made(forever()));
    expect(found(from('198.51.100.1'))).toBe(true);
  });

  it('are not kept where the table has no place for the networks', () => {
    cache.keepApart(MAX_NETWORKS, { ipv4: 24, ipv6: 64 });
    offer(www, made(forever()), 'chain', MAX_NETWORKS);
    expect(cache.size).toBe(0);
    expect([false, true].map((ipv6) => answers.networkBits(MAX_NETWORKS, ipv6))).toEqual([0, 0]);
    cache.keepApart(MAX_NETWORKS, undefined);
    offer(www, made(forever()), 'chain', MAX_NETWORKS);
    expect(cache.size).toBe(1);
  });

  it('are not kept where the client is not known by its address', () => {
    cache.keepApart(0, { ipv4: 24, ipv6: 64 });
    offer(from('somebody'), made(forever()));
    expect(cache.size).toBe(0);
  });
});

describe('notes of an answer', () => {
  const heard: string[] = [];
  const offerNoted = (who: string): void =>
    cache.offer(
      www,
      made(forever()),
      0,
      () => [],
      () => [({ id }) => heard.push(`${who} ${id}`)],
    );
  const note = (slot: number, sequence: number, id: number): void =>
    cache.note({
      ...{ slot, sequence, id, queryFlags: 0, size: 30, maxSize: 512, elapsed: 0 },
      remote: { address: '192.0.2.1', port: 1 },
    });
  beforeEach(() => void heard.splice(0));

  it('go to whoever was told of it when it was put there, also when it has just been replaced', () => {
    offerNoted('first');
    const slot = slotOf(www);
    expect(answers.isNoted(slot)).toBe(true);
    const before = answers.sequence(slot);
    note(slot, before, 1);
    offerNoted('second');
    expect(slotOf(www)).toBe(slot);
    note(slot, before, 2);
    note(slot, answers.sequence(slot), 3);
    expect(heard).toEqual(['first 1', 'first 2', 'second 3']);
  });

  it('that nobody can be told of are counted, each time they are asked for', () => {
    const lost: number[] = [];
    cache.lostNotes = (count) => void lost.push(count);
    offerNoted('first');
    const [slot, sequence] = [slotOf(www), answers.sequence(slotOf(www))];
    cache.clear();
    clock.advance(2000);
    note(slot, sequence, 1);
    clock.advance(1000);
    expect([heard, lost]).toEqual([[], [0, 0, 1]]);
  });

  it('are not wanted of an answer that nobody asked notes of', () => {
    offer(www, made(forever()));
    expect(answers.isNoted(slotOf(www))).toBe(false);
  });
});
