import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { endpointConnection, type ApiCredentials, type TlsMaterial } from '../../src/kube/auth/connection.js';
import type { ApiSourceOptions } from '../../src/kube/api/source.js';
import { ALL_FIELDS } from '../../src/kube/objects/objects.js';
import { realClock } from '../../src/lib/clock.js';
import { FakeApi, type Manifest } from '../support/fake-api.js';
import { TIMING, followApi, told, type FollowedApi } from '../support/followed-api.js';
import { namespace, pod, service, slice, until } from '../support/kube.js';
import { protobufEvent, protobufFrame, protobufList, protobufObject } from '../support/kube-protobuf.js';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const TLS = join(import.meta.dirname, 'tls');
const pem = (name: string): string => readFileSync(join(TLS, `${name}.pem`), 'utf8');
const OBJECTS = [namespace('default'), service('web'), slice('web', ['10.0.0.1'])];

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

const follow = (fake: FakeApi, options: Partial<ApiSourceOptions> = {}): FollowedApi => {
  const followed = followApi(fake, options);
  cleanup.push(() => followed.stop.abort());
  return followed;
};

/** An API that has all that a new one has, but for TLS. */
async function modern(objects: readonly Manifest[] = OBJECTS): Promise<FakeApi> {
  const fake = await new FakeApi(objects).start();
  fake.protobuf = true;
  fake.streams = 'sent';
  cleanup.push(() => fake.stop());
  return fake;
}

const purposes = (fake: FakeApi, kind: string): string[] =>
  fake.requests.filter((request) => request.kind === kind).map(({ purpose }) => purpose);

const ONE: Partial<ApiSourceOptions> = { kinds: ['Service'] };

describe('a watch that begins with all there is', () => {
  it('fills the store, is asked for as the API wants it, and goes on', async () => {
    const fake = await modern();
    const { store, source, changes } = follow(fake);
    await source.synced;
    expect(store.service('default', 'web')?.clusterIps).toEqual(['10.96.0.1']);
    expect(store.slicesOf('default', 'web')[0]?.endpoints[0]?.addresses).toEqual(['10.0.0.1']);
    expect(store.namespace('default')).toBeDefined();
    changes.length = 0;
    fake.apply(service('new'));
    fake.delete('EndpointSlice', 'default', 'web-a');
    await until(() => changes.length === 2, 'two changes');
    expect(told(changes).sort()).toEqual(['added Service new', 'deleted EndpointSlice web-a']);
    expect(fake.requests).toHaveLength(3);
    const { query, headers } = fake.requests.find(({ kind }) => kind === 'Service')!;
    expect(query).toMatchObject({
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      resourceVersion: '0',
    });
    expect(headers.accept).toBe(`${PROTOBUF},application/json`);
  });

  it('is followed by a watch from the version that it ended with', async () => {
    const fake = await modern();
    const { store, source } = follow(fake, ONE);
    await source.synced;
    fake.endWatches();
    fake.apply(service('meanwhile'));
    await until(() => store.service('default', 'meanwhile') !== undefined, 'the service');
    expect(purposes(fake, 'Service')).toEqual(['stream', 'watch']);
    expect(fake.requests.at(-1)!.query['resourceVersion']).toBe('103');
  });

  it('replaces what is gone, after 410, in one request and with the difference alone', async () => {
    const fake = await modern([service('same'), service('changed'), service('gone')]);
    const { changes, source, log } = follow(fake, ONE);
    await source.synced;
    changes.length = 0;
    await fake.stop();
    fake.apply(service('changed', { ports: [] }));
    fake.delete('Service', 'default', 'gone');
    fake.apply(service('new'));
    fake.compact();
    await fake.start();
    await until(() => changes.length === 3, 'the difference');
    expect(told(changes)).toEqual(['modified Service changed', 'added Service new', 'deleted Service gone']);
    expect(purposes(fake, 'Service')).toEqual(['stream', 'watch', 'stream']);
    // The newest state: what a server has at hand may be older than what was seen.
    expect(fake.requests.at(-1)!.query).not.toHaveProperty('resourceVersion');
    expect(log.at('error')).toEqual([]);
  });

  it('is asked for soon after a version is gone, whatever failed before', async () => {
    const fake = await modern([service('a')]);
    const backoff = { min: 60_000, max: 60_000, reset: 60_000 };
    const { source, log, store } = follow(fake, { ...ONE, timing: { ...TIMING, backoff } });
    await source.synced;
    await fake.stop();
    fake.compact();
    fake.apply(service('b'));
    await fake.start();
    await until(() => store.service('default', 'b') !== undefined, 'the service');
    expect(log.at('debug').some((line) => line.includes('410'))).toBe(true);
  });

  it('deletes nothing before its end', async () => {
    const fake = await modern([service('a'), service('b')]);
    const { store, source } = follow(fake, ONE);
    await source.synced;
    await fake.stop();
    fake.compact();
    fake.delete('Service', 'default', 'b');
    fake.streams = 'ignored';
    await fake.start();
    await until(() => purposes(fake, 'Service').filter((purpose) => purpose === 'stream').length === 2, 'a stream');
    fake.apply(service('c'));
    await until(() => store.service('default', 'c') !== undefined, 'an event');
    expect(store.service('default', 'b')).toBeDefined();
    fake.bookmark('Service');
    fake.bookmark('Service', { 'k8s.io/initial-events-end': 'true' });
    await until(() => store.service('default', 'b') === undefined, 'the deletion');
    expect(purposes(fake, 'Service')).toEqual(['stream', 'watch', 'stream']);
  });

  it.each([
    { name: 'refuses it', streams: 'refused' },
    { name: 'never says that it was all', streams: 'ignored' },
  ] as const)('is a list where the API $name', async ({ streams }) => {
    const fake = await modern();
    fake.streams = streams;
    const { store, source, log } = follow(fake, { ...ONE, timing: { ...TIMING, initialSilence: 50 } });
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    expect(purposes(fake, 'Service')).toEqual(['stream', 'list', 'watch']);
    expect(store.count('Service')).toBe(1);
    expect(log.at('warning')).toEqual([]);
    // Nor is it asked for again.
    fake.sendRaw('Service', protobufEvent('ERROR', { kind: 'Status', code: 500, message: 'x' } as never));
    await until(() => fake.count('list', 'Service') === 2, 'another list');
    expect(fake.count('stream', 'Service')).toBe(1);
  });

  it('is a list where the API changes all the time and never says that it was all', async () => {
    const fake = await modern();
    fake.streams = 'ignored';
    const { source } = follow(fake, { ...ONE, timing: { ...TIMING, initial: 40 } });
    const changing = setInterval(() => fake.apply(service('web')), 5);
    cleanup.push(() => clearInterval(changing));
    await source.synced;
    expect(purposes(fake, 'Service').slice(0, 2)).toEqual(['stream', 'list']);
  });

  it('is asked for again when another API may be there', async () => {
    const fake = await modern();
    fake.streams = 'refused';
    const { source, store } = follow(fake, ONE);
    await source.synced;
    await until(() => fake.watching('Service') === 1, 'a watch');
    await fake.stop();
    fake.streams = 'sent';
    fake.compact();
    fake.apply(service('new'));
    await fake.start();
    await until(() => store.service('default', 'new') !== undefined, 'the service');
    expect(fake.count('stream', 'Service')).toBe(2);
    expect(fake.count('list', 'Service')).toBe(1);
  });
});

describe('protobuf', () => {
  it.each([
    { name: 'protobuf and JSON, streamed', protobuf: true, streams: 'sent' },
    { name: 'JSON only, streamed', protobuf: false, streams: 'sent' },
    { name: 'protobuf and JSON, listed', protobuf: true, streams: 'refused' },
    { name: 'JSON only, listed', protobuf: false, streams: 'refused' },
  ] as const)('makes the same of all kinds as JSON: $name', async ({ protobuf, streams }) => {
    const containers = [{ name: 'c', ports: [{ containerPort: 80 }] }];
    const dnsConfig = { searches: ['a.test'], options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }] };
    const fake = await modern([
      ...OBJECTS,
      pod('p', '10.0.0.9', { app: 'x' }, { spec: { containers, dnsPolicy: 'None', dnsConfig } }),
      { kind: 'Node', metadata: { name: 'n', labels: { zone: 'a' } }, spec: { podCIDR: '10.0.0.0/24' } },
      service('named', { ports: [{ name: 'a', port: 1, targetPort: 'x' }], selector: { a: 'b' } }),
      { kind: 'ServiceImport', metadata: { name: 'i', namespace: 'default' }, spec: { ips: ['10.1.0.1'] } },
    ]);
    Object.assign(fake, { protobuf, streams });
    const { store, source } = follow(fake, {
      kinds: ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'Node', 'ServiceImport'],
      fields: ALL_FIELDS,
    });
    await source.synced;
    expect(store.pod('default', 'p')).toMatchObject({ ips: ['10.0.0.9'], ready: true, labels: { app: 'x' } });
    expect(store.pod('default', 'p')?.ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }]);
    expect(store.pod('default', 'p')?.dns).toEqual({ policy: 'None', ...dnsConfig });
    expect(store.node('n')).toMatchObject({ podCidrs: ['10.0.0.0/24'], labels: { zone: 'a' } });
    expect(store.service('default', 'named')?.ports[0]).toMatchObject({ targetPort: 'x', port: 1 });
    expect(store.service('default', 'named')?.selector).toEqual({ a: 'b' });
    expect(store.get('ServiceImport', 'default', 'i')?.ips).toEqual(['10.1.0.1']);
    const accepted = fake.requests.map(({ kind, headers }) => [kind, headers.accept]);
    expect(accepted.find(([kind]) => kind === 'ServiceImport')![1]).toBe('application/json');
  });

  it.each([
    { name: '406', status: 406 },
    { name: '415', status: 415 },
  ])('is not asked for again after $name', async ({ status }) => {
    const fake = await modern();
    fake.fail({ status });
    const { source, log } = follow(fake, ONE);
    await source.synced;
    expect(fake.requests.map(({ headers }) => headers.accept)).toEqual([
      `${PROTOBUF},application/json`,
      'application/json',
    ]);
    expect(log.at('warning')).toEqual([]);
  });

  it('says why the API refuses', async () => {
    const fake = await modern();
    const body = protobufObject({ kind: 'Status', message: 'services is forbidden', code: 403 } as never);
    fake.fail({ status: 403, headers: { 'content-type': PROTOBUF }, body });
    const { source, log } = follow(fake, ONE);
    await source.synced;
    expect(log.at('warning')[0]).toContain('403 services is forbidden');
  });

  const frames = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
  const added = protobufEvent('ADDED', service('x'));
  it.each([
    { name: 'garbage', body: Buffer.from('garbage that is no frame'), message: 'larger than 8388608 bytes' },
    { name: 'a frame of gigabytes', body: Buffer.from([0xff, 0xff, 0xff, 0xff, 0]), message: 'larger than' },
    { name: 'a frame of garbage', body: protobufFrame(Buffer.from([0xff])), message: 'cut short' },
    { name: 'a frame that is empty', body: protobufFrame(Buffer.alloc(0)), message: 'a watch event of type ""' },
    {
      name: 'an object of an unknown kind',
      body: frames(added, protobufEvent('ADDED', { kind: 'Namespace', metadata: { name: 'x' } } as never)),
      message: 'got an object of kind "Namespace", asked for Service',
    },
    {
      name: 'an event of an unknown type',
      body: protobufEvent('RENAMED', service('x')),
      message: 'a watch event of type "RENAMED"',
    },
  ])('survives $name, and asks for JSON then', async ({ body, message }) => {
    const fake = await modern();
    const headers = { 'content-type': `${PROTOBUF};stream=watch` };
    fake.fail({ status: 200, headers, body }, { purpose: 'stream' });
    const { store, source, log } = follow(fake, ONE);
    await source.synced;
    expect(log.at('warning')[0]).toContain(message);
    expect(store.service('default', 'web')).toBeDefined();
    expect(store.count('Service')).toBe(1);
    expect(fake.requests.at(-1)!.headers.accept).toBe('application/json');
  });

  it('takes no list that is cut short for a whole one', async () => {
    const fake = await modern();
    fake.streams = 'refused';
    const list = protobufList('Service', { resourceVersion: '9' }, [service('a'), service('b')]);
    const headers = { 'content-type': PROTOBUF };
    fake.fail({ status: 200, headers, body: list.subarray(0, -40) }, { purpose: 'list' });
    const { source, log, store } = follow(fake, ONE);
    await source.synced;
    expect(log.at('warning')[0]).toContain('the list is cut short');
    expect(store.service('default', 'web')).toBeDefined();
  });

  it.each([
    { name: 'of blanks', type: 'application/json', body: Buffer.alloc(64 << 20, 0x20), message: 'without its items' },
    {
      name: 'of one item',
      type: 'application/json',
      body: Buffer.concat([Buffer.from('{"kind":"ServiceList","items":[{"a":"'), Buffer.alloc(64 << 20, 0x61)]),
      message: 'an item of the list is larger',
    },
    {
      name: 'of zeros in protobuf',
      type: PROTOBUF,
      body: Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(64 << 20)]),
      message: 'no field has the tag 0',
    },
  ])('ends a compressed bomb $name early', async ({ type, body, message }) => {
    const fake = await modern();
    fake.streams = 'refused';
    const headers = { 'content-type': type, 'content-encoding': 'gzip' };
    fake.fail({ status: 200, headers, body: gzipSync(body, { level: 1 }) }, { purpose: 'list' });
    const { source, log } = follow(fake, ONE);
    await source.synced;
    expect(log.at('warning')[0]).toContain(message);
  });
});

/** An API with TLS, which speaks HTTP/2 or does not. */
async function secureApi(speaks2: boolean): Promise<FakeApi> {
  const fake = new FakeApi(OBJECTS, { cert: pem('server'), key: pem('server-key') }, speaks2);
  Object.assign(fake, { protobuf: true, streams: 'sent' });
  cleanup.push(() => fake.stop());
  return fake.start();
}

/** The same, followed. */
async function secure(speaks2: boolean, options: Partial<ApiSourceOptions> = {}) {
  const fake = await secureApi(speaks2);
  const connection = endpointConnection({
    url: fake.url,
    tls: { cert: '', key: '', ca: join(TLS, 'ca.pem') },
    clock: realClock,
  });
  const followed = follow(fake, { connection, ...options });
  await followed.source.synced;
  return { fake, ...followed };
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

describe('HTTP/2', () => {
  it('has all kinds on one connection', async () => {
    const { fake, store } = await secure(true);
    expect(store.count('Service') + store.count('EndpointSlice') + store.count('Namespace')).toBe(3);
    expect(fake.requests.map(({ httpVersion }) => httpVersion)).toEqual(['2.0', '2.0', '2.0']);
    expect(fake.connections).toBe(1);
  });

  it('is HTTP/1.1 where the API speaks no other', async () => {
    const { fake, store } = await secure(false);
    expect(fake.requests.map(({ httpVersion }) => httpVersion)).toEqual(['1.1', '1.1', '1.1']);
    fake.apply(service('new'));
    await until(() => store.service('default', 'new') !== undefined, 'the service');
  });

  it('goes on on another connection when the API says that this one is going away', async () => {
    const { fake, store } = await secure(true, ONE);
    for (const session of fake.sessions) session.goaway(NGHTTP2_NO_ERROR);
    await until(() => fake.connections === 2 || fake.watching('Service') === 1, 'the watch goes on');
    fake.endWatches();
    fake.apply(service('new'));
    await until(() => store.service('default', 'new') !== undefined, 'the service');
    expect(fake.connections).toBe(2);
    expect(fake.count('stream', 'Service')).toBe(1);
  });

  it.each([
    {
      name: 'is ended with an error',
      end: (session: http2.ServerHttp2Session) => session.goaway(NGHTTP2_INTERNAL_ERROR),
    },
    { name: 'is destroyed', end: (session: http2.ServerHttp2Session) => session.destroy() },
  ])('goes on with the same version when the connection $name', async ({ end }) => {
    const { fake, store } = await secure(true, ONE);
    for (const session of fake.sessions) end(session);
    fake.apply(service('meanwhile'));
    await until(() => store.service('default', 'meanwhile') !== undefined, 'the service');
    expect(fake.count('stream', 'Service')).toBe(1);
  });

  it.each([
    { name: 'CANCEL', code: NGHTTP2_CANCEL },
    { name: 'INTERNAL_ERROR', code: NGHTTP2_INTERNAL_ERROR },
    { name: 'REFUSED_STREAM', code: NGHTTP2_REFUSED_STREAM },
    { name: 'NO_ERROR', code: NGHTTP2_NO_ERROR },
  ])('survives resets with $name, one after the other', async ({ code }) => {
    const { fake, store, source } = await secure(true, ONE);
    for (let i = 0; i < 20; i++) {
      await until(() => fake.watching('Service') === 1, 'a watch');
      fake.resetWatches(code);
    }
    fake.apply(service('after'));
    await until(() => store.service('default', 'after') !== undefined, 'the service');
    expect(fake.connections).toBe(1);
    expect(source.hasSynced).toBe(true);
  });

  it('takes no list that is reset for a whole one', async () => {
    const { fake, store, log } = await secure(true, ONE);
    fake.streams = 'refused';
    fake.resetsLists = NGHTTP2_CANCEL;
    fake.compact();
    fake.endWatches();
    await until(() => log.lines.some((line) => line.includes('the stream was reset with code 8')), 'a warning');
    expect(store.count('Service')).toBe(1);
    fake.resetsLists = undefined;
    fake.apply(service('after'));
    await until(() => store.service('default', 'after') !== undefined, 'the service');
  });

  it('refuses a certificate that nobody vouches for', async () => {
    const { fake, stop } = await secure(true, ONE);
    stop.abort();
    const { log, source } = follow(fake, {
      ...ONE,
      connection: endpointConnection({ url: fake.url, clock: realClock }),
    });
    await until(() => log.at('warning').length > 0, 'a warning');
    expect(log.at('warning')[0]).toMatch(/unable to verify|self.signed/);
    expect(source.hasSynced).toBe(false);
  });

  it('makes another connection when the credentials change; what is under way goes on', async () => {
    const fake = await secureApi(true);
    let tls: TlsMaterial = { ca: pem('ca') };
    const connection = { url: new URL(fake.url), refused: () => undefined };
    const credentials = (): Promise<ApiCredentials> => Promise.resolve({ headers: {}, tls });
    const { store, source } = follow(fake, {
      kinds: ['Service', 'Namespace'],
      connection: { ...connection, credentials },
    });
    await source.synced;
    tls = { ca: pem('ca'), cert: pem('client'), key: pem('client-key') };
    fake.endWatches({ only: 'Service' });
    await until(() => fake.watching('Service') === 1 && fake.connections === 2, 'a watch on a new connection');
    for (const made of [service('new'), namespace('new')]) fake.apply(made);
    await until(() => store.service('default', 'new') !== undefined && store.namespace('new') !== undefined, 'both');
    expect(purposes(fake, 'Namespace')).toEqual(['stream']);
  });
});
