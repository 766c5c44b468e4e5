import { expect, it } from 'vitest';
import { ZoneLoading, type ZoneData } from '../../src/zone/index.js';
import { recordsOf } from './zone.js';

const load = (names: number, before?: ZoneData): ZoneData => {
  const lines = Array.from({ length: names }, (_, i) => `n${i}.${'x'.repeat(i % 60)}y TXT "${'t'.repeat(i % 200)}"\n`);
  const text = `$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n${lines.join('')}`;
  const loading = new ZoneLoading('db', 'example.', () => Buffer.from(text), undefined, before);
  while (loading.step(1000) === 'more');
  return loading.zone;
};

it.each([
  { name: 'as large', before: 3000, after: 3000 },
  { name: 'larger', before: 3000, after: 20_000 },
  { name: 'smaller', before: 20_000, after: 10 },
  { name: 'larger than nothing', before: 0, after: 3000 },
])('a zone that takes the room of one before it: $name', ({ before, after }) =>
  expect(recordsOf(load(after, load(before)))).toEqual(recordsOf(load(after))),
);
