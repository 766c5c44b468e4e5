import { beforeEach, describe, expect, it } from 'vitest';
import { LOSS_REASONS, Losses } from '../../src/net/losses.js';
import { ClientShares } from '../../src/fastpath/client-shares.js';
import { HitNotes } from '../../src/fastpath/hit-notes.js';
import { RingBuffer } from '../../src/fastpath/ring-buffer.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { QueryReceiver } from '../../src/fastpath/query-receiver.js';
import { LARGEST } from '../../src/fastpath/table-layout.js';
import type { AnswerTableWriter } from '../../src/fastpath/table-writer.js';
import { AnswerTable } from '../../src/fastpath/table.js';
import { decodeMessage, encodeRecords, type Message } from '../../src/wire/index.js';
import { query, rrs, texts, type QuestionOptions } from '../support/dns.js';
import { FakeLibc } from '../support/fake-libc.js';
import { entryFor, keyOf, table } from '../support/shared-answer.js';

const SOCKET = { fd: 9, server: 0, id: 5 };
const client = (port: number, address = '192.0.2.9'): Uint8Array => new Uint8Array(encodeSockaddr({ address, port }));

let libc: FakeLibc;
let answers: AnswerTableWriter;
let ring: RingBuffer;
let receiver: QueryReceiver;
let losses: Losses;
let shares: ClientShares;
let slot: number;

const { bytes: records, ttls } = encodeRecords({
  answer: rrs('www.example.org. 30 IN A 192.0.2.1'),
  authority: [],
  additional: [],
});
const ask = (
  name: string,
  options: QuestionOptions & { type?: string } = {},
  from = client(4000),
  control?: Uint8Array,
): void =>
  void libc.incoming.push({
    bytes: query(name, options.type ?? 'A', options).bytes,
    address: from,
    ...(control && { control }),
  });
const sent = (): Message[] => libc.sent.map(({ bytes }) => decodeMessage(Buffer.from(bytes)));
const handedOver = (): string[] => {
  const all: string[] = [];
  for (let one = ring.shift(); one; one = ring.shift()) all.push(decodeMessage(one.bytes).question[0]!.name);
  return all;
};

beforeEach(() => {
  libc = new FakeLibc();
  answers = table(8);
  ring = new RingBuffer(RingBuffer.allocate(512));
  losses = new Losses();
  shares = new ClientShares(ClientShares.allocate(), 7);
  receiver = new QueryReceiver(libc, answers, ring, losses, shares, () => 2500);
  slot = answers.put(
    entryFor(query('www.example.org.'), { records, ttls, ttl: 30, stored: 500, flags: 0x8480 }),
    0,
    () => undefined,
  );
});

describe('what the table holds', () => {
  it('is answered with id, RD, CD and question of the query, and TTLs counted down', () => {
    ask('www.example.org.', { id: 77 });
    ask('www.example.org.', { id: 78, rd: false }, client(4001));
    expect(receiver.take(SOCKET)).toBe(true);
    const [first, second] = sent();
    expect(first).toMatchObject({
      id: 77,
      flags: 0x8580,
      rcode: 0,
      question: [{ name: 'www.example.org.', type: 1, class: 1 }],
      authority: [],
      additional: [],
      edns: undefined,
    });
    expect(texts(first!.answer)).toEqual(['www.example.org. 28 IN A 192.0.2.1']);
    expect(second).toMatchObject({ id: 78, flags: 0x8480 });
    expect(libc.sent.map(({ fd, address }) => ({ fd, address: new Uint8Array(address) }))).toEqual([
      { fd: 9, address: client(4000) },
      { fd: 9, address: client(4001) },
    ]);
    expect(ring.shift()).toBeUndefined();
  });

  it.each([
    { name: 'of the smallest size', size: 0 },
    { name: 'of a usual size', size: 1232 },
    { name: 'of the greatest size', size: 65_535 },
  ])("gets an OPT record like the client's, $name", ({ size }) => {
    ask('www.example.org.', { edns: size });
    receiver.take(SOCKET);
    expect(sent()[0]!.edns).toEqual({ udpSize: size, version: 0, do: false, options: [] });
    expect(answers.takeHits(slot)).toEqual({ plain: 0, edns: 1 });
  });

  it.each([
    { name: 'DO', options: { edns: 1232, do: true } },
    { name: 'CD', options: { cd: true } },
    { name: 'AD', options: { ad: true } },
  ])('is another answer with $name, which says so', ({ options }) => {
    const asked = query('www.example.org.', 'A', options);
    ask('www.example.org.', options);
    receiver.take(SOCKET);
    expect(libc.sent).toEqual([]);
    expect(handedOver()).toEqual(['www.example.org.']);
    answers.put(entryFor(asked, { records, ttls }), 0, () => undefined);
    ask('www.example.org.', options);
    receiver.take(SOCKET);
    expect(sent()[0]!.flags & 0x10).toBe('cd' in options ? 0x10 : 0);
    expect(sent()[0]!.edns?.do ?? false).toBe('do' in options);
  });

  it('counts additional records on beyond 255', () => {
    answers.put(
      entryFor(query('www.example.org.'), { additionals: 255, records: Buffer.alloc(0), ttls: [] }),
      0,
      () => undefined,
    );
    ask('www.example.org.', { edns: 1232 });
    receiver.take(SOCKET);
    expect([...libc.sent[0]!.bytes.subarray(10, 12)]).toEqual([1, 0]);
  });

  it.each([
    { name: 'a short name', asked: 'a.' },
    { name: 'a long name', asked: `${Array(3).fill('a'.repeat(63)).join('.')}.${'b'.repeat(60)}.` },
  ])('fits every client at its longest, for $name', ({ asked }) => {
    const room = LARGEST - 64 - keyOf(query(asked)).length;
    expect([
      AnswerTable.fits(keyOf(query(asked)).length, room, 0),
      AnswerTable.fits(keyOf(query(asked)).length, room + 1, 0),
    ]).toEqual([true, false]);
    answers.put(entryFor(query(asked), { records: Buffer.alloc(room, 9), ttls: [] }), 0, () => undefined);
    ask(asked, { edns: 512 });
    receiver.take(SOCKET);
    expect(libc.sent[0]!.bytes.length).toBeLessThanOrEqual(512);
    expect(Buffer.from(libc.sent[0]!.bytes).subarray(-11 - room, -11)).toEqual(Buffer.alloc(room, 9));
  });

  it.each([
    { name: 'is being written', change: () => void Atomics.add(answers.words, slot, 1) },
    {
      name: 'has come to hold another name',
      change: () => {
        answers.clear(slot);
        const other = entryFor(query('www.example.com.'), { records, ttls });
        for (let i = 0; answers.put(other, 0, () => undefined) !== slot; i++) if (i === 0) answers.find = () => -1;
      },
    },
  ])('is no answer when its slot $name after it was found', ({ change }) => {
    const find = answers.find.bind(answers);
    answers.find = (...args) => {
      const found = find(...args);
      answers.find = find;
      change();
      answers.find = find;
      return found;
    };
    ask('www.example.org.');
    receiver.take(SOCKET);
    expect(libc.sent).toEqual([]);
    expect(handedOver()).toEqual(['www.example.org.']);
  });

  it('is counted once an answer', () => {
    for (let i = 0; i < 3; i++) ask('www.example.org.');
    receiver.take(SOCKET);
    expect(answers.takeHits(slot)).toEqual({ plain: 3, edns: 0 });
  });

  it('is for clients of the same family only', () => {
    ask('www.example.org.', {}, client(4000, '2001:db8::1'));
    ask('www.example.org.', {}, client(4000, '::ffff:192.0.2.7'));
    receiver.take(SOCKET);
    expect(handedOver()).toEqual(['www.example.org.']);
    expect(sent()).toHaveLength(1);
    expect(new Uint8Array(libc.sent[0]!.address)).toEqual(client(4000, '::ffff:192.0.2.7'));
  });
});

describe('what goes to the chain', () => {
  it('has socket and sender with it', () => {
    ask('else.example.org.', {}, client(5353, '2001:db8::5'));
    receiver.take(SOCKET);
    expect(ring.shift()).toEqual({
      socket: 5,
      sender: Buffer.from(client(5353, '2001:db8::5')),
      control: undefined,
      bytes: query('else.example.org.').bytes,
    });
    expect(libc.sent).toEqual([]);
  });

  it('gets its sender whole after one with a shorter address', () => {
    ask('a.example.org.', {}, client(1, '192.0.2.1'));
    receiver.take(SOCKET);
    ask('b.example.org.', {}, client(2, '2001:db8::2'));
    receiver.take(SOCKET);
    expect([ring.shift()!.sender, ring.shift()!.sender]).toEqual(
      [client(1, '192.0.2.1'), client(2, '2001:db8::2')].map((one) => Buffer.from(one)),
    );
  });

  it.each([
    { name: 'a name with capitals whose answer may show them', change: () => ask('WWW.example.org.') },
    { name: 'another type', change: () => ask('www.example.org.', { type: 'AAAA' }) },
    {
      name: 'an answer that has expired',
      change: () => (
        answers.put(entryFor(query('www.example.org.'), { until: 2500 }), 0, () => undefined),
        ask('www.example.org.')
      ),
    },
    {
      name: 'an answer to another server',
      change: () => (
        answers.clear(slot),
        answers.put(entryFor(query('www.example.org.'), { server: 1 }), 0, () => undefined),
        ask('www.example.org.')
      ),
    },
  ])('is $name', ({ change }) => {
    change();
    receiver.take(SOCKET);
    expect(libc.sent).toEqual([]);
    expect(handedOver()).toHaveLength(1);
  });

  it('may be no message at all', () => {
    libc.incoming.push({ bytes: Buffer.from('?'), address: client(1) }, { bytes: Buffer.alloc(0), address: client(1) });
    receiver.take(SOCKET);
    expect([ring.shift()!.bytes.toString(), ring.shift()!.bytes.length]).toEqual(['?', 0]);
  });
});

describe('who asks more than its share', () => {
  const word = (address: string): number => Buffer.from(client(1, address)).readInt32LE(4);
  const light = (i: number): string => `light${i}.example.org.`;
  const heavy = (i: number): string => `heavy${i}.example.org.`;
  const takeAll = (): void => {
    while (libc.incoming.length > 0) receiver.take(SOCKET);
  };

  beforeEach(() => {
    ring = new RingBuffer(RingBuffer.allocate(1 << 16));
    receiver = new QueryReceiver(libc, answers, ring, losses, shares, () => 2500);
    shares.settle(1000, 0);
    // Dear ones: few of them may wait.
    for (let i = 0; i < 1000; i++) shares.ran(client(1, '192.0.2.66'), 1000, 1);
    shares.take(word('192.0.2.9'), 0);
    shares.settle(1000, 1 << 20);
    for (let i = 0; i < 300; i++) ask(heavy(i), {}, client(4000, '192.0.2.66'));
    ask(light(0));
    takeAll();
  });

  it('waits, and those who do not go first', () => {
    const names = handedOver();
    expect(names.length).toBeLessThan(200);
    expect(names.at(-1)).toBe(light(0));
    expect(shares.delayed).toBe(300 - (names.length - 1));
    expect(shares.dropped).toBe(0);
  });

  it('has its queries handed over in turn when there is room, or at the end', () => {
    const names = handedOver();
    expect(receiver.holdsBack).toBe(true);
    receiver.goOn();
    const more = handedOver();
    receiver.release();
    expect(receiver.holdsBack).toBe(false);
    const all = [...names.filter((name) => name !== light(0)), ...more, ...handedOver()];
    expect(more.length).toBeGreaterThan(0);
    expect(all).toEqual(Array.from({ length: 300 }, (_, i) => heavy(i)));
  });

  it('loses what there is no room for, and nobody else does', () => {
    handedOver();
    shares.settle(1010, 1 << 20);
    for (let i = 0; i < 120; i++) {
      for (let j = 0; j < 320; j++) ask(heavy(j), {}, client(4000, '192.0.2.66'));
      ask(light(i));
      takeAll();
      const names = handedOver();
      expect(names).toContain(light(i));
      shares.settle(1010 + i, 1 << 20);
    }
    expect(shares.dropped).toBeGreaterThan(0);
  });
});

describe('a full ring', () => {
  it('is waited for, with the answers that are ready sent before', () => {
    const others = Array.from({ length: 12 }, (_, i) => `n${i}.example.org.`);
    ask('www.example.org.');
    others.forEach((name) => ask(name));
    ask('www.example.org.', { id: 2 });
    const seen: { sent: number; names: string[] }[] = [];
    ring.waitForRoom = () => void seen.push({ sent: libc.sent.length, names: handedOver() });
    receiver.take(SOCKET);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen[0]!.sent).toBe(1);
    expect([...seen.flatMap(({ names }) => names), ...handedOver()]).toEqual(others);
    expect(sent().map(({ id }) => id)).toEqual([4660, 2]);
  });
});

describe('sending', () => {
  const ask5 = (): void => [1, 2, 3, 4, 5].forEach((id) => ask('www.example.org.', { id }, client(4000 + id)));
  const ids = (): number[] => sent().map(({ id }) => id);

  it.each([
    { name: 'goes on where the kernel stopped, without one that fails again', sends: [2, -101], got: [1, 2, 4, 5] },
    { name: 'leaves out the first when that cannot be sent', sends: [-101], got: [2, 3, 4, 5] },
    { name: 'goes on where the kernel stopped, when that can be sent now', sends: [2], got: [1, 2, 3, 4, 5] },
    { name: 'leaves out the last when that cannot be sent', sends: [4, -101], got: [1, 2, 3, 4] },
    { name: 'tries again when a signal came between', sends: [-4, -4], got: [1, 2, 3, 4, 5] },
    { name: 'never waits: what there is no room for is lost', sends: [2, -11], got: [1, 2] },
    { name: 'gives up on all when none can be sent', sends: [-1, -1, -1, -1, -1], got: [] },
  ])('$name', ({ sends, got }) => {
    ask5();
    libc.sends = sends;
    receiver.take(SOCKET);
    expect(ids()).toEqual(got);
    expect(libc.sent.map(({ address }) => new Uint8Array(address))).toEqual(got.map((id) => client(4000 + id)));
    expect(LOSS_REASONS.reduce((sum, reason) => sum + losses.of(reason), 0)).toBe(5 - got.length);
    libc.sent.length = 0;
    ask('www.example.org.', { id: 6 });
    receiver.take(SOCKET);
    expect(ids()).toEqual([6]);
  });
});

it('says when there was nothing', () => {
  expect(receiver.take(SOCKET)).toBe(false);
  expect(libc.sent).toEqual([]);
});

it('answers whole batches, and takes the rest with the next call', () => {
  for (let i = 0; i < 70; i++) ask('www.example.org.', { id: i });
  receiver.take(SOCKET);
  expect(libc.sent).toHaveLength(64);
  receiver.take(SOCKET);
  expect(sent().map(({ id }) => id)).toEqual(Array.from({ length: 70 }, (_, i) => i));
});

/**
 * Ancillary data as Linux gives it: length, level, type, then interface and address (IPv4), or address and interface.
 */
describe('at a socket of several addresses', () => {
  it.each([
    {
      name: 'IPv4',
      control: '1c000000000000000000000008000000' + '05000000' + 'c0000201' + 'c0000201',
      source: '1c000000000000000000000008000000' + '00000000' + 'c0000201' + 'c0000201',
    },
    {
      name: 'IPv6',
      control: '24000000000000002900000032000000' + '20010db8000000000000000000000001' + '05000000' + '00000000',
      source: '24000000000000002900000032000000' + '20010db8000000000000000000000001' + '00000000' + '00000000',
    },
    {
      name: 'a link-local address of the far end of their block, by its interface',
      control: '24000000000000002900000032000000' + 'fe900000000000000000000000000001' + '05000000' + '00000000',
      source: '24000000000000002900000032000000' + 'fe900000000000000000000000000001' + '05000000' + '00000000',
    },
    {
      name: 'a link-local address, by its interface',
      control: '24000000000000002900000032000000' + 'fe800000000000000000000000000001' + '05000000' + '00000000',
      source: '24000000000000002900000032000000' + 'fe800000000000000000000000000001' + '05000000' + '00000000',
    },
  ])('an answer leaves from where the query came in: $name', ({ control, source }) => {
    ask('www.example.org.', {}, client(1), Buffer.from(control, 'hex'));
    ask('www.example.org.', {}, client(2));
    ask('else.example.org.', {}, client(3), Buffer.from(control, 'hex'));
    receiver.take(SOCKET);
    expect(libc.sent.map((one) => Buffer.from(one.control!).toString('hex'))).toEqual([source, '']);
    expect(ring.shift()?.control).toEqual(Buffer.from(control, 'hex'));
  });

  it('each answer leaves from its own, where the kernel took only the first at once', () => {
    const address = (i: number): string => `1c000000000000000000000008000000${'00000000'}c000020${i}c000020${i}`;
    for (let i = 1; i <= 4; i++) ask('www.example.org.', {}, client(i), Buffer.from(address(i), 'hex'));
    libc.sends = [1, 2];
    receiver.take(SOCKET);
    expect(libc.sent.map((one) => Buffer.from(one.control!).toString('hex'))).toEqual([1, 2, 3, 4].map(address));
  });

  it('has room for ancillary data again after one that had little', () => {
    const control = Buffer.alloc(40, 7);
    ask('a.example.org.');
    receiver.take(SOCKET);
    ask('b.example.org.', {}, client(1), control);
    receiver.take(SOCKET);
    expect([ring.shift()?.control, ring.shift()?.control]).toEqual([undefined, control]);
  });
});

describe('an answer that is to be noted', () => {
  const noted = (): number =>
    answers.put(entryFor(query('logged.example.org.'), { records, ttls, noted: true }), 0, () => undefined);
  const receiving = (notes?: HitNotes): QueryReceiver =>
    new QueryReceiver(libc, answers, ring, losses, shares, () => 2500, undefined, notes);
  const told = (notes: HitNotes): string[] => {
    const all: string[] = [];
    notes.take(({ slot, id, remote }) => all.push(`${slot} ${id} ${remote.address}:${remote.port}`));
    return all;
  };

  it('is noted each time that it is given, others are not', () => {
    const place = noted();
    const notes = new HitNotes(HitNotes.allocate(4));
    ask('logged.example.org.', { id: 7 });
    ask('www.example.org.', { id: 8 });
    ask('LOGGED.example.org.', { id: 9 }, client(4001, '2001:db8::1'));
    ask('logged.example.org.', { id: 10 }, client(4001));
    receiving(notes).take(SOCKET);
    expect(sent().map(({ id }) => id)).toEqual([7, 8, 10]);
    expect(told(notes)).toEqual([`${place} 7 192.0.2.9:4000`, `${place} 10 192.0.2.9:4001`]);
    expect(handedOver()).toEqual(['LOGGED.example.org.']);
  });

  it.each([
    { name: 'nobody takes notes', notes: undefined, given: 0 },
    { name: 'there is no room for a note', notes: new HitNotes(HitNotes.allocate(1)), given: 1 },
  ])('is not given, but handed over, where $name', ({ notes, given }) => {
    noted();
    ask('logged.example.org.', { id: 7 });
    ask('logged.example.org.', { id: 8 });
    receiving(notes).take(SOCKET);
    expect(sent()).toHaveLength(given);
    expect(handedOver()).toHaveLength(2 - given);
  });
});
