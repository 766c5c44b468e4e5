import { describe, expect, it } from 'vitest';
import { handsOver } from '../../../src/chain/index.js';
import { Server } from '../../../src/server/server.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { decodeMessage } from '../../../src/wire/index.js';
import { query } from '../../support/dns.js';
import { TestLog } from '../../support/block.js';
import { World, counting } from './world.js';

const COREFILE =
  'a.test {\n cache\n template IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n }\n}\nb.test {\n cache\n whoami\n}\n';

const ask = async (server: Server): Promise<number | undefined> => {
  const answer = await server.exchange(query('x.a.test.').bytes);
  return decodeMessage(Buffer.from(answer!)).answer[0]?.ttl;
};

describe('what a cache hands over', () => {
  const begin = (
    clock: ManualClock,
    log: TestLog,
    handedOver?: Map<string, string>,
    corefile = COREFILE,
  ): Promise<Server> => Server.create({ corefile, clock, log, ...(handedOver && { handedOver }) });

  it('is what the process goes on with that takes its place', async () => {
    const [clock, log] = [new ManualClock(), new TestLog()];
    const first = await begin(clock, log);
    expect(await ask(first)).toBe(60);
    clock.advance(20_000);
    const handed = first.handOver();
    expect([...handed.keys()]).toEqual(['cache 0 a.test.', 'cache 1 b.test.']);
    const second = await begin(clock, log, handed);
    expect(handed.size).toBe(0);
    expect(await ask(second)).toBe(40);
    expect(await ask(first)).toBe(40);
    await first.stop();
    await second.stop();
  });

  it('is left where the configuration is another', async () => {
    const [clock, log] = [new ManualClock(), new TestLog()];
    const first = await begin(clock, log);
    await ask(first);
    clock.advance(20_000);
    const handed = first.handOver();
    const second = await begin(
      clock,
      log,
      handed,
      COREFILE.replaceAll('a.test {\n cache', 'a.test {\n cache 60 x.a.test'),
    );
    expect([...handed.keys()]).toEqual(['cache 0 a.test.']);
    expect(await ask(second)).toBe(60);
    await first.stop();
    await second.stop();
  });

  it.each(['nonsense', 'nodens cache 1\n{"name":1}\n'])('that cannot be read is told of: %j', (text) => {
    const world = new World('cache', counting(60));
    world.handler.takeOver(text);
    expect(world.block.log.lines.join()).toMatch(/^\[WARNING\] plugin\/cache: starting empty: the process before/);
  });

  it('is what was used last', async () => {
    const world = new World('cache {\n success 20000\n}', counting(60));
    for (let i = 0; i < 10_010; i++) await world.ask(world.question(`n${i}.test.`));
    expect(handsOver(world.handler)).toBe(true);
    const text = world.handler.handOver();
    expect(text.split('\n')).toHaveLength(10_002);
    expect([text.includes('"n9.test."'), text.includes('"n10009.test."')]).toEqual([false, true]);
  });
});
