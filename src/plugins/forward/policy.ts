import { randomBelow, type Random } from '../../lib/random.js';

export const POLICIES = ['random', 'round_robin', 'sequential'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** Puts a list into the order in which its members are to be tried for one query. The list itself stays as it is. */
export type UpstreamPolicy = <T>(list: readonly T[]) => readonly T[];

export function policyOf(name: PolicyName, random: Random): UpstreamPolicy {
  switch (name) {
    case 'random':
      return (list) => shuffled(list, random);
    case 'round_robin':
      return roundRobin();
    case 'sequential':
      return (list) => list;
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
