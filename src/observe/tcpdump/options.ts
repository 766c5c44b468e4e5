import { OptionError } from '../option-error.js';
import { compileFilter } from './filter.js';
import type { FrameTest } from './filter.js';

export interface TcpdumpOptions {
  /** A device, or `any`. */
  readonly device: string;
  /** Frames after which it ends; undefined for no end. */
  readonly count: number | undefined;
  /** File to write to in place of printing. */
  readonly file: string | undefined;
  readonly numeric: boolean;
  readonly quick: boolean;
  readonly absolute: boolean;
  readonly noTime: boolean;
  readonly filter: FrameTest;
}

const SWITCHES = new Set(['n', 'q', 'S', 't', 'l', 'U', 'p', 'v']);
const VALUES = new Set(['i', 'c', 'w', 's']);

const fail = (message: string): never => {
  throw new OptionError('tcpdump', message);
};

/**
 * Reads tcpdump's arguments: switches may be joined (`-nnq`), what follows the options is the filter. Throws an
 * OptionError. -l, -U, -p, -s change nothing here.
 */
export function parseTcpdumpArgs(args: readonly string[]): TcpdumpOptions {
  const on = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!/^-[A-Za-z]/.test(arg)) words.push(arg);
    else i += readJoined(arg, args[i + 1], on, values);
  }
  const count = values.get('c');
  if (count !== undefined && !/^[1-9]\d*$/.test(count)) fail(`invalid packet count ${count}: want a number above 0`);
  if (on.has('v')) fail('-v is not supported: packets are printed on one line');
  return {
    device: values.get('i') ?? 'eth0',
    count: count === undefined ? undefined : Number(count),
    file: values.get('w'),
    numeric: on.has('n'),
    quick: on.has('q'),
    absolute: on.has('S'),
    noTime: on.has('t'),
    filter: compileFilter(words.join(' ')),
  };
}

/** Reads one word of options; returns how many further arguments it took. */
function readJoined(arg: string, next: string | undefined, on: Set<string>, values: Map<string, string>): 0 | 1 {
  for (let at = 1; at < arg.length; at++) {
    const letter = arg[at]!;
    if (SWITCHES.has(letter)) on.add(letter);
    else if (VALUES.has(letter)) {
      const rest = arg.slice(at + 1);
      const value = rest !== '' ? rest : next;
      if (value === undefined) return fail(`option requires an argument -- '${letter}'`);
      values.set(letter, value);
      return rest !== '' ? 0 : 1;
    } else
      fail(`invalid option -- '${letter}': known are ${[...SWITCHES, ...VALUES].map((one) => `-${one}`).join(' ')}`);
  }
  return 0;
}
