import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { ManualClock } from '../../../src/lib/clock.js';
import { sendLog } from '../../../src/lab/kube-api/pod-log.js';
import type { Lab } from '../../../src/lab/lab.js';
import { PodLog } from '../../../src/lab/pods/pod-log.js';
import type { RunningPod } from '../../../src/lab/pods/running-pod.js';

// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
it.each([
  { query: '', want: 'early\nlate\n' },
  { query: 'sinceSeconds=11', want: 'early\nlate\n' },
  { query: 'sinceSeconds=10', want: 'late\n' },
  { query: 'sinceSeconds=9', want: 'late\n' },
  { query: 'sinceSeconds=8', want: '' },
  { query: 'limitBytes=7', want: 'early\nl' },
  { query: 'limitBytes=3', want: 'ear' },
])('the log of a pod: $query', async ({ query, want }) => {
  const clock = new ManualClock(0);
  const log = new PodLog(clock);
  clock.advance(1000);
  log.write('early\n');
  clock.advance(2000);
  log.write('late\n');
  clock.advance(9000);
  const response = Object.assign(new PassThrough(), { writeHead: () => undefined });
  const pod = { name: 'web', state: 'Running', restarts: 0, log } as unknown as RunningPod;
  sendLog(pod, new URLSearchParams(query), response as unknown as ServerResponse, { clock } as unknown as Lab);
  expect(response.writableEnded).toBe(true);
  expect(await text(response)).toBe(want);
});
