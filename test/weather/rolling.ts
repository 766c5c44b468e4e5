import { seededRandom, randomBelow } from '../../src/lib/random.js';
import { whyNot } from '../e2e/node-local/namespaces.js';
import { RedirectNode } from '../support/redirect-node.js';
import { FORWARDING, KUBE_DNS, RollingNode, type Counted, type RollingOptions } from '../support/rolling-node.js';
import type { Figure, Scale, Weather } from './row.js';

const RATE = 1000;
/** Kills of either process, at moments that the seed says. */
const SEED = 7;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const lostOf = ({ wrong, lost }: Counted): number => wrong + lost.udp + lost.tcp;

/** Where those went that were lost: what the asker saw, what the kernel counted, how long the asker itself stood still. */
function whereOf({ wrong, why, kernel, stood }: Counted): string {
  const seen = Object.entries({ ...(wrong > 0 && { wrong }), ...why }).map(([what, count]) => `${what} ${count}`);
  const counted = Object.entries(kernel).map(([name, count]) => `${name} ${count}`);
  if (seen.length === 0) return '';
  return ` (${seen.join(', ')}; kernel: ${counted.join(', ') || 'nothing'}; the asker stood still for ${stood.toFixed(0)} ms)`;
}

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
  ask = () => node.ask(RATE),
): Promise<Counted & { between: number }> {
  let serving = await node.start(how);
  const counted = await ask();
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

/**
 * Every query goes on to the cluster's DNS, over connections that a new process opens anew.
 *
 * @param updates none to see what answers take without
 */
async function forwarded(updates: number, seconds: number): Promise<Counted> {
  const node = new RollingNode();
  try {
    await node.startCluster();
    return await newFirst(node, { takeover: true, base: FORWARDING }, updates, seconds);
  } finally {
    await node.stop();
    node.remove();
  }
}

/**
 * The old one first, as without maxSurge and without flags: between the two, kube-proxy leads the service's address to
 * the cluster's DNS. A connection that is open when the way changes is lost.
 */
async function besideKubeProxy(updates: number): Promise<Counted & { between: number }> {
  const node = new RollingNode();
  try {
    await node.startCluster();
    return await oldFirst(node, { takeover: false }, updates, () => node.ask(RATE, 'each', [KUBE_DNS]));
  } finally {
    await node.stop();
    node.remove();
  }
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

/** How long a cache behind a policy goes on when it is told to end, and when the policy knows of that at the latest. */
const LAMEDUCK = 2000;
const KNOWN = 500;

/**
 * The same behind a policy, which leads to the pods that are ready and not about to end.
 *
 * @param newFirst whether the new pod is ready before the old one is told to end
 */
async function redirected(newFirst: boolean, updates: number, seconds: number): Promise<Counted> {
  const node = new RedirectNode(`${LAMEDUCK}ms`);
  try {
    await node.startCluster();
    let serving = await node.start();
    node.lead([serving]);
    const counted = await node.ask(RATE);
    const began = performance.now();
    for (let i = 1; i <= updates; i++) {
      await sleep(Math.max(0, (i * seconds * 1000) / (updates + 1) - (performance.now() - began)));
      const fresh = newFirst ? await node.start() : undefined;
      if (fresh) node.lead([serving, fresh]);
      const ended = serving.end();
      await sleep(KNOWN);
      node.lead(fresh ? [fresh] : []);
      await ended;
      serving = fresh ?? (await node.start());
      node.lead([serving]);
    }
    await sleep(Math.max(0, seconds * 1000 - (performance.now() - began)));
    return await counted();
  } finally {
    await node.stop();
    node.remove();
  }
}

/** At most what was asked while none of the two served may be lost. */
function oldFirstFigure(what: string, old: Counted & { between: number }): Figure {
  const passing = Math.ceil((old.between / 1000) * RATE);
  const lost = `lost or wrong of ${old.asked}${whereOf(old)}, between two processes ${passing}`;
  return { what: `${what}: ${lost}`, got: lostOf(old), unit: '', atMost: passing };
}

async function* withCluster(short: boolean): AsyncGenerator<Figure> {
  const [updates, seconds] = short ? [2, 6] : [10, 60];
  yield oldFirstFigure(`${updates} updates, old first, beside kube-proxy`, await besideKubeProxy(updates));
  const calm = await forwarded(0, seconds);
  const moved = await forwarded(updates, seconds);
  const each = `${updates} updates, new first, each query asked upstream by TCP`;
  yield {
    what: `${each}: lost or wrong of ${moved.asked}${whereOf(moved)}`,
    got: lostOf(moved),
    unit: '',
    atMost: 0,
  };
  yield { what: `${each}, p99 (${calm.p99.toFixed(1)} ms without updates)`, got: moved.p99, unit: 'ms' };
}

/** New first, on the node's own network: with the sockets of the old one, or with others beside them. */
const SHARED: readonly RollingOptions[] = [true, false].flatMap((takeover) =>
  [false, true].map((skipTeardown) => ({ takeover, skipTeardown })),
);

const textOf = ({ takeover, skipTeardown = false }: RollingOptions): string =>
  `${takeover ? '-takeover' : 'without -takeover'}${skipTeardown ? ', -skipteardown' : ''}`;

async function* onNode(short: boolean): AsyncGenerator<Figure> {
  const node = new RollingNode();
  try {
    yield* updatesOf(node, short);
  } finally {
    await node.stop();
    node.remove();
  }
}

async function* updatesOf(node: RollingNode, short: boolean): AsyncGenerator<Figure> {
  const [updates, seconds, killed] = short ? [2, 6, 4] : [10, 60, 20];
  for (const how of SHARED) {
    const result = await newFirst(node, how, updates, seconds);
    const what = `${updates} updates, new first, ${textOf(how)}: lost or wrong of ${result.asked}${whereOf(result)}`;
    yield { what, got: lostOf(result), unit: '', atMost: 0 };
    await node.stop();
  }
  for (const skipTeardown of short ? [true] : [true, false]) {
    const how = { takeover: true, skipTeardown };
    const old = await oldFirst(node, how, updates);
    yield oldFirstFigure(`${updates} updates, old first, ${textOf(how)}`, old);
    await node.stop();
  }
  const kill = await kills(node, killed);
  yield {
    what: `${killed} kills of either: lost or wrong of ${kill.asked}${whereOf(kill)}`,
    got: lostOf(kill),
    unit: '',
  };
  yield { what: 'the longest row of losses', got: kill.longest, unit: 'ms', atMost: 1000, timed: true };
}

async function* behindPolicy(short: boolean): AsyncGenerator<Figure> {
  const [updates, seconds] = short ? [2, 6] : [10, 60];
  for (const newFirst of [true, false]) {
    const result = await redirected(newFirst, updates, seconds);
    const lost = `lost or wrong of ${result.asked}${whereOf(result)}`;
    const what = `${updates} updates, ${newFirst ? 'new' : 'old'} first, behind a policy: ${lost}`;
    yield { what, got: lostOf(result), unit: '', atMost: 0 };
  }
}

export const rolling: Weather = {
  name: 'rolling',
  needs: ['ip', 'iptables-nft', 'nft', 'unshare'],
  tested: true,
  async play(scale: Scale): Promise<Figure[]> {
    const why = whyNot([]);
    if (why !== undefined) throw new Error(why);
    const figures: Figure[] = [];
    for (const kind of [onNode, withCluster, behindPolicy])
      for await (const figure of kind(scale === 'short')) figures.push(figure);
    return figures;
  },
};
