import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelPrograms } from '../../src/kernel/kernel-status.js';
import { checkSet, readRecorded, type Elsewhere } from '../conformance/check.js';

import { sets } from '../conformance/sets.mjs';
import { sets as setsOfPlugins } from '../conformance/sets-plugins.mjs';
import { missingForKernel } from '../support/kernel-server.js';
import { enterNamespace } from '../support/network-namespace.js';
import { PROGRAM } from '../support/program.js';
import { Namespaces, inside, join } from './node-local/namespaces.js';

/** All sets take minutes: `NODENS_WHOLE=1 npx vitest run test/e2e/kernel-sets.test.ts`. */
const WHOLE = process.env.NODENS_WHOLE === '1';
/** Those that share most answers, and quickly. */
const SHORT = /^(template|hosts|file|dns64|cache)$/;

/** A zone's name server has no address where that is a loopback's, as in the sets. */
const KNOWN = {
  kubernetes: ['#58 cluster.local. NS', '#60 ns.dns.cluster.local. A'],
  'k8s-external': ['#25 lab.test. NS'],
};

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/kernel-sets: ${why}; skipped`);

/** Nobody's network (RFC 2544). */
const PLACE = { server: '198.18.0.1', client: '198.18.0.2', times: 3 };

describe.skipIf(why !== undefined)('with answers in the kernel, over a link', () => {
  const namespaces = new Namespaces();
  let elsewhere: Elsewhere;
  let leave = (): void => undefined;
  let watching: NodeJS.Timeout;
  /** Answers of each program when it was last seen. */
  const answered = new Map<number, number>();
  let others: Set<number>;

  const look = async (): Promise<void> => {
    for (const { id, queries } of await kernelPrograms(0, () => Promise.resolve()))
      if (!others.has(id)) answered.set(id, queries.answered ?? 0);
  };

  beforeAll(async () => {
    others = new Set((await kernelPrograms(0, () => Promise.resolve())).map(({ id }) => id));
    const [server, client] = [namespaces.add('sets-s'), namespaces.add('sets-c')];
    join([server, 'in', [`${PLACE.server}/24`]], [client, 'out', [`${PLACE.client}/24`]]);
    elsewhere = {
      command: inside(server, ...PROGRAM, '-io', 'kernel=in', '-workers', '1'),
      place: PLACE,
      known: KNOWN,
    };
    leave = enterNamespace(client);
    watching = setInterval(() => void look(), 50);
  });
  afterAll(() => {
    clearInterval(watching);
    leave();
    namespaces.remove();
  });

  const rows = [
    ['answers.json', sets],
    ['answers-plugins.json', setsOfPlugins],
  ] as const;
  for (const [file, all] of rows) {
    const recorded = readRecorded(file);
    const chosen = all.filter(({ name }) => WHOLE || SHORT.test(name));
    it.concurrent.each(chosen)(
      `$name of ${file}`,
      async (set) => checkSet(set, recorded[set.name]!, elsewhere),
      60_000,
    );
  }

  it('some of them were', () => {
    const total = [...answered.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${total} answers of ${answered.size} servers were given in the kernel`);
    expect(total).toBeGreaterThan(20);
  });
});
