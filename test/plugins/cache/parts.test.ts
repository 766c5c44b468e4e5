import { describe, expect, it } from 'vitest';
import { Zones, type Reply } from '../../../src/chain/index.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { Dependents, namesOf } from '../../../src/plugins/cache/dependents.js';
import { CacheEntry, keptOf } from '../../../src/plugins/cache/entry.js';
import { kindOf } from '../../../src/plugins/cache/lifetime.js';
import { RecentChanges } from '../../../src/plugins/cache/recent-changes.js';
import { Flag, Type, ednsWith, type Rr } from '../../../src/wire/index.js';
import { query, reply } from '../../support/dns.js';

describe('changes of late', () => {
  const changes = (...list: [name: string, at: number][]): RecentChanges => {
    const recent = new RecentChanges();
    for (const [name, at] of list) recent.add(name, at);
    return recent;
  };

  it.each([
    { name: 'the name itself', changed: 'a.test.', asked: 5, want: true },
    { name: 'one above it', changed: 'test.', asked: 5, want: true },
    { name: 'all names', changed: '.', asked: 5, want: true },
    { name: 'one below it', changed: 'b.a.test.', asked: 5, want: false },
    { name: 'one that ends alike', changed: 'st.', asked: 5, want: false },
    { name: 'the name, before it was asked for', changed: 'a.test.', asked: 6, want: false },
    { name: 'all names, before it was asked for', changed: '.', asked: 6, want: false },
  ])('concern a name where they are of $name: $want', ({ changed, asked, want }) =>
    expect(changes([changed, 5]).concern(['a.test.'], asked)).toBe(want),
  );

  it.each<{ name: string; after: [string, number][]; want: boolean }>([
    { name: 'while nothing else changes', after: [], want: true },
    { name: '20 s later', after: [['b.', 20_000], ['c.', 20_001], ['d.', 40_001]], want: true },
    { name: 'twice as long later', after: [['b.', 40_000]], want: true },
    { name: 'longer than that later', after: [['b.', 40_001]], want: false },
    { name: 'after two turns', after: [['b.', 20_001], ['c.', 40_002]], want: false },
  ])('are remembered $name: $want', ({ after, want }) =>
    expect(changes(['a.', 0], ...after).concern(['a.'], 0)).toBe(want)); // prettier-ignore

  it.each([
    { count: 10_000, want: false },
    { count: 10_001, want: true },
  ])('of $count names concern everything: $want', ({ count, want }) => {
    const recent = changes(...Array.from({ length: count }, (_, i): [string, number] => [`n${i}.`, 1]));
    expect([recent.concern(['other.'], 1), recent.concern(['other.'], 2)]).toEqual([want, false]);
  });
});

describe('signatures in a reply', () => {
  const NOW = 1_790_000_000;
  /** A signature of the bytes given beside its fixed part. */
  const signature = (from: number, to: number, more = 2): Rr => {
    const data = Buffer.alloc(18 + more);
    data.writeUInt16BE(1, 0);
    data.writeUInt32BE(to, 8);
    data.writeUInt32BE(from, 12);
    return { name: 'a.test.', type: Type.RRSIG, class: 1, ttl: 60, rdata: data };
  };
  it.each([
    { name: 'in its time', record: signature(NOW - 9, NOW + 9), want: 'answer' },
    { name: 'that begins and ends now', record: signature(NOW, NOW), want: 'answer' },
    { name: 'that ended a second ago', record: signature(NOW - 9, NOW - 1), want: 'other' },
    { name: 'that begins in a second', record: signature(NOW + 1, NOW + 9), want: 'other' },
    { name: 'that ended, of the least length', record: signature(NOW - 9, NOW - 1, 1), want: 'other' },
    { name: 'too short to be one', record: signature(NOW - 9, NOW - 1, 0), want: 'answer' },
  ])('$name: $want', ({ record, want }) => {
    const signed: Reply = reply({ answer: ['a.test. 60 IN A 192.0.2.1'] });
    const both = signed.withEdns({ ...ednsWith(), do: true }).withSections({ ...signed.sections, answer: [...signed.answer, record] });
    expect(kindOf(both, query('a.test.'), new ManualClock(NOW * 1000))).toBe(want);
  }); // prettier-ignore
});

it('an entry keeps RA, AD and the rcode of its reply, beside its type and kind', () => {
  for (const [type, kind] of [['success', 'answer'], ['denial', 'denial'], ['success', 'referral'], ['denial', 'failure']] as const) {
    const kept = new CacheEntry(keptOf(query('a.'), reply({ flags: 0xfff0, rcode: 3 })), 60, type, kind, 0);
    expect(kept).toMatchObject({ flags: Flag.AA | Flag.RA | Flag.AD, rcode: 3, type, kind });
  }
}); // prettier-ignore

describe('entries that a changed name concerns', () => {
  const entry = (name: string, ...answer: string[]): CacheEntry =>
    new CacheEntry(keptOf(query(name), reply({ answer })), 60, 'success', 'answer', 0);
  const ADDRESS = 'web.d.svc.test. 5 IN A 192.0.2.1';

  it.each([
    { name: 'no alias', answer: [ADDRESS], want: ['q.'] },
    { name: 'an alias', answer: ['q. 5 IN CNAME Web.d.svc.test.', ADDRESS], want: ['q.', 'web.d.svc.test.'] },
    { name: 'another type that begins alike', answer: ['q. 5 IN TYPE261 \\# 1 00'], want: ['q.'] },
  ])('names of a reply with $name', ({ answer, want }) =>
    expect(namesOf('q.', reply({ answer, authority: ['q. 5 IN CNAME never.'] }).records)).toEqual(want),
  );

  it('are found by the name, by what is above it and by their aliases, until they are removed', () => {
    const dependents = new Dependents(new Zones(['test.', 'in-addr.arpa.']));
    const web = entry('web.d.svc.test.', ADDRESS);
    const port = entry('_http._tcp.web.d.svc.test.');
    const alias = entry('q.test.', 'q.test. 5 IN CNAME web.d.svc.test.', ADDRESS);
    const address = entry('7.0.96.10.in-addr.arpa.');
    const apex = entry('test.');
    for (const each of [web, port, alias, address, apex, entry('other.')]) dependents.add(each);
    const of = (name: string): string[] => dependents.of(name).map((found) => found.name);
    expect(of('web.d.svc.test.')).toEqual([web.name, port.name, alias.name]);
    expect(of('svc.test.')).toEqual([web.name, port.name, alias.name]);
    expect(of('test.')).toEqual([web.name, port.name, alias.name, apex.name]);
    expect(of('7.0.96.10.in-addr.arpa.')).toEqual([address.name]);
    expect(of('96.10.in-addr.arpa.')).toEqual([address.name]);
    expect(of('other.')).toEqual([]);
    dependents.remove(web);
    expect(of('web.d.svc.test.')).toEqual([port.name, alias.name]);
  });
});
