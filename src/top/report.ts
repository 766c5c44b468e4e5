import { formatIp } from '../lib/cidr.js';
import type { Seconds } from '../lib/units.js';
import { readLowerName, typeName } from '../wire/index.js';
import { MAPPED, NXDOMAIN, TIME, type TopRecorder } from './recorder.js';
import type { SpaceSaving } from './space-saving.js';
import type { UpstreamLoad } from './upstreams.js';

/** How much one client, name or type asks. */
export interface TopRow {
  /** What is counted: an address, a name, a type, or the end of names. */
  readonly key: string;
  /** The client's pod, as NAMESPACE/NAME, where a plugin knows it. */
  readonly pod?: string;
  /** Queries a second. */
  readonly rate: number;
  /** By how much the rate may be too high. */
  readonly error: number;
  /** Of all queries; of the ends of names, of all NXDOMAIN. From 0 to 1. */
  readonly share: number;
  /** Share of its queries that got NXDOMAIN, from 0 to 1; not for ends of names. */
  readonly nxdomain?: number;
  /** Seconds a second that were spent on its answers, waiting included; not for ends of names. */
  readonly time?: Seconds;
}

/** Who asks, what, and what it costs. */
export interface TopReport {
  /** Queries a second, of about the last minute. */
  readonly rate: number;
  /** Shares of all queries, from 0 to 1: with NXDOMAIN; answered without the chain; NXDOMAIN made by search paths. */
  readonly nxdomain: number;
  readonly withoutChain: number;
  readonly searched: number;
  /** Seconds a second that were spent on answers. */
  readonly time: Seconds;
  readonly clients: readonly TopRow[];
  readonly names: readonly TopRow[];
  readonly types: readonly TopRow[];
  readonly suffixes: readonly TopRow[];
  readonly searches: readonly TopRow[];
  readonly upstreams: readonly UpstreamLoad[];
}

/** How rows are put in order, and which are left out. */
export interface TopWish {
  /** Rows of each list. */
  readonly rows: number;
  /** By queries a second, by time, or by queries with NXDOMAIN. */
  readonly sort: 'rate' | 'time' | 'nxdomain';
  /** What a key, or a client's pod, has to contain, in lower case. */
  readonly filter: string;
}

export const SORTS = ['rate', 'time', 'nxdomain'] as const satisfies readonly TopWish['sort'][];

/** Of an end of names no longer one tells more when so much of it is that one. */
const SAME = 0.9;

/** What the recorder knows now. `podOf` tells the pod of an address. */
export function topReport(
  recorder: TopRecorder,
  upstreams: readonly UpstreamLoad[],
  podOf: (address: string) => string | undefined,
  wish: TopWish,
): TopReport {
  const { totals, span, suffixes, names, clients } = recorder;
  const share = (part: number, whole = totals.queries): number => (whole > 0 ? Math.min(1, part / whole) : 0);
  const ends = (sketch: SpaceSaving, slots: readonly number[]): TopRow[] =>
    slots
      .map((slot) => endRow(sketch, slot, span, share(sketch.sure(slot), totals.nxdomain)))
      .filter(({ key }) => key.includes(wish.filter))
      .slice(0, wish.rows);
  return {
    rate: totals.queries / span,
    nxdomain: share(totals.nxdomain),
    withoutChain: share(totals.withoutChain),
    searched: share(totals.searched),
    time: totals.time / span,
    clients: rowsOf(clients, addressText, recorder, wish, podOf),
    names: rowsOf(names, nameText, recorder, wish),
    types: typeRows(recorder, wish),
    suffixes: ends(suffixes.missing, telling(suffixes.missing)),
    searches: ends(suffixes.searched, suffixes.searched.heaviest()),
    upstreams: [...upstreams].sort((a, b) => busy(b) - busy(a)).filter(({ to }) => to.includes(wish.filter)),
  };
}

const busy = ({ rate, latency = 0, unanswered }: UpstreamLoad): number => unanswered + rate * latency;

function rowsOf(
  sketch: SpaceSaving,
  text: (key: Uint8Array) => string,
  { span, totals }: TopRecorder,
  { rows, sort, filter }: TopWish,
  podOf: (address: string) => string | undefined = () => undefined,
): TopRow[] {
  const value =
    sort === 'rate' ? undefined : (slot: number): number => sketch.sum(sort === 'time' ? TIME : NXDOMAIN, slot);
  const found: TopRow[] = [];
  for (const slot of sketch.heaviest(value)) {
    if (found.length >= rows) break;
    const key = text(sketch.key(slot));
    const pod = filter === '' || !key.includes(filter) ? podOf(key) : undefined;
    if (!key.includes(filter) && pod?.includes(filter) !== true) continue;
    const count = sketch.sure(slot);
    const owner = pod ?? podOf(key);
    found.push({
      key,
      ...(owner !== undefined && { pod: owner }),
      rate: count / span,
      error: sketch.error(slot) / span,
      share: totals.queries > 0 ? Math.min(1, count / totals.queries) : 0,
      nxdomain: count > 0 ? Math.min(1, sketch.sum(NXDOMAIN, slot) / count) : 0,
      time: sketch.sum(TIME, slot) / span,
    });
  }
  return found;
}

function typeRows({ types, totals, span }: TopRecorder, { rows, sort, filter }: TopWish): TopRow[] {
  const [counts, missing, times] = types;
  const order = { rate: counts, nxdomain: missing, time: times }[sort];
  return Array.from(counts, (count, type) => ({ type, count }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => order[b.type]! - order[a.type]!)
    .map(({ type, count }) => ({
      key: type === 0 ? 'other' : typeName(type),
      rate: count / span,
      error: 0,
      share: Math.min(1, count / totals.queries),
      nxdomain: missing[type]! / count,
      time: times[type]! / span,
    }))
    .filter(({ key }) => key.toLowerCase().includes(filter))
    .slice(0, rows);
}

const endRow = (sketch: SpaceSaving, slot: number, span: Seconds, share: number): TopRow => ({
  key: nameText(sketch.key(slot)),
  rate: sketch.sure(slot) / span,
  error: sketch.error(slot) / span,
  share,
});

/** Of ends of names those that say more than a longer one, heaviest first. */
function telling(sketch: SpaceSaving): number[] {
  const slots = sketch.heaviest();
  const longest = new Map<string, number>();
  const keys = new Map(slots.map((slot) => [slot, Buffer.from(sketch.key(slot)).toString('latin1')]));
  for (const [slot, key] of keys) {
    const above = key.slice(1 + key.charCodeAt(0));
    longest.set(above, Math.max(longest.get(above) ?? 0, sketch.sure(slot)));
  }
  return slots.filter((slot) => (longest.get(keys.get(slot)!) ?? 0) < SAME * sketch.sure(slot));
}

/** A name without its beginning stands behind a root label. */
const nameText = (key: Uint8Array): string =>
  key.length > 1 && key[0] === 0 ? `...${readLowerName(key, 1)}` : readLowerName(key, 0);

const addressText = (key: Uint8Array): string =>
  formatIp(MAPPED.every((byte, i) => key[i] === byte) ? key.subarray(12) : key);
