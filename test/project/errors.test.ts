import { readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, NodensError, exitCodeOf, isExpected, placeFrom } from '../../src/lib/errors.js';
import { FlagError } from '../../src/lib/go-flags.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const sources = globSync('src/**/*.ts', { cwd: ROOT, ignore: ['src/lib/errors.ts'] }).map(read);

describe('error codes', () => {
  it('are those that docs/ERRORS.md lists, with the same words', () =>
    expect(
      Object.fromEntries([...read('docs/ERRORS.md').matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map((row) => row.slice(1))),
    ).toEqual(ERROR_CODES));

  it('are all used', () =>
    expect(Object.keys(ERROR_CODES).filter((code) => !sources.some((source) => source.includes(`'${code}'`)))).toEqual(
      [],
    ));

  it('belong to every class of errors but those that stand for errors of the system, and a jump', () => {
    const classes = sources.flatMap((source) => [...source.matchAll(/class (\w+) extends Error\b/g)].map(([, n]) => n));
    expect(classes.sort()).toEqual(['BpfError', 'SocketError', 'Unwind']);
  });
});

describe('NodensError', () => {
  const rows: [string, unknown, { expected: boolean; exit: number }][] = [
    ['one of ours', new NodensError('NODENS_NAME', 'no name'), { expected: true, exit: 1 }],
    ['a bad command line', new FlagError('no such flag'), { expected: true, exit: 2 }],
    ['an exit code of its own', new NodensError('NODENS_NAME', 'x', { exitCode: 127 }), { expected: true, exit: 127 }],
    ['the system refuses', Object.assign(new Error('no such file'), { code: 'ENOENT' }), { expected: true, exit: 1 }],
    [
      'Node finds a fault',
      Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
      { expected: false, exit: 1 },
    ],
    ['a fault', new TypeError('x is not a function'), { expected: false, exit: 1 }],
    ['no error at all', 'text', { expected: false, exit: 1 }],
  ];
  it.each(rows)('%s', (_, error, want) =>
    expect({ expected: isExpected(error), exit: exitCodeOf(error) }).toEqual(want),
  );

  it('is known across copies of the module, and its own classes are not mixed up', () => {
    const copy = Object.assign(new Error('from a bundle'), { exitCode: 2, [Symbol.for('nodens.error')]: true });
    expect([copy instanceof NodensError, copy instanceof FlagError, exitCodeOf(copy)]).toEqual([true, false, 2]);
    expect(new NodensError('NODENS_FLAG', 'x') instanceof FlagError).toBe(false);
  });

  it.each([
    ['a.yaml:3:9', { file: 'a.yaml', line: 3, column: 9 }],
    ['a.lab:3', { file: 'a.lab', line: 3 }],
    ['two-nodes', { file: 'two-nodes' }],
  ])('the place %s', (text, place) => expect(placeFrom(text)).toEqual(place));
});
