import { describe, expect, it } from 'vitest';
import { Singleflight } from '../../src/lib/singleflight.js';

describe('Singleflight', () => {
  it('does the work of one key once for all who ask meanwhile, and again afterwards', async () => {
    const flights = new Singleflight<string, number>();
    let count = 0;
    const work = (): Promise<number> => Promise.resolve(++count);
    expect(await Promise.all([flights.run('a', work), flights.run('a', work), flights.run('b', work)])).toEqual([
      1, 1, 2,
    ]);
    expect([await flights.run('a', work), flights.size]).toEqual([3, 0]);
  });

  it('gives an error to all who wait, and keeps nothing of it', async () => {
    const flights = new Singleflight<string, number>();
    const failing = (): Promise<number> => Promise.reject(new Error('no'));
    const both = [flights.run('a', failing), flights.run('a', failing)];
    for (const one of both) await expect(one).rejects.toThrow('no');
    expect(flights.size).toBe(0);
  });
});
