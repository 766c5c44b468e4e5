import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { ClusterView } from '../../../src/lab/web/api.js';
import { realClock } from '../../../src/lib/clock.js';
import { secureRandom } from '../../../src/lib/random.js';
import { HostNetwork } from '../../../src/net/host-network.js';
import { runDig } from '../../../src/resolver/index.js';
import { PROGRAM, Program } from '../../support/program.js';
import { hasChromium, lookUp, stage, violationsOf, visit } from './browser.js';
import type { Visit } from './browser.js';

if (!hasChromium) console.log('test/e2e/page: chromium is not installed (Debian: chromium); skipped');

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-page-test-'));
/** The browser and the lab share two cores with other tests. */
const SLOW = { timeout: 30_000 };

let lab: Program;
let url: string;
beforeAll(async () => {
  if (!hasChromium) return;
  lab = new Program([...PROGRAM, 'lab', 'up', '-port', '0'], { NODENS_LAB_SOCKET: path.join(folder, 'lab.sock') });
  url = (await lab.said(/^The page: (\S+)$/m))[1]!;
  await lab.said(/Ctrl-C ends it/);
}, 30_000);
afterAll(async () => {
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const view = async (): Promise<ClusterView> => (await (await fetch(`${url}api/cluster`)).json()) as ClusterView;
const litQueries = (page: Page): Promise<number> => page.locator('.query[data-lit]').count();
const litParts = (page: Page): Promise<string[]> =>
  page
    .locator('.box[data-lit]')
    .evaluateAll((boxes) => boxes.map((box) => (box as unknown as { dataset: { part: string } }).dataset.part));
/** Does by keyboard what the page says, from the first step to the last. */
async function walk(page: Page, each: () => Promise<void>): Promise<void> {
  await stage(page).press('Home');
  const steps = Number((await page.locator('.place').textContent())!.split('/')[1]);
  for (let i = 1; i < steps; i++) {
    await stage(page).press('ArrowRight');
    await each();
  }
}

describe.skipIf(!hasChromium)('the page', () => {
  let desk: Visit;
  beforeAll(async () => {
    desk = await visit(url, { colorScheme: 'light' });
  }, 30_000);
  afterAll(async () => {
    expect(desk?.complaints ?? []).toEqual([]);
    await desk?.close();
  });

  it('draws every node, pod, service and host', SLOW, async () => {
    const { nodes, pods, services, hosts } = await view();
    const { page } = desk;
    for (const node of nodes)
      expect(await page.getByRole('button', { name: `node ${node.name}`, exact: false }).count()).toBe(1);
    for (const part of [...pods, ...services, ...hosts]) await page.locator(`[data-part="${part.id}"]`).waitFor();
    expect(await page.locator('.lines path.may').count()).toBeGreaterThan(5);
    // Boxes neither cover each other nor leave the picture.
    const wrong = await page.evaluate(`(() => {
      const root = document.querySelector('.lanes');
      const all = [...root.querySelectorAll('[data-part]')].map((box) => [box.dataset.part, box.getBoundingClientRect()]);
      const frame = root.getBoundingClientRect();
      const wrong = all.filter(([, a]) => a.left < frame.left - 1 || a.right > frame.right + 1).map(([id]) => id + ' leaves');
      all.forEach(([id, a], i) => all.slice(i + 1).forEach(([other, b]) => { if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) wrong.push(id + ' over ' + other); }));
      return wrong;
    })()`);
    expect(wrong).toEqual([]);
    await desk.picture('desktop-light');
  });

  it('a lookup of google.com lights ten queries, step by step, by keyboard', SLOW, async () => {
    const { page } = desk;
    await lookUp(page, 'google.com');
    expect(await page.locator('.query').count()).toBe(10);
    expect(await page.locator('.sum').textContent()).toMatch(
      /10 queries = 5 names tried × A and AAAA; 8 found nothing/,
    );
    await stage(page).press('Home');
    expect(await litQueries(page)).toBe(0);
    const seen: number[] = [];
    const parts = new Set<string>();
    await walk(page, async () => {
      seen.push(await litQueries(page));
      (await litParts(page)).forEach((part) => parts.add(part));
    });
    expect([...new Set(seen)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect([...parts]).toEqual(
      expect.arrayContaining([
        'pod/default/curl-pod',
        'service/kube-system/kube-dns',
        expect.stringMatching(/^pod\/kube-system\/coredns/),
        expect.stringMatching(/^host\/resolver/),
      ]),
    );
    expect(await stage(page).textContent()).toContain('google.com has 142.250.196.110');
    await stage(page).press('ArrowLeft');
    expect(await page.locator('[aria-live="polite"]').textContent()).toMatch(/Query 10 of 10 .* NOERROR/);
    await stage(page).press('ArrowUp');
    expect(await litQueries(page)).toBe(9);
    await desk.picture('desktop-light-lookup');
  });

  it(
    'a switch puts the redirect policy in force: the node cache is on the way, and hits the second time',
    { timeout: 60_000 },
    async () => {
      const { page } = desk;
      await page.getByRole('radio', { name: 'redirect policy' }).check({ force: true });
      await expect.poll(async () => (await view()).nodeCache, SLOW).toBe('redirect');
      await page.locator('.tag', { hasText: 'redirect' }).first().waitFor();
      for (const expected of ['miss', 'hit']) {
        await lookUp(page, 'cloudflare.com');
        await page.locator('.query').first().click();
        await stage(page).press('ArrowRight');
        const first = page.locator('.hops li').nth(1);
        expect(await page.locator('.hops li').first().textContent()).toMatch(
          /redirect.*kube-system\/nodelocaldns on k8s-ctr/,
        );
        expect(await first.textContent()).toMatch(new RegExp(`${expected} kube-system/node-local-dns-`));
        expect((await litParts(page)).some((part) => part.startsWith('pod/kube-system/node-local-dns-'))).toBe(true);
      }
      expect(await page.locator('.query .hit').count()).toBe(10);
      await desk.picture('desktop-light-redirect');
      await page.getByRole('radio', { name: 'none' }).check({ force: true });
      await expect.poll(async () => (await view()).nodeCache, SLOW).toBe('none');
    },
  );

  it('has its state in the address: a reload, or whoever is sent it, sees the same step', SLOW, async () => {
    const { page } = desk;
    await lookUp(page, 'example.org.');
    await stage(page).press('End');
    await stage(page).press('ArrowLeft');
    const [address, title] = [page.url(), await page.locator('.stage h3').textContent()];
    expect(address).toMatch(/\?topology=two-nodes&pod=default\/curl-pod&name=example\.org\.&step=2\.\d$/);
    const kept = await page.locator('.past tbody tr').count();
    await page.reload();
    await stage(page).waitFor();
    expect([page.url(), await page.locator('.stage h3').textContent()]).toEqual([address, title]);
    expect(await page.locator('.past tbody tr').count()).toBe(kept);
    expect(await page.locator('.past tbody tr').first().textContent()).toMatch(
      /no node cache · curl-pod · glibc · cold/,
    );
    const other = await visit(address);
    await stage(other.page).waitFor();
    expect(await other.page.locator('.stage h3').textContent()).toBe(title);
    await other.page.keyboard.press('Tab');
    expect(await other.page.evaluate('document.activeElement.name')).toBe('name');
    expect(other.complaints).toEqual([]);
    await other.close();
  });

  it('saves the picture as SVG, and the lookup as JSON', SLOW, async () => {
    const { page } = desk;
    const saved = async (button: string): Promise<readonly [name: string, text: string]> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: button }).click(),
      ]);
      return [download.suggestedFilename(), readFileSync(await download.path(), 'utf8')];
    };
    const [name, svg] = await saved('Save as SVG');
    expect(name).toBe('picture-two-nodes-example.org.svg');
    expect(
      await page.evaluate(
        `new DOMParser().parseFromString(${JSON.stringify(svg)}, 'image/svg+xml').documentElement.nodeName`,
      ),
    ).toBe('svg');
    for (const word of ['curl-pod', 'kube-dns', 'k8s-w1', 'marker-end', 'NOERROR']) expect(svg).toContain(word);
    const [file, json] = await saved('Save as JSON');
    expect(file).toBe('lookup-example.org.json');
    expect(JSON.parse(json)).toMatchObject({
      topology: 'two-nodes',
      lookup: { asked: 'example.org.', nodeCache: 'none' },
    });
  });

  it('links the packets of the lookup to its steps, by name', SLOW, async () => {
    const { page } = desk;
    await lookUp(page, 'ubuntu.com.');
    await page.getByLabel('Filter').fill('ubuntu.com.');
    await page.locator('.flows button').first().click();
    expect(await page.locator('.stage h3').textContent()).toContain('A ubuntu.com.');
    await page.locator('.flows tr[data-now]').first().waitFor();
    await page.getByLabel('Filter').fill('');
  });

  it('does faults at a click, and says what is wrong now', SLOW, async () => {
    const { page } = desk;
    const status = page.locator('.faults [role=status]');
    await page.getByRole('button', { name: 'Drop packets' }).click();
    await expect.poll(() => status.textContent()).toMatch(/^Now: coredns-\w+ drops packets\.$/);
    await page.getByRole('button', { name: 'API away' }).click();
    await expect.poll(() => status.textContent()).toContain('the API server is away');
    await page.getByRole('button', { name: 'API back' }).click();
    await page.getByRole('button', { name: 'Let packets pass' }).click();
    await expect.poll(() => status.textContent()).toBe('');
  });

  it("a real dig at a pod's port is seen as it happens", SLOW, async () => {
    const { page } = desk;
    const pod = (await view()).pods.find(({ name }) => name === 'curl-pod')!;
    await page.getByRole('button', { name: 'Clear' }).click();
    const { text } = await runDig(['@127.0.0.1', '-p', String(pod.port), '+short', 'example.org'], {
      network: new HostNetwork(),
      clock: realClock,
      random: secureRandom,
      resolvConf: '',
    });
    expect(text).toBe('93.184.215.14\n');
    await page.getByLabel('Filter').fill('curl-pod kube-dns pre-xlate-fwd');
    const row = page.locator('.flows tbody tr').first();
    await row.waitFor();
    expect(await row.textContent()).toMatch(/default\/curl-pod.*→.*kube-system\/kube-dns:53.*UDP.*TRACED/);
    await page.getByLabel('Filter').fill('no such words');
    await expect.poll(() => page.locator('.flows tbody tr').count()).toBe(0);
    await page.getByLabel('Filter').fill('');
  });

  it('runs commands, and ends one that does not end by itself', SLOW, async () => {
    const { page } = desk;
    const output = page.getByRole('log', { name: 'Output of commands' });
    await page.getByRole('textbox', { name: 'Command' }).fill('kubectl exec curl-pod -- cat /etc/resolv.conf');
    await page.getByRole('button', { name: 'Run' }).click();
    await expect.poll(() => output.textContent()).toContain('options ndots:5');
    await page.getByRole('textbox', { name: 'Command' }).fill('hubble observe -f');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => output.textContent()).toContain('^C');
  });

  it("shows a server's files, metrics and log when its box is clicked", SLOW, async () => {
    const { page } = desk;
    await page.locator('.box[data-kind="dns"]').first().click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.textContent()).toContain('kubernetes cluster.local in-addr.arpa ip6.arpa');
    expect(await dialog.textContent()).toContain('nameserver 10.0.2.3');
    expect(await dialog.textContent()).toMatch(/Log, last 40 lines.*nodens-/s);
    const link = dialog.getByRole('link', { name: ':9153/metrics' });
    expect(await (await fetch(new URL((await link.getAttribute('href'))!, url))).text()).toContain(
      'coredns_cache_misses_total',
    );
    await desk.picture('desktop-light-details');
    await page.keyboard.press('Escape');
    await expect.poll(() => dialog.count()).toBe(0);
  });

  it('draws hit ratio and cost of each server over time', SLOW, async () => {
    const { page } = desk;
    await expect.poll(() => page.locator('.servers tbody tr').count(), SLOW).toBeGreaterThan(2);
    expect(await page.locator('.chart canvas').count()).toBe(5);
    expect(await page.getByRole('img', { name: /^Queries a second: .*coredns-/ }).count()).toBe(1);
  });
});

describe.skipIf(!hasChromium).each([
  { name: 'desktop, dark', picture: 'desktop-dark', options: { colorScheme: 'dark' as const } },
  {
    name: 'phone',
    picture: 'phone-light',
    options: { colorScheme: 'light' as const, viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  },
  {
    name: 'phone, dark, without motion',
    picture: 'phone-dark',
    options: {
      colorScheme: 'dark' as const,
      reducedMotion: 'reduce' as const,
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    },
  },
])('$name', ({ picture, options }) => {
  it('fits, has no faults, and can be used without eyes', { timeout: 60_000 }, async () => {
    const seen = await visit(url, options);
    const { page } = seen;
    await lookUp(page, 'webpod');
    await stage(page).press('End');
    expect(await stage(page).textContent()).toContain('webpod.default.svc.cluster.local has 10.96.152.212');
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(
      true,
    );
    expect(await violationsOf(page)).toEqual([]);
    await seen.picture(picture);
    expect(seen.complaints).toEqual([]);
    await seen.close();
  });
});
