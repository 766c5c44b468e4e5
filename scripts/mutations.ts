/**
 * Faults that are put into the source: those of a table, found by their text wherever it has moved to, and small ones
 * that are drawn.
 */
import ts from 'typescript';
import type { Random } from '../src/lib/random.js';
import { randomBelow } from '../src/lib/random.js';

/** A fault of the table. */
export interface Fault {
  readonly id: string;
  /** Where it was when it was written down. */
  readonly file: string;
  /** Text that is replaced; white space does not count. */
  readonly from: string;
  readonly to: string;
  /** What a user would suffer. */
  readonly harm: string;
  /** Test files and folders that are to notice it. */
  readonly tests: readonly string[];
  /** Why it changes nothing that could be noticed: it is not put in. */
  readonly equivalent?: string;
}

/** One change to one file. */
export interface Mutation {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

/** The pattern of a text whose white space does not count, nor commas that a formatter puts before a bracket. */
export function loosely(text: string): RegExp {
  const tokens = text.match(/\w+|[^\w\s]/g) ?? [];
  return new RegExp(
    tokens.map((token) => (/^[)\]}]$/.test(token) ? `,?\\s*\\${token}` : token.replace(/[^\w]/g, '\\$&'))).join('\\s*'),
    'g',
  );
}

/**
 * Where a fault of the table belongs: in its file, else in the only other one that has the text. A reason where there
 * is no such place, or more than one.
 */
export function locate(fault: Fault, sources: ReadonlyMap<string, string>): Mutation | string {
  const places = [...sources].flatMap(([file, text]) =>
    [...text.matchAll(loosely(fault.from))].map((match) => ({
      file,
      start: match.index,
      end: match.index + match[0].length,
      to: fault.to,
    })),
  );
  const own = places.filter(({ file }) => file === fault.file);
  const found = own.length > 0 ? own : places;
  if (found.length === 0) return 'its text is not in the source any more';
  return found.length === 1 || own.length > 0 ? found[0]! : `its text is in ${found.length} places`;
}

const OPERATORS: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
};

/**
 * Another number: the next one, or half of what is round. That a limit is 5,001 ms, and not 5,000, is no fault; that it
 * is half of it is one.
 */
function otherNumber(text: string): string {
  const value = Number(text.replaceAll('_', ''));
  const isRound = /^[\d_]+0$/.test(text) || (value >= 64 && Number.isInteger(Math.log2(value)));
  return String(isRound ? value / 2 : value + 1);
}

/** All small mutations of a file: other operators, constants off by one, negated conditions, removed statements. */
export function mutationsOf(file: string, text: string): readonly Mutation[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  const add = (node: ts.Node, to: string): void =>
    void found.push({ file, start: node.getStart(source), end: node.getEnd(), to });
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const to = OPERATORS[node.operatorToken.kind];
      const strings = [node.left, node.right].some(
        (side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side),
      );
      if (to !== undefined && !(strings && to === '-')) add(node.operatorToken, to);
    }
    if (ts.isNumericLiteral(node)) add(node, otherNumber(node.getText(source)));
    if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false');
    if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true');
    if (ts.isIfStatement(node)) add(node.expression, `!(${node.expression.getText(source)})`);
    if (ts.isExpressionStatement(node)) add(node, ';');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Draws mutations, each of another file as long as there are some. */
export function draw(sources: ReadonlyMap<string, string>, count: number, random: Random): readonly Mutation[] {
  const all = new Map([...sources].map(([file, text]) => [file, [...mutationsOf(file, text)]]));
  const drawn: Mutation[] = [];
  let files: string[] = [];
  while (drawn.length < count) {
    files = files.filter((file) => all.get(file)!.length > 0);
    if (files.length === 0) files = [...all.keys()].filter((file) => all.get(file)!.length > 0);
    if (files.length === 0) break;
    const [file] = files.splice(randomBelow(random, files.length), 1) as [string];
    const left = all.get(file)!;
    drawn.push(...left.splice(randomBelow(random, left.length), 1));
  }
  return drawn;
}

export const mutated = (text: string, { start, end, to }: Mutation): string =>
  text.slice(0, start) + to + text.slice(end);

/** The text with a call of `__reached` before each of the places is evaluated, wherever that can be written. */
export function probed(
  file: string,
  text: string,
  places: readonly { readonly mutation: Mutation; readonly place: number }[],
): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const inserted = places.flatMap(({ mutation, place }) => {
    const node = evaluated(nodeAt(source, mutation));
    const [start, end] = [node.getStart(source), node.getEnd()];
    const call = `globalThis.__reached?.(${place})`;
    const [before, after] = ts.isExpression(node)
      ? [`(${call}, `, ')']
      : ts.isBlock(node.parent) || ts.isSourceFile(node.parent)
        ? [`${call}; `, '']
        : [`{ ${call}; `, ' }'];
    // At one place what ends comes before what begins, and what is inside is the nearer.
    return [
      { at: start, rank: end - start, text: before },
      { at: end, rank: start - end + source.end * 2, text: after },
    ];
  });
  // From the end on: so places keep.
  return inserted
    .sort((a, b) => b.at - a.at || a.rank - b.rank)
    .reduce((done, { at, text: more }) => done.slice(0, at) + more + done.slice(at), text);
}

/** Why a mutation changes nothing that anybody could notice, where its form alone tells; undefined for all others. */
export function equivalence(text: string, mutation: Mutation): string | undefined {
  const source = ts.createSourceFile(mutation.file, text, ts.ScriptTarget.Latest, true);
  const node = nodeAt(source, mutation);
  if (!ts.isNumericLiteral(node)) return undefined;
  const value = ts.isPrefixUnaryExpression(node.parent) ? node.parent : node;
  if (ts.isConditionalExpression(value.parent) && node.text !== '0' && mutation.to !== '0') {
    let compare = value.parent.parent;
    while (ts.isParenthesizedExpression(compare) || isOr(compare)) compare = compare.parent;
    const call = ts.isArrowFunction(compare) ? compare.parent : undefined;
    if (call !== undefined && ts.isCallExpression(call) && /\.(?:sort|toSorted)$/.test(call.expression.getText(source)))
      return 'of what compares for sorting only the sign counts';
  }
  const call = node.parent;
  if (!ts.isCallExpression(call) || !/\.split$/.test(call.expression.getText(source))) return undefined;
  const names = ts.isVariableDeclaration(call.parent) && ts.isArrayBindingPattern(call.parent.name) && call.parent.name;
  return names &&
    call.arguments[1] === node &&
    Math.min(Number(node.text), Number(mutation.to)) >= names.elements.length
    ? 'further parts are not looked at'
    : undefined;
}

const isOr = (node: ts.Node): boolean =>
  ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.BarBarToken;

/** Whether a mutation's place is come to when its file is loaded, and not by a call. */
export function isTopLevel(text: string, mutation: Mutation): boolean {
  const source = ts.createSourceFile(mutation.file, text, ts.ScriptTarget.Latest, true);
  for (let node = nodeAt(source, mutation); node !== source; node = node.parent)
    if (ts.isFunctionLike(node)) return false;
  return true;
}

/** The innermost node that spans a mutation's place. */
function nodeAt(source: ts.SourceFile, { start, end }: Mutation): ts.Node {
  let found: ts.Node = source;
  const visit = (node: ts.Node): void => {
    if (node.getStart(source) > start || node.getEnd() < end) return;
    found = node;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The next expression or statement around a node before which something can be called. */
function evaluated(node: ts.Node): ts.Node {
  const { parent } = node;
  if (ts.isStatement(node) && (ts.isExpressionStatement(node) || ts.isBlock(parent) || ts.isSourceFile(parent)))
    return node;
  const isName =
    ('name' in parent && parent.name === node) || ('propertyName' in parent && parent.propertyName === node);
  return ts.isExpression(node) && !isName ? node : evaluated(parent);
}
