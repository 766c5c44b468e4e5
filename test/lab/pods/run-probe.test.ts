import { describe, expect, it } from 'vitest';
import { IdleProgram } from '../../../src/lab/pods/idle-program.js';
import type { ContainerProbe } from '../../../src/lab/pods/probes.js';
import { probesOf } from '../../../src/lab/pods/probes.js';
import { runProbe } from '../../../src/lab/pods/run-probe.js';
import { SECOND, podOf, rawWith } from './probed-pod.js';

describe('a probe', () => {
  const HTTP = { httpGet: { port: 80, path: '/ready' } };
  it.each([
    { name: 'a command', probe: { exec: { command: ['x'] } }, want: '' },
    { name: 'a port that is open', probe: { tcpSocket: { port: 80 } }, answer: '', want: '' },
    { name: 'gRPC at a port that is open', probe: { grpc: { port: 80 } }, answer: '', want: '' },
    { name: 'TLS, as far as the connection', probe: { httpGet: { port: 80, scheme: 'https' } }, answer: '', want: '' },
    { name: '200', probe: HTTP, answer: 'HTTP/1.1 200 OK\r\n', want: '' },
    { name: '399 of HTTP/1.0', probe: HTTP, answer: 'HTTP/1.0 399 Odd\r\n', want: '' },
    { name: '199', probe: HTTP, answer: 'HTTP/1.1 199 Odd\r\n', want: 'HTTP probe failed with statuscode: 199' },
    { name: '400', probe: HTTP, answer: 'HTTP/1.1 400 Bad\r\n', want: 'HTTP probe failed with statuscode: 400' },
    { name: 'what is no HTTP', probe: HTTP, answer: 'hello\r\n', want: 'HTTP probe failed with statuscode: 0' },
    {
      name: 'an end without an answer',
      probe: HTTP,
      answer: 'HTTP',
      want: 'Get "http://IP:80/ready": EOF',
    },
    {
      name: 'a port that is closed',
      probe: { tcpSocket: { port: 81 } },
      want: 'dial tcp IP:81: connect: connection refused',
    },
    {
      name: 'HTTP at one',
      probe: { httpGet: { port: 81 } },
      want: 'Get "http://IP:81/": dial tcp IP:81: connect: connection refused',
    },
    {
      name: 'gRPC at one',
      probe: { grpc: { port: 81 } },
      want: 'error: failed to connect service at "IP:81": connection refused',
    },
    {
      name: 'another host',
      probe: { tcpSocket: { port: 81, host: '192.168.10.100' } },
      want: 'dial tcp 192.168.10.100:81: connect: connection refused',
    },
  ])('$name', async ({ probe, answer, want }) => {
    const { pod, clock, listen } = podOf();
    if (answer !== undefined) await listen(answer);
    const [one] = probesOf(rawWith({ livenessProbe: probe }));
    const told = runProbe(one!, pod, clock);
    await clock.advanceAsync(500);
    expect(await told).toBe(want.replaceAll('IP', pod.model.ip));
    // Nothing of it waits any more.
    expect(clock.pending).toBe(0);
  });

  it('says to a server what it is', async () => {
    const { pod, clock, network } = podOf();
    let asked = '';
    await network.listenTcp({ address: '', port: 80 }, ({ stream }) => {
      stream.on('error', () => undefined);
      stream.once('data', (data: Buffer) => {
        asked = data.toString();
        stream.end('HTTP/1.1 200 OK\r\n');
      });
    });
    await runProbe(probesOf(rawWith({ livenessProbe: HTTP }))[0]!, pod, clock);
    expect(asked.split('\r\n').slice(0, 3)).toEqual([
      'GET /ready HTTP/1.1',
      `Host: ${pod.model.ip}:80`,
      'User-Agent: kube-probe/1.33',
    ]);
  });

  it.each([
    {
      name: 'a silent server',
      way: 'http',
      port: 80,
      want: 'Get "http://IP:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    },
    {
      name: 'a silent address',
      way: 'tcp',
      port: 80,
      host: '192.168.10.77',
      want: 'dial tcp 192.168.10.77:80: i/o timeout',
    },
    {
      name: 'one, by gRPC',
      way: 'grpc',
      port: 80,
      host: '192.168.10.77',
      want: 'timeout: failed to connect service "192.168.10.77:80" within 2s: context deadline exceeded',
    },
  ] as const)('gives $name its time', async ({ way, port, want, ...more }) => {
    const { pod, clock, listen } = podOf();
    await listen();
    // An address that answers nothing at all: its packets are lost on the way.
    const host = 'host' in more ? more.host : undefined;
    if (host !== undefined) pod.model.node.process.connect = (() => ({ destroy: () => undefined })) as never;
    let told: string | undefined;
    const probe: ContainerProbe = {
      aim: 'liveness',
      container: 'web',
      way,
      host,
      port,
      path: '/',
      initialDelay: 0,
      period: 10 * SECOND,
      timeout: 2 * SECOND,
      successes: 1,
      failures: 3,
    };
    void runProbe(probe, pod, clock).then((text) => (told = text));
    await clock.advanceAsync(2 * SECOND - 1);
    expect(told).toBeUndefined();
    await clock.advanceAsync(1);
    expect(told).toBe(want.replaceAll('IP', pod.model.ip));
  });

  it('has what Kubernetes says where nothing is said', () => {
    const said = {
      periodSeconds: 2,
      timeoutSeconds: 3,
      initialDelaySeconds: 4,
      successThreshold: 5,
      failureThreshold: 6,
    };
    const both = rawWith({
      startupProbe: { tcpSocket: { port: 1 } },
      readinessProbe: { httpGet: { port: 1, path: '/x' }, ...said },
    });
    expect(probesOf(both)).toEqual([
      {
        aim: 'startup',
        container: 'web',
        way: 'tcp',
        host: undefined,
        port: 1,
        path: '/',
        initialDelay: 0,
        period: 10 * SECOND,
        timeout: SECOND,
        successes: 1,
        failures: 3,
      },
      {
        aim: 'readiness',
        container: 'web',
        way: 'http',
        host: undefined,
        port: 1,
        path: '/x',
        initialDelay: 4 * SECOND,
        period: 2 * SECOND,
        timeout: 3 * SECOND,
        successes: 5,
        failures: 6,
      },
    ]);
  });
});

describe('a program that the lab knows nothing of', () => {
  const probes = {
    readinessProbe: { httpGet: { port: 80 } },
    livenessProbe: { tcpSocket: { port: 90 } },
    startupProbe: { exec: {} },
  };

  it('says to the probes of its pod that it is well, and leaves their ports when it ends', async () => {
    const { pod, clock, network } = podOf();
    const raw = rawWith(probes);
    const program = new IdleProgram({ raw, network });
    const wells = () => Promise.all(probesOf(raw).map((probe) => runProbe(probe, pod, clock)));
    await program.start();
    expect(await wells()).toEqual(['', '', '']);
    expect(pod.model.netns.ports.list()).toHaveLength(2);
    await program.stop();
    await program.stop();
    expect((await wells()).filter((why) => why.endsWith('refused'))).toHaveLength(2);
  });

  it('leaves a port to who has it', async () => {
    const { network, listen } = podOf();
    await listen('mine');
    await expect(new IdleProgram({ raw: rawWith(probes), network }).start()).resolves.toBeUndefined();
  });
});
