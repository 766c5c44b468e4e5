import { NodensError } from '../../lib/errors.js';
import type { Zones } from '../../chain/index.js';
import type { GoRegExp } from '../../lib/go-regexp.js';
import { RrTextError, parseRr, type EdnsOption, type Name, type Rr, type Section } from '../../wire/index.js';
import {
  GoTemplate,
  GoTemplateError,
  counted,
  integer,
  text,
  type GoStruct,
  type GoValue,
} from '../../gotemplate/index.js';

/** One `template` directive. */
export interface TemplateRule {
  readonly class: number;
  readonly type: number;
  readonly zones: Zones;
  /** The first one that matches is taken; without any, every name matches. */
  readonly patterns: readonly GoRegExp[];
  readonly records: readonly RecordTemplate[];
  readonly rcode: number;
  /** The extended error (RFC 8914) that goes with the reply. */
  readonly extendedError: EdnsOption | undefined;
  /** Zones in which names that no pattern matches are asked further on. */
  readonly through: Zones;
}

/** Text that became no record, although the template was carried out. */
export class RecordError extends NodensError {
  override readonly name = 'RecordError';

  constructor(message: string, options?: ErrorOptions) {
    super('NODENS_RECORD', message, options);
  }
}

/** A template that gives one record. */
export class RecordTemplate {
  private readonly template: GoTemplate;
  private last: { text: string; record: Rr } | undefined;

  /** Throws a GoTemplateError. */
  constructor(
    readonly section: Section,
    source: string,
  ) {
    this.template = new GoTemplate(source, { parseInt: counted('parseInt', 3, 3, parseUint) });
  }

  /** The template in normal spelling, as a metric label. */
  get text(): string {
    return this.template.text;
  }

  /** Throws a GoTemplateError when the template cannot be carried out, a RecordError when its text is no record. */
  record(data: GoStruct): Rr {
    const made = this.template.execute(data);
    // Many templates give the same text for every query.
    if (made !== this.last?.text) this.last = { text: made, record: this.read(made) };
    return this.last.record;
  }

  private read(made: string): Rr {
    try {
      return parseRr(made);
    } catch (error) {
      if (!(error instanceof RrTextError)) throw error;
      throw new RecordError(`${this.section} template '${this.text}': ${error.message}`, { cause: error });
    }
  }
}

/** Whether the error belongs to a template or its record, and is no fault of the program's. */
export const isTemplateFailure = (error: unknown): error is GoTemplateError | RecordError =>
  error instanceof GoTemplateError || error instanceof RecordError;

/**
 * `parseInt TEXT BASE BITS`: a number from 0 to 2^BITS - 1 (https://pkg.go.dev/strconv#ParseUint). Base 0 reads 0x,
 * 0o, 0b and 0 before it; 0 bits are 64.
 */
function parseUint(args: readonly GoValue[]): bigint {
  const written = text('parseInt', args[0]);
  const base = Number(integer('parseInt', args[1]));
  const asked = integer('parseInt', args[2]);
  if (base < 0 || base === 1 || base > 36) throw new GoTemplateError(`base ${base}, allowed: 0 and 2 to 36`);
  if (asked < 0n || asked > 64n) throw new GoTemplateError(`${asked} bits, allowed: 0 to 64`);
  const bits = asked || 64n;
  const { digits, radix } = base === 0 ? prefixed(written) : { digits: written, radix: base };
  if (digits === '') throw new GoTemplateError(`'${written}' is no number of base ${base}`);
  let value = 0n;
  for (const character of digits) {
    const digit = parseInt(character, 36);
    // What is no digit at all is NaN.
    if (!(digit < radix)) throw new GoTemplateError(`'${written}' is no number of base ${base}`);
    value = value * BigInt(radix) + BigInt(digit);
    if (value >> bits !== 0n) throw new GoTemplateError(`'${written}' is out of range for ${bits} bits`);
  }
  return value;
}

function prefixed(written: string): { digits: string; radix: number } {
  const match = /^0([xob]?)_?(?=.)(.*)$/i.exec(written);
  const plain = (digits: string): string => (/^[\da-z]+(_[\da-z]+)*$/i.test(digits) ? digits.replaceAll('_', '') : '');
  if (match === null) return { digits: plain(written), radix: 10 };
  return {
    digits: plain(match[2]!),
    radix: { x: 16, b: 2, o: 8, '': 8 }[match[1]!.toLowerCase() as 'x' | 'b' | 'o' | ''],
  };
}

/** The zones of all rules. */
export const zonesOfRules = (rules: readonly TemplateRule[]): Name[] => rules.flatMap((rule) => [...rule.zones.list]);
