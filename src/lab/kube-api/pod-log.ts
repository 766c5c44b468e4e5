import type { Milliseconds } from '../../lib/units.js';
import { runMeant } from '../pods/running-pod.js';
import type { RunningPod } from '../pods/running-pod.js';
import { logLine } from '../commands/kubectl/logs.js';
import type { Lab } from '../lab.js';
import { ApiFault } from './fault.js';
import type { ServerResponse } from 'node:http';

/**
 * Answers `GET .../log`: what a pod's program has written, and with `follow` what it writes until the pod goes. Throws
 * an ApiFault.
 */
export function sendLog(pod: RunningPod, query: URLSearchParams, response: ServerResponse, lab: Lab): void {
  const run = runMeant(pod, query.get('previous') === 'true');
  if (run === undefined)
    throw new ApiFault('BadRequest', `previous terminated container in pod "${pod.name}" not found`);
  const [count, seconds] = [whole(query, 'tailLines'), whole(query, 'sinceSeconds')];
  const since = seconds === undefined ? timeIn(query) : lab.clock.now() - seconds * 1000;
  const timestamps = query.get('timestamps') === 'true';
  let left = whole(query, 'limitBytes') ?? Infinity;
  response.writeHead(200, { 'content-type': 'text/plain' });
  const say = (at: Milliseconds, text: string): void => {
    const bytes = Buffer.from(logLine(at, text, timestamps));
    response.write(bytes.subarray(0, left));
    left -= Math.min(left, bytes.length);
  };
  for (const { at, text } of pod.log.lines({ count, since, run })) say(at, text);
  if (query.get('follow') !== 'true') return void response.end();
  response.flushHeaders();
  const stops = [
    pod.log.follow((text) => say(lab.clock.now(), text)),
    lab.api.changes.subscribe(() => {
      if (lab.kubelet.get(pod.namespace, pod.name) !== pod) response.end();
    }),
  ];
  response.once('close', () => stops.forEach((stop) => stop()));
}

function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw new ApiFault('BadRequest', `${name}: got "${text}", allowed: a whole number from 0`);
  return Number(text);
}

function timeIn(query: URLSearchParams): Milliseconds | undefined {
  const text = query.get('sinceTime');
  if (text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new ApiFault('BadRequest', `sinceTime: got "${text}", allowed: a time (RFC 3339)`);
  return time;
}
