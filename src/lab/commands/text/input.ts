import type { CommandIo } from '../../session/command.js';
import { CommandError } from '../../session/command.js';
import { POSIX_CLASSES } from '../../shell/pattern.js';
import { linesIn } from '../../shell/stream.js';
import type { TextInput } from '../../shell/stream.js';

export const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/**
 * What a program reads: the files that it names (`-` is the pipe), or what came through the pipe. Throws a
 * CommandError where there is neither.
 */
export async function inputOf(program: string, files: readonly string[], io: CommandIo): Promise<string> {
  if (files.length === 0) return pipedInto(program, io).text();
  const texts = [];
  for (const file of files) texts.push(file === '-' ? await pipedInto(program, io).text() : io.session.read(file));
  return texts.join('');
}

/** The lines of the same, as they come. */
export async function* linesFor(program: string, files: readonly string[], io: CommandIo): AsyncGenerator<string> {
  if (files.length === 0) yield* linesIn(pipedInto(program, io));
  for (const file of files)
    if (file === '-') yield* linesIn(pipedInto(program, io));
    else yield* linesOf(io.session.read(file));
}

function pipedInto(program: string, { input }: CommandIo): TextInput {
  if (!input) throw new CommandError(`${program}: got neither a file nor a pipe, allowed: one of them`);
  return input;
}

/** Prints lines; gives the exit code of a program that did what it was asked. */
export function print(io: CommandIo, lines: readonly string[]): number {
  for (const line of lines)
    io.write(`${line}
`);
  return 0;
}

/** A whole number of an option. Throws a CommandError that says what is allowed. */
export function whole(what: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new CommandError(`${what}: got "${text}", allowed: ${least} to ${most}`);
  return value;
}

interface PatternOptions {
  /** Whether signs such as `+` and `(` are special without a backslash. */
  readonly extended: boolean;
  readonly flags?: string;
}

/**
 * A pattern as grep and sed take it: basic ones, in which signs such as `+` and `(` are special with a backslash
 * only, or extended ones. POSIX classes are known. Throws a CommandError for one that cannot be read.
 */
export function patternOf(program: string, text: string, { extended, flags = '' }: PatternOptions): RegExp {
  const source = text.replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX_CLASSES[name] ?? whole);
  try {
    return new RegExp(
      extended
        ? source
        : source.replace(/\[[^\]]*\]|\\?[(){}|+?]/g, (sign) =>
            sign.startsWith('[') ? sign : sign.startsWith('\\') ? sign.slice(1) : `\\${sign}`,
          ),
      flags,
    );
  } catch (error) {
    throw new CommandError(`${program}: ${(error as Error).message}`, 2);
  }
}
