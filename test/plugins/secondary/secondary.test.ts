import { describe, expect, it } from 'vitest';
import {
  DROP,
  Query,
  Transfer,
  type Handler,
  type NotifiesServers,
  type TransfersZones,
} from '../../../src/chain/index.js';
import type { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import { TransferError } from '../../../src/plugins/secondary/errors.js';
import { enter, leave, type KeptZone } from '../../../src/plugins/secondary/kept-zones.js';
import { Incoming } from '../../../src/plugins/secondary/incoming.js';
import { secondary } from '../../../src/plugins/secondary/setup.js';
import { Opcode, encodeMessage, frame, formatRr } from '../../../src/wire/index.js';
import { TestBlock, directives, setup, type TestBlockOptions } from '../../support/block.js';
import { context, query, rr, rrs, summary } from '../../support/dns.js';
import { FakeNetwork } from '../../support/fake-network.js';
import { FakePrimary, honest, messages, soaAt, type Script } from './primary.js';

const NS = 'example. 60 IN NS ns.example.';
const A = (n: number, name = 'a'): string => `${name}.example. 60 IN A 192.0.2.${n}`;
const ONE = { address: '192.0.2.51', port: 53 };
const TWO = { address: '192.0.2.52', port: 5353 };
const FROM = 'secondary {\ntransfer from 192.0.2.51\n}';

/** A block with primaries that are in place before it starts. */
const start = async (script: Script, { text = FROM, second = undefined as Script | undefined, wait = 50 } = {}) => {
  const network = new FakeNetwork();
  const made = setup(secondary, text, { zones: ['example.'], network });
  const { block, handlers } = made;
  const { clock } = block;
  network.clock = clock;
  const primary = new FakePrimary(network, ONE, script);
  const other = second && new FakePrimary(network, TWO, second);
  const told: string[] = [];
  const listener: NotifiesServers = { notify: (zone) => void told.push(zone) };
  block.chain = [...handlers, { name: 'listener', handle: () => DROP, ...listener }];
  const started = block.run('start');
  await clock.advanceAsync(wait);
  await clock.advanceAsync(1000);
  await started;
  const a = async (name = 'a.example.'): Promise<unknown> => {
    const { rcode, answer } = summary(await made.ask(query(name))) as { rcode: string; answer?: string[] };
    return answer ?? rcode;
  };
  const notify = (remote: string, zone = 'example.') => {
    const question = [{ name: zone, type: 6, class: 1 }];
    const none = { answer: [], authority: [], additional: [] };
    const bytes = encodeMessage({ id: 1, flags: Opcode.NOTIFY << 11, rcode: 0, question, ...none });
    return made.ask(new Query(bytes, context({ remote })));
  };
  /** All records that it would give to others. */
  const records = (): string[] => {
    const found = (handlers[0] as unknown as TransfersZones).zoneTransfer('example.', undefined);
    return found === undefined || found === 'unready' ? [] : [...found.records].map((one) => plain(formatRr(one)));
  };
  return { ...made, clock, network, primary, other, told, a, notify, records };
};

/** A further configuration of the same server. */
const configured = async ({ runtime }: TestBlock, text = FROM) => {
  const block = Object.assign(new TestBlock({ zones: ['example.'] }), { runtime });
  const handler = secondary.setup(directives(text, 'secondary'), block) as Handler;
  block.chain = [handler];
  const started = block.run('start');
  await (runtime.clock as ManualClock).advanceAsync(1000);
  await started;
  const a = async (): Promise<unknown> => {
    const outcome = await handler.handle(query('a.example.'), () => DROP);
    const { rcode, answer } = summary(outcome) as { rcode: string; answer?: string[] };
    return answer ?? rcode;
  };
  return { block, a };
};

const plain = (text: string): string => text.replaceAll('\t', ' ');
const zone = [NS, A(1), A(9, 'b')];

describe('secondary', () => {
  it('gets a zone before the first query, and tells others', async () => {
    const { a, told, block, primary, records } = await start(honest(7, zone), { wait: 20 });
    expect(await a()).toEqual([A(1)]);
    expect(primary.asked).toEqual(['AXFR']);
    expect(told).toEqual([]);
    await block.run('serving');
    expect(told).toEqual(['example.']);
    expect(records()).toEqual([soaAt(7), ...zone, soaAt(7)]);
    expect(block.log.lines).toEqual(['[INFO] plugin/secondary: Transferred: example. from 192.0.2.51:53']);
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('answers SERVFAIL until a primary gives the zone, asking again with longer pauses', async () => {
    const { a, primary, clock } = await start(() => ['end']);
    expect(await a()).toBe('SERVFAIL');
    await clock.advanceAsync(60_000);
    expect(primary.asked.length).toBe(11);
    primary.script = honest(1, zone);
    await clock.advanceAsync(10_100);
    expect(await a()).toEqual([A(1)]);
  });

  it('takes the next primary where one fails', async () => {
    const text = 'secondary {\ntransfer from 192.0.2.51 192.0.2.52:5353\n}';
    const { a, block } = await start(() => [{ rcode: 5 }], { text, second: honest(1, zone) });
    expect(await a()).toEqual([A(1)]);
    expect(block.log.lines[0]).toBe(
      `[ERROR] plugin/secondary: Failed to transfer 'example.' from "192.0.2.51:53": rcode REFUSED`,
    );
  });

  it('looks at the serial when its SOA record says so, and gets what has changed', async () => {
    const { a, block, primary, clock, told, records } = await start(honest(7, zone));
    await block.run('serving');
    await clock.advanceAsync(105_000);
    expect(primary.asked).toEqual(['AXFR', 'SOA']);
    const changes = { 7: [soaAt(7), A(1), soaAt(8), A(2)] };
    primary.script = honest(8, [], changes);
    await clock.advanceAsync(105_100);
    expect(primary.asked).toEqual(['AXFR', 'SOA', 'SOA', 'IXFR 7']);
    expect(await a()).toEqual([A(2)]);
    expect(records()).toEqual([soaAt(8), NS, A(9, 'b'), A(2), soaAt(8)]);
    expect(told).toEqual(['example.', 'example.']);
  });

  it('expires when no primary answers for as long as the zone says, and comes back', async () => {
    const { a, primary, clock, block } = await start(honest(7, zone));
    const good = primary.script;
    primary.script = () => ['end'];
    await clock.advanceAsync(995_000);
    expect(await a()).toEqual([A(1)]);
    await clock.advanceAsync(10_000);
    expect(await a()).toBe('SERVFAIL');
    expect(block.log.lines.at(-1)).not.toContain('Transferred');
    expect(block.log.lines).toContain('[ERROR] plugin/secondary: Zone example. is expired');
    primary.script = good;
    await clock.advanceAsync(13_000);
    expect(await a()).toEqual([A(1)]);
  });

  it("looks at once when a primary says that something is new, and at nobody else's word", async () => {
    const { a, primary, clock, notify, block } = await start(honest(7, zone));
    primary.script = honest(8, [NS, A(3)]);
    expect(await notify('192.0.2.99')).toBe(DROP);
    await clock.advanceAsync(50);
    expect(await a()).toEqual([A(1)]);
    expect(summary(await notify('192.0.2.51'))).toEqual({ rcode: 'NOERROR', flags: 'aa' });
    await clock.advanceAsync(50);
    expect(await a()).toEqual([A(3)]);
    expect(block.log.lines.slice(1, 3)).toEqual([
      '[INFO] plugin/secondary: Dropping notify from 192.0.2.99 for example.',
      '[INFO] plugin/secondary: Notify from 192.0.2.51 for example.: checking transfer',
    ]);
  });

  it('looks once more after a look that a message came into', async () => {
    const { primary, clock, notify } = await start(honest(7, zone));
    for (let i = 0; i < 5; i++) await notify('192.0.2.51');
    await clock.advanceAsync(2);
    for (let i = 0; i < 5; i++) await notify('192.0.2.51');
    await clock.advanceAsync(50);
    expect(primary.asked).toEqual(['AXFR', 'SOA', 'SOA']);
  });

  it('keeps what it has where the serial goes back', async () => {
    const { a, primary, clock, notify, block } = await start(honest(7, zone));
    primary.script = honest(6, [NS, A(6)]);
    await notify('192.0.2.51');
    await clock.advanceAsync(50);
    expect(await a()).toEqual([A(1)]);
    expect(block.log.lines.at(-1)).toBe(
      "[WARNING] plugin/secondary: Serial of 'example.' went back from 7 to 6: keeping 7",
    );
  });

  it.each([
    { name: 'over the end of the numbers', before: 0xffffffff, after: 1, taken: true },
    { name: 'by as much as there may be', before: 1, after: 0x80000000, taken: true },
    { name: 'by half of all numbers, which is neither', before: 1, after: 0x80000001, taken: false },
  ])('serials that go on $name', async ({ before, after, taken }) => {
    const { a, primary, clock, notify } = await start(honest(before, zone));
    primary.script = honest(after, [NS, A(2)]);
    await notify('192.0.2.51');
    await clock.advanceAsync(50);
    expect(await a()).toEqual([A(taken ? 2 : 1)]);
  });

  it('does not wait for a primary that says nothing, and gives up on it', async () => {
    const { a, clock, primary, network } = await start(() => []);
    expect(await a()).toBe('SERVFAIL');
    await clock.advanceAsync(9_400);
    expect(primary.asked).toEqual(['AXFR', 'AXFR']);
    expect(network.streams.size).toBe(1);
  });

  it('gives up on a transfer that never ends', async () => {
    const drip = frame(encodeMessage({ ...EMPTY, answer: [rr(soaAt(7)), rr(A(1))] })).subarray(0, 20);
    const { clock, block, a } = await start(() => [drip]);
    await clock.advanceAsync(12_000);
    expect(await a()).toBe('SERVFAIL');
    expect(block.log.lines[0]).toContain('no message within 10 seconds');
  });

  it.each([
    { name: 'no end', script: [...messages([soaAt(8), NS, A(2)]), 'end' as const], says: 'it ended half way' },
    { name: 'another serial at the end', script: messages([soaAt(8), A(2), soaAt(9)]), says: 'serial 8 at its start' },
    { name: 'no SOA record at the start', script: messages([A(2), soaAt(8)]), says: 'no SOA record of example.' },
    {
      name: 'the SOA record of another zone',
      script: messages([soaAt(8).replace('example.', 'other.'), A(2)]),
      says: 'no SOA record of example.',
    },
    {
      name: 'another question',
      script: [{ question: [{ name: 'other.', type: 252, class: 1 }], answer: [rr(soaAt(8))] }],
      says: 'an answer to another question: other. AXFR',
    },
    { name: 'no question', script: [{ question: [] }], says: 'an answer to another question: no question' },
    { name: 'another id', script: [{ id: 70_000 & 0xffff }], says: 'no answer to the question' },
    { name: 'an rcode', script: [{ rcode: 9 }], says: 'rcode NOTAUTH' },
    { name: 'a message cut short', script: [{ flags: 0x8200, answer: [rr(soaAt(8))] }], says: '(TC)' },
    { name: 'no message', script: [Buffer.from('0003616263', 'hex')], says: 'a message that cannot be read' },
    { name: 'records behind the end', script: messages([soaAt(8), soaAt(8), A(2)]), says: 'behind the last SOA' },
    { name: 'a record of another class', script: messages([soaAt(8), 'a.example. 60 CH TXT x']), says: 'class 3' },
    {
      name: 'a record without its data',
      script: [{ answer: [rr(soaAt(8)), { ...rr(A(2)), rdata: new Uint8Array(0) }] }],
      says: 'data is not whole',
    },
    {
      name: 'a record that no zone holds',
      script: messages([soaAt(8), 'example. 60 IN TYPE251 \\# 0']),
      says: 'no record in a zone has type 251',
    },
    { name: 'the serial that is served', script: messages([soaAt(7), NS, A(2), soaAt(7)]), says: 'serial 7 where 7' },
    { name: 'an older serial', script: messages([soaAt(5), NS, A(2), soaAt(5)]), says: 'serial 5 where 7 is served' },
  ])('keeps what it has where a transfer brings $name', async ({ script, says }) => {
    const { a, primary, clock, notify, block } = await start(honest(7, zone));
    primary.script = ({ type }) => (type === 'SOA' ? messages([soaAt(8)]) : script);
    await notify('192.0.2.51');
    await clock.advanceAsync(100);
    expect(primary.asked).toEqual(['AXFR', 'SOA', 'IXFR 7', 'AXFR']);
    expect(await a()).toEqual([A(1)]);
    expect(block.log.lines.at(-1)).toContain(says);
    // What is wrong with one does not spoil the next.
    primary.script = honest(9, [NS, A(4)]);
    await clock.advanceAsync(12_100);
    expect(await a()).toEqual([A(4)]);
  });

  it.each([
    {
      name: 'several changes',
      script: [soaAt(7), A(1), soaAt(8), A(2), A(3, 'c'), soaAt(8), A(3, 'c'), soaAt(9), A(4, 'd')],
      want: [NS, A(9, 'b'), A(2), A(4, 'd')],
    },
    {
      name: 'a TTL',
      script: [soaAt(7), A(1), soaAt(9), A(1).replace('60', '61')],
      want: [NS, A(9, 'b'), A(1).replace('60', '61')],
    },
    {
      name: 'a name server',
      script: [soaAt(7), NS, soaAt(9), NS.replace('ns', 'n2')],
      want: [NS.replace('ns', 'n2'), A(1), A(9, 'b')],
    },
    { name: 'spelling', script: [soaAt(7), A(1).replace('a.ex', 'A.EX'), soaAt(9)], want: [NS, A(9, 'b')] },
    { name: 'all of the zone in its place', script: [NS, A(5)], want: [NS, A(5)] },
  ])('takes over $name', async ({ script, want }) => {
    const { records, primary, clock, notify } = await start(honest(7, zone));
    primary.script = honest(9, ['never.example. 60 IN A 192.0.2.66'], { 7: script });
    await notify('192.0.2.51');
    await clock.advanceAsync(50);
    expect(records()).toEqual([soaAt(9), ...want, soaAt(9)]);
    expect(primary.asked).toEqual(['AXFR', 'SOA', 'IXFR 7']);
  });

  it.each([
    { name: 'a record to delete that is not there', changes: [soaAt(7), A(8), soaAt(9)] },
    { name: 'a record to add that is there', changes: [soaAt(7), soaAt(9), A(1)] },
    {
      name: 'changes with a gap',
      changes: [soaAt(7), soaAt(8), soaAt(7), soaAt(9)],
      says: 'a change from serial 7 behind one to 8',
    },
    { name: 'changes that go back', changes: [soaAt(7), soaAt(6)], says: 'a change from serial 7 to 6' },
    { name: 'changes that end half way', changes: [soaAt(7), A(1)], end: true },
  ])('asks for all of the zone after $name', async ({ changes, end, says = '' }) => {
    const { a, primary, clock, notify, block } = await start(honest(7, zone));
    const good = honest(9, [NS, A(5)]);
    primary.script = (asked) =>
      asked.type === 'IXFR'
        ? [...messages([soaAt(9), ...changes, ...(end ? [] : [soaAt(9)])]), 'end' as const]
        : good({ ...asked, serial: undefined });
    await notify('192.0.2.51');
    await clock.advanceAsync(50);
    expect(primary.asked).toEqual(['AXFR', 'SOA', 'IXFR 7', 'AXFR']);
    expect(await a()).toEqual([A(5)]);
    expect(block.log.lines.find((line) => line.includes('failed, asking for all of it'))).toContain(says);
  });

  it('leaves out what is not in the zone', async () => {
    const { records, block } = await start(
      honest(7, [...zone, 'www.other. 60 IN A 192.0.2.66', soaAt(9).replace('example.', 'sub.example.')]),
    );
    expect(records()).toEqual([soaAt(7), ...zone, soaAt(7)]);
    expect(block.log.lines[0]).toBe(
      "[WARNING] plugin/secondary: Left out 2 records of names that are not in 'example.'",
    );
  });

  it('takes no more than it has room for', () => {
    const incoming = new Incoming('example.', undefined, 200);
    incoming.take([rr(soaAt(1)), rr(A(1)), rr(A(2))]);
    expect(() => incoming.take([rr(A(3)), rr(A(4)), rr(A(5)), rr(A(6))])).toThrow('more than 200 bytes');
  });

  it('takes any records in any order, or says what is wrong with them', () => {
    const random = seededRandom(5936);
    const kinds = [
      soaAt(7),
      soaAt(8),
      soaAt(9),
      soaAt(9).replace('example.', 'a.example.'),
      A(1),
      A(2),
      NS,
      'x. 1 IN A 192.0.2.1',
    ];
    const seen = new Set<string>();
    for (let round = 0; round < 5000; round++) {
      const incoming = new Incoming('example.', [undefined, 7, 8][random.uint32() % 3]);
      try {
        for (let message = 0; message < 4; message++)
          incoming.take(
            rrs(...Array.from({ length: random.uint32() % 4 }, () => kinds[random.uint32() % kinds.length]!)),
          );
        const content = incoming.received;
        seen.add(content?.kind ?? 'nothing');
        if (content?.kind === 'zone') expect(content.zone.origin).toBe('example.');
      } catch (error) {
        expect(error).toBeInstanceOf(TransferError);
        seen.add('fault');
      }
    }
    expect([...seen].sort()).toEqual(['changes', 'fault', 'nothing', 'same', 'zone']);
  });

  it('takes a zone that comes in many pieces', async () => {
    const { a, records } = await start(({ type }) =>
      type === 'SOA' ? [] : messages([soaAt(7)], [NS], [A(1)], [A(2)], [soaAt(7)]),
    );
    expect(await a()).toEqual([A(1), A(2)]);
    expect(records().length).toBe(5);
  });

  it('asks without flags, as RFC 5936 section 2.1 has it', async () => {
    const { primary } = await start(honest(7, zone));
    expect(primary.queries).toMatchObject([
      {
        flags: 0,
        rcode: 0,
        question: [{ name: 'example.', type: 252, class: 1 }],
        answer: [],
        authority: [],
        additional: [],
      },
    ]);
  });

  it('goes on with the zone that was confirmed last, of those that have the same source', () => {
    const { runtime } = new TestBlock();
    const kept = (identity: string, confirmed: number, more: object = {}): KeptZone =>
      ({ identity, confirmed, served: { zone: {}, expired: false, ...more } }) as KeptZone;
    const all = [
      kept('x', 5),
      kept('x', 9),
      kept('x', 7),
      kept('x', 99, { expired: true }),
      kept('x', 99, { zone: undefined }),
      kept('y', 99),
    ];
    for (const one of all) enter(runtime, one);
    expect(enter(runtime, kept('x', 0))).toBe(all[1]);
    leave(runtime, all[1]!);
    expect(enter(runtime, kept('x', 0))).toBe(all[2]);
  });

  it('takes messages behind the first that repeat no question, and a name server that is the root', async () => {
    const root = 'example. 60 IN NS .';
    const { records } = await start(({ type }) =>
      type === 'SOA' ? [] : [...messages([soaAt(7)]), { question: [], answer: rrs(root, A(1), soaAt(7)) }],
    );
    expect(records()).toEqual([soaAt(7), root, A(1), soaAt(7)]);
  });

  it('takes what it does not have from the primary that has more', async () => {
    const text = 'secondary {\ntransfer from 192.0.2.51\ntransfer from 192.0.2.52:5353\n}';
    const { a, notify, other, clock } = await start(honest(7, zone), { text, second: honest(8, [NS, A(2)]) });
    expect(await a()).toEqual([A(1)]);
    await notify('192.0.2.52');
    await clock.advanceAsync(50);
    expect(other!.asked).toEqual(['SOA', 'IXFR 7']);
    expect(await a()).toEqual([A(2)]);
  });

  it('goes on with what the configuration before it has, as long as that was good for', async () => {
    const { block, clock, primary } = await start(honest(7, zone));
    primary.script = () => ['end'];
    await clock.advanceAsync(500_000);
    const next = await configured(block);
    await block.run('stop');
    expect(await next.a()).toEqual([A(1)]);
    await clock.advanceAsync(485_000);
    expect(await next.a()).toEqual([A(1)]);
    await clock.advanceAsync(20_000);
    expect(await next.a()).toBe('SERVFAIL');
    // What has expired is no good for the next one either.
    const last = await configured(next.block);
    expect(await last.a()).toBe('SERVFAIL');
    await next.block.run('stop');
    await last.block.run('stop');
    // What is still on the network's way arrives.
    await clock.advanceAsync(10);
    expect(clock.pending).toBe(0);
  });

  it('starts anew with other primaries', async () => {
    const { block } = await start(honest(7, zone));
    const next = await configured(block, FROM.replace('51', '59'));
    expect(await next.a()).toBe('SERVFAIL');
  });

  it('asks further on with fallthrough', async () => {
    const network = new FakeNetwork();
    const text = FROM.replace('}', 'fallthrough\n}');
    const { block, ask } = setup(secondary, text, { zones: ['example.'], network });
    network.clock = block.clock;
    new FakePrimary(network, ONE, honest(1, zone));
    const started = block.run('start');
    await block.clock.advanceAsync(1000);
    await started;
    expect(await ask(query('none.example.'), () => DROP)).toBe(DROP);
    expect(await ask(query('none.example.', 'AXFR'), () => DROP)).not.toBeInstanceOf(Transfer);
  });
});

const EMPTY = { id: 1, flags: 0x8400, rcode: 0, question: [], answer: [], authority: [], additional: [] };

describe('its text', () => {
  const options: TestBlockOptions = { zones: ['example.'] };
  it.each([
    { text: 'secondary', error: "Corefile:2: secondary: 'transfer from ADDRESS...' is required" },
    { text: 'secondary {\ntransfer from\n}', error: 'Corefile:3: secondary: transfer: got 1 argument' },
    { text: 'secondary {\ntransfer to 192.0.2.1\n}', error: "secondary: transfer: got 'to', allowed: from" },
    { text: 'secondary {\ntransfer from *\n}', error: "secondary: transfer: got '*'" },
    { text: 'secondary {\ntransfer from ns.example\n}', error: "secondary: transfer: got 'ns.example'" },
    { text: 'secondary {\nfrom 192.0.2.1\n}', error: 'Corefile:3: secondary: ' },
    {
      text: 'secondary {\nkey a\n}',
      error: "Corefile:3: secondary: key: got 'a', allowed: a key of 'tsig', which this server block has none of",
    },
    { text: 'secondary {\ntransfer from 192.0.2.1\ncatalog a..b\n}', error: "catalog: got zone 'a..b'" },
  ])('$text', ({ text, error }) => expect(() => setup(secondary, text, options)).toThrow(error));
});
