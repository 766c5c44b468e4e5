import { describe, expect, it } from 'vitest';
import { Server } from '../../../src/server/server.js';
import type { HandedOver } from '../../../src/chain/index.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { TestLog } from '../../support/block.js';
import { query } from '../../support/dns.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';
import { FakeUpstream } from '../../support/fake-upstream.js';

const COREFILE = `. {
  forward . 10.0.0.1 10.0.0.2 {
    policy sequential
    max_fails 1
  }
}`;

/** Two upstreams, of which the first says nothing, and servers that follow each other. */
async function world() {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const upstreams = [1, 2].map((number) => new FakeUpstream(network, { address: `10.0.0.${number}`, port: 53 }));
  for (const upstream of upstreams) await upstream.start();
  upstreams[0]!.answer = () => undefined;
  const begin = (handedOver?: HandedOver, corefile = COREFILE): Promise<Server> =>
    Server.create({ corefile, clock, network, log: new TestLog(), ...(handedOver && { handedOver }) });
  /** Milliseconds until a question is answered. */
  const took = async (server: Server, name: string): Promise<number> => {
    const from = clock.monotonic();
    let took = -1;
    void server.exchange(query(name).bytes).then(() => (took = clock.monotonic() - from));
    await elapse(clock, 3000);
    return took;
  };
  return { begin, took, upstreams };
}

describe('what forward hands over', () => {
  it('is which upstreams answer, and how soon: the next process asks no dead one', async () => {
    const { begin, took, upstreams } = await world();
    const first = await begin();
    expect(await took(first, 'one.test.')).toBeGreaterThan(200);
    expect(await took(first, 'two.test.')).toBeLessThan(20);
    const handed = first.handOver();
    expect([...handed.keys()]).toEqual(['forward 0 .']);
    const second = await begin(handed);
    expect(handed.size).toBe(0);
    const asked = (): number => upstreams[0]!.seen.filter(({ message }) => message.question[0]!.type === 1).length;
    const before = asked();
    expect(await took(second, 'three.test.')).toBeLessThan(20);
    expect(asked()).toBe(before);
    // Its health is looked into by the new one too.
    upstreams[0]!.answer = upstreams[1]!.answer;
    await first.stop();
    await took(second, 'four.test.');
    await took(second, 'five.test.');
    expect(asked()).toBeGreaterThan(before);
    await second.stop();
  });

  it.each([
    { name: 'one that failed', fails: 5, maxFails: 1, checked: true },
    { name: 'one that did not', fails: 0, maxFails: 1, checked: false },
    { name: 'one that may fail as often as it likes', fails: 5, maxFails: 0, checked: false },
  ])('has the next process look into the health of $name: $checked', async ({ fails, maxFails, checked }) => {
    const { begin, took, upstreams } = await world();
    const known = { to: '10.0.0.2:53', fails, silent: false, roundTrip: [1, 1, 1, 30] };
    const corefile = COREFILE.replace('10.0.0.1 10.0.0.2', '10.0.0.2').replace('max_fails 1', `max_fails ${maxFails}`);
    const server = await begin(new Map([['forward 0 .', JSON.stringify([known])]]), corefile);
    await took(server, 'one.test.');
    expect(upstreams[1]!.seen.some(({ message }) => message.question[0]!.type === 2)).toBe(checked);
    await server.stop();
  });

  const good = { to: '10.0.0.1:53', fails: 5, silent: true, roundTrip: [1, 1, 1, 30] };
  it.each([
    { name: 'nonsense', text: 'nonsense' },
    { name: 'no list', text: '{"to":"10.0.0.1:53"}' },
    { name: 'another upstream', text: JSON.stringify([{ ...good, to: '10.0.0.9:53' }]) },
    { name: 'an older version', text: JSON.stringify([{ to: '10.0.0.1:53', fails: 5 }]) },
    { name: 'another form of round trip', text: JSON.stringify([{ ...good, roundTrip: [1, 1, 1, 30, 4] }]) },
    { name: 'nothing of an upstream', text: '[null]' },
    { name: 'a word for an upstream', text: '["10.0.0.1:53"]' },
    { name: 'an upstream by number', text: JSON.stringify([{ ...good, to: 1 }]) },
    { name: 'silence in words', text: JSON.stringify([{ ...good, silent: 'yes' }]) },
    { name: 'failures in words', text: JSON.stringify([{ ...good, fails: 'many' }]) },
    { name: 'no end of failures', text: JSON.stringify([good]).replace('"fails":5', '"fails":1e999') },
    { name: 'failures below none', text: JSON.stringify([{ ...good, fails: -1 }]) },
    { name: 'no round trips', text: JSON.stringify([{ ...good, roundTrip: {} }]) },
    { name: 'times below nothing', text: JSON.stringify([{ ...good, roundTrip: [-1, 1, 1, 30] }]) },
  ])('$name changes nothing', async ({ text }) => {
    const { begin, took } = await world();
    const server = await begin(new Map([['forward 0 .', text]]));
    expect(await took(server, 'one.test.')).toBeGreaterThan(200);
    await server.stop();
  });

  it('what a newer version says beside it is left aside', async () => {
    const { begin, took } = await world();
    const server = await begin(new Map([['forward 0 .', JSON.stringify([{ ...good, connections: 3 }])]]));
    expect(await took(server, 'one.test.')).toBeLessThan(20);
    await server.stop();
  });
});
