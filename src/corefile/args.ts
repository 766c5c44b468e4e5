import type { Import, Token } from './token.js';
import { failAt } from './token.js';

const PLACEHOLDER = /\{args\[(\d*)(:?)(\d*)\]\}/g;

/**
 * The words of an imported body with the import's arguments put in: `{args[0]}` is the first argument, anywhere in a
 * word;
 * `{args[:]}`, `{args[1:]}`, `{args[:2]}` and `{args[1:3]}` (from, up to but not including) are a word of their own
 * and become several.
 *
 * @throws CorefileError at the body's line for an argument that the import does not give
 */
export function withArguments(body: readonly Token[], args: readonly Token[], via: Import): Token[] {
  return body.flatMap((token): Token | Token[] => {
    const placed: Token = { ...token, via };
    if (!token.text.includes('{args[')) return placed;
    const range = wholeRange(placed, args);
    if (range) return range.map((arg) => ({ ...placed, text: arg.text, quoted: true }));
    const text = token.text.replace(PLACEHOLDER, (written, from: string, colon: string) => {
      if (colon !== '' || from === '')
        failAt(
          placed,
          `got '${written}' inside a word, allowed: {args[NUMBER]}; a range of arguments must be a word of its own`,
        );
      return pick(placed, written, Number(from), args).text;
    });
    // An argument is data: one that is `{` or `import` does not become syntax.
    return { ...placed, text, quoted: true };
  });
}

function wholeRange(token: Token, args: readonly Token[]): readonly Token[] | undefined {
  const match = /^\{args\[(\d*):(\d*)\]\}$/.exec(token.text);
  if (!match) return undefined;
  const from = match[1] === '' ? 0 : Number(match[1]);
  const to = match[2] === '' ? args.length : Number(match[2]);
  if (from > to || to > args.length) failAt(token, `got '${token.text}', but the import ${given(args)}`);
  return args.slice(from, to);
}

function pick(token: Token, written: string, index: number, args: readonly Token[]): Token {
  return args[index] ?? failAt(token, `got '${written}', but the import ${given(args)}`);
}

const given = (args: readonly Token[]): string =>
  args.length === 0
    ? 'gives no arguments'
    : args.length === 1
      ? 'gives one argument: {args[0]}'
      : `gives ${args.length} arguments: {args[0]} to {args[${args.length - 1}]}`;
