import { Zones, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import type { CacheType } from './entry.js';

/** Bounds for the TTL of what is kept. The maximum wins where they cross. */
export interface TtlRange {
  readonly minTtl: Seconds;
  readonly maxTtl: Seconds;
}

/** What `success` or `denial` says. */
export interface TypeOptions extends TtlRange {
  /** Greatest number of entries. */
  readonly capacity: number;
}

export interface PrefetchPolicy {
  /** Hits that make an entry popular, at least 1. */
  readonly amount: number;
  /** A longer time than this between two hits starts the count again. */
  readonly gap: Milliseconds;
  /** How much of its TTL an entry has left when it is fetched anew, 10 to 90. */
  readonly percentage: number;
}

export interface CacheOptions {
  readonly zones: Zones;
  readonly success: TypeOptions;
  readonly denial: TypeOptions;
  /** TTL of failures; 0 keeps none. */
  readonly failureTtl: Seconds;
  /** Undefined without prefetching. */
  readonly prefetch: PrefetchPolicy | undefined;
  /** How long an expired entry is still served; 0 for not at all. */
  readonly staleFor: Seconds;
  /** Ask first and serve an expired entry only when that fails. */
  readonly verifyStale: boolean;
  /** Zones whose replies of a type are not kept. */
  readonly disabled: Readonly<Partial<Record<CacheType, Zones>>>;
  readonly keepTtl: boolean;
}

const MIN_TTL: Seconds = 5;
const DEFAULT_CAPACITY = 10_000;
/** The reference spreads entries over this many maps of equal size, and so rounds a capacity down to a multiple. */
const SHARDS = 256;
const MIN_PER_SHARD = 4;
const STALE_FOR: Milliseconds = 3_600_000;
/** A server's failure may be kept for five minutes at most (RFC 2308 section 7.1). */
const MAX_FAILURE: Milliseconds = 300_000;
const FAILURE_TTL: Seconds = 5;
const REFRESH_MODES = ['immediate', 'verify'] as const;
/** Largest TTL there is (RFC 2181 section 8). */
const LARGEST_TTL: Seconds = 2 ** 31 - 1;

/** Reads the directive. Throws a CorefileError at the line of the first bad value. */
export function parseOptions(directive: Directive, block: Block): CacheOptions {
  const [first, ...rest] = directive.args;
  // A first argument that is a number is the TTL, never a zone.
  const ttl =
    first !== undefined && /^[+-]?\d+$/.test(first)
      ? directive.seconds(first, { min: 1, max: LARGEST_TTL, what: 'TTL' })
      : undefined;
  const options: CacheOptions = {
    zones: block.zonesOf(ttl === undefined ? directive.args : rest, directive),
    success: { capacity: capacityOf(DEFAULT_CAPACITY), minTtl: MIN_TTL, maxTtl: ttl ?? 3600 },
    denial: { capacity: capacityOf(DEFAULT_CAPACITY), minTtl: MIN_TTL, maxTtl: ttl ?? 1800 },
    failureTtl: FAILURE_TTL,
    prefetch: undefined,
    staleFor: 0,
    verifyStale: false,
    disabled: {},
    keepTtl: false,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    const read = READERS.get(option.name) ?? option.unknown([...READERS.keys()]);
    Object.assign(options, read(option, options));
  }
  return options;
}

/** Reads one option: what it changes in what the lines before it have set. */
type Reader = (option: Option, before: CacheOptions) => Partial<CacheOptions>;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['success', (option, before) => ({ success: typeOptions(option, before.success) })],
  ['denial', (option, before) => ({ denial: typeOptions(option, before.denial) })],
  ['prefetch', readPrefetch],
  ['serve_stale', readStale],
  ['servfail', readFailure],
  ['disable', readDisable],
  ['keepttl', readKeepTtl],
]);

function typeOptions(option: Option, before: TypeOptions): TypeOptions {
  option.argCount(1, 3, `${option.name} CAPACITY [TTL] [MINTTL]`);
  const [capacity, ttl, minTtl] = option.args;
  return {
    capacity: capacityOf(option.integer(capacity!, { min: 0, what: 'CAPACITY' })),
    maxTtl: ttl === undefined ? before.maxTtl : option.seconds(ttl, { min: 1, max: LARGEST_TTL, what: 'TTL' }),
    minTtl: minTtl === undefined ? before.minTtl : option.seconds(minTtl, { min: 0, max: LARGEST_TTL, what: 'MINTTL' }),
  };
}

const capacityOf = (asked: number): number => Math.max(Math.floor(asked / SHARDS), MIN_PER_SHARD) * SHARDS;

function readPrefetch(option: Option): Partial<CacheOptions> {
  option.argCount(1, 3, 'prefetch AMOUNT [DURATION] [PERCENTAGE%]');
  const [count, gap = '1m', percentage = '10%'] = option.args;
  const amount = option.integer(count!, { min: 0, what: 'AMOUNT' });
  const policy = {
    amount,
    gap: option.duration(gap, { min: 0, what: 'DURATION' }),
    percentage: option.percent(percentage, { min: 10, max: 90, what: 'PERCENTAGE' }),
  };
  return { prefetch: amount === 0 ? undefined : policy };
}

function readStale(option: Option): Partial<CacheOptions> {
  option.argCount(0, 2, 'serve_stale [DURATION] [REFRESH_MODE]');
  const [duration, mode = 'immediate'] = option.args;
  const staleFor = duration === undefined ? STALE_FOR : option.duration(duration, { min: 0, what: 'DURATION' });
  return {
    staleFor: Math.floor(staleFor / 1000),
    verifyStale: option.oneOf(mode.toLowerCase(), REFRESH_MODES, 'REFRESH_MODE') === 'verify',
  };
}

function readFailure(option: Option): Partial<CacheOptions> {
  const duration = option.duration(option.one('servfail DURATION'), { min: 0, max: MAX_FAILURE, what: 'DURATION' });
  return { failureTtl: Math.floor(duration / 1000) };
}

function readDisable(option: Option, before: CacheOptions): Partial<CacheOptions> {
  option.argCount(1, Infinity, 'disable success|denial [ZONES...]');
  const [word, ...names] = option.args;
  const type = option.oneOf(word!, ['success', 'denial'] as const);
  return { disabled: { ...before.disabled, [type]: new Zones(names.length === 0 ? ['.'] : option.zones(names)) } };
}

function readKeepTtl(option: Option): Partial<CacheOptions> {
  option.flag();
  return { keepTtl: true };
}
