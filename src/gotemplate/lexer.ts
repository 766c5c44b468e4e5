import { GoTemplateError } from './error.js';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'field'
  | 'variable'
  | 'word'
  | 'number'
  | 'char'
  | 'string'
  | 'dot'
  | 'pipe'
  | 'declare'
  | 'assign'
  | 'comma'
  | '('
  | ')'
  | 'end';

export interface TemplateToken {
  readonly kind: TokenKind;
  /** As written; of a text token, what is left after trimming. */
  readonly text: string;
  /** Of words in an action whether white space stands before it: `.A.B` is one operand, `.A .B` are two. */
  readonly spaced?: boolean;
}

const WORD = /[\p{L}\p{Nd}_]+/uy;
const TOKENS: readonly [TokenKind, RegExp][] = [
  // Numbers as in Go (https://go.dev/ref/spec#Lexical_elements); whether one makes sense shows when its value is taken.
  [
    'number',
    /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?)/y,
  ],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])+'/y],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['dot', /\./y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['comma', /,/y],
  ['(', /\(/y],
  [')', /\)/y],
];

/**
 * Cuts a template into text and the words of its actions, comments and trimmed white space left out. Throws a
 * GoTemplateError.
 */
export function tokenize(template: string): TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = template.indexOf('{{', at);
    const trimBefore = open >= 0 && /^-\s/.test(template.slice(open + 2, open + 4));
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (trimBefore) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') tokens.push({ kind: 'text', text });
    if (open < 0) return [...tokens, { kind: 'end', text: '' }];
    const action = readAction(template, open + 2 + (trimBefore ? 1 : 0));
    tokens.push(...action.tokens);
    at = action.end;
    trimNext = action.trims;
  }
}

interface ActionToken {
  readonly tokens: TemplateToken[];
  /** Offset after its closing braces. */
  readonly end: number;
  /** Whether it takes the white space after it away. */
  readonly trims: boolean;
}

function readAction(template: string, start: number): ActionToken {
  const comment = /\s*\/\*[\s\S]*?\*\/(\s+-)?\}\}/y;
  comment.lastIndex = start;
  const found = comment.exec(template);
  if (found !== null) return { tokens: [], end: comment.lastIndex, trims: found[1] !== undefined };
  const tokens: TemplateToken[] = [{ kind: 'open', text: '{{' }];
  let at = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = at;
    const spaced = space.exec(template)![0] !== '';
    at = space.lastIndex;
    const trims = spaced && template.startsWith('-}}', at);
    if (trims || template.startsWith('}}', at)) {
      tokens.push({ kind: 'close', text: '}}', spaced });
      return { tokens, end: at + (trims ? 3 : 2), trims };
    }
    if (at >= template.length) throw new GoTemplateError('action without closing }}');
    const token = readToken(template, at, spaced);
    tokens.push(token);
    at += token.text.length;
  }
}

function readToken(template: string, at: number, spaced: boolean): TemplateToken {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = at;
    const text = pattern.exec(template)?.[0];
    if (text === undefined) continue;
    WORD.lastIndex = at + text.length;
    if (kind === 'number' && WORD.test(template))
      throw new GoTemplateError(`bad number '${template.slice(at, WORD.lastIndex)}'`);
    return { kind, text, spaced };
  }
  const character = String.fromCodePoint(template.codePointAt(at)!);
  if (character === '"' || character === '`' || character === "'")
    throw new GoTemplateError(`text in ${character} without end`);
  throw new GoTemplateError(`unexpected ${character} in an action`);
}
