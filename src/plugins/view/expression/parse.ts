import jsep, { type CoreExpression, type Expression } from 'jsep';
import { NodensError } from '../../../lib/errors.js';

/** Text that is no expression, or one that cannot be evaluated. */
export class ExpressionError extends NodensError {
  override readonly name = 'ExpressionError';

  constructor(message: string) {
    super('NODENS_EXPRESSION', message);
  }
}

/** A part of an expression. `text` of a number is as it was written. */
export type ExprNode =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly text: string }
  | { readonly kind: 'item' }
  | { readonly kind: 'array'; readonly items: readonly ExprNode[] }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: ExprNode }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: ExprNode; readonly right: ExprNode }
  | { readonly kind: 'choice'; readonly test: ExprNode; readonly yes: ExprNode; readonly no: ExprNode }
  | { readonly kind: 'index'; readonly of: ExprNode; readonly at: ExprNode }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly ExprNode[] };

/** Longest expression, in characters. */
const MAX_LENGTH = 10_000;
/** Most parts within each other. */
const MAX_DEPTH = 100;

/** Operators between two operands, those that bind least first, as in expr-lang; 0 is none to jsep. */
const BINARY: readonly (readonly string[])[] = [
  [],
  ['|'],
  ['or', '||'],
  ['and', '&&'],
  [
    ...['==', '!=', '<', '>', '<=', '>='],
    ...['in', 'matches', 'contains', 'startsWith', 'endsWith'].flatMap((word) => [word, `not ${word}`]),
  ],
  ['..'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**', '^'],
  ['??'],
];
/** All others are left-associative. */
const RIGHT = new Set(['**', '^']);

const NUMBER = /^(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|(?:\d[\d_]*)?(?:\.(?!\.)\d[\d_]*)?(?:e[+-]?\d+)?)/i;

jsep.removeAllBinaryOps();
for (const [precedence, operators] of BINARY.entries())
  for (const operator of operators) jsep.addBinaryOp(operator, precedence, RIGHT.has(operator));
jsep.removeAllUnaryOps();
for (const operator of ['!', 'not', '-', '+']) jsep.addUnaryOp(operator);
jsep.removeAllLiterals();
jsep.addLiteral('true', true);
jsep.addLiteral('false', false);
jsep.addLiteral('nil', null);

// What jsep reads in another way than expr-lang: numbers, raw strings, predicates in braces and their `#`.
jsep.hooks.add('gobble-token', function (env) {
  const rest = this.expr.slice(this.index);
  const number = /^\.?\d/.test(rest) ? NUMBER.exec(rest)![0] : '';
  if (number !== '') {
    this.index += number.length;
    if (/^\w/.test(this.expr.slice(this.index))) this.throwError('Unexpected character after a number');
    env.node = { type: 'Literal', value: Number(number.replaceAll('_', '')), raw: number };
  } else if (rest.startsWith('`')) {
    const end = rest.indexOf('`', 1);
    if (end === -1) this.throwError('Unclosed quote');
    this.index += end + 1;
    env.node = { type: 'Literal', value: rest.slice(1, end), raw: rest.slice(0, end + 1) };
  } else if (rest.startsWith('#')) {
    this.index += 1;
    env.node = { type: 'Identifier', name: '#' };
  } else if (rest.startsWith('{')) {
    this.index += 1;
    env.node = this.gobbleExpression();
    if (this.char !== '}') this.throwError('Unclosed {');
    this.index += 1;
  }
});

/** Reads an expression in the syntax of expr-lang. Throws an ExpressionError that says where it does not parse. */
export function parseExpression(text: string): ExprNode {
  if (text.length > MAX_LENGTH)
    throw new ExpressionError(`it has ${text.length} characters, at most ${MAX_LENGTH} are allowed`);
  if (text.trim() === '') throw new ExpressionError('it is empty');
  let parsed: Expression;
  try {
    parsed = jsep(text);
  } catch (error) {
    if (error instanceof RangeError) throw new ExpressionError('too many parts within each other');
    const { description, index } = error as { description?: string; index: number };
    if (description === undefined) throw error;
    throw new ExpressionError(`${description.toLowerCase()} at character ${index + 1}`);
  }
  return nodeOf(parsed as CoreExpression, 0);
}

function nodeOf(parsed: CoreExpression, depth: number): ExprNode {
  if (depth > MAX_DEPTH) throw new ExpressionError(`more than ${MAX_DEPTH} parts within each other`);
  const inner = (expression: Expression): ExprNode => nodeOf(expression as CoreExpression, depth + 1);
  switch (parsed.type) {
    case 'Literal':
      return { kind: 'literal', value: parsed.value as string | number | boolean | null, text: parsed.raw };
    case 'Identifier':
      if (parsed.name === '#') return { kind: 'item' };
      throw new ExpressionError(`'${parsed.name}' is no value; functions are called with ( )`);
    case 'ArrayExpression':
      return { kind: 'array', items: parsed.elements.map((element) => inner(present(element))) };
    case 'UnaryExpression':
      return { kind: 'unary', operator: parsed.operator, operand: inner(parsed.argument) };
    case 'BinaryExpression':
      return binary(parsed.operator, inner(parsed.left), parsed.right, inner);
    case 'ConditionalExpression':
      return { kind: 'choice', test: inner(parsed.test), yes: inner(parsed.consequent), no: inner(parsed.alternate) };
    case 'CallExpression':
      if (parsed.callee.type !== 'Identifier') throw new ExpressionError('only functions by name can be called');
      return { kind: 'call', name: parsed.callee.name as string, args: parsed.arguments.map(inner) };
    case 'MemberExpression':
      if (!parsed.computed) throw new ExpressionError(`'.' has no use here: nothing has fields`);
      return { kind: 'index', of: inner(parsed.object), at: inner(parsed.property) };
    case 'Compound':
      throw new ExpressionError(`got ${parsed.body.length} expressions in a row, allowed: one`);
    default:
      throw new ExpressionError(`'${parsed.type}' has no use here`);
  }
}

function present(element: Expression | null): Expression {
  if (element === null) throw new ExpressionError('a value is missing between two commas');
  return element;
}

/** `a | f(b)` is `f(a, b)`; `a not in b` is `not (a in b)`. */
function binary(
  operator: string,
  left: ExprNode,
  right: Expression,
  inner: (expression: Expression) => ExprNode,
): ExprNode {
  const node = inner(right);
  if (operator === '|') {
    if (node.kind !== 'call') throw new ExpressionError(`'|' needs a function behind it`);
    return { ...node, args: [left, ...node.args] };
  }
  const word = /^not (\w+)$/.exec(operator)?.[1];
  if (word === undefined) return { kind: 'binary', operator, left, right: node };
  return { kind: 'unary', operator: 'not', operand: { kind: 'binary', operator: word, left, right: node } };
}

/** The expression as text again, for messages. */
export function showNode(node: ExprNode): string {
  switch (node.kind) {
    case 'literal':
      return node.text;
    case 'item':
      return '#';
    case 'array':
      return `[${node.items.map(showNode).join(', ')}]`;
    case 'unary':
      return `${node.operator}${/\w$/.test(node.operator) ? ' ' : ''}${showNode(node.operand)}`;
    case 'binary':
      return `${showNode(node.left)} ${node.operator} ${showNode(node.right)}`;
    case 'choice':
      return `${showNode(node.test)} ? ${showNode(node.yes)} : ${showNode(node.no)}`;
    case 'index':
      return `${showNode(node.of)}[${showNode(node.at)}]`;
    case 'call':
      return `${node.name}(${node.args.map(showNode).join(', ')})`;
  }
}
