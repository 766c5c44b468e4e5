import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intake } from '../../src/kube/intake/intake.js';
import { ALL_FIELDS, DNS_FIELDS, type FieldChoice, type KubeKind } from '../../src/kube/objects/objects.js';
import { ProtobufCursor } from '../../src/kube/protobuf/cursor.js';
import { readObject } from '../../src/kube/protobuf/envelope.js';
import { ProtobufListReader } from '../../src/kube/protobuf/list.js';
import { readMessage } from '../../src/kube/protobuf/message.js';
import { ProtobufObjectReader } from '../../src/kube/protobuf/objects.js';
import { objectFields } from '../../src/kube/protobuf/tables.js';
import { ProtobufWatchReader } from '../../src/kube/protobuf/watch.js';
import { protobufEvent, protobufFrame, protobufList, protobufObject } from '../support/kube-protobuf.js';
import { RecordedLog, service } from '../support/kube.js';

interface Recording {
  readonly json: { readonly items: readonly unknown[]; readonly metadata: { readonly resourceVersion: string } };
  /** Base64, as all that is in protobuf. */
  readonly protobuf: string;
  readonly watch: { readonly json: readonly unknown[]; readonly protobuf: string };
}

/**
 * What kube-apiserver 1.20.2 answered, in JSON and in protobuf: lists, watches, a watch from a version that is gone. In
 * JSON without `managedFields`.
 */
const recorded = JSON.parse(readFileSync(new URL('recorded/api-1.20.json', import.meta.url), 'utf8')) as Record<
  string,
  Recording
>;

const KINDS = ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'Node'] as const;
const CHOICES = [
  { choice: 'all', fields: ALL_FIELDS },
  { choice: 'those for DNS', fields: DNS_FIELDS },
];

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64');
const intakeOf = (kind: KubeKind, fields: FieldChoice): Intake =>
  new Intake({ kinds: [kind], fields, log: new RecordedLog() });

/** All that a reader makes of the bytes in pieces of that size. What was handed over is overwritten. */
function readAll<T>(reader: { read(chunk: Uint8Array): Iterable<T> }, bytes: Uint8Array, size = bytes.length): T[] {
  const found: T[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Uint8Array.from(bytes.subarray(at, at + size));
    found.push(...reader.read(piece));
    piece.fill(0x78);
  }
  return found;
}

const rows = KINDS.flatMap((kind) => CHOICES.map(({ choice, fields }) => ({ kind, choice, fields })));

describe('what a real API server sends', () => {
  it.each(rows)('$kind list, fields: $choice', ({ kind, fields }) => {
    const { json, protobuf } = recorded[kind]!;
    const intake = intakeOf(kind, fields);
    const want = json.items.map((item) => intake.take(kind, item));
    for (const size of [1, 7, 100, 100_000]) {
      const reader = new ProtobufListReader(ProtobufObjectReader.of(kind, fields)!);
      const got = readAll(reader, bytesOf(protobuf), size).map((item) => intake.take(kind, item));
      expect(got).toEqual(want);
      const { resourceVersion } = json.metadata;
      expect(reader.end()).toEqual({ kind: `${kind}List`, resourceVersion, continue: '' });
    }
    expect(want.length).toBeGreaterThan(0);
    expect(want).not.toContain('invalid');
  });

  it.each(rows)('$kind watch, fields: $choice', ({ kind, fields }) => {
    const { watch } = recorded[kind]!;
    const intake = intakeOf(kind, fields);
    // What a watch begins with comes in any order.
    const seen = (events: readonly unknown[]): string[] =>
      (events as { type: string; object: unknown }[])
        .map(({ type, object }) => JSON.stringify([type, intake.take(kind, object)]))
        .sort();
    for (const size of [1, 7, 100, 100_000]) {
      const reader = new ProtobufWatchReader(ProtobufObjectReader.of(kind, fields)!);
      expect(seen(readAll(reader, bytesOf(watch.protobuf), size))).toEqual(seen(watch.json));
      expect(reader.pending).toBe(0);
    }
  });

  it('says that a version is gone', () => {
    const { json, protobuf } = recorded['Gone'] as unknown as { json: { object: object }; protobuf: string };
    const reader = new ProtobufWatchReader(ProtobufObjectReader.of('Service', DNS_FIELDS)!);
    const [event] = readAll(reader, bytesOf(protobuf));
    const { kind, status, message, reason, code } = json.object as Record<string, unknown>;
    expect(event).toEqual({ type: 'ERROR', object: { kind, status, message, reason, code } });
  });
});

const READER = ProtobufObjectReader.of('Service', ALL_FIELDS)!;
const META = { resourceVersion: '7', continue: 'next' };
const list = protobufList('Service', META, [service('a'), service('b', {}, { labels: { x: 'y' } })]);
const event = protobufEvent('ADDED', service('a'));
const text = (field: number, value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes]);
};
const magic = Buffer.from('k8s\0', 'latin1');
const typed = (kind: string): Buffer => Buffer.concat([magic, text(1, text(2, kind))]);
const GIGABYTES = [0xff, 0xff, 0xff, 0xff, 0x07];

describe('lists', () => {
  it('are read the same however the bytes arrive', () => {
    const want = readAll(new ProtobufListReader(READER), list);
    expect(want).toMatchObject([{ metadata: { name: 'a' } }, { metadata: { name: 'b', labels: { x: 'y' } } }]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: list.length }), (size) => {
        const reader = new ProtobufListReader(READER);
        expect(readAll(reader, list, size)).toEqual(want);
        expect(reader.end()).toEqual({ kind: 'ServiceList', ...META });
      }),
    );
  });

  it('that are cut short anywhere are none', () => {
    // The last four bytes are two empty texts behind the list itself.
    for (let length = 0; length < list.length - 4; length++) {
      const reader = new ProtobufListReader(READER);
      readAll(reader, list.subarray(0, length));
      expect(() => reader.end(), `${length} bytes`).toThrow('the list is cut short');
    }
  });

  it.each([
    {
      name: 'JSON',
      bytes: Buffer.from('{"kind":"ServiceList"}'),
      error: 'begins with "7b226b69", not with "6b387300"',
    },
    {
      name: 'another object',
      bytes: Buffer.concat([typed('Service'), text(2, 'abc')]),
      error: 'is no list: kind "Service"',
    },
    {
      name: 'a list without a version',
      bytes: Buffer.concat([typed('ServiceList'), text(2, text(1, ''))]),
      error: 'is no list: kind "ServiceList", resourceVersion ""',
    },
    { name: 'a list without a kind', bytes: Buffer.concat([magic, text(2, text(1, text(2, '7')))]), error: 'kind ""' },
    {
      name: 'an encoding that nobody agreed on',
      bytes: Buffer.concat([typed('ServiceList'), text(3, 'zstd')]),
      error: 'objects in the encoding "zstd"',
    },
    {
      name: 'an item of gigabytes',
      bytes: Buffer.concat([
        typed('ServiceList'),
        Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x12, ...GIGABYTES]),
      ]),
      error: 'an item of the list is larger than 8388608 bytes',
    },
    {
      name: 'an unknown field of gigabytes',
      bytes: Buffer.concat([typed('ServiceList'), Buffer.from([0x4a, ...GIGABYTES])]),
      error: 'an item of the list is larger than 8388608 bytes',
    },
    {
      name: 'an item that is longer than the list',
      bytes: Buffer.concat([typed('ServiceList'), text(2, Buffer.from([0x12, 0x09, 0x00]))]),
      error: 'a field of 9 bytes where 1 are left',
    },
    {
      name: 'a field in an item that is longer than the item',
      bytes: Buffer.concat([typed('ServiceList'), text(2, text(2, Buffer.from([0x0a, 0x09, 0x00])))]),
      error: 'a field of 9 bytes where 1 are left',
    },
    { name: 'two lists in one', bytes: Buffer.concat([list, text(2, text(1, ''))]), error: 'two lists in one' },
    { name: 'a number without end', bytes: Buffer.concat([magic, Buffer.alloc(11, 0xff)]), error: 'more than 64 bits' },
    {
      name: 'a field with the number 0',
      bytes: Buffer.concat([magic, Buffer.from([0x02, 0x00])]),
      error: 'no field has the tag 2',
    },
    {
      name: 'a group',
      bytes: Buffer.concat([typed('ServiceList'), text(2, text(2, Buffer.from([0x7b])))]),
      error: 'wire type 3 is unknown',
    },
    {
      name: 'text where a number is due',
      bytes: Buffer.concat([typed('ServiceList'), text(2, text(2, text(2, text(13, 'yes'))))]),
      error: 'publishNotReadyAddresses, field 13, has the wire type 2',
    },
  ])('refuse $name', ({ bytes, error }) => {
    for (const size of [1, bytes.length])
      expect(() => {
        const reader = new ProtobufListReader(READER);
        readAll(reader, bytes, size);
        reader.end();
      }).toThrow(error);
  });

  it('are read past what nobody knows, however it is written', () => {
    const strange = [(9 << 3) | 1, ...Array<number>(8).fill(7), (10 << 3) | 5, 7, 7, 7, 7, 11 << 3, 0x80, 1];
    const known = text(1, text(2, '7'));
    const bytes = Buffer.concat([
      typed('ServiceList'),
      Buffer.from(strange),
      text(2, Buffer.concat([Buffer.from(strange), text(12, 'x'), known, Buffer.from(strange)])),
    ]);
    for (const size of [1, 3, bytes.length]) {
      const reader = new ProtobufListReader(READER);
      expect(readAll(reader, bytes, size)).toEqual([]);
      expect(reader.end()).toEqual({ kind: 'ServiceList', resourceVersion: '7', continue: '' });
    }
  });

  it('hold what has come and not what is announced', () => {
    const reader = new ProtobufListReader(READER);
    // An item of 8 MiB, of which a hundred bytes come.
    const head = Buffer.concat([
      typed('ServiceList'),
      Buffer.from([0x12, 0x90, 0x80, 0x80, 0x08, 0x12, 0x80, 0x80, 0x80, 0x04]),
    ]);
    const before = process.memoryUsage().arrayBuffers;
    readAll(reader, Buffer.concat([head, Buffer.alloc(100)]));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it('of garbage end in an error that says so, and in nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (garbage, begun) => {
        const bytes = begun ? Buffer.concat([typed('ServiceList'), garbage]) : Buffer.concat([magic, garbage]);
        const intake = intakeOf('Service', ALL_FIELDS);
        try {
          const reader = new ProtobufListReader(READER);
          for (const item of readAll(reader, bytes, 3)) intake.take('Service', item);
          reader.end();
        } catch (error) {
          expect(error instanceof SyntaxError || error instanceof RangeError, String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('with a byte changed are read, or end in an error that says so', () => {
    const bytes = bytesOf(recorded['Service']!.protobuf);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        const intake = intakeOf('Service', ALL_FIELDS);
        try {
          const reader = new ProtobufListReader(READER);
          for (const item of readAll(reader, changed, 500)) intake.take('Service', item);
          reader.end();
        } catch (error) {
          expect(error instanceof SyntaxError || error instanceof RangeError, String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an object by itself', () => {
  const status = (...parts: readonly Buffer[]): Buffer => Buffer.concat([typed('Status'), ...parts]);
  const read = (bytes: Buffer, end = bytes.length): unknown => readObject(bytes, 0, end, undefined);

  it.each([
    { name: 'a number', parts: [Buffer.from([9 << 3, 1]), text(2, text(3, 'm'))] },
    { name: 'other text', parts: [text(9, 'x'), text(2, text(3, 'm'))] },
    { name: 'an empty encoding', parts: [text(2, text(3, 'm')), text(3, '')] },
  ])('may have beside it $name', ({ parts }) =>
    expect(read(status(...parts))).toEqual({ kind: 'Status', message: 'm' }),
  );

  it('may be a refusal with its causes', () => {
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'm', field: 'f' }];
    const refusal = {
      ...{ kind: 'Status', status: 'Failure', message: 'too new', reason: 'Timeout', code: 504 },
      details: { causes, retryAfterSeconds: 1 },
    };
    expect(read(protobufObject(refusal as never))).toEqual(refusal);
  });

  it('may have in its type what nobody knows', () => {
    const type = Buffer.concat([Buffer.from([9 << 3, 1]), text(3, 'x'), text(2, 'Status')]);
    expect(read(Buffer.concat([magic, text(1, type), text(2, text(3, 'm'))]))).toEqual({
      kind: 'Status',
      message: 'm',
    });
  });

  it('is not read beyond its end', () => {
    const bytes = status(text(2, text(3, 'm')));
    expect(() => read(bytes, 3)).toThrow('begins with "6b3873"');
    expect(() => new ProtobufCursor(Buffer.from([0x80, 0x01]), 0, 1).varint()).toThrow('cut short');
    expect(new ProtobufCursor(Buffer.from([0x80, 0x01]), 0, 2).varint()).toBe(128);
  });

  it('may have in an entry of a map what nobody knows, and a time without seconds', () => {
    const entry = Buffer.concat([Buffer.from([9 << 3, 1]), text(1, 'a'), text(2, 'b')]);
    const bytes = Buffer.concat([text(9, ''), text(11, entry), text(11, text(1, 'empty'))]);
    const cursor = new ProtobufCursor(Buffer.concat([text(1, bytes)]), 0, bytes.length + 2);
    expect(readMessage(cursor, objectFields('Namespace', ALL_FIELDS)!)).toEqual({
      metadata: { deletionTimestamp: '1970-01-01T00:00:00Z', labels: { a: 'b', empty: '' } },
    });
  });
});

describe('watches', () => {
  const watch = (): ProtobufWatchReader => new ProtobufWatchReader(READER);

  it('have events of up to 8 MiB', () => {
    const [most, more] = [Buffer.alloc(4), Buffer.alloc(4)];
    most.writeUInt32BE(8 << 20);
    more.writeUInt32BE((8 << 20) + 1);
    expect(readAll(watch(), most)).toEqual([]);
    expect(() => readAll(watch(), more)).toThrow('larger than 8388608 bytes');
  });

  it('hold back an event that has not ended', () => {
    const reader = watch();
    expect(readAll(reader, event.subarray(0, -1), 5)).toEqual([]);
    expect(reader.pending).toBe(event.length - 1);
    expect(readAll(reader, event.subarray(-1))).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'a' } } }]);
    expect(reader.pending).toBe(0);
  });

  it('pass over fields of an event that nobody knows', () => {
    const later = Buffer.concat([Buffer.from([0x18, 0x07]), text(4, 'more'), event.subarray(4)]);
    expect(readAll(watch(), protobufFrame(later))).toEqual(readAll(watch(), event));
  });

  it.each([
    { name: 'a frame of gigabytes', bytes: Buffer.from([0xff, 0xff, 0xff, 0xff]), error: 'larger than 8388608 bytes' },
    { name: 'JSON', bytes: Buffer.from('{"type":"ADDED","object":{}}\n'), error: 'larger than 8388608 bytes' },
    { name: 'garbage in a frame', bytes: protobufFrame(Buffer.from([0xff, 0xff])), error: 'a number is cut short' },
    {
      name: 'an object without its beginning',
      bytes: protobufFrame(Buffer.concat([text(1, 'ADDED'), text(2, text(1, 'abcdef'))])),
      error: 'begins with "61626364"',
    },
    {
      name: 'an object of another kind',
      bytes: protobufEvent('ADDED', { kind: 'Namespace', metadata: { name: 'a' } } as never),
      error: 'got an object of kind "Namespace", asked for Service',
    },
    {
      name: 'an object that is longer than its frame',
      bytes: protobufFrame(Buffer.concat([text(1, 'ADDED'), Buffer.from([0x12, 0x7f, 0x00])])),
      error: 'a field of 127 bytes where 1 are left',
    },
    {
      name: 'an object in an encoding that nobody agreed on',
      bytes: protobufFrame(
        Buffer.concat([text(1, 'ADDED'), text(2, text(1, Buffer.concat([typed('Service'), text(3, 'zstd')])))]),
      ),
      error: 'objects in the encoding "zstd"',
    },
  ])('refuse $name', ({ bytes, error }) => {
    for (const size of [1, bytes.length]) expect(() => readAll(watch(), bytes, size)).toThrow(error);
  });

  it('of garbage end in an error that says so, and in nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
        try {
          readAll(watch(), protobufFrame(garbage));
        } catch (error) {
          expect(error instanceof SyntaxError || error instanceof RangeError, String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
