import { NodensError } from './errors.js';
import { byText } from './order.js';

/**
 * One command-line flag in the manner of Go's flag package: `-name value`, `--name value`, `-name=value`; a boolean
 * stands alone or takes `=false`.
 */
export interface FlagSpec {
  readonly name: string;
  readonly type: 'string' | 'bool' | 'int' | 'duration';
  readonly help: string;
  /** As text; also what a string, int or duration flag shows in the usage. */
  readonly default?: string;
  /** Another name for the same flag. */
  readonly alias?: string;
  /** May stand several times; its values are joined by line feeds. */
  readonly many?: boolean;
}

/** A command line that cannot be used. The message is what Go programs print, followed by their usage. */
export class FlagError extends NodensError {
  override readonly name = 'FlagError';

  constructor(message: string) {
    super('NODENS_FLAG', message, { exitCode: 2 });
  }
}

/** `-h` or `-help` where no flag is called so: Go programs print their usage alone, and end with 0. */
export class HelpAsked extends FlagError {
  constructor() {
    super('flag: help requested');
  }
}

const HELP = new Set(['h', 'help']);

/**
 * What was given: text values by flag name, defaults filled in. `rest` is what follows the first word that is no
 * flag, or `--`.
 */
export interface ParsedFlags {
  readonly values: Readonly<Record<string, string>>;
  /** Names that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly rest: readonly string[];
}

const BOOLEANS: Record<string, string> = {
  '1': 'true',
  t: 'true',
  T: 'true',
  true: 'true',
  TRUE: 'true',
  True: 'true',
  '0': 'false',
  f: 'false',
  F: 'false',
  false: 'false',
  FALSE: 'false',
  False: 'false',
};

/**
 * Reads a command line. Throws a FlagError for an unknown flag, a missing value, or a value of the wrong type, and
 * HelpAsked where that is what it comes to first.
 */
export function parseFlags(args: readonly string[], specs: readonly FlagSpec[]): ParsedFlags {
  const values: Record<string, string> = Object.fromEntries(
    specs.map((spec) => [spec.name, spec.default ?? (spec.type === 'bool' ? 'false' : '')]),
  );
  const given = new Set<string>();
  let next = 0;
  while (next < args.length) {
    const word = args[next]!;
    if (!word.startsWith('-') || word === '-') break;
    next++;
    if (word === '--') break;
    const [, name, value] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (name === undefined || name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`);
    const spec = specs.find((candidate) => candidate.name === name || candidate.alias === name);
    if (!spec) throw HELP.has(name) ? new HelpAsked() : new FlagError(`flag provided but not defined: -${name}`);
    let text = value;
    if (text === undefined) {
      if (spec.type === 'bool') text = 'true';
      else if (next < args.length) text = args[next++]!;
      else throw new FlagError(`flag needs an argument: -${name}`);
    }
    const checkedText = checked(spec, name, text);
    values[spec.name] =
      spec.many === true && given.has(spec.name) ? `${values[spec.name]}\n${checkedText}` : checkedText;
    given.add(spec.name);
  }
  return { values, given, rest: args.slice(next) };
}

function checked(spec: FlagSpec, name: string, text: string): string {
  if (spec.type === 'bool') {
    const value = BOOLEANS[text];
    if (value === undefined) throw new FlagError(`invalid boolean value "${text}" for -${name}: parse error`);
    return value;
  }
  if (spec.type === 'int' && !/^[+-]?\d+$/.test(text))
    throw new FlagError(`invalid value "${text}" for flag -${name}: parse error`);
  return text;
}

/** The list of flags as Go prints it: names in alphabetical order, the help indented below. */
export function usage(program: string, specs: readonly FlagSpec[]): string {
  const entries = specs.flatMap((spec) => (spec.alias === undefined ? [spec] : [spec, { ...spec, name: spec.alias }]));
  const lines = entries
    .sort((a, b) => byText(a.name, b.name))
    .map((spec) => {
      const head = spec.type === 'bool' ? `  -${spec.name}` : `  -${spec.name} ${spec.type}`;
      const shown =
        spec.default === undefined || spec.default === '' || spec.default === 'false'
          ? ''
          : spec.type === 'string'
            ? ` (default "${spec.default}")`
            : ` (default ${spec.default})`;
      return `${head}\n    \t${spec.help}${shown}`;
    });
  return `Usage of ${program}:\n${lines.join('\n')}\n`;
}
