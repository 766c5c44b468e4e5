import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../../src/kube/objects/raw.js';
import type { JournalEvent } from '../../../src/lab/kube-api/journal.js';
import { resourceAt } from '../../../src/lab/kube-api/route.js';
import { watch } from '../../../src/lab/kube-api/watch.js';
import type { WatchHost } from '../../../src/lab/kube-api/watch.js';
import { ManualClock } from '../../../src/lib/clock.js';
import type { Json } from './client.js';

/** A client's connection: what it was told, and how much of it it has not taken. */
class FakeResponse extends EventEmitter {
  readonly told: Json[] = [];
  writableLength = 0;
  ended = false;
  destroyed = false;
  flushed = false;

  writeHead(): this {
    return this;
  }

  write(line: string): void {
    this.told.push(JSON.parse(line));
  }

  flushHeaders(): void {
    this.flushed = true;
  }

  end(): void {
    this.ended = true;
    this.emit('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const map = (name: string, labels: RawObject = {}): RawObject => ({ kind: 'ConfigMap', metadata: { name, labels } });
const change = (type: JournalEvent['type'], object: RawObject, old?: RawObject): JournalEvent => ({
  type,
  version: 8,
  object,
  old,
});

/** A watch of maps, of which there are a and b; version 7 is the newest. */
function watching(query: string, as: 'object' | 'metadata' = 'object', missed?: readonly JournalEvent[]) {
  const clock = new ManualClock(0);
  const response = new FakeResponse();
  const followers = new Set<(event: JournalEvent) => void>();
  const journal = {
    newest: 7,
    list: () => [map('a', { x: '1' }), map('b')],
    since: () => missed,
    follow: (_kind: string, follower: (event: JournalEvent) => void) => {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
  watch(
    resourceAt('/api/v1/configmaps')!,
    { as, version: 'v1' },
    new URLSearchParams(query),
    response as unknown as ServerResponse,
    { journal, clock, reader: {} } as unknown as WatchHost,
  );
  return {
    clock,
    response,
    followers,
    told: () =>
      response.told.map(({ type, object }) => `${type} ${object.metadata.name ?? object.metadata.resourceVersion}`),
    tell: (event: JournalEvent) => followers.forEach((follower) => follower(event)),
  };
}

describe('a watch', () => {
  it.each([
    { name: 'from the beginning', query: '', want: ['ADDED a', 'ADDED b'] },
    { name: 'from version 0', query: 'resourceVersion=0', want: ['ADDED a', 'ADDED b'] },
    { name: 'of a selection', query: 'labelSelector=x%3D1', want: ['ADDED a'] },
    { name: 'from a version', query: 'resourceVersion=6', want: ['MODIFIED a'] },
    {
      name: 'from a version, after all there is',
      query: 'resourceVersion=6&sendInitialEvents=true',
      want: ['ADDED a', 'ADDED b'],
    },
    {
      name: 'with a bookmark behind them',
      query: 'sendInitialEvents=true&allowWatchBookmarks=true',
      want: ['ADDED a', 'ADDED b', 'BOOKMARK 7'],
    },
    { name: 'with bookmarks later on', query: 'allowWatchBookmarks=true', want: ['ADDED a', 'ADDED b'] },
  ])('begins $name', ({ query, want }) => {
    const { told, response } = watching(query, 'object', [change('MODIFIED', map('a'), map('a'))]);
    expect([told(), response.flushed, response.ended]).toEqual([want, true, false]);
  });

  it.each([
    { name: 'what comes', event: change('ADDED', map('c', { x: '1' })), want: 'ADDED' },
    { name: 'not what comes beside it', event: change('ADDED', map('c')), want: undefined },
    {
      name: 'what changes in it',
      event: change('MODIFIED', map('a', { x: '1' }), map('a', { x: '1' })),
      want: 'MODIFIED',
    },
    { name: 'what comes into it', event: change('MODIFIED', map('b', { x: '1' }), map('b')), want: 'ADDED' },
    { name: 'what leaves it', event: change('MODIFIED', map('a'), map('a', { x: '1' })), want: 'DELETED' },
    { name: 'what goes', event: change('DELETED', map('a', { x: '1' }), map('a', { x: '1' })), want: 'DELETED' },
    { name: 'not what goes beside it', event: change('DELETED', map('b'), map('b')), want: undefined },
  ])('of a selection tells $name', ({ event, want }) => {
    const { response, tell } = watching('labelSelector=x%3D1&resourceVersion=7', 'object', []);
    tell(event);
    expect(response.told.map(({ type }) => type)).toEqual(want === undefined ? [] : [want]);
  });

  it('of metadata has nothing else', () => {
    const { response } = watching('', 'metadata');
    expect(response.told[1]).toEqual({
      type: 'ADDED',
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'b', labels: {} } },
    });
  });

  it('from a version that is not known is refused before anything is written', () =>
    expect(() => watching('resourceVersion=3')).toThrow('too old resource version: 3 (7)'));

  it('tells the version once a minute where that is asked', () => {
    const { clock, told, response } = watching('resourceVersion=7&allowWatchBookmarks=true', 'object', []);
    clock.advance(59_999);
    expect(told()).toEqual([]);
    clock.advance(1);
    expect(response.told).toEqual([
      {
        type: 'BOOKMARK',
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '7', creationTimestamp: null } },
      },
    ]);
    clock.advance(120_000);
    expect(told()).toHaveLength(3);
    const other = watching('resourceVersion=7', 'object', []);
    other.clock.advance(120_000);
    expect(other.told()).toEqual([]);
  });

  it.each([
    { query: '', seconds: 3600 },
    { query: '&timeoutSeconds=30', seconds: 30 },
    { query: '&timeoutSeconds=9999', seconds: 3600 },
    { query: '&timeoutSeconds=x', seconds: 3600 },
  ])('ends after an hour, or what is asked: $seconds s$query', ({ query, seconds }) => {
    const { clock, response, followers } = watching(`resourceVersion=7${query}`, 'object', []);
    clock.advance(seconds * 1000 - 1);
    expect([response.ended, followers.size]).toEqual([false, 1]);
    clock.advance(1);
    expect([response.ended, response.told, followers.size, clock.pending]).toEqual([true, [], 0, 0]);
  });

  it('ends with a bookmark', () => {
    const { clock, told } = watching('resourceVersion=7&timeoutSeconds=5&allowWatchBookmarks=true', 'object', []);
    clock.advance(5000);
    expect([told(), clock.pending]).toEqual([['BOOKMARK 7'], 0]);
  });

  it.each([
    { unread: 16_777_216, ends: false },
    { unread: 16_777_217, ends: true },
  ])('of a client that leaves $unread bytes unread ends: $ends', ({ unread, ends }) => {
    const { response, followers, tell } = watching('resourceVersion=7', 'object', []);
    response.writableLength = unread;
    tell(change('ADDED', map('c')));
    expect([response.destroyed, followers.size]).toEqual([ends, ends ? 0 : 1]);
  });
});
