import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findManifests } from '../../src/kube/manifests/files.js';
import { ManifestSource, type ManifestSourceOptions } from '../../src/kube/manifests/source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { ManualClock } from '../../src/lib/clock.js';
import { RecordedLog, until } from '../support/kube.js';

const POLL = 10_000;

let top: string;
let folder: string;
let stop: AbortController;
beforeEach(() => {
  top = mkdtempSync(path.join(tmpdir(), 'nodens-watch-'));
  folder = path.join(top, 'manifests');
  mkdirSync(folder);
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  rmSync(top, { recursive: true });
});

const at = (name: string): string => path.join(folder, name);
const write = (name: string): void =>
  writeFileSync(at(name), 'kind: Service\nmetadata: { name: a }\nspec: { clusterIP: 10.96.0.1 }\n');

/** A watcher of a folder that tells what it is told to. */
interface Told {
  readonly folder: string;
  readonly changed: () => void;
  readonly fail: () => void;
  open: boolean;
}

/** A source whose time, and what it is told of changes, are driven by hand. */
function started({ paths = [folder], ...options }: Partial<ManifestSourceOptions> = {}) {
  const [store, log, clock] = [new KubeStore(), new RecordedLog(), new ManualClock()];
  const watchers: Told[] = [];
  const looks = { count: 0 };
  const source = new ManifestSource({
    get paths() {
      looks.count++;
      return paths;
    },
    kinds: KUBE_KINDS,
    fields: ALL_FIELDS,
    clock,
    log,
    watch: (watched, changed) => {
      const events = new EventEmitter();
      const fail = (): boolean => events.emit('error', new Error('no more'));
      const told: Told = { folder: watched, changed, fail, open: true };
      watchers.push(told);
      return Object.assign(events, { close: () => void (told.open = false) }) as never;
    },
    ...options,
  });
  looks.count = 0;
  source.start(store, stop.signal);
  const look = async (): Promise<void> => {
    const { count } = looks;
    clock.advance(POLL);
    await until(() => looks.count > count, 'a look');
    await turns();
  };
  return { store, log, clock, watchers, looks, source, look };
}

/** As long as several looks take. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await findManifests([top]);
}

describe('manifests are looked at', () => {
  it('one time after the other, and once more for all that changes meanwhile', async () => {
    const { looks, clock, source } = started();
    clock.advance(3 * POLL);
    expect(looks.count).toBe(1);
    await source.synced;
    await until(() => looks.count > 1, 'one more');
    await turns();
    expect(looks.count).toBe(2);
  });

  it('every 10 s, and when nothing has changed for 0.1 s after a change', async () => {
    const { looks, clock, source, watchers } = started();
    await source.synced;
    await turns();
    const after = (wait: number): number => {
      clock.advance(wait);
      return looks.count;
    };
    expect([after(POLL - 1), after(1)]).toEqual([1, 2]);
    await turns();
    watchers[0]!.changed();
    expect(after(60)).toBe(2);
    watchers[0]!.changed();
    expect([after(99), after(1)]).toEqual([2, 3]);
  });

  it('no more when that is told', async () => {
    const { clock, source, watchers } = started();
    await source.synced;
    watchers[0]!.changed();
    expect(clock.pending).toBe(2);
    stop.abort();
    expect([clock.pending, watchers.map(({ open }) => open)]).toEqual([0, [false, false]]);
  });
});

describe('a folder is watched', () => {
  it('by one watcher, as long as it is the same folder', async () => {
    const { source, watchers, look } = started();
    const open = (): string[] => watchers.filter((one) => one.open).map((one) => path.relative(top, one.folder));
    await source.synced;
    await look();
    expect([watchers.length, open()]).toEqual([2, ['', 'manifests']]);
    renameSync(folder, path.join(top, 'away'));
    await look();
    expect([watchers.length, open()]).toEqual([2, ['']]);
    mkdirSync(folder);
    await look();
    expect([watchers.length, open()]).toEqual([3, ['', 'manifests']]);
    mkdirSync(path.join(top, 'other'));
    rmSync(folder, { recursive: true });
    renameSync(path.join(top, 'other'), folder);
    await look();
    expect([watchers.length, open()]).toEqual([4, ['', 'manifests']]);
  });

  it('by another watcher after one that failed', async () => {
    const { source, watchers, look, log } = started();
    await source.synced;
    watchers[1]!.fail();
    expect(watchers.map(({ open }) => open)).toEqual([true, false]);
    expect(log.lines).toEqual([`debug cannot watch ${folder}: no more; looking every 10 s instead`]);
    await look();
    expect(watchers.map(({ folder: watched, open }) => [watched, open]).slice(1)).toEqual([
      [folder, false],
      [folder, true],
    ]);
  });

  it('by looking at it where it cannot be watched', async () => {
    const { source, look, log, store } = started({
      watch: () => {
        throw new Error('too many');
      },
    });
    await source.synced;
    expect(log.at('debug')).toHaveLength(2);
    write('a.yaml');
    await look();
    await until(() => store.count('Service') === 1, 'the service');
  });
});

describe('a path that is missing', () => {
  it('is told again after it was there', async () => {
    const { source, look, log } = started({ paths: [at('a.yaml')] });
    await source.synced;
    await look();
    expect(log.lines).toEqual([`error manifests ${at('a.yaml')}: no such file or folder`]);
    write('a.yaml');
    await look();
    rmSync(at('a.yaml'));
    await look();
    expect(log.at('error')).toHaveLength(2);
  });

  it.each([
    { name: 'its file', broken: 'sub/a.yaml', kept: 1 },
    { name: 'a folder above', broken: 'sub', kept: 1 },
    { name: 'another file', broken: 'sub/b.yaml', kept: 0 },
    { name: 'another folder whose name begins alike', broken: 'su', kept: 0 },
  ])('keeps what it held where $name is there and cannot be read', async ({ broken, kept }) => {
    mkdirSync(at('sub'));
    write('sub/a.yaml');
    const { source, look, log, store } = started();
    await source.synced;
    expect(store.count('Service')).toBe(1);
    rmSync(at('sub/a.yaml'));
    rmSync(at(broken), { recursive: true, force: true });
    // A link to itself is there, and leads nowhere.
    symlinkSync(at(broken), at(broken));
    await look();
    await until(() => log.at('error').length === 1, 'the error');
    expect([log.at('error')[0], store.count('Service')]).toEqual([expect.stringContaining('ELOOP'), kept]);
  });
});
