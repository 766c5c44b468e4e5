import { describe, expect, it } from 'vitest';
import { compareCommand } from '../../src/cli/compare.js';
import { toldOnStderr } from '../support/told.js';

const said = toldOnStderr();

/** Queries that are not there: who comes to read them has taken the flags. */
const RIGHT = { old: '127.0.0.1', new: '127.0.0.2:5353', from: '/nowhere/queries' };
const run = (flags: Readonly<Record<string, string | undefined>>): Promise<number> =>
  compareCommand(
    Object.entries({ ...RIGHT, ...flags }).map(([name, value]) => `-${name}=${value}`),
    {},
  );

describe('nodens compare', () => {
  it.each([
    { flags: { old: '' }, want: '-old: got nothing, allowed: a Corefile or IP[:PORT]' },
    { flags: { new: '' }, want: '-new: got nothing, allowed: a Corefile or IP[:PORT]' },
    { flags: { from: '' }, want: 'got neither or both of -from and -shadow, allowed: one' },
    { flags: { shadow: '/tmp/x' }, want: 'got neither or both of -from and -shadow, allowed: one' },
    { flags: { o: 'yaml' }, want: "-o: got 'yaml', allowed: text, json" },
    { flags: { port: '0' }, want: "-port: got '0', allowed: 1 to 65535" },
    { flags: { port: '65536' }, want: "-port: got '65536', allowed: 1 to 65535" },
    { flags: { port: '5.5' }, want: '5.5' },
    { flags: { examples: '10001' }, want: "-examples: got '10001', allowed: 1 to 10000" },
    { flags: { inflight: '60001' }, want: "-inflight: got '60001', allowed: 1 to 60000" },
    { flags: { timeout: '-1s' }, want: "-timeout: got '-1s', allowed: a duration such as 2s or 500ms" },
    { flags: { timeout: 'soon' }, want: "-timeout: got 'soon', allowed: a duration such as 2s or 500ms" },
    { flags: { 'ttl-slack': 'x' }, want: "-ttl-slack: got 'x', allowed: a duration such as 2s or 500ms" },
    { flags: { rate: '0' }, want: "-rate: got '0', allowed: a number above 0, recorded, max" },
    { flags: { rate: 'fast' }, want: "-rate: got 'fast', allowed: a number above 0, recorded, max" },
    { flags: { ignore: 'order,x' }, want: "-ignore: got 'x', allowed: " },
    { flags: { from: '', shadow: '127.0.0.1:1', sample: '0' }, want: "-sample: got '0', allowed: above 0, at most 1" },
    {
      flags: { from: '', shadow: '127.0.0.1:1', sample: '1.5' },
      want: "-sample: got '1.5', allowed: above 0, at most 1",
    },
    { flags: { from: '', shadow: 'tap' }, want: "-shadow: got 'tap', allowed: a path with a '/', IP:PORT" },
    { flags: { from: '', shadow: '127.0.0.1' }, want: "-shadow: got '127.0.0.1', allowed: a path with a '/', IP:PORT" },
    { flags: { from: '', shadow: '127.0.0.1:65536' }, want: "-shadow: got '127.0.0.1:65536', allowed" },
    { flags: { from: '', shadow: 'unix:x' }, want: '-shadow: ' },
  ])('refuses $flags', async ({ flags, want }) => {
    expect([await run(flags), said()]).toEqual([2, expect.stringContaining(want)]);
  });

  it.each([
    {},
    { port: '1', examples: '10000', inflight: '60000' },
    { port: '65535', examples: '1', inflight: '1' },
    { timeout: '0', 'ttl-slack': '500ms', for: '1h' },
    { rate: '0.5' },
    { rate: 'max' },
    { rate: 'recorded', o: 'json', ignore: '' },
  ])('takes %o', async (flags) => {
    expect([await run(flags), said()]).toEqual([2, expect.stringContaining('/nowhere/queries')]);
  });
});
