import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ManualClock } from '../../../src/lib/clock.js';
import type { ClusterView, LiveEvents } from '../../../src/lab/web/api.js';
import { Live, PER_ROUND, ROUND } from '../../../src/lab/web/live.js';
import { drivenLab } from '../lab.js';
import type { Driven } from '../lab.js';

let driven: Driven;
let view: ClusterView;
let live: Live;
beforeAll(async () => {
  driven = await drivenLab();
  view = { name: 'first' } as ClusterView;
  live = new Live(driven.lab, { view: () => view, cpu: () => 0 });
});
afterAll(async () => {
  live.close();
  await driven.end();
});

/** A page's connection: what it was told, by event. */
function page(): {
  readonly told: <Name extends keyof LiveEvents>(name: Name) => LiveEvents[Name][];
  readonly close: () => void;
} {
  const response = Object.assign(new PassThrough(), { writeHead: () => undefined });
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  expect(live.add(response as unknown as ServerResponse, {})).toBe(true);
  return {
    told: <Name extends keyof LiveEvents>(name: Name) =>
      [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)]
        .filter(([, event]) => event === name)
        .map(([, , data]) => JSON.parse(data!) as LiveEvents[Name]),
    close: () => response.destroy(),
  };
}
const pass = (time: number): Promise<void> => (driven.lab.clock as ManualClock).advanceAsync(time);

it('tells flows and visits once a round, the newest of many and how many were left out', async () => {
  const open = page();
  let happened = 0;
  const leave = driven.lab.hubble.onFlow(() => happened++);
  for (let i = 0; i < 30; i++) await driven.run('kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local');
  await pass(2 * ROUND);
  const flows = open.told('flows');
  for (const { flows: list } of flows) expect(list.length).toBeLessThanOrEqual(PER_ROUND);
  const [told, left] = [
    flows.reduce((sum, { flows: list }) => sum + list.length, 0),
    flows.reduce((sum, one) => sum + one.left, 0),
  ];
  leave();
  expect(happened).toBeGreaterThanOrEqual(30 * 6);
  expect(told + left).toBe(happened);
  expect(left).toBeGreaterThan(0);
  const seen = flows.flatMap(({ flows: list }) => list.map(({ seq }) => seq));
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(
    open
      .told('visits')
      .flatMap(({ visits }) => visits)
      .filter(({ name }) => name.startsWith('webpod')),
  ).toHaveLength(30);
  open.close();
});

it('tells the cluster at first, and when it has changed', async () => {
  const open = page();
  await pass(3 * ROUND);
  const before = open.told('cluster').length;
  await pass(3 * ROUND);
  expect(open.told('cluster')).toHaveLength(before);
  view = { name: 'second' } as ClusterView;
  await pass(ROUND);
  expect(open.told('cluster').map(({ name }) => name)).toEqual([
    ...Array.from({ length: before }, () => 'first'),
    'second',
  ]);
  open.close();
});

it('looks at nothing while no page is open', async () => {
  let looks = 0;
  const watching = new Live(driven.lab, { view: () => (looks++, view), cpu: () => 0 });
  await pass(8 * ROUND);
  expect(looks).toBe(0);
  watching.close();
});

it('tells a page nothing of what happened before it was opened', async () => {
  const first = page();
  first.close();
  await pass(ROUND);
  await driven.run('kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local');
  const open = page();
  await pass(2 * ROUND);
  expect([open.told('flows'), open.told('visits')]).toEqual([[], []]);
  open.close();
});
