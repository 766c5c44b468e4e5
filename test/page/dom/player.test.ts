import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import type { ExplainedQuery, FlowView, Hop, LookupAnswer, VisitView } from '../../../src/lab/web/api.js';
import { lookUp } from '../../../src/page/connection.js';
import { framesOf } from '../../../src/page/frames.js';
import { onPulse, pulseFlows, pulseVisits, type Pulse } from '../../../src/page/picture/pulses.js';
import * as player from '../../../src/page/player.js';

vi.mock('../../../src/page/connection.js', () => ({ lookUp: vi.fn() }));

const POD = 'pod/default/curl-pod';
const DNS = 'pod/kube-system/coredns';
const visit: Hop = { kind: 'visit', depth: 0, at: DNS, text: 'a visit', cache: 'miss', result: 'NOERROR' };
const query = (type: string): ExplainedQuery => ({
  type,
  protocol: 'udp',
  server: '10.96.0.10',
  result: 'NOERROR',
  started: 0,
  time: 1,
  text: `${type} answered`,
  aliases: [],
  reasons: [],
  hops: [visit],
});
const story = (asked: string): LookupAnswer =>
  ({
    pod: { id: POD, namespace: 'default', name: 'curl-pod', ip: '172.20.1.236', node: 'k8s-ctr' },
    asked,
    profile: 'glibc',
    servers: ['10.96.0.10'],
    search: [],
    ndots: 5,
    steps: [{ name: asked, why: 'as it stands', queries: [query('A'), query('AAAA')] }],
    cost: { queries: 2, packets: 4, sockets: 2, visits: 2, time: 1 },
    found: true,
    outcome: 'found',
    addresses: [],
    canonical: '',
    notes: [],
  }) as unknown as LookupAnswer;

/** Whether the visitor wants no motion. */
let still = false;
beforeEach(() => {
  still = false;
  vi.useFakeTimers();
  vi.stubGlobal('matchMedia', () => ({ matches: still }));
  player.past.value = [];
  player.show(story('a.'));
});
afterEach(() => {
  player.pause();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the player', () => {
  const last = framesOf(story('a.')).length - 1;

  it('plays a moment each 320 ms, and stops at the last one', () => {
    player.play();
    vi.advanceTimersByTime(319);
    expect([player.index.value, player.playing.value]).toEqual([0, true]);
    vi.advanceTimersByTime(1);
    expect(player.index.value).toBe(1);
    vi.advanceTimersByTime(320 * (last - 2));
    expect([player.index.value, player.playing.value]).toEqual([last - 1, true]);
    vi.advanceTimersByTime(320);
    expect([player.index.value, player.playing.value]).toEqual([last, false]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    { name: 'from where it stands', at: 2, want: 3 },
    { name: 'from the last but one', at: last - 1, want: last },
    { name: 'from the beginning, when it stands at the end', at: last, want: 1 },
  ])('plays $name', ({ at, want }) => {
    player.goTo(at);
    player.play();
    player.play();
    vi.advanceTimersByTime(320);
    expect(player.index.value).toBe(want);
  });

  it('does not play without a lookup', () => {
    player.story.value = undefined;
    player.play();
    expect(player.playing.value).toBe(false);
  });

  it('stands still when it is paused, and where another place is gone to', () => {
    for (const stop of [player.pause, () => player.goTo(0), () => player.show(story('b.'))]) {
      player.play();
      stop();
      vi.advanceTimersByTime(1000);
      expect([player.index.value, player.playing.value]).toEqual([0, false]);
    }
  });

  it.each([
    { name: 'before the first', place: -3, want: 0 },
    { name: 'behind the last', place: 99, want: last },
    { name: 'between', place: 1, want: 1 },
  ])('goes to a place $name', ({ place, want }) => {
    player.goTo(place);
    expect(player.index.value).toBe(want);
  });

  it('goes from query to query, and to both ends', () => {
    const places = ([1, 1, 1, 1, -1, -1, -1, -1] as const).map((direction) => {
      player.byQuery(direction);
      return `${player.frame.value!.kind} ${player.frame.value!.query} ${player.reached.value}`;
    });
    expect(places).toEqual([
      'reply 0 0',
      'reply 1 1',
      'end -1 1',
      'end -1 1',
      'reply 1 1',
      'reply 0 0',
      'start -1 -1',
      'start -1 -1',
    ]);
    player.goToQuery(1);
    expect(player.frame.value!.query).toBe(1);
  });

  it('keeps the last twelve lookups, the newest first, and plays where motion is welcome', async () => {
    for (const asked of Array.from({ length: 13 }, (_, i) => `n${i}.`)) {
      vi.mocked(lookUp).mockResolvedValueOnce(story(asked));
      await player.ask({} as Parameters<typeof player.ask>[0]);
    }
    expect(player.past.value.map(({ asked }) => asked)).toEqual(Array.from({ length: 12 }, (_, i) => `n${12 - i}.`));
    expect([player.story.value?.asked, player.playing.value, player.busy.value]).toEqual(['n12.', true, false]);
    still = true;
    vi.mocked(lookUp).mockResolvedValueOnce(story('n.'));
    await player.ask({} as Parameters<typeof player.ask>[0]);
    expect(player.playing.value).toBe(false);
    // An address names a moment: it stands there.
    still = false;
    vi.mocked(lookUp).mockResolvedValueOnce(story('o.'));
    await player.ask({} as Parameters<typeof player.ask>[0], '2.1');
    expect([player.frame.value!.query, player.playing.value]).toEqual([1, false]);
  });

  it('is busy while it asks, and says what went wrong', async () => {
    vi.mocked(lookUp).mockRejectedValueOnce(new Error('no such pod'));
    const asking = player.ask({} as Parameters<typeof player.ask>[0]);
    expect([player.busy.value, player.problem.value]).toEqual([true, '']);
    await asking;
    expect([player.busy.value, player.problem.value, player.past.value]).toEqual([false, 'no such pod', []]);
  });
});

describe('pulses', () => {
  const told = (tell: () => void): Pulse[] => {
    const pulses: Pulse[] = [];
    const end = onPulse((pulse) => pulses.push(pulse));
    tell();
    end();
    tell();
    return pulses;
  };
  const asked = (more: Partial<VisitView>): VisitView => ({ server: DNS, from: POD, ...more }) as VisitView;
  const flow = (more: Record<string, unknown>): FlowView =>
    ({
      source: { part: POD, port: 4000 },
      destination: { part: DNS, port: 80 },
      point: 'to-endpoint',
      verdict: 'FORWARDED',
      ...more,
    }) as unknown as FlowView;

  it.each([
    { name: 'a query', visit: asked({}), want: [{ edges: [{ from: POD, to: DNS }], tone: 'dns' }] },
    {
      name: 'one that a cache answers',
      visit: asked({ hit: true }),
      want: [{ edges: [{ from: POD, to: DNS }], tone: 'hit' }],
    },
    {
      name: 'one by way of a service',
      visit: asked({ by: 'service/x' }),
      want: [
        {
          edges: [
            { from: POD, to: 'service/x' },
            { from: 'service/x', to: DNS },
          ],
          tone: 'dns',
        },
      ],
    },
    { name: 'one of a server to itself', visit: asked({ from: DNS }), want: [] },
    { name: 'one from outside', visit: asked({ from: undefined }), want: [] },
  ])('of $name', ({ visit: one, want }) => expect(told(() => pulseVisits([one]))).toEqual(want));

  const way = [{ from: POD, to: DNS }];
  it.each([
    { name: 'a packet at its end', flow: flow({}), want: [{ edges: way, tone: 'other' }] },
    { name: 'a packet into the network', flow: flow({ point: 'to-network' }), want: [{ edges: way, tone: 'other' }] },
    { name: 'a packet on its way', flow: flow({ point: 'from-endpoint' }), want: [] },
    {
      name: 'one that is dropped',
      flow: flow({ point: 'from-endpoint', verdict: 'DROPPED' }),
      want: [{ edges: way, tone: 'drop' }],
    },
    { name: 'a query', flow: flow({ destination: { part: DNS, port: 53 } }), want: [] },
    { name: 'an answer', flow: flow({ source: { part: DNS, port: 53 } }), want: [] },
    { name: 'a packet from nowhere', flow: flow({ source: { port: 1 } }), want: [] },
    { name: 'a packet to nowhere', flow: flow({ destination: { port: 1 } }), want: [] },
  ])('of $name', ({ flow: one, want }) => expect(told(() => pulseFlows([one]))).toEqual(want));

  it('are fourteen of a round at most', () => {
    expect(told(() => pulseVisits(Array.from({ length: 20 }, () => asked({}))))).toHaveLength(14);
  });
});
