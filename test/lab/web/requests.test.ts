import { describe, expect, it } from 'vitest';
import type { Lab } from '../../../src/lab/lab.js';
import { lookupOf } from '../../../src/lab/web/requests.js';

describe('a lookup of a pod that is not there', () => {
  const refused = (count: number): string => {
    const pods = Array.from({ length: count }, (_, i) => ({ namespace: 'x', name: `p${i}` }));
    const lab = { kubelet: { get: () => undefined, list: () => pods } } as unknown as Lab;
    try {
      lookupOf({ name: 'a.', pod: 'x/y' }, lab);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  const names = Array.from({ length: 12 }, (_, i) => `x/p${i}`).join(', ');
  it.each([
    { name: 'one other', count: 1, want: 'x/p0' },
    { name: 'twelve others', count: 12, want: names },
    { name: 'more', count: 14, want: `${names} and 2 others` },
  ])('names the others: $name', ({ count, want }) => expect(refused(count)).toBe(`pod: got "x/y", allowed: ${want}`));
});
