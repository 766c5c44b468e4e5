import { expect, it } from 'vitest';
import { Metrics } from '../../../src/metrics/metrics.js';
import { pushMetrics } from '../../../src/plugins/push/metrics.js';
import { PushSessions } from '../../../src/plugins/push/session.js';
import { query } from '../../support/dns.js';

it.each([
  { changed: 1024, each: true },
  { changed: 1025, each: false },
])('of $changed changes that a client does not take, it hears each: $each', async ({ changed, each }) => {
  const metrics = new Metrics();
  const sessions = new PushSessions(pushMetrics(metrics));
  const sent: Buffer[] = [];
  const line = {
    client: query('a.').client,
    full: true,
    send: (message: Buffer): void => void sent.push(message),
    close: (): void => undefined,
  };
  sessions.open(line);
  const [session] = sessions.sessions;
  session!.tell(
    'z.',
    Array.from({ length: changed }, (_, i) => `n${i}.z.`),
    [],
  );
  expect(sent).toEqual([]);
  line.full = false;
  session!.drained();
  expect(sent.some((message) => message.includes('n7'))).toBe(each);
  expect(await metrics.text()).toContain(`coredns_push_behind_total ${each ? 0 : 1}`);
});
