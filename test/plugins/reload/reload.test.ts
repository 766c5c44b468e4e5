import { describe, expect, it } from 'vitest';
import { CorefileError } from '../../../src/corefile/index.js';
import { reload } from '../../../src/plugins/reload/setup.js';
import { directives, setup, TestBlock } from '../../support/block.js';

const RUNNING = '0'.repeat(128);
const OTHER = 'a'.repeat(128);
const THIRD = 'b'.repeat(128);
const START = `[INFO] plugin/reload: Running configuration SHA512 = ${RUNNING}`;
const FAILED = `[ERROR] plugin/reload: Corefile changed but reload failed; the running configuration stays, SHA512 = ${RUNNING}`;

async function serving(text = 'reload 2s 1s'): Promise<TestBlock> {
  const { block } = setup(reload, text);
  await block.run('serving');
  return block;
}

/** How long after now the Corefile is looked at first. */
function firstLook(block: TestBlock): number {
  const begin = block.clock.now();
  let at: number | undefined;
  block.corefile.readDigest = () => {
    at ??= block.clock.now() - begin;
    return RUNNING;
  };
  block.clock.advance(3_600_000);
  return at!;
}

/** The interval of `serving()`: the test's random numbers are the same each time. */
const interval = async (): Promise<number> => firstLook(await serving());

const metrics = async (block: TestBlock): Promise<string[]> =>
  (await block.metrics.text()).split('\n').filter((line) => line.startsWith('coredns_reload'));

describe('reload', () => {
  it('says what is running', async () => {
    const block = await serving();
    expect(block.log.lines).toEqual([START]);
    expect(block.chain).toEqual([]);
    expect(await metrics(block)).toEqual(['coredns_reload_failed_total 0']);
  });

  it.each([
    { name: 'by itself', text: 'reload', min: 22_500, max: 37_500 },
    { name: 'every so often', text: 'reload 10m', min: 592_500, max: 607_500 },
    { name: 'with its jitter', text: 'reload 10s 2s', min: 9000, max: 11_000 },
    { name: 'without jitter', text: 'reload 10s 0s', min: 10_000, max: 10_000 },
    { name: 'with half the interval as jitter at most', text: 'reload 4s 1m', min: 3000, max: 5000 },
    { name: 'as often as is allowed', text: 'reload 2s 1s', min: 1500, max: 2500 },
  ])('looks at the Corefile $name', async ({ text, min, max }) => {
    const at = firstLook(await serving(text));
    expect(at).toBeGreaterThanOrEqual(min);
    expect(at).toBeLessThanOrEqual(max);
  });

  it('draws its interval at random', async () => {
    const { block } = setup(reload, 'reload 10s 5s');
    const other = setup(reload, 'reload 10s 5s').block;
    other.runtime.random.uint32();
    reload.setup(directives('reload 10s 5s', 'reload'), other);
    await block.run('serving');
    await other.run('serving');
    expect(firstLook(block)).not.toBe(firstLook(other));
  });

  it.each([
    { name: 'smallest', draw: 0, at: 22_500 },
    { name: 'largest', draw: 2 ** 32 - 1, at: 37_499 },
  ])('draws from the whole of its jitter: $name', async ({ draw, at }) => {
    const block = new TestBlock();
    Object.assign(block.runtime, { random: { uint32: () => draw } });
    reload.setup(directives('reload', 'reload'), block);
    await block.run('serving');
    expect(firstLook(block)).toBe(at);
  });

  it('leaves a Corefile alone that stays as it is', async () => {
    const block = await serving();
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toEqual([]);
    expect(block.log.lines).toEqual([START]);
  });

  it('asks for a reload once a change has settled', async () => {
    const block = await serving();
    block.corefileNow = OTHER;
    block.clock.advance(await interval());
    expect(block.reloads).toEqual([]);
    await block.clock.advanceAsync(249);
    expect(block.reloads).toEqual([]);
    await block.clock.advanceAsync(1);
    expect(block.reloads).toEqual(['requested']);
    expect(await metrics(block)).toEqual([
      'coredns_reload_failed_total 0',
      `coredns_reload_version_info{hash="sha512",value="${OTHER}"} 1`,
    ]);
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toEqual(['requested']);
  });

  it('waits while the file is being written', async () => {
    const block = await serving();
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(await interval());
    block.corefileNow = THIRD;
    await block.clock.advanceAsync(250);
    expect(block.reloads).toEqual([]);
    await block.clock.advanceAsync(250);
    expect(block.reloads).toEqual(['requested']);
    expect(await metrics(block)).toContain(`coredns_reload_version_info{hash="sha512",value="${THIRD}"} 1`);
  });

  it('forgets a change that was taken back', async () => {
    const block = await serving();
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(await interval());
    block.corefileNow = RUNNING;
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toEqual([]);
  });

  it('complains anew about what was good in between', async () => {
    const block = await serving();
    const every = await interval();
    for (const now of [new Error('EACCES'), RUNNING, new Error('EACCES')]) {
      block.corefileNow = now;
      await block.clock.advanceAsync(every);
    }
    expect(block.log.lines).toHaveLength(3);
    expect(block.log.lines[2]).toBe(block.log.lines[1]);
  });

  it('shows the last configuration only', async () => {
    const block = await serving();
    block.metrics.gauge('reload', 'version_info', '').with({ hash: 'sha512', value: THIRD }).set(1);
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(5000);
    expect((await metrics(block)).filter((line) => line.includes('version'))).toEqual([
      `coredns_reload_version_info{hash="sha512",value="${OTHER}"} 1`,
    ]);
  });

  it.each([
    {
      name: 'bad',
      now: new CorefileError('Corefile', 3, "unknown directive 'nosuchplugin'"),
      says: "Corefile parse failed: Corefile:3: unknown directive 'nosuchplugin'",
    },
    {
      name: 'missing',
      now: new Error("ENOENT: no such file or directory, open 'Corefile'"),
      says: "Corefile cannot be read: ENOENT: no such file or directory, open 'Corefile'",
    },
  ])('says once that a Corefile is $name, and goes on with the next', async ({ now, says }) => {
    const block = await serving();
    block.corefileNow = now;
    await block.clock.advanceAsync(60_000);
    const line = `[WARNING] plugin/reload: ${says}; the running configuration stays`;
    expect(block.log.lines).toEqual([START, line]);
    expect(block.reloads).toEqual([]);
    block.corefileNow = new CorefileError('Corefile', 9, 'worse');
    await block.clock.advanceAsync(60_000);
    expect(block.log.lines.slice(2)).toEqual([
      '[WARNING] plugin/reload: Corefile parse failed: Corefile:9: worse; the running configuration stays',
    ]);
    block.corefileNow = RUNNING;
    await block.clock.advanceAsync(60_000);
    block.corefileNow = now;
    await block.clock.advanceAsync(60_000);
    expect(block.log.lines.slice(3)).toEqual([line]);
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toEqual(['requested']);
    expect(await metrics(block)).toContain('coredns_reload_failed_total 0');
  });

  it('does not take a change for settled that was bad in between', async () => {
    const block = await serving();
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(await interval());
    block.corefileNow = new CorefileError('Corefile', 1, 'half');
    await block.clock.advanceAsync(250);
    block.corefileNow = OTHER;
    block.clock.advance(await interval());
    expect(block.reloads).toEqual([]);
    await block.clock.advanceAsync(250);
    expect(block.reloads).toEqual(['requested']);
  });

  it('tries a Corefile once that cannot be put to use', async () => {
    const block = await serving();
    block.reloadWorks = false;
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toHaveLength(1);
    expect(block.log.lines).toEqual([START, FAILED]);
    block.corefileNow = THIRD;
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toHaveLength(2);
    block.corefileNow = RUNNING;
    await block.clock.advanceAsync(60_000);
    block.corefileNow = THIRD;
    block.reloadWorks = true;
    await block.clock.advanceAsync(60_000);
    expect(block.reloads).toHaveLength(3);
    expect(await metrics(block)).toEqual([
      'coredns_reload_failed_total 0',
      `coredns_reload_version_info{hash="sha512",value="${THIRD}"} 1`,
    ]);
  });

  it('is one watch for all blocks, at the times of the last', async () => {
    const { block } = setup(reload, 'reload');
    reload.setup(directives('reload 2s 1s', 'reload'), block);
    await block.run('serving');
    expect(block.log.lines).toEqual([START]);
    expect(block.clock.pending).toBe(1);
    expect(firstLook(block)).toBeLessThanOrEqual(2500);
  });

  it('ends with its configuration', async () => {
    const block = await serving();
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(60_000);
    expect(block.clock.pending).toBe(0);
    expect(block.reloads).toEqual([]);
  });

  it('does not look again when it is stopped by the reload that it asked for', async () => {
    const block = await serving();
    block.reloadWorks = false;
    block.requestReload = async () => {
      await block.run('stop');
      return false;
    };
    block.corefileNow = OTHER;
    await block.clock.advanceAsync(60_000);
    expect(block.clock.pending).toBe(0);
  });

  it.each([
    {
      name: 'a short interval',
      text: 'reload 1s',
      error: "Corefile:2: reload: INTERVAL: got '1s', allowed: a duration such as 30s, 250ms or 1h30m, at least 2s",
    },
    {
      name: 'an interval without unit',
      text: 'reload 10',
      error: "Corefile:2: reload: INTERVAL: got '10', allowed: a duration",
    },
    {
      name: 'a short jitter',
      text: 'reload 10s 999ms',
      error: "Corefile:2: reload: JITTER: got '999ms', allowed: a duration such as 30s, 250ms or 1h30m, at least 1s",
    },
    { name: 'a bad jitter', text: 'reload 10s x', error: "Corefile:2: reload: JITTER: got 'x', allowed: a duration" },
    {
      name: 'three arguments',
      text: 'reload 10s 5s 1s',
      error:
        "Corefile:2: reload: got 3 arguments ('10s' '5s' '1s'), allowed: 0 to 2 arguments; usage: reload [INTERVAL] [JITTER]",
    },
    { name: 'a block', text: 'reload {\n}', error: 'Corefile:2: reload: got a block in { }, allowed: none' },
    {
      name: 'a second time',
      text: 'reload\nreload',
      error:
        'Corefile:3: reload: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(reload, text)).toThrow(error);
  });
});
