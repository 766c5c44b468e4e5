import { expect, it } from 'vitest';
import { TextPool } from '../../src/kube/protobuf/text-pool.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

it('texts that differ in one letter are told apart, however many there are', () => {
  const pool = new TextPool();
  const read = (text: string): string => pool.text(Buffer.from(`<${text}>`), 1, text.length + 1);
  const wrong: string[] = [];
  for (const c of LETTERS)
    for (const b of LETTERS)
      for (const a of LETTERS) {
        const text = a + b + c;
        if (read(text) !== text) wrong.push(text);
      }
  expect(wrong).toEqual([]);
});

it.each([
  { name: 'nothing', text: '' },
  { name: 'the last letter of ASCII', text: '\x7f' },
  { name: 'what is no ASCII', text: 'ü€😀' },
  { name: 'what is none at the end', text: 'webü' },
  { name: 'a long text', text: 'x'.repeat(200) },
])('reads $name, once and again', ({ text }) => {
  const pool = new TextPool();
  const bytes = Buffer.from(text);
  for (let i = 0; i < 2; i++) expect(pool.text(bytes, 0, bytes.length)).toBe(text);
});
