import { CorefileError } from './errors.js';
import type { Token } from './token.js';

// Unicode's White_Space property, without the carriage return: that one is dropped wherever it stands outside quotes.
const SPACE = /[\t\n\v\f \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Splits Corefile text into words (corefile(5)).
 * - Words end at white space. `#` starts a comment to the end of the line, also inside an unquoted word.
 * - A word that begins with `"` goes to the next `"` that has no `\` before it; `\"` stands for a quote, any other
 *   backslash for
 *   itself. Quoted text may hold line breaks. A quote inside an unquoted word is an ordinary character.
 * - A backslash outside quotes is an ordinary character; it does not continue a line.
 *
 * @param path absolute path of an imported file, '' for the Corefile itself
 * @throws CorefileError for a quote that is never closed
 */
export function tokenize(text: string, file: string, path: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') line++;
    if (char === '\r' || SPACE.test(char)) {
      at++;
    } else if (char === '#') {
      at = endOfLine(text, at);
    } else if (char === '"') {
      const quoted = readQuoted(text, at + 1);
      if (quoted === undefined)
        throw new CorefileError(
          file,
          line,
          `the quote opened on line ${line} is never closed: expected '"', got the end of the file`,
        );
      tokens.push({ text: quoted.text, quoted: true, file, path, line, endLine: line + quoted.breaks, via: undefined });
      line += quoted.breaks;
      at = quoted.end;
    } else {
      const end = endOfWord(text, at);
      tokens.push({
        text: text.slice(at, end).replaceAll('\r', ''),
        quoted: false,
        file,
        path,
        line,
        endLine: line,
        via: undefined,
      });
      at = end;
    }
  }
  return tokens;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '#' && !SPACE.test(text[at]!)) at++;
  return at;
}

/** Reads from behind the opening quote; `end` is behind the closing one. undefined when there is none. */
function readQuoted(text: string, from: number): { text: string; end: number; breaks: number } | undefined {
  const parts: string[] = [];
  let breaks = 0;
  let start = from;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '\n') breaks++;
    if (char === '"') {
      parts.push(text.slice(start, at));
      return { text: parts.join(''), end: at + 1, breaks };
    }
    if (char === '\\' && at + 1 < text.length) {
      // The next character is taken as it is, so that `\\"` is a backslash pair and a quote that does not close.
      at++;
      if (text[at] === '\n') breaks++;
      if (text[at] === '"') {
        parts.push(text.slice(start, at - 1));
        start = at;
      }
    }
  }
  return undefined;
}
