import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  draw,
  equivalence,
  isTopLevel,
  locate,
  mutated,
  mutationsOf,
  probed,
  type Fault,
} from '../../scripts/mutations.js';
import { seededRandom } from '../../src/lib/random.js';

const fault = (from: string, file = 'src/a.ts'): Fault => ({ id: 'X', file, from, to: 'b', harm: '', tests: [] });

describe('a fault of the table', () => {
  const sources = new Map([
    ['src/a.ts', 'const x = call(\n  one,\n  two,\n);\nreturn;\n'],
    ['src/b.ts', 'return;\nconst y = only.here;\n'],
  ]);
  it.each([
    { name: 'is found however it is laid out', from: 'call(one, two)', want: 'const x = b;\nreturn;\n' },
    { name: 'is looked for in its own file first', from: 'return;', want: 'const x = call(\n  one,\n  two,\n);\nb\n' },
    { name: 'is found in another file that alone has it', from: 'only.here', want: 'return;\nconst y = b;\n' },
  ])('$name', ({ from, want }) => {
    const place = locate(fault(from), sources);
    expect(typeof place === 'string' ? place : mutated(sources.get(place.file)!, place)).toBe(want);
  });

  it.each([
    { name: 'gone', fault: fault('nowhere()'), want: 'its text is not in the source any more' },
    { name: 'in several other files', fault: fault('return;', 'src/c.ts'), want: 'its text is in 2 places' },
  ])('that is $name is told', ({ fault: one, want }) => expect(locate(one, sources)).toBe(want));
});

describe('mutations that are drawn', () => {
  const text =
    "import { a } from './a.js';\ninterface I { x: 1 }\nif (a < 1 && !b) go();\nconst s = 'a' + b, t: 2 = two, on = true;\n";

  it('change operators, constants, conditions and statements, and no types or imports', () =>
    expect(mutationsOf('a.ts', text).map((one) => mutated(text, one).split('\n').slice(2, 4).join(' '))).toEqual([
      "if (!(a < 1 && !b)) go(); const s = 'a' + b, t: 2 = two, on = true;",
      "if (a < 1 || !b) go(); const s = 'a' + b, t: 2 = two, on = true;",
      "if (a <= 1 && !b) go(); const s = 'a' + b, t: 2 = two, on = true;",
      "if (a < 2 && !b) go(); const s = 'a' + b, t: 2 = two, on = true;",
      "if (a < 1 && !b) ; const s = 'a' + b, t: 2 = two, on = true;",
      "if (a < 1 && !b) go(); const s = 'a' + b, t: 2 = two, on = false;",
    ]));

  it.each([
    { number: '12', want: '13' },
    { number: '64', want: '32' },
    { number: '5_000', want: '2500' },
    { number: '0xff', want: '256' },
    { number: '0', want: '1' },
  ])('make $want of $number', ({ number, want }) =>
    expect(mutationsOf('a.ts', `f = ${number}`).map(({ to }) => to)).toContain(want),
  );

  it('have their places told when these are come to', () => {
    const source = `
      if (a < 1 || b) at = 2;
      class B extends A { constructor() { super(3); at = { 4: 5 }; for (const { 6: c } of [[]]) at = c; } }`;
    const places = mutationsOf('a.ts', source).map((mutation, place) => ({ mutation, place }));
    const come = (a: number): readonly string[] => {
      const reached = new Set<number>();
      const globals = { a, b: 0, at: 0, A: Object, __reached: (place: number) => reached.add(place) };
      runInNewContext(`${probed('a.ts', source, places)}; new B()`, globals);
      return places
        .filter(({ place }) => reached.has(place))
        .map(({ mutation: { start } }) => source.slice(start).split('\n')[0]!);
    };
    expect(come(0)).toHaveLength(places.length);
    expect(places.length - come(7).length).toBe(come(0).filter((text) => /^(?:at = )?2;/.test(text)).length);
  });

  it.each([
    { text: 'a.sort((b, c) => (b < c ? -1 : 1));', want: ['1', '1'] },
    { text: 'const [a, b] = c.split(d, 2);', want: ['2'] },
    { text: 'const [a, b, c] = d.split(e, 2);', want: [] },
    { text: 'const a = b.split(c, 2);', want: [] },
    { text: 'step(b < c ? -1 : 1);', want: [] },
    { text: 'a.sort((b, c) => (b < c ? -1 : 0));', want: ['1'] },
    { text: 'a.sort((b, c) => b.d - c.d || (b.e < c.e ? -1 : 1));', want: ['1', '1'] },
  ])('that nobody could notice are told by their form: $text', ({ text, want }) =>
    expect(
      mutationsOf('a.ts', text)
        .filter((mutation) => equivalence(text, mutation) !== undefined)
        .map(({ start, end }) => text.slice(start, end)),
    ).toEqual(want),
  );

  it('are told from those that are come to when a file is loaded', () => {
    const source = 'const a = 1;\nclass B { c = 2; d() { return 3; } }\nconst e = () => 4;\nif (a > 5) e();\n';
    const loaded = mutationsOf('a.ts', source).filter((mutation) => isTopLevel(source, mutation));
    expect([...new Set(loaded.map(({ start }) => /\d|\S+/.exec(source.slice(start))![0]))]).toEqual([
      '1',
      '2',
      'a',
      '>',
      '5',
      'e();',
    ]);
  });

  it('are the same for the same seed, and spread over files', () => {
    const sources = new Map(['a', 'b', 'c'].map((name) => [name, text]));
    const drawn = draw(sources, 3, seededRandom(7));
    expect(drawn).toEqual(draw(sources, 3, seededRandom(7)));
    expect(new Set(drawn.map(({ file }) => file)).size).toBe(3);
    expect(draw(sources, 1000, seededRandom(7))).toHaveLength(18);
  });
});
