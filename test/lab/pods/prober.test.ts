import { beforeEach, describe, expect, it } from 'vitest';
import { Prober } from '../../../src/lab/pods/prober.js';
import { SECOND, podOf, rawWith } from './probed-pod.js';

describe('the probes of a pod', () => {
  let told: string[];
  beforeEach(() => {
    told = [];
  });
  const tcp = { tcpSocket: { port: 80 } };

  function probed(probes: object, taken = false) {
    const made = podOf();
    const { pod, clock } = made;
    const tell = (what: string): void => void told.push(`${clock.now() / SECOND} ${what}`);
    const prober = new Prober({
      clock,
      unhealthy: (_, { aim }) => tell(`${aim} not well`),
      readiness: (one) => tell(prober.isReady(one) ? 'ready' : 'not ready'),
      failed: (_, { aim }) => tell(`${aim} failed`),
    });
    const begin = (): Promise<void> => prober.begin(pod, rawWith(probes), taken);
    return { ...made, prober, begin, pass: (seconds: number) => clock.advanceAsync(seconds * SECOND) };
  }

  it('run at once, then each period, until they pass; then no more', async () => {
    const { pod, prober, begin, pass, listen, clock } = probed({ readinessProbe: tcp });
    await begin();
    expect(prober.isReady(pod)).toBe(false);
    await pass(15);
    await listen();
    await pass(15);
    expect(told).toEqual(['0 readiness not well', '10 readiness not well', '20 ready']);
    expect([prober.isReady(pod), clock.pending]).toEqual([true, 0]);
  });

  it('wait for their delay', async () => {
    const { begin, pass } = probed({ readinessProbe: { ...tcp, initialDelaySeconds: 4, periodSeconds: 3 } });
    await begin();
    await pass(8);
    expect(told).toEqual(['4 readiness not well', '7 readiness not well']);
  });

  it('count the delay from the start of the program', async () => {
    const { begin, pass, pod, clock } = probed({ readinessProbe: { ...tcp, initialDelaySeconds: 4 } });
    clock.advance(3 * SECOND);
    await begin();
    await pass(2);
    expect(told).toEqual(['4 readiness not well']);
    expect(pod.began).toBe(0);
  });

  it('that ask whether it lives have it started again after three failures in a row; it is ready all the same', async () => {
    const { pod, prober, begin, pass, clock } = probed({ livenessProbe: tcp });
    await begin();
    await pass(60);
    expect(told).toEqual(['0 liveness not well', '10 liveness not well', '20 liveness not well', '20 liveness failed']);
    expect([prober.isReady(pod), clock.pending]).toEqual([true, 0]);
  });

  it('that wait for its start go before the others', async () => {
    const { begin, pass, listen } = probed({
      startupProbe: { ...tcp, periodSeconds: 2 },
      readinessProbe: { tcpSocket: { port: 81 } },
    });
    await begin();
    await pass(3);
    await listen();
    await pass(2);
    expect(told).toEqual(['0 startup not well', '2 startup not well', '4 not ready', '4 readiness not well']);
  });

  it('that wait for its start end it too', async () => {
    const { begin, pass } = probed({ startupProbe: { ...tcp, failureThreshold: 2 } });
    await begin();
    await pass(60);
    expect(told).toEqual(['0 startup not well', '10 startup not well', '10 startup failed']);
  });

  it('that are taken as passed do not run, until something changes', async () => {
    const { pod, prober, begin, pass } = probed({ readinessProbe: tcp, startupProbe: tcp }, true);
    await begin();
    await pass(24);
    expect([prober.isReady(pod), told]).toEqual([true, []]);
    prober.suspect(pod);
    prober.suspect(pod);
    await pass(40);
    expect(told).toEqual([
      '30 readiness not well',
      '40 readiness not well',
      '50 readiness not well',
      '50 not ready',
      '60 readiness not well',
    ]);
  });

  it('that want two successes get them in a row', async () => {
    const { begin, pass, listen, shut } = probed({ readinessProbe: { ...tcp, successThreshold: 2 } });
    await listen();
    await begin();
    await pass(5);
    shut();
    await pass(10);
    await listen();
    await pass(30);
    expect(told).toEqual(['10 readiness not well', '30 ready']);
  });

  it('that take longer than their period follow each other at once', async () => {
    const { begin, pass, listen } = probed({ readinessProbe: { httpGet: { port: 80 }, timeoutSeconds: 15 } });
    await listen();
    void begin();
    await pass(31);
    expect(told).toEqual(['15 readiness not well', '30 readiness not well']);
  });

  it('are forgotten with their program, and begin anew with the next', async () => {
    const { pod, prober, begin, pass, clock } = probed({ readinessProbe: tcp });
    await begin();
    await begin();
    expect(clock.pending).toBe(1);
    prober.forget(pod);
    expect([clock.pending, prober.isReady(pod)]).toEqual([0, true]);
    prober.suspect(pod);
    await begin();
    prober.close();
    await pass(60);
    expect(told).toEqual(Array(3).fill('0 readiness not well'));
  });
});
