import { CommandError } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { linesFor, linesOf, inputOf, print } from './input.js';

const MOST = 100_000;

const seq: LabCommand = {
  name: 'seq',
  usage: '[FIRST [STEP]] LAST',
  help: 'Prints numbers.',
  run(args, io) {
    const numbers = args.map(Number);
    if (numbers.length === 0 || numbers.length > 3 || numbers.some(Number.isNaN))
      throw new CommandError(`seq: got "${args.join(' ')}", allowed: [FIRST [STEP]] LAST`);
    const [first, step, last] =
      numbers.length === 1
        ? [1, 1, numbers[0]!]
        : numbers.length === 2
          ? [numbers[0]!, 1, numbers[1]!]
          : (numbers as [number, number, number]);
    if (step === 0) throw new CommandError('seq: got the step 0, allowed: any other');
    const count = Math.min(MOST, Math.floor((last - first) / step) + 1);
    for (let i = 0; i < count; i++) io.write(`${first + i * step}\n`);
    return 0;
  },
};

const DATE: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  N: (date) => `${String(date.getUTCMilliseconds()).padStart(3, '0')}000000`,
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  Z: () => 'UTC',
  z: () => '+0000',
  a: (date) => date.toUTCString().slice(0, 3),
  b: (date) => date.toUTCString().slice(8, 11),
  '%': () => '%',
};
const two = (value: number): string => String(value).padStart(2, '0');

const date: LabCommand = {
  name: 'date',
  usage: '[-u] [-I] [+FORMAT]',
  help: "Prints the time of the lab's clock.",
  run(args, io) {
    const now = new Date(io.lab.clock.now());
    const usual = args.includes('-I') ? '%F' : '%a %b %d %H:%M:%S %Z %Y';
    const format = args.find((arg) => arg.startsWith('+'))?.slice(1) ?? usual;
    const unknown = args.find((arg) => !/^(\+|-u$|--utc$|-I$)/.test(arg));
    if (unknown !== undefined) throw new CommandError(`date: got ${unknown}, allowed: [-u] [-I] [+FORMAT]`);
    return print(io, [format.replace(/%([A-Za-z%])/g, (all, sign: string) => DATE[sign]?.(now) ?? all)]);
  },
};

const plain = (name: string, help: string, text: (io: Parameters<LabCommand['run']>[1]) => string): LabCommand => ({
  name,
  usage: '',
  help,
  run: (_args, io) => print(io, [text(io)]),
});

/** What Ubuntu 24.04 had when the write-ups were made. */
const KERNEL = '6.8.0-64-generic';

const uname: LabCommand = {
  name: 'uname',
  usage: '[-a] [-r]',
  help: 'Names the system of the node.',
  run(args, io) {
    return print(io, [
      args.includes('-a')
        ? `Linux ${io.node} ${KERNEL} #67-Ubuntu SMP PREEMPT_DYNAMIC x86_64 x86_64 x86_64 GNU/Linux`
        : args.includes('-r')
          ? KERNEL
          : args.includes('-n')
            ? io.node
            : 'Linux',
    ]);
  },
};

/** Programs that change the order of lines or signs. */
const turned = (name: 'tac' | 'rev' | 'nl'): LabCommand => ({
  name,
  usage: '[FILE...]',
  help: {
    tac: 'Prints lines, the last one first.',
    rev: 'Turns each line around.',
    nl: 'Numbers lines.',
  }[name],
  async run(args, io) {
    const lines = linesOf(
      await inputOf(
        name,
        args.filter((arg) => !/^-./.test(arg)),
        io,
      ),
    );
    if (name === 'tac') return print(io, lines.reverse());
    if (name === 'rev')
      return print(
        io,
        lines.map((line) => [...line].reverse().join('')),
      );
    return print(
      io,
      lines.map((line, i) => `${String(i + 1).padStart(6)}\t${line}`),
    );
  },
});

const column: LabCommand = {
  name: 'column',
  usage: '-t [-s SIGN] [FILE...]',
  help: 'Sets columns below each other.',
  async run(args, io) {
    const at = args.indexOf('-s');
    const sign = at >= 0 ? args[at + 1] : undefined;
    const files = args.filter((arg, i) => !/^-./.test(arg) && (at < 0 || i !== at + 1));
    const rows: string[][] = [];
    for await (const line of linesFor('column', files, io))
      if (line.trim() !== '') rows.push(sign === undefined ? line.trim().split(/\s+/) : line.split(sign));
    if (!args.includes('-t'))
      return print(
        io,
        rows.map((row) => row.join(' ')),
      );
    const widths: number[] = [];
    for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
    return print(
      io,
      rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  ')),
    );
  },
};

/** Programs that people type without thinking of them. */
export const EVERYDAY_COMMANDS: readonly LabCommand[] = [
  seq,
  date,
  plain('whoami', 'Names the user.', () => 'root'),
  plain('id', 'Names the user and its groups.', () => 'uid=0(root) gid=0(root) groups=0(root)'),
  uname,
  turned('tac'),
  turned('rev'),
  turned('nl'),
  column,
  {
    name: 'clear',
    usage: '',
    help: 'Empties the terminal.',
    run(_args, io) {
      if (io.interactive) io.write('\u001b[H\u001b[2J\u001b[3J');
      return 0;
    },
  },
];
