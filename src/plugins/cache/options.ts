import { Zones, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';

/** The two caches, as the `type` label of metrics names them: what exists, and what is denied or failed. */
export type CacheType = 'success' | 'denial';

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

/** How entries are served past their time (RFC 8767). */
export interface StalePolicy {
  /** How long past its time, at least 1. */
  readonly maxAge: Seconds;
  /** TTL of what is served. */
  readonly ttl: Seconds;
  /** Ask first and serve an expired entry only when that fails or takes too long. */
  readonly verify: boolean;
  /** How long it may take; 0 for as long as it takes. */
  readonly verifyTimeout: Milliseconds;
  /** How long nothing is asked again after it failed; 0 for not at all. */
  readonly recheck: Milliseconds;
}

export interface CacheOptions {
  readonly zones: Zones;
  readonly success: TypeOptions;
  readonly denial: TypeOptions;
  /** TTL of failures; 0 keeps none. */
  readonly failureTtl: Seconds;
  /** Undefined without prefetching. */
  readonly prefetch: PrefetchPolicy | undefined;
  /** Undefined where nothing is served past its time. */
  readonly stale: StalePolicy | undefined;
  /** An answer that is still good enough goes before a denial or failure that came after it. */
  readonly preferPositive: boolean;
  /** Zones whose replies of a type are not kept. */
  readonly disabled: Readonly<Partial<Record<CacheType, Zones>>>;
  readonly keepTtl: boolean;
  /** File that replies are saved to at the end, and read from at the start. */
  readonly persist: string | undefined;
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
const STALE_USAGE = 'serve_stale [DURATION] [immediate [RESPONSE_TTL [FAILURE_RECHECK]]]';
const VERIFY_USAGE = 'serve_stale [DURATION] [verify [VERIFY_TIMEOUT [RESPONSE_TTL [FAILURE_RECHECK]]]]';
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
    stale: undefined,
    preferPositive: false,
    disabled: {},
    keepTtl: false,
    persist: undefined,
  };
  for (const option of directive.options ?? []) {
    option.noOptions();
    const read = READERS.get(option.name) ?? option.unknown([...READERS.keys()]);
    Object.assign(options, read(option, options));
  }
  const of = (name: string): readonly Option[] => directive.options?.filter((option) => option.name === name) ?? [];
  const [policy, second] = of('serve_stale_policy');
  second?.fail('got it a second time, allowed: once');
  if (of('serve_stale').length === 0) policy?.fail('got no serve_stale in this cache, which it is for');
  return options;
}

/** Reads one option: what it changes in what the lines before it have set. */
type Reader = (option: Option, before: CacheOptions) => Partial<CacheOptions>;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['success', (option, before) => ({ success: typeOptions(option, before.success) })],
  ['denial', (option, before) => ({ denial: typeOptions(option, before.denial) })],
  ['prefetch', readPrefetch],
  ['serve_stale', readStale],
  ['serve_stale_policy', readStalePolicy],
  ['servfail', readFailure],
  ['disable', readDisable],
  ['keepttl', readKeepTtl],
  ['persist', (option) => ({ persist: option.one('persist FILE') })],
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
  const verify = option.args[1]?.toLowerCase() === 'verify';
  option.argCount(0, verify ? 5 : 4, verify ? VERIFY_USAGE : STALE_USAGE);
  const [duration, mode = 'immediate', ...rest] = option.args;
  const maxAge = duration === undefined ? STALE_FOR : option.duration(duration, { min: 0, what: 'DURATION' });
  option.oneOf(mode.toLowerCase(), REFRESH_MODES, 'REFRESH_MODE');
  const timeout = verify ? rest.shift() : undefined;
  const [ttl, recheck] = rest;
  const policy: StalePolicy = {
    maxAge: Math.floor(maxAge / 1000),
    verify,
    verifyTimeout: timeout === undefined ? 0 : option.duration(timeout, { min: 0, what: 'VERIFY_TIMEOUT' }),
    ttl: ttl === undefined ? 0 : wholeSeconds(option, ttl),
    recheck:
      recheck === undefined ? 0 : option.duration(recheck, { min: 0, max: MAX_FAILURE, what: 'FAILURE_RECHECK' }),
  };
  return { stale: policy.maxAge === 0 ? undefined : policy };
}

function wholeSeconds(option: Option, text: string): Seconds {
  const ttl = option.duration(text, { min: 0, max: LARGEST_TTL * 1000, what: 'RESPONSE_TTL' }) / 1000;
  return Number.isInteger(ttl) ? ttl : option.fail(`RESPONSE_TTL: got '${text}', allowed: whole seconds such as 30s`);
}

function readStalePolicy(option: Option): Partial<CacheOptions> {
  option.oneOf(option.one('serve_stale_policy prefer_positive').toLowerCase(), ['prefer_positive'] as const);
  return { preferPositive: true };
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
