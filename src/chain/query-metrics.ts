import type { Octets } from '../lib/units.js';
import { TIME_BOUNDS, type Family, type Histogram, type Metrics, type Value } from '../metrics/metrics.js';
import { OPT_SIZE, Type, rcodeName, type Name } from '../wire/index.js';
import type { Query } from './query.js';
import type { HitCounter } from './lease.js';
import { NOBODY, type Writers } from './writers.js';
import type { HasCountedZones } from './counted-zones.js';
import { Zones } from './zones.js';

const SIZE_BOUNDS = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000];

/** The types that have a `type` label of their own; all others count as `other`. */
const COUNTED_TYPES = [
  'A',
  'AAAA',
  'CNAME',
  'DNSKEY',
  'DS',
  'MX',
  'NSEC3',
  'NSEC',
  'NS',
  'PTR',
  'RRSIG',
  'SOA',
  'SRV',
  'TXT',
  'HTTPS',
  'IXFR',
  'AXFR',
  'ANY',
] as const;
const OTHER = COUNTED_TYPES.length;
/** Place of each type up to 255 in the list above. */
const TYPE_SLOTS = new Uint8Array(256).fill(OTHER);
COUNTED_TYPES.forEach((type, slot) => (TYPE_SLOTS[Type[type]] = slot));

/** Time of a query that was answered without the chain, in seconds: some microseconds, in the lowest bucket. */
const UNMEASURED = 5e-6;

/** Who made a reply. */
export type MetricsWriter = 'nobody' | keyof Writers;
const WRITERS: readonly MetricsWriter[] = ['nobody', 'atOnce', 'waited'];

/** Hit counters that are kept for the next reply of the same kind. */
const MOST_COUNTERS = 4096;

/** Place of the counter of queries like this one: protocol, family and type. */
function slotOf(query: Query): number {
  const proto = query.protocol === 'tcp' ? 1 : 0;
  const family = query.family === 6 ? 1 : 0;
  const type = query.type < 256 ? TYPE_SLOTS[query.type]! : OTHER;
  return (((proto << 1) | family) << 5) | type;
}

/**
 * The counters of queries at one listening address for one zone. QuerySeries appear with their first query; after that a
 * query costs a few additions.
 */
export class QuerySeries {
  private readonly requests: (Value | undefined)[] = [];
  private readonly requestSizes: (Histogram | undefined)[] = [];
  private readonly responseSizes: (Histogram | undefined)[] = [];
  private readonly responses: Record<MetricsWriter, (Value | undefined)[]> = { nobody: [], atOnce: [], waited: [] };
  private duration: Histogram | undefined;
  private doRequests: Value | undefined;
  private readonly families: ReturnType<typeof families>;
  /** By all that their counts depend on: most names have the same as others. */
  private readonly hitCounters = new Map<number, HitCounter>();

  /** @param server the `server` label @param zone the `zone` label; `dropped` for queries that reach no server block */
  constructor(
    metrics: Metrics,
    private readonly server: string,
    private readonly zone: string,
    private readonly view = '',
    private readonly writers: Writers = NOBODY,
  ) {
    this.families = families(metrics);
  }

  /** Counts a query that was answered after `seconds`. */
  count(query: Query, seconds: number, rcode: number, size: Octets, writer: MetricsWriter): void {
    const { requests, requestSize, responseSize, responses } = this.seriesOf(query, rcode, writer);
    requests.inc();
    if (query.do) (this.doRequests ??= this.bind(this.families.doRequests, {})).inc();
    (this.duration ??= this.bind(this.families.duration, {})).observe(seconds);
    requestSize.observe(query.size);
    responseSize.observe(size);
    responses.inc();
  }

  /**
   * How queries like this one are counted that were answered without the chain. Their time was too short to be
   * measured one by one.
   */
  hitCounter(query: Query, rcode: number, size: Octets, writer: MetricsWriter): HitCounter {
    const lengths = (size * 512 + query.questionEnd) * 4096 + rcode;
    const key = (lengths * 4 + WRITERS.indexOf(writer)) * 256 + 2 * slotOf(query) + (query.do ? 1 : 0);
    let counter = this.hitCounters.get(key);
    if (counter === undefined) {
      counter = this.hitCounterOf(query, rcode, size, writer);
      if (this.hitCounters.size >= MOST_COUNTERS) this.hitCounters.clear();
      this.hitCounters.set(key, counter);
    }
    return counter;
  }

  private hitCounterOf(query: Query, rcode: number, size: Octets, writer: MetricsWriter): HitCounter {
    const { questionEnd: question, do: signed } = query;
    const { requests, requestSize, responseSize, responses } = this.seriesOf(query, rcode, writer);
    // Nothing of the query in here: it would stay with its octets as long as the answer does.
    return (plain, edns) => {
      const count = plain + edns;
      requests.inc(count);
      if (signed) (this.doRequests ??= this.bind(this.families.doRequests, {})).inc(count);
      (this.duration ??= this.bind(this.families.duration, {})).observe(UNMEASURED, count);
      if (plain > 0) requestSize.observe(question, plain);
      if (edns > 0) requestSize.observe(question + OPT_SIZE, edns);
      responseSize.observe(size, count);
      responses.inc(count);
    };
  }

  private seriesOf(
    query: Query,
    rcode: number,
    writer: MetricsWriter,
  ): { requests: Value; requestSize: Histogram; responseSize: Histogram; responses: Value } {
    const slot = slotOf(query);
    const proto = slot >> 6;
    return {
      requests: this.requests[slot] ?? this.bindRequests(slot),
      requestSize: (this.requestSizes[proto] ??= this.bind(this.families.requestSize, { proto: query.protocol })),
      responseSize: (this.responseSizes[proto] ??= this.bind(this.families.responseSize, { proto: query.protocol })),
      responses: this.responses[writer][rcode] ?? this.bindResponses(writer, rcode),
    };
  }

  private bindRequests(slot: number): Value {
    const type = slot & 31;
    const labels = {
      proto: slot & 64 ? 'tcp' : 'udp',
      family: slot & 32 ? '2' : '1',
      type: COUNTED_TYPES[type] ?? 'other',
    };
    return (this.requests[slot] = this.bind(this.families.requests, labels));
  }

  private bindResponses(writer: MetricsWriter, rcode: number): Value {
    const plugin = writer === 'nobody' ? '' : this.writers[writer];
    return (this.responses[writer][rcode] = this.bind(this.families.responses, { rcode: rcodeName(rcode), plugin }));
  }

  private bind<T>(family: Family<T>, labels: Record<string, string>): T {
    return family.with({ server: this.server, zone: this.zone, view: this.view, ...labels });
  }
}

/** The counters of one server block at one listening address, by the zone a query falls in. */
export class ZonedSeries {
  private readonly byZone = new Map<Name | undefined, QuerySeries>();
  private readonly zones: Zones;
  private readonly only: QuerySeries | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly server: string,
    zones: readonly Name[],
    private readonly view: string,
    private readonly writers: Writers,
    /** Handlers with further zones, which may change at any time. */
    private readonly sources: readonly HasCountedZones[] = [],
  ) {
    this.zones = new Zones(zones);
    // Every query of a block with one zone is in that zone, or it would not have come here.
    this.only = zones.length === 1 && sources.length === 0 ? this.make(zones[0]!) : undefined;
  }

  of(query: Query): QuerySeries {
    if (this.only !== undefined) return this.only;
    const zone = this.zoneOf(query.name);
    let series = this.byZone.get(zone);
    if (series === undefined) this.byZone.set(zone, (series = this.make(zone ?? '.')));
    return series;
  }

  /** The most specific of the block's zones and those of its handlers. */
  private zoneOf(name: Name): Name | undefined {
    let longest = this.zones.match(name);
    for (const { countedZones } of this.sources) {
      const zone = countedZones?.match(name);
      if (zone !== undefined && zone.length > (longest?.length ?? 0)) longest = zone;
    }
    return longest;
  }

  private make(zone: Name): QuerySeries {
    return new QuerySeries(this.metrics, this.server, zone, this.view, this.writers);
  }
}

const COMMON = ['server', 'zone', 'view'];

const families = (metrics: Metrics) => ({
  requests: metrics.counter('dns', 'requests_total', 'Counter of DNS requests made per zone, protocol and family.', [
    ...COMMON,
    'proto',
    'family',
    'type',
  ]),
  doRequests: metrics.counter('dns', 'do_requests_total', 'Counter of DNS requests with DO bit set per zone.', COMMON),
  duration: metrics.histogram(
    'dns',
    'request_duration_seconds',
    'Histogram of the time (in seconds) each request took per zone.',
    TIME_BOUNDS,
    COMMON,
  ),
  requestSize: metrics.histogram(
    'dns',
    'request_size_bytes',
    'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
    SIZE_BOUNDS,
    [...COMMON, 'proto'],
  ),
  responseSize: metrics.histogram(
    'dns',
    'response_size_bytes',
    'Size of the returned response in bytes.',
    SIZE_BOUNDS,
    [...COMMON, 'proto'],
  ),
  responses: metrics.counter('dns', 'responses_total', 'Counter of response status codes.', [
    ...COMMON,
    'rcode',
    'plugin',
  ]),
});

/** Gauges that are 1 for each handler of a server block. */
export const pluginEnabled = (metrics: Metrics): Family<Value> =>
  metrics.gauge(
    '',
    'plugin_enabled',
    'A metric that indicates whether a plugin is enabled on per server and zone basis.',
    [...COMMON, 'name'],
  );

/** Faults in handlers: the server counts them. */
export const panics = (metrics: Metrics): Value =>
  metrics.counter('', 'panics_total', 'A metrics that counts the number of panics.').with();

/**
 * Makes the metrics that stand there before the first query. The label `goversion` keeps its name and holds the
 * version of Node.
 */
export function registerProcess(metrics: Metrics, version: string): void {
  panics(metrics);
  const help =
    "A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.";
  metrics
    .gauge('', 'build_info', help, ['version', 'revision', 'goversion'])
    .with({ version, revision: '', goversion: `node${process.versions.node}` })
    .set(1);
}
