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
    if (ts.isNumericLiteral(node)) add(node, String(Number(node.text) + 1));
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
