import { expect, it } from 'vitest';
import type { NotedAnswer } from '../../src/fastpath/hit-notes.js';
import { NotedAnswers } from '../../src/fastpath/noted-answers.js';

const note = (slot: number, sequence: number): NotedAnswer => ({
  ...{ slot, sequence, id: 1, queryFlags: 0, size: 30, maxSize: 512, elapsed: 0 },
  remote: { address: '192.0.2.1', port: 1 },
});

it.each([
  { name: 'the answer that is there', told: ['new'], tell: [7, 6], lost: 0 },
  { name: 'one that has just left', told: ['old'], tell: [7, 4], lost: 0 },
  { name: 'one that has left a while ago', ages: 1, told: ['old'], tell: [7, 4], lost: 0 },
  { name: 'one that left long ago', ages: 2, told: [], tell: [7, 4], lost: 1 },
  { name: 'one that was never there', told: [], tell: [8, 4], lost: 1 },
] as const)('a note of $name is told: $told', ({ ages = 0, told, tell, lost }: { ages?: number } & Case) => {
  const answers = new NotedAnswers();
  const heard: string[] = [];
  answers.add(7, 4, [() => heard.push('old')]);
  answers.leave(7);
  answers.add(7, 6, [() => heard.push('new')]);
  for (let i = 0; i < ages; i++) answers.age();
  answers.tell(note(...tell));
  expect(heard).toEqual(told);
  expect([answers.age(), answers.age()]).toEqual([lost, 0]);
});

interface Case {
  readonly told: readonly string[];
  readonly tell: readonly [slot: number, sequence: number];
  readonly lost: number;
}
