import { describe, expect, it } from 'vitest';
import { changedQuery, queryOf, viewQuery } from '../../src/plugin-api/query-view.js';
import { query } from '../support/dns.js';

const asked = query('WWW.Example.', 'A');

describe('the query behind a view', () => {
  it('is that of a view, and of a copy of one', () => {
    const view = viewQuery(asked);
    expect([queryOf(view), queryOf({ ...view })]).toEqual([asked, asked]);
  });

  it.each([{ view: {} }, { view: undefined }, { view: { name: 'www.example', type: 'A' } }])(
    'is none of $view',
    ({ view }) => expect(() => queryOf(view)).toThrow(new TypeError('expected the query that the handler was given')),
  );
});

describe('a query with another question', () => {
  it.each([
    { name: 'nothing', change: {} },
    { name: 'the same name', change: { name: 'www.example' } },
    { name: 'the same type', change: { type: 'A' } },
  ])('is itself with $name', ({ change }) => expect(changedQuery(asked, change)).toBe(asked));

  it.each([
    { change: { name: 'b.example' }, want: ['b.example.', 1] },
    { change: { type: 'AAAA' }, want: ['WWW.Example.', 28] },
    { change: { name: 'b.example', type: 'AAAA' }, want: ['b.example.', 28] },
  ])('asks for $want', ({ change, want }) => {
    const { qname, type } = changedQuery(asked, change);
    expect([qname, type]).toEqual(want);
  });
});
