import { awk } from './awk/awk.js';
import { CommandError } from '../../session/command.js';
import type { LabCommand } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { grep } from './grep.js';
import { inputOf, linesFor, linesOf, print, whole } from './input.js';
import { QUERIES } from './query.js';
import { sed } from './sed.js';

/** `head` and `tail`; the count may begin with `+` (tail) or `-` (head), and then counts from the other end. */
const ends = (name: 'head' | 'tail'): LabCommand => ({
  name,
  usage: '[-n COUNT] [FILE...]',
  help: `Prints the ${name === 'head' ? 'first' : 'last'} lines, 10 when nothing is said.`,
  async run(args, io) {
    const options = parseOptions(
      name,
      args.map((arg, i) => (/^-\d+$/.test(arg) && args[i - 1] !== '-n' ? `-n${arg.slice(1)}` : arg)),
      [{ name: '-n', short: '-n', value: true }],
    );
    const text = options.get('-n') ?? '10';
    const turned = name === 'tail' ? text.startsWith('+') : text.startsWith('-');
    const count = whole(`${name}: -n`, turned ? text.slice(1) : text, 0, 1_000_000);
    if (name === 'head' && !turned) {
      let left = count;
      // What comes after the last line that is wanted is not waited for.
      if (left > 0)
        for await (const line of linesFor(name, options.words, io)) {
          io.write(`${line}\n`);
          if (--left === 0) break;
        }
      return 0;
    }
    const lines = linesOf(await inputOf(name, options.words, io));
    if (name === 'head') print(io, lines.slice(0, Math.max(0, lines.length - count)));
    else print(io, turned ? lines.slice(Math.max(0, count - 1)) : lines.slice(Math.max(0, lines.length - count)));
    return 0;
  },
});

const wc: LabCommand = {
  name: 'wc',
  usage: '[-l] [-w] [-c] [FILE...]',
  help: 'Counts lines, words and bytes.',
  async run(args, io) {
    const options = parseOptions('wc', args, [
      { name: '-l', short: '-l' },
      { name: '-w', short: '-w' },
      { name: '-c', short: '-c' },
    ]);
    const text = await inputOf('wc', options.words, io);
    const counts: readonly (readonly [string, number])[] = [
      ['-l', text.split('\n').length - 1],
      ['-w', text.split(/\s+/).filter((word) => word !== '').length],
      ['-c', Buffer.byteLength(text)],
    ];
    const asked = counts.filter(([name]) => options.has(name));
    const shown = asked.length > 0 ? asked : counts;
    io.write(
      `${shown.length === 1 ? String(shown[0]![1]) : shown.map(([, count]) => String(count).padStart(7)).join(' ')}\n`,
    );
    return 0;
  },
};

/** The number at the start of a text; 0 where there is none, as sort has it. */
const leading = (text: string): number => Number(/^\s*-?\d+(\.\d+)?/.exec(text)?.[0] ?? 0);

const sort: LabCommand = {
  name: 'sort',
  usage: '[-n] [-r] [-u] [-k COLUMN] [FILE...]',
  help: 'Sorts lines.',
  async run(args, io) {
    const options = parseOptions(
      'sort',
      args,
      [{ name: '-u' }, { name: '-n' }, { name: '-r' }, { name: '-k', value: true }].map((spec) => ({
        ...spec,
        short: spec.name,
      })),
    );
    const column = options.has('-k') ? whole('sort: -k', options.get('-k')!.replace(/,.*$/, ''), 1, 1000) : 0;
    const keyOf = (line: string): string =>
      column === 0
        ? line
        : line
            .trim()
            .split(/\s+/)
            .slice(column - 1)
            .join(' ');
    const compare = (a: string, b: string): number =>
      (options.has('-n') ? leading(keyOf(a)) - leading(keyOf(b)) : 0) || order(keyOf(a), keyOf(b)) || order(a, b);
    const lines = linesOf(await inputOf('sort', options.words, io)).sort((a, b) =>
      options.has('-r') ? -compare(a, b) : compare(a, b),
    );
    print(io, options.has('-u') ? [...new Set(lines)] : lines);
    return 0;
  },
};

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const uniq: LabCommand = {
  name: 'uniq',
  usage: '[-c] [-d] [FILE...]',
  help: 'Prints each run of equal lines once.',
  async run(args, io) {
    const options = parseOptions('uniq', args, [
      { name: '-c', short: '-c' },
      { name: '-d', short: '-d' },
    ]);
    const runs: { readonly line: string; count: number }[] = [];
    for await (const line of linesFor('uniq', options.words, io)) {
      const last = runs.at(-1);
      if (last?.line === line) last.count++;
      else runs.push({ line, count: 1 });
    }
    for (const { line, count } of runs)
      if (!options.has('-d') || count > 1)
        io.write(`${options.has('-c') ? `${String(count).padStart(7)} ` : ''}${line}\n`);
    return 0;
  },
};

const cut: LabCommand = {
  name: 'cut',
  usage: '-d SIGN -f FIELDS [FILE...]',
  help: 'Prints fields of each line.',
  async run(args, io) {
    // The sign may be one that would part an option from its value: -d=
    const parted = args.flatMap((arg) => (/^-d./.test(arg) ? ['-d', arg.slice(2)] : [arg]));
    const options = parseOptions('cut', parted, [
      { name: '-d', short: '-d', value: true },
      { name: '-f', short: '-f', value: true },
    ]);
    const sign = options.get('-d') ?? '\t';
    const ranges = (options.get('-f') ?? '').split(',').map((part) => /^(\d*)(-?)(\d*)$/.exec(part));
    if (!ranges.every((range) => range && (range[1] !== '' || range[3] !== '')))
      throw new CommandError(`cut: -f: got "${options.get('-f') ?? ''}", allowed: numbers and ranges such as 1,3-5`);
    const wanted = (field: number): boolean =>
      ranges.some((range) => {
        const [, from = '', dash = '', to = ''] = range!;
        return field >= Number(from || 1) && field <= (dash === '' ? Number(from) : to === '' ? Infinity : Number(to));
      });
    for await (const line of linesFor('cut', options.words, io))
      io.write(
        `${
          line.includes(sign)
            ? line
                .split(sign)
                .filter((_, i) => wanted(i + 1))
                .join(sign)
            : line
        }\n`,
      );
    return 0;
  },
};

const tr: LabCommand = {
  name: 'tr',
  usage: '[-d] [-s] SIGNS [SIGNS]',
  help: 'Replaces or deletes single characters.',
  async run(args, io) {
    const options = parseOptions('tr', args, [
      { name: '-d', short: '-d' },
      { name: '-s', short: '-s' },
    ]);
    const spread = (set: string): string[] => [
      ...set
        .replaceAll('\\n', '\n')
        .replaceAll('\\t', '\t')
        .replace(/(.)-(.)/g, (_, from: string, to: string) => {
          const [low, high] = [from.charCodeAt(0), to.charCodeAt(0)];
          if (high < low)
            throw new CommandError(`tr: range-endpoints of '${from}-${to}' are in reverse collating sequence order`);
          return String.fromCharCode(...Array.from({ length: high - low + 1 }, (__, i) => low + i));
        }),
    ];
    const [from, to] = options.words.map(spread);
    if (!from || (!to && !options.has('-d') && !options.has('-s')))
      throw new CommandError(`tr: allowed: tr ${tr.usage}`);
    let text = [...(await inputOf('tr', [], io))]
      .map((sign) =>
        !from.includes(sign) ? sign : options.has('-d') ? '' : to ? (to[from.indexOf(sign)] ?? to.at(-1)!) : sign,
      )
      .join('');
    if (options.has('-s'))
      for (const sign of to ?? from) while (text.includes(sign + sign)) text = text.replaceAll(sign + sign, sign);
    io.write(text);
    return 0;
  },
};

/** Pagers: the terminal scrolls. */
const pager = (name: string): LabCommand => ({
  name,
  usage: '[FILE...]',
  help: 'Prints its input; your terminal scrolls.',
  async run(args, io) {
    io.write(
      await inputOf(
        name,
        args.filter((arg) => !arg.startsWith('-')),
        io,
      ),
    );
    return 0;
  },
});

const tee: LabCommand = {
  name: 'tee',
  usage: '[-a] FILE...',
  help: 'Prints its input and writes it to files of this session.',
  async run(args, io) {
    const options = parseOptions('tee', args, [{ name: '-a', short: '-a' }]);
    if (options.words.length === 0) throw new CommandError('tee: allowed: tee [-a] FILE...');
    let text = '';
    for await (const line of linesFor('tee', [], io)) {
      text += `${line}\n`;
      io.write(`${line}\n`);
    }
    for (const file of options.words)
      io.session.store.write(
        file,
        `${options.has('-a') && io.session.store.kind(file) === 'file' ? io.session.read(file) : ''}${text}`,
      );
    return 0;
  },
};

/** Programs that stand behind a pipe. */
export const FILTERS: readonly LabCommand[] = [
  grep,
  sed,
  ends('head'),
  ends('tail'),
  wc,
  sort,
  uniq,
  cut,
  awk,
  tr,
  tee,
  ...QUERIES,
  pager('less'),
  pager('more'),
];
