import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { Lab } from '../../src/lab/lab.js';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { DRIVEN_START, drive } from '../../src/lab/session/driven-clock.js';
import { Session } from '../../src/lab/session/session.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { IPAM_MIGRATION } from './write-ups/ipam-migration.js';
import { MASQUERADE_AND_DNS } from './write-ups/masquerade-and-dns.js';
import { NATIVE_ROUTING } from './write-ups/native-routing.js';
import { ONE_WEEK } from './write-ups/one-week.js';
import { ROUTING_AND_DNS } from './write-ups/routing-and-dns.js';

const WRITE_UPS = [
  { name: 'addresses of pods: from Kubernetes to a pool of Cilium', topology: 'host-scope', steps: IPAM_MIGRATION },
  { name: 'masquerading, CoreDNS, node cache and redirect', topology: 'two-nodes', steps: MASQUERADE_AND_DNS },
  { name: 'addresses, routing, masquerading and DNS', topology: 'host-scope', steps: ROUTING_AND_DNS },
  { name: 'a week, from the machines to the redirect', topology: 'host-scope', steps: ONE_WEEK },
  { name: 'packets of pods on one node and on two, without a tunnel', topology: 'kind', steps: NATIVE_ROUTING },
] as const;

describe.each(WRITE_UPS)('a write-up typed line by line: $name', ({ topology, steps }) => {
  const clock = new ManualClock(DRIVEN_START);
  let lab: Lab;
  let session: Session;
  beforeAll(async () => {
    lab = await drive(clock, Lab.create(loadTopology(topology), { clock }));
    const absent = (): never => {
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    };
    session = new Session(lab, { read: absent, write: () => undefined }, COMMANDS);
  });
  afterAll(() =>
    drive(
      clock,
      session.close().then(() => lab.stop()),
    ),
  );

  it.each(steps)('$line', async ({ line, has = '', code = 0, stop }) => {
    let text = '';
    const interrupt = new AbortController();
    if (stop !== undefined) clock.setTimeout(() => interrupt.abort(), stop * 1000);
    const got = await drive(
      clock,
      session.run(line, {
        write: (part) => (text += part),
        signal: interrupt.signal,
        interactive: true,
        terminal: true,
      }),
    );
    if (typeof has === 'string') expect(text).toContain(has);
    else expect(text).toMatch(has);
    // A line that is interrupted ends with 130, or with what its last program gave.
    if (stop === undefined) expect(got).toBe(code);
  });
});

it('refuses at most twenty lines of all write-ups', () => {
  const refused = WRITE_UPS.flatMap(({ steps }) => steps.filter((step) => step.refused));
  expect(refused.length).toBeLessThanOrEqual(20);
});
