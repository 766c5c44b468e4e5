import { describe, expect, it } from 'vitest';
import type { Handler, HttpAnswer, Readiness } from '../../../src/chain/index.js';
import { ready } from '../../../src/plugins/ready/setup.js';
import { directives, setup, type TestBlock, httpRequest } from '../../support/block.js';

interface Plugin extends Handler, Readiness {
  up: boolean;
  asked: number;
}
function plugin(name: string, up = false): Plugin {
  return {
    name,
    up,
    asked: 0,
    handle: (query, next) => next(query),
    ready() {
      this.asked++;
      return this.up;
    },
  };
}

async function started(text: string, ...chain: Handler[]): Promise<TestBlock> {
  const { block, handlers } = setup(ready, text);
  expect(handlers).toEqual([]);
  block.chain = chain;
  await block.run('start');
  return block;
}
const answer = (block: TestBlock): Promise<HttpAnswer> => Promise.resolve(block.routes[0]!.answer(httpRequest()));
const OK = { status: 200, body: 'OK' };

describe('ready', () => {
  it.each([
    { name: 'by itself', text: 'ready', address: '', port: 8181 },
    { name: 'at an address', text: 'ready 10.0.0.1:80', address: '10.0.0.1', port: 80 },
    { name: 'at localhost', text: 'ready localhost:8091', address: '127.0.0.1', port: 8091 },
  ])('answers $name', async ({ text, address, port }) => {
    const block = await started(text, { name: 'whoami', handle: (query, next) => next(query) });
    expect(block.routes).toMatchObject([{ address, port, path: '/ready', owner: 'ready' }]);
    expect(await answer(block)).toEqual(OK);
    expect(block.log.lines).toEqual([]);
  });

  it('names who is not ready, in order', async () => {
    const block = await started('ready', plugin('kubernetes'), plugin('etcd'), plugin('hosts', true), plugin('etcd'));
    expect(await answer(block)).toEqual({ status: 503, body: 'etcd,etcd,kubernetes' });
    expect(block.log.lines).toEqual(['[INFO] plugin/ready: Plugins not ready: "etcd,etcd,kubernetes"']);
  });

  it.each([
    { name: 'by itself', text: 'ready', last: OK, asked: 2 },
    { name: 'until they are', text: 'ready {\n monitor until-ready\n}', last: OK, asked: 2 },
    {
      name: 'continuously',
      text: 'ready {\n monitor continuously\n}',
      last: { status: 503, body: 'kubernetes' },
      asked: 4,
    },
  ])('asks plugins $name', async ({ text, last, asked }) => {
    const kubernetes = plugin('kubernetes');
    const block = await started(text, kubernetes);
    expect(await answer(block)).toEqual({ status: 503, body: 'kubernetes' });
    kubernetes.up = true;
    expect(await answer(block)).toEqual(OK);
    expect(await answer(block)).toEqual(OK);
    kubernetes.up = false;
    expect(await answer(block)).toEqual(last);
    expect(kubernetes.asked).toBe(asked);
  });

  it('speaks for all blocks, each monitored in its own way', async () => {
    const first = plugin('kubernetes');
    const second = plugin('hosts', true);
    const block = await started('ready :1', first);
    // A block of the same configuration shares what is shared, and has a chain of its own.
    ready.setup(directives('ready :1 {\n monitor continuously\n}', 'ready'), block);
    block.chain = [second];
    await block.hooks.start[1]!();
    expect(await answer(block)).toEqual({ status: 503, body: 'kubernetes' });
    first.up = true;
    second.up = false;
    expect(await Promise.all(block.routes.map(async (route) => route.answer(httpRequest())))).toEqual([
      { status: 503, body: 'hosts' },
      { status: 503, body: 'hosts' },
    ]);
    second.up = true;
    expect(await answer(block)).toEqual(OK);
  });

  it('is not ready once the process ends', async () => {
    const block = await started('ready');
    await block.run('shutdown');
    expect(await answer(block)).toEqual({ status: 503, body: 'Shutting down' });
  });

  it.each([
    {
      name: 'an address without port',
      text: 'ready localhost',
      error: "Corefile:2: ready: address: got 'localhost', allowed: HOST:PORT",
    },
    {
      name: 'a host name',
      text: 'ready a.b:80',
      error:
        "Corefile:2: ready: address: got 'a.b:80', allowed: IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses",
    },
    {
      name: 'two addresses',
      text: 'ready :1 :2',
      error: "Corefile:2: ready: got 2 arguments (':1' ':2'), allowed: 0 to 1 arguments; usage: ready [ADDRESS]",
    },
    {
      name: 'a second time',
      text: 'ready :1\nready :2',
      error:
        'Corefile:3: ready: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
    {
      name: 'an unknown option',
      text: 'ready {\n watch always\n}',
      error: "Corefile:3: ready: unknown option 'watch'; allowed: monitor",
    },
    {
      name: 'an unknown way to monitor',
      text: 'ready {\n monitor always\n}',
      error: "Corefile:3: ready: monitor: got 'always', allowed: until-ready, continuously",
    },
    {
      name: 'monitor without a word',
      text: 'ready {\n monitor\n}',
      error:
        'Corefile:3: ready: monitor: got no argument, allowed: 1 argument; usage: monitor until-ready|continuously',
    },
    {
      name: 'a block behind monitor',
      text: 'ready {\n monitor until-ready {\n }\n}',
      error: 'Corefile:3: ready: monitor: got a block in { }, allowed: none',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(ready, text)).toThrow(error);
  });
});
