import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bpf } from '../../src/kernel/bpf.js';
import type { AttachKind } from '../../src/kernel/bpf-shapes.js';
import { COUNTERS_NAME, PROGRAM_NAME, readCounters } from '../../src/kernel/kernel-status.js';
import { KernelServer, SERVER_IP, missingForKernel, programsOf } from '../support/kernel-server.js';
import { Namespaces } from './node-local/namespaces.js';

/** Queries a second. */
const RATE = '20000';
const SECONDS = '3';

const why = missingForKernel(['dnsperf', 'dnsperf']);
if (why !== undefined) console.log(`test/e2e/kernel-handover: ${why}; skipped`);

const COREFILE = `. {
  prometheus 127.0.0.1:9153
  cache 3600
  template IN A example.org {
    answer "{{ .Name }} 3000 IN A 192.0.2.1"
  }
}
`;

describe.skipIf(why !== undefined)('a hand-over under load', () => {
  let dir: string;
  let namespaces: Namespaces;
  let served: KernelServer;
  let bpf: Bpf;

  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-kernel-'));
    namespaces = new Namespaces();
    bpf = new Bpf();
    writeFileSync(path.join(dir, 'names'), Array.from({ length: 200 }, (_, i) => `n${i}.example.org A\n`).join(''));
  });
  afterEach(() => {
    served.program.child.kill('SIGKILL');
    namespaces.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The counters of a process's program, for as long as this process runs, whatever becomes of that one. */
  function countersOf(pid: number): number[] {
    const ids = programsOf(pid);
    return bpf.programs().flatMap((program) => {
      const { id, name, maps } = bpf.programInfo(program);
      bpf.close(program);
      const opened = ids.has(id) && name === PROGRAM_NAME ? maps.map((map) => bpf.openMap(map)) : [];
      return opened.filter((map) => bpf.mapName(map) === COUNTERS_NAME || bpf.close(map));
    });
  }
  const counted = (maps: readonly number[]): { all: number; answered: number } => {
    const [counters] = maps.map((map) => readCounters(bpf, map));
    const all = Object.values(counters!).reduce((sum, count) => sum + count, 0);
    return { all, answered: counters!.answered! };
  };

  it.each<{ kind: AttachKind }>([{ kind: 'tcx' }, { kind: 'xdp' }])(
    'by $kind: each query came to one of both programs, and none was lost',
    async ({ kind }) => {
      served = new KernelServer(namespaces, 'kernel', path.join(dir, 'served'), ['10.99.0.2/24'], kind);
      await served.start({ Corefile: COREFILE });
      const [ip, ...rest] = served.inside('client') as [string, ...string[]];
      // Frames of XDP take a page each of a client's buffer: several sockets have room for all.
      const limits = ['-c', '10', '-q', '200', '-t', '5'];
      const ask = [...rest, 'dnsperf', '-s', SERVER_IP, '-d', path.join(dir, 'names'), ...limits];
      expect(spawnSync(ip, [...ask, '-n', '3', '-Q', '5000']).status).toBe(0);
      const old = countersOf(served.program.child.pid!);
      const before = counted(old).all;
      const load = spawn(ip, [...ask, '-Q', RATE, '-l', SECONDS]);
      let said = '';
      load.stdout.on('data', (chunk: Buffer) => void (said += chunk.toString()));
      while (counted(old).all < before + 5000) await new Promise((resolve) => setTimeout(resolve, 20));
      served.program.child.kill('SIGUSR2');
      await served.program.exited();
      const successor = countersOf(served.successor());
      if (load.exitCode === null) await once(load, 'close');
      const sent = Number(/Queries sent: +(\d+)/.exec(said)?.[1]);
      const [first, second] = [counted(old), counted(successor)];
      expect(/Queries lost: +(\d+)/.exec(said)?.[1], said).toBe('0');
      // What one passes on is the other's by tcx; XDP has one at a time.
      const came = first.all - before + second.all;
      console.log(`${kind}: ${sent} queries; ${came} counted, ${first.answered} and ${second.answered} answered`);
      expect(came).toBeGreaterThanOrEqual(sent);
      if (kind === 'xdp') expect(came).toBe(sent);
      expect(second.answered).toBeGreaterThan(1000);
    },
    60_000,
  );

  it('takes the link of XDP back from one that is killed beside it', async () => {
    served = new KernelServer(namespaces, 'kernel', path.join(dir, 'served'), ['10.99.0.2/24'], 'xdp');
    const takeover = ['-takeover', path.join(dir, 'socket')];
    await served.start({ Corefile: COREFILE }, ...takeover);
    const first = served.program;
    await served.start({}, ...takeover);
    const second = served.program;
    served.program = first;
    const [one, other] = [countersOf(first.child.pid!), countersOf(second.child.pid!)];
    const [ip, ...rest] = served.inside('client') as [string, ...string[]];
    const ask = (): number => {
      const before = counted(one).all;
      const names = ['-d', path.join(dir, 'names'), '-n', '1', '-t', '5', '-q', '20'];
      expect(spawnSync(ip, [...rest, 'dnsperf', '-s', SERVER_IP, ...names]).status).toBe(0);
      return counted(one).all - before;
    };
    try {
      expect([ask(), counted(other).all]).toEqual([0, 200]);
    } finally {
      await second.stop('SIGKILL');
    }
    for (const end = performance.now() + 20_000; ask() < 200;)
      if (performance.now() > end) throw new Error('the link did not come back for 20 s');
    expect(counted(other).all).toBe(200);
  }, 60_000);
});
