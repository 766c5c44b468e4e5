import { ExpressionError, showNode, type ExprNode } from './parse.js';
import { comparable, equal, isList, isNumber, showType, type Type, type ExprValue } from './types.js';

type Apply = (a: ExprValue, b: ExprValue) => ExprValue;

const TEXT: Readonly<Record<string, (a: string, b: string) => ExprValue>> = {
  contains: (a, b) => a.includes(b),
  startsWith: (a, b) => a.startsWith(b),
  endsWith: (a, b) => a.endsWith(b),
};
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => {
    if (b === 0) throw new ExpressionError('division by zero');
    return a % b;
  },
  '**': (a, b) => a ** b,
  '^': (a, b) => a ** b,
};
const ORDER: Readonly<Record<string, <T extends string | number>(a: T, b: T) => boolean>> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};
/** Most members of a range, as in expr-lang. */
const MAX_RANGE = 1_000_000;

/** What an operator does with values of these types; fails where it takes none of them. */
export function operation(operator: string, left: Type, right: Type, node: ExprNode): { type: Type; apply: Apply } {
  const bad = (allowed: string): never => {
    throw new ExpressionError(
      `'${showNode(node)}': ${operator} got ${showType(left)} and ${showType(right)}, allowed: ${allowed}`,
    );
  };
  const numbers = isNumber(left) && isNumber(right);
  const strings = left === 'string' && right === 'string';
  if (operator === '==' || operator === '!=') {
    if (!comparable(left, right)) bad('two values of one type');
    const wanted = operator === '==';
    return { type: 'bool', apply: (a, b) => equal(a, b) === wanted };
  }
  if (operator === 'in') {
    if (!isList(right) || (right.members !== undefined && !comparable(left, right.members)))
      bad('a value and a list of such values');
    return { type: 'bool', apply: (a, b) => (b as readonly ExprValue[]).some((member) => equal(a, member)) };
  }
  if (operator in TEXT)
    return strings ? { type: 'bool', apply: (a, b) => TEXT[operator]!(a as string, b as string) } : bad('two strings');
  if (operator in ORDER)
    return numbers || strings
      ? { type: 'bool', apply: (a, b) => ORDER[operator]!(a as number, b as number) }
      : bad('two numbers or two strings');
  if (operator === '..')
    return left === 'int' && right === 'int'
      ? { type: { members: 'int' }, apply: (a, b) => range(a as number, b as number) }
      : bad('two whole numbers');
  if (operator === '+' && strings) return { type: 'string', apply: (a, b) => (a as string) + (b as string) };
  const whole = left === 'int' && right === 'int';
  if (!numbers || (operator === '%' && !whole)) bad(operator === '%' ? 'two whole numbers' : 'two numbers');
  const type = whole && '+-*%'.includes(operator) ? 'int' : 'float';
  return { type, apply: (a, b) => ARITHMETIC[operator]!(a as number, b as number) };
}

function range(from: number, to: number): number[] {
  const length = Math.max(0, to - from + 1);
  if (length > MAX_RANGE) throw new ExpressionError(`a range of more than ${MAX_RANGE} members`);
  return Array.from({ length }, (_, i) => from + i);
}
