import { createTwoFilesPatch, diffLines } from 'diff';
import { sleep } from '../../lib/clock.js';
import { CommandError } from '../session/command.js';
import type { Command, CommandIo } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { whole } from './in-pod.js';

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** What a program reads: the files that it names, or what came through the pipe. */
function inputOf(program: string, files: readonly string[], { input, session }: CommandIo): string {
  if (files.length > 0) return files.map((file) => session.read(file)).join('');
  if (input === undefined) throw new CommandError(`${program}: got neither a file nor a pipe, allowed: one of them`);
  return input;
}

const print = (io: CommandIo, lines: readonly string[]): void => lines.forEach((line) => io.write(`${line}\n`));

const grep: Command = {
  name: 'grep', usage: '[-v] [-i] [-c] [-E] PATTERN [FILE...]', help: 'Prints the lines that match.',
  run(args, io) {
    const options = parseOptions('grep', args, [{ name: '-v' }, { name: '-i' }, { name: '-c' }, { name: '-E' }, { name: '-e', value: true }, { name: '-o' }].map((spec) => ({ ...spec, short: spec.name })));
    const [pattern, ...files] = options.has('-e') ? [options.get('-e')!, ...options.words] : options.words;
    if (pattern === undefined) throw new CommandError('grep: got no pattern');
    let regexp: RegExp;
    try {
      regexp = new RegExp(options.has('-E') ? pattern : pattern.replace(/\\?[(){}|+?]/g, (sign) => (sign.startsWith('\\') ? sign.slice(1) : `\\${sign}`)), options.has('-i') ? 'i' : '');
    } catch (error) {
      throw new CommandError(`grep: ${(error as Error).message}`, 2);
    }
    const found = linesOf(inputOf('grep', files, io)).filter((line) => regexp.test(line) !== options.has('-v'));
    if (options.has('-c')) io.write(`${found.length}\n`);
    else print(io, options.has('-o') ? found.map((line) => regexp.exec(line)?.[0] ?? '') : found);
    return found.length > 0 ? 0 : 1;
  },
};

const cut = (name: string, take: (lines: string[], count: number) => string[]): Command => ({
  name, usage: '[-n COUNT] [FILE...]', help: `Prints the ${name === 'head' ? 'first' : 'last'} lines, 10 when nothing is said.`,
  run(args, io) {
    const options = parseOptions(name, args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg)), [{ name: '-n', short: '-n', value: true }]);
    print(io, take(linesOf(inputOf(name, options.words, io)), whole(`${name}: -n`, options.get('-n') ?? '10', 0, 1_000_000)));
    return 0;
  },
});

const wc: Command = {
  name: 'wc', usage: '-l [FILE...]', help: 'Counts lines.',
  run(args, io) {
    const options = parseOptions('wc', args, [{ name: '-l' }]);
    io.write(`${linesOf(inputOf('wc', options.words, io)).length}\n`);
    return 0;
  },
};

const sort: Command = {
  name: 'sort', usage: '[-u] [FILE...]', help: 'Sorts lines.',
  run(args, io) {
    const options = parseOptions('sort', args, [{ name: '-u' }]);
    const lines = linesOf(inputOf('sort', options.words, io)).sort();
    print(io, options.has('-u') ? [...new Set(lines)] : lines);
    return 0;
  },
};

const cat: Command = {
  name: 'cat', usage: '[FILE...]', help: 'Prints files: those written with > in this session, or your own.',
  run(args, io) {
    io.write(inputOf('cat', args, io));
    return 0;
  },
};

const diff: Command = {
  name: 'diff', usage: '[-u] FILE FILE', help: 'Prints in what two files differ.',
  run(args, io) {
    const options = parseOptions('diff', args, [{ name: '-u' }]);
    const [before, after, extra] = options.words;
    if (before === undefined || after === undefined || extra !== undefined) throw new CommandError('diff: allowed: diff [-u] FILE FILE', 2);
    const [old, next] = [io.session.read(before), io.session.read(after)];
    if (old === next) return 0;
    if (options.has('-u')) io.write(createTwoFilesPatch(before, after, old, next, undefined, undefined, { headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true } }));
    else print(io, classic(old, next));
    return 1;
  },
};

/** The form of diff without options: `3a4,5` and the lines with `<` and `>`. */
function classic(old: string, next: string): string[] {
  const lines: string[] = [];
  let [left, right] = [1, 1];
  const parts = diffLines(old, next);
  const range = (first: number, count: number): string => (count <= 1 ? `${first + count - 1}` : `${first},${first + count - 1}`);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (!part.added && !part.removed) {
      left += part.count;
      right += part.count;
      continue;
    }
    const pair = part.removed && parts[i + 1]?.added ? parts[++i] : undefined;
    const removed = part.removed ? linesOf(part.value) : [];
    const added = part.added ? linesOf(part.value) : pair ? linesOf(pair.value) : [];
    const letter = removed.length === 0 ? 'a' : added.length === 0 ? 'd' : 'c';
    lines.push(`${letter === 'a' ? left - 1 : range(left, removed.length)}${letter}${letter === 'd' ? right - 1 : range(right, added.length)}`);
    lines.push(...removed.map((line) => `< ${line}`), ...(letter === 'c' ? ['---'] : []), ...added.map((line) => `> ${line}`));
    left += removed.length;
    right += added.length;
  }
  return lines;
}

const echo: Command = {
  name: 'echo', usage: '[WORD...]', help: 'Prints its words.',
  run(args, io) {
    io.write(`${args.join(' ')}\n`);
    return 0;
  },
};

const wait: Command = {
  name: 'sleep', usage: 'SECONDS', help: 'Waits. In a script the clock of the lab is turned on, and nobody waits.',
  async run(args, io) {
    await sleep(io.lab.clock, whole('sleep', args[0] ?? '', 0, 86_400) * 1000, io.signal).catch(() => undefined);
    return 0;
  },
};

const fg: Command = { name: 'fg', usage: '', help: 'Ends the newest program that runs beside (&), and prints what it wrote.', run: (_args, io) => io.session.foreground((text) => io.write(text)) };

/** Programs that work on text, and those of a shell. */
export const TEXT_COMMANDS: readonly Command[] = [grep, cut('head', (lines, count) => lines.slice(0, count)), cut('tail', (lines, count) => (count === 0 ? [] : lines.slice(-count))), wc, sort, cat, diff, echo, wait, fg];
