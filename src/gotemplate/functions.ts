import { GoTemplateError } from './error.js';
import { sprintf } from './format.js';
import { GoStruct, isList, isMap, isTrue, printValue, typeOf, type GoFunction, type GoValue } from './values.js';

/**
 * Functions that every template has (https://pkg.go.dev/text/template#hdr-Functions). `and` and `or` are not among
 * them: they leave arguments unread.
 */
export const BUILT_INS: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['not', counted('not', 1, 1, ([value]) => !isTrue(value))],
  ['len', counted('len', 1, 1, ([value]) => length(value))],
  ['index', counted('index', 1, Infinity, ([value, ...keys]) => keys.reduce<GoValue>(element, value))],
  ['slice', counted('slice', 1, 3, ([value, from, to]) => part(value, from, to))],
  ['print', (args) => sprint(args)],
  ['println', (args) => `${args.map(printValue).join(' ')}\n`],
  ['printf', counted('printf', 1, Infinity, ([format, ...args]) => sprintf(text('printf', format), args))],
  ['html', (args) => escapeHtml(sprint(args))],
  ['js', (args) => escapeJs(sprint(args))],
  [
    'urlquery',
    (args) =>
      encodeURIComponent(sprint(args))
        .replaceAll('%20', '+')
        .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  ['eq', counted('eq', 2, Infinity, ([value, ...others]) => others.some((other) => equal(value, other)))],
  ['ne', counted('ne', 2, 2, ([a, b]) => !equal(a, b))],
  ['lt', counted('lt', 2, 2, ([a, b]) => compare(a, b) < 0)],
  ['le', counted('le', 2, 2, ([a, b]) => compare(a, b) <= 0)],
  ['gt', counted('gt', 2, 2, ([a, b]) => compare(a, b) > 0)],
  ['ge', counted('ge', 2, 2, ([a, b]) => compare(a, b) >= 0)],
]);

/** A function that takes `min` to `max` arguments and refuses any other number of them. */
export function counted(name: string, min: number, max: number, call: GoFunction): GoFunction {
  return (args) => {
    const allowed = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
    if (args.length < min || args.length > max)
      throw new GoTemplateError(`wrong number of args for ${name}: want ${allowed} got ${args.length}`);
    return call(args);
  };
}

/** The argument as a string; any other kind is an error. */
export function text(name: string, value: GoValue): string {
  if (typeof value !== 'string')
    throw new GoTemplateError(`wrong type for an argument of ${name}: want string got ${typeOf(value)}`);
  return value;
}

/** The argument as a whole number; any other kind is an error. */
export function integer(name: string, value: GoValue): bigint {
  if (typeof value !== 'bigint')
    throw new GoTemplateError(`wrong type for an argument of ${name}: want int got ${typeOf(value)}`);
  return value;
}

function length(value: GoValue): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.size);
  throw new GoTemplateError(`len of type ${typeOf(value)}`);
}

function element(value: GoValue, key: GoValue): GoValue {
  // As the zero value of Go's map: only a field of a map tells that a key is missing.
  if (isMap(value)) return value.get(text('index', key)) ?? '';
  if (!isList(value) && typeof value !== 'string')
    throw new GoTemplateError(`can't index item of type ${typeOf(value)}`);
  const at = integer('index', key);
  if (at < 0n || at >= length(value)) throw new GoTemplateError(`index out of range: ${at}`);
  return isList(value) ? value[Number(at)] : BigInt(Buffer.from(value)[Number(at)]!);
}

function part(value: GoValue, from: GoValue = 0n, to?: GoValue): GoValue {
  if (!isList(value) && typeof value !== 'string')
    throw new GoTemplateError(`can't slice item of type ${typeOf(value)}`);
  const [start, end] = [integer('slice', from), to === undefined ? length(value) : integer('slice', to)];
  if (start < 0n || end > length(value) || start > end)
    throw new GoTemplateError(`slice out of range: ${start} to ${end}`);
  return isList(value)
    ? value.slice(Number(start), Number(end))
    : Buffer.from(value).toString('utf8', Number(start), Number(end));
}

/** A space goes between two values when neither is a string. */
const sprint = (args: readonly GoValue[]): string =>
  args
    .map(
      (value, i) =>
        (i > 0 && typeof value !== 'string' && typeof args[i - 1] !== 'string' ? ' ' : '') + printValue(value),
    )
    .join('');

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};
const escapeHtml = (value: string): string => value.replace(/["'&<>\0]/g, (character) => HTML[character]!);

const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};
const escapeJs = (value: string): string =>
  value.replace(
    /[\\'"<>&=]|\p{C}/gu,
    (character) => JS[character] ?? `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
  );

function equal(a: GoValue, b: GoValue): boolean {
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (!isBasic(a) || !isBasic(b)) throw new GoTemplateError(`non-comparable types ${typeOf(a)} and ${typeOf(b)}`);
  if (typeof a !== typeof b) throw new GoTemplateError('incompatible types for comparison');
  return a === b;
}

function compare(a: GoValue, b: GoValue): number {
  const ordered = (value: GoValue): value is bigint | number | string =>
    typeof value === 'bigint' || typeof value === 'number' || typeof value === 'string';
  if (!ordered(a) || !ordered(b))
    throw new GoTemplateError(`invalid type for comparison: ${typeOf(ordered(a) ? b : a)}`);
  if (typeof a !== typeof b) throw new GoTemplateError('incompatible types for comparison');
  return a < b ? -1 : a > b ? 1 : 0;
}

const isNothing = (value: GoValue): boolean => value === undefined || value === null;
const isBasic = (value: GoValue): boolean => !isList(value) && !isMap(value) && !(value instanceof GoStruct);
