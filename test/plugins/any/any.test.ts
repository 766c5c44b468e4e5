import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { any } from '../../../src/plugins/any/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

describe('any', () => {
  it.each([
    {
      name: 'ANY',
      type: 'ANY',
      want: {
        rcode: 'NOERROR',
        flags: '',
        answer: ['Www.example.org. 8482 IN HINFO "ANY obsoleted" "See RFC 8482"'],
      },
    },
    { name: 'another type, which goes on', type: 'A', want: { rcode: 'NXDOMAIN', flags: 'ra' } },
  ])('answers $name', ({ type, want }) => {
    const outcome = setup(any, 'any').ask(query('Www.example.org.', type), () => reply({ rcode: 3 })) as Outcome;
    expect(summary(outcome)).toEqual(want);
  });

  it.each([
    { name: 'an argument', text: 'any x', error: "Corefile:2: any: got 1 argument ('x'), allowed: no argument" },
    { name: 'a block', text: 'any {\n}', error: 'Corefile:2: any: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(any, text)).toThrow(error);
  });
});
