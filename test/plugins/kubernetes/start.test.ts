import { describe, expect, it } from 'vitest';
import { hasReadiness, type Reply } from '../../../src/chain/index.js';
import { Latch, type KubeSource } from '../../../src/kube/source.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { kubernetesOver } from '../../../src/plugins/kubernetes/setup.js';
import { setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';

/** A source that has its objects when the latch is released. */
function slowSource(): { source: KubeSource; latch: Latch } {
  const latch = new Latch();
  return {
    latch,
    source: {
      start: () => undefined,
      synced: latch.opened,
      get hasSynced() {
        return latch.isOpen;
      },
    },
  };
}

function prepare(options: string) {
  const { source, latch } = slowSource();
  const made = setup(
    kubernetesOver(() => ({ store: new KubeStore(), source })),
    `kubernetes cluster.local {\n${options}\n}`,
  );
  const [handler] = made.handlers;
  if (handler === undefined || !hasReadiness(handler)) throw new Error('the handler does not say whether it is ready');
  return { ...made, handler, latch };
}

const WAITING = '[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server';
const UNSYNCED = '[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API';

describe('starting', () => {
  it('waits for the objects', async () => {
    const { block, latch, handler } = prepare('');
    const started = block.run('start');
    await block.clock.advanceAsync(1100);
    expect(handler.ready()).toBe(false);
    latch.release();
    await started;
    expect(handler.ready()).toBe(true);
    expect(block.log.lines).toEqual([WAITING, WAITING]);
    expect(block.clock.pending).toBe(0);
  });

  it.each([
    { options: '', wait: 5000, lines: 10 },
    { options: 'startup_timeout 1200ms', wait: 1200, lines: 2 },
    { options: 'startup_timeout 0', wait: 0, lines: 0 },
  ])(
    "ends after its time with '$options', and says SERVFAIL until the objects are there",
    async ({ options, wait, lines }) => {
      const { block, latch, ask } = prepare(options);
      let done = false;
      const started = block.run('start').then(() => (done = true));
      if (wait > 0) await block.clock.advanceAsync(wait - 1);
      expect(done).toBe(false);
      await block.clock.advanceAsync(1);
      await started;
      expect(block.log.lines.filter((line) => line === WAITING).length).toBeGreaterThanOrEqual(lines - 1);
      expect(block.log.lines.at(-1)).toBe(UNSYNCED);
      const asked = query('web.default.svc.cluster.local.');
      expect(summary(await ask(asked))).toMatchObject({
        rcode: 'SERVFAIL',
        flags: 'aa',
        authority: [expect.stringContaining('SOA')],
      });
      expect(((await ask(asked)) as Reply).lease).toBeUndefined();
      latch.release();
      expect(summary(await ask(asked))).toMatchObject({ rcode: 'NXDOMAIN' });
      expect(((await ask(asked)) as Reply).lease?.until).toBe(Infinity);
    },
  );

  it('that never came to it can be stopped', async () => {
    const { block } = prepare('');
    await expect(block.run('stop')).resolves.toBeUndefined();
  });
});
