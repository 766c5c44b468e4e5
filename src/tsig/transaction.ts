import { timingSafeEqual } from 'node:crypto';
import type { Milliseconds, Octets } from '../lib/units.js';
import { WireError } from '../wire/index.js';
import { TsigFault } from './errors.js';
import type { TsigKey, TsigKeys } from './keys.js';
import { asSigned, macLength, macOf, withLength } from './mac.js';
import {
  appendTsig,
  findTsig,
  timers,
  tsigLength,
  unsigned,
  variables,
  type TsigData,
  type TsigRecord,
} from './record.js';

/** A signed query and its answers, as the server sees them. */
export class TsigTransaction {
  /** Whether the answers are signed: a block whose business it is has taken the query. */
  signs = false;
  /** The MAC that the next message is chained to: that of the query, then that of the message before. */
  private before: Uint8Array;
  private first = true;

  /** @param error one of TsigFault */
  private constructor(
    private readonly record: TsigRecord,
    private readonly key: TsigKey | undefined,
    readonly error: number,
    private readonly now: () => Milliseconds,
  ) {
    this.before = record.mac;
  }

  /**
   * Looks at the signature of a query; undefined where it has none. Throws a WireError for a record that is malformed.
   */
  static of(bytes: Buffer, keys: TsigKeys, now: () => Milliseconds): TsigTransaction | undefined {
    const record = bytes.readUInt16BE(10) === 0 ? undefined : findTsig(bytes);
    if (record === undefined) return undefined;
    const length = macLength(record.algorithm);
    const key = length === 0 ? undefined : keys.get(record.key);
    return new TsigTransaction(record, key, judge(bytes, record, key, length, now()), now);
  }

  get verified(): boolean {
    return this.error === TsigFault.NONE;
  }

  /** Bytes that signing adds to an answer at most. */
  get reserve(): Octets {
    return tsigLength({ ...this.record, mac: new Uint8Array(macLength(this.record.algorithm)), other: OTHER });
  }

  /** The answer with its signature: a copy. `prefix` bytes before the message are kept (RFC 8945 section 5.3). */
  sign(bytes: Buffer, prefix: Octets): Buffer {
    const message = bytes.subarray(prefix);
    const data = this.answer(message.readUInt16BE(0));
    // Nobody signs with a key that it does not share, or for somebody who may not have it (RFC 8945 section 5.3.2).
    if (this.key === undefined || this.error === TsigFault.BADSIG) return appendTsig(bytes, data, prefix);
    const what = this.first ? variables(data) : timers(data);
    const mac = macOf(this.key, data.algorithm, [withLength(this.before), message, what]);
    this.first = false;
    this.before = mac;
    return appendTsig(bytes, { ...data, mac }, prefix);
  }

  private answer(originalId: number): TsigData {
    const { record, error } = this;
    const now = Math.floor(this.now() / 1000);
    const { key, algorithm } = record;
    const data = { ...unsigned({ key, algorithm, time: now, originalId }), error };
    if (error !== TsigFault.BADTIME) return data;
    // Both times, so that the client sees which clock is wrong (RFC 8945 section 5.2.3).
    const other = Buffer.alloc(6);
    other.writeUIntBE(now, 0, 6);
    return { ...data, time: record.time, fudge: record.fudge, other };
  }
}

const OTHER = new Uint8Array(6);

/** In the order of RFC 8945 section 5.2: key, signature, time, length. */
function judge(bytes: Buffer, record: TsigRecord, key: TsigKey | undefined, length: Octets, now: Milliseconds): number {
  if (key === undefined) return TsigFault.BADKEY;
  const { mac } = record;
  // Half of the shortest hash are the ten bytes that there have to be at least (RFC 8945 section 5.2.2.1).
  if (mac.length > length || mac.length < length / 2)
    throw new WireError(`TSIG record with a MAC of ${mac.length} bytes`, record.start);
  const whole = macOf(key, record.algorithm, [asSigned(bytes, record), variables(record)]);
  if (!timingSafeEqual(whole.subarray(0, mac.length), mac)) return TsigFault.BADSIG;
  if (Math.abs(Math.floor(now / 1000) - record.time) > record.fudge) return TsigFault.BADTIME;
  // Ours is the strictest policy there is: none that is cut short is taken (RFC 8945 section 5.2.4).
  return mac.length < length ? TsigFault.BADTRUNC : TsigFault.NONE;
}
