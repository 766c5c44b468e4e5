import { describe, expect, it } from 'vitest';
import { sprintf } from '../../src/gotemplate/format.js';
import { GoStruct, type GoValue } from '../../src/gotemplate/index.js';

describe('sprintf', () => {
  const rows: { format: string; args?: GoValue[]; want: string }[] = [
    { format: 'plain', want: 'plain' },
    { format: '100%%', want: '100%' },
    { format: '%d %d', args: [1n, -2n], want: '1 -2' },
    { format: '%03d|%5d|%-5d|%+d|% d', args: [7n, 7n, 7n, 7n, 7n], want: '007|    7|7    |+7| 7' },
    { format: '%.3d|%06d', args: [7n, -7n], want: '007|-00007' },
    {
      format: '%x %X %#x %o %#o %O %b %#b',
      args: [255n, 255n, 255n, 8n, 8n, 8n, 5n, 5n],
      want: 'ff FF 0xff 10 010 0o10 101 0b101',
    },
    { format: '%c %q %U', args: [97n, 97n, 97n], want: "a 'a' U+0061" },
    { format: '%d %b %o %x', args: [0n, 0n, 0n, 0n], want: '0 0 0 0' },
    { format: '%X %b %o', args: [-1n, -2n, -8n], want: '-1 -10 -10' },
    { format: '%c', args: [-1n], want: '\ufffd' },
    { format: '%c|%c|%c', args: [0n, 0x10ffffn, 0x110000n], want: '\0|\u{10ffff}|\ufffd' },
    { format: '%s', args: [''], want: '' },
    { format: '%s|%5s|%-5s|%.2s', args: ['abc', 'abc', 'abc', 'abc'], want: 'abc|  abc|abc  |ab' },
    { format: '%q %x %X', args: ['a"b', 'hi', 'hi\xff'], want: '"a\\"b" 6869 6869C3BF' },
    { format: '%v %v %v %v', args: ['a', 1n, 1.5, true], want: 'a 1 1.5 true' },
    { format: '%t', args: [false], want: 'false' },
    {
      format: '%f %.2f %6.1f %e %.1E %g %G',
      args: [1.5, 1.005, -1.26, 1500, 1500, 0.1, 1e-7],
      want: '1.500000 1.00   -1.3 1.500000e+03 1.5E+03 0.1 1E-07',
    },
    { format: '%.3g', args: [3.14159], want: '3.14' },
    { format: '%.1g %.0g', args: [0.123, 0.123], want: '0.1 0.1' },
    { format: '%.1f %g', args: [0, 0], want: '0.0 0' },
    { format: '%#07x|%07d', args: [255n, -7n], want: '0x000ff|-000007' },
    {
      format: '%v %d',
      args: [
        ['a', 'b'],
        [1n, 2n],
      ],
      want: '[a b] [1 2]',
    },
    {
      format: '%v',
      args: [
        new Map<string, GoValue>([
          ['b', 1n],
          ['a', 2n],
        ]),
      ],
      want: 'map[a:2 b:1]',
    },
    { format: '%v', args: [new GoStruct('s', { A: 'x', B: 1n })], want: '{x 1}' },
    { format: '%*d|%.*f', args: [4n, 7n, 1n, 2.55], want: '   7|2.5' },
    {
      format: '%T %T %T %T %T %T %T',
      args: ['a', 1n, 1.5, true, ['a'], new Map<string, GoValue>(), new GoStruct('dns.Msg', {})],
      want: 'string int float64 bool []string map[string]string dns.Msg',
    },
    { format: '%v %f %05g', args: [Infinity, -Infinity, NaN], want: '+Inf -Inf   NaN' },
    { format: '%v %s', args: [null, undefined], want: '<nil> %!s(<nil>)' },
    { format: '%d', args: ['hi'], want: '%!d(string=hi)' },
    { format: '%s %t %y', args: [1n, 1n, true], want: '%!s(int=1) %!t(int=1) %!y(bool=true)' },
    { format: '%z', args: [1.5], want: '%!z(float64=1.5)' },
    { format: '%d %d', args: [1n], want: '1 %!d(MISSING)' },
    { format: '%d', args: [1n, 'x', null], want: '1%!(EXTRA string=x, <nil>=<nil>)' },
    { format: 'a%', args: [], want: 'a%!(NOVERB)' },
    { format: '%5v|%-4t|', args: ['é', true], want: '    é|true|' },
  ];
  it.each(rows)('$format', ({ format, args, want }) => {
    expect(sprintf(format, args ?? [])).toBe(want);
  });
});
