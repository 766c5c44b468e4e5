import { expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { OutstandingIds } from '../../src/exchange/outstanding-ids.js';

const attempt = (): Attempt => new Attempt(Buffer.alloc(12), 12, undefined);
/** Gives these numbers, one after the other. */
const drawing = (...numbers: number[]): { uint32: () => number } => ({ uint32: () => numbers.shift()! });

it('an id has the low 16 bits of a number that is drawn, until nobody has it', () => {
  const ids = new OutstandingIds();
  const random = drawing(0x1234_ffff, 0x7777_ffff, 0xffff, 0x1_0006);
  const [one, other] = [attempt(), attempt()];
  ids.add(one, random);
  ids.add(other, random);
  expect([one.id, other.id]).toEqual([0xffff, 6]);
  expect([ids.get(0xffff), ids.get(6), ids.size]).toEqual([one, other, 2]);
});

it('an attempt is taken out once, and only where it was', () => {
  const [ids, elsewhere] = [new OutstandingIds(), new OutstandingIds()];
  const [one, other] = [attempt(), attempt()];
  ids.add(one, drawing(5));
  elsewhere.add(other, drawing(5));
  expect([ids.remove(other), ids.remove(one), ids.remove(one), ids.size]).toEqual([false, true, false, 0]);
});

it('all are taken out at once', () => {
  const ids = new OutstandingIds();
  const all = [attempt(), attempt()];
  for (const each of all) ids.add(each, drawing(each === all[0] ? 1 : 2));
  expect(new Set(ids.clear())).toEqual(new Set(all));
  expect([ids.size, ids.get(1), ids.clear()]).toEqual([0, undefined, []]);
});

it('what nobody waits for is under way no more when it is dropped', () => {
  const ids = new OutstandingIds();
  const all = [attempt(), attempt(), attempt()];
  const transport = { forget: () => undefined, timeout: () => new Error('late') };
  all.forEach((each, i) => {
    each.sentAt = 998 + i;
    each.transport = transport;
    ids.add(each, drawing(i));
  });
  expect(ids.dropAbandoned(1000)).toBe(2);
  expect(all.map((each) => each.transport)).toEqual([undefined, undefined, transport]);
  expect(ids.all()).toEqual([all[2]]);
});
