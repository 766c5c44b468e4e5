import { describe, expect, it } from 'vitest';
import { planDaemonSet, planDeployment } from '../../../src/lab/pods/rollout-plan.js';

/** Generations, the oldest first, each as its size and how many of its pods serve. */
type Sets = readonly (readonly [size: number, available: number])[];

const rolling = (maxSurge?: unknown, maxUnavailable?: unknown): object => ({
  strategy: {
    rollingUpdate: {
      ...(maxSurge !== undefined && { maxSurge }),
      ...(maxUnavailable !== undefined && { maxUnavailable }),
    },
  },
});
const RECREATE = { strategy: { type: 'Recreate' } };

describe('the next sizes of the generations of a Deployment', () => {
  it.each<{ name: string; spec?: object; wanted: number; sets: Sets; leaving?: boolean; want: readonly number[] }>([
    { name: 'all at once where there is one', wanted: 3, sets: [[0, 0]], want: [3] },
    { name: 'fewer at once where there is one', wanted: 1, sets: [[3, 3]], want: [1] },
    {
      name: 'the newest shrinks first',
      wanted: 1,
      sets: [
        [2, 2],
        [3, 0],
      ],
      want: [2, 1],
    },
    { name: 'none is nothing to do', wanted: 0, sets: [[0, 0]], want: [0] },
    // A quarter of ten, rounded up: 3 more.
    {
      name: 'a surge of a quarter, rounded up',
      wanted: 10,
      sets: [
        [10, 10],
        [0, 0],
      ],
      want: [10, 3],
    },
    {
      name: 'a surge of a quarter of four is one',
      wanted: 4,
      sets: [
        [4, 4],
        [0, 0],
      ],
      want: [4, 1],
    },
    {
      name: 'a surge of a half',
      spec: rolling('50%'),
      wanted: 4,
      sets: [
        [4, 4],
        [0, 0],
      ],
      want: [4, 2],
    },
    {
      name: 'a surge of a number',
      spec: rolling(3),
      wanted: 4,
      sets: [
        [4, 4],
        [0, 0],
      ],
      want: [4, 3],
    },
    {
      name: 'a surge as large as all',
      spec: rolling('100%'),
      wanted: 4,
      sets: [
        [4, 4],
        [0, 0],
      ],
      want: [4, 4],
    },
    {
      name: 'no more than are wanted',
      spec: rolling(9),
      wanted: 4,
      sets: [
        [4, 4],
        [1, 1],
      ],
      want: [4, 4],
    },
    {
      name: 'with the surge used up, one old one goes that may be missing',
      wanted: 4,
      sets: [
        [4, 4],
        [1, 0],
      ],
      want: [3, 1],
    },
    // A quarter of ten, rounded down: 2 may be missing.
    {
      name: 'what may be missing is a quarter, rounded down',
      wanted: 10,
      sets: [
        [10, 10],
        [3, 0],
      ],
      want: [8, 3],
    },
    {
      name: 'none may be missing of three',
      wanted: 3,
      sets: [
        [3, 3],
        [1, 0],
      ],
      want: [3, 1],
    },
    {
      name: 'an old one goes for each new one that serves',
      wanted: 3,
      sets: [
        [3, 3],
        [1, 1],
      ],
      want: [2, 1],
    },
    {
      name: 'what is free is filled',
      wanted: 3,
      sets: [
        [2, 2],
        [1, 1],
      ],
      want: [2, 2],
    },
    {
      name: 'the last old one goes',
      wanted: 3,
      sets: [
        [1, 1],
        [3, 3],
      ],
      want: [0, 3],
    },
    {
      name: 'without a surge, one may be missing',
      spec: rolling(0, 0),
      wanted: 3,
      sets: [
        [3, 3],
        [0, 0],
      ],
      want: [2, 0],
    },
    {
      name: 'then the new one comes',
      spec: rolling(0, 0),
      wanted: 3,
      sets: [
        [2, 2],
        [0, 0],
      ],
      want: [2, 1],
    },
    {
      name: 'without a surge, as many as may be missing',
      spec: rolling(0, 2),
      wanted: 4,
      sets: [
        [4, 4],
        [0, 0],
      ],
      want: [2, 0],
    },
    {
      name: 'a surge alone lets none be missing',
      spec: rolling(1, 0),
      wanted: 3,
      sets: [
        [3, 3],
        [0, 0],
      ],
      want: [3, 1],
    },
    {
      name: 'of old ones that do not serve, as many as are too many',
      wanted: 3,
      sets: [
        [2, 0],
        [1, 1],
        [1, 1],
      ],
      want: [1, 1, 1],
    },
    {
      name: 'of old ones that do not serve no more than is not missed',
      spec: rolling(1, 0),
      wanted: 3,
      sets: [
        [3, 1],
        [1, 0],
      ],
      want: [3, 1],
    },
    {
      name: 'broken ones of several generations, the oldest first',
      spec: rolling(2, 1),
      wanted: 4,
      sets: [
        [2, 0],
        [3, 2],
        [1, 1],
      ],
      want: [0, 2, 1],
    },
    {
      name: 'what serves goes from the oldest',
      wanted: 4,
      sets: [
        [2, 2],
        [1, 1],
        [2, 2],
      ],
      want: [0, 1, 2],
    },
    {
      name: 'a paused one leaves old ones alone',
      spec: { paused: true },
      wanted: 3,
      sets: [
        [3, 3],
        [0, 0],
      ],
      want: [3, 0],
    },
    {
      name: 'a paused one is still scaled',
      spec: { paused: true },
      wanted: 5,
      sets: [
        [0, 0],
        [3, 3],
      ],
      want: [0, 5],
    },
    {
      name: 'Recreate: the old ones go',
      spec: RECREATE,
      wanted: 3,
      sets: [
        [3, 3],
        [0, 0],
      ],
      want: [0, 0],
    },
    {
      name: 'Recreate: nothing before they are gone',
      spec: RECREATE,
      wanted: 3,
      sets: [
        [0, 0],
        [0, 0],
      ],
      leaving: true,
      want: [0, 0],
    },
    {
      name: 'Recreate: all new ones then',
      spec: RECREATE,
      wanted: 3,
      sets: [
        [0, 0],
        [0, 0],
      ],
      want: [0, 3],
    },
  ])('$name', ({ spec = {}, wanted, sets, leaving = false, want }) =>
    expect(
      planDeployment(
        spec as Parameters<typeof planDeployment>[0],
        wanted,
        sets.map(([size, available]) => ({ size, available })),
        leaving,
      ),
    ).toEqual(want),
  );
});

describe('the next step of a DaemonSet', () => {
  /** `a+` on node a, of the present generation; `a-` of an older one; `!` does not serve, `~` is on its way out. */
  const pod = (text: string) => ({
    text,
    node: text[0]!,
    current: text[1] === '+',
    available: !/[!~]/.test(text),
    leaving: text.includes('~'),
  });
  const update = (of: object, more: object = {}): object => ({ updateStrategy: { rollingUpdate: of }, ...more });
  const ON_HOST = { template: { spec: { hostNetwork: true } } };

  it.each<{ name: string; spec?: object; nodes?: string; pods: string; create?: string; remove?: string }>([
    { name: 'a pod for each node without one', pods: 'b+', create: 'a c' },
    { name: 'nothing where all are there', pods: 'a+ b+ c+' },
    { name: 'a pod on a node that is gone counts for none', pods: 'a+ b+ c+ x-' },
    { name: 'one old pod at a time', pods: 'a- b- c-', remove: 'a-' },
    { name: 'the next one not before the first serves again', pods: 'a+! b- c-' },
    { name: 'nor while it is on its way out', pods: 'a-~ b- c-' },
    { name: 'the next one then', pods: 'a+ b- c-', remove: 'b-' },
    { name: 'old ones that do not serve at once', pods: 'a- b-! c-!', remove: 'b-! c-!' },
    { name: 'a node without a pod is one that is missing', pods: 'b- c-', create: 'a' },
    { name: 'two at a time', spec: update({ maxUnavailable: 2 }), pods: 'a- b- c-', remove: 'a- b-' },
    {
      name: 'one of two while another is missing',
      spec: update({ maxUnavailable: 2 }),
      pods: 'a+! b- c-',
      remove: 'b-',
    },
    { name: 'a share, rounded up', spec: update({ maxUnavailable: '34%' }), pods: 'a- b- c-', remove: 'a- b-' },
    { name: 'one at least', spec: update({ maxUnavailable: 0 }), pods: 'a- b- c-', remove: 'a-' },
    {
      name: 'none by itself with OnDelete',
      spec: { updateStrategy: { type: 'OnDelete' } },
      pods: 'a- b-!',
      create: 'c',
    },
    { name: 'a new one beside the old', spec: update({ maxSurge: 1 }), pods: 'a- b- c-', create: 'a' },
    { name: 'no other while both are there', spec: update({ maxSurge: 1 }), pods: 'a- a+! b- c-' },
    {
      name: 'the old one goes when the new one serves',
      spec: update({ maxSurge: 1 }),
      pods: 'a- a+ b- c-',
      remove: 'a-',
    },
    { name: 'the next one then, with a surge', spec: update({ maxSurge: 1 }), pods: 'a-~ a+ b- c-', create: 'b' },
    { name: 'two beside the old', spec: update({ maxSurge: 2 }), pods: 'a- b- c-', create: 'a b' },
    { name: 'a share of new ones, rounded up', spec: update({ maxSurge: '34%' }), pods: 'a- b- c-', create: 'a b' },
    {
      name: 'where nothing serves, a new one whatever the surge',
      spec: update({ maxSurge: 1 }),
      pods: 'a- b-! c-',
      create: 'a b',
    },
    { name: 'and it does not count', spec: update({ maxSurge: 1 }), pods: 'a-! b- c-', create: 'a b' },
    { name: 'missing ones with a surge', spec: update({ maxSurge: 1 }), pods: 'a+ b+', create: 'c' },
    {
      name: 'no surge on the network of the nodes',
      spec: update({ maxSurge: 1, maxUnavailable: 1 }, ON_HOST),
      pods: 'a- b- c-',
      remove: 'a-',
    },
  ])('$name', ({ spec = {}, nodes = 'a b c', pods, create = '', remove = '' }) => {
    const plan = planDaemonSet(spec as Parameters<typeof planDaemonSet>[0], nodes.split(' '), pods.split(' ').map(pod));
    expect([plan.create.join(' '), plan.remove.map(({ text }) => text).join(' ')]).toEqual([create, remove]);
  });
});
