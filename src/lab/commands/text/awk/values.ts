import { CommandError } from '../../../session/command.js';
import { general, printfText } from '../../../shell/printf.js';
import { patternOf } from '../input.js';

/** Text that came from a line: it counts as a number where it looks like one (POSIX awk, "strnum"). */
export interface AwkInput {
  readonly text: string;
}

export type AwkValue = number | string | AwkInput;

const NUMBER = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

export const looksNumeric = (text: string): boolean => NUMBER.test(text);

const isInput = (value: AwkValue): value is AwkInput => typeof value === 'object';
export const str = (value: AwkValue): string =>
  isInput(value)
    ? value.text
    : typeof value === 'string'
      ? value
      : Number.isInteger(value)
        ? String(value)
        : general(value, 6);
export const num = (value: AwkValue): number =>
  typeof value === 'number'
    ? value
    : Number(/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/.exec(isInput(value) ? value.text : value)?.[0] ?? 0);

export function split(text: string, separator: string | RegExp): string[] {
  if (text === '') return [];
  if (separator === ' ') return text.trim() === '' ? [] : text.trim().split(/\s+/);
  if (typeof separator === 'string' && separator.length === 1) return text.split(separator);
  return text.split(typeof separator === 'string' ? patternOf('awk', separator, { extended: true }) : separator);
}

export function arithmetic(sign: string, left: number, right: number): number {
  if ((sign === '/' || sign === '%') && right === 0) throw new CommandError(`awk: division by zero`, 2);
  switch (sign) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    default:
      return left ** right;
  }
}

/** Numbers where both sides are or look like some, text otherwise. */
export function compared(sign: string, left: AwkValue, right: AwkValue): boolean {
  const numeric = (value: AwkValue): boolean =>
    typeof value === 'number' || (isInput(value) && (value.text === '' || NUMBER.test(value.text)));
  const [a, b] = numeric(left) && numeric(right) ? [num(left), num(right)] : [str(left), str(right)];
  switch (sign) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

/** A directive of printf: the `*` of its width, which is a value of its own, and its verb, unless it is `%%`. */
const DIRECTIVE = /%(?:%|[-+ 0#]*(\*)?[\d.]*([a-zA-Z]))/g;

/** What printf makes of values, each as its verb reads it; those without a directive are left out. */
export function formatted(format: string, values: readonly AwkValue[]): string {
  const verbs = [...format.matchAll(DIRECTIVE)].flatMap(([, ...signs]) => signs.filter((sign) => sign));
  return printfText(
    format,
    values
      .slice(0, verbs.length)
      .map((value, i) => (verbs[i] === 's' || verbs[i] === 'c' ? str(value) : String(num(value)))),
  );
}
