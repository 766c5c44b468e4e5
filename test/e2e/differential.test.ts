import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DependsOn } from '../../src/chain/index.js';
import { differences } from '../support/differences.js';
import { ROOT, drawnPlans, refusing } from '../support/drawn-plans.js';
import { UdpClient, play, startUpstream, type Plan, type Step } from '../support/two-ways.js';

const missing = process.platform !== 'linux';
if (missing) console.log('test/e2e/differential: batched I/O is for Linux; skipped');

const clients = [1, 2, 3].map((last) => new UdpClient(`127.0.0.${last}`));
let upstream: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => void (upstream = await startUpstream()));
afterAll(() => {
  upstream.stop();
  for (const client of clients) client.close();
});

async function compare(plan: Plan): Promise<unknown[]> {
  const around = { clients, upstream: upstream.port, cwd: ROOT };
  const batched = await play(plan, 'batched', around);
  const dgram = await play(plan, 'dgram', around);
  return differences(plan, batched, dgram, ['batched', 'dgram']);
}

/** Where zones are signed to: by the first run, for both. */
const signed = mkdtempSync(path.join(os.tmpdir(), 'nodens-signed-'));
afterAll(() => rmSync(signed, { recursive: true }));

describe.skipIf(missing)('batched and plain datagrams give the same answers and counters', () => {
  it.each(drawnPlans(signed, '127.0.0.2'))('of $name', async (plan) => {
    expect(await compare(plan), plan.corefile).toEqual([]);
  });
});

describe.skipIf(missing)('the comparison notices', () => {
  const corefile = '.:1053 {\n  refuser\n  cache\n  forward . 192.0.2.53\n}\n';
  const asked: Step[] = [0, 0, 1, 0, 1].map((from, id) => ({ id, name: 'www.example.org.', from }));

  it('a plugin that looks at the client and says that it does not', async () => {
    const more = [{ before: 'cache', plugin: refusing('refuser', { dependsOn: 'question' }, '127.0.0.2') }];
    expect(await compare({ name: 'lie', corefile, script: asked, more })).not.toEqual([]);
  });

  it.each<{ claims: { dependsOn?: DependsOn } }>([{ claims: {} }, { claims: { dependsOn: 'client' } }])(
    'nothing where it says $claims',
    async ({ claims }) => {
      const more = [{ before: 'cache', plugin: refusing('refuser', claims, '127.0.0.2') }];
      expect(await compare({ name: 'truth', corefile, script: asked, more })).toEqual([]);
    },
  );
});
