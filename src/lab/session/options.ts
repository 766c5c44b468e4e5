import { CommandError } from './command.js';

export interface OptionSpec {
  /** With dashes: `--namespace`. */
  readonly name: string;
  readonly short?: string;
  /** Whether it takes a value. */
  readonly value?: boolean;
}

export interface Options {
  readonly words: readonly string[];
  has(name: string): boolean;
  get(name: string): string | undefined;
  /** All values of an option that may be repeated. */
  all(name: string): readonly string[];
  /** What stands after `--`. */
  readonly rest: readonly string[];
}

/** Asked for with --help: the message has the options. */
export class OptionHelp extends CommandError {}

/** Reads the arguments of one program. Throws a CommandError that names the option, and those allowed. */
export function parseOptions(program: string, args: readonly string[], specs: readonly OptionSpec[]): Options {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  let rest: readonly string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest = args.slice(i + 1);
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const [flag = '', inline] = /^--|^-[A-Za-z]=/.test(arg) ? splitOnce(arg) : [arg, undefined];
    const spec = specs.find((candidate) => candidate.name === flag || candidate.short === flag);
    const glued = spec ? undefined : gluedShort(arg, specs);
    if (glued) {
      for (const [name, value] of glued.found) push(values, name, value);
      if (glued.last !== undefined) {
        const value = args[++i];
        if (value === undefined) throw new CommandError(`${program}: option ${arg} needs a value`);
        push(values, glued.last, value);
      }
      continue;
    }
    if (!spec) {
      const known = specs.map(({ name, short }) =>
        short === undefined || short === name ? name : `${short}, ${name}`,
      );
      const allowed = known.join(', ') || 'none';
      if (flag === '--help' || flag === '-h') throw new OptionHelp(`${program}: options: ${allowed}`);
      throw new CommandError(`${program}: unknown option ${flag}, allowed: ${allowed}`);
    }
    if (spec.value !== true) push(values, spec.name, inline ?? 'true');
    else {
      const value = inline ?? args[++i];
      if (value === undefined) throw new CommandError(`${program}: option ${flag} needs a value`);
      push(values, spec.name, value);
    }
  }
  return {
    words,
    rest,
    has: (name) => values.has(name),
    get: (name) => values.get(name)?.at(-1),
    all: (name) => values.get(name) ?? [],
  };
}

/**
 * `-it`, `-owide`, `-qO-`: short options written together; one that takes a value takes the rest of the word, or, as
 * `last`, the next word. undefined where that cannot be.
 */
function gluedShort(
  arg: string,
  specs: readonly OptionSpec[],
): { readonly found: readonly (readonly [string, string])[]; readonly last: string | undefined } | undefined {
  if (!/^-[A-Za-z].+/.test(arg)) return undefined;
  const found: (readonly [string, string])[] = [];
  for (let at = 1; at < arg.length; at++) {
    const spec = specs.find((candidate) => candidate.short === `-${arg[at]!}`);
    const rest = arg.slice(at + 1).replace(/^=/, '');
    if (!spec) return undefined;
    if (spec.value === true)
      return rest === '' ? { found, last: spec.name } : { found: [...found, [spec.name, rest]], last: undefined };
    found.push([spec.name, 'true']);
  }
  return { found, last: undefined };
}

function splitOnce(arg: string): readonly [string, string | undefined] {
  const equals = arg.indexOf('=');
  return equals < 0 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function push(values: Map<string, string[]>, name: string, value: string): void {
  values.set(name, [...(values.get(name) ?? []), value]);
}
