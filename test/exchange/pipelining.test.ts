import { describe, expect, it } from 'vitest';
import { Pipelining, type AnswerTimes } from '../../src/exchange/pipelining.js';

const answer = (took: number, parts: Partial<AnswerTimes> = {}): AnswerTimes => ({
  took,
  sinceLast: Infinity,
  queued: false,
  alone: took > 10,
  ...parts,
});
const repeat = (count: number, answers: (i: number) => AnswerTimes): AnswerTimes[] =>
  Array.from({ length: count }, (_, i) => answers(i));

describe('Pipelining', () => {
  it.each<{ name: string; answers: AnswerTimes[]; depth: number }>([
    { name: 'nothing', answers: [], depth: 1 },
    { name: '63 prompt answers', answers: repeat(63, () => answer(1)), depth: 1 },
    { name: '100 prompt answers', answers: repeat(100, () => answer(1)), depth: 2 },
    { name: '600 prompt answers', answers: repeat(600, () => answer(1)), depth: 64 },
    { name: 'a far upstream', answers: repeat(600, () => answer(80, { alone: false })), depth: 64 },
    {
      name: 'all late at once, which is not the upstream',
      answers: repeat(600, (i) => answer(i % 10 === 0 ? 50 : 1, { alone: false })),
      depth: 64,
    },
    { name: 'a tenth slow', answers: repeat(600, (i) => answer(i % 10 === 0 ? 300 : 1)), depth: 1 },
    { name: 'a hundredth slow', answers: repeat(1000, (i) => answer(i % 100 === 99 ? 300 : 1)), depth: 1 },
    { name: 'one slow long ago', answers: [answer(1), answer(300), ...repeat(900, () => answer(1))], depth: 64 },
    {
      name: 'queries behind others lose nothing',
      answers: repeat(600, (i) => (i % 4 ? answer(1, { queued: true, sinceLast: 0 }) : answer(1))),
      depth: 64,
    },
    {
      name: 'queries behind others lose 0.2 ms each',
      answers: repeat(3000, (i) => (i % 10 ? answer(1 + (i % 10) * 0.2, { queued: true, sinceLast: 0.2 }) : answer(1))),
      depth: 11,
    },
    {
      name: 'queries behind others lose 20 ms each',
      answers: [
        ...repeat(300, () => answer(20)),
        ...repeat(20, (i) => answer(20 + 20 * i, { queued: i > 0, sinceLast: 20, alone: false })),
      ],
      depth: 1,
    },
  ])('allows after $name: $depth', ({ answers, depth }) => {
    const pipelining = new Pipelining();
    for (const each of answers) pipelining.answered(each);
    expect(pipelining.depth).toBe(depth);
  });

  it('asks for longer series of prompt answers each time that a query was held up, until it was deep for long', () => {
    const pipelining = new Pipelining();
    const prompt = (): number => {
      let count = 0;
      for (; pipelining.depth < 2; count++) pipelining.answered(answer(1));
      return count;
    };
    const series: number[] = [];
    for (let i = 0; i < 4; i++) {
      series.push(prompt());
      pipelining.heldUp();
    }
    expect(series).toEqual([89, 128, 256, 512]);
    for (let i = 0; i < 5000; i++) pipelining.answered(answer(1));
    pipelining.heldUp();
    expect(prompt()).toBe(128);
  });

  it('calls a server that answers in any order one that does not after three queries held up, in between none overtaking', () => {
    const pipelining = new Pipelining();
    pipelining.overtook();
    expect([pipelining.depth, pipelining.fullAt]).toEqual([1024, 32]);
    pipelining.heldUp();
    pipelining.heldUp();
    pipelining.overtook();
    pipelining.heldUp();
    pipelining.heldUp();
    expect(pipelining.anyOrder).toBe(true);
    pipelining.heldUp();
    expect(pipelining.anyOrder).toBe(false);
    expect(pipelining.depth).toBe(1);
  });

  it.each([
    { usual: 0.2, slowAfter: 2.6 },
    { usual: 20, slowAfter: 62 },
  ])('calls silence slow after three times the usual $usual ms and 2 ms more', ({ usual, slowAfter }) => {
    const pipelining = new Pipelining();
    expect(pipelining.slowAfter).toBe(100);
    for (let i = 0; i < 100; i++) pipelining.answered(answer(i % 10 === 0 ? 300 : usual));
    for (let i = 0; i < 100; i++) pipelining.answered(answer(usual));
    expect(pipelining.slowAfter).toBeCloseTo(slowAfter, 0);
  });
});
