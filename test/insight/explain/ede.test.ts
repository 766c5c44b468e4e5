import { describe, expect, it } from 'vitest';
import { nameOfError, toldErrors } from '../../../src/insight/explain/ede.js';

describe('extended errors (RFC 8914) are named as IANA lists them', () => {
  it.each([
    { code: 0, want: 'Other Error' },
    { code: 3, want: 'Stale Answer' },
    { code: 9, want: 'DNSKEY Missing' },
    { code: 22, want: 'No Reachable Authority' },
    { code: 30, want: 'Invalid Query Type' },
    { code: 31, want: 'Unknown' },
  ])('$code: $want', ({ code, want }) => expect(nameOfError(code)).toBe(want));
});

describe('what a message tells', () => {
  const told = (...options: readonly (readonly [code: number, hex: string])[]) =>
    toldErrors({
      edns: {
        udpSize: 1232,
        version: 0,
        do: false,
        options: options.map(([code, hex]) => ({ code, data: Buffer.from(hex, 'hex') })),
      },
    });
  it.each([
    { name: 'a code', got: told([15, '0016']), want: [{ code: 22, name: 'No Reachable Authority', text: '' }] },
    { name: 'a code above 255', got: told([15, '0101']), want: [{ code: 257, name: 'Unknown', text: '' }] },
    {
      name: 'a text with a zero behind it',
      got: told([15, '00006e6f00']),
      want: [{ code: 0, name: 'Other Error', text: 'no' }],
    },
    { name: 'several', got: told([15, '0003'], [3, '0016'], [15, '0009']).map(({ code }) => code), want: [3, 9] },
    { name: 'none that is cut short', got: told([15, '00']), want: [] },
    { name: 'none without EDNS', got: toldErrors({ edns: undefined }), want: [] },
  ])('$name', ({ got, want }) => expect(got).toEqual(want));
});
