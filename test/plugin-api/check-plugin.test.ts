import { describe, expect, it } from 'vitest';
import { whatIsWrong } from '../../src/plugin-api/check-plugin.js';

const setup = (): undefined => undefined;
const WHOLE = { name: 'names', api: 1, setup };

describe("a module's default export", () => {
  it.each<{ name: string; more: object }>([
    { name: 'with what it must have', more: {} },
    { name: 'with a name of 63 letters', more: { name: 'n'.repeat(63) } },
    { name: 'before another', more: { at: { before: 'cache' } } },
    { name: 'after another', more: { at: { after: 'log' } } },
    { name: 'that needs others', more: { needs: ['cache', 'log'] } },
    { name: 'that needs none', more: { needs: [] } },
    { name: 'with options', more: { options: { to: { type: 'ip' }, on: { type: 'flag' } } } },
    { name: 'with a role and what it depends on', more: { role: 'wraps', dependsOn: 'client' } },
  ])('is a plugin $name', ({ more }) => expect(whatIsWrong({ ...WHOLE, ...more })).toBeUndefined());

  it.each<{ name: string; value: unknown; want: string }>([
    { name: 'nothing', value: undefined, want: 'it exports nothing as default, expected: export default {' },
    { name: 'null', value: null, want: 'it exports null, expected: export default {' },
    { name: 'a function', value: setup, want: 'it exports a function, expected: export default {' },
    { name: 'an empty object', value: {}, want: 'it exports an object without name and setup' },
    { name: 'one without a setup', value: { name: 'names', api: 1 }, want: 'names: setup: got nothing' },
    { name: 'one without a name', value: { api: 1, setup }, want: 'name: got nothing, expected: lower-case letters' },
    { name: 'one with an upper-case letter', value: { ...WHOLE, name: 'Names' }, want: "name: got 'Names'" },
    { name: 'one with a name of 64 letters', value: { ...WHOLE, name: 'n'.repeat(64) }, want: "name: got 'nnn" },
    { name: 'one with a list for a name', value: { ...WHOLE, name: ['names'] }, want: 'name: got a list' },
    { name: 'one with what no plugin has', value: { ...WHOLE, more: 1 }, want: "names: got 'more', expected: name," },
    {
      name: 'one of another role',
      value: { ...WHOLE, role: 'asks' },
      want: "names: role: got 'asks', expected: answers,",
    },
    { name: 'one that depends on time', value: { ...WHOLE, dependsOn: 'time' }, want: "names: dependsOn: got 'time'" },
  ])('is none: $name', ({ value, want }) => expect(whatIsWrong(value)?.slice(0, want.length)).toBe(want));

  it.each([
    { api: 0, shown: '0' },
    { api: '2', shown: "'2'" },
    { api: undefined, shown: 'nothing' },
    { api: 2, shown: '2', hint: '; it is written for a newer nodens' },
  ])('for version $shown of the interface', ({ api, shown, hint = '' }) =>
    expect(whatIsWrong({ ...WHOLE, api })).toBe(
      `names wants version ${shown} of the interface, expected: api: 1${hint}`,
    ),
  );

  it.each([
    { at: null, shown: 'null' },
    { at: 'cache', shown: "'cache'" },
    { at: {}, shown: 'an object' },
    { at: { beside: 'cache' }, shown: 'an object' },
    { at: { before: 7 }, shown: 'an object' },
    { at: { before: 'cache', after: 'log' }, shown: 'an object' },
  ])('has no place at $at', ({ at, shown }) =>
    expect(whatIsWrong({ ...WHOLE, at })).toBe(
      `names: at: got ${shown}, expected: { before: 'NAME' } or { after: 'NAME' }`,
    ),
  );

  it.each([
    { needs: 'cache', shown: "'cache'" },
    { needs: null, shown: 'null' },
    { needs: ['cache', 7], shown: 'a list' },
  ])('cannot need $needs', ({ needs, shown }) =>
    expect(whatIsWrong({ ...WHOLE, needs })).toBe(`names: needs: got ${shown}, expected: a list of directives' names`),
  );

  it.each([
    { options: null, want: 'names: options: got null, expected: an object' },
    { options: 7, want: 'names: options: got 7, expected: an object' },
    { options: { to: undefined }, want: 'names: options.to.type: got nothing, expected: integer, number,' },
    { options: { on: { type: 'flag' }, to: {} }, want: 'names: options.to.type: got nothing, expected: integer,' },
    { options: { to: { type: 'host' } }, want: "names: options.to.type: got 'host', expected: integer," },
  ])('cannot have the options $options', ({ options, want }) =>
    expect(whatIsWrong({ ...WHOLE, options })?.slice(0, want.length)).toBe(want),
  );
});
