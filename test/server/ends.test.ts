import { describe, expect, it } from 'vitest';
import { Reply, definePlugin } from '../../src/chain/index.js';
import { PLUGINS } from '../../src/server/directives.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { FakeNetwork } from '../support/fake-network.js';

const ASKED = { name: 'a.', type: 1 } as const;
/** In the place of whoami: finds that the server cannot go on when it is asked. */
const FATAL = definePlugin('whoami', (_, block) => ({
  name: 'whoami',
  role: 'answers',
  dependsOn: 'query',
  handle: () => {
    block.fatal('it loops');
    return Reply.empty(0);
  },
}));
const plugins = PLUGINS.map((plugin) => (plugin.name === 'whoami' ? FATAL : plugin));

describe('what a server cannot go on with', () => {
  it.each([
    { name: 'ends it, and is logged', told: undefined, log: ['[ERROR] it loops'], taken: [] },
    { name: 'is told to who started it instead', told: [], log: [], taken: ['tcp 53', 'udp 53'] },
  ])('$name', async ({ told, log: lines, taken }) => {
    const [network, log] = [new FakeNetwork(), new TestLog()];
    const reasons: string[] = told ?? [];
    const server = await Server.create({
      corefile: '. {\nbind 127.0.0.1\nwhoami\n}\n',
      ...{ plugins, network, clock: network.clock, log },
      ...(told && { onFatal: (reason: string) => void reasons.push(reason) }),
    });
    await server.listen();
    await server.inject(ASKED);
    await network.clock.advanceAsync(10_000);
    expect([log.lines, network.taken, reasons]).toEqual([lines, taken, told ? ['it loops'] : []]);
    await server.stop();
  });
});

describe('a Corefile without a server block', () => {
  it('is refused, and one that takes its place', async () => {
    const [network, log] = [new FakeNetwork(), new TestLog()];
    await expect(Server.create({ corefile: '# nothing\n', network })).rejects.toThrow('Corefile:1: no server block');
    let text = '. {\nwhoami\n}\n';
    const server = await Server.create({ corefile: { name: 'Corefile', read: () => text }, network, log });
    text = '# nothing\n';
    expect(await server.reload()).toBe(false);
    expect(log.lines).toContain('[ERROR] Restart failed: Corefile:1: no server block');
    await server.stop();
  });
});

it('a plugin that fails when it stops is told of, and others stop all the same', async () => {
  const stopped: string[] = [];
  const stopping = (name: string, stop: () => void) =>
    definePlugin(name, (_, block) => {
      block.onStop(stop);
      return { name, role: 'observes', dependsOn: 'question', handle: (query, next) => next(query) };
    });
  const failing = stopping('any', () => {
    throw new Error('it is stuck');
  });
  const willing = stopping('whoami', () => void stopped.push('whoami'));
  const [network, log] = [new FakeNetwork(), new TestLog()];
  const server = await Server.create({
    corefile: '. {\nany\nwhoami\n}\n',
    plugins: PLUGINS.map((plugin) => [failing, willing].find(({ name }) => name === plugin.name) ?? plugin),
    ...{ network, log },
  });
  await server.stop();
  expect([stopped, log.lines]).toEqual([['whoami'], ['[ERROR] stopping: it is stuck']]);
});
