import { createHash } from 'node:crypto';
import { NodensError } from '../lib/errors.js';
import type { Milliseconds, Seconds } from '../lib/units.js';
import {
  Class,
  RrTextError,
  Type,
  WireError,
  encodeName,
  lowerName,
  parseRr,
  type Name,
  type Rr,
} from '../wire/index.js';
import { SIGNING_ALGORITHMS, signerOf, type SigningAlgorithm } from './algorithms.js';

/** A key file that cannot be used, and why: `FILE:LINE: text`. */
export class KeyFileError extends NodensError {
  override readonly name = 'KeyFileError';

  constructor(file: string, line: number | undefined, fault: string) {
    super('NODENS_KEY', `${file}${line === undefined ? '' : `:${line}`}: ${fault}`, { place: { file, line } });
  }
}

/** Bits of a DNSKEY record's flags (RFC 4034 section 2.1.1). */
const ZONE_KEY = 0x0100;
const SECURE_ENTRY_POINT = 0x0001;

/** A key pair that zones are signed with. */
export interface SigningKey {
  /** Of the DNSKEY record, in lower case. */
  readonly owner: Name;
  readonly ttl: Seconds;
  readonly flags: number;
  readonly algorithm: number;
  /** RFC 4034 appendix B. */
  readonly tag: number;
  /** Data of the DNSKEY record. */
  readonly rdata: Uint8Array;
  /** With the SEP bit, or without it: where there are both kinds, the latter signs all but keys. */
  readonly role: 'ksk' | 'zsk';
  /** The signature over the octets. */
  sign(data: Uint8Array): Buffer;
}

/** `Kexample.org.+013+45330`, with `.key` or `.private` behind it or not: the paths of both files. */
export function keyFiles(path: string): { readonly publicFile: string; readonly privateFile: string } {
  const base = path.replace(/\.(key|private)$/, '');
  return { publicFile: `${base}.key`, privateFile: `${base}.private` };
}

/**
 * Reads a key pair as `dnssec-keygen` and `ldns-keygen` write it. Throws a KeyFileError for what cannot be used, such
 * as a key that is withdrawn, and a NodeJS.ErrnoException for a file that cannot be read.
 *
 * @param now since 1970, for the dates that the private key's file names
 */
export function readSigningKey(path: string, read: (file: string) => string, now: Milliseconds): SigningKey {
  const { publicFile, privateFile } = keyFiles(path);
  const { record, line } = readPublic(publicFile, read(publicFile));
  const { rdata } = record;
  const [flags, number] = [(rdata[0]! << 8) | rdata[1]!, rdata[3]!];
  if ((flags & ZONE_KEY) === 0) throw new KeyFileError(publicFile, line, `flags are ${flags}: it is no zone key`);
  const algorithm = SIGNING_ALGORITHMS.get(number);
  if (algorithm === undefined)
    throw new KeyFileError(publicFile, line, `got algorithm ${number}, allowed: ${allAlgorithms()}`);
  const fields = readPrivate(privateFile, read(privateFile), number, algorithm, now);
  let sign: (data: Uint8Array) => Buffer;
  try {
    sign = signerOf(algorithm, Buffer.from(rdata.subarray(4)), fields);
  } catch (error) {
    throw new KeyFileError(privateFile, undefined, `no private key for ${publicFile}: ${(error as Error).message}`);
  }
  const role = flags & SECURE_ENTRY_POINT ? 'ksk' : 'zsk';
  const { ttl } = record;
  return { owner: lowerName(record.name), ttl, flags, algorithm: number, tag: keyTag(rdata), rdata, role, sign };
}

const allAlgorithms = (): string =>
  [...SIGNING_ALGORITHMS].map(([number, { name }]) => `${number} (${name})`).join(', ');

function readPublic(file: string, text: string): { record: Rr; line: number } {
  const line = 1 + text.split('\n').findIndex((one) => !/^\s*(;|$)/.test(one));
  if (line === 0) throw new KeyFileError(file, 1, 'no DNSKEY record');
  try {
    const record = parseRr(text);
    if (record.type === Type.DNSKEY && record.class === Class.IN && record.rdata.length > 4) return { record, line };
  } catch (error) {
    if (!(error instanceof RrTextError || error instanceof WireError)) throw error;
    throw new KeyFileError(file, line, `no DNSKEY record: ${error.message.replace(/ in '[^]*'$/, '')}`);
  }
  throw new KeyFileError(file, line, 'the record is no DNSKEY record of class IN');
}

/** Dates from which a key is not to be used any more. */
const ENDS = ['Inactive', 'Revoke', 'Delete'];

function readPrivate(
  file: string,
  text: string,
  number: number,
  { fields, name }: SigningAlgorithm,
  now: Milliseconds,
): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  let algorithm: number | undefined;
  text.split('\n').forEach((content, i) => {
    const [, key = '', value = ''] = /^([\w-]+):\s*(.*?)\s*$/.exec(content) ?? [];
    const fail = (fault: string): never => {
      throw new KeyFileError(file, i + 1, fault);
    };
    if (key === '' && content.trim() !== '') fail('expected NAME: VALUE');
    if (key === 'Private-key-format' && !/^v1\.[23]$/.test(value)) fail(`got format '${value}', allowed: v1.2, v1.3`);
    if (key === 'Algorithm') {
      algorithm = Number(value.split(' ')[0]);
      if (algorithm !== number) fail(`got algorithm '${value}' where the public key has ${number} (${name})`);
    }
    if (fields.includes(key)) found.set(key, fromBase64(value) ?? fail(`${key} is no base64`));
    if (ENDS.includes(key) && dateOf(value) <= now) fail(`the key is not to be used since ${key} ${value}`);
  });
  if (algorithm === undefined) throw new KeyFileError(file, undefined, 'no line with Algorithm');
  const missing = fields.filter((field) => !found.has(field));
  if (missing.length > 0) throw new KeyFileError(file, undefined, `no line with ${missing.join(', ')}`);
  return found;
}

/** The octets of a text in base64; undefined for any other, and for none. */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

/** `YYYYMMDDHHMMSS` in UTC. */
function dateOf(text: string): Milliseconds {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text) ?? [];
  return year === undefined ? Infinity : Date.UTC(+year, +month! - 1, +day!, +hour!, +minute!, +second!);
}

/** The checksum by which signatures name a key (RFC 4034 appendix B). */
export function keyTag(rdata: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rdata.length; i++) sum += i & 1 ? rdata[i]! : rdata[i]! << 8;
  return (sum + (sum >>> 16)) & 0xffff;
}

/** Kinds of digests in DS records (RFC 8624 section 3.3). */
const DIGESTS = { sha1: 1, sha256: 2 } as const;

/** Data of the DS record for a key of the zone `owner` (RFC 4034 section 5.1). */
export function dsData(owner: Name, key: SigningKey, hash: keyof typeof DIGESTS): Buffer {
  const digest = createHash(hash)
    .update(encodeName(lowerName(owner)))
    .update(key.rdata)
    .digest();
  return Buffer.concat([Buffer.from([key.tag >> 8, key.tag & 0xff, key.algorithm, DIGESTS[hash]]), digest]);
}
