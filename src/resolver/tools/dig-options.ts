import { Type, classFromName, typeFromName } from '../../wire/index.js';
import { base, copy, type DigLookup } from './dig-lookup.js';
import { OptionFault, counted, plusOption } from './dig-plus.js';
import { reverseOf } from './tool.js';

export interface DigCommand {
  readonly lookups: readonly DigLookup[];
  readonly servers: readonly string[];
  readonly port: number;
  /** Lines printed before anything else. */
  readonly warnings: readonly string[];
  /** An option that there is not: dig then prints its usage. */
  readonly invalid: string | undefined;
  /** A value that is none: dig says so and ends. */
  readonly fault: OptionFault | undefined;
}

/**
 * Reads a dig command line (dig(1) of BIND 9.18). Options before the first name hold for all lookups, later ones for
 * theirs.
 */
export function parseDig(args: readonly string[]): DigCommand {
  try {
    return readWords(args);
  } catch (error) {
    if (!(error instanceof OptionFault)) throw error;
    return { lookups: [], servers: [], port: 53, warnings: [], invalid: undefined, fault: error };
  }
}

function readWords(args: readonly string[]): DigCommand {
  const lookups: DigLookup[] = [];
  const servers: string[] = [];
  const warnings: string[] = [];
  const common = base();
  let current = common;
  let port = 53;
  let invalid: string | undefined;
  const start = (name: string): void => {
    current = copy(common);
    current.name = name;
    lookups.push(current);
  };
  for (let i = 0; i < args.length && invalid === undefined; i++) {
    const arg = args[i]!;
    if (arg.startsWith('@')) servers.push(arg.slice(1));
    else if (arg.startsWith('+')) {
      if (!plusOption(arg.slice(1), current)) invalid = arg;
    } else if (arg.startsWith('-') && arg.length > 1) {
      const letter = arg[1]!;
      if ('46'.includes(letter)) continue;
      if (!'btcpqx'.includes(letter)) {
        invalid = arg;
        continue;
      }
      const value = arg.length > 2 ? arg.slice(2) : args[++i];
      if (value === undefined) invalid = arg;
      else if (letter === 'p') port = counted(value, 'port number', 0xffff, 1);
      else if (letter === 'q') start(value);
      else if (letter === 'x') startReverse(value, start, () => current);
      else if (letter === 't') setType(value, current, warnings);
      else if (letter === 'c') setClass(value, current, warnings);
    } else placeWord(arg, current, start);
  }
  if (lookups.length === 0) lookups.push({ ...common, name: '.', type: Type.NS });
  return { lookups, servers, port, warnings, invalid, fault: undefined };
}

function startReverse(value: string, start: (name: string) => void, current: () => DigLookup): void {
  start(
    reverseOf(value) ??
      `${value
        .split('.')
        .filter((octet) => octet !== '')
        .reverse()
        .join('.')}.in-addr.arpa.`,
  );
  current().type = Type.PTR;
}

function setType(value: string, lookup: DigLookup, warnings: string[]): void {
  const type = typeFromName(value);
  if (type === undefined) warnings.push(`;; Warning, ignoring invalid type ${value}`);
  else lookup.type = type;
}

function setClass(value: string, lookup: DigLookup, warnings: string[]): void {
  const found = classFromName(value);
  if (found === undefined) warnings.push(`;; Warning, ignoring invalid class ${value}`);
  else lookup.class = found;
}

/** A bare word is a type or a class where it is one, also before the name, and otherwise a name. */
function placeWord(word: string, current: DigLookup, start: (name: string) => void): void {
  const type = typeFromName(word);
  const named = classFromName(word);
  if (type !== undefined) current.type = type;
  else if (named !== undefined) current.class = named;
  else start(word);
}
