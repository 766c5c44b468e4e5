import { diffLines } from 'diff';
import { CommandError } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { EVERYDAY_COMMANDS } from './everyday.js';
import { FILE_COMMANDS } from './files.js';
import { FILTERS } from './filters.js';
import { inputOf, linesFor, linesOf, print } from './input.js';
import { echo, wait } from './shell-words.js';
import { unified } from './unified.js';

const cat: LabCommand = {
  name: 'cat',
  usage: '[-n] [FILE...]',
  help: 'Prints files: those written with > in this session, those of the node, or yours.',
  async run(args, io) {
    const files = args.filter((arg) => arg === '-' || !arg.startsWith('-'));
    const numbered = args.includes('-n');
    let number = 0;
    // What is piped in goes on line by line, as it comes.
    if (files.length > 0 && !numbered && !files.includes('-')) io.write(await inputOf('cat', files, io));
    else
      for await (const line of linesFor('cat', files, io))
        io.write(`${numbered ? `${String(++number).padStart(6)}\t` : ''}${line}\n`);
    return 0;
  },
};

const diff: LabCommand = {
  name: 'diff',
  usage: '[-u] FILE FILE',
  help: 'Prints the differences between two files.',
  async run(args, io) {
    const options = parseOptions('diff', args, [{ name: '-u' }]);
    const [before, after, extra] = options.words;
    if (before === undefined || after === undefined || extra !== undefined)
      throw new CommandError('diff: allowed: diff [-u] FILE FILE', 2);
    const [old, next] = [io.session.read(before), io.session.read(after)];
    if (old === next) return 0;
    if (options.has('-u')) io.write(unified(before, after, old, next));
    else print(io, classic(old, next));
    return 1;
  },
};

/** The form of diff without options: `3a4,5` and the lines with `<` and `>`. */
function classic(old: string, next: string): string[] {
  const lines: string[] = [];
  let [left, right] = [1, 1];
  const parts = diffLines(old, next);
  const range = (first: number, count: number): string =>
    count <= 1 ? `${first + count - 1}` : `${first},${first + count - 1}`;
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
    lines.push(
      `${letter === 'a' ? left - 1 : range(left, removed.length)}${letter}${letter === 'd' ? right - 1 : range(right, added.length)}`,
    );
    lines.push(
      ...removed.map((line) => `< ${line}`),
      ...(letter === 'c' ? ['---'] : []),
      ...added.map((line) => `> ${line}`),
    );
    left += removed.length;
    right += added.length;
  }
  return lines;
}

/** Programs that work on text, and those of a shell. */
export const TEXT_COMMANDS: readonly LabCommand[] = [
  ...FILTERS,
  ...FILE_COMMANDS,
  ...EVERYDAY_COMMANDS,
  cat,
  diff,
  echo,
  wait,
];
