import type { Octets, Seconds } from '../lib/units.js';
import type { Edns } from './edns.js';
import type { Name } from './name.js';

/** A question (RFC 1035 section 4.1.2). The name is kept in the letter case of the message. */
export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/**
 * A resource record (RFC 1035 section 4.1.3). `rdata` is the data in wire form with all names written out.
 * The OPT pseudo record never stands here, see `Message.edns`.
 */
export interface Rr {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly ttl: Seconds;
  readonly rdata: Uint8Array;
}

/** A whole message, never altered once made: a change is a copy. */
export interface Message {
  /** 0 to 65535. */
  readonly id: number;
  /** The second header word without its rcode bits: QR, opcode, AA, TC, RD, RA, Z, AD, CD. */
  readonly flags: number;
  /** 0 to 4095; above 15 only together with `edns` (RFC 6891 section 6.1.3). */
  readonly rcode: number;
  readonly question: readonly Question[];
  readonly answer: readonly Rr[];
  readonly authority: readonly Rr[];
  readonly additional: readonly Rr[];
  /** What the OPT record says; undefined without one. */
  readonly edns?: Edns | undefined;
}

export type Section = 'answer' | 'authority' | 'additional';
export const SECTIONS: readonly Section[] = ['answer', 'authority', 'additional'];

/** Octets of a record before its data, apart from the name: type, class, TTL, length. */
export const RECORD_FIXED: Octets = 10;

/** Longest record data, in octets (the 16-bit length field of RFC 1035 section 4.1.3). */
export const MAX_RDATA: Octets = 0xffff;
