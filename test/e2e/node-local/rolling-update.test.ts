import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedirectNode } from '../../support/redirect-node.js';
import { RollingNode } from '../../support/rolling-node.js';
import { whyNot } from './namespaces.js';

const reason = whyNot(['ip', 'iptables-nft', 'nft', 'unshare']);
if (reason !== undefined)
  console.log(
    `test/e2e/node-local/rolling-update: ${reason} (Debian: iproute2, iptables, nftables, util-linux); skipped`,
  );

const UPDATES = 2;
const RATE = 200;
const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

describe.skipIf(reason !== undefined)('rolling updates on a node', () => {
  let node: RollingNode;
  beforeAll(() => {
    node = new RollingNode();
  });
  afterEach(() => node.stop());
  afterAll(() => node.remove());

  it.each([
    { name: 'with teardown', takeover: true, skipTeardown: false },
    { name: 'without', takeover: true, skipTeardown: true },
    { name: 'without a socket to take over', takeover: false, skipTeardown: false },
  ])('new first, $name: nothing is lost', async ({ takeover, skipTeardown }) => {
    const how = { takeover, skipTeardown };
    let serving = await node.start(how);
    const counted = await node.ask(RATE);
    for (let i = 0; i < UPDATES; i++) {
      const fresh = await node.start(how);
      if (takeover) {
        await fresh.program.said(/Got \d+ sockets from the process that serves/);
        await fresh.program.said(/plugin\/cache: [1-9]\d* replies from the process before this one/);
      }
      await pause(200);
      await serving.end();
      expect(node.rules()).toBe(24);
      serving = fresh;
    }
    const { asked, wrong, lost } = await counted();
    // As long as the updates take, which is short on a quick machine.
    expect(asked).toBeGreaterThan(RATE / 10);
    expect({ wrong, lost }).toEqual({ wrong: 0, lost: { udp: 0, tcp: 0 } });
    await serving.end();
    expect([node.rules(), node.hasLink]).toEqual(skipTeardown ? [24, true] : [0, false]);
  });

  it('behind a policy, new first and old first: nothing is lost', async () => {
    const redirect = new RedirectNode('2s');
    try {
      await redirect.startCluster();
      const old = await redirect.start();
      redirect.lead([old]);
      const counted = await redirect.ask(RATE);
      const fresh = await redirect.start();
      redirect.lead([old, fresh]);
      const ended = old.end();
      await pause(200);
      redirect.lead([fresh]);
      await ended;
      const gone = fresh.end();
      await pause(200);
      redirect.lead([]);
      await gone;
      const { asked, wrong, lost } = await counted();
      expect(asked).toBeGreaterThan(RATE / 10);
      expect({ wrong, lost }).toEqual({ wrong: 0, lost: { udp: 0, tcp: 0 } });
    } finally {
      await redirect.stop();
      redirect.remove();
    }
  });

  it.each([
    { name: 'the one that serves', killed: 0 },
    { name: 'the one that is new', killed: 1 },
  ])('when $name is killed, the other one goes on', async ({ killed }) => {
    const both = [await node.start({ takeover: true }), await node.start({ takeover: true })];
    const counted = await node.ask(RATE);
    await pause(200);
    await both[killed]!.end('SIGKILL');
    await pause(500);
    const { wrong, longest } = await counted();
    expect(wrong).toBe(0);
    expect(longest).toBeLessThan(1000);
    const left = both[1 - killed]!;
    await left.program.said(/The other process has ended/);
    await left.end();
    expect([node.rules(), node.hasLink]).toEqual([0, false]);
  });

  it('a new one that cannot serve gives back what it was given', async () => {
    const serving = await node.start({ takeover: true });
    const counted = await node.ask(RATE);
    const fresh = node.launch({ takeover: true, base: '.:53 {\n    nonsense\n}\n' });
    expect(await fresh.program.ended()).toBe(1);
    expect(fresh.program.text).toMatch(/Got \d+ sockets from the process that serves/);
    await pause(200);
    const { wrong, lost } = await counted();
    expect({ wrong, lost, rules: node.rules() }).toEqual({ wrong: 0, lost: { udp: 0, tcp: 0 }, rules: 24 });
    await serving.end();
    expect([node.rules(), node.hasLink]).toEqual([0, false]);
  });

  it('of which both end at once leave nothing', async () => {
    const both = [await node.start({ takeover: true }), await node.start({ takeover: true })];
    await Promise.all(both.map((instance) => instance.end()));
    expect([node.rules(), node.hasLink]).toEqual([0, false]);
  });
});
