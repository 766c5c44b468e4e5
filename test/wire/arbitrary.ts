import fc from 'fast-check';
import { Type, encodeName, type Edns, type Message, type Name, type Rr } from '../../src/wire/index.js';

fc.configureGlobal({ seed: 20_250_730 });

const label = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z]{63}$/) },
  { weight: 1, arbitrary: fc.constantFrom('\\.', 'a\\.b', '\\\\', '\\000', '\\255x', '\\ ', '\\"') },
);

/** Names of up to four labels from a small pool of suffixes, so that compression has something to do. */
export const name: fc.Arbitrary<Name> = fc
  .tuple(fc.array(label, { maxLength: 2 }), fc.constantFrom('', 'example.org.', 'Example.org.', 'svc.cluster.local.'))
  .map(([labels, suffix]) =>
    labels.length === 0 && suffix === '' ? '.' : labels.map((text) => `${text}.`).join('') + suffix,
  );

const octets = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const wireName = name.map(encodeName);
const join = (...parts: fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> =>
  fc.tuple(...parts).map((list) => Buffer.concat(list));
const free = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

const data: fc.Arbitrary<[number, Buffer]> = fc.oneof(
  ...(
    [
      [Type.A, octets(4)],
      [Type.AAAA, octets(16)],
      [Type.CNAME, wireName],
      [Type.PTR, wireName],
      [Type.NS, wireName],
      [Type.DNAME, wireName],
      [Type.SOA, join(wireName, wireName, octets(20))],
      [Type.MX, join(octets(2), wireName)],
      [Type.SRV, join(octets(6), wireName)],
      [Type.NAPTR, join(octets(4), fc.constant(Buffer.from('\x01u\x00\x00', 'latin1')), wireName)],
      [Type.HTTPS, join(octets(2), wireName, free)],
      [Type.RRSIG, join(octets(18), wireName, free)],
      [Type.TXT, fc.constant(Buffer.from('\x03abc\x00', 'latin1'))],
      [65_280, free],
    ] as [number, fc.Arbitrary<Buffer>][]
  ).map(([type, bytes]) => bytes.map((rdata): [number, Buffer] => [type, rdata])),
);

const record: fc.Arbitrary<Rr> = fc
  .record({ name, data, ttl: fc.nat({ max: 0xffffffff }), class: fc.constantFrom(1, 3, 255) })
  .map(({ data: [type, rdata], ...rest }) => ({ ...rest, type, rdata: Uint8Array.from(rdata) }));

const edns: fc.Arbitrary<Edns> = fc.record({
  udpSize: fc.nat({ max: 0xffff }),
  version: fc.constantFrom(0, 1),
  do: fc.boolean(),
  options: fc.array(fc.record({ code: fc.nat({ max: 0xffff }), data: fc.uint8Array({ maxLength: 12 }) }), {
    maxLength: 2,
  }),
});

const records = fc.array(record, { maxLength: 4 });

/** Whole messages with one question. */
export const message: fc.Arbitrary<Message> = fc
  .record({
    id: fc.nat({ max: 0xffff }),
    flags: fc.nat({ max: 0xfff }).map((bits) => bits << 4),
    low: fc.nat({ max: 15 }),
    high: fc.nat({ max: 255 }),
    question: fc
      .record({ name, type: fc.constantFrom(1, 28, 255), class: fc.constant(1) })
      .map((question) => [question]),
    answer: records,
    authority: records,
    additional: records,
    edns: fc.option(edns, { nil: undefined }),
  })
  .map(({ low, high, ...rest }) => ({ ...rest, rcode: rest.edns ? (high << 4) | low : low }));

/** A valid message with some octets overwritten, cut or repeated. */
export const damage = fc.array(
  fc.record({ at: fc.nat(), octet: fc.oneof(fc.constantFrom(0xc0, 0xff, 0, 0x40, 12), fc.nat({ max: 255 })) }),
  { minLength: 1, maxLength: 4 },
);

export const damaged = (bytes: Buffer, changes: readonly { at: number; octet: number }[], cut: number): Buffer => {
  const copy = Buffer.from(bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0)));
  for (const { at, octet } of changes) if (copy.length > 0) copy[at % copy.length] = octet;
  return copy;
};
