import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CorefileEntry } from '../../src/corefile/entry.js';
import { CorefileError } from '../../src/corefile/errors.js';
import { parseCorefile } from '../../src/corefile/load.js';
import { memoryFiles } from './memory-files.js';

const SEED = 20250730;
const PIECES = [
  '.',
  ':53',
  'a.org',
  ',',
  '{',
  '}',
  '"',
  '\\',
  '#',
  '\n',
  ' ',
  '\r',
  'import ',
  '(a)',
  'a',
  'f',
  'log',
  '{$X}',
  '{%Y%}',
  '{$',
  '%}',
  '{args[0]}',
  '{args[:]}',
  '{args[',
  '10.0.0.0/9',
  '::/3',
  'tls://',
  '*',
  '?',
  '[',
  ']',
  'é',
  '\0',
  '\u2028',
];
const piecemeal = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(''));
const bytes = fc.uint8Array({ maxLength: 400 }).map((octets) => Buffer.from(octets).toString('utf8'));

function mustParseOrRefuse(text: string, file: string, env: string): void {
  const options = memoryFiles({ '/etc/dns/f': file, '/etc/dns/a': text }, { X: env, Y: '{$X}' });
  try {
    const corefile = parseCorefile({ name: 'Corefile', text }, options);
    expect(corefile.digest()).toMatch(/^[0-9a-f]{128}$/);
    for (const block of corefile.blocks) expect(block.keys.length).toBeGreaterThan(0);
  } catch (error) {
    if (!(error instanceof CorefileError)) throw error;
    expect(error.message.startsWith(`${error.file}:${error.line}: `)).toBe(true);
    expect(error.line).toBeGreaterThan(0);
  }
}

describe('any text', () => {
  it('of random bytes is parsed or refused', () =>
    fc.assert(fc.property(bytes, bytes, bytes, mustParseOrRefuse), { seed: SEED, numRuns: 500 }));
  it('of pieces of the language is parsed or refused', () =>
    fc.assert(fc.property(piecemeal, piecemeal, piecemeal, mustParseOrRefuse), { seed: SEED, numRuns: 2000 }));

  it.each([
    { name: 'opening braces', text: '{ '.repeat(50_000) },
    { name: 'nested blocks', text: `. {\n${'a {\n'.repeat(50_000)}` },
    { name: 'quotes', text: '"" '.repeat(50_000) },
    { name: 'backslashes', text: `"${'\\'.repeat(100_000)}` },
    { name: 'brackets in an import', text: `import ${'['.repeat(100_000)}` },
    { name: 'a long key', text: `${':'.repeat(100_000)}` },
    {
      name: 'a long word of placeholders',
      text: `(a) {\n log ${'{args[0]}'.repeat(10_000)}\n}\n. {\n import a ${'x'.repeat(1000)}\n}`,
    },
    { name: 'many variables', text: `. {\n log ${'{$X}'.repeat(20_000)}\n}` },
  ])('of very many $name ends soon', { timeout: 10_000 }, ({ text }) => mustParseOrRefuse(text, '', 'x'));
});

/** Writes a word so that it is read back as it is, wherever it stands. */
const quote = (word: string): string => `"${word.replaceAll('"', '\\"')}"`;
interface Line {
  words: string[];
  block: Line[] | undefined;
}
// A backslash before a quote or at the end could not be told from an escape; `{$` and `{%` would be variables.
const word = fc.string({ maxLength: 8 }).filter((text) => !/\\"|\\$|\{[$%]/.test(text));
const { line } = fc.letrec<{ line: Line }>((tie) => ({
  line: fc.record({
    words: fc.array(word, { minLength: 1, maxLength: 4 }),
    block: fc.option(fc.array(tie('line'), { maxLength: 3 }), {
      nil: undefined,
      depthIdentifier: 'block',
      maxDepth: 3,
    }),
  }),
}));
const write = ({ words, block }: Line): string =>
  words.map(quote).join(' ') + (block ? ` {\n${block.map((inner) => `${write(inner)}\n`).join('')}}` : '');
const read = (entry: CorefileEntry): Line => ({ words: [entry.name, ...entry.args], block: entry.options?.map(read) });

describe('what is written in quotes', () => {
  it('is read back', () =>
    fc.assert(
      fc.property(
        fc.array(
          line.filter(({ words }) => !words[0]!.startsWith('(')),
          { maxLength: 4 },
        ),
        (lines) => {
          const text = `. {\n${lines.map((one) => `${write(one)}\n`).join('')}}\n`;
          expect(parseCorefile({ name: 'Corefile', text }).blocks[0]!.directives.map(read)).toEqual(lines);
        },
      ),
      { seed: SEED, numRuns: 300 },
    ));
});
