import { CommandError } from '../../session/command.js';
import type { LabCommand, CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import type { Options } from '../../session/options.js';
import { inputOf, linesFor, linesOf, patternOf, whole } from './input.js';

const SWITCHES = ['-v', '-i', '-c', '-o', '-n', '-q', '-w', '-x', '-E', '-F', '-P', '-s'];
const COUNTS = ['-A', '-B', '-C', '-m'];
/** Options for which lines around the match are kept. */
const FOLLOWS = ['-A', '-B', '-C'];

/** `grep`, with context and line numbers. Exit code 1 where nothing matches. */
export const grep: LabCommand = {
  name: 'grep',
  usage: '[-v] [-i] [-c] [-o] [-n] [-q] [-w] [-x] [-E | -F] [-A|-B|-C LINES] [-m COUNT] PATTERN [FILE...]',
  help: 'Prints the lines that match.',
  async run(args, io) {
    const options = parseOptions('grep', args, [
      ...SWITCHES.map((name) => ({ name, short: name })),
      ...COUNTS.map((name) => ({ name, short: name, value: true })),
      { name: '-e', short: '-e', value: true },
      { name: '--color' },
    ]);
    const words = [...options.words, ...options.rest];
    const [pattern, ...files] = options.has('-e') ? [options.get('-e')!, ...words] : words;
    if (pattern === undefined) throw new CommandError('grep: got no pattern', 2);
    const matcher = matcherOf(pattern, options);
    const most = options.has('-m') ? countOf(options, '-m') : Infinity;
    if (FOLLOWS.every((name) => !options.has(name))) return follow(files, matcher, options, most, io);
    const lines = linesOf(await inputOf('grep', files, io));
    const hits = lines.flatMap((line, i) => (matcher.test(line) === options.has('-v') ? [] : [i])).slice(0, most);
    show(lines, hits, options, io);
    return hits.length > 0 ? 0 : 1;
  },
};

/** Lines as they come, so that what never ends can be looked through. */
async function follow(
  files: readonly string[],
  matcher: RegExp,
  options: Options,
  most: number,
  io: CommandIo,
): Promise<number> {
  let hits = 0;
  let number = 0;
  if (most > 0)
    for await (const line of linesFor('grep', files, io)) {
      number++;
      if (matcher.test(line) === options.has('-v')) continue;
      hits++;
      if (options.has('-q')) return 0;
      const mark = options.has('-n') ? `${number}:` : '';
      if (options.has('-o'))
        for (const [found] of line.matchAll(new RegExp(matcher, `${matcher.flags}g`))) io.write(`${mark}${found}\n`);
      else if (!options.has('-c')) io.write(`${mark}${line}\n`);
      if (hits >= most) break;
    }
  if (options.has('-c') && !options.has('-q')) io.write(`${hits}\n`);
  return hits > 0 ? 0 : 1;
}

const countOf = (options: Options, name: string): number => whole(`grep: ${name}`, options.get(name)!, 0, 1_000_000);

function matcherOf(pattern: string, options: Options): RegExp {
  const plain = options.has('-F')
    ? pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    : patternOf('grep', pattern, { extended: options.has('-E') || options.has('-P') }).source;
  const edged = options.has('-x') ? `^(?:${plain})$` : options.has('-w') ? `(?<!\\w)(?:${plain})(?!\\w)` : plain;
  return new RegExp(edged, options.has('-i') ? 'i' : '');
}

/** The lines found with those around them; groups that do not touch are parted by `--`. */
function show(lines: readonly string[], hits: readonly number[], options: Options, io: CommandIo): void {
  const around = options.has('-C') ? countOf(options, '-C') : 0;
  const before = options.has('-B') ? countOf(options, '-B') : around;
  const after = options.has('-A') ? countOf(options, '-A') : around;
  const found = new Set(hits);
  let last = -1;
  for (const hit of hits) {
    const from = Math.max(last + 1, hit - before);
    if (last >= 0 && from > last + 1 && before + after > 0) io.write('--\n');
    for (let at = from; at <= Math.min(lines.length - 1, hit + after); at++) {
      // What belongs to the next match is left to it.
      if (at > hit && found.has(at)) break;
      io.write(`${options.has('-n') ? `${at + 1}${found.has(at) ? ':' : '-'}` : ''}${lines[at]!}\n`);
      last = at;
    }
  }
}
