import type { ArithmeticExpression } from 'unbash';
import { LineError } from './parse.js';

/** What an arithmetic expression works with. */
export interface ArithmeticNames {
  /** The text of a word after its expansions. */
  word(node: Extract<ArithmeticExpression, { type: 'ArithmeticWord' | 'ArithmeticCommandExpansion' }>): Promise<string>;
  /** @param name of a variable, or `NAME[INDEX]` */
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
}

const MAX_DEPTH = 50;
const NAME = /^[A-Za-z_]\w*(\[[^]+\])?$/;

type Binary = (left: number, right: number) => number;
const OPERATORS: Readonly<Record<string, Binary>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => Math.trunc(a / divisor(b)),
  '%': (a, b) => a % divisor(b),
  '**': (a, b) => a ** b,
  '<<': (a, b) => a * 2 ** b,
  '>>': (a, b) => Math.floor(a / 2 ** b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<': (a, b) => Number(a < b),
  '>': (a, b) => Number(a > b),
  '<=': (a, b) => Number(a <= b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  ',': (_a, b) => b,
};

function divisor(value: number): number {
  if (value === 0) throw new LineError('division by 0');
  return value;
}

/** The value of an expression as `$(( ))` has it; whole numbers. Throws a LineError for what is no number. */
export async function evaluate(node: ArithmeticExpression, names: ArithmeticNames): Promise<number> {
  switch (node.type) {
    case 'ArithmeticGroup':
      return evaluate(node.expression, names);
    case 'ArithmeticTernary':
      return (await evaluate(node.test, names)) !== 0
        ? evaluate(node.consequent, names)
        : evaluate(node.alternate, names);
    case 'ArithmeticUnary':
      return unary(node, names);
    case 'ArithmeticBinary':
      return binary(node, names);
    case 'ArithmeticWord':
    case 'ArithmeticCommandExpansion':
      return numberOf(await names.word(node), names);
  }
}

async function unary(node: Extract<ArithmeticExpression, { type: 'ArithmeticUnary' }>, names: ArithmeticNames) {
  const value = await evaluate(node.operand, names);
  switch (node.operator) {
    case '-':
      return -value;
    case '!':
      return Number(value === 0);
    case '~':
      return ~value;
    case '++':
    case '--': {
      const next = node.operator === '++' ? value + 1 : value - 1;
      await names.set(nameOf(node.operand), String(next));
      return node.prefix ? next : value;
    }
    default:
      return value;
  }
}

async function binary(node: Extract<ArithmeticExpression, { type: 'ArithmeticBinary' }>, names: ArithmeticNames) {
  const { operator } = node;
  if (operator === '&&')
    return Number((await evaluate(node.left, names)) !== 0 && (await evaluate(node.right, names)) !== 0);
  if (operator === '||')
    return Number((await evaluate(node.left, names)) !== 0 || (await evaluate(node.right, names)) !== 0);
  const assigns = /^(.*)=$/.exec(operator)?.[1];
  if (assigns !== undefined && !Object.hasOwn(OPERATORS, operator)) {
    const right = await evaluate(node.right, names);
    const value = assigns === '' ? right : OPERATORS[assigns]!(await evaluate(node.left, names), right);
    await names.set(nameOf(node.left), String(value));
    return value;
  }
  return OPERATORS[operator]!(await evaluate(node.left, names), await evaluate(node.right, names));
}

function nameOf(node: ArithmeticExpression): string {
  if (node.type === 'ArithmeticWord' && NAME.test(node.value)) return node.value;
  throw new LineError('attempted assignment to non-variable');
}

/** A number, or the value of the variable of that name; of one that is not set 0. */
async function numberOf(text: string, names: ArithmeticNames, depth = 0): Promise<number> {
  const word = text.trim();
  if (/^-?(\d+|0[xX][0-9a-fA-F]+)$/.test(word)) return /^-?0\d/.test(word) ? Number.parseInt(word, 8) : Number(word);
  if (NAME.test(word) && depth < MAX_DEPTH) return numberOf((await names.get(word)) ?? '0', names, depth + 1);
  if (word === '') return 0;
  throw new LineError(`${word}: got this where a whole number is needed`);
}
