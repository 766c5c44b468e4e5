// `tsx test/bench/page.ts [NODES PODS]`: how long the frames of the lab's page take in a browser
// while a lookup is walked through, groups are opened and flows arrive. 50 nodes and 2,000 pods by default.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM, Program } from '../support/program.js';
import { largeTopology } from '../support/large-topology.js';
import { visit } from '../e2e/page/browser.js';

const [nodes = 50, pods = 2000] = process.argv.slice(2).map(Number);
/** Time that a lab of this size may take to start, in milliseconds. */
const START = 120_000;
/** Begins to measure: each frame's length as the browser draws them, and tasks that hold the page up. */
const WATCH = `(() => {
  const seen = (window.frameTimes = []);
  let last = performance.now();
  const next = (now) => { seen.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
  const tasks = (window.longTasks = []);
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
})()`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-page-bench-'));
const file = path.join(folder, 'large.yaml');
writeFileSync(file, largeTopology(nodes, pods));
const lab = new Program([...PROGRAM, 'lab', 'up', '-port', '0', '-topology', file], {
  NODENS_LAB_SOCKET: path.join(folder, 'lab.sock'),
});
try {
  const started = performance.now();
  const url = (await lab.said(/^The page: (\S+)$/m, START))[1]!;
  await lab.said(/Ctrl-C ends it/, START);
  const up = performance.now() - started;
  const visited = await visit(url);
  const { page } = visited;
  const drawn = await page.evaluate<number>(`document.querySelectorAll('*').length`);
  const times: Record<string, number[]> = {};
  const tasks: Record<string, number[]> = {};
  const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await page.evaluate('window.frameTimes.length = window.longTasks.length = 0');
    await work();
    await page.waitForTimeout(500);
    times[what] = await page.evaluate<number[]>('[...window.frameTimes]');
    tasks[what] = await page.evaluate<number[]>('[...window.longTasks]');
  };
  await page.evaluate(WATCH);
  // Looked up by selector: finding an element by its role or label works the whole page through, in the page.
  const stage = page.locator('.stage');
  await during('left alone', () => page.waitForTimeout(3000));
  await during('a lookup plays', async () => {
    await page.locator('[name=name]').fill('google.com');
    await page.locator('button.go').click();
    await page.waitForTimeout(3000);
  });
  await during('walked step by step', async () => {
    for (let i = 0; i < 25; i++) await stage.press(i % 2 === 0 ? 'ArrowRight' : 'ArrowDown');
  });
  await during('a namespace opened', async () => page.locator('.fold').first().click());
  await during('a node opened', async () => page.locator('.more-nodes .fold').last().click());
  await during('the pod is typed', async () => page.locator('[name=pod]').pressSequentially('billing/'));
  await visited.close();
  console.log(`${nodes} nodes, ${pods} pods: up in ${(up / 1000).toFixed(1)} s, ${drawn} elements`);
  for (const [what, list] of Object.entries(times)) {
    const sorted = [...list].sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
    const own = tasks[what]!.join(' ') || 'none';
    console.log(
      `${what.padEnd(20)} ${list.length} frames, ms: median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}; ` +
        `own tasks over 50 ms: ${own}`,
    );
  }
} finally {
  await lab.stop();
  rmSync(folder, { recursive: true, force: true });
}
