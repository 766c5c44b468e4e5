import { seededRandom, randomBelow } from '../../src/lib/random.js';
import { whyNot } from '../e2e/node-local/namespaces.js';
import { RollingNode, type Counted, type RollingOptions } from '../support/rolling-node.js';
import type { Figure, Scale, Weather } from './row.js';

const RATE = 1000;
/** Kills of either process, at moments that the seed says. */
const SEED = 7;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const lostOf = ({ wrong, lost }: Counted): number => wrong + lost.udp + lost.tcp;

/** Each update starts the new process beside the old one, and ends that when the new one serves. */
async function newFirst(node: RollingNode, how: RollingOptions, updates: number, seconds: number): Promise<Counted> {
  let serving = await node.start(how);
  const began = performance.now();
  const counted = await node.ask(RATE);
  for (let i = 1; i <= updates; i++) {
    await sleep(Math.max(0, (i * seconds * 1000) / (updates + 1) - (performance.now() - began)));
    const fresh = await node.start(how);
    await serving.end();
    serving = fresh;
  }
  await sleep(Math.max(0, seconds * 1000 - (performance.now() - began)));
  const result = await counted();
  await serving.end();
  return result;
}

/** Each update ends the process, and starts another one when it is gone. */
async function oldFirst(
  node: RollingNode,
  how: RollingOptions,
  updates: number,
): Promise<Counted & { between: number }> {
  let serving = await node.start(how);
  const counted = await node.ask(RATE);
  let between = 0;
  for (let i = 0; i < updates; i++) {
    await sleep(1000);
    const from = performance.now();
    await serving.end();
    serving = node.launch(how);
    await serving.program.said(/^nodens-\d/m, 60_000);
    between += performance.now() - from;
  }
  await sleep(1000);
  const result = { ...(await counted()), between };
  await serving.end();
  return result;
}

/** One of two is killed at some moment after the second one was started, and another one takes its place. */
async function kills(node: RollingNode, count: number): Promise<Counted> {
  const random = seededRandom(SEED);
  const how = { takeover: true };
  let serving = await node.start(how);
  const counted = await node.ask(RATE);
  for (let i = 0; i < count; i++) {
    const fresh = node.launch(how);
    await sleep(randomBelow(random, 1500));
    const [victim, other] = randomBelow(random, 2) === 0 ? [serving, fresh] : [fresh, serving];
    // The one that is left has to be able to serve.
    if (victim === serving) await fresh.program.said(/^nodens-\d/m, 60_000);
    await sleep(randomBelow(random, 300));
    await victim.end('SIGKILL');
    serving = other;
    await sleep(300);
  }
  const result = await counted();
  await serving.end();
  return result;
}

export const rolling: Weather = {
  name: 'rolling',
  needs: ['ip', 'iptables-nft', 'unshare'],
  tested: true,
  async play(scale: Scale): Promise<Figure[]> {
    const why = whyNot([]);
    if (why !== undefined) throw new Error(why);
    const [updates, seconds, killed] = scale === 'short' ? [2, 6, 4] : [10, 60, 20];
    const node = new RollingNode();
    const figures: Figure[] = [];
    try {
      for (const skipTeardown of [false, true]) {
        const result = await newFirst(node, { takeover: true, skipTeardown }, updates, seconds);
        const what = `${updates} updates, new first${skipTeardown ? ', -skipteardown' : ''}: lost or wrong of ${result.asked}`;
        figures.push({ what, got: lostOf(result), unit: '', atMost: 0 });
        await node.stop();
      }
      const old = await oldFirst(node, { takeover: true, skipTeardown: true }, updates);
      const passing = Math.ceil((old.between / 1000) * RATE);
      figures.push({
        what: `${updates} updates, old first, -skipteardown: lost or wrong of ${old.asked}, between two processes ${passing}`,
        got: lostOf(old),
        unit: '',
        atMost: passing,
      });
      await node.stop();
      const kill = await kills(node, killed);
      figures.push(
        { what: `${killed} kills of either: lost or wrong of ${kill.asked}`, got: lostOf(kill), unit: '' },
        { what: 'the longest row of losses', got: kill.longest, unit: 'ms', atMost: 1000, timed: true },
      );
      return figures;
    } finally {
      await node.stop();
      node.remove();
    }
  },
};
