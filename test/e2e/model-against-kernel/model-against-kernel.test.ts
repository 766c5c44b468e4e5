import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from '../../../src/datapath/world.js';
import { whyNotHere } from './abilities.js';
import { cluster } from './cluster.js';
import { KernelCluster } from './kernel-run.js';
import { comparable, type Seen } from './lines.js';
import { runInModel } from './model-run.js';
import { ROWS, type Row } from './rows.js';

/** The cluster whose rules do what Cilium's programs do in another one. */
function alikeOf({ config, setup }: NonNullable<Row['alike']>): World {
  const { world } = cluster(config);
  setup?.(world);
  return world;
}

function limited({ packets, entries }: Seen, { alike }: Row): Seen {
  if (!alike) return { packets, entries };
  const seen = Object.entries(packets).filter(([id]) => alike.seenBy.includes(id));
  return { packets: Object.fromEntries(seen), entries: {} };
}

const reason = whyNotHere();
if (reason !== undefined) console.log(`test/e2e/model-against-kernel: ${reason}; skipped`);

describe.skipIf(reason !== undefined)('a flow in the model and in the kernel, which has the rules of the model', () => {
  let kernel: KernelCluster;
  beforeAll(async () => {
    kernel = new KernelCluster(cluster().world);
    await kernel.start();
  }, 60_000);
  afterAll(() => kernel?.stop());

  it.each(ROWS)('$name', async (row) => {
    const made = cluster(row.config);
    row.setup?.(made.world);
    kernel.load(row.alike ? alikeOf(row.alike) : made.world);
    const modelled = limited(runInModel(made, row), row);
    expect(comparable(modelled)).toEqual(comparable(limited(await kernel.run(row, modelled), row)));
  });
});
