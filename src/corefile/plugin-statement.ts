import { CorefileError } from './errors.js';
import { suggestion } from './nearest.js';
import type { Token } from './token.js';
import { failAt } from './token.js';

/** Where a plugin's handlers stand: right before or right after those of another directive. */
export interface PluginPosition {
  readonly side: 'before' | 'after';
  readonly name: string;
}

/** `plugin SOURCE [before NAME|after NAME] [sha256-HASH]` outside the server blocks: load a plugin. */
export interface PluginStatement {
  /** A file, beginning with `./`, `../` or `/`, or the name of a package. */
  readonly source: string;
  /** undefined where the plugin itself says where it stands. */
  readonly position: PluginPosition | undefined;
  /** What the file's SHA-256 has to be: `sha256-` and 43 characters of base64, with or without `=`. */
  readonly integrity: string | undefined;
  /** The file that relative paths count from: the Corefile or the imported file that holds the statement. */
  readonly from: string;
  readonly file: string;
  readonly line: number;
}

const USAGE = 'plugin FILE|PACKAGE [before NAME|after NAME] [sha256-HASH]';
const WORDS = ['before', 'after'];

/**
 * Reads the words after `plugin`.
 *
 * @throws CorefileError at the word `plugin`
 */
export function parsePluginStatement(
  at: Token,
  words: readonly { readonly token: Token; readonly text: string }[],
): PluginStatement {
  const [source = '', ...rest] = words.map(({ text }) => text);
  const { position, integrity } = readWords(rest, (text) => failAt(at, `plugin: ${text}`));
  return { source, position, integrity, from: at.file, file: at.file, line: at.line };
}

/**
 * Reads the same from a command line: `./names.js before cache`. Relative paths count from the working directory.
 *
 * @param name of the flag, for errors
 * @throws CorefileError with the flag's name in place of a file
 */
export function pluginStatementFrom(text: string, name: string): PluginStatement {
  const [source = '', ...rest] = text.trim().split(/\s+/);
  const fail = (problem: string): never => {
    throw new CorefileError(name, 1, `plugin: ${problem}`);
  };
  if (source === '') fail(`got nothing, allowed: ${USAGE.replace('plugin ', '')}`);
  const { position, integrity } = readWords(rest, fail);
  return { source, position, integrity, from: '', file: name, line: 1 };
}

function readWords(
  words: readonly string[],
  fail: (text: string) => never,
): Pick<PluginStatement, 'position' | 'integrity'> {
  let position: PluginPosition | undefined;
  let integrity: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === 'before' || word === 'after') {
      if (position) fail(`got '${word}' after '${position.side} ${position.name}', allowed: one place`);
      const name = words[++i];
      if (name === undefined) fail(`got '${word}' without a name, allowed: ${USAGE}`);
      else position = { side: word, name };
    } else if (word.startsWith('sha256-')) {
      if (!/^sha256-[A-Za-z0-9+/]{43}=?$/.test(word))
        fail(`got '${word}', allowed: sha256- and the hash in base64, 43 characters`);
      if (integrity !== undefined) fail(`got a second hash, allowed: one`);
      integrity = word.replace(/=$/, '');
    } else fail(`got '${word}', allowed: ${USAGE}${suggestion(word, WORDS)}`);
  }
  return { position, integrity };
}
