import { describe, expect, it } from 'vitest';
import { RefusedRequest, type HttpAnswer, type HttpRequest } from '../../src/chain/index.js';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import type { PluginRoute } from '../../src/plugin-api/contract.js';
import { httpRequest, setup, type TestBlock } from '../support/block.js';

/** A block with a plugin that has this route. */
const served = (route: Partial<PluginRoute>): TestBlock =>
  setup(
    adaptPlugin({
      name: 'names',
      api: 1,
      setup: (block) =>
        block.serveHttp({ address: 'localhost:8053', path: '/names', answer: () => ({ body: '' }), ...route }),
    }),
    'names',
  ).block;

const get = async (block: TestBlock, request: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  block.routes[0]!.answer(httpRequest(request));

async function* failing(): AsyncGenerator<string> {
  yield 'a';
  await Promise.reject(new Error('no more'));
}

describe('the HTTP route of a plugin', () => {
  it('is one of the server', () =>
    expect(served({ maxBody: 8 }).routes).toMatchObject([
      { address: '127.0.0.1', port: 8053, path: '/names', owner: 'names', maxBody: 8 },
    ]));

  it('gets the request and gives the answer', async () => {
    const block = served({
      answer: async ({ method, query, body }) => ({
        status: 201,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([method, query.get('a'), Buffer.from(await body()).toString()]),
      }),
    });
    expect(await get(block, { method: 'PUT', url: '/names?a=b', body: async () => Buffer.from('c') })).toEqual({
      status: 201,
      headers: { 'content-type': 'application/json' },
      body: '["PUT","b","c"]',
    });
    expect(block.log.lines).toEqual([]);
  });

  const wrong: [string, Partial<PluginRoute>, string][] = [
    ['an address that is none', { address: 'here' }, "names: address: got 'here', allowed: HOST:PORT"],
    ['an address of another kind', { address: 8053 as never }, 'serveHttp: address: got 8053, allowed: IP:PORT'],
    ['a path without a slash', { path: 'names' }, "serveHttp: path: got 'names', allowed: text that begins with /"],
    ['no answer', { answer: undefined }, 'serveHttp: answer: got nothing, allowed: a function (request)'],
    ['a length that is none', { maxBody: -1 }, 'serveHttp: maxBody: got -1, allowed: bytes'],
  ];
  it.each(wrong)('%s is refused at the directive', (_, route, message) =>
    expect(() => served(route)).toThrow(new RegExp(`Corefile:2: .*${message.replaceAll(/[()]/g, '\\$&')}`)),
  );

  const faults: [string, () => unknown, string][] = [
    ['throws', () => Promise.reject(new Error('no such place')), 'no such place'],
    ['answers nothing', () => undefined, 'TypeError: body: got nothing, allowed: text, bytes, or an async iterable'],
    ['answers a number', () => ({ body: 7 }), 'TypeError: body: got 7, allowed: text, bytes'],
    ['says a status that is none', () => ({ status: 42, body: '' }), 'TypeError: status: got 42, allowed: 200 to 599'],
    ['says a header that is none', () => ({ headers: { a: 1 }, body: '' }), 'TypeError: headers: a: got 1, allowed'],
  ];
  it.each(faults)('that %s is a fault with one line of log', async (_, answer, words) => {
    const block = served({ answer: answer as never });
    await expect(get(block)).rejects.toThrow();
    expect(block.log.lines).toEqual([expect.stringContaining(`[ERROR] plugin/names: GET /names: ${words}`)]);
  });

  it('whose client is refused says nothing', async () => {
    const block = served({ answer: async ({ body }) => ({ body: await body() }) });
    const request = { body: () => Promise.reject(new RefusedRequest(413, 'too long')) };
    await expect(get(block, request)).rejects.toMatchObject({ status: 413 });
    expect(block.log.lines).toEqual([]);
  });

  it('whose stream fails gives one line of log', async () => {
    const block = served({ answer: () => ({ body: failing() }) });
    const pieces: unknown[] = [];
    const { body } = await get(block);
    await expect(
      (async () => {
        for await (const piece of body as AsyncIterable<string>) pieces.push(piece);
      })(),
    ).rejects.toThrow('no more');
    expect([pieces, block.log.lines]).toEqual([['a'], ['[ERROR] plugin/names: GET /names: no more']]);
  });
});
