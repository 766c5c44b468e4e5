import type { TestExpression } from 'unbash';
import type { Expander } from './expand.js';
import type { ShellFiles } from './io.js';
import { LineError } from './parse.js';
import { fits } from './pattern.js';

type Check = (value: string) => boolean;

const unary = (operator: string, files: ShellFiles): Check => {
  switch (operator) {
    case '-z':
      return (value) => value === '';
    case '-n':
      return (value) => value !== '';
    case '-e':
    case '-a':
      return (file) => files.kind(file) !== undefined;
    case '-f':
    case '-r':
    case '-w':
      return (file) => files.kind(file) === 'file';
    case '-d':
      return (file) => files.kind(file) === 'folder';
    case '-s':
      return (file) => files.kind(file) === 'file' && files.read(file) !== '';
    case '-x':
    case '-L':
    case '-h':
    case '-t':
      return () => false;
    default:
      throw new LineError(`test: ${operator}: unary operator expected`);
  }
};

const NUMERIC: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '-eq': (a, b) => a === b,
  '-ne': (a, b) => a !== b,
  '-lt': (a, b) => a < b,
  '-le': (a, b) => a <= b,
  '-gt': (a, b) => a > b,
  '-ge': (a, b) => a >= b,
};

function compare(left: string, operator: string, right: string): boolean {
  if (Object.hasOwn(NUMERIC, operator)) {
    const numbers = [left, right].map((text) => {
      if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new LineError(`test: ${text}: integer expression expected`);
      return Number(text);
    });
    return NUMERIC[operator]!(numbers[0]!, numbers[1]!);
  }
  switch (operator) {
    case '=':
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    default:
      throw new LineError(`test: ${operator}: binary operator expected`);
  }
}

/** `[ ... ]` and `test`. Throws a LineError for words that are no expression. */
export function testWords(words: readonly string[], files: ShellFiles): boolean {
  const or = words.indexOf('-o');
  if (or > 0 && words.length > 3) return testWords(words.slice(0, or), files) || testWords(words.slice(or + 1), files);
  const and = words.indexOf('-a');
  if (and > 0 && words.length > 3)
    return testWords(words.slice(0, and), files) && testWords(words.slice(and + 1), files);
  const [first, second, third, extra] = words;
  if (first === '!' && words.length > 1) return !testWords(words.slice(1), files);
  if (first === undefined) return false;
  if (second === undefined) return first !== '';
  if (third === undefined) return unary(first, files)(second);
  if (extra !== undefined) throw new LineError('test: too many arguments');
  return compare(first, second, third);
}

/** `[[ ... ]]` */
export async function testExpression(
  node: TestExpression,
  expand: Expander,
  files: ShellFiles,
  isSet: (name: string) => boolean,
): Promise<boolean> {
  const inner = (one: TestExpression): Promise<boolean> => testExpression(one, expand, files, isSet);
  switch (node.type) {
    case 'TestGroup':
      return inner(node.expression);
    case 'TestNot':
      return (await inner(node.operand)) !== (node.negations.length % 2 === 1);
    case 'TestLogical':
      for (const operand of node.operands)
        if ((await inner(operand)) === (node.operator === '||')) return node.operator === '||';
      return node.operator === '&&';
    case 'TestUnary': {
      const value = await expand.text(node.operand);
      return node.operator === '-v' ? isSet(value) : unary(node.operator, files)(value);
    }
    case 'TestBinary': {
      const left = await expand.text(node.left);
      if (node.operator === '=~') return matches(left, await expand.text(node.right));
      if (['=', '==', '!='].includes(node.operator))
        return fits(await expand.pieces(node.right), left) === (node.operator !== '!=');
      return compare(left, node.operator, await expand.text(node.right));
    }
  }
}

function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    throw new LineError(`[[ =~ ]]: ${pattern}: this is no regular expression`);
  }
}
