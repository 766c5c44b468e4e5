import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bodyOf, typeOf } from '../../../src/lab/kube-api/body.js';

const MEBIBYTE = 1_048_576;
const request = (text: string | readonly Buffer[], type?: string): IncomingMessage =>
  Object.assign(Readable.from(typeof text === 'string' ? [Buffer.from(text)] : text), {
    headers: type === undefined ? {} : { 'content-type': type },
  }) as unknown as IncomingMessage;

describe('the body of a request', () => {
  it.each([
    { name: 'JSON where nothing is said', text: '{"a":1}', want: { a: 1 } },
    { name: 'JSON with parameters', text: '{"a":1}', type: 'Application/JSON; charset=utf-8', want: { a: 1 } },
    { name: 'a patch in JSON', text: '[]', type: 'application/json-patch+json', want: [] },
    { name: 'of any type', text: '[]', type: '*/*', want: [] },
    { name: 'YAML', text: 'a: 1', type: 'application/yaml', want: { a: 1 } },
    { name: 'a patch in YAML', text: 'a: 1', type: 'application/apply-patch+yaml', want: { a: 1 } },
    { name: 'nothing', text: '', type: 'text/plain', want: undefined },
  ])('is $name', async ({ text, type, want }) => expect(await bodyOf(request(text, type))).toEqual(want));

  it.each([
    {
      name: 'of another type',
      text: '1',
      type: 'text/plain',
      reason: 'UnsupportedMediaType',
      says: 'Content-Type: got "text/plain", allowed: application/json, application/yaml, ',
    },
    { name: 'broken JSON', text: '{', reason: 'BadRequest', says: 'the body cannot be read: ' },
    {
      name: 'broken YAML',
      text: 'a: [',
      type: 'application/yaml',
      reason: 'BadRequest',
      says: 'the body cannot be read: ',
    },
  ])('is refused: $name', async ({ text, type, reason, says }) =>
    expect(bodyOf(request(text, type))).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(new RegExp(`^${says}[^\\n]*$`)) as unknown,
    }),
  );

  it('is at most so long as with a real API server', async () => {
    const chunks = (last: number): Buffer[] => [
      ...Array.from({ length: 3 }, () => Buffer.alloc(MEBIBYTE, ' ')),
      Buffer.alloc(last, ' '),
    ];
    const [, , ...rest] = chunks(0);
    expect(await bodyOf(request([Buffer.from('[]'), Buffer.alloc(2 * MEBIBYTE - 2, ' '), ...rest]))).toEqual([]);
    await expect(bodyOf(request(chunks(1)))).rejects.toMatchObject({
      reason: 'RequestEntityTooLarge',
      message: 'the body is too long, allowed: 3145728 bytes',
    });
  });

  it('has a type without parameters', () => expect(typeOf(request('', ' Text/X ;a=b'))).toBe('text/x'));
});
