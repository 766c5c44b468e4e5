import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Pace } from '../../../src/kube/pace.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { realClock } from '../../../src/lib/clock.js';
import { readSnapshot, writeSnapshot } from '../../../src/plugins/kubernetes/snapshot.js';
import { FakeApi } from '../../support/fake-api.js';
import { followApi, told } from '../../support/followed-api.js';
import { namespace, service, slice } from '../../support/kube.js';

let folder: string;
const ends: (() => unknown)[] = [];
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'snapshot-'))));
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true });
});

it.each([
  { name: 'protobuf, streamed', protobuf: true, streams: 'sent' },
  { name: 'protobuf, listed', protobuf: true, streams: 'refused' },
  { name: 'JSON, listed', protobuf: false, streams: 'refused' },
] as const)('what was saved is taken over by the API, and only what differs is told: $name', async (manner) => {
  const fake = new FakeApi([namespace('default'), service('web'), service('gone'), slice('web', ['10.0.0.1'])]);
  Object.assign(fake, { protobuf: manner.protobuf, streams: manner.streams });
  await fake.start();
  ends.push(() => fake.stop());
  const before = followApi(fake);
  ends.push(() => before.stop.abort());
  await before.source.synced;
  const file = path.join(folder, 'saved');
  await writeSnapshot(file, 'choice', before.store, 1000);
  before.stop.abort();
  fake.delete('Service', 'default', 'gone');
  fake.apply(service('new'));
  const store = new KubeStore();
  expect(await readSnapshot(file, 'choice', store, new Pace(realClock))).toBe(1000);
  expect(store.count('Service')).toBe(2);
  const after = followApi(fake, {}, store);
  ends.push(() => after.stop.abort());
  await after.source.synced;
  expect(told(after.changes).sort()).toEqual(['added Service new', 'deleted Service gone']);
});
