import type { Octets, Seconds } from '../lib/units.js';
import {
  Flag,
  HEADER_SIZE,
  NO_RECORDS,
  decodeRecords,
  encodeRecords,
  optLength,
  type Edns,
  type EncodedRecords,
  type Message,
  type Rr,
} from '../wire/index.js';
import type { Query } from './query.js';
import type { Lease } from './lease.js';

/** The sections of a reply, made into objects. */
export interface Sections {
  readonly answer: readonly Rr[];
  readonly authority: readonly Rr[];
  readonly additional: readonly Rr[];
}

interface ReplyParts {
  readonly flags: number;
  readonly rcode: number;
  readonly records?: EncodedRecords | undefined;
  readonly sections?: Sections | undefined;
  readonly ttl?: Seconds | undefined;
  readonly edns?: Edns | undefined;
  readonly written?: boolean;
  readonly cause?: Error | undefined;
  readonly lease?: Lease | undefined;
  readonly rotates?: boolean;
  readonly repeats?: Query | undefined;
}

const NO_SECTIONS: Sections = { answer: [], authority: [], additional: [] };

/**
 * What a handler returns. It holds flags, rcode and records, the latter as objects, as bytes, or both; whichever is
 * missing is made when it is
 * asked for. It says nothing of id, question, RD and CD: the server takes those from the query when it sends. Never
 * altered once made.
 */
export class Reply {
  /** Second header word as this reply would have it; opcode, RD and CD come from the query, QR is always set. */
  readonly flags: number;
  /** 0 to 4095. */
  readonly rcode: number;
  /** When given, the TTL of every record, whatever the records say. */
  readonly ttl: Seconds | undefined;
  /** The OPT record of an upstream's reply. What the client gets depends on the client's own OPT record. */
  readonly edns: Edns | undefined;
  /**
   * False when no handler made an answer and the client is only told an rcode: such a reply is not kept, not changed,
   * and logged as `- - 0`.
   */
  readonly written: boolean;
  /** Why a handler could not answer; `errors` reports it. Only where `written` is false. */
  readonly cause: Error | undefined;
  /**
   * How long this very reply may be given again without asking; undefined when its maker promises nothing. A changed
   * copy has none.
   */
  readonly lease: Lease | undefined;
  /** Whether records of one owner and type may be sent in any order, and had better not always be sent in the same. */
  readonly rotates: boolean;
  /**
   * The query as a handler changed it, where its flags or its OPT record are not the client's any more: the answer
   * repeats those of this one, and keeps to its size.
   */
  readonly repeats: Query | undefined;
  private encoded: EncodedRecords | undefined;
  private decoded: Sections | undefined;

  private constructor(parts: ReplyParts) {
    this.flags = parts.flags | Flag.QR;
    this.rcode = parts.rcode;
    this.ttl = parts.ttl;
    this.edns = parts.edns;
    this.written = parts.written ?? true;
    this.cause = parts.cause;
    this.lease = parts.lease;
    this.rotates = parts.rotates ?? false;
    this.repeats = parts.repeats;
    this.encoded = parts.records;
    this.decoded = parts.sections;
  }

  /** A reply from records that are already encoded. */
  static ofRecords(
    flags: number,
    rcode: number,
    records: EncodedRecords,
    ttl?: Seconds,
    edns?: Edns,
    lease?: Lease,
  ): Reply {
    return new Reply({ flags, rcode, records, ttl, edns, lease });
  }

  /** A reply from record objects; sections left out are empty. `flags` is any of AA, TC, RA, AD. */
  static of(flags: number, rcode: number, sections: Partial<Sections> = {}, edns?: Edns): Reply {
    return new Reply({ flags, rcode, sections: { ...NO_SECTIONS, ...sections }, edns });
  }

  /** A reply with an rcode and no records. */
  static empty(rcode: number, flags = 0): Reply {
    return new Reply({ flags, rcode, records: NO_RECORDS, sections: NO_SECTIONS });
  }

  /** What the client gets when no handler made an answer, and why, if there is more to say than the rcode. */
  static failure(rcode: number, cause?: Error): Reply {
    return new Reply({ flags: 0, rcode, records: NO_RECORDS, sections: NO_SECTIONS, written: false, cause });
  }

  get records(): EncodedRecords {
    return (this.encoded ??= encodeRecords(this.decoded!));
  }

  get sections(): Sections {
    return (this.decoded ??= decodeRecords(this.encoded!, this.ttl));
  }

  get answer(): readonly Rr[] {
    return this.sections.answer;
  }

  get authority(): readonly Rr[] {
    return this.sections.authority;
  }

  get additional(): readonly Rr[] {
    return this.sections.additional;
  }

  /** Number of records in the answer section, without making objects. */
  get answerCount(): number {
    return this.decoded === undefined ? this.encoded!.answers : this.decoded.answer.length;
  }

  get authorityCount(): number {
    return this.decoded === undefined ? this.encoded!.authorities : this.decoded.authority.length;
  }

  get truncated(): boolean {
    return (this.flags & Flag.TC) !== 0;
  }

  /**
   * Length as an answer to `query` with all names written out, the reply's own OPT record included: the size in logs
   * and metrics, in octets.
   */
  sizeFor(query: Query): Octets {
    return (
      HEADER_SIZE +
      query.questionEnd -
      query.questionStart +
      this.records.bytes.length +
      (this.edns === undefined ? 0 : optLength(this.edns))
    );
  }

  /** The whole message as an answer to `query`. */
  messageFor(query: Query): Message {
    const repeated = Flag.RD | Flag.CD | 0x7800;
    return {
      id: query.id,
      flags: (this.flags & ~repeated) | (query.queryFlags & repeated),
      rcode: this.rcode,
      question: [{ name: query.qname, type: query.type, class: query.class }],
      ...this.ownersOf(query),
      edns: this.edns,
    };
  }

  /** A copy with other flags or rcode; the records are shared. */
  withHeader(change: { flags?: number; rcode?: number }): Reply {
    return new Reply({ ...this.parts(), ...change });
  }

  /** A copy with other sections; those left out stay. */
  withSections(change: Partial<Sections>): Reply {
    return new Reply({
      ...this.parts(),
      records: undefined,
      ttl: undefined,
      sections: { ...this.sections, ...change },
    });
  }

  /** This reply with a promise of how long it stays right. */
  withLease(lease: Lease | undefined): Reply {
    return lease === this.lease ? this : this.again(this.encoded, this.decoded, lease, this.rotates);
  }

  /**
   * This reply with its records in another order, which says no more and no less: what its maker promised still
   * holds.
   */
  withOrder(records: EncodedRecords): Reply {
    return this.again(records, undefined, this.lease, true);
  }

  withEdns(edns: Edns | undefined): Reply {
    return new Reply({ ...this.parts(), edns });
  }

  /** A copy that is sent as the answer to `query`, a changed copy of the client's; `repeats` says what that means. */
  repeating(query: Query): Reply {
    return new Reply({ ...this.parts(), repeats: query });
  }

  /** A copy in which `change` was applied to every record, or this reply itself when nothing changed. */
  mapRecords(change: (record: Rr) => Rr): Reply {
    let changed = false;
    const map = (records: readonly Rr[]): readonly Rr[] =>
      records.map((record) => {
        const other = change(record);
        changed ||= other !== record;
        return other;
      });
    const sections = { answer: map(this.answer), authority: map(this.authority), additional: map(this.additional) };
    return changed ? this.withSections(sections) : this;
  }

  /**
   * A copy for the query path. Written out, because V8 makes a hidden class, which only a full collection frees, for
   * each object that is spread.
   */
  private again(
    records: EncodedRecords | undefined,
    sections: Sections | undefined,
    lease: Lease | undefined,
    rotates: boolean,
  ): Reply {
    const { flags, rcode, ttl, edns, written, cause, repeats } = this;
    return new Reply({ flags, rcode, records, sections, ttl, edns, written, cause, lease, rotates, repeats });
  }

  private parts(): ReplyParts {
    return {
      flags: this.flags,
      rcode: this.rcode,
      records: this.encoded,
      sections: this.decoded,
      ttl: this.ttl,
      edns: this.edns,
      written: this.written,
      cause: this.cause,
      repeats: this.repeats,
    };
  }

  private ownersOf(query: Query): Sections {
    if (this.encoded?.owners === undefined) return this.sections;
    const echo = (records: readonly Rr[]): readonly Rr[] =>
      records.map((record) => (record.name.toLowerCase() === query.name ? { ...record, name: query.qname } : record));
    return { answer: echo(this.answer), authority: echo(this.authority), additional: echo(this.additional) };
  }
}
