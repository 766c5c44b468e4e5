import { formatIp, parseIp } from '../lib/cidr.js';
import { NodensError } from '../lib/errors.js';
import {
  MAX_LABEL,
  MAX_RDATA,
  bitmapOf,
  encodeName,
  fqdn,
  isName,
  readName,
  typesIn,
  type Name,
} from '../wire/index.js';
import { publicName } from './names.js';
import { publicTypeName, typeNumber } from './type-names.js';

/** Walks over record data. A read past its end throws a RangeError, which shows data that does not fit its type. */
export interface Cursor {
  readonly data: Buffer;
  at: number;
}

/** One field of record data: between its form in objects and its bytes (RFC 1035 section 3.3 and the RFC of each type). */
export interface FieldCodec {
  read(cursor: Cursor): unknown;
  /** Throws a NodensError at `path` for a value that the field cannot hold. */
  write(value: unknown, path: string): Uint8Array;
  /** What stands for a value that is left out; without it one must be given. */
  readonly missing?: unknown;
}

export const wrong = (path: string, got: unknown, allowed: string): never => {
  throw new NodensError('NODENS_RECORD', `${path}: got ${shown(got)}, allowed: ${allowed}`);
};

/** A value in words, short enough for a line of log. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}...` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'object' && value !== null ? 'an object' : `${value as number}`;
}

export function whole(bytes: 1 | 2 | 4, missing?: number): FieldCodec {
  const max = 2 ** (8 * bytes) - 1;
  return {
    missing,
    read: (cursor) => {
      const value = cursor.data.readUIntBE(cursor.at, bytes);
      cursor.at += bytes;
      return value;
    },
    write: (value, path) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max)
        return wrong(path, value, `a whole number from 0 to ${max}`);
      const target = Buffer.alloc(bytes);
      target.writeUIntBE(value, 0, bytes);
      return target;
    },
  };
}

function take(cursor: Cursor, length: number): Buffer {
  if (cursor.at + length > cursor.data.length) throw new RangeError('record data cut short');
  cursor.at += length;
  return cursor.data.subarray(cursor.at - length, cursor.at);
}

export const ip = (bytes: 4 | 16, allowed: string): FieldCodec => ({
  read: (cursor) => formatIp(take(cursor, bytes)),
  write: (value, path) => {
    const address = typeof value === 'string' ? parseIp(value) : undefined;
    return address?.length === bytes ? address : wrong(path, value, allowed);
  },
});

/** The name with its closing dot; escapes as in master files. Throws a NodensError at `path` for what is no name. */
export function nameFrom(value: unknown, path: string): Name {
  if (typeof value === 'string' && value !== '') {
    const name = fqdn(value);
    if (isName(name)) return name;
  }
  return wrong(path, value, `a domain name with labels of at most ${MAX_LABEL} and 255 bytes in all`);
}

export const domain = (missing?: string): FieldCodec => ({
  missing,
  read: (cursor) => {
    const { name, end } = readName(cursor.data, cursor.at);
    cursor.at = end;
    return publicName(name);
  },
  write: (value, path) => encodeName(nameFrom(value, path)),
});

function shortBytes(value: unknown, path: string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (!(bytes instanceof Uint8Array) || bytes.length > 255)
    return wrong(path, value, 'text or bytes, at most 255 bytes of it');
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

const readShort = (cursor: Cursor): Buffer => take(cursor, take(cursor, 1)[0]!);
export const text: FieldCodec = { read: (cursor) => readShort(cursor).toString(), write: shortBytes };
export const short: FieldCodec = { read: (cursor) => Buffer.from(readShort(cursor)), write: shortBytes };

/** All bytes up to the end of the data. */
const rest = (read: (bytes: Buffer) => unknown, bytesOf: (value: unknown) => unknown, allowed: string): FieldCodec => ({
  read: (cursor) => read(Buffer.from(take(cursor, cursor.data.length - cursor.at))),
  write: (value, path) => {
    const bytes = bytesOf(value);
    return bytes instanceof Uint8Array && bytes.length <= MAX_RDATA ? bytes : wrong(path, value, allowed);
  },
});

const same = <T>(value: T): T => value;
export const bytes = rest(same, same, `bytes (Buffer or Uint8Array), at most ${MAX_RDATA}`);
export const restOfText = rest(
  (data) => data.toString(),
  (value) => (typeof value === 'string' ? Buffer.from(value) : value),
  'text',
);
export const hex = rest(
  (data) => data.toString('hex').toUpperCase(),
  (value) => (typeof value === 'string' && /^([0-9a-f]{2})+$/i.test(value) ? Buffer.from(value, 'hex') : undefined),
  'hexadecimal digits, two for each byte',
);

/** Character strings up to the end of the data. One may be given without a list around it. */
export const texts: FieldCodec = {
  read: (cursor) => {
    const list: Buffer[] = [];
    while (cursor.at < cursor.data.length) list.push(Buffer.from(readShort(cursor)));
    return list;
  },
  write: (value, path) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length === 0) return wrong(path, value, 'text, bytes, or a list of at least one of them');
    return Buffer.concat(list.map((one, i) => shortBytes(one, list.length === 1 ? path : `${path}[${i}]`)));
  },
};

export const typeCovered: FieldCodec = {
  read: (cursor) => publicTypeName(take(cursor, 2).readUInt16BE()),
  write: (value, path) => whole(2).write(typeNumber(value, path), path),
};

export const typeList: FieldCodec = {
  read: (cursor) => typesIn(take(cursor, cursor.data.length - cursor.at)).map(publicTypeName),
  write: (value, path) =>
    Array.isArray(value)
      ? bitmapOf(value.map((one, i) => typeNumber(one, `${path}[${i}]`)))
      : wrong(path, value, 'a list of types'),
};

export const u8 = whole(1);
export const u16 = whole(2);
export const u32 = whole(4);
export const u16Or0 = whole(2, 0);
export const u32Or0 = whole(4, 0);
