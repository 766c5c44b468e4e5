import type { Directive, CorefileEntry } from '../corefile/index.js';
import { parseCidr } from '../lib/cidr.js';
import { publicName } from './names.js';

/** What every option says of itself. */
export interface OptionBase {
  /** One sentence for the manual page. */
  readonly about?: string;
  /** It stands behind the plugin's name, in the order of the schema, and not on a line of its own in the block. */
  readonly argument?: boolean;
  /** It must be given. */
  readonly required?: boolean;
}

/** Whole numbers (`integer`), numbers with a fraction (`number`), whole seconds (`seconds`) or `10%` (`percent`). */
export interface NumberOption extends OptionBase {
  readonly type: 'integer' | 'number' | 'seconds' | 'percent';
  /** The least that is allowed. */
  readonly min?: number;
  /** The most that is allowed. */
  readonly max?: number;
  readonly default?: number;
  readonly many?: boolean;
}

/** A time with its unit, as Go writes it (`250ms`, `1h30m`). Value, bounds and default are in milliseconds. */
export interface DurationOption extends OptionBase {
  readonly type: 'duration';
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
  readonly many?: boolean;
}

/**
 * Text of any kind (`text`); a path (`file`); an http, https or unix URL (`url`); an address (`ip`); an address block
 * (`network`: `10.0.0.0/8`); a domain name (`name`), which comes in lower case without its closing dot.
 */
export interface TextOption extends OptionBase {
  readonly type: 'text' | 'file' | 'url' | 'ip' | 'network' | 'name';
  readonly default?: string;
  readonly many?: boolean;
}

/** Zones, one or more, with address blocks as their reverse zones; the block's own where none is written. */
export interface ZonesOption extends OptionBase {
  readonly type: 'zones';
}

/** One of some words. */
export interface ChoiceOption<Word extends string = string> extends OptionBase {
  readonly type: 'choice';
  readonly choices: readonly Word[];
  readonly default?: NoInfer<Word>;
  readonly many?: boolean;
}

/** A word that stands alone: true where it is written. */
export interface FlagOption extends OptionBase {
  readonly type: 'flag';
}

/** One option of a plugin's directive. With `many` it takes one or more words, on one line or several. */
export type PluginOption = NumberOption | DurationOption | TextOption | ZonesOption | ChoiceOption | FlagOption;

/** The options of a plugin's directive by name. */
export type OptionSchema = Readonly<Record<string, PluginOption>>;

/** What one word of an option becomes. */
export type WordOf<O extends PluginOption> = O extends { type: 'choice'; choices: readonly (infer Word)[] }
  ? Word
  : O extends NumberOption | DurationOption
    ? number
    : string;

/** The value of an option: a boolean for a flag, a list for `many`, undefined where it may be left out. */
export type OptionValue<O extends PluginOption> = O extends FlagOption
  ? boolean
  : O extends ZonesOption
    ? readonly string[]
    : O extends { many: true }
      ? readonly WordOf<O>[]
      : O extends { default: unknown } | { required: true }
        ? WordOf<O>
        : WordOf<O> | undefined;

/** What setup gets for a schema. */
export type OptionValues<S extends OptionSchema> = { readonly [Name in keyof S]: OptionValue<S[Name]> };

const isMany = (option: PluginOption): boolean => 'many' in option && option.many === true;

/**
 * Reads a directive by its schema. Throws a CorefileError with file and line, what was got and what is allowed.
 *
 * @param zones what a `zones` option stands for where none is written
 */
export function readOptions(
  schema: OptionSchema,
  directive: Directive,
  zones: readonly string[],
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  readArguments(schema, directive, values);
  const names = Object.keys(schema).filter((name) => schema[name]!.argument !== true);
  if (names.length === 0) directive.noOptions();
  const seen = new Set<string>();
  for (const option of directive.options ?? []) {
    const spec = names.includes(option.name) ? schema[option.name]! : option.unknown(names);
    option.noOptions();
    if (seen.has(option.name) && !isMany(spec) && spec.type !== 'zones')
      option.fail('got it a second time, allowed: once');
    seen.add(option.name);
    readWords(option.name, spec, option, option.args, values);
  }
  for (const [name, spec] of Object.entries(schema)) fill(name, spec, directive, values, zones);
  return Object.freeze(values);
}

function readArguments(schema: OptionSchema, directive: Directive, values: Record<string, unknown>): void {
  const specs = Object.entries(schema).filter(([, spec]) => spec.argument === true);
  const usage = usageOf(directive.name, schema);
  const last = specs.at(-1);
  const takesRest = last !== undefined && (isMany(last[1]) || last[1].type === 'zones');
  const required = specs.filter(([, spec]) => spec.required === true).length;
  directive.argCount(required, takesRest ? Infinity : specs.length, usage);
  specs.forEach(([name, spec], i) => {
    const words = takesRest && i === specs.length - 1 ? directive.args.slice(i) : directive.args.slice(i, i + 1);
    if (words.length > 0) readWords(name, spec, directive, words, values);
  });
}

/** Puts the value of some words, behind those that an earlier line gave. */
function readWords(
  name: string,
  spec: PluginOption,
  at: CorefileEntry,
  words: readonly string[],
  values: Record<string, unknown>,
): void {
  if (spec.type === 'flag') {
    if (at.args === words) at.argCount(0, 0);
    values[name] = true;
    return;
  }
  const before = (values[name] ?? []) as readonly unknown[];
  if (spec.type === 'zones') {
    if (words.length === 0) at.fail('got no argument, allowed: one or more zones');
    values[name] = [...before, ...at.zones(words).map(publicName)];
    return;
  }
  if (at.name === name) at.argCount(1, isMany(spec) ? Infinity : 1, `${name} ${placeholder(spec)}`);
  const read = words.map((word) => readWord(spec, at, word, at.name === name ? undefined : name.toUpperCase()));
  values[name] = isMany(spec) ? [...before, ...read] : read[0];
}

function readWord(
  spec: Exclude<PluginOption, FlagOption | ZonesOption>,
  at: CorefileEntry,
  word: string,
  what?: string,
): unknown {
  switch (spec.type) {
    case 'integer':
      return at.integer(word, { ...bounds(spec), ...(what && { what }) });
    case 'number':
      return at.decimal(word, { ...bounds(spec), ...(what && { what }) });
    case 'seconds':
      return at.seconds(word, { min: 0, ...bounds(spec), ...(what && { what }) });
    case 'percent':
      return at.percent(word, { ...bounds(spec), ...(what && { what }) });
    case 'duration':
      return at.duration(word, { min: 0, ...bounds(spec), ...(what && { what }) });
    case 'choice':
      return at.oneOf(word, spec.choices, what);
    case 'ip':
      return at.ip(word, what);
    case 'network':
      return parseCidr(word) ? word : at.wrong(word, 'an address block such as 10.0.0.0/8 or 2001:db8::/32', what);
    case 'url':
      return /^(https?|unix):\/\/./.test(word) && URL.canParse(word)
        ? word
        : at.wrong(word, 'a URL that begins with http://, https:// or unix://', what);
    case 'name':
      return publicName(at.zones([word])[0]!);
    default:
      return word === '' ? at.wrong(word, 'text', what) : word;
  }
}

const bounds = ({ min, max }: NumberOption | DurationOption): { min?: number; max?: number } => ({
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
});

/** What stands for an option that is not written. */
function fill(
  name: string,
  spec: PluginOption,
  directive: Directive,
  values: Record<string, unknown>,
  zones: readonly string[],
): void {
  if (values[name] !== undefined) return;
  if (spec.required === true)
    directive.fail(`option '${name}' is missing; usage: ${name} ${placeholder(spec)}`.trimEnd());
  if (spec.type === 'flag') values[name] = false;
  else if (spec.type === 'zones') values[name] = zones;
  else values[name] = isMany(spec) ? (spec.default === undefined ? [] : [spec.default]) : spec.default;
}

/** What stands for the value in a usage line: `DURATION`, `on|off`, `ZONES...`. */
export function placeholder(spec: PluginOption): string {
  if (spec.type === 'flag') return '';
  if (spec.type === 'zones') return 'ZONES...';
  const word = spec.type === 'choice' ? spec.choices.join('|') : spec.type.toUpperCase();
  return isMany(spec) ? `${word}...` : word;
}

/** The directive's own line: `names FILE [ZONES...]`. */
export function usageOf(directive: string, schema: OptionSchema): string {
  const words = Object.entries(schema)
    .filter(([, spec]) => spec.argument === true)
    .map(([name, spec]) => {
      const word = spec.type === 'choice' ? placeholder(spec) : name.toUpperCase() + (isMany(spec) ? '...' : '');
      const text = spec.type === 'zones' ? 'ZONES...' : word;
      return spec.required === true ? text : `[${text}]`;
    });
  return [directive, ...words].join(' ');
}
