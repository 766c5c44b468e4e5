import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom, randomBelow } from '../../src/lib/random.js';
import { Rcode, rcodeName } from '../../src/wire/index.js';
import { compiledProgram } from './compiled.js';
import { query } from './dns.js';
import { Reached, type Line, type Way } from './ways.js';

const ASKED = Buffer.from(query('www.example.', 'A', { id: 0x4711 }).bytes);
const WITH_OPT = Buffer.from(query('www.example.', 'A', { id: 0x4711, edns: 1232 }).bytes);
/** Where the OPT record of `WITH_OPT` begins. */
const OPT_AT = ASKED.length;

const changed = (change: (bytes: Buffer) => void, from = ASKED): Buffer => {
  const bytes = Buffer.from(from);
  change(bytes);
  return bytes;
};
const header = (counts: readonly number[], flags = 0x0100): Buffer => {
  const bytes = Buffer.alloc(12);
  [0x4711, flags, ...counts].forEach((word, i) => bytes.writeUInt16BE(word, 2 * i));
  return bytes;
};
const named = (name: Buffer): Buffer => Buffer.concat([header([1, 0, 0, 0]), name, Buffer.from([0, 1, 0, 1])]);
const label = (length: number): Buffer => Buffer.concat([Buffer.from([length]), Buffer.alloc(length, 0x61)]);
/** An OPT record whose data claims `claims` bytes and has `data`. */
const withOptions = (data: Buffer, claims = data.length): Buffer =>
  Buffer.concat([changed((bytes) => bytes.writeUInt16BE(claims, OPT_AT + 9), WITH_OPT), data]);

/**
 * What comes back: an rcode, nothing at all, or either of some. Where what is no query is refused outside of DNS, nothing
 * comes for FORMERR and NOTIMP.
 */
interface HostileMessage {
  readonly name: string;
  readonly bytes: Buffer;
  readonly want: number | 'nothing';
}
const ROWS: readonly HostileMessage[] = [
  { name: 'no byte', bytes: Buffer.alloc(0), want: 'nothing' },
  { name: 'one byte', bytes: ASKED.subarray(0, 1), want: 'nothing' },
  { name: 'a header cut short', bytes: ASKED.subarray(0, 11), want: 'nothing' },
  { name: 'an answer', bytes: changed((bytes) => (bytes[2] = 0x81)), want: 'nothing' },
  { name: 'a header alone', bytes: header([0, 0, 0, 0]), want: Rcode.FORMERR },
  { name: 'a header that claims a question', bytes: header([1, 0, 0, 0]), want: Rcode.FORMERR },
  { name: 'counts of 65,535', bytes: header([65_535, 65_535, 65_535, 65_535]), want: Rcode.FORMERR },
  { name: 'two questions', bytes: changed((bytes) => (bytes[5] = 2)), want: Rcode.FORMERR },
  { name: 'a question cut short', bytes: ASKED.subarray(0, ASKED.length - 1), want: Rcode.FORMERR },
  { name: 'a name that points to itself', bytes: named(Buffer.from([0xc0, 12])), want: Rcode.FORMERR },
  { name: 'a name that points forwards', bytes: named(Buffer.from([0xc0, 20, 0])), want: Rcode.FORMERR },
  { name: 'a label of a reserved type', bytes: named(Buffer.from([0x80, 1, 0])), want: Rcode.FORMERR },
  {
    name: 'a name of 257 bytes',
    bytes: named(Buffer.concat([...Array(4).keys()].map(() => label(63)).concat(Buffer.from([0])))),
    want: Rcode.FORMERR,
  },
  { name: 'a name without an end', bytes: Buffer.concat([header([1, 0, 0, 0]), label(63)]), want: Rcode.FORMERR },
  { name: 'an OPT record cut short', bytes: WITH_OPT.subarray(0, WITH_OPT.length - 3), want: Rcode.FORMERR },
  {
    name: 'two OPT records',
    bytes: changed((bytes) => (bytes[11] = 2), Buffer.concat([WITH_OPT, WITH_OPT.subarray(OPT_AT)])),
    want: Rcode.FORMERR,
  },
  {
    name: 'an option that runs past its record',
    bytes: withOptions(Buffer.from([0, 10, 255, 255])),
    want: Rcode.FORMERR,
  },
  { name: 'options that run past the message', bytes: withOptions(Buffer.alloc(0), 65_535), want: Rcode.FORMERR },
  {
    name: '65,000 bytes of options',
    bytes: withOptions(Buffer.concat([Buffer.from([0xff, 0, 0xfd, 0xe4]), Buffer.alloc(65_000)])),
    want: Rcode.NOERROR,
  },
  { name: 'an unknown version of EDNS', bytes: changed((bytes) => (bytes[OPT_AT + 6] = 1), WITH_OPT), want: 0 },
  { name: 'UPDATE', bytes: changed((bytes) => (bytes[2] = 5 << 3)), want: Rcode.NOTIMP },
  // As in CoreDNS, a plugin without zones of its own answers it like a query.
  { name: 'NOTIFY', bytes: changed((bytes) => (bytes[2] = 4 << 3)), want: Rcode.NOERROR },
  { name: 'an opcode that nobody knows', bytes: changed((bytes) => (bytes[2] = 15 << 3)), want: Rcode.NOTIMP },
  { name: 'bytes behind the message', bytes: Buffer.concat([ASKED, Buffer.alloc(500, 0xff)]), want: Rcode.NOERROR },
];

/** What a way has no room for: one datagram, with what stands around it. */
const fits = (way: Way, { length }: Buffer): boolean => way.transport !== 'udp' || length < 60_000;

/** The tests of what is hostile, or of the rows with such names, and of what is drawn from a seed. */
export function hostileMessages(way: Way, only = /./): void {
  describe(`hostile messages over ${way.name}`, () => {
    const reached = new Reached(way);
    beforeAll(async () => {
      // Threads are started from the compiled program, which may have to be made first.
      if (way.batched === true) compiledProgram();
      await reached.start(['hosts {\n192.0.2.7 www.example\n}'], {});
    }, 180_000);
    afterAll(() => reached.stop());
    /** A good query is answered after all that came before, and nothing was taken for a fault of the server. */
    const isWell = async (line: Line): Promise<void> => {
      const answer = await line.ask(query('www.example.', 'A', { id: 0x0815 }).bytes);
      expect(rcodeName(answer[3]! & 15)).toBe('NOERROR');
      expect(reached.log.lines.filter((text) => /ERROR|anic/.test(text))).toEqual([]);
      expect(line.faults).toEqual([]);
    };

    it.each(ROWS.filter(({ name, bytes }) => only.test(name) && fits(way, bytes)))('$name', async ({ bytes, want }) => {
      const line = await reached.connect();
      const outside = way.refusesOutside && (want === Rcode.FORMERR || want === Rcode.NOTIMP);
      if (want === 'nothing' || outside) {
        line.send(bytes);
        await isWell(line);
        expect(line.got).toHaveLength(1);
      } else {
        expect(rcodeName((await line.ask(bytes))[3]! & 15)).toBe(rcodeName(want));
        await isWell(line);
      }
    });

    it('of all kinds, drawn from one seed, end nothing', async () => {
      const line = await reached.connect();
      const random = seededRandom(4711);
      for (let i = 0; i < 300; i++) {
        const bytes = Buffer.from(i % 2 === 0 ? ASKED : WITH_OPT);
        for (let faults = 1 + randomBelow(random, 4); faults > 0; faults--)
          bytes[2 + randomBelow(random, bytes.length - 2)] = randomBelow(random, 256);
        line.send(bytes.subarray(0, 1 + randomBelow(random, bytes.length)));
        if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
      }
      await isWell(line);
    });
  });
}
