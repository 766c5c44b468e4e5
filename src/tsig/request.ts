import { timingSafeEqual } from 'node:crypto';
import type { Milliseconds } from '../lib/units.js';
import { TsigError, TsigFault, tsigFaultName } from './errors.js';
import type { TsigKey } from './keys.js';
import { asSigned, macOf, withLength } from './mac.js';
import { appendTsig, findTsig, timers, unsigned, variables, type TsigRecord } from './record.js';

/** Most messages of an answer that may come without a signature, one after the other (RFC 8945 section 5.3.1). */
const MOST_UNSIGNED = 99;

/** A query of our own that is signed, and the answers to it, of which there may be many. */
export class SignedRequest {
  private before: Uint8Array = new Uint8Array();
  private first = true;
  /** Messages that the next signature covers too. */
  private readonly waiting: Uint8Array[] = [];

  constructor(
    private readonly key: TsigKey,
    private readonly now: () => Milliseconds,
  ) {}

  /** The query with its signature. Once, before any answer. */
  sign(query: Buffer): Buffer {
    const { name: key, algorithm } = this.key;
    const data = unsigned({ key, algorithm, time: this.seconds, originalId: query.readUInt16BE(0) });
    this.before = macOf(this.key, algorithm, [query, variables(data)]);
    return appendTsig(query, { ...data, mac: this.before });
  }

  /** Whether all messages that came are covered by a signature: what the last ones say is not to be used before. */
  get complete(): boolean {
    return !this.first && this.waiting.length === 0;
  }

  /**
   * Looks at the next message of the answer. Throws a TsigError for one that is not signed as it has to be, and a
   * WireError for one that is malformed.
   */
  check(message: Buffer): void {
    const record = findTsig(message);
    if (record === undefined) return this.wait(message);
    const { key } = this;
    if (record.key !== key.name || record.algorithm !== key.algorithm)
      throw new TsigError(
        `signed with ${record.key} and ${record.algorithm} instead of ${key.name} and ${key.algorithm}`,
      );
    // What is wrong with our own signature may be told without one.
    if (record.mac.length === 0 && record.error !== TsigFault.NONE)
      throw new TsigError(`the server says ${tsigFaultName(record.error)}`);
    this.verify(message, record);
    if (record.error !== TsigFault.NONE) throw new TsigError(`the server says ${tsigFaultName(record.error)}`);
    if (Math.abs(this.seconds - record.time) > record.fudge)
      throw new TsigError(`signed at ${record.time}, more than ${record.fudge} seconds from ${this.seconds}`);
  }

  private get seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  private wait(message: Buffer): void {
    if (this.first) throw new TsigError('an answer without signature');
    if (this.waiting.length >= MOST_UNSIGNED)
      throw new TsigError(`more than ${MOST_UNSIGNED} messages without signature`);
    this.waiting.push(Buffer.from(message));
  }

  private verify(message: Buffer, record: TsigRecord): void {
    const what = this.first ? variables(record) : timers(record);
    const parts = [withLength(this.before), ...this.waiting, asSigned(message, record), what];
    const mac = macOf(this.key, record.algorithm, parts);
    if (mac.length !== record.mac.length || !timingSafeEqual(mac, record.mac)) throw new TsigError('a wrong signature');
    this.before = mac;
    this.first = false;
    this.waiting.length = 0;
  }
}
