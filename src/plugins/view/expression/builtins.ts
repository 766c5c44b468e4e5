import { ExpressionError } from './parse.js';
import { isList, isNumber, type Type, type ExprValue } from './types.js';

/** A function of expr-lang. */
export interface Builtin {
  /** Its arguments, for messages. */
  readonly usage: string;
  /** The type of its value for arguments of these types; undefined where it does not take them. */
  typeFor(types: readonly Type[]): Type | undefined;
  run(args: readonly ExprValue[]): ExprValue;
}

/** A function that looks at each member of a list. */
export interface Predicate {
  readonly type: Type;
  run(list: readonly ExprValue[], holds: (member: ExprValue) => boolean): ExprValue;
}

/** Longest text that `repeat` makes, in characters. */
const MAX_REPEAT = 1_000_000;

/** A function of strings and whole numbers (`s`, `i`); what stands behind `?` may be left out. */
function of(name: string, signature: string, type: Type, run: (...args: never[]) => ExprValue): [string, Builtin] {
  const [needed = '', optional = ''] = signature.split('?');
  const all = (needed + optional).split('').map((letter) => (letter === 's' ? 'string' : 'int'));
  const fits = (types: readonly Type[]): boolean =>
    types.length >= needed.length && types.length <= all.length && types.every((each, i) => each === all[i]);
  const shown = all.map((each, i) => (i < needed.length ? each : `[${each}]`)).join(', ');
  return [
    name,
    {
      usage: `${name}(${shown})`,
      typeFor: (types) => (fits(types) ? type : undefined),
      run: (args) => run(...(args as never[])),
    },
  ];
}

/** A function of one number that keeps or changes its type. */
const ofNumber = (name: string, type: Type | 'same', run: (value: number) => number): [string, Builtin] => [
  name,
  {
    usage: `${name}(number)`,
    typeFor: ([first, ...more]) =>
      first !== undefined && more.length === 0 && isNumber(first) ? (type === 'same' ? first : type) : undefined,
    run: ([value]) => run(value as number),
  },
];

const ofNumbers = (name: string, run: (...values: number[]) => number): [string, Builtin] => [
  name,
  {
    usage: `${name}(number, ...)`,
    typeFor: (types) =>
      types.length > 0 && types.every(isNumber) ? (types.includes('float') ? 'float' : 'int') : undefined,
    run: (values) => run(...(values as number[])),
  },
];

const STRINGS: Type = { members: 'string' };

/** Cuts at most `count` pieces, the last with all that remains; all when it is left out. */
function pieces(text: string, by: string, count = Infinity): string[] {
  const all = text.split(by);
  if (count < 0) return all;
  if (count === 0) return [];
  const rest = all.splice(count - 1);
  return rest.length === 0 ? all : [...all, rest.join(by)];
}

/** Without the characters of `set` at both ends; white space when it is left out. */
function trim(text: string, set?: string): string {
  if (set === undefined) return text.trim();
  const letters = [...text];
  const from = letters.findIndex((letter) => !set.includes(letter));
  const to = letters.findLastIndex((letter) => !set.includes(letter));
  return letters.slice(Math.max(0, from), to + 1).join('');
}

function repeat(text: string, count: number): string {
  if (count < 0 || text.length * count > MAX_REPEAT)
    throw new ExpressionError(`repeat: got ${count} times, allowed: up to ${MAX_REPEAT} characters in all`);
  return text.repeat(count);
}

function toInt(value: number | string): number {
  const number = typeof value === 'number' ? Math.trunc(value) : /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new ExpressionError(`int: got '${value}', allowed: a whole number`);
  return number;
}

function toFloat(value: number | string): number {
  const number = typeof value === 'number' ? value : value.trim() === '' ? NaN : Number(value);
  if (Number.isNaN(number)) throw new ExpressionError(`float: got '${value}', allowed: a number`);
  return number;
}

const conversion = (name: string, type: Type, run: (value: number | string) => number): [string, Builtin] => [
  name,
  {
    usage: `${name}(number or string)`,
    typeFor: ([first, ...more]) =>
      first !== undefined && more.length === 0 && (isNumber(first) || first === 'string') ? type : undefined,
    run: ([value]) => run(value as number | string),
  },
];

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map([
  of('lower', 's', 'string', (text: string) => text.toLowerCase()),
  of('upper', 's', 'string', (text: string) => text.toUpperCase()),
  of('trim', 's?s', 'string', trim),
  of('trimPrefix', 'ss', 'string', (text: string, start: string) =>
    text.startsWith(start) ? text.slice(start.length) : text,
  ),
  of('trimSuffix', 'ss', 'string', (text: string, end: string) =>
    end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text,
  ),
  of('hasPrefix', 'ss', 'bool', (text: string, start: string) => text.startsWith(start)),
  of('hasSuffix', 'ss', 'bool', (text: string, end: string) => text.endsWith(end)),
  of('indexOf', 'ss', 'int', (text: string, part: string) => text.indexOf(part)),
  of('lastIndexOf', 'ss', 'int', (text: string, part: string) => text.lastIndexOf(part)),
  of('replace', 'sss', 'string', (text: string, old: string, by: string) => text.replaceAll(old, () => by)),
  of('repeat', 'si', 'string', repeat),
  of('split', 'ss?i', STRINGS, pieces),
  ofNumber('abs', 'same', Math.abs),
  ofNumber('ceil', 'float', Math.ceil),
  ofNumber('floor', 'float', Math.floor),
  ofNumber('round', 'float', (value) => Math.sign(value) * Math.round(Math.abs(value))),
  ofNumbers('max', Math.max),
  ofNumbers('min', Math.min),
  conversion('int', 'int', toInt),
  conversion('float', 'float', toFloat),
  [
    'string',
    {
      usage: 'string(value)',
      typeFor: ([first, ...more]) =>
        first !== undefined && more.length === 0 && !isList(first) ? 'string' : undefined,
      run: ([value]) => (value === null ? '<nil>' : String(value)),
    },
  ],
  [
    'len',
    {
      usage: 'len(string or list)',
      typeFor: ([first, ...more]) =>
        first !== undefined && more.length === 0 && (first === 'string' || isList(first)) ? 'int' : undefined,
      run: ([value]) => (typeof value === 'string' ? [...value].length : (value as readonly ExprValue[]).length),
    },
  ],
  [
    'join',
    {
      usage: 'join(list of string, [string])',
      typeFor: ([first, second = 'string', ...more]) =>
        first !== undefined && more.length === 0 && second === 'string' && isList(first) && first.members === 'string'
          ? 'string'
          : undefined,
      run: ([list, between]) => (list as readonly string[]).join((between as string | undefined) ?? ''),
    },
  ],
]);

const times = (list: readonly ExprValue[], holds: (member: ExprValue) => boolean): number => list.filter(holds).length;

export const PREDICATES: ReadonlyMap<string, Predicate> = new Map<string, Predicate>([
  ['all', { type: 'bool', run: (list, holds) => list.every(holds) }],
  ['any', { type: 'bool', run: (list, holds) => list.some(holds) }],
  ['none', { type: 'bool', run: (list, holds) => !list.some(holds) }],
  ['one', { type: 'bool', run: (list, holds) => times(list, holds) === 1 }],
  ['count', { type: 'int', run: times }],
]);
