import { describe, expect, it } from 'vitest';
import { expand } from '../../src/zone/generate.js';

const lines = (range: string, template: string): string[] =>
  expand(range, template).toString('latin1').split('\n').slice(0, -1);

describe('$GENERATE', () => {
  it.each([
    {
      name: 'counts where the numbers are large',
      range: '100000-100001',
      template: 'a$',
      want: ['a100000', 'a100001'],
    },
    { name: 'takes one number', range: '7-7', template: 'a$', want: ['a7'] },
    { name: 'takes the last number where the steps meet it', range: '0-4/4', template: '$', want: ['0', '4'] },
    { name: 'goes down to 0', range: '2-3', template: '${-2}', want: ['0', '1'] },
    { name: 'goes up to 2^31 - 1', range: '2147483646-2147483646', template: '${1}', want: ['2147483647'] },
    { name: 'fills with zeros', range: '9-10', template: '${0,2}', want: ['09', '10'] },
    { name: 'fills 255 places', range: '1-1', template: '${0,255}', want: [`${'0'.repeat(254)}1`] },
    { name: 'has decimal numbers where no base is named', range: '10-10', template: '${+1} ${1,1}', want: ['11 11'] },
  ])('$name', ({ range, template, want }) => expect(lines(range, template)).toEqual(want));

  it.each([
    { name: 'steps of nothing', range: '0-1/0', template: '$', error: "got '0-1/0'" },
    { name: 'a number above 2^31 - 1', range: '2147483647-2147483647', template: '${1}', error: 'offset 1 leads' },
    {
      name: 'a number above it without an offset',
      range: '2147483648-2147483648',
      template: '$',
      error: 'offset 0 leads',
    },
    { name: 'numbers below 0', range: '2-3', template: '${-3}', error: 'offset -3 leads' },
    { name: 'more than 255 places', range: '1-1', template: '${0,256}', error: "got '0,256'" },
  ])('has no $name', ({ range, template, error }) => expect(() => expand(range, template)).toThrow(error));

  // CoreDNS counts the steps from the first number on: 65,535 of them are allowed.
  it('has 65,536 lines at most', () => {
    expect(expand('1-65536', '')).toHaveLength(65_536);
    expect(expand('0-131071/2', '')).toHaveLength(65_536);
    expect(() => expand('0-131072/2', '')).toThrow('more than 65536 steps');
    expect(() => expand('1-65537', '')).toThrow('more than 65536 steps');
  });
});
