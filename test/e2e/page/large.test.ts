import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largeTopology } from '../../support/large-topology.js';
import { PROGRAM, Program } from '../../support/program.js';
import { hasChromium, lookUp, stage, violationsOf, visit } from './browser.js';
import type { Visit } from './browser.js';

if (!hasChromium) console.log('test/e2e/page: chromium is not installed (Debian: chromium); skipped');

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-large-test-'));
const SLOW = { timeout: 60_000 };

let lab: Program;
let seen: Visit;
beforeAll(async () => {
  if (!hasChromium) return;
  const file = path.join(folder, 'large.yaml');
  writeFileSync(file, largeTopology(5, 160));
  lab = new Program([...PROGRAM, 'lab', 'up', '-port', '0', '-topology', file], {
    NODENS_LAB_SOCKET: path.join(folder, 'lab.sock'),
  });
  const url = (await lab.said(/^The page: (\S+)$/m, 60_000))[1]!;
  await lab.said(/Ctrl-C ends it/, 60_000);
  seen = await visit(url, { colorScheme: 'light' });
}, 120_000);
afterAll(async () => {
  await seen?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasChromium)('the page of 5 nodes and 160 pods', () => {
  it('fits a screen, with the whole way of a lookup in view', SLOW, async () => {
    const { page } = seen;
    // A change of the root's own attributes has the browser work out the style of all that is drawn.
    await page.evaluate(`new MutationObserver((list) => (window.rootChanges = list.length))
      .observe(document.documentElement, { attributes: true })`);
    await lookUp(page, 'example.org.');
    await stage(page).press('End');
    await page.locator('.charts figcaption:not(:has-text("nothing yet"))').nth(2).waitFor();
    expect(await page.evaluate('window.rootChanges')).toBeUndefined();
    const lit = page.locator('.box[data-lit]');
    expect(await lit.count()).toBe(4);
    for (const box of await lit.all()) {
      const place = (await box.boundingBox())!;
      expect(place.y).toBeGreaterThan(0);
      expect(place.y + place.height).toBeLessThan(950);
    }
    expect(await page.locator('.lines .trail').count()).toBe(3);
    const picture = (await page.locator('.lanes').boundingBox())!;
    expect(picture.y + picture.height).toBeLessThan(950);
    // Few elements are what keeps frames short.
    expect(await page.locator('*').count()).toBeLessThan(1000);
    await seen.picture('pods-160');
    expect(await violationsOf(page)).toEqual([]);
    expect(seen.complaints).toEqual([]);
  });

  it('opens a namespace, and the replicas in it', SLOW, async () => {
    const { page } = seen;
    const namespace = page.getByRole('button', { name: 'shop 6 pods on worker-1' });
    await namespace.click();
    expect(await namespace.getAttribute('aria-expanded')).toBe('true');
    await page
      .getByRole('button', { name: /service-\d+ ×\d replicas on worker-1/ })
      .first()
      .click();
    await page.locator('.box[data-part^="pod/shop/service-"]').first().waitFor();
    await seen.picture('pods-160-opened');
    await namespace.click();
    expect(await page.locator('.box[data-part^="pod/shop/service-"]').count()).toBe(0);
  });

  it('tells clearly what is no name, which pod is not there, and that the lab has ended', SLOW, async () => {
    const { page } = seen;
    const problem = page.locator('.lookup-form .problem');
    const ask = async (label: string, text: string): Promise<void> => {
      await page.getByLabel(label, { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Look up' }).click();
    };
    await ask('Name', 'bad..name');
    await expect.poll(() => problem.textContent()).toContain('got "bad..name", which is no name');
    await seen.picture('error-name');
    expect(await violationsOf(page, '.lookup')).toEqual([]);
    await ask('Pod', 'default/nobody');
    await expect
      .poll(() => problem.textContent())
      .toBe('There is no running pod "default/nobody" in this lab: choose another.');
    await seen.picture('error-pod');
    expect(await violationsOf(page, '.lookup')).toEqual([]);
    await lab.stop();
    await page.locator('.banner', { hasText: 'nodens lab up -topology 5-nodes' }).waitFor();
    await ask('Pod', 'default/curl-pod');
    await expect.poll(() => problem.count()).toBe(1);
    await seen.picture('error-ended');
    expect(await violationsOf(page)).toEqual([]);
  });
});
