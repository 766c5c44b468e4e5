import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences } from '../support/differences.js';
import { ROOT, drawnPlans, sharingPlans } from '../support/drawn-plans.js';
import { CLIENT_ENDS, KernelLink, SERVER_END } from '../support/kernel-link.js';
import { missingForKernel } from '../support/kernel-server.js';
import { UdpClient, play, startUpstream } from '../support/two-ways.js';

/** All plans take minutes: `NODENS_WHOLE=1 npx vitest run test/e2e/kernel-differential.test.ts`. */
const WHOLE = process.env.NODENS_WHOLE === '1';
const SHORT = /^seed 100[0-2], shared$|page's kubernetes 1$/;

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/kernel-differential: ${why}; skipped`);

const signed = mkdtempSync(path.join(os.tmpdir(), 'nodens-signed-'));
afterAll(() => rmSync(signed, { recursive: true }));

describe.skipIf(why !== undefined)('the kernel and threads give the same answers and counters', () => {
  let link: KernelLink;
  let clients: UdpClient[] = [];
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let answered = 0;

  beforeAll(async () => {
    link = new KernelLink('diff');
    clients = CLIENT_ENDS.map((ip) => new UdpClient(link.clientSocket(ip)));
    upstream = await startUpstream();
  });
  afterAll(() => {
    upstream.stop();
    for (const client of clients) client.close();
    link.close();
  });

  const plans = [...drawnPlans(signed, CLIENT_ENDS[1]), ...sharingPlans()];
  it.each(plans.filter(({ name }) => WHOLE || SHORT.test(name)))('of $name', async (plan) => {
    const around = { clients, upstream: upstream.port, cwd: ROOT, address: SERVER_END };
    const kernel = await play(plan, 'batched', { ...around, below: link.open });
    const threads = await play(plan, 'batched', around);
    answered += kernel.below;
    expect(differences(plan, kernel, threads, ['kernel', 'threads']), plan.corefile).toEqual([]);
  });

  it('and the kernel gave some', () => {
    console.log(`${answered} answers were given in the kernel`);
    expect(answered).toBeGreaterThan(100);
  });
});
