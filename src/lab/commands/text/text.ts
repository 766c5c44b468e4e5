import { createTwoFilesPatch, diffLines } from 'diff';
import { CommandError } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { FILTERS } from './filters.js';
import { inputOf, linesOf, print } from './input.js';
import { echo, wait } from './shell-words.js';
import { nodeNamed, nodeContext } from '../target/targets.js';

const cat: LabCommand = {
  name: 'cat',
  usage: '[FILE...]',
  help: 'Prints files: those written with > in this session, or yours.',
  run(args, io) {
    // Files of the node are looked at before those of the machine that the lab runs on.
    const node = nodeContext(io.lab, nodeNamed(io.lab, io.node));
    for (const file of args.length === 0 ? ['-'] : args)
      io.write((file.startsWith('/etc/') ? node.read(file) : undefined) ?? inputOf('cat', [file], io));
    return 0;
  },
};

const diff: LabCommand = {
  name: 'diff',
  usage: '[-u] FILE FILE',
  help: 'Prints the differences between two files.',
  run(args, io) {
    const options = parseOptions('diff', args, [{ name: '-u' }]);
    const [before, after, extra] = options.words;
    if (before === undefined || after === undefined || extra !== undefined)
      throw new CommandError('diff: allowed: diff [-u] FILE FILE', 2);
    const [old, next] = [io.session.read(before), io.session.read(after)];
    if (old === next) return 0;
    if (options.has('-u'))
      io.write(
        createTwoFilesPatch(before, after, old, next, undefined, undefined, {
          headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
        }),
      );
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

const fg: LabCommand = {
  name: 'fg',
  usage: '',
  help: 'Ends the newest background program (&) and prints its output.',
  run: (_args, io) => io.session.foreground((text) => io.write(text)),
};

/** Programs that work on text, and those of a shell. */
export const TEXT_COMMANDS: readonly LabCommand[] = [...FILTERS, cat, diff, echo, wait, fg];
