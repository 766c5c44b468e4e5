import { FlagError, parseFlags, usage, type FlagSpec } from '../lib/go-flags.js';

/** A command that looks at things and ends, as its help shows it. */
export interface Tool {
  readonly name: string;
  /** What may follow the name beside flags, `FILE...`. */
  readonly words: string;
  /** What it does, in one line without full stop. */
  readonly about: string;
  readonly flags: readonly FlagSpec[];
  /** What its exit codes mean. */
  readonly exits: string;
  /** Its page in docs/. */
  readonly page: string;
}

/** What a tool's command line says, or the exit code where it was a question or a mistake. */
export interface ToolCall {
  readonly values: Readonly<Record<string, string>>;
  readonly given: ReadonlySet<string>;
  readonly rest: readonly string[];
}

const HELP = /^--?(h|help)$/;

/** Exit code of a command line that cannot be used. */
export const USAGE = 2;

export const helpOf = ({ name, words, about, flags, exits, page }: Tool): string => {
  const [, ...lines] = usage(name, flags).split('\n');
  return `usage: nodens ${name} [flags] ${words}\n\n${about}.\n\nflags:\n${lines.join('\n')}\nexit code: ${exits}\nmore: docs/${page}\n`;
};

/** Reads a command line in which flags and words may stand in any order. */
export function callOf(tool: Tool, args: readonly string[]): ToolCall | number {
  if (args.some((word) => HELP.test(word))) {
    process.stdout.write(helpOf(tool));
    return 0;
  }
  try {
    let { values, given, rest: left } = parseFlags(args, tool.flags);
    const rest: string[] = [];
    while (left.length > 0) {
      rest.push(left[0]!);
      const more = parseFlags(left.slice(1), tool.flags);
      values = { ...values, ...Object.fromEntries([...more.given].map((name) => [name, more.values[name]!])) };
      given = new Set([...given, ...more.given]);
      left = more.rest;
    }
    return { values, given, rest };
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return misused(tool, error.message);
  }
}

/** Tells what is wrong with a command line; gives the exit code. */
export function misused({ name }: Tool, text: string): number {
  process.stderr.write(`nodens ${name}: ${text}; nodens ${name} --help tells more\n`);
  return USAGE;
}
