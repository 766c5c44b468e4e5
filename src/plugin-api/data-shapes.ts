import { Type } from '../wire/index.js';
import * as field from './data-fields.js';
import type { Cursor, FieldCodec } from './data-fields.js';
import { wrong } from './data-fields.js';

/** The data of a type: one field that stands for itself, or several by name. */
export type DataShape = FieldCodec | readonly (readonly [name: string, field: FieldCodec])[];

/** The shapes that the package dns-packet 5.6 gives to each type's data. Types that are not here have bytes. */
const SHAPES = new Map<number, DataShape>([
  [Type.A, field.ip(4, 'an IPv4 address')],
  [Type.AAAA, field.ip(16, 'an IPv6 address')],
  [Type.NS, field.domain()],
  [Type.CNAME, field.domain()],
  [Type.DNAME, field.domain()],
  [Type.PTR, field.domain()],
  [Type.TXT, field.texts],
  [
    Type.MX,
    [
      ['preference', field.u16Or0],
      ['exchange', field.domain()],
    ],
  ],
  [
    Type.SRV,
    [
      ['priority', field.u16Or0],
      ['weight', field.u16Or0],
      ['port', field.u16],
      ['target', field.domain()],
    ],
  ],
  [
    Type.SOA,
    [
      ['mname', field.domain()],
      ['rname', field.domain()],
      ['serial', field.u32Or0],
      ['refresh', field.u32Or0],
      ['retry', field.u32Or0],
      ['expire', field.u32Or0],
      ['minimum', field.u32Or0],
    ],
  ],
  [
    Type.HINFO,
    [
      ['cpu', field.text],
      ['os', field.text],
    ],
  ],
  [
    Type.RP,
    [
      ['mbox', field.domain('.')],
      ['txt', field.domain('.')],
    ],
  ],
  [
    Type.CAA,
    [
      ['flags', field.whole(1, 0)],
      ['tag', field.text],
      ['value', field.restOfText],
    ],
  ],
  [
    Type.NAPTR,
    [
      ['order', field.u16],
      ['preference', field.u16],
      ['flags', field.text],
      ['services', field.text],
      ['regexp', field.text],
      ['replacement', field.domain()],
    ],
  ],
  [
    Type.DS,
    [
      ['keyTag', field.u16],
      ['algorithm', field.u8],
      ['digestType', field.u8],
      ['digest', field.bytes],
    ],
  ],
  [
    Type.RRSIG,
    [
      ['typeCovered', field.typeCovered],
      ['algorithm', field.u8],
      ['labels', field.u8],
      ['originalTTL', field.u32],
      ['expiration', field.u32],
      ['inception', field.u32],
      ['keyTag', field.u16],
      ['signersName', field.domain()],
      ['signature', field.bytes],
    ],
  ],
  [
    Type.NSEC,
    [
      ['nextDomain', field.domain()],
      ['rrtypes', field.typeList],
    ],
  ],
  [
    Type.NSEC3,
    [
      ['algorithm', field.u8],
      ['flags', field.u8],
      ['iterations', field.u16],
      ['salt', field.short],
      ['nextDomain', field.short],
      ['rrtypes', field.typeList],
    ],
  ],
  [
    Type.SSHFP,
    [
      ['algorithm', field.u8],
      ['hash', field.u8],
      ['fingerprint', field.hex],
    ],
  ],
  [
    Type.TLSA,
    [
      ['usage', field.u8],
      ['selector', field.u8],
      ['matchingType', field.u8],
      ['certificate', field.bytes],
    ],
  ],
  // The third byte is always 3 and has no field (RFC 4034 section 2.1.2).
  [
    Type.DNSKEY,
    [
      ['flags', field.u16],
      ['', { ...field.u8, missing: 3 }],
      ['algorithm', field.u8],
      ['key', field.bytes],
    ],
  ],
]);

export const shapeOf = (type: number): DataShape => SHAPES.get(type) ?? field.bytes;

/** Record data in the object form of its type; undefined where it does not fit the type. */
export function readData(type: number, data: Uint8Array): unknown {
  const cursor: Cursor = { data: Buffer.from(data.buffer, data.byteOffset, data.length), at: 0 };
  const shape = shapeOf(type);
  try {
    const value: unknown = isField(shape)
      ? shape.read(cursor)
      : Object.fromEntries(shape.map(([name, codec]) => [name, codec.read(cursor)]).filter(([name]) => name !== ''));
    return cursor.at === data.length ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of record data from their object form. Throws a NodensError at `path`. */
export function writeData(type: number, value: unknown, path: string): Uint8Array {
  const shape = shapeOf(type);
  if (isField(shape)) return shape.write(value, path);
  const fields = shape.filter(([name]) => name !== '').map(([name]) => name);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong(path, value, `an object with ${fields.join(', ')}`);
  const parts = shape.map(([name, codec]) => {
    const given = name === '' ? undefined : (value as Record<string, unknown>)[name];
    return codec.write(given ?? codec.missing, `${path}.${name}`);
  });
  return Buffer.concat(parts);
}

const isField = (shape: DataShape): shape is FieldCodec => 'write' in shape;
