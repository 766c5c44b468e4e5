import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bpf } from '../../src/kernel/bpf.js';
import { listFilters } from '../../src/kernel/clsact.js';
import { kernelPrograms, type KernelProgram } from '../../src/kernel/kernel-status.js';
import { openRtnetlink } from '../../src/kernel/rtnetlink.js';
import { query } from '../support/dns.js';
import { KernelServer, SERVER_IP, missingForKernel, programsOf } from '../support/kernel-server.js';
import { enterNamespace } from '../support/network-namespace.js';
import { Namespaces, run } from './node-local/namespaces.js';

const why = missingForKernel();
if (why !== undefined) console.log(`test/e2e/kernel-attach: ${why}; skipped`);

const COREFILE = `. {
  prometheus 127.0.0.1:9153
  cache 3600
  template IN A example.org {
    answer "{{ .Name }} 300 IN A 192.0.2.1"
  }
}
`;

describe.skipIf(why !== undefined)('a server with answers in the kernel', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-kernel-'));
  let namespaces: Namespaces;
  let served: KernelServer;

  beforeEach(() => {
    namespaces = new Namespaces();
  });
  afterEach(async () => {
    await served.program.stop('SIGKILL');
    namespaces.remove();
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const inServer = async <T>(look: () => T | Promise<T>): Promise<T> => {
    const leave = enterNamespace(served.server);
    try {
      return await look();
    } finally {
      leave();
    }
  };

  /** Those of these programs that are there. */
  const there = (ids: ReadonlySet<number>): Promise<KernelProgram[]> =>
    inServer(async () => (await kernelPrograms(0, () => Promise.resolve())).filter(({ id }) => ids.has(id)));
  /** How they are attached. */
  const attached = async (ids: ReadonlySet<number>): Promise<string[][]> =>
    (await there(ids)).map(({ devices }) => devices.map(({ by }) => by));
  const filters = (): Promise<string[]> =>
    inServer(() => listFilters(openRtnetlink(), new Bpf().deviceNumber('in')).map(({ name }) => name));

  /** Asks until the kernel answers. */
  async function ask(): Promise<void> {
    const leave = enterNamespace(served.client);
    const socket = dgram.createSocket('udp4').bind(0, '10.99.0.2');
    try {
      await once(socket, 'listening');
    } finally {
      leave();
    }
    const programs = programsOf(served.program.child.pid!);
    const answered = async (): Promise<boolean> =>
      (await there(programs)).some(({ queries }) => (queries.answered ?? 0) > 0);
    for (const end = performance.now() + 20_000; !(await answered());) {
      if (performance.now() > end) throw new Error('the kernel did not answer for 20 s');
      socket.send(query('www.example.org.').bytes, 53, SERVER_IP);
      await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
    }
    socket.close();
  }

  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (const end = performance.now() + 20_000; !(await condition());) {
      if (performance.now() > end) throw new Error('waited for 20 s');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it.each(['tcx', 'clsact', 'xdp'] as const)(
    'by %s leaves no program behind, however it ends',
    async (kind) => {
      served = new KernelServer(namespaces, 'kernel', path.join(dir, kind), ['10.99.0.2/24'], kind);
      await served.start({ Corefile: COREFILE });
      await ask();
      let programs = programsOf(served.program.child.pid!);
      expect(await attached(programs)).toEqual([[kind]]);
      await served.program.stop('SIGKILL');
      // What stays of a filter has nothing behind it, and lets everything pass: to the next server, which removes it.
      await until(async () => (await attached(programs)).length === 0);
      const left = await filters();
      expect(left).toHaveLength(kind === 'clsact' ? 1 : 0);
      await served.start({});
      await ask();
      programs = programsOf(served.program.child.pid!);
      expect(await attached(programs)).toEqual([[kind]]);
      expect((await filters()).filter((name) => left.includes(name))).toEqual([]);
      await served.program.stop('SIGTERM');
      await until(async () => (await attached(programs)).length === 0);
      expect(await filters()).toEqual([]);
    },
    60_000,
  );

  it('serves by tcx where the driver has no XDP', async () => {
    served = new KernelServer(namespaces, 'kernel', path.join(dir, 'none'), ['10.99.0.2/24'], 'xdp');
    // A bridge takes the place of the device, and its name.
    for (const change of [
      'set in down',
      'set in name port',
      'add in type bridge',
      'set port master in up',
      'set in up',
    ])
      run('ip', '-n', served.server, 'link', ...change.split(' '));
    run('ip', '-n', served.server, 'addr', 'del', `${SERVER_IP}/24`, 'dev', 'port');
    run('ip', '-n', served.server, 'addr', 'add', `${SERVER_IP}/24`, 'dev', 'in');
    await served.start({ Corefile: COREFILE });
    await ask();
    expect(await attached(programsOf(served.program.child.pid!))).toContainEqual(['tcx']);
  }, 60_000);
});
