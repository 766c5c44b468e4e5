import { describe, expect, it } from 'vitest';
import type { Handler } from '../../src/chain/index.js';
import { padded, paddingFor } from '../../src/chain/padding.js';
import { Trail } from '../../src/chain/trail.js';
import { notifyServers } from '../../src/chain/transfer.js';
import { NOBODY, writersOf } from '../../src/chain/writers.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { countExtendedErrors } from '../../src/server/extended-errors.js';
import { query } from '../support/dns.js';

describe('padding', () => {
  it.each([
    { length: 0, want: 468 },
    { length: 464, want: 4 },
    { length: 465, want: 471 },
    { length: 468, want: 468 },
    { length: 932, want: 4 },
  ])('of $length bytes is $want, to a multiple of 468 (RFC 8467)', ({ length, want }) =>
    expect(paddingFor(length)).toBe(want),
  );

  const OPT = { udpSize: 1232, version: 0, do: false, options: undefined };
  const hex = (options: Uint8Array | undefined): string | undefined => options && Buffer.from(options).toString('hex');
  it.each([
    { name: 'an option of zeros', growth: 6, want: '000c00020000' },
    { name: 'an option without any', growth: 4, want: '000c0000' },
    { name: 'nothing where an option does not fit', growth: 3, want: undefined },
  ])('is $name', ({ growth, want }) => expect(hex(padded(OPT, growth).options)).toBe(want));

  it('stands behind other options', () => {
    const options = Buffer.from('00030000', 'hex');
    expect(hex(padded({ ...OPT, options }, 4).options)).toBe('00030000000c0000');
  });
});

describe('the writer of replies', () => {
  const named = (names: readonly string[]): Handler[] =>
    names.map((name) => ({ name, handle: (asked, next) => next(asked) }));
  it.each([
    { names: ['errors', 'prometheus', 'cache', 'forward'], want: 'cache' },
    { names: ['prometheus'], want: '' },
    { names: ['cache', 'forward'], want: 'cache' },
    { names: [], want: '' },
  ])('of $names is $want', ({ names, want }) =>
    expect(writersOf(named(names))).toEqual({ atOnce: want, waited: want }),
  );

  it('is nobody without a chain', () => expect(NOBODY).toEqual({ atOnce: '', waited: '' }));
});

it('a trail takes 64 notes', () => {
  const trail = new Trail();
  for (let i = 0; i < 70; i++) trail.note({ kind: 'reason', plugin: 'p', reason: 'busy', text: String(i) });
  expect(trail.notes).toHaveLength(64);
  expect(trail.notes.at(-1)).toMatchObject({ text: '63' });
});

it('servers are told of changes by the handlers that do so', () => {
  const told: string[] = [];
  const handlers = [{}, { notify: (zone: string) => void told.push(zone) }, { notify: 'no' }];
  notifyServers({ handlers: () => handlers }, 'a.');
  expect(told).toEqual(['a.']);
});

describe('extended errors', () => {
  const option = (code: number, hex: string) => ({ code, data: Buffer.from(hex, 'hex') });
  it.each([
    { name: 'one', options: [option(15, '0016')], code: '22' },
    { name: 'one above 255, with a text', options: [option(15, '010161')], code: '257' },
    { name: 'one behind another option', options: [option(3, '0016'), option(15, '0003')], code: '3' },
    { name: 'one that is cut short', options: [option(15, '00')], code: undefined },
    { name: 'another option', options: [option(3, '0016')], code: undefined },
    { name: 'no OPT record', options: undefined, code: undefined },
    { name: 'a client without EDNS', options: [option(15, '0016')], edns: false, code: undefined },
  ])('are counted: $name', async ({ options, edns = true, code }) => {
    const metrics = new Metrics();
    const count = countExtendedErrors(metrics);
    const asked = query('a.', 'A', edns ? { edns: 1232 } : {});
    count(asked, { edns: options && { udpSize: 1232, version: 0, do: false, options } } as never);
    const name = 'coredns_dns_extended_errors_total';
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
    const { label } = asked.client.server;
    expect(lines).toEqual(code === undefined ? [] : [`${name}{code="${code}",server="${label}"} 1`]);
  });
});
