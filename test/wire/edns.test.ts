import { describe, expect, it } from 'vitest';
import { optLength, writeOpt } from '../../src/wire/edns.js';

describe('an OPT record (RFC 6891 section 6.1)', () => {
  const options = [
    { code: 3, data: Uint8Array.of(0xab) },
    { code: 10, data: new Uint8Array(0) },
  ];
  it.each([
    { name: 'nothing', edns: { udpSize: 512, version: 0, do: false, options: [] }, rcode: 0, want: '00 0029 0200 00 00 0000 0000' },
    { name: 'the upper bits of BADVERS', edns: { udpSize: 1232, version: 0, do: true, options: [] }, rcode: 16, want: '00 0029 04d0 01 00 8000 0000' },
    { name: 'those of the largest code, and a version', edns: { udpSize: 65_535, version: 1, do: false, options: [] }, rcode: 4095, want: '00 0029 ffff ff 01 0000 0000' },
    { name: 'options', edns: { udpSize: 512, version: 0, do: false, options }, rcode: 0, want: '00 0029 0200 00 00 0000 0009 0003 0001 ab 000a 0000' },
  ])('has $name', ({ edns, rcode, want }) => {
    const target = Buffer.alloc(60, 0xee);
    const end = writeOpt(edns, rcode, target, 3);
    expect(target.toString('hex', 3, end)).toBe(want.replaceAll(' ', ''));
    expect([end - 3, target[2], target[end]]).toEqual([optLength(edns), 0xee, 0xee]);
  }); // prettier-ignore
});
