import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);
/** Where pictures of the page are kept: named by the environment, else a folder that git leaves alone. */
const PICTURES = process.env.ARTIFACTS ?? path.resolve(import.meta.dirname, '../../../coverage/page');

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe finds wrong with a page for those who see or move otherwise; nothing is what it should be.
 * @param within selector of the part that is looked at
 */
export async function violationsOf(page: Page, within = 'html'): Promise<readonly unknown[]> {
  const { violations } = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  }>(`${AXE}; axe.run('${within}', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })`);
  return violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`),
  }));
}

export const stage = (page: Page): Locator => page.getByRole('group', { name: /step by step/ });

/** Looks a name up by the form; resolves when the answer is there. */
export async function lookUp(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Look up' }).click();
  await stage(page).waitFor();
  await page.locator('button.go:enabled').waitFor();
}

/** An open page, and all that was wrong with it so far. */
export interface Visit {
  readonly page: Page;
  /** Errors on the console, faults, requests to elsewhere, and answers that refuse. */
  readonly complaints: readonly string[];
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the page in a Chromium with a profile of its own. */
export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'nodens-page-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGS,
    viewport: { width: 1440, height: 950 },
    ...options,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  // What does not come within this time does not come: the error says what was waited for.
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on(
    'console',
    (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`console: ${message.text()}`),
  );
  page.on('pageerror', (error) => complaints.push(`fault: ${error.message}`));
  page.on(
    'request',
    (request) =>
      new URL(request.url()).origin === new URL(url).origin || complaints.push(`elsewhere: ${request.url()}`),
  );
  page.on(
    'response',
    (response) => response.status() < 400 || complaints.push(`${response.status()}: ${response.url()}`),
  );
  await page.goto(url);
  await page.locator('.lanes').waitFor();
  return {
    page,
    complaints,
    picture: async (name) => {
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
