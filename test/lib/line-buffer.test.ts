import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../src/lib/line-buffer.js';

describe('LineBuffer', () => {
  it('puts texts and numbers together, and is empty when they are taken', () => {
    const buffer = new LineBuffer();
    buffer.text('a ');
    buffer.decimal(0);
    buffer.endLine();
    buffer.endLine();
    expect(buffer.lines).toBe(2);
    expect(buffer.take()).toBe('a 0\n\n');
    expect([buffer.lines, buffer.take()]).toEqual([0, '']);
  });

  it.each([0, 9, 10, 99, 100, 512, 65_535, 1_000_000, 2 ** 31 - 1])('writes the number %i', (value) => {
    const buffer = new LineBuffer();
    buffer.decimal(value);
    expect(buffer.take()).toBe(String(value));
  });

  it('takes the first character that is not ASCII for what it is', () => {
    const buffer = new LineBuffer();
    buffer.text('\x7f\x80');
    buffer.text('\u00fc');
    expect(buffer.take()).toBe('\x7f\x80\u00fc');
  });

  it.each([
    { name: 'a number', add: (buffer: LineBuffer) => buffer.decimal(12_345), want: '12345' },
    { name: 'a line feed', add: (buffer: LineBuffer) => buffer.endLine(), want: '\n' },
    { name: 'a text', add: (buffer: LineBuffer) => buffer.text('abc'), want: 'abc' },
  ])('makes room for $name behind what fills it', ({ add, want }) => {
    const buffer = new LineBuffer();
    buffer.text('x'.repeat(1 << 15));
    add(buffer);
    expect(buffer.take().slice(1 << 15)).toBe(want);
  });

  it('takes any characters, and more than it had room for', () => {
    const buffer = new LineBuffer();
    const wide = 'gr\u00fc\u00df \u{1f300} '.repeat(3000);
    const plain = 'x'.repeat(100_000);
    buffer.text(wide);
    buffer.text(plain);
    expect(buffer.take()).toBe(wide + plain);
    buffer.text('plain again');
    expect(buffer.take()).toBe('plain again');
  });
});
