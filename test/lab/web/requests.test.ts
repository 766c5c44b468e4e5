import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Lab } from '../../../src/lab/lab.js';
import { lineOf, lookupOf, readObject } from '../../../src/lab/web/requests.js';

describe('a lookup of a pod that is not there', () => {
  const refused = (count: number): string => {
    const pods = Array.from({ length: count }, (_, i) => ({ namespace: 'x', name: `p${i}` }));
    const lab = { kubelet: { get: () => undefined, list: () => pods } } as unknown as Lab;
    try {
      lookupOf({ name: 'a.', pod: 'x/y' }, lab);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  const names = Array.from({ length: 12 }, (_, i) => `x/p${i}`).join(', ');
  it.each([
    { name: 'one other', count: 1, want: 'x/p0' },
    { name: 'twelve others', count: 12, want: names },
    { name: 'more', count: 14, want: `${names} and 2 others` },
  ])('names the others: $name', ({ count, want }) => expect(refused(count)).toBe(`pod: got "x/y", allowed: ${want}`));
});

describe('a lookup', () => {
  const lab = {
    kubelet: {
      get: (namespace: string, name: string) => ({ namespace, name }),
      list: () => [],
    },
  } as unknown as Lab;
  const of = (body: object): unknown => lookupOf({ pod: 'a/b', name: 'web', ...body }, lab);
  const pod = { namespace: 'a', name: 'b' };
  const LONG = `${'a'.repeat(1020)}.b`;

  it.each([
    {
      name: 'is of both types with the C library of GNU',
      body: {},
      want: { pod, name: 'web', types: ['A', 'AAAA'], profile: 'glibc' },
    },
    {
      name: 'is of one type',
      body: { types: ['AAAA'] },
      want: { pod, name: 'web', types: ['AAAA'], profile: 'glibc' },
    },
    {
      name: 'has each type once',
      body: { types: ['A', 'A'] },
      want: { pod, name: 'web', types: ['A'], profile: 'glibc' },
    },
    {
      name: 'is by another library',
      body: { libc: 'musl' },
      want: { pod, name: 'web', types: ['A', 'AAAA'], profile: 'musl' },
    },
    {
      name: 'is of a name without spaces around',
      body: { name: ' web ' },
      want: { pod, name: 'web', types: ['A', 'AAAA'], profile: 'glibc' },
    },
  ])('$name', ({ body, want }) => expect(of(body)).toEqual(want));

  it.each([
    { body: { types: ['MX'] }, says: 'types: got ["MX"], allowed: A, AAAA' },
    { body: { types: ['A', 'MX'] }, says: 'types: got ["A","MX"], allowed: A, AAAA' },
    { body: { types: [] }, says: 'types: got [], allowed: A, AAAA' },
    { body: { types: 'A' }, says: 'types: got "A", allowed: A, AAAA' },
    { body: { libc: 'uclibc' }, says: 'libc: got "uclibc", allowed: ' },
    { body: { name: '' }, says: 'name: got "", allowed: a domain name' },
    { body: { name: 'a b' }, says: 'name: got "a b", allowed: a domain name' },
    { body: { name: '2001:db8::1' }, says: 'name: got "2001:db8::1", an address' },
    { body: { name: 'a..b' }, says: 'name: got "a..b", which is no name; allowed: labels of 1 to 63 bytes' },
    // The text of a name is at most 1024 characters; such a one is too long for another reason.
    { body: { name: `${LONG}xx` }, says: `which is no name` },
    { body: { name: `${LONG}xxx` }, says: 'name: got 1025 characters, allowed: 1024' },
    { body: { name: 1 }, says: 'name: got 1, allowed: text' },
    { body: { pod: undefined }, says: 'pod: got undefined, allowed: text' },
  ])('is refused: $says', ({ body, says }) => expect(() => of(body)).toThrow(says));
});

describe('a line', () => {
  it.each([{ line: 'ls' }, { line: 'x'.repeat(4096) }])('$line.length characters are taken', ({ line }) =>
    expect(lineOf({ line })).toBe(line),
  );
  it.each([
    { line: 'x'.repeat(4097), says: 'line: got 4097 characters, allowed: 4096' },
    { line: 'a\nb', says: 'line: got several lines, allowed: one' },
    { line: 'a\r', says: 'line: got several lines, allowed: one' },
    { line: undefined, says: 'line: got undefined, allowed: text' },
  ])('is refused: $says', ({ line, says }) => expect(() => lineOf({ line })).toThrow(says));
});

describe('the body of a request', () => {
  const request = (...parts: readonly string[]): IncomingMessage =>
    Readable.from(parts.map((part) => Buffer.from(part))) as unknown as IncomingMessage;
  /** An object in JSON of so many bytes, in two parts. */
  const ofLength = (length: number): IncomingMessage => request('{"a":"', `${'x'.repeat(length - 8)}"}`);

  it('is an object, of at most 16 KiB', async () => {
    expect(await readObject(request('{"a', '":1}'))).toEqual({ a: 1 });
    expect(Object.keys(await readObject(ofLength(16_384)))).toEqual(['a']);
    await expect(readObject(ofLength(16_385))).rejects.toMatchObject({
      status: 413,
      message: 'body: got more than 16384 bytes, allowed: 16384',
    });
  });

  it.each([
    { text: '[1]', says: 'body: expected a JSON object' },
    { text: 'null', says: 'body: expected a JSON object' },
    { text: '"a"', says: 'body: expected a JSON object' },
    { text: '', says: 'body: ' },
  ])('is refused: $text', async ({ text, says }) =>
    expect(readObject(request(text))).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(says) as unknown,
    }),
  );
});
