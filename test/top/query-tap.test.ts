import { describe, expect, it } from 'vitest';
import { QueryTap } from '../../src/top/query-tap.js';
import { Type, encodeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';

describe('a share of queries', () => {
  it('is told as logs tell queries', () => {
    const tap = new QueryTap(1, 10);
    tap.asked(query('WWW.example.', 'MX', { edns: 4096, do: true, transport: 'tcp' }));
    tap.hits(encodeName('a.example.'), 0, Type.AAAA, false, 1, 1);
    expect(tap.queries).toEqual([
      { name: 'www.example.', type: 'MX', proto: 'tcp', do: true, bufsize: 4096 },
      { name: 'a.example.', type: 'AAAA', proto: 'udp', do: false, bufsize: 0 },
      { name: 'a.example.', type: 'AAAA', proto: 'udp', do: false, bufsize: 1232 },
    ]);
  });

  it.each([
    ['one by one', [1, 1, 1, 1, 1, 1, 1, 1], 2],
    ['together', [8], 2],
    ['in two parts', [3, 5], 2],
  ])('is taken evenly, %s', (_, counts, want) => {
    const tap = new QueryTap(0.25, 10);
    for (const count of counts) tap.hits(encodeName('a.example.'), 0, Type.A, false, count, 0);
    expect([tap.queries.length, tap.lost]).toEqual([want, 0]);
  });

  it('is bounded, and what is left out is counted', () => {
    const tap = new QueryTap(0.5, 3);
    tap.hits(encodeName('a.example.'), 0, Type.A, false, 100, 0);
    tap.asked(query('b.example.'));
    tap.asked(query('b.example.'));
    expect([tap.queries.length, tap.lost]).toEqual([3, 48]);
  });
});
