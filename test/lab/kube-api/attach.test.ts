import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { attach } from '../../../src/lab/kube-api/attach.js';
import type { Channels } from '../../../src/lab/kube-api/channels.js';
import type { Lab } from '../../../src/lab/lab.js';
import { PodLog } from '../../../src/lab/pods/pod-log.js';
import type { RunningPod } from '../../../src/lab/pods/running-pod.js';

/** A client that is attached to a pod which has written before, and what it is told. */
function attached() {
  const log = new PodLog({ now: () => 0 });
  const pod = { namespace: 'default', name: 'web', log } as RunningPod;
  let there: RunningPod | undefined = pod;
  const followers = new Set<(kind: string) => void>();
  const lab = {
    kubelet: { get: () => there },
    api: {
      changes: {
        subscribe: (follower: (kind: string) => void) => {
          followers.add(follower);
          return () => followers.delete(follower);
        },
      },
    },
  } as unknown as Lab;
  const told: string[] = [];
  let leave = (): void => undefined;
  const input = new PassThrough();
  const channels: Channels = {
    input,
    write: (text) => told.push(text),
    error: (text) => told.push(`error ${text}`),
    finish: (status) => told.push(String(status['status'])),
    onClose: (callback) => (leave = callback),
  };
  log.write('before\n');
  attach(pod, channels, lab);
  const changed = (kind: string): void => [...followers].forEach((follower) => follower(kind));
  return {
    log,
    told,
    input,
    changed,
    leave: () => leave(),
    replace: (by: RunningPod | undefined) => {
      there = by;
      changed('Pod');
    },
  };
}

it('a client sees what is written from now on, whatever else changes', () => {
  const { log, told, changed } = attached();
  log.write('a\n');
  changed('Pod');
  changed('Service');
  log.write('b\n');
  expect(told).toEqual(['a\n', 'b\n']);
});

it.each([
  { name: 'is gone', by: undefined },
  { name: 'is another one of the same name', by: { namespace: 'default', name: 'web' } as RunningPod },
])('it is told once that the pod $name, and nothing after that', ({ by }) => {
  const { log, told, changed, replace } = attached();
  replace(by);
  log.write('a\n');
  changed('Pod');
  expect(told).toEqual(['Success']);
});

it('a client that has left is told nothing', () => {
  const { log, told, leave, replace } = attached();
  leave();
  log.write('a\n');
  replace(undefined);
  expect(told).toEqual([]);
});

it('what a client sends is taken, so that its connection does not fill up', async () => {
  const { input } = attached();
  input.write('typed');
  await setImmediate();
  expect(input.readableLength).toBe(0);
});
