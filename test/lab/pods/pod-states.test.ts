import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { farAway } from '../../../src/lab/pods/outside-network.js';
import { statusOf } from '../../../src/lab/pods/pod-status.js';
import { listenerOf } from '../../../src/lab/pods/reach.js';
import type { PodState, RunningPod } from '../../../src/lab/pods/running-pod.js';
import { runMeant, serves } from '../../../src/lab/pods/running-pod.js';
import { apache, whoami } from '../../../src/lab/pods/web-program.js';
import { ManualClock } from '../../../src/lib/clock.js';
import type { Network } from '../../../src/net/network.js';
import { Class, Flag, Type, decodeMessage, encodeMessage } from '../../../src/wire/index.js';

describe('the web servers', () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5));
  const rawHeaders = ['X-Real-IP', 'r', 'Accept', '*/*', 'user-agent', 'curl', 'Host', 'webpod', 'B', 'b', 'A', 'a'];
  const request = (socket: object) =>
    ({ method: 'GET', url: '/x', httpVersion: '1.1', rawHeaders, socket }) as unknown as IncomingMessage;
  const pod = (mac?: string) => ({
    ip: '10.0.0.1',
    spec: { name: 'web' },
    endpoint: mac === undefined ? undefined : { mac },
  });

  it('whoami says who it is, who asks, and what', () => {
    const page = whoami(pod('aa:bb:cc:dd:ee:f0') as never, clock);
    const { headers, body } = page(request({ remoteAddress: '10.0.0.2', remotePort: 4000 }));
    expect(body.split(/\r?\n/)).toEqual([
      'Hostname: web',
      'IP: 127.0.0.1',
      'IP: ::1',
      'IP: 10.0.0.1',
      'IP: fe80::a8bb:ccff:fedd:eef0',
      'RemoteAddr: 10.0.0.2:4000',
      'GET /x HTTP/1.1',
      'Host: webpod',
      'user-agent: curl',
      'A: a',
      'Accept: */*',
      'B: b',
      'X-Real-IP: r',
      '',
      '',
    ]);
    expect(headers).toEqual([
      ['Date', 'Fri, 02 Jan 2026 03:04:05 GMT'],
      ['Content-Length', String(body.length)],
      ['Content-Type', 'text/plain; charset=utf-8'],
    ]);
  });

  it("whoami on a node's network has no address of a device, and may not know who asks", () => {
    const { body } = whoami(pod() as never, clock)(request({}));
    expect(body).not.toMatch(/fe80|RemoteAddr/);
  });

  it('Apache tells since when its page stands', () => {
    const page = apache('hällo', clock);
    clock.advance(60_000);
    const { headers, body } = page();
    expect(body).toBe('hällo\n');
    expect(Object.fromEntries(headers)).toMatchObject({
      Date: 'Fri, 02 Jan 2026 03:05:05 GMT',
      'Last-Modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'Content-Length': '7',
      // Size, and the time in microseconds, as Apache makes them.
      ETag: `"7-${(Date.UTC(2026, 0, 2, 3, 4, 5) * 1000).toString(16)}"`,
    });
  });
});

describe('a network far away', () => {
  const answer = encodeMessage({
    id: 1,
    flags: Flag.QR,
    rcode: 0,
    question: [{ name: 'a.example.', type: Type.A, class: Class.IN }],
    answer: [1, 2].map((last) => ({
      name: 'a.example.',
      type: Type.A,
      class: Class.IN,
      ttl: 1,
      rdata: Buffer.from([1, 2, 3, last]),
    })),
    authority: [],
    additional: [],
  });

  it.each([
    { name: 'at once', delay: 0 },
    { name: 'after its delay', delay: 30 },
  ])('has its datagrams leave $name, compressed', async ({ delay }) => {
    const clock = new ManualClock(0);
    const sent: [number, Buffer][] = [];
    const inner = {
      bindUdp: () =>
        Promise.resolve({
          local: { address: '', port: 53 },
          send: (bytes: Buffer, length: number) => void sent.push([clock.now(), bytes.subarray(0, length)]),
          close: () => undefined,
        }),
    } as unknown as Network;
    const socket = await farAway(inner, clock, delay).bindUdp({ address: '', port: 53 }, () => undefined);
    const padded = Buffer.concat([answer, Buffer.alloc(7)]);
    socket.send(padded, answer.length, { address: '10.0.0.1', port: 4000 });
    if (delay > 0) expect(sent).toEqual([]);
    clock.advance(30);
    const [[at, bytes]] = sent as [[number, Buffer]];
    expect(at).toBe(delay);
    expect(bytes.length).toBeLessThan(answer.length);
    expect(decodeMessage(bytes).answer).toEqual(decodeMessage(answer).answer);
  });
});

describe('a pod', () => {
  const pod = (state: PodState, ready = true, restarts = 0): RunningPod =>
    ({
      namespace: 'default',
      name: 'web',
      state,
      restarts,
      started: 0,
      began: 60_000,
      model: { ip: '10.0.0.1', ready },
      ended: restarts === 0 ? undefined : { began: 0, at: 50_000, exitCode: 137 },
    }) as unknown as RunningPod;

  it.each([
    { state: 'Running', ready: true, want: true },
    { state: 'Running', ready: false, want: false },
    { state: 'Terminating', ready: true, want: false },
  ] as const)('that is $state, ready: $ready serves: $want', ({ state, ready, want }) =>
    expect(serves(pod(state, ready))).toBe(want),
  );

  it.each([
    { name: 'the run of now', state: 'Running', restarts: 2, previous: false, want: 2 },
    { name: 'the run before', state: 'Running', restarts: 2, previous: true, want: 1 },
    { name: 'the first run', state: 'Running', restarts: 1, previous: true, want: 0 },
    { name: 'none before the first', state: 'Running', restarts: 0, previous: true, want: undefined },
    { name: 'between two runs the one that ended', state: 'Crashed', restarts: 2, previous: true, want: 2 },
    { name: 'after an error too', state: 'Error', restarts: 0, previous: true, want: 0 },
  ] as const)('has the log of $name', ({ state, restarts, previous, want }) =>
    expect(runMeant(pod(state, true, restarts), previous)).toBe(want),
  );

  const ended = {
    exitCode: 137,
    reason: 'Error',
    startedAt: '1970-01-01T00:00:00Z',
    finishedAt: '1970-01-01T00:00:50Z',
  };
  const running = { running: { startedAt: '1970-01-01T00:01:00Z' } };
  it.each([
    {
      state: 'ContainerCreating',
      phase: 'Pending',
      told: { state: { waiting: { reason: 'ContainerCreating' } }, ready: false, started: false },
    },
    { state: 'Running', phase: 'Running', told: { state: running, ready: true, started: true } },
    {
      state: 'Running',
      restarts: 1,
      phase: 'Running',
      told: { state: running, lastState: { terminated: ended }, restartCount: 1 },
    },
    { state: 'Terminating', phase: 'Running', told: { state: running, ready: false, started: false } },
    { state: 'Error', restarts: 1, phase: 'Running', told: { state: { terminated: ended } } },
    {
      state: 'Crashed',
      restarts: 1,
      phase: 'Running',
      told: { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: ended } },
    },
  ] as const)('that is $state says so in its status', ({ state, phase, told, ...more }) => {
    const restarts = 'restarts' in more ? more.restarts : 0;
    const status = statusOf(
      pod(state, true, restarts),
      { spec: { containers: [{ name: 'web', image: 'x' }] } },
      '10.0.0.9',
    );
    const [container] = status['containerStatuses'] as [Record<string, unknown>];
    expect(status).toMatchObject({ phase, podIP: '10.0.0.1', hostIP: '10.0.0.9', startTime: '1970-01-01T00:00:00Z' });
    expect(container).toMatchObject(told);
    expect('lastState' in container).toBe('lastState' in told);
  });

  it('says in its conditions how far it is', () => {
    const conditions = (state: PodState): unknown =>
      (statusOf(pod(state), {}, '')['conditions'] as { type: string; status: string }[]).map(
        ({ type, status }) => `${type} ${status}`,
      );
    const all = (created: string, ready: string): string[] => [
      `PodReadyToStartContainers ${created}`,
      'Initialized True',
      `Ready ${ready}`,
      `ContainersReady ${ready}`,
      'PodScheduled True',
    ];
    expect(conditions('Running')).toEqual(all('True', 'True'));
    expect(conditions('ContainerCreating')).toEqual(all('False', 'False'));
  });

  it.each([
    { name: 'at all of its addresses', at: '', want: { address: '10.0.0.1', port: 80 } },
    { name: 'at one of them', at: '127.0.0.1', want: { address: '127.0.0.1', port: 80 } },
    { name: 'elsewhere', at: '', port: 81, want: undefined },
  ])('is listened to $name', ({ at, port = 80, want }) => {
    const listening = new Set([
      { address: '0.0.0.0', port: 9153 },
      { address: at, port },
    ]);
    expect(listenerOf({ ...pod('Running'), network: { listening } } as never, 80)).toEqual(want);
  });
});
