import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import type { ApiSourceOptions } from '../../src/kube/api/source.js';
import { inClusterConnection } from '../../src/kube/auth/connection.js';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';
import { ALL_FIELDS } from '../../src/kube/objects/objects.js';
import { FakeApi } from '../support/fake-api.js';
import { TIMING, followApi, told, type FollowedApi } from '../support/followed-api.js';
import type { Manifest } from '../support/fake-api.js';
import { namespace, pod, service, slice, until } from '../support/kube.js';

const cleanup: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

const follow = (fake: FakeApi, options: Partial<ApiSourceOptions> = {}): FollowedApi => {
  const followed = followApi(fake, options);
  cleanup.push(() => followed.stop.abort());
  return followed;
};

async function api(
  objects: readonly Manifest[] = [namespace('default'), service('web'), slice('web', ['10.0.0.1'])],
): Promise<FakeApi> {
  const fake = await new FakeApi(objects).start();
  cleanup.push(() => fake.stop());
  return fake;
}

describe('list and watch', () => {
  it('fills the store and says when it has', async () => {
    const fake = await api();
    const { store, source } = follow(fake);
    expect(source.hasSynced).toBe(false);
    await source.synced;
    expect(source.hasSynced).toBe(true);
    expect(store.service('default', 'web')?.clusterIps).toEqual(['10.96.0.1']);
    expect(store.slicesOf('default', 'web')[0]?.endpoints[0]?.addresses).toEqual(['10.0.0.1']);
    expect(store.namespace('default')).toBeDefined();
    expect(store.count('Pod')).toBe(0);
  });

  it('takes lists compressed, and watches as they come', async () => {
    const fake = await api(Array.from({ length: 2000 }, (_, i) => service(`web-${i}`)));
    fake.compresses = true;
    const { store, source } = follow(fake);
    await source.synced;
    expect(store.count('Service')).toBe(2000);
    await until(() => fake.requests.some(({ purpose }) => purpose === 'watch'), 'a watch');
    for (const { purpose, headers } of fake.requests)
      expect(headers['accept-encoding']).toBe(purpose === 'list' ? 'gzip' : undefined);
  });

  it('takes no compressed list that breaks off for a whole one', async () => {
    const fake = await api();
    fake.compresses = fake.cutsCompressed = true;
    const { store, source, log } = follow(fake);
    await until(() => log.lines.some((line) => line.includes('unexpected end of file')), 'a warning');
    expect(source.hasSynced).toBe(false);
    fake.cutsCompressed = false;
    await source.synced;
    expect(store.count('Service')).toBe(1);
  });

  it('follows additions, changes and deletions', async () => {
    const fake = await api();
    const { store, changes, source } = follow(fake);
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    changes.length = 0;
    fake.apply(service('new', { clusterIPs: ['10.96.0.9'] }));
    fake.apply(service('web', { clusterIPs: ['10.96.0.2'] }));
    fake.delete('Service', 'default', 'new');
    await until(() => changes.length === 3, 'three changes');
    expect(told(changes)).toEqual(['added Service new', 'modified Service web', 'deleted Service new']);
    expect(store.servicesByIp('10.96.0.1')).toEqual([]);
    expect(store.servicesByIp('10.96.0.2').map((found) => found.name)).toEqual(['web']);
  });

  it('asks as the API wants to be asked', async () => {
    const fake = await api();
    const { source } = follow(fake, {
      kinds: ['Service', 'Pod'],
      labels: LabelSelector.parse('app in (a, b)'),
      runningPodsOnly: true,
      userAgent: 'test/1',
    });
    await source.synced;
    await until(() => fake.watching('Pod') === 1, 'a watch');
    const of = (kind: string, purpose: string) =>
      fake.requests.find((request) => request.kind === kind && request.purpose === purpose)!;
    expect(of('Service', 'list').query).toEqual({ labelSelector: 'app in (a, b)', limit: '500', resourceVersion: '0' });
    expect(of('Pod', 'list').query['fieldSelector']).toBe(
      'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown',
    );
    expect(of('Service', 'list').headers).toMatchObject({
      accept: 'application/vnd.kubernetes.protobuf,application/json',
      'user-agent': 'test/1',
    });
    const watch = of('Service', 'watch').query;
    expect(watch).toMatchObject({
      labelSelector: 'app in (a, b)',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '103',
    });
    expect(Number(watch['timeoutSeconds'])).toBeGreaterThanOrEqual(60);
    expect(Number(watch['timeoutSeconds'])).toBeLessThanOrEqual(120);
  });

  it('selects each kind as the API can', async () => {
    const fake = await api([]);
    const kinds = ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'Node', 'ServiceImport'] as const;
    const queries = async (options: Partial<ApiSourceOptions>): Promise<Record<string, unknown>> => {
      fake.requests.length = 0;
      const { source, stop } = follow(fake, { kinds, ...options });
      await source.synced;
      stop.abort();
      const chosen = fake.requests.filter(({ purpose }) => purpose === 'list');
      return Object.fromEntries(
        chosen.map(({ kind, query: { labelSelector, fieldSelector } }) => [
          kind,
          [labelSelector, fieldSelector].join(),
        ]),
      );
    };
    const [labels, namespaceLabels] = ['a=b', 'c=d'].map((text) => LabelSelector.parse(text));
    expect(await queries({ labels: labels!, namespaceLabels: namespaceLabels!, node: 'n1' })).toEqual({
      Namespace: 'c=d,',
      Service: 'a=b,',
      EndpointSlice: 'a=b,',
      Pod: 'a=b,spec.nodeName=n1',
      Node: ',',
      ServiceImport: 'c=d,',
    });
    expect(await queries({ labels: LabelSelector.parse('') })).toEqual(
      Object.fromEntries(kinds.map((kind) => [kind, ','])),
    );
  });

  it('forgets what is deleted, and what is no longer what it was, of every kind', async () => {
    const node = { kind: 'Node', metadata: { name: 'n' } };
    const fake = await api([namespace('default'), namespace('gone'), service('web'), service('odd'), node]);
    const { store, source, changes } = follow(fake, { kinds: ['Namespace', 'Service', 'Node'] });
    await source.synced;
    await until(() => fake.watching('Node') === 1 && fake.watching('Namespace') === 1, 'the watches');
    await until(() => fake.watching('Service') === 1, 'the last watch');
    changes.length = 0;
    fake.delete('Namespace', '', 'gone');
    fake.delete('Node', '', 'n');
    fake.delete('Service', 'default', 'web');
    fake.apply(service('odd', { type: 'Odd' }));
    await until(() => changes.length === 4, 'four changes');
    expect(told(changes).sort()).toEqual([
      'deleted Namespace gone',
      'deleted Node n',
      'deleted Service odd',
      'deleted Service web',
    ]);
    expect(store.count('Service')).toBe(0);
  });

  it('keeps only the namespaces asked for', async () => {
    const fake = await api([
      namespace('default'),
      namespace('other'),
      service('web'),
      service('web', {}, { namespace: 'other' }),
    ]);
    const { store, source } = follow(fake, { namespaces: new Set(['other']) });
    await source.synced;
    expect([...store.all('Service')].map((found) => found.namespace)).toEqual(['other']);
    expect([...store.all('Namespace')].map((found) => found.name)).toEqual(['other']);
  });

  it('counts a list once against the limits, however many pages it has', async () => {
    const fake = await api(Array.from({ length: 1200 }, (_, i) => service(`s${i}`)));
    fake.cachedListsIgnoreLimit = false;
    const { source, requests } = follow(fake, { kinds: ['Service'], limits: { qps: 0.001, burst: 1 } });
    await source.synced;
    expect(requests.filter(({ purpose }) => purpose === 'list')).toHaveLength(3);
  });

  it('reads a list in pages and deletes nothing before the last', async () => {
    const many = Array.from({ length: 1201 }, (_, i) =>
      service(`s${i}`, { clusterIPs: [`10.96.${i >> 8}.${i & 255}`] }),
    );
    const fake = await api(many);
    fake.cachedListsIgnoreLimit = false;
    const { store, source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    expect(store.count('Service')).toBe(1201);
    expect(fake.count('list', 'Service')).toBe(3);
  });

  it('carries on from a bookmark', async () => {
    const fake = await api();
    const { source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.bookmark('Service');
    fake.endWatches();
    await until(() => fake.count('watch', 'Service') === 2, 'a second watch');
    expect(fake.requests.at(-1)?.query['resourceVersion']).toBe('104');
    expect(fake.count('list', 'Service')).toBe(1);
  });

  it('tells when the event behind a slice happened', async () => {
    const fake = await api([
      slice('web', ['10.0.0.1'], {
        metadata: {
          name: 'web-a',
          namespace: 'default',
          labels: {},
          annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2025-07-30T05:41:20.5Z' },
        },
      }),
    ]);
    const { changes, source } = follow(fake);
    await source.synced;
    expect(changes[0]?.triggeredAt).toBe(Date.UTC(2025, 6, 30, 5, 41, 20, 500));
  });

  it('reports each request', async () => {
    const fake = await api();
    fake.fail({ status: 503 }, { kind: 'Service', purpose: 'list' });
    fake.fail({ cut: true }, { kind: 'Service', purpose: 'list' });
    const { requests, source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => requests.at(-1)?.purpose === 'watch' && requests.length === 6, 'the watch');
    expect(requests.map(({ purpose, code }) => `${purpose} ${code}`)).toEqual([
      'watch 422',
      'list 503',
      'list <error>',
      // Another API may be there when its connection was lost.
      'watch 422',
      'list 200',
      'watch 200',
    ]);
    expect(requests[1]).toMatchObject({ method: 'GET', host: new URL(fake.url).host });
    expect(requests[1]!.limiterWait).toBeGreaterThanOrEqual(0);
    expect(requests[5]!.limiterWait).toBeUndefined();
  });

  it('stops when told to', async () => {
    const fake = await api();
    const { store, source, stop, log } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    stop.abort();
    await until(() => fake.watching('Service') === 0, 'the watch to end');
    fake.apply(service('late'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(store.service('default', 'late')).toBeUndefined();
    expect(fake.requests.map(({ purpose }) => purpose)).toEqual(['stream', 'list', 'watch']);
    expect(log.at('warning')).toEqual([]);
  });
});

describe('bad weather', () => {
  it('waits for an API that is down at the start', async () => {
    const fake = await api();
    await fake.stop();
    const { store, source, log } = follow(fake);
    await until(() => log.at('warning').length >= 3, 'three warnings');
    expect(source.hasSynced).toBe(false);
    expect(log.at('warning')[0]).toMatch(
      /^cannot follow \w+ objects at 127\.0\.0\.1:\d+: connect ECONNREFUSED .*; next attempt in \d+ ms$/,
    );
    await fake.start();
    await source.synced;
    expect(store.service('default', 'web')).toBeDefined();
    expect(log.at('info').some((line) => /^following Service objects at .* again$/.test(line))).toBe(true);
  });

  it('keeps what it knew while the API is away, and learns what it missed', async () => {
    const fake = await api();
    const { store, changes, source } = follow(fake);
    await source.synced;
    await until(() => fake.watching('Service') === 1 && fake.watching('EndpointSlice') === 1, 'watches');
    await fake.stop();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(store.service('default', 'web')).toBeDefined();
    fake.apply(service('web', { clusterIPs: ['10.96.0.77'] }));
    fake.apply(service('fresh'));
    fake.delete('EndpointSlice', 'default', 'web-a');
    changes.length = 0;
    await fake.start();
    await until(() => changes.length === 3, 'what was missed');
    expect(told(changes).sort()).toEqual([
      'added Service fresh',
      'deleted EndpointSlice web-a',
      'modified Service web',
    ]);
  });

  it('goes on with a watch after a time away, tries again soon and tells of it once', async () => {
    const fake = await api();
    const { store, source, log } = follow(fake, {
      kinds: ['Service'],
    });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    await fake.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    fake.apply(service('meanwhile'));
    await fake.start();
    await until(() => store.service('default', 'meanwhile') !== undefined, 'the service');
    expect(fake.count('list', 'Service')).toBe(1);
    expect(log.at('warning').filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
  });

  it('a failure after a watch that delivered waits no longer than the first', async () => {
    const fake = await api();
    const { source, log } = follow(fake, {
      kinds: ['Service'],
      random: { uint32: () => 0 },
      timing: { ...TIMING, backoff: { min: 5, max: 5000, reset: 60_000 } },
    });
    await source.synced;
    for (let i = 1; i <= 5; i++) {
      await until(() => fake.watching('Service') === 1, 'a watch');
      fake.apply(service(`s${i}`));
      await until(() => fake.watching('Service') === 1, 'still a watch');
      fake.fail({ status: 500 }, { purpose: 'watch' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      fake.endWatches();
      await until(() => log.at('warning').length === i, 'a failure');
    }
    expect(log.at('warning').map((line) => /in (\d+) ms/.exec(line)?.[1])).toEqual(['5', '5', '5', '5', '5']);
  });

  it('goes on with a watch after 401, from the version reached', async () => {
    const fake = await api();
    const { store, source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.fail({ status: 401 }, { purpose: 'watch' });
    fake.endWatches();
    fake.apply(service('meanwhile'));
    await until(() => store.service('default', 'meanwhile') !== undefined, 'the service');
    expect(fake.count('list', 'Service')).toBe(1);
  });

  it('goes on with the same version when only the connection broke', async () => {
    const fake = await api();
    const { store, source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.endWatches({ cut: true });
    fake.apply(service('meanwhile'));
    await until(() => store.service('default', 'meanwhile') !== undefined, 'the service');
    expect(fake.count('list', 'Service')).toBe(1);
  });

  it.each([
    { name: 'as an event of the watch', status: false },
    { name: 'as the status of the watch', status: true },
  ])('lists anew after 410 $name, and tells only the difference', async ({ status }) => {
    const fake = await api([service('same'), service('changed'), service('gone')]);
    const { changes, source, log } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    changes.length = 0;
    await fake.stop();
    fake.apply(service('changed', { ports: [] }));
    fake.delete('Service', 'default', 'gone');
    fake.apply(service('new'));
    fake.compact();
    if (status)
      fake.fail(
        {
          status: 410,
          body: JSON.stringify({ kind: 'Status', reason: 'Expired', code: 410, message: 'too old resource version' }),
        },
        { purpose: 'watch' },
      );
    await fake.start();
    await until(() => changes.length === 3, 'the difference');
    expect(told(changes)).toEqual(['modified Service changed', 'added Service new', 'deleted Service gone']);
    const relist = fake.requests.filter((request) => request.purpose === 'list').at(-1)!;
    expect(
      relist.query['resourceVersion'] === undefined || relist.query['resourceVersionMatch'] === 'NotOlderThan',
    ).toBe(true);
    await until(() => fake.watching('Service') === 1, 'a new watch');
    expect(log.at('error')).toEqual([]);
  });

  it('begins again without pages when the pages outlive the history', async () => {
    const fake = await api(Array.from({ length: 501 }, (_, i) => service(`s${i}`)));
    fake.cachedListsIgnoreLimit = false;
    fake.fail(
      { status: 410, body: '{"kind":"Status","reason":"Expired","code":410,"message":"continue token too old"}' },
      { continued: true },
    );
    const { store, source, log } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    expect(store.count('Service')).toBe(501);
    expect(fake.requests.filter((request) => request.purpose === 'list').map(({ query }) => query)).toEqual([
      { limit: '500', resourceVersion: '0' },
      { limit: '500', continue: '500@601' },
      {},
    ]);
    expect(log.at('warning')).toEqual([]);
  });

  it('asks for the newest state when the API was set back in time', async () => {
    const fake = await api();
    fake.fail(
      {
        status: 504,
        body: '{"kind":"Status","reason":"Timeout","code":504,"message":"timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}]}}',
      },
      { purpose: 'watch' },
    );
    const { source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.count('list', 'Service') === 2, 'a new list');
    expect(fake.requests.filter((request) => request.purpose === 'list').at(-1)?.query).toEqual({ limit: '500' });
  });

  it('trusts only a list after several watches in a row have failed', async () => {
    const fake = await api();
    fake.fail({ cut: true }, { purpose: 'watch', times: 3 });
    const { source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    const asked = fake.requests.filter(({ purpose }) => purpose !== 'stream');
    expect(asked.map(({ purpose }) => purpose)).toEqual(['list', 'watch', 'watch', 'watch', 'list', 'watch']);
    // Not in pages: as a whole it comes from what the server has at hand.
    expect(asked[4]?.query).toEqual({ resourceVersion: '103', resourceVersionMatch: 'NotOlderThan' });
  });

  it('waits as long as Retry-After asks', async () => {
    const fake = await api();
    fake.fail(
      {
        status: 429,
        headers: { 'retry-after': '1' },
        body: '{"kind":"Status","reason":"TooManyRequests","message":"slow down","code":429}',
      },
      { purpose: 'list' },
    );
    const started = performance.now();
    const { source, log } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(log.at('warning')[0]).toContain('429 slow down');
  });

  it.each([
    {
      name: '500 on a list',
      fault: { status: 500, body: 'oops' },
      purpose: 'list',
      message: '500 Internal Server Error',
    },
    {
      name: '403 on a list',
      fault: { status: 403, body: '{"message":"services is forbidden"}' },
      purpose: 'list',
      message: '403 services is forbidden',
    },
    {
      name: 'a web page instead of a list',
      fault: { status: 200, body: '<html><body>{not a list}</body></html>' },
      purpose: 'list',
      message: 'is not valid JSON',
    },
    {
      name: 'another object instead of a list',
      fault: { status: 200, body: '{"kind":"Status","metadata":{}}' },
      purpose: 'list',
      message: 'the response is no list: kind "Status", resourceVersion undefined',
    },
    {
      name: 'half a list',
      fault: {
        status: 200,
        body: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"ha',
      },
      purpose: 'list',
      message: 'JSON',
    },
    {
      name: 'a list of broken items',
      fault: { status: 200, body: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":}]}' },
      purpose: 'list',
      message: 'JSON',
    },
    {
      name: 'a list that never comes',
      fault: { hang: true },
      purpose: 'list',
      message: 'nothing was received for 0.15 s',
    },
    { name: 'a connection that breaks', fault: { cut: true }, purpose: 'list', message: 'socket hang up' },
    { name: '500 on a watch', fault: { status: 500 }, purpose: 'watch', message: '500 Internal Server Error' },
    {
      name: 'a watch that never begins',
      fault: { hang: true },
      purpose: 'watch',
      message: 'nothing was received for 0.15 s',
    },
    {
      name: 'a watch of garbage',
      fault: { status: 200, body: 'garbage\n' },
      purpose: 'watch',
      message: 'is not valid JSON',
    },
    {
      name: 'an error as the first event',
      fault: { status: 200, body: '{"type":"ERROR","object":{"code":500,"message":"etcd is gone"}}\n' },
      purpose: 'watch',
      message: '500 etcd is gone',
    },
    {
      name: 'an event of an unknown type',
      fault: { status: 200, body: '{"type":"RENAMED","object":{}}\n' },
      purpose: 'watch',
      message: 'a watch event of type "RENAMED"',
    },
  ] as const)('survives $name', async ({ fault, purpose, message }) => {
    const fake = await api();
    fake.fail(fault, { purpose, times: 2 });
    const timing = 'hang' in fault ? { ...TIMING, listSilence: 150 } : TIMING;
    const { store, source, log } = follow(fake, { kinds: ['Service'], timing });
    await until(() => log.at('warning').length === 2, 'two warnings');
    expect(log.at('warning')[0]).toContain(message);
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.apply(service('after'));
    await until(() => store.service('default', 'after') !== undefined, 'a later change');
    expect(store.service('default', 'web')).toBeDefined();
  });

  it.each([
    { name: 'half an event', text: '{"type":"ADDED","object":{"kind":"Service","meta' },
    { name: 'garbage', text: '\u0000\u0001 not json\n' },
    { name: 'an event without an object', text: '{"type":"ADDED"}\n' },
    { name: 'an object without fields', text: '{"type":"ADDED","object":{}}\n' },
    {
      name: 'an object whose fields are all wrong',
      text: '{"type":"MODIFIED","object":{"metadata":{"name":7,"namespace":[]},"spec":"x"}}\n',
    },
    { name: 'a null', text: 'null\n' },
  ])('survives $name in the middle of a watch', async ({ text }) => {
    const fake = await api();
    const { store, source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.sendRaw('Service', text);
    await new Promise((resolve) => setTimeout(resolve, 10));
    fake.endWatches({ cut: true });
    fake.apply(service('after'));
    await until(() => store.service('default', 'after') !== undefined, 'a later change');
    expect(store.service('default', 'web')).toBeDefined();
    expect(store.count('Service')).toBe(2);
  });

  it('lists anew, from the version reached, after an error within a watch', async () => {
    const fake = await api();
    const { source } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.sendRaw('Service', '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is gone"}}\n');
    await until(() => fake.count('list', 'Service') === 2, 'a list');
    expect(fake.requests.at(3)?.query).toEqual({ resourceVersion: '103', resourceVersionMatch: 'NotOlderThan' });
  });

  it('lets a watch be silent for longer than a list', async () => {
    const fake = await api();
    const { source } = follow(fake, { kinds: ['Service'], timing: { ...TIMING, listSilence: 30 } });
    await source.synced;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(fake.count('watch', 'Service')).toBe(1);
  });

  it('follows all kinds when only one request may be under way', async () => {
    const fake = await api();
    const { source } = follow(fake, { limits: { qps: 1000, burst: 1000, maxInFlight: 1 } });
    await source.synced;
    await until(
      () => ['Namespace', 'Service', 'EndpointSlice'].every((kind) => fake.watching(kind) === 1),
      'all watches',
    );
  });

  it('gives up a watch that stays silent beyond its time', async () => {
    const fake = await api();
    const { source } = follow(fake, { kinds: ['Service'], timing: { ...TIMING, watch: 30, watchGrace: 20 } });
    await source.synced;
    await until(() => fake.count('watch', 'Service') >= 3, 'new watches');
    expect(fake.count('list', 'Service')).toBeLessThanOrEqual(fake.count('watch', 'Service'));
  });

  it('does not ask in a tight loop when every watch ends at once', async () => {
    const fake = await api();
    fake.fail({ status: 200, body: '' }, { purpose: 'watch', times: 1000 });
    const { source } = follow(fake, {
      kinds: ['Service'],
      timing: { ...TIMING, backoff: { min: 20, max: 40, reset: 10_000 } },
    });
    await source.synced;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(fake.count('watch', 'Service')).toBeLessThan(12);
  });

  it('is not ended by a listener that throws', async () => {
    const fake = await api();
    const { store, source, log } = follow(fake, { kinds: ['Service'] });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    let thrown = 0;
    store.changes.subscribe(() => {
      if (thrown++ === 0) throw new Error('listener failed');
    });
    fake.apply(service('one'));
    await until(() => log.at('warning').some((line) => line.includes('listener failed')), 'a warning');
    fake.apply(service('two'));
    await until(() => store.service('default', 'two') !== undefined, 'a later change');
  });
});

describe('odd objects', () => {
  it('handles a slice before its service, shared addresses and a change of type in place', async () => {
    const fake = await api([slice('late', ['10.0.0.5']), service('a', { clusterIPs: ['10.96.0.5'] })]);
    const { store, source } = follow(fake);
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    expect(store.slicesOf('default', 'late')).toHaveLength(1);
    fake.apply(service('late', { clusterIPs: ['10.96.0.5'] }));
    await until(() => store.servicesByIp('10.96.0.5').length === 2, 'the shared address');
    fake.apply({
      ...service('a'),
      spec: { type: 'ExternalName', externalName: 'www.example.org', clusterIP: '10.96.0.5' },
    });
    await until(() => store.service('default', 'a')?.type === 'ExternalName', 'the new type');
    expect(store.servicesByIp('10.96.0.5').map((found) => found.name)).toEqual(['late']);
    fake.apply(service('late', { type: 'Imaginary' }));
    await until(() => store.service('default', 'late') === undefined, 'the unusable service to go');
  });

  it('takes pods and nodes with everything when asked to', async () => {
    const fake = await api([
      pod('p', '10.0.0.9', { app: 'x' }),
      { kind: 'Node', metadata: { name: 'n' }, spec: { podCIDR: '10.0.0.0/24' } },
    ]);
    const { store, source } = follow(fake, { kinds: ['Pod', 'Node'], fields: ALL_FIELDS });
    await source.synced;
    expect(store.podsByIp('10.0.0.9')[0]).toMatchObject({
      name: 'p',
      ready: true,
      labels: { app: 'x' },
      node: 'node-1',
    });
    expect(store.node('n')?.podCidrs).toEqual(['10.0.0.0/24']);
  });
});

describe('credentials', () => {
  it('reads a rotated token again when the API refuses the old one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    cleanup.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'token'), 'first\n');
    writeFileSync(join(folder, 'ca.crt'), '');
    const fake = await api();
    fake.token = 'first';
    const inCluster = inClusterConnection({
      host: '127.0.0.1',
      port: new URL(fake.url).port,
      serviceAccount: folder,
      clock: realClock,
    });
    const { store, source } = follow(fake, {
      kinds: ['Service'],
      connection: {
        url: new URL(fake.url),
        credentials: () => inCluster.credentials(),
        refused: () => inCluster.refused(),
      },
    });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    fake.token = 'second';
    writeFileSync(join(folder, 'token'), 'second\n');
    fake.endWatches();
    fake.apply(service('after'));
    await until(() => store.service('default', 'after') !== undefined, 'a later change');
    expect(fake.requests.at(-1)?.headers.authorization).toBe('Bearer second');
  });
});
