import { GoTemplateError } from './error.js';

/**
 * A value of a template: whole numbers are bigints, numbers are Go's floating-point ones, null is nil, and undefined
 * is what a map gives for a key
 * that it does not have.
 */
export type GoValue =
  undefined | null | boolean | bigint | number | string | readonly GoValue[] | ReadonlyMap<string, GoValue> | GoStruct;

export type GoFunction = (args: readonly GoValue[]) => GoValue;

/** A value with named fields and methods. */
export class GoStruct {
  /**
   * @param typeName for error messages
   * @param fields a function is called when the field is read
   * @param text how it prints; by default its fields in braces
   */
  constructor(
    readonly typeName: string,
    private readonly fields: Readonly<Record<string, GoValue | (() => GoValue)>>,
    private readonly methods: Readonly<Record<string, GoFunction>> = {},
    private readonly text?: () => string,
  ) {}

  /** The value of a field, or what a method gives for `args`. */
  get(name: string, args: readonly GoValue[]): GoValue {
    const method = Object.hasOwn(this.methods, name) ? this.methods[name] : undefined;
    if (method !== undefined) return method(args);
    if (!Object.hasOwn(this.fields, name))
      throw new GoTemplateError(`can't evaluate field ${name} in type ${this.typeName}`);
    if (args.length > 0) throw new GoTemplateError(`${name} has arguments but is no method`);
    const field = this.fields[name];
    return typeof field === 'function' ? field() : field;
  }

  print(): string {
    return this.text === undefined
      ? `{${Object.keys(this.fields)
          .map((name) => printValue(this.get(name, [])))
          .join(' ')}}`
      : this.text();
  }
}

export const isMap = (value: GoValue): value is ReadonlyMap<string, GoValue> => value instanceof Map;
export const isList = (value: GoValue): value is readonly GoValue[] => Array.isArray(value);

/** Whether `if` and its kin take the value for true: everything but zero, the empty and nothing. */
export function isTrue(value: GoValue): boolean {
  if (isMap(value)) return value.size > 0;
  if (isList(value)) return value.length > 0;
  return value instanceof GoStruct || Boolean(value);
}

/** The name of a value's type, for error messages. */
export function typeOf(value: GoValue): string {
  if (value === undefined || value === null) return 'nil';
  if (value instanceof GoStruct) return value.typeName;
  if (isMap(value)) return 'map';
  if (isList(value)) return 'list';
  return { boolean: 'bool', bigint: 'int', number: 'float64', string: 'string' }[
    typeof value as 'boolean' | 'bigint' | 'number' | 'string'
  ];
}

/** A value as the template prints it. */
export function printValue(value: GoValue): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (value instanceof GoStruct) return value.print();
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${printValue(value.get(key))}`)
      .join(' ')}]`;
  if (isList(value)) return `[${value.map(printValue).join(' ')}]`;
  return typeof value === 'number' ? printFloat(value) : String(value);
}

export const sortedKeys = (map: ReadonlyMap<string, GoValue>): string[] => [...map.keys()].sort();

/**
 * Shortest form that reads back the same; with an exponent of at least two digits below 1e-4 and from 1e6
 * (https://pkg.go.dev/strconv#FormatFloat).
 */
function printFloat(value: number): string {
  if (!Number.isFinite(value)) return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : 'NaN';
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-4 && size < 1e6)) return Object.is(value, -0) ? '-0' : String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
