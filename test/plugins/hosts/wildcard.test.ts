import { expect, it } from 'vitest';
import { wildcardOf } from '../../../src/plugins/hosts/host-map.js';

it.each([
  ['a.example.', '*.example.'],
  ['a.b.example.', '*.b.example.'],
  ['a\\.b.example.', '*.example.'],
  ['\\.a.example.', '*.example.'],
  ['a\\\\.example.', '*.example.'],
  ['example.', undefined],
  ['.', undefined],
])('the wildcard that %s falls under', (name, want) => {
  expect(wildcardOf(name)).toBe(want);
});
