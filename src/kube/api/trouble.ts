import type { Milliseconds } from '../../lib/units.js';
import { ApiError } from './api-error.js';
import type { Backoff } from './backoff.js';
import type { ReflectorOptions } from './reflector-options.js';
import type { ListFrom } from './resources.js';

/** Watches that failed in a row after which only a list is trusted to tell what was missed. */
const FAILURES_BEFORE_LIST = 3;
/** What an API answers that has just come up: it does not know yet who may do what. */
const FORBIDDEN = 403;

/** What has gone wrong since the API was last followed: how to go on, when, and what is told of it. */
export class Trouble {
  /** Failures since something was last received that say something about what was asked. */
  private failures = 0;
  /** That the API was away, and when that was told. */
  private away: { readonly text: string; readonly told: Milliseconds } | undefined;
  private eagerUntil: Milliseconds = -Infinity;

  constructor(
    private readonly options: ReflectorOptions,
    private readonly backoff: Backoff,
  ) {}

  /** A watch ended that had been well: should the API be away now, it will be back soon. */
  wasWell(): void {
    const { clock, timing } = this.options;
    this.eagerUntil = clock.monotonic() + timing.eager;
  }

  /** The API is followed. */
  over(): void {
    const { kind, client, log } = this.options;
    if (this.failures > 0 || this.away !== undefined) log.info(`following ${kind} objects at ${client.host} again`);
    this.failures = 0;
    this.away = undefined;
  }

  /**
   * Where to go on after a failure: undefined to watch from the `version` reached, otherwise what to list from.
   */
  next(error: unknown, from: ListFrom | undefined, version: string): ListFrom | undefined {
    // That the API is away says nothing about the version reached: a watch goes on from it.
    if (this.isAway(error)) return from;
    this.failures++;
    if (error instanceof ApiError) {
      if (error.expired || error.tooNew) return '';
      // Any other refusal of the question itself: asking the same once more would not help.
      if (error.status < 500 && ![401, FORBIDDEN, 408, 429].includes(error.status)) return '';
    }
    if (from !== undefined) return from;
    const broken = isGarbled(error) || (error instanceof ApiError && error.streamed);
    return broken || this.failures >= FAILURES_BEFORE_LIST ? version : undefined;
  }

  /** Tells of the failure and returns how long to wait before the next attempt. */
  wait(error: unknown): Milliseconds {
    const { kind, client, log, random, timing } = this.options;
    const api = error instanceof ApiError ? error : undefined;
    const away = this.isAway(error);
    if (isRefused(error)) this.wasWell();
    // A version being gone is the usual course of things after a long silence, not a fault.
    const usual = api?.expired === true && this.failures === 1;
    const wait =
      away || usual
        ? Math.max(timing.refused, api?.retryAfter ?? 0) + timing.refused * (random.uint32() / 2 ** 32)
        : this.backoff.next(api?.retryAfter);
    const level = usual || (away && this.isTold(describe(error))) ? 'debug' : 'warning';
    log[level](
      `cannot follow ${kind} objects at ${client.host}: ${describe(error)}; next attempt in ${Math.round(wait)} ms`,
    );
    return wait;
  }

  /** Whether the API is not there: nothing listens, or a short time ago nothing did and now it is not ready. */
  private isAway(error: unknown): boolean {
    if (isRefused(error)) return true;
    if (this.options.clock.monotonic() > this.eagerUntil) return false;
    if (error instanceof ApiError)
      return !error.streamed && !error.tooNew && (error.status >= 500 || error.status === FORBIDDEN);
    return isLost(error);
  }

  /** Whether this was told a short time ago; if not, it is now. */
  private isTold(text: string): boolean {
    const now = this.options.clock.monotonic();
    const { away } = this;
    if (away?.text === text && now - away.told < this.options.timing.retell) return true;
    this.away = { text, told: now };
    return false;
  }
}

/** Whether what was received is not what was asked for. */
export const isGarbled = (error: unknown): boolean => error instanceof SyntaxError || error instanceof RangeError;

/** Whether nothing listens at the API's address. */
const isRefused = (error: unknown): boolean => codeOf(error) === 'ECONNREFUSED';

/** Whether a connection could not be made, or broke. */
export const isLost = (error: unknown): boolean => /^(E[A-Z]+|ERR_HTTP2_\w+)$/.test(codeOf(error));

function codeOf(error: unknown): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code: unknown = (inner as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function describe(error: unknown): string {
  if (error instanceof ApiError) return `${error.status} ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  // Node reports a failure on all addresses of a host as an error without a message.
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return error.message || inner?.message || error.name;
}
