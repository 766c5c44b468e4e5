import type { Answer, OptAnswer, RecordClass } from 'dns-packet';
import type { Seconds } from '../lib/units.js';
import { Class, type Rr } from '../wire/index.js';
import { nameFrom, wrong } from './data-fields.js';
import { readData, writeData } from './data-shapes.js';
import { publicName } from './names.js';
import { publicTypeName, typeNumber } from './type-names.js';

/** Longest TTL (RFC 2181 section 8). */
export const MAX_RECORD_TTL: Seconds = 2 ** 31 - 1;

/** A record whose data stays bytes: of a type that dns-packet has no fields for. */
export interface RawRecord {
  readonly name: string;
  readonly type: `UNKNOWN_${number}` | `TYPE${number}` | 'HTTPS' | 'SVCB' | 'SPF' | 'URI' | 'SMIMEA' | 'OPENPGPKEY';
  readonly ttl?: number | undefined;
  readonly class?: RecordClass | undefined;
  readonly data: Uint8Array;
}

/**
 * A resource record in the shape that the package dns-packet gives and takes: `{ name, type: 'A', ttl, data }`. `name`
 * has no closing dot (`.` is the root) and escapes of master files (RFC 1035 section 5.1) for bytes that are not printable;
 * `ttl` is in seconds, 0 to 2147483647 (RFC 2181 section 8), 0 where it is left out; `class` is IN where it is left out.
 * The OPT record is no part of it.
 */
export type ResourceRecord = Exclude<Answer, OptAnswer> | RawRecord;

/** A record in its object form, which cannot be altered. */
export function publicRecord(rr: Rr): ResourceRecord {
  const data = readData(rr.type, rr.rdata);
  const record = {
    name: publicName(rr.name),
    type: data === undefined ? (`UNKNOWN_${rr.type}` as const) : publicTypeName(rr.type),
    ttl: rr.ttl,
    class: classText(rr.class),
    flush: false,
    data: data ?? Buffer.from(rr.rdata),
  };
  return Object.freeze(record) as ResourceRecord;
}

/** A record from its object form. Throws a NodensError at `path`, such as `answers[0]`. */
export function rrFrom(record: unknown, path: string): Rr {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return wrong(path, record, "a record such as { name: 'example.org', type: 'A', ttl: 60, data: '192.0.2.1' }");
  const fields = record as Partial<Record<keyof RawRecord, unknown>>;
  const { ttl = 0 } = fields;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 0 || ttl > MAX_RECORD_TTL)
    return wrong(`${path}.ttl`, ttl, `whole seconds from 0 to ${MAX_RECORD_TTL}`);
  const type = typeNumber(fields.type, `${path}.type`);
  return {
    name: nameFrom(fields.name, `${path}.name`),
    type,
    class: classFrom(fields.class, `${path}.class`),
    ttl,
    rdata: String(fields.type).startsWith('UNKNOWN_')
      ? bytesOf(fields.data, `${path}.data`)
      : writeData(type, fields.data, `${path}.data`),
  };
}

const bytesOf = (data: unknown, path: string): Uint8Array =>
  data instanceof Uint8Array ? data : wrong(path, data, 'bytes (Buffer or Uint8Array)');

const CLASSES = new Map<number, string>([
  [1, 'IN'],
  [2, 'CS'],
  [3, 'CH'],
  [4, 'HS'],
  [255, 'ANY'],
]);

export const classText = (value: number): string => CLASSES.get(value) ?? `UNKNOWN_${value}`;

/** The number of a class from its name, IN where there is none. Throws a NodensError at `path`. */
export function classFrom(value: unknown, path: string): number {
  if (value === undefined) return Class.IN;
  const text = typeof value === 'string' ? value.toUpperCase() : '';
  const known = [...CLASSES].find(([, name]) => name === text)?.[0];
  const number = known ?? Number(/^(?:UNKNOWN_|CLASS)(\d{1,5})$/.exec(text)?.[1] ?? NaN);
  return number <= 0xffff ? number : wrong(path, value, 'IN, CH, HS or ANY');
}
