import { describe, expect, it } from 'vitest';
import { isSame } from '../../src/kube/store/same.js';

describe('objects', () => {
  it.each([
    { name: 'texts', one: 'a', other: 'a', same: true },
    { name: 'other texts', one: 'a', other: 'b', same: false },
    { name: 'what is missing and what is undefined', one: { a: 1, b: undefined }, other: { a: 1 }, same: true },
    { name: 'what is missing and what is empty', one: { a: 1, b: '' }, other: { a: 1 }, same: false },
    { name: 'lists', one: { a: [{ b: 1 }, 2] }, other: { a: [{ b: 1 }, 2] }, same: true },
    { name: 'lists in another order', one: [1, 2], other: [2, 1], same: false },
    { name: 'a list and its beginning', one: [1, 2], other: [1], same: false },
    { name: 'a list and an object', one: [], other: {}, same: false },
    { name: 'a number and an empty object', one: 1, other: {}, same: false },
    { name: 'an object and nothing', one: {}, other: null, same: false },
    { name: 'an object and one of its members', one: { a: { b: 1 } }, other: { a: 1 }, same: false },
  ])('are compared: $name', ({ one, other, same }) => {
    expect(isSame(one, other)).toBe(same);
    expect(isSame(other, one)).toBe(same);
  });
});
