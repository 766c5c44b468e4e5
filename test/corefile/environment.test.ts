import { describe, expect, it } from 'vitest';
import { expandEnvironment } from '../../src/corefile/environment.js';

const ENV = {
  A: 'one',
  B: 'two words',
  EMPTY: '',
  NESTED: 'x{$A}y',
  SELF: '{$SELF}',
  PING: '{%PONG%}',
  PONG: '{%PING%}',
  GROWS: '{$GROWS}{$GROWS}',
};
const expand = (text: string): string =>
  expandEnvironment(text, ENV, (message) => {
    throw new RangeError(message);
  });

describe('expandEnvironment', () => {
  it.each([
    { name: 'no variable', text: 'a{b}c', want: 'a{b}c' },
    { name: 'the Unix form', text: '{$A}', want: 'one' },
    { name: 'the Windows form', text: '{%A%}', want: 'one' },
    { name: 'inside a word', text: 'a{$A}b{%A%}c', want: 'aonebonec' },
    { name: 'white space stays in one word', text: '{$B}', want: 'two words' },
    { name: 'not set', text: 'a{$NONE}b{%NONE%}', want: 'ab' },
    { name: 'a value that names a variable', text: '{$NESTED}', want: 'xoney' },
    { name: 'a default, not set', text: '{$NONE:10.96.0.10:53}', want: '10.96.0.10:53' },
    { name: 'a default, set', text: '{$A:other}', want: 'one' },
    { name: 'a default, set to nothing', text: 'a{$EMPTY:other}b', want: 'ab' },
    { name: 'a default without a name', text: '{$:x}', want: 'x' },
    { name: 'an empty default', text: 'a{$NONE:}b', want: 'ab' },
    { name: 'no default in the Windows form', text: '{%NONE:x%}', want: '' },
    { name: 'an empty name', text: '{$}a{$A}', want: '{$}a{$A}' },
    { name: 'an empty name, Windows', text: '{%%}a', want: '{%%}a' },
    { name: 'overlapping marks', text: '{%}', want: '{%}' },
    { name: 'never closed', text: '{$A', want: '{$A' },
    { name: 'a name of every object', text: 'a{$constructor}{$__proto__}b', want: 'ab' },
  ])('$name', ({ text, want }) => expect(expand(text)).toBe(want));

  it('replaces a thousand variables in one word, and no more', () => {
    expect(expand('{$A}'.repeat(1000))).toBe('one'.repeat(1000));
    expect(() => expand('{$A}'.repeat(1001))).toThrow("environment variable 'A' leads back to itself or is too long");
  });
  it('replaces in a word of a million characters, and in none that is longer', () => {
    const million = 'x'.repeat((1 << 20) - '{$A}'.length);
    expect(expand(`${million}{$A}`)).toBe(`${million}one`);
    expect(() => expand(`${million}x{$A}`)).toThrow("environment variable 'A' leads back to itself or is too long");
  });

  it.each([
    {
      name: 'itself',
      text: '{$SELF}',
      want: "the value of environment variable 'SELF' leads back to itself or is too long",
    },
    {
      name: 'itself through another',
      text: '{%PING%}',
      want: /^the value of environment variable 'P[IO]NG' leads back/,
    },
    {
      name: 'itself twice',
      text: '{$GROWS}',
      want: "the value of environment variable 'GROWS' leads back to itself or is too long",
    },
  ])('refuses a value that names $name', ({ text, want }) => expect(() => expand(text)).toThrow(want));
});
