import { describe, expect, it } from 'vitest';
import {
  DROP,
  Reply,
  Zones,
  linkChain,
  mapReply,
  watchHandlers,
  type Handler,
  type Outcome,
} from '../../src/chain/index.js';
import {
  Flag,
  NO_RECORDS,
  Rcode,
  decodeMessage,
  echoOwners,
  encodeMessage,
  encodeRecords,
} from '../../src/wire/index.js';
import { query, reply, rr, rrs, summary, texts } from '../support/dns.js';

const sections = {
  answer: rrs('www.example.org. 30 A 192.0.2.1'),
  authority: rrs('example.org. 60 NS ns.example.org.'),
  additional: rrs('ns.example.org. 90 A 192.0.2.2'),
};
const encoded = (ttl?: number): Reply => Reply.ofRecords(Flag.AA, 0, encodeRecords(sections), ttl);

describe('Reply', () => {
  it('is always marked as a response', () =>
    expect([Reply.empty(3).flags, Reply.of(Flag.AA, 0).flags]).toEqual([Flag.QR, Flag.QR | Flag.AA]));
  it('from bytes: objects when asked for', () =>
    expect(summary(encoded())).toEqual(summary(Reply.of(Flag.AA, 0, sections))));
  it('from objects: bytes when asked for', () =>
    expect(Reply.of(Flag.AA, 0, sections).records).toEqual(encodeRecords(sections)));
  it('one TTL for all records', () =>
    expect(texts(encoded(5).additional)).toEqual(['ns.example.org. 5 IN A 192.0.2.2']));
  it.each([
    { name: 'objects', of: Reply.of(0, 0, sections) },
    { name: 'bytes', of: encoded() },
  ])('counts $name', ({ of }) => expect([of.answerCount, of.authorityCount]).toEqual([1, 1]));
  it('keeps its order, but where it is given another', () =>
    expect([encoded().rotates, Reply.empty(0).rotates, encoded().withOrder(encoded().records).rotates]).toEqual([
      false,
      false,
      true,
    ]));
  it('counts nothing where there is nothing', () =>
    expect([Reply.empty(0).answerCount, Reply.of(0, 0).authorityCount, Reply.empty(0).records]).toEqual([
      0,
      0,
      NO_RECORDS,
    ]));
  it('tells truncation', () =>
    expect([Reply.of(Flag.TC, 0).truncated, Reply.of(0, 0).truncated]).toEqual([true, false]));
  it('a failure is not written and keeps its cause', () => {
    const cause = new Error('no');
    expect(Reply.failure(Rcode.SERVFAIL, cause)).toMatchObject({ written: false, cause, rcode: 2, answerCount: 0 });
    expect(Reply.failure(2, cause).withHeader({ rcode: 5 })).toMatchObject({ written: false, cause, rcode: 5 });
  });

  it.each([
    { name: 'without OPT', of: encoded() },
    {
      name: 'with OPT',
      of: encoded().withEdns({ udpSize: 512, version: 0, do: true, options: [{ code: 3, data: Uint8Array.of(1) }] }),
    },
  ])('as a message for a query: $name', ({ of }) => {
    const asked = query('Www.Example.org.', 'A', { id: 5, cd: true });
    const message = of.messageFor(asked);
    expect(message).toMatchObject({
      id: 5,
      flags: Flag.QR | Flag.AA | Flag.RD | Flag.CD,
      question: [{ name: 'Www.Example.org.', type: 1, class: 1 }],
      edns: of.edns,
    });
    expect(encodeMessage(message).length).toBe(of.sizeFor(asked));
    expect(decodeMessage(encodeMessage(message)).answer.map((record) => record.name)).toEqual(['www.example.org.']);
  });
  it('owners that echo the question do so in a message too', () => {
    const echoing = Reply.ofRecords(0, 0, echoOwners(encodeRecords(sections), 'www.example.org.'));
    expect(echoing.messageFor(query('WWW.example.org.')).answer[0]!.name).toBe('WWW.example.org.');
    expect(echoing.answer[0]!.name).toBe('www.example.org.');
  });

  it('other flags and rcode share the records', () => {
    const before = encoded(7);
    const after = before.withHeader({ flags: Flag.TC, rcode: 5 });
    expect([after.records, after.ttl, after.flags, after.rcode, before.rcode]).toEqual([
      before.records,
      7,
      Flag.QR | Flag.TC,
      5,
      0,
    ]);
    expect(after.records).toBe(before.records);
  });
  it('other sections keep what is left out, with the TTL it had', () => {
    const after = encoded(7).withSections({ answer: [] });
    expect(summary(after)).toEqual({
      rcode: 'NOERROR',
      flags: 'aa',
      authority: ['example.org. 7 IN NS ns.example.org.'],
      additional: ['ns.example.org. 7 IN A 192.0.2.2'],
    });
    expect([after.ttl, after.records.answers]).toEqual([undefined, 0]);
  });
  it('mapRecords gives itself when nothing changes', () => {
    const before = encoded();
    expect(before.mapRecords((record) => record)).toBe(before);
    expect(texts(before.mapRecords((record) => ({ ...record, ttl: 1 })).authority)).toEqual([
      'example.org. 1 IN NS ns.example.org.',
    ]);
    expect(texts(before.authority)).toEqual(['example.org. 60 IN NS ns.example.org.']);
  });
});

describe('mapReply', () => {
  const change = (before: Reply): Reply => before.withHeader({ rcode: 5 });
  it('at once for a plain reply', () => expect(mapReply(reply(), change)).toMatchObject({ rcode: 5 }));
  it('later for a promised one', async () =>
    expect(await mapReply(Promise.resolve(reply()), change)).toMatchObject({ rcode: 5 }));
  it('never for a drop', async () =>
    expect([mapReply(DROP, change), await mapReply(Promise.resolve(DROP), change)]).toEqual([DROP, DROP]));
});

describe('Zones', () => {
  it.each([
    { name: 'the zone itself', zones: ['example.org.'], of: 'example.org.', want: 'example.org.' },
    { name: 'below it', zones: ['example.org.'], of: 'a.b.example.org.', want: 'example.org.' },
    {
      name: 'the longest',
      zones: ['org.', 'b.example.org.', 'example.org.'],
      of: 'a.b.example.org.',
      want: 'b.example.org.',
    },
    { name: 'only whole labels', zones: ['example.org.'], of: 'myexample.org.', want: undefined },
    { name: 'no dot inside a label', zones: ['example.org.'], of: 'a\\.example.org.', want: undefined },
    { name: 'above it', zones: ['example.org.'], of: 'org.', want: undefined },
    { name: 'the root takes all', zones: ['.'], of: 'example.org.', want: '.' },
    { name: 'the root as the last', zones: ['org.', '.'], of: 'example.com.', want: '.' },
    { name: 'the root in the root', zones: ['org.', '.'], of: '.', want: '.' },
    { name: 'the root in none', zones: ['org.'], of: '.', want: undefined },
    { name: 'no zones', zones: [], of: 'a.', want: undefined },
  ])('$name, among few zones and among many', ({ zones, of, want }) => {
    const others = Array.from({ length: 20 }, (_, i) => `other${i}.test.`);
    for (const list of [zones, [...zones, ...others]]) {
      expect(new Zones(list).match(of)).toBe(want);
      expect(new Zones(list).contains(of)).toBe(want !== undefined);
    }
  });
});

describe('linkChain', () => {
  const plain = (outcome: Outcome | Promise<Outcome>): Outcome => {
    if (outcome instanceof Promise) throw new Error('expected a plain outcome');
    return outcome;
  };
  const passing = (name: string, log: string[]): Handler => ({
    name,
    handle: (asked, next) => (log.push(name), next(asked)),
  });
  it('asks handlers in order until one answers', () => {
    const log: string[] = [];
    const chain = linkChain([
      passing('a', log),
      passing('b', log),
      { name: 'c', handle: () => reply({ answer: ['x. 1 A 192.0.2.1'] }) },
      passing('d', log),
    ]);
    expect(summary(plain(chain(query('x.'))))).toMatchObject({ answer: ['x. 1 IN A 192.0.2.1'] });
    expect(log).toEqual(['a', 'b']);
  });
  it('answers SERVFAIL when none does', () =>
    expect(linkChain([passing('a', [])])(query('x.'))).toMatchObject({
      rcode: 2,
      written: false,
      cause: new Error('no next plugin found'),
    }));
  it('hands the changed query on', () => {
    const chain = linkChain([
      { name: 'a', handle: (asked, next) => next(asked.withQuestion('y.')) },
      { name: 'b', handle: (asked) => Reply.of(0, 0, { answer: [{ ...rr('z. 1 A 192.0.2.1'), name: asked.name }] }) },
    ]);
    expect(summary(plain(chain(query('x.'))))).toMatchObject({ answer: ['y. 1 IN A 192.0.2.1'] });
  });

  it('tells those who watch which handlers asked the next one, and what came back', () => {
    const told: string[] = [];
    const unwatch = watchHandlers(({ phase, handler, passed, outcome, error }) => {
      const came = error instanceof Error ? error.message : outcome instanceof Reply ? outcome.rcode : '-';
      told.push(`${phase} ${handler.name} ${passed} ${came}`);
    });
    const failing: Handler = {
      name: 'b',
      handle: () => {
        throw new Error('no');
      },
    };
    try {
      void linkChain([passing('a', []), { name: 'c', handle: () => Reply.empty(5) }])(query('x.'));
      expect(() => linkChain([failing])(query('x.'))).toThrow('no');
    } finally {
      unwatch();
    }
    void linkChain([passing('d', [])])(query('x.'));
    expect(told).toEqual([
      ...['enter a false -', 'enter c false -', 'leave c false 5', 'leave a true 5'],
      ...['enter b false -', 'leave b false no'],
    ]);
  });
});
