import { describe, expect, it } from 'vitest';
import { bitmapOf, typesIn } from '../../src/wire/type-bitmap.js';

describe('a type bitmap (RFC 4034 section 4.1.2)', () => {
  it.each([
    { name: 'nothing', types: [], hex: '' },
    { name: 'the first bit', types: [0], hex: '000180' },
    { name: 'the last bit of a byte', types: [7], hex: '000101' },
    { name: 'the first bit of the next', types: [8], hex: '00020080' },
    {
      name: 'the example of the RFC',
      types: [1, 15, 46, 47, 1234],
      hex: '0006400100000003041b000000000000000000000000000000000000000000000000000020',
    },
    { name: 'the whole of a window', types: [255], hex: `0020${'00'.repeat(31)}01` },
    { name: 'the first type of the next window', types: [255, 256], hex: `0020${'00'.repeat(31)}01010180` },
    { name: 'a window above 127 behind another one', types: [1, 32_769], hex: '000140800140' },
    { name: 'the last type', types: [65_535], hex: `ff20${'00'.repeat(31)}01` },
  ])('of $name', ({ types, hex }) => {
    expect(bitmapOf(types).toString('hex')).toBe(hex);
    expect(typesIn(Buffer.from(hex, 'hex'))).toEqual(types);
  });

  it('has its windows in order, whatever the order of the types', () => {
    const windows = Array.from({ length: 12 }, (_, i) => i * 256 + 1);
    expect(bitmapOf([...windows].reverse()).toString('hex')).toBe(
      windows.map((_, i) => `${i.toString(16).padStart(2, '0')}0140`).join(''),
    );
    expect(bitmapOf([512, 1, 256]).toString('hex')).toBe('000140010180020180');
    expect(bitmapOf([256, 512, 1]).toString('hex')).toBe('000140010180020180');
  });

  it.each([
    { name: 'no length', hex: '00' },
    { name: 'a length of zero', hex: '0000' },
    { name: 'a length above 32', hex: `0021${'00'.repeat(33)}` },
    { name: 'fewer bytes than its length', hex: '000240' },
    { name: 'a second window that is cut', hex: '00014001' },
  ])('is refused with $name', ({ hex }) =>
    expect(() => typesIn(Buffer.from(hex, 'hex'))).toThrow('type bitmap cut short'),
  );
});
