import { createHmac } from 'node:crypto';
import type { Octets } from '../lib/units.js';
import type { Name } from '../wire/index.js';
import { HASHES, type TsigKey } from './keys.js';
import { withoutTsig, type TsigRecord } from './record.js';

/** The MAC of all parts one after the other. `algorithm` is a name of HASHES. */
export function macOf({ secret }: TsigKey, algorithm: Name, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac(HASHES[algorithm]!, secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

const LENGTHS: Readonly<Record<string, Octets>> = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

/** Length of a whole MAC, in bytes; 0 for an algorithm that is not known. */
export const macLength = (algorithm: Name): Octets =>
  Object.hasOwn(HASHES, algorithm) ? LENGTHS[HASHES[algorithm]!]! : 0;

/** An earlier MAC as it is signed with what comes after (RFC 8945 section 4.3.1). */
export function withLength(mac: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + mac.length);
  bytes.writeUInt16BE(mac.length, 0);
  bytes.set(mac, 2);
  return bytes;
}

/** The message as it was signed: without the record, under the id that it had then (RFC 8945 section 4.3.2). */
export function asSigned(bytes: Buffer, record: TsigRecord): Buffer {
  const message = withoutTsig(bytes, record);
  message.writeUInt16BE(record.originalId, 0);
  return message;
}
