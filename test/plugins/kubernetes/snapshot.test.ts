import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasReadiness } from '../../../src/chain/index.js';
import { Intake } from '../../../src/kube/intake/intake.js';
import { DNS_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { Latch } from '../../../src/kube/source.js';
import { Pace } from '../../../src/kube/pace.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { realClock } from '../../../src/lib/clock.js';
import { kubernetesOver } from '../../../src/plugins/kubernetes/setup.js';
import { readSnapshot, writeSnapshot } from '../../../src/plugins/kubernetes/snapshot.js';
import { SnapshotFile } from '../../../src/plugins/kubernetes/snapshot-file.js';
import { setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-snapshot-'));
  file = path.join(dir, 'objects');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const intake = new Intake({
  kinds: KUBE_KINDS,
  fields: DNS_FIELDS,
  log: { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined },
});

/** An API that has told its objects once `told` was called. */
class Process {
  readonly store = new KubeStore();
  private readonly latch = new Latch();
  private readonly made;

  constructor(choice = 'all') {
    const { store, latch } = this;
    const source = {
      start: () => undefined,
      synced: latch.opened,
      get hasSynced() {
        return latch.isOpen;
      },
    };
    this.made = setup(
      kubernetesOver((_, block) => ({
        store,
        source,
        snapshot: new SnapshotFile(file, choice, { ...block.runtime, log: block.logger('kubernetes') }),
      })),
      'kubernetes cluster.local {\n startup_timeout 0\n}',
    );
  }

  get block() {
    return this.made.block;
  }

  async start(): Promise<void> {
    let started = false;
    const start = this.block.run('start').finally(() => (started = true));
    while (!started) {
      await this.block.clock.advanceAsync(0);
      // The file is read aside.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await start;
  }

  get ready(): boolean {
    const [handler] = this.made.handlers;
    if (handler === undefined || !hasReadiness(handler)) throw new Error('no readiness');
    return handler.ready();
  }

  put(...services: string[]): void {
    const list = [
      { kind: 'Namespace' as const, metadata: { name: 'default' } },
      ...services.map((name, i) => ({
        kind: 'Service' as const,
        metadata: { name, namespace: 'default' },
        spec: {
          clusterIP: `10.96.0.${i + 1}`,
          clusterIPs: [`10.96.0.${i + 1}`],
          ipFamilies: ['IPv4'],
          ports: [{ port: 80, protocol: 'TCP' }],
        },
      })),
    ];
    for (const kind of ['Namespace', 'Service'] as const) {
      const replacement = this.store.replace(kind);
      for (const raw of list.filter((object) => object.kind === kind)) {
        const taken = intake.take(kind, raw);
        if (typeof taken === 'object') replacement.apply(taken.object);
      }
      replacement.commit();
    }
    this.latch.release();
  }

  async rcodes(...names: string[]): Promise<string[]> {
    const asked = names.map(async (name) => summary(await this.made.ask(query(`${name}.default.svc.cluster.local.`))));
    return (await Promise.all(asked)).map((told) => (told as { rcode: string }).rcode);
  }

  async metrics(): Promise<string[]> {
    return (await this.block.metrics.text())
      .split('\n')
      .filter((line) => /^coredns_kubernetes_(stale_)?snapshot/.test(line));
  }
}

/** The file of a process that knew `web` and `db`. */
async function saved(): Promise<void> {
  const before = new Process();
  await before.start();
  before.put('web', 'db');
  await before.block.run('stop');
}

describe('a snapshot', () => {
  it('is what a server answers from that starts without the API, until that is back', async () => {
    await saved();
    const after = new Process();
    after.block.clock.advance(60_000);
    await after.start();
    expect(after.ready).toBe(true);
    expect(await after.rcodes('web', 'db', 'nosuch')).toEqual(['NOERROR', 'NOERROR', 'NXDOMAIN']);
    expect(await after.metrics()).toEqual([
      'coredns_kubernetes_snapshot_age_seconds 60',
      'coredns_kubernetes_stale_snapshot_enabled 1',
    ]);
    after.put('web', 'api');
    expect(await after.rcodes('web', 'api', 'db')).toEqual(['NOERROR', 'NOERROR', 'NXDOMAIN']);
    expect(await after.metrics()).toEqual([
      'coredns_kubernetes_snapshot_age_seconds 0',
      'coredns_kubernetes_stale_snapshot_enabled 0',
    ]);
  });

  it('is taken in while others have their turn', async () => {
    const before = new KubeStore();
    const object = { kind: 'Namespace' as const, labels: undefined };
    for (let i = 0; i < 300; i++) before.apply({ ...object, name: `n${i}` });
    await writeSnapshot(file, 'all', before, 1000);
    let now = 0;
    // Each look at the clock takes a millisecond: few objects fit into a slice.
    const pace = new Pace({ ...realClock, monotonic: () => now++ });
    const store = new KubeStore();
    const seen = new Set<number>();
    let on = true;
    const look = (): void => {
      seen.add(store.count('Namespace'));
      if (on) setImmediate(look);
    };
    look();
    expect(await readSnapshot(file, 'all', store, pace)).toBe(1000);
    on = false;
    expect(store.count('Namespace')).toBe(300);
    expect(seen.size).toBeGreaterThan(40);
  });

  it('is for its owner alone, and saved once a minute where something has changed', async () => {
    const one = new Process();
    await one.start();
    one.put('web');
    one.block.clock.advance(60_000);
    await one.block.run('stop');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain('"name":"web"');
  });

  it('is saved where something has changed, and only then', async () => {
    const one = new Process();
    const snapshot = new SnapshotFile(file, 'all', { ...one.block.runtime, log: one.block.log });
    const end = snapshot.follow(one.store, () => true);
    one.put('web');
    await snapshot.save(one.store);
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    await snapshot.save(one.store);
    expect(existsSync(file)).toBe(false);
    one.put('db');
    await snapshot.save(one.store);
    expect(readFileSync(file, 'utf8')).not.toBe(text);
    end();
  });

  it('has each object once, however many there are', async () => {
    const one = new Process();
    one.put(...Array.from({ length: 250 }, (_, i) => `web${i}`));
    await writeSnapshot(file, 'all', one.store, 0);
    expect(readFileSync(file, 'utf8').match(/"kind":"Service"/g)).toHaveLength(250);
  });

  it.each([
    { name: 'are known', synced: true, tries: 2 },
    { name: 'are not known yet', synced: false, tries: 1 },
  ])('that cannot be saved is told of, once a minute where all objects $name', async ({ synced, tries }) => {
    const one = new Process();
    const parts = { ...one.block.runtime, log: one.block.log };
    const snapshot = new SnapshotFile(path.join(dir, 'nowhere', 'objects'), 'all', parts);
    const end = snapshot.follow(one.store, () => synced);
    one.put('web');
    one.block.clock.advance(60_000);
    await snapshot.save(one.store);
    expect(one.block.log.lines).toEqual(
      Array.from({ length: tries }, () => expect.stringMatching(/^\[ERROR\] objects not saved: ENOENT/) as string),
    );
    end();
  });

  it('is not written by a server that never heard of the API', async () => {
    await saved();
    const text = readFileSync(file, 'utf8');
    const one = new Process();
    await one.start();
    await one.block.run('stop');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each([
    {
      name: 'that was cut short',
      spoil: () => writeFileSync(file, readFileSync(file).subarray(0, -80)),
      why: 'got a file that is cut short or altered',
    },
    {
      name: 'that was added to',
      spoil: () => appendFileSync(file, '{}\n'),
      why: 'got a file that is cut short or altered',
    },
    { name: 'that is empty', spoil: () => writeFileSync(file, ''), why: 'got a file that is cut short or altered' },
    { name: 'of another choice', spoil: () => undefined, choice: 'other', why: 'got objects of another API or choice' },
  ])('$name is left aside', async ({ spoil, choice, why }) => {
    await saved();
    spoil();
    const after = new Process(choice);
    await after.start();
    expect(after.ready).toBe(false);
    expect(await after.rcodes('web')).toEqual(['SERVFAIL']);
    expect(after.block.log.lines[0]).toContain(why);
  });
});
