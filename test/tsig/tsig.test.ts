import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  SignedRequest,
  TsigFault,
  TsigTransaction,
  findTsig,
  readTsigKeys,
  tsigFaultName,
  tsigKey,
  withoutTsig,
} from '../../src/tsig/index.js';
import { Type, WireError, decodeMessage, encodeMessage, encodeName, type Rr } from '../../src/wire/index.js';
import { query, rr } from '../support/dns.js';

const SECRET = 'NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=';
const NOW = Date.UTC(2026, 0, 1);
const HASHES = ['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const key = (algorithm?: string, name = 'Key.Example') => tsigKey(name, SECRET, algorithm);
const keys = new Map([['key.example.', key()]]);
const QUERY = query('www.example.', 'A', { edns: 1232 }).bytes;
const ANSWER = Buffer.from(QUERY);
const at = (time: number) => (): number => time;
const judge = (bytes: Buffer, now = NOW): TsigTransaction => TsigTransaction.of(bytes, keys, at(now))!;

/** A TSIG record whose fields are as a row says, signed where it can be. */
interface Parts {
  owner?: string;
  algorithm?: string;
  time?: number;
  mac?: number;
  id?: number;
  class?: number;
  ttl?: number;
  error?: number;
  tail?: string;
}
function record(parts: Parts = {}): Rr {
  const { owner = 'key.example.', algorithm = 'hmac-sha256.', time = NOW / 1000, error = 0 } = parts;
  const head = Buffer.alloc(8);
  head.writeUIntBE(time, 0, 6);
  head.writeUInt16BE(300, 6);
  const tail = Buffer.from([error >> 8, error & 0xff, 0, 0]);
  const id = parts.id ?? QUERY.readUInt16BE(0);
  const message = Buffer.from(QUERY);
  message.writeUInt16BE(id, 0);
  const names = [encodeName(owner.toLowerCase()), Buffer.from([0, 255, 0, 0, 0, 0]), encodeName(algorithm)];
  const hmac = createHmac('sha256', Buffer.from(SECRET, 'base64'));
  const mac = hmac.update(Buffer.concat([message, ...names, head, tail])).digest();
  const given = Buffer.concat([mac, Buffer.alloc(40)]).subarray(0, parts.mac ?? 32);
  const sizes = Buffer.from([0, given.length]);
  const ids = Buffer.from([id >> 8, id & 0xff]);
  const rdata = Buffer.concat([encodeName(algorithm), head, sizes, given, ids, tail, Buffer.from(parts.tail ?? '')]);
  return { name: owner, type: Type.TSIG, class: parts.class ?? 255, ttl: parts.ttl ?? 0, rdata };
}

/** The query with records behind it. */
function carrying(...records: Rr[]): Buffer {
  const bytes = encodeMessage({
    id: 0,
    flags: 0,
    rcode: 0,
    question: [],
    answer: [],
    authority: [],
    additional: records,
  });
  const all = Buffer.concat([QUERY, bytes.subarray(12)]);
  all.writeUInt16BE(1 + records.length, 10);
  return all;
}

describe('a signed query', () => {
  it.each(HASHES)('is taken with %s, and its answers are signed one after the other', (algorithm) => {
    const request = new SignedRequest(key(algorithm), at(NOW));
    const signed = request.sign(QUERY);
    const transaction = judge(signed, NOW + 300_999);
    expect([transaction.verified, transaction.error]).toEqual([true, TsigFault.NONE]);
    expect(withoutTsig(signed, findTsig(signed)!)).toEqual(QUERY);
    for (const prefix of [0, 2, 0]) {
      const answer = transaction.sign(Buffer.concat([Buffer.alloc(prefix), ANSWER]), prefix);
      expect(answer.length - prefix - ANSWER.length).toBeLessThanOrEqual(transaction.reserve);
      request.check(answer.subarray(prefix));
      expect(request.complete).toBe(true);
    }
  });

  it('is signed now, for five minutes, under its id', () => {
    const signed = new SignedRequest(key(), at(NOW + 999)).sign(QUERY);
    expect(findTsig(signed)).toMatchObject({
      key: 'key.example.',
      algorithm: 'hmac-sha256.',
      time: NOW / 1000,
      fudge: 300,
      originalId: QUERY.readUInt16BE(0),
      error: 0,
      other: Buffer.alloc(0),
      start: QUERY.length,
    });
  });

  it('may hold records of each section, and a long name', () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example.`;
    const records = [rr(`${name} 1 IN A 192.0.2.1`), rr('b. 2 IN A 192.0.2.2'), rr('c. 3 IN A 192.0.2.3')];
    const { question } = decodeMessage(query(name).bytes);
    const [answer, authority, additional] = [records, records.slice(1), records.slice(2)];
    const bytes = encodeMessage({ id: 1, flags: 0, rcode: 0, question, answer, authority, additional });
    expect(judge(new SignedRequest(key(), at(NOW)).sign(bytes)).verified).toBe(true);
  });

  it.each([
    { name: 'as it is', parts: {}, error: 'NONE' },
    { name: 'under another id, as it was before', parts: { id: 7 }, error: 'NONE' },
    { name: 'with capitals in the name of the key', parts: { owner: 'KEY.example.' }, error: 'NONE' },
    { name: 'an unknown key', parts: { owner: 'other.' }, error: 'BADKEY' },
    { name: 'an unknown algorithm', parts: { algorithm: 'hmac-md5.sig-alg.reg.int.' }, error: 'BADKEY' },
    { name: 'the algorithm of another signature', parts: { algorithm: 'hmac-sha512.', mac: 64 }, error: 'BADSIG' },
    { name: 'another error than was signed', parts: {}, flip: 'error', error: 'BADSIG' },
    { name: 'another question than was signed', parts: {}, flip: 'question', error: 'BADSIG' },
    { name: 'half a signature', parts: { mac: 16 }, error: 'BADTRUNC' },
    { name: 'all but a byte of one', parts: { mac: 31 }, error: 'BADTRUNC' },
    { name: 'half a wrong one', parts: { mac: 16 }, flip: 'question', error: 'BADSIG' },
    { name: 'the last second before', parts: { time: NOW / 1000 - 300 }, error: 'NONE' },
    { name: 'too long ago', parts: { time: NOW / 1000 - 301 }, error: 'BADTIME' },
    { name: 'too far ahead', parts: { time: NOW / 1000 + 301 }, error: 'BADTIME' },
    { name: 'too long ago, and too short', parts: { time: 1, mac: 16 }, error: 'BADTIME' },
    { name: 'too long ago, and wrong', parts: { time: 1 }, flip: 'question', error: 'BADSIG' },
  ] as { name: string; parts: Parts; flip?: string; error: string }[])('$name: $error', ({ parts, flip, error }) => {
    const bytes = carrying(record(parts));
    if (flip === 'question') bytes[14]! ^= 1;
    if (flip === 'error') bytes[bytes.length - 3]! ^= 1;
    expect(tsigFaultName(judge(bytes).error)).toBe(error);
  }); // prettier-ignore

  it.each([
    { name: 'a record behind it', bytes: carrying(record(), rr('a. 0 IN A 192.0.2.1')), error: 'not the last one' },
    { name: 'two of them', bytes: carrying(record(), record()), error: 'not the last one' },
    { name: 'another class', bytes: carrying(record({ class: 1 })), error: 'another class than ANY' },
    { name: 'a TTL', bytes: carrying(record({ ttl: 1 })), error: 'with a TTL' },
    { name: 'bytes behind its fields', bytes: carrying(record({ tail: 'x' })), error: 'bytes behind the fields' },
    { name: 'bytes behind the message', bytes: Buffer.concat([carrying(record()), Buffer.alloc(1)]), error: 'bytes behind the TSIG record' },
    { name: 'too little of a signature', bytes: carrying(record({ mac: 15 })), error: 'MAC of 15 bytes' },
    { name: 'no signature', bytes: carrying(record({ mac: 0 })), error: 'MAC of 0 bytes' },
    { name: 'too long a signature', bytes: carrying(record({ mac: 33 })), error: 'MAC of 33 bytes' },
    { name: 'fewer fields', bytes: carrying({ ...record(), rdata: record().rdata.subarray(0, 30) }), error: 'cut short' },
    { name: 'no algorithm', bytes: carrying({ ...record(), rdata: Buffer.from([63]) }), error: 'past the end' },
    { name: 'a pointer for the algorithm', bytes: carrying({ ...record(), rdata: Buffer.concat([Buffer.from([0xc0, 12]), record().rdata.subarray(13)]) }), error: 'compressed name' },
  ])('with $name is malformed', ({ bytes, error }) => {
    expect(() => judge(bytes)).toThrow(WireError);
    expect(() => judge(bytes)).toThrow(error);
  }); // prettier-ignore

  it('is malformed wherever its record ends before its fields do', () => {
    const { rdata } = record();
    for (let length = encodeName('hmac-sha256.').length; length < rdata.length; length++) {
      const cut = (): unknown => judge(carrying({ ...record(), rdata: rdata.subarray(0, length) }));
      expect(cut).toThrow(WireError);
      expect(cut).toThrow('TSIG record cut short');
    }
  });

  it('is malformed where its data end behind the message', () => {
    const bytes = carrying(record());
    const length = findTsig(bytes)!.start + encodeName('key.example.').length + 8;
    bytes.writeUInt16BE(bytes.readUInt16BE(length) + 1, length);
    expect(() => judge(bytes)).toThrow(`record data runs past the end of the message at octet ${length}`);
  });

  it.each([
    { name: 'ends before its records do', bytes: QUERY.subarray(0, -11) },
    { name: 'has bytes behind its records', bytes: Buffer.concat([QUERY, Buffer.alloc(1)]) },
  ])('is none without the record where a message $name', ({ bytes }) => {
    expect(findTsig(bytes)).toBeUndefined();
  });

  it('is none without the record', () => {
    expect(TsigTransaction.of(QUERY, keys, at(NOW))).toBeUndefined();
    expect(TsigTransaction.of(query('a.').bytes, keys, at(NOW))).toBeUndefined();
  });
});

describe('any change of a signed query', () => {
  const signed = new SignedRequest(key(), at(NOW)).sign(QUERY);
  const record = findTsig(signed)!;
  const id = signed.length - 6;
  /** The id, which is signed as it was before, and the letter case of names in the record. */
  const free = (place: number, mask: number): boolean =>
    place < 2 ||
    (mask === 0x20 &&
      place >= record.start &&
      /[a-z]/i.test(String.fromCharCode(signed[place]!)) &&
      place < id - record.mac.length);
  it('is noticed, and nothing else thrown', () => {
    const passed: string[] = [];
    for (let place = 0; place < signed.length; place++) {
      for (const mask of [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff]) {
        const changed = Buffer.from(signed);
        changed[place]! ^= mask;
        try {
          if (TsigTransaction.of(changed, keys, at(NOW))?.verified === true && !free(place, mask))
            passed.push(`${place} ^ ${mask}`);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }
    }
    expect(passed).toEqual([]);
  });

  it('is noticed where it is cut off', () => {
    for (let length = 12; length < signed.length; length++) {
      try {
        expect(TsigTransaction.of(signed.subarray(0, length), keys, at(NOW))?.verified).not.toBe(true);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
  });
});

describe('what is wrong is told', () => {
  const told = (parts: Parts, flip = false): ReturnType<typeof findTsig> => {
    const bytes = carrying(record(parts));
    if (flip) bytes[14]! ^= 1;
    return findTsig(judge(bytes).sign(ANSWER, 0));
  };
  it.each([
    { name: 'an unknown key', said: told({ owner: 'other.' }), error: 17, mac: 0, other: 0 },
    { name: 'an unknown algorithm', said: told({ algorithm: 'hmac-md5.sig-alg.reg.int.' }), error: 17, mac: 0, other: 0 },
    { name: 'a wrong signature', said: told({}, true), error: 16, mac: 0, other: 0 },
    { name: 'a short signature', said: told({ mac: 16 }), error: 22, mac: 32, other: 0 },
    { name: 'a wrong time', said: told({ time: 5 }), error: 18, mac: 32, other: 6 },
  ])('$name: error $error', ({ said, ...want }) => {
    expect({ error: said!.error, mac: said!.mac.length, other: said!.other.length }).toMatchObject({ error: want.error, mac: want.mac, other: want.other });
    if (want.other > 0) expect([said!.time, Buffer.from(said!.other).readUIntBE(0, 6)]).toEqual([5, NOW / 1000]);
  }); // prettier-ignore
});

describe('a wrong time', () => {
  it('is told with both times, and all of it signed (RFC 8945 sections 4.3.3 and 5.2.3)', () => {
    const told = findTsig(judge(carrying(record({ time: 5 }))).sign(ANSWER, 0))!;
    const times = Buffer.alloc(18);
    times.writeUIntBE(5, 0, 6);
    times.writeUInt16BE(300, 6);
    times.writeUInt16BE(TsigFault.BADTIME, 8);
    times.writeUInt16BE(6, 10);
    times.writeUIntBE(NOW / 1000, 12, 6);
    const asked = findTsig(carrying(record({ time: 5 })))!.mac;
    const names = [encodeName('key.example.'), Buffer.from([0, 255, 0, 0, 0, 0]), encodeName('hmac-sha256.')];
    const hmac = createHmac('sha256', Buffer.from(SECRET, 'base64'));
    expect(told.mac).toEqual(
      hmac.update(Buffer.concat([Buffer.from([0, 32]), asked, ANSWER, ...names, times])).digest(),
    );
  });
});

describe('an answer to a query of our own', () => {
  const exchange = (other = key()) => {
    const request = new SignedRequest(key(), at(NOW));
    const transaction = TsigTransaction.of(request.sign(QUERY), new Map([['key.example.', other]]), at(NOW))!;
    return { request, transaction };
  };
  const [first, second] = [ANSWER, query('b.').bytes];

  it('may leave signatures out in the middle, but not at the end', () => {
    // Signs as one who signs the first message and the third, the second with it.
    const { request, transaction } = exchange();
    request.check(transaction.sign(first, 0));
    request.check(second);
    expect(request.complete).toBe(false);
    const before = findTsig(exchange().transaction.sign(first, 0))!.mac;
    const time = Buffer.alloc(8);
    time.writeUIntBE(NOW / 1000, 0, 6);
    time.writeUInt16BE(300, 6);
    const hmac = createHmac('sha256', Buffer.from(SECRET, 'base64'));
    const mac = hmac.update(Buffer.concat([Buffer.from([0, 32]), before, second, first, time])).digest();
    const unsigned = record();
    const rdata = Buffer.from(unsigned.rdata);
    rdata.set(mac, 13 + 10);
    request.check(carrying({ ...unsigned, rdata }));
    expect(request.complete).toBe(true);
  });

  it.each([
    { name: 'without signature', answer: () => first, error: 'an answer without signature' },
    { name: 'that was changed', answer: (one: TsigTransaction) => flip(one.sign(first, 0), 14), error: 'a wrong signature' },
    { name: 'with another secret', other: tsigKey('key.example', 'AAAA'), answer: (one: TsigTransaction) => one.sign(first, 0), error: 'the server says BADSIG' },
    { name: 'from a server without the key', keys: new Map(), answer: (one: TsigTransaction) => one.sign(first, 0), error: 'the server says BADKEY' },
    { name: 'signed long ago', then: NOW - 301_000, answer: (one: TsigTransaction) => one.sign(first, 0), error: 'signed at 1767225299, more than 300 seconds from 1767225600' },
    { name: 'signed with another key', answer: () => carrying(record({ owner: 'other.' })), error: 'signed with other. and hmac-sha256. instead of key.example. and hmac-sha256.' },
    { name: 'that tells of a clock elsewhere', asked: NOW + 301_000, answer: (one: TsigTransaction) => one.sign(first, 0), error: 'the server says BADTIME' },
    { name: 'that tells of one under a wrong signature', asked: NOW + 301_000, answer: (one: TsigTransaction) => flip(one.sign(first, 0), 14), error: 'a wrong signature' },
    { name: 'with nothing for a signature', answer: () => carrying(record({ mac: 0 })), error: 'a wrong signature' },
    { name: 'with half a signature', answer: () => carrying(record({ mac: 16 })), error: 'a wrong signature' },
  ])('$name is refused', ({ answer, other, asked, then, keys: known, error }) => {
    const request = new SignedRequest(key(), at(NOW));
    const bytes = request.sign(QUERY);
    const shared = known ?? new Map([['key.example.', other ?? key()]]);
    let time = asked ?? NOW;
    const transaction = TsigTransaction.of(bytes, shared, () => time)!;
    time = then ?? NOW;
    expect(() => request.check(answer(transaction))).toThrow(error);
  }); // prettier-ignore

  it('may not go on without signatures for ever', () => {
    const { request, transaction } = exchange();
    request.check(transaction.sign(first, 0));
    for (let i = 0; i < 99; i++) request.check(second);
    expect(() => request.check(second)).toThrow('more than 99 messages without signature');
  });

  it('that repeats the message before is refused', () => {
    const { request, transaction } = exchange();
    const answer = transaction.sign(first, 0);
    request.check(answer);
    expect(() => request.check(answer)).toThrow('a wrong signature');
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

describe('key files', () => {
  it('are read as tsig-keygen and people write them', () => {
    const text = `# all of them\nkey "One.Example" {\n\talgorithm hmac-sha512;\n\tsecret "${SECRET}";\n};\nkey two { secret ${SECRET}; } // the last`;
    expect(readTsigKeys('keys', text)).toEqual([key('hmac-sha512', 'one.example.'), key(undefined, 'two')]);
    expect(readTsigKeys('keys', '')).toEqual([]);
  });

  const good = `key a { secret ${SECRET}; };\n`;
  it.each([
    { text: 'zone a {', error: "keys:1: expected 'key', got 'zone'" },
    { text: 'key', error: 'keys:1: expected the name of a key, got the end of the file' },
    { text: 'key a\n;', error: "keys:2: expected '{', got ';'" },
    { text: `${good}key b {\n};`, error: "keys:2: key 'b' has no secret" },
    { text: `${good}key b {\nsecret "no*base64";\n};`, error: "keys:2: the secret of key 'b' is no base64" },
    { text: 'key a {\nalgorithm hmac-md5;\nsecret AAAA;\n}', error: "keys:1: got algorithm 'hmac-md5', allowed: hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512" },
    { text: 'key a {\nfile x;\n}', error: "keys:2: got 'file', allowed: algorithm, secret" },
    { text: 'key a {\nfile\nx;\n}', error: "keys:2: got 'file', allowed: algorithm, secret" },
    { text: 'key a { secret AAAA }', error: "keys:1: expected ';', got '}'" },
    { text: 'key a {\n\nsecret', error: 'keys:3: expected the secret, got the end of the file' },
    { text: good + good, error: "keys:2: key 'a' a second time" },
    { text: 'key a..b { secret AAAA; }', error: "keys:1: 'a..b' is no name of a key" },
  ])('$error', ({ text, error }) => expect(() => readTsigKeys('keys', text)).toThrow(expect.objectContaining({ message: error }))); // prettier-ignore
});
