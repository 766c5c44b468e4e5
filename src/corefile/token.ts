import { CorefileError } from './errors.js';

/** One import that is being carried out: what it brings in, and the `import` word that asked for it. */
export interface Import {
  /** A file's absolute path, or a snippet's name in parentheses. Equal sources on one chain make a cycle. */
  readonly source: string;
  readonly at: Token;
}

/** A word of a Corefile with its place. */
export interface Token {
  readonly text: string;
  /** Written in double quotes: then it is never a brace. */
  readonly quoted: boolean;
  /** As shown in errors. */
  readonly file: string;
  /** Absolute path when the token comes from an imported file, '' when it comes from the Corefile itself. */
  readonly path: string;
  /** First line, from 1. */
  readonly line: number;
  /** Last line; greater than `line` only for quoted text with line breaks. */
  readonly endLine: number;
  /** The import that brought it here. undefined for the Corefile's own words. */
  readonly via: Import | undefined;
}

/** Throws a CorefileError at the token's line; words that were imported also name the line of the import. */
export function failAt(token: Token, text: string): never {
  const via = token.via === undefined ? '' : ` (imported at ${token.via.at.file}:${token.via.at.line})`;
  throw new CorefileError(token.file, token.line, text + via);
}

export const isOpenBrace = (token: Token): boolean => token.text === '{' && !token.quoted;
export const isCloseBrace = (token: Token): boolean => token.text === '}' && !token.quoted;
export const isImport = (token: Token): boolean => token.text === 'import' && !token.quoted;

/**
 * Whether `token` begins a line, given the token before it. What an import brings in begins a line, and so does what
 * follows it.
 */
export function startsLine(token: Token, previous: Token | undefined): boolean {
  return (
    previous === undefined ||
    previous.via !== token.via ||
    previous.path !== token.path ||
    previous.endLine < token.line
  );
}
