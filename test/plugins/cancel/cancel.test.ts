import { describe, expect, it } from 'vitest';
import { cancel } from '../../../src/plugins/cancel/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

describe('cancel', () => {
  it.each([
    { text: 'cancel', want: 6001 },
    { text: 'cancel 1s', want: 2000 },
    { text: 'cancel 250ms', want: 1250 },
    { text: 'cancel 1ms', want: 1001 },
    { text: 'cancel 1s\ncancel 2s', want: 3000 },
  ])('$text', ({ text, want }) => {
    const asked = query('a.', 'A', { received: 1000 });
    const next = reply();
    expect(setup(cancel, text).ask(asked, () => next)).toBe(next);
    expect(asked.context.over(want - 1)).toBe(false);
    expect(asked.context.over(want)).toBe(true);
  });

  it('bounds the questions that a query leads to', () => {
    const asked = query('a.', 'A', { received: 0 });
    void setup(cancel, 'cancel 1s').ask(asked, () => reply());
    expect(asked.context.nested().over(1000)).toBe(true);
  });

  it('leaves a bound that is nearer', () => {
    const asked = query('a.', 'A', { received: 0 });
    asked.context.endsBy(500);
    void setup(cancel, 'cancel 1s').ask(asked, () => reply());
    expect(asked.context.over(500)).toBe(true);
  });

  it.each([
    { name: 'no time', text: 'cancel 0s', error: "got '0s', allowed: a duration such as 30s" },
    { name: 'a negative time', text: 'cancel -1s', error: "got '-1s', allowed: a duration" },
    { name: 'a number', text: 'cancel 5', error: "got '5', allowed: a duration" },
    { name: 'two times', text: 'cancel 1s 2s', error: "got 2 arguments ('1s' '2s')" },
    { name: 'a block', text: 'cancel {\n}', error: 'got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => expect(() => setup(cancel, text)).toThrow(`Corefile:2: cancel: ${error}`));
});
