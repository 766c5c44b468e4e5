import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../support/dns.js';
import { KernelServer, SERVER_IP, missingForKernel, programsOf } from '../support/kernel-server.js';
import { PROGRAM, Program } from '../support/program.js';
import { webService } from '../support/web-service.js';
import { Namespaces } from './node-local/namespaces.js';

const ASKER = path.resolve(import.meta.dirname, '../support/asker.mjs');
/** Queries a second beside the one that is looked at. */
const RATE = '20000';

const why = missingForKernel(['dnsperf', 'dnsperf'], ['bpftool', 'bpftool']);
if (why !== undefined) console.log(`test/e2e/kernel-changes: ${why}; skipped`);

/** More names than the cache keeps, some asked more often than others: some leave it all the time. */
const LOAD = Array.from({ length: 4000 }, (_, i) => {
  const drawn = ((i * 2_654_435_761) % 2 ** 32) / 2 ** 32;
  return `n${Math.floor(1500 * drawn * drawn)}.example.org A\n`;
}).join('');
/** What is lost is told after so many seconds. */
const PATIENCE = 2;

const corefile = (address: string): string => `cluster.local {
  kubernetes cluster.local {
    manifests objects.yaml
  }
}
. {
  prometheus 127.0.0.1:9153
  cache 3600 {
    success 1024
  }
  template IN A example.org {
    answer "{{ .Name }} 3000 IN A ${address}"
  }
}
ending.test {
  cache
  forward . 127.0.0.1:5300
}
`;

/** Of a server that `ending.test` is asked at. */
const upstream = (address: string): string => `.:5300 {
  bind 127.0.0.1
  template IN A ending.test {
    answer "{{ .Name }} 2 IN A ${address}"
  }
}
`;

/** Programs of this kind that the kernel has, of whatever process: other tests have some too. */
const programs = (): number[] =>
  (JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'list'], { encoding: 'utf8' })) as { id: number; name?: string }[])
    .filter(({ name }) => name === 'nodens_answers')
    .map(({ id }) => id);

describe.skipIf(why !== undefined)('answers in the kernel, under load', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-kernel-'));
  let namespaces: Namespaces;
  let served: KernelServer;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    namespaces = new Namespaces();
    served = new KernelServer(namespaces, 'kernel', path.join(dir, 'served'), ['10.99.0.2/24', '10.99.0.3/24']);
    writeFileSync(path.join(dir, 'names'), LOAD);
    await served.start({ Corefile: corefile('192.0.2.1'), 'objects.yaml': webService('10.96.0.1') });
  }, 60_000);
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    // A successor that has the output of the first one is no child of this process.
    served.program.child.kill('SIGKILL');
    namespaces.remove();
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function inClient(command: string, ...args: string[]): { child: ChildProcess; said: () => string } {
    const [ip, ...rest] = served.inside('client');
    const child = spawn(ip!, [...rest, command, ...args]);
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    return { child, said: () => text };
  }

  const until = async (condition: () => boolean): Promise<void> => {
    for (const end = performance.now() + 20_000; !condition();) {
      if (performance.now() > end) throw new Error('waited for 20 s');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  const underLoad = (): ReturnType<typeof inClient> => {
    // More at a time would not fit into the client's buffer, as the kernel answers while they are sent.
    const limits = ['-Q', RATE, '-l', '600', '-q', '200', '-t', String(PATIENCE)];
    return inClient('dnsperf', '-s', SERVER_IP, '-d', path.join(dir, 'names'), ...limits);
  };

  /** Asks for `name` and lets something happen meanwhile: the addresses that came back in order, and what was lost. */
  async function during(
    name: string,
    change: (seen: () => string) => Promise<void>,
  ): Promise<{ seen: string[]; lost: number; load: string }> {
    const load = underLoad();
    const asker = inClient(process.execPath, ASKER, SERVER_IP, '53', query(name).bytes.toString('hex'));
    await until(() => asker.said() !== '');
    await change(asker.said);
    const lines = asker.said().length;
    load.child.kill('SIGINT');
    asker.child.stdin!.end();
    for (const { child } of [load, asker]) if (child.exitCode === null) await once(child, 'close');
    const { seen, lost } = JSON.parse(
      asker.said().slice(asker.said().indexOf('{', Math.min(lines, asker.said().indexOf('{')))),
    ) as {
      seen: { address: string }[];
      lost: number;
    };
    return {
      seen: seen.map(({ address }) => address),
      lost,
      load: /Queries lost: +(\d+)/.exec(load.said())?.[1] ?? load.said(),
    };
  }

  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * PATIENCE + 200));

  it('a reload loses nothing, and no old answer comes after a new one', async () => {
    const result = await during('www.example.org.', async (seen) => {
      served.write({ Corefile: corefile('192.0.2.2') });
      served.program.child.kill('SIGUSR1');
      await until(() => seen().includes('192.0.2.2'));
      await settle();
    });
    expect(result).toEqual({ seen: ['192.0.2.1', '192.0.2.2'], lost: 0, load: '0' });
    expect(served.outcome('answered')).toBeGreaterThan(1000);
    expect(served.metrics()).toMatch(/^coredns_cache_evictions_total\{.*type="success".*\} [1-9]/m);
  }, 60_000);

  it('a change of an object is seen at once and for good', async () => {
    const result = await during('web.default.svc.cluster.local.', async (seen) => {
      served.write({ 'objects.yaml': webService('10.96.0.2') });
      await until(() => seen().includes('10.96.0.2'));
      await settle();
    });
    expect(result).toEqual({ seen: ['10.96.0.1', '10.96.0.2'], lost: 0, load: '0' });
  }, 60_000);

  it('an answer that ends is asked for again, and never comes back', async () => {
    served.write({ upstream: upstream('192.0.2.1') });
    const other = new Program(
      [...served.inside('server'), ...PROGRAM, '-io', 'dgram', '-conf', 'upstream'],
      {},
      served.folder,
    );
    children.push(other.child);
    await other.said(/nodens-/);
    const result = await during('www.ending.test.', async (seen) => {
      served.write({ upstream: upstream('192.0.2.2') });
      other.child.kill('SIGUSR1');
      await until(() => seen().includes('192.0.2.2'));
      await settle();
    });
    expect(result).toEqual({ seen: ['192.0.2.1', '192.0.2.2'], lost: 0, load: '0' });
    expect(served.outcome('answered')).toBeGreaterThan(1000);
  }, 60_000);

  it('a successor takes over without a query lost, and with a program of its own', async () => {
    const result = await during('www.example.org.', async () => {
      served.program.child.kill('SIGUSR2');
      await served.program.exited();
      await settle();
    });
    expect(result).toEqual({ seen: ['192.0.2.1'], lost: 0, load: '0' });
    const own = programsOf(served.successor());
    expect(programs().filter((id) => own.has(id))).toHaveLength(1);
    expect(served.outcome('answered')).toBeGreaterThan(100);
  }, 60_000);

  it('what a client asks beyond its limit is dropped, and others are answered', async () => {
    await served.program.stop('SIGKILL');
    await served.start({}, '-kernel.limit', '100');
    const asked = (...flags: string[]): ReturnType<typeof inClient> =>
      inClient('dnsperf', '-s', SERVER_IP, '-d', path.join(dir, 'names'), '-l', '3', ...flags);
    const flood = asked('-a', '10.99.0.2', '-Q', '2000', '-t', '1');
    const other = asked('-a', '10.99.0.3', '-Q', '50', '-t', '2');
    await Promise.all([flood, other].map(({ child }) => once(child, 'close')));
    expect(other.said()).toMatch(/Queries lost: +0 /);
    const completed = Number(/Queries completed: +(\d+)/.exec(flood.said())?.[1]);
    // Those of three seconds and what the bucket holds at first, and some more for a clock that goes on meanwhile.
    expect([completed > 50, completed < 1000]).toEqual([true, true]);
    expect(served.outcome('dropped: limit')).toBeGreaterThan(100);
  }, 60_000);

  it('a server that is killed leaves no program behind', async () => {
    const own = programsOf(served.program.child.pid!);
    expect(programs().filter((id) => own.has(id))).toHaveLength(1);
    underLoad();
    await until(() => served.outcome('answered') > 1000);
    await served.program.stop('SIGKILL');
    await until(() => programs().every((id) => !own.has(id)));
  }, 60_000);
});
