import { Reply, ReplyLease, type Query } from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import {
  Flag,
  Rcode,
  Type,
  encodeRecords,
  nameLength,
  type EncodedRecords,
  type Name,
  type Rr,
} from '../../wire/index.js';
import { below, type NameForms } from './name.js';
import { authoritative, soaRecord, versionRecord } from './records.js';
import { isReverseZone } from './name.js';

/** Tells when the objects changed last. */
export interface Modified {
  /** Seconds since 1970; 0 before the first object. */
  readonly serial: Seconds;
}

type Denial = typeof Rcode.NOERROR | typeof Rcode.NXDOMAIN | typeof Rcode.SERVFAIL;

/**
 * A zone and the replies that depend on nothing but the zone. One of each serves all names, as they hold no more than
 * the zone's SOA record.
 */
export class Zone {
  readonly reverse: boolean;
  readonly versionName: Name;
  readonly nameserver: Name;
  readonly version: Reply;
  private readonly length: number;
  private readonly denials = new Map<Denial, Reply>();

  constructor(
    readonly name: Name,
    private readonly ttl: Seconds,
    private readonly modified: Modified,
    /** Names beside those of the specification that it has. */
    readonly forms: NameForms = 'plain',
  ) {
    this.reverse = isReverseZone(name);
    this.versionName = below('dns-version', name);
    this.nameserver = below('ns.dns', name);
    this.version = authoritative(
      this.versionName,
      { answer: [versionRecord(this.versionName)], additional: [] },
      new ReplyLease(Infinity),
    );
    this.length = nameLength(name);
  }

  /**
   * No records of the type that was asked for, no such name, or nothing known yet; with the SOA record (RFC 2308
   * section 3).
   */
  deny(query: Query, rcode: Denial): Reply {
    if (this.isSpelt(query)) return Reply.ofRecords(Flag.AA, rcode, this.encodeSoa('authority', this.spelling(query)));
    const known = this.denials.get(rcode);
    if (known !== undefined) return known;
    // That everything is known by now is no change of an object, so nothing would end what SERVFAIL promised.
    const lease = rcode === Rcode.SERVFAIL ? undefined : new ReplyLease(Infinity);
    const made = Reply.ofRecords(Flag.AA, rcode, this.encodeSoa('authority', this.name), undefined, undefined, lease);
    this.denials.set(rcode, made);
    return made;
  }

  /** Some object has changed: what did not exist may do so now, and the serial is another. */
  changed(): void {
    if (this.denials.size === 0) return;
    for (const { lease } of this.denials.values()) lease?.revoke();
    this.denials.clear();
  }

  /** The answer to a question for the SOA record. */
  authority(query: Query): Reply {
    return Reply.ofRecords(Flag.AA, Rcode.NOERROR, this.encodeSoa('answer', this.spelling(query)));
  }

  /**
   * Whether the query writes the zone with capitals. The reference repeats that wherever it makes a name below the
   * zone.
   */
  isSpelt(query: Query): boolean {
    const end = query.questionEnd - 4;
    // Length octets are below 0x40 and so are never taken for capitals.
    for (let at = end - this.length; at < end; at++) {
      const octet = query.bytes[at]!;
      if (octet >= 0x41 && octet <= 0x5a) return true;
    }
    return false;
  }

  /** The zone as the query writes it. */
  spelling(query: Query): Name {
    return this.isSpelt(query) ? query.qname.slice(-this.name.length) : this.name;
  }

  private encodeSoa(section: 'answer' | 'authority', name: Name): EncodedRecords {
    return encodeRecords({
      answer: [],
      authority: [],
      additional: [],
      [section]: [this.soa(name)],
    });
  }

  /** The zone's SOA record, with the zone's name as `name` spells it. */
  soa(name: Name = this.name): Rr {
    return soaRecord(name, this.modified.serial, this.ttl);
  }
}

/** Types that a zone transfer is asked for with. */
export const isTransfer = (type: number): boolean => type === Type.AXFR || type === Type.IXFR;
