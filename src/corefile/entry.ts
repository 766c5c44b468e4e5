import { canonicalIp } from '../lib/cidr.js';
import { formatDuration, parseDuration } from '../lib/duration.js';
import type { Milliseconds, Seconds } from '../lib/units.js';
import { CorefileError } from './errors.js';
import { suggestion } from './nearest.js';
import { zonesFromText } from './zone.js';

/** Bounds of a number, both allowed values themselves. `what` names the value in the error, such as `TTL`. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly what?: string;
}

/** What `hostPort` takes beside `HOST:PORT`. */
export interface HostPortRules {
  /** The port when none is written; without it a port must be written. */
  readonly defaultPort?: number;
  /** Host names are refused. */
  readonly ipOnly?: boolean;
  /** A port alone (`:8080`) is refused. */
  readonly hostNeeded?: boolean;
  readonly what?: string;
}

/** `host` has no brackets and is '' for a port alone; `port` is 0 to 65535. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The place and words that an entry is made of. */
export interface EntryParts {
  readonly name: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly line: number;
}

/**
 * A named line of a server block: a directive, or an option in a directive's block. Every check throws a
 * CorefileError at its line.
 */
export abstract class CorefileEntry {
  readonly name: string;
  /** The words behind the name on its own line, environment filled in. */
  readonly args: readonly string[];
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The lines of its `{ }`; undefined without a block, empty for an empty one. */
  abstract readonly options: readonly CorefileEntry[] | undefined;

  constructor(parts: EntryParts) {
    this.name = parts.name;
    this.args = parts.args;
    this.file = parts.file;
    this.line = parts.line;
  }

  /** The names that begin its errors, outermost first. */
  protected abstract get path(): readonly string[];

  /** Throws a CorefileError `FILE:LINE: NAMES: text`. */
  protected refuse(names: readonly string[], text: string): never {
    throw new CorefileError(this.file, this.line, [...names, text].join(': '));
  }

  /** Throws a CorefileError at this entry's line, with its name before the text. */
  fail(text: string): never {
    return this.refuse(this.path, text);
  }

  /**
   * The number of arguments must be from `min` to `max` (Infinity: any number). `usage` is the syntax, such as `cache
   * [TTL] [ZONES...]`.
   */
  argCount(min: number, max: number, usage?: string): void {
    const count = this.args.length;
    if (count >= min && count <= max) return;
    const got = count === 0 ? 'no argument' : `${plural(count)} (${this.args.map((arg) => `'${arg}'`).join(' ')})`;
    this.fail(`got ${got}, allowed: ${countRange(min, max)}${usage === undefined ? '' : `; usage: ${usage}`}`);
  }

  /** The only argument. */
  one(usage?: string): string {
    this.argCount(1, 1, usage);
    return this.args[0]!;
  }

  /** Neither arguments nor a block are allowed. */
  flag(): void {
    this.argCount(0, 0);
    this.noOptions();
  }

  /** No `{ }` is allowed. */
  noOptions(): void {
    if (this.options !== undefined) this.fail('got a block in { }, allowed: none');
  }

  /** A whole number within the bounds. */
  integer(text: string, bounds: Bounds = {}): number {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || outside(value, bounds))
      this.wrong(text, `a whole number${range(bounds, String)}`, bounds.what);
    return value;
  }

  /** A number, with a fraction if written (`0.5`, `1e3` is refused), within the bounds. */
  decimal(text: string, bounds: Bounds = {}): number {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
    if (!Number.isFinite(value) || outside(value, bounds))
      this.wrong(text, `a number${range(bounds, String)}`, bounds.what);
    return value;
  }

  /** A whole number of percent, written with the sign: `10%` is 10. */
  percent(text: string, bounds: Bounds = {}): number {
    const value = /^\d+%$/.test(text) ? Number(text.slice(0, -1)) : NaN;
    if (Number.isNaN(value) || outside(value, bounds))
      this.wrong(text, `a percentage such as 10%${range(bounds, (limit) => `${limit}%`)}`, bounds.what);
    return value;
  }

  /** Whole seconds without a unit, as TTLs are written. */
  seconds(text: string, bounds: Bounds = {}): Seconds {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || outside(value, bounds))
      this.wrong(text, `whole seconds without a unit${range(bounds, String)}`, bounds.what);
    return value;
  }

  /** A duration with its unit, as Go writes it (`1m30s`, `250ms`); the bounds are in milliseconds. */
  duration(text: string, bounds: Bounds = {}): Milliseconds {
    const value = parseDuration(text);
    if (value === undefined || !Number.isFinite(value) || outside(value, bounds))
      this.wrong(text, `a duration such as 30s, 250ms or 1h30m${range(bounds, formatDuration)}`, bounds.what);
    return value;
  }

  /** One of a set of words, in the very case. */
  oneOf<const Word extends string>(text: string, words: readonly Word[], what?: string): Word {
    const word = words.find((candidate) => candidate === text);
    return word ?? this.wrong(text, `${words.join(', ')}${suggestion(text, words)}`, what);
  }

  /** An IPv4 or IPv6 address in its canonical spelling. */
  ip(text: string, what?: string): string {
    return canonicalIp(text) ?? this.wrong(text, 'an IPv4 or IPv6 address', what);
  }

  /** `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, and `HOST` alone where there is a default port. */
  hostPort(text: string, rules: HostPortRules = {}): HostPort {
    const allowed = hostPortForms(rules);
    const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
    // More colons than one and no brackets: an IPv6 address alone.
    const host = match ? (match[1] ?? match[2] ?? '') : text;
    const port = match?.[3] === undefined ? rules.defaultPort : portNumber(match[3]);
    const address = host.replace(/%[^%]+$/, '');
    const isIp = canonicalIp(address) !== undefined;
    const nameAllowed = !rules.ipOnly && match?.[1] === undefined && /^[\w.-]+$/.test(host);
    const portAlone = host === '' && match?.[1] === undefined && match?.[3] !== undefined && !rules.hostNeeded;
    if (port === undefined || !(isIp || portAlone || nameAllowed)) return this.wrong(text, allowed, rules.what);
    return { host, port };
  }

  /** Zones as arguments: each normalised, address blocks expanded to their reverse zones. */
  zones(texts: readonly string[]): string[] {
    return texts.flatMap((text) => {
      try {
        return zonesFromText(text);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return this.fail(error.message);
      }
    });
  }

  /** Throws: `[what: ]got 'text', allowed: allowed`. */
  wrong(text: string, allowed: string, what?: string): never {
    return this.fail(`${what === undefined ? '' : `${what}: `}got '${text}', allowed: ${allowed}`);
  }
}

const outside = (value: number, { min = -Infinity, max = Infinity }: Bounds): boolean => value < min || value > max;

function range({ min, max }: Bounds, show: (limit: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${show(min)} to ${show(max)}`;
  if (min !== undefined) return `, at least ${show(min)}`;
  return max === undefined ? '' : `, at most ${show(max)}`;
}

function portNumber(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function hostPortForms({ defaultPort, ipOnly, hostNeeded }: HostPortRules): string {
  const host = ipOnly ? 'IP' : 'HOST';
  const forms = [
    `${host}:PORT`,
    '[IPV6]:PORT',
    ...(hostNeeded ? [] : [':PORT']),
    ...(defaultPort === undefined ? [] : [`${host} alone for port ${defaultPort}`]),
  ];
  return `${forms.join(', ')}; PORT from 0 to 65535`;
}

const plural = (count: number): string => (count === 1 ? '1 argument' : `${count} arguments`);

function countRange(min: number, max: number): string {
  if (max === 0) return 'no argument';
  if (min === max) return plural(min);
  return max === Infinity ? `at least ${plural(min)}` : `${min} to ${max} arguments`;
}
