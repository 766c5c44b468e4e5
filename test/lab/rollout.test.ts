import { afterEach, describe, expect, it } from 'vitest';
import { planDaemonSet, planDeployment } from '../../src/lab/pods/rollout-plan.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

const open: Driven[] = [];
afterEach(() => open.pop()?.end());

const begin = async (files: Readonly<Record<string, string>>): Promise<(line: string) => Promise<string>> => {
  const driven = await drivenLab(files);
  open.push(driven);
  return async (line) => (await driven.run(line)).text;
};

/** Three pods that are ready so many seconds after their start. */
const web = (image: string, { strategy = '{}', delay = 5, port = 80 } = {}): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  replicas: 3\n  strategy: ${strategy}\n` +
  `  selector: { matchLabels: { app: web } }\n  template:\n    metadata: { labels: { app: web } }\n` +
  `    spec: { containers: [ { name: web, image: '${image}', ` +
  `readinessProbe: { httpGet: { port: ${port} }, initialDelaySeconds: ${delay} } } ] }\n`;
const ready = async (run: (line: string) => Promise<string>): Promise<string> =>
  (await run('kubectl get deploy web')).split('\n')[1]!.split(/ +/).slice(1, 4).join(' ');

describe('kubectl rollout status', () => {
  it('says how far a Deployment is, and old pods stay until new ones are ready', async () => {
    const run = await begin({ 'a.yaml': web('traefik/whoami:1'), 'b.yaml': web('traefik/whoami:2') });
    await run('kubectl apply -f a.yaml');
    expect(await run('kubectl rollout status deploy/web --watch=false')).toBe(
      'Waiting for deployment "web" rollout to finish: 0 of 3 updated replicas are available...\n',
    );
    expect(await run('kubectl rollout status deploy/web')).toMatch(/"web" successfully rolled out\n$/);
    await run('kubectl apply -f b.yaml');
    // READY UP-TO-DATE AVAILABLE: one more than wanted, and none less.
    expect(await ready(run)).toBe('3/3 1 3');
    expect((await run('kubectl rollout status deploy/web')).split('\n')).toEqual([
      'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
      'Waiting for deployment "web" rollout to finish: 2 out of 3 new replicas have been updated...',
      'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
      'deployment "web" successfully rolled out',
      '',
    ]);
    expect(await ready(run)).toBe('3/3 3 3');
    expect((await run('kubectl get events')).match(/Scaled \S+ .* from \d to \d/g)!.slice(-6)).toEqual([
      expect.stringMatching(/up .* from 0 to 1$/),
      expect.stringMatching(/down .* from 3 to 2$/),
      expect.stringMatching(/up .* from 1 to 2$/),
      expect.stringMatching(/down .* from 2 to 1$/),
      expect.stringMatching(/up .* from 2 to 3$/),
      expect.stringMatching(/down .* from 1 to 0$/),
    ]);
  });

  it('gives up at its time limit, and at the deadline of the Deployment; what serves stays', async () => {
    const bad = web('traefik/whoami:2', { port: 81 });
    const run = await begin({ 'a.yaml': web('traefik/whoami:1', { delay: 0 }), 'b.yaml': bad });
    await run('kubectl apply -f a.yaml');
    const [old] = (await run('kubectl get pods -l app=web -o name')).split('\n');
    await run('kubectl apply -f b.yaml');
    expect(await run('kubectl rollout status deploy/web --timeout=5s')).toBe(
      'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...\n' +
        'error: timed out waiting for the condition\n',
    );
    // The set that a pod was deleted of makes another.
    await run(`kubectl delete ${old}`);
    expect(await ready(run)).toBe('3/3 1 3');
    await run(`kubectl patch deploy web -p '{"spec":{"progressDeadlineSeconds":10}}'`);
    await run('sleep 10');
    expect(await run('kubectl rollout status deploy/web')).toBe(
      'error: deployment "web" exceeded its progress deadline\n',
    );
    await run('kubectl rollout undo deploy/web');
    expect(await ready(run)).toBe('3/3 3 3');
  });

  it('takes a DaemonSet from node to node', async () => {
    const set = (image: string): string =>
      web(image)
        .replace('Deployment', 'DaemonSet')
        .replace(/ {2}(replicas|strategy): .*\n/g, '');
    const run = await begin({ 'a.yaml': set('traefik/whoami:1'), 'b.yaml': set('traefik/whoami:2') });
    await run('kubectl apply -f a.yaml');
    await run('kubectl rollout status ds/web');
    await run('kubectl apply -f b.yaml');
    expect((await run('kubectl rollout status ds/web')).split('\n')).toEqual([
      'Waiting for daemon set "web" rollout to finish: 1 out of 2 new pods have been updated...',
      'Waiting for daemon set "web" rollout to finish: 1 of 2 updated pods are available...',
      'daemon set "web" successfully rolled out',
      '',
    ]);
  });

  it('has all old pods go first where the strategy is Recreate', async () => {
    const strategy = '{ type: Recreate }';
    const run = await begin({
      'a.yaml': web('traefik/whoami:1', { strategy, delay: 0 }),
      'b.yaml': web('traefik/whoami:2', { strategy }),
    });
    await run('kubectl apply -f a.yaml');
    await run('kubectl apply -f b.yaml');
    expect(await ready(run)).toBe('0/3 3 0');
  });
});

describe('the next step of a Deployment', () => {
  const rolling = (maxSurge: unknown, maxUnavailable: unknown): object => ({
    strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
  });
  it.each([
    { name: 'a quarter more, rounded up', spec: {}, wanted: 10, old: [10, 10], now: [0, 0], next: [10, 3] },
    { name: 'a quarter less, rounded down', spec: {}, wanted: 10, old: [10, 10], now: [3, 0], next: [8, 3] },
    { name: 'of one, none less', spec: {}, wanted: 1, old: [1, 1], now: [1, 0], next: [1, 1] },
    { name: 'none more', spec: rolling(0, 1), wanted: 3, old: [3, 3], now: [0, 0], next: [2, 0] },
    {
      name: 'neither more nor less is one less',
      spec: rolling(0, 0),
      wanted: 3,
      old: [3, 3],
      now: [0, 0],
      next: [2, 0],
    },
    { name: 'all at once', spec: rolling('100%', 0), wanted: 3, old: [3, 3], now: [0, 0], next: [3, 3] },
    { name: 'ready ones take the place', spec: rolling('100%', 0), wanted: 3, old: [3, 3], now: [3, 2], next: [1, 3] },
    { name: 'broken old ones go first', spec: rolling(1, 1), wanted: 3, old: [3, 2], now: [1, 0], next: [2, 1] },
    { name: 'fewer are wanted meanwhile', spec: {}, wanted: 1, old: [2, 2], now: [3, 0], next: [2, 1] },
    { name: 'paused', spec: { paused: true }, wanted: 3, old: [2, 2], now: [2, 2], next: [2, 2] },
    { name: 'Recreate', spec: { strategy: { type: 'Recreate' } }, wanted: 3, old: [3, 3], now: [0, 0], next: [0, 0] },
  ])('$name', ({ spec, wanted, old, now, next }) => {
    const set = ([size, available]: number[]): { size: number; available: number } => ({
      size: size!,
      available: available!,
    });
    expect(planDeployment(spec, wanted, [set(old), set(now)], false)).toEqual(next);
  });
});

describe('the next step of a DaemonSet', () => {
  const pod = (node: string, what: 'old' | 'new', how: 'well' | 'broken' | 'leaving') => ({
    node,
    current: what === 'new',
    available: how === 'well',
    leaving: how === 'leaving',
  });
  const surge = { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };
  const olds = ['a', 'b', 'c'].map((node) => pod(node, 'old', 'well'));
  it.each([
    { name: 'one at a time', spec: {}, pods: olds, create: [], remove: ['a'] },
    {
      name: 'two thirds',
      spec: { updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } },
      pods: olds,
      create: [],
      remove: ['a', 'b'],
    },
    {
      name: 'a new one is not ready',
      spec: {},
      pods: [pod('a', 'new', 'broken'), ...olds.slice(1)],
      create: [],
      remove: [],
    },
    {
      name: 'an old one is on its way',
      spec: {},
      pods: [pod('a', 'old', 'leaving'), ...olds.slice(1)],
      create: [],
      remove: [],
    },
    { name: 'it is gone', spec: {}, pods: olds.slice(1), create: ['a'], remove: [] },
    {
      name: 'a broken old one goes anyway',
      spec: {},
      pods: [pod('a', 'old', 'broken'), ...olds.slice(1)],
      create: [],
      remove: ['a'],
    },
    { name: 'OnDelete', spec: { updateStrategy: { type: 'OnDelete' } }, pods: olds, create: [], remove: [] },
    { name: 'surge: a new one first', spec: surge, pods: olds, create: ['a'], remove: [] },
    { name: 'surge: it is not ready', spec: surge, pods: [...olds, pod('a', 'new', 'broken')], create: [], remove: [] },
    { name: 'surge: it is ready', spec: surge, pods: [...olds, pod('a', 'new', 'well')], create: [], remove: ['a'] },
    {
      name: "surge on the node's network",
      spec: { ...surge, template: { spec: { hostNetwork: true } } },
      pods: olds,
      create: [],
      remove: ['a'],
    },
  ])('$name', ({ spec, pods, create, remove }) => {
    const plan = planDaemonSet(spec, ['a', 'b', 'c'], pods);
    expect({ create: plan.create, remove: plan.remove.map(({ node }) => node) }).toEqual({ create, remove });
  });
});
