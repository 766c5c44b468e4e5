import { randomBelow, type Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';

/** CoreDNS has the first three; `latency` is what holds where the Corefile names none. */
export const POLICIES = ['random', 'round_robin', 'sequential', 'latency'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** What a policy may go by; undefined before the first reply. */
interface Timed {
  readonly latency: Milliseconds | undefined;
}

/** Puts a list into the order in which its members are to be tried for one query. The list itself stays as it is. */
export type UpstreamPolicy = <T extends Timed>(list: readonly T[]) => readonly T[];

/** Differences below this are no reason: the draw is even. */
const QUICK: Milliseconds = 2;
const ALIKE = 1.5;
/** The slowest is drawn this often beside the quickest, so that it is found out when it gets quicker. */
const LEAST_SHARE = 0.02;

export function policyOf(name: PolicyName, random: Random): UpstreamPolicy {
  switch (name) {
    case 'random':
      return (list) => shuffled(list, random);
    case 'round_robin':
      return roundRobin();
    case 'sequential':
      return (list) => list;
    case 'latency':
      return (list) => weighted(list, random);
  }
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  if (list.length === 1) return list;
  const order = [...list];
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomBelow(random, last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** The next in turn first, then the others as they are listed; the second one begins, as in the reference. */
function roundRobin(): UpstreamPolicy {
  let turn = 0;
  return (list) => {
    if (list.length === 1) return list;
    turn = (turn + 1) % list.length;
    return [list[turn]!, ...list.slice(0, turn), ...list.slice(turn + 1)];
  };
}

/** Drawn one after the other, each with the square of its quickness as its share. */
function weighted<T extends Timed>(list: readonly T[], random: Random): readonly T[] {
  if (list.length === 1) return list;
  let quickest = Infinity;
  for (const { latency = Infinity } of list) quickest = Math.min(quickest, latency);
  quickest = Math.max(QUICK, quickest === Infinity ? 0 : quickest);
  const order = [...list];
  const shares = order.map(({ latency = quickest }) => shareOf(latency / quickest));
  let sum = shares.reduce((total, share) => total + share, 0);
  for (let place = 0; place < order.length - 1; place++) {
    let drawn = (random.uint32() / 2 ** 32) * sum;
    let at = place;
    while (at < order.length - 1 && drawn >= shares[at]!) drawn -= shares[at++]!;
    sum -= shares[at]!;
    [order[place], order[at]] = [order[at]!, order[place]!];
    [shares[place], shares[at]] = [shares[at]!, shares[place]!];
  }
  return order;
}

const shareOf = (slower: number): number => (slower <= ALIKE ? 1 : Math.max(LEAST_SHARE, 1 / slower ** 2));
