import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import type { PluginBlock } from '../../src/plugin-api/contract.js';
import { Folder, PluginServer } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());

const turns = (count = 10): Promise<void> => new Promise((resolve) => setTimeout(resolve, count));

/** Starts a plugin with this setup, waits until it has ticked, and replaces its configuration by one without it. */
async function replaced(setup: (block: PluginBlock, tick: () => void) => unknown) {
  let ticks = 0;
  const server = await PluginServer.start(
    '. {\n names\n whoami\n}\n',
    // Nothing takes time: on a busy machine a tick can take long enough for a line about it.
    { clock: { ...realClock, monotonic: () => 0 } },
    { name: 'names', api: 1, setup: (block) => void setup(block, () => ticks++) },
  );
  for (let i = 0; i < 500 && ticks === 0; i++) await turns(1);
  server.corefile = '. {\n whoami\n}\n';
  expect(await server.server.reload()).toBe(true);
  const before = ticks;
  await turns();
  await server.server.stop();
  return { goesOn: ticks > before, ticked: before > 0, lines: server.lines('WARNING'), errors: server.lines('ERROR') };
}

/** The one line about a timer, of a plugin whose source is this file. */
const line = (kind: string, more = ''): RegExp =>
  new RegExp(
    `^plugin/names: its configuration has ended, but not its ${kind} \\(timers\\.test\\.ts:\\d+\\)${more}; cleared, expected: clear it in block\\.onStop, or take block\\.${kind}$`,
  );

describe("a timer of Node's that a plugin leaves behind is cleared at a reload, and told", () => {
  const leaks: [string, (block: PluginBlock, tick: () => void) => unknown, RegExp][] = [
    ['one that comes again', (_, tick) => setInterval(tick, 1), line('setInterval')],
    [
      'one that sets the next',
      (_, tick) => {
        const again = (): void => {
          tick();
          setTimeout(again, 1);
        };
        setTimeout(again, 1);
      },
      line('setTimeout'),
    ],
    [
      'one that has not come',
      (_, tick) => {
        tick();
        setTimeout(tick, 60_000);
      },
      line('setTimeout'),
    ],
    ['one of a hook', (block, tick) => block.onStart(() => void setInterval(tick, 1)), line('setInterval')],
    [
      'two, in one line',
      (_, tick) => {
        setInterval(tick, 1);
        setInterval(tick, 1);
      },
      line('setInterval', ', and 1 more'),
    ],
    ['one that nothing waits for', (_, tick) => setInterval(tick, 1).unref(), line('setInterval')],
  ];
  it.each(leaks)('%s', async (_, setup, want) => {
    const { goesOn, ticked, lines } = await replaced(setup);
    expect([ticked, goesOn, lines]).toEqual([true, false, [expect.stringMatching(want)]]);
  });

  const tidy: [string, (block: PluginBlock, tick: () => void) => unknown][] = [
    ['one that has come', (_, tick) => setTimeout(tick, 1)],
    [
      'one that is cleared',
      (block, tick) => {
        const timer = setInterval(tick, 1);
        block.onStop(() => clearInterval(timer));
      },
    ],
    [
      'one that is cleared when the signal fires',
      (block, tick) => {
        const timer = setInterval(tick, 1);
        block.signal.addEventListener('abort', () => clearInterval(timer));
      },
    ],
    ['one of the block', (block, tick) => block.setInterval(tick, 1)],
    ['a promise for later', (_, tick) => promisify(setTimeout)(1).then(tick)],
  ];
  it.each(tidy)('but not %s', async (_, setup) => {
    expect(await replaced(setup)).toMatchObject({ ticked: true, goesOn: false, lines: [], errors: [] });
  });

  it("and Node's own timers are the global ones again", async () => {
    const before = [setTimeout, setInterval];
    await replaced((_, tick) => {
      tick();
      throw new Error('no');
    }).catch(() => undefined);
    expect([setTimeout, setInterval]).toEqual(before);
  });

  it('also where its configuration does not come to serve', async () => {
    let ticks = 0;
    const bad = {
      name: 'bad',
      api: 1 as const,
      setup: () => {
        setInterval(() => ticks++, 1);
        throw new Error('no such place');
      },
    };
    await expect(PluginServer.start('. {\n bad\n}\n', {}, bad)).rejects.toThrow(
      'Corefile:2: bad: setup: no such place',
    );
    const before = ticks;
    await turns();
    expect(ticks).toBe(before);
  });

  it('of a file, where it is set', async () => {
    folder.write(
      'names.mjs',
      'export default {\n name: "names", api: 1,\n setup() {\n  setInterval(() => 1, 1000);\n } };',
    );
    const server = await PluginServer.start('plugin ./names.mjs\n. {\n names\n whoami\n}\n', { cwd: folder.path });
    await server.server.reload();
    expect(server.lines('WARNING')).toEqual([expect.stringContaining('not its setInterval (names.mjs:4); cleared')]);
    await server.server.stop();
  });
});

describe('a hook that fails at the end', () => {
  it('is one line, and the others run', async () => {
    const { errors, goesOn } = await replaced((block, tick) => {
      block.onStop(() => Promise.reject(new Error('stuck')));
      const timer = setInterval(tick, 1);
      block.onStop(() => clearInterval(timer));
    });
    expect([errors, goesOn]).toEqual([['plugin/names: onStop: stuck'], false]);
  });
});
