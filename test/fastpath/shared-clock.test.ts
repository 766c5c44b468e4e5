import { expect, it } from 'vitest';
import { sharedNow } from '../../src/fastpath/shared-clock.js';

it('tells the time since the system started, as all threads have it', () => {
  // A look that is interrupted says nothing: the closest of many counts.
  const apart = Array.from({ length: 50 }, () => Math.abs(sharedNow() - Number(process.hrtime.bigint()) / 1e6));
  expect(Math.min(...apart)).toBeLessThan(1);
});
