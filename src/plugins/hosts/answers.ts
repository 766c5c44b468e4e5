import { Reply } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Class, Flag, Rcode, Type, encodeName, encodeRecords, type Name } from '../../wire/index.js';
import { wildcardOf, type HostMap } from './host-map.js';

/** The replies to all questions that some host maps can answer. Each is encoded when it is first asked for and kept. */
export class HostAnswers {
  private readonly ip4 = new Map<Name, Reply>();
  private readonly ip6 = new Map<Name, Reply>();
  private readonly pointers = new Map<Name, Reply>();
  private readonly hasWildcards: boolean;

  /** `maps` are read in order; `ttl` is that of every record. */
  constructor(
    private readonly maps: readonly HostMap[],
    private readonly ttl: Seconds,
  ) {
    this.hasWildcards = maps.some((map) => map.wild4.size > 0 || map.wild6.size > 0);
  }

  /**
   * The reply for a name that has addresses, empty when none is of the type asked for; undefined for a name without
   * addresses.
   */
  host(name: Name, type: number): Reply | undefined {
    const known = type === Type.A ? this.ip4.get(name) : type === Type.AAAA ? this.ip6.get(name) : undefined;
    if (known !== undefined) return known;
    const wild = this.hasWildcards ? wildcardOf(name) : undefined;
    const ip4 = (map: HostMap) =>
      (map.ip4.get(name) ?? (wild === undefined ? undefined : map.wild4.get(wild)))?.map(bytesOf);
    const ip6 = (map: HostMap) =>
      (map.ip6.get(name) ?? (wild === undefined ? undefined : map.wild6.get(wild)))?.map(bytesOf);
    if (!this.maps.some((map) => ip4(map) !== undefined || ip6(map) !== undefined)) return undefined;
    if (type !== Type.A && type !== Type.AAAA) return NODATA;
    const [replies, data] = type === Type.A ? [this.ip4, ip4] : [this.ip6, ip6];
    // Names that wildcards stand for are the client's choice: keeping them would take memory without end.
    const isOwn = this.maps.some((map) => map.ip4.has(name) || map.ip6.has(name));
    return isOwn ? this.keep(replies, name, type, data) : this.make(name, type, data);
  }

  /** The reply with the names of an address; undefined when it has none. */
  pointer(name: Name): Reply | undefined {
    const known = this.pointers.get(name);
    if (known !== undefined || !this.maps.some((map) => map.names.has(name))) return known;
    return this.keep(this.pointers, name, Type.PTR, (map) => map.names.get(name)?.map(encodeName));
  }

  private keep(
    replies: Map<Name, Reply>,
    name: Name,
    type: number,
    data: (map: HostMap) => readonly IpBytes[] | undefined,
  ): Reply {
    const reply = this.make(name, type, data);
    replies.set(name, reply);
    return reply;
  }

  private make(name: Name, type: number, data: (map: HostMap) => readonly IpBytes[] | undefined): Reply {
    const answer = this.maps
      .flatMap((map) => data(map) ?? [])
      .map((rdata) => ({ name, type, class: Class.IN, ttl: this.ttl, rdata }));
    return answer.length === 0
      ? NODATA
      : Reply.ofRecords(Flag.AA, Rcode.NOERROR, encodeRecords({ answer, authority: [], additional: [] }));
  }
}

const bytesOf = (address: string): IpBytes => Buffer.from(address, 'latin1');
const NODATA = Reply.empty(Rcode.NOERROR, Flag.AA);
