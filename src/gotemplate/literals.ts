import { GoTemplateError } from './error.js';

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/**
 * The value of a string in double quotes or backquotes, with Go's escapes (https://go.dev/ref/spec#String_literals).
 */
export function stringValue(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('\r', '') : unescape(text.slice(1, -1), text);
}

/** The code point of a character in single quotes. */
export function charValue(text: string): bigint {
  const characters = [...unescape(text.slice(1, -1), text)];
  if (characters.length !== 1) throw new GoTemplateError(`got ${text}, allowed: one character in single quotes`);
  return BigInt(characters[0]!.codePointAt(0)!);
}

/** A whole number as a bigint, any other as a number. */
export function numberValue(text: string): bigint | number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '');
  if (/^0[0-7]+$/.test(digits)) return int64(BigInt(sign) * BigInt(`0o${digits.slice(1)}`), text);
  if (/^(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|0|[1-9]\d*)$/.test(digits))
    return int64(BigInt(sign) * BigInt(digits), text);
  if (!/^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(digits) || /^0\d+$/.test(digits))
    throw new GoTemplateError(`bad number '${text}'`);
  return sign * Number(digits);
}

function int64(value: bigint, text: string): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new GoTemplateError(`${text} overflows int`);
  return value;
}

function unescape(inside: string, whole: string): string {
  return inside.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|[^])/g, (_, escape: string) => {
    const known = ESCAPES[escape];
    if (known !== undefined) return known;
    if (escape.length === 1) throw new GoTemplateError(`unknown escape \\${escape} in ${whole}`);
    const code = /^[xuU]/.test(escape) ? parseInt(escape.slice(1), 16) : parseInt(escape, 8);
    if (code > 0x10ffff) throw new GoTemplateError(`unknown escape \\${escape} in ${whole}`);
    return String.fromCodePoint(code);
  });
}
