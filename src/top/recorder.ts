import type { Query } from '../chain/index.js';
import { sourceIp } from '../lib/networks.js';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Milliseconds, Octets, Seconds } from '../lib/units.js';
import { HEADER_SIZE, Rcode } from '../wire/index.js';
import { NameReader } from './name-reader.js';
import type { QueryTap } from './query-tap.js';
import { SpaceSaving } from './space-saving.js';
import { Thinning } from './thinning.js';
import { UpstreamLoads, type UpstreamLoad } from './upstreams.js';
import { Suffixes } from './suffixes.js';

/** What lies back so long counts 1/e of what is new: rates are those of about the last minute. */
export const MEMORY: Milliseconds = 60_000;
const TICK: Milliseconds = 1000;
const NAMES = 4096;
/** Names of hits, and new names, are looked at one by one so many times a second; of more, one stands for others. */
const EXACT = 5000;
const CLIENTS = 4096;
/** Longer names are counted, and shown without their beginning. */
const NAME_KEY: Octets = 120;
export const ADDRESS: Octets = 16;
/** Types below are counted one by one, the others together under 0, which is none. */
const TYPES = 512;
/** Time of a query that was answered without the chain, in seconds: as `coredns_dns_request_duration_seconds` has it. */
const UNMEASURED: Seconds = 5e-6;
/** Weights above are brought down to 1 again. */
const HEAVY = 2 ** 30;

/** Sums that are kept for a name, a client and a type. */
export const NXDOMAIN = 0;
export const TIME = 1;

/** Addresses of IPv6 whose text is known. */
const KNOWN = 1024;

/**
 * Who asks, what, and what it costs, in memory of fixed size. A query that was answered now counts more than one from
 * before (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay: a practical time decay model for
 * streaming systems", 2009), so that counts divided by the time that they stand for are the rates of now.
 */
export class TopRecorder {
  readonly names = new SpaceSaving({ capacity: NAMES, keySize: NAME_KEY, sums: 2 });
  readonly clients = new SpaceSaving({ capacity: CLIENTS, keySize: ADDRESS, sums: 2 });
  readonly suffixes = new Suffixes();
  /** Count, NXDOMAIN and time by type. */
  readonly types = [new Float64Array(TYPES), new Float64Array(TYPES), new Float64Array(TYPES)] as const;
  readonly totals = { queries: 0, nxdomain: 0, time: 0, withoutChain: 0, searched: 0 };
  /** What a query counts now. */
  weight = 1;
  /** Asks those who hold counts to hand them over, each second. */
  readonly sources: (() => void)[] = [];
  /** Asks those who hand counts over by themselves to do so now. */
  refreshed: (() => void) | undefined;
  private readonly thinning = new Thinning(EXACT);
  private readonly unknown = new Thinning(EXACT);
  /** Those who want queries themselves, and not only counts. */
  readonly taps = new Set<QueryTap>();
  private readonly upstreams: UpstreamLoads | undefined;
  private readonly name: NameReader;
  private ticked: Milliseconds;
  private readonly began: Milliseconds;
  private origin: Milliseconds;
  private readonly timer: Timer;
  private readonly address = new Uint8Array(ADDRESS);
  private readonly known = new Map<string, Uint8Array>();

  /**
   * @param seed key of hashes, two numbers of 32 bits
   * @param metrics where upstreams are counted
   */
  constructor(
    private readonly clock: Clock,
    private readonly seed: readonly [number, number],
    metrics?: Metrics,
  ) {
    this.name = new NameReader(seed);
    this.upstreams = metrics && new UpstreamLoads(metrics);
    this.began = this.origin = this.ticked = clock.monotonic();
    this.timer = repeat(clock, TICK, () => this.tick());
  }

  /** Memory that it takes, without what threads have. */
  get memory(): Octets {
    const { names, clients, suffixes, types } = this;
    return (
      names.memory +
      clients.memory +
      suffixes.missing.memory +
      suffixes.searched.memory +
      types.reduce((all, { byteLength }) => all + byteLength, 0)
    );
  }

  /** For how many seconds what is counted stands: counts divided by it are rates. */
  get span(): Seconds {
    return this.weight * this.unweighted;
  }

  /** How busy upstreams are. */
  get upstreamLoads(): UpstreamLoad[] {
    return this.upstreams?.loads(1000 * this.unweighted) ?? [];
  }

  private get unweighted(): Seconds {
    const passed = Math.max(this.clock.monotonic() - this.began, 1);
    return (MEMORY * (1 - Math.exp(-passed / MEMORY))) / 1000;
  }

  /** Counts a query that the chain answered. */
  answered(query: Query, rcode: number, time: Seconds): void {
    for (const tap of this.taps) tap.asked(query);
    this.count(query.type, rcode, 1, time);
    const { name } = this;
    name.read(query.bytes, HEADER_SIZE);
    // Who is known is counted exactly: it is the others that are many.
    const times = name.isIn(this.names) ? 1 : this.unknown.times(1);
    if (times > 0) this.countName(rcode === Rcode.NXDOMAIN, times, time * times);
    const { address } = query.client.remote;
    if (this.readAddress(address)) this.client(this.address, 0, 1, rcode === Rcode.NXDOMAIN ? 1 : 0, time);
  }

  /** Counts queries that were answered without the chain; `at` is where their name begins, in lower case. */
  hits(bytes: Uint8Array, at: number, type: number, rcode: number, count: number): void {
    this.totals.withoutChain += count * this.weight;
    this.count(type, rcode, count, count * UNMEASURED);
    const times = this.thinning.times(count);
    if (times === 0) return;
    this.name.read(bytes, at);
    this.countName(rcode === Rcode.NXDOMAIN, count * times, count * times * UNMEASURED);
  }

  /** Counts queries of a client that were answered without the chain. */
  hitsOf(address: Uint8Array, at: number, count: number, nxdomain: number): void {
    this.client(address, at, count, nxdomain, count * UNMEASURED);
  }

  /** As `tick`, with all that was counted up to now. */
  refresh(): void {
    this.refreshed?.();
    this.tick();
  }

  /** Takes over what others hold, and lets what was counted before weigh less. */
  tick(): void {
    for (const source of this.sources) source();
    this.suffixes.tick();
    this.thinning.tick();
    this.unknown.tick();
    const now = this.clock.monotonic();
    this.upstreams?.tick(Math.exp((this.ticked - now) / MEMORY));
    this.ticked = now;
    this.weight = Math.exp((now - this.origin) / MEMORY);
    if (this.weight > HEAVY) this.lighten();
  }

  stop(): void {
    this.timer.cancel();
  }

  private count(type: number, rcode: number, count: number, time: Seconds): void {
    const { weight, totals, types } = this;
    const typed = type < TYPES ? type : 0;
    types[0][typed]! += count * weight;
    types[2][typed]! += time * weight;
    totals.queries += count * weight;
    totals.time += time * weight;
    if (rcode === Rcode.NXDOMAIN) {
      types[1][typed]! += count * weight;
      totals.nxdomain += count * weight;
    }
  }

  /** Counts the name that was read. */
  private countName(missing: boolean, count: number, time: Seconds): void {
    const { name, names, weight } = this;
    const added = count * weight;
    const slot = name.countIn(names, 0, added);
    names.addTo(TIME, slot, time * weight);
    if (!missing) return;
    names.addTo(NXDOMAIN, slot, added);
    this.totals.searched += this.suffixes.add(name, count, added, this.isAsked);
  }

  /** Whether the beginning of the name, so many labels long, is a name that exists and is asked for as such. */
  private readonly isAsked = (labels: number): boolean => {
    const { name, names } = this;
    const slot = names.find(name.head(labels), name.head2(labels));
    return slot >= 0 && names.sum(NXDOMAIN, slot) < names.sure(slot);
  };

  private client(address: Uint8Array, at: number, count: number, nxdomain: number, time: Seconds): void {
    let [a, b] = this.seed;
    for (let i = at; i < at + ADDRESS; i++) {
      a = Math.imul(a ^ address[i]!, 0x0100_0193);
      b = Math.imul(b ^ address[i]!, 0x5bd1_e995);
      b ^= b >>> 15;
    }
    a ^= a >>> 15;
    const { clients, weight } = this;
    const slot = clients.add(a, b, address, at, ADDRESS, count * weight);
    clients.addTo(TIME, slot, time * weight);
    if (nxdomain > 0) clients.addTo(NXDOMAIN, slot, nxdomain * weight);
  }

  /** Reads the text of an address; IPv4 goes into the form that IPv6 has for it (RFC 4291 section 2.5.5.2). */
  private readAddress(text: string): boolean {
    const { address } = this;
    if (readIpv4(text, address)) return true;
    let bytes = this.known.get(text);
    if (bytes === undefined) {
      const ip = sourceIp(text);
      if (ip === undefined) return false;
      if (this.known.size >= KNOWN) this.known.clear();
      this.known.set(text, (bytes = ip.length === 4 ? Uint8Array.of(...MAPPED, ...ip) : ip));
    }
    address.set(bytes);
    return true;
  }

  private lighten(): void {
    const factor = 1 / this.weight;
    for (const sketch of [this.names, this.clients, this.suffixes]) sketch.scale(factor);
    for (const counts of this.types) for (let i = 0; i < TYPES; i++) counts[i]! *= factor;
    for (const key of Object.keys(this.totals) as (keyof TopRecorder['totals'])[]) this.totals[key] *= factor;
    this.origin = this.clock.monotonic();
    this.weight = 1;
  }
}

/** First bytes of an IPv4 address in the form of IPv6. */
export const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/** Reads what is written by machines, without a look at all that may stand for an address. */
function readIpv4(text: string, into: Uint8Array): boolean {
  if (text.length > 15 || text.includes(':')) return false;
  let part = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      into[12 + part++] = value;
      value = 0;
    } else value = value * 10 + code - 0x30;
  }
  if (part !== 3) return false;
  into[15] = value;
  into.set(MAPPED, 0);
  return true;
}
