import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { EtcdClient, type KeyValue } from '../../../src/plugins/etcd/client.js';
import { ofOneGroup, readService, targetOf } from '../../../src/plugins/etcd/service.js';
import { ServiceStore } from '../../../src/plugins/etcd/store.js';
import { SkyAnswers } from '../../../src/plugins/etcd/answers.js';
import { etcd } from '../../../src/plugins/etcd/setup.js';
import { Type } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply, texts } from '../../support/dns.js';

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

const ZONE = 'skydns.test.';
const K = '/skydns/test/skydns';
const OPTIONS = { prefix: 'skydns', minLeaseTtl: 30, maxLeaseTtl: 1000 };

/** Keys below the zone, without a server. */
const store = (keys: Record<string, object>): ServiceStore =>
  new ServiceStore(
    {
      range: (key, prefix) =>
        Promise.resolve(
          Object.entries(keys)
            .map(([at, value]): KeyValue => ({ key: `${K}${at}`, value: JSON.stringify(value), lease: undefined }))
            .filter((each) => (prefix ? each.key.startsWith(key) : each.key === key)),
        ),
      timeToLive: () => Promise.resolve(0),
    },
    OPTIONS,
  );

interface Asked {
  readonly keys: Record<string, object>;
  readonly qname: string;
  readonly type: string;
  /** What the server itself says, by name and type. */
  readonly own?: Record<string, Reply>;
}

/** Both sections as text, and whether something is missing; undefined for no such name. */
async function found({ keys, qname, type, own = {} }: Asked): Promise<object | undefined> {
  const asked = query(qname, type);
  const chain = (of: Query): Outcome => own[`${of.name} ${of.typeName}`] ?? Reply.failure(2);
  const records = await new SkyAnswers(store(keys), 'skydns', ZONE, asked, chain, 1000).answer();
  if (records === undefined) return undefined;
  const { answer, additional, truncated } = records;
  return { answer: texts(answer), ...(additional.length > 0 && { additional: texts(additional) }), truncated };
}
const all = (...answer: string[]): object => ({ answer, truncated: false });
const long = 'x'.repeat(300);
/** Aliases from /a0 on, so many of them, to what is given. */
const aliases = (count: number, end: object): Record<string, object> =>
  Object.fromEntries(
    Array.from({ length: count + 1 }, (_, i) => [`/a${i}`, i < count ? { host: `a${i + 1}.skydns.test` } : end]),
  );
const TC = { flags: 0x200 };

describe('records from etcd', () => {
  it.each<Asked & { name: string; want: object | undefined }>([
    {
      name: 'a pointer, each name once',
      keys: { '/1': { host: 'a.test', ttl: 9 } },
      qname: '1.skydns.test.',
      type: 'PTR',
      want: all('1.skydns.test. 9 IN PTR a.test.'),
    },
    {
      name: 'no pointer to an address',
      keys: { '/1': { host: '192.0.2.1' } },
      qname: '1.skydns.test.',
      type: 'PTR',
      want: all(),
    },
    { name: 'no pointer of what is below', keys: { '/1/a': { host: 'a.test' } }, qname: '1.skydns.test.', type: 'PTR', want: undefined },
    { name: 'no alias of what is below', keys: { '/1/a': { host: 'a.test' } }, qname: '1.skydns.test.', type: 'CNAME', want: undefined },
    { name: 'no alias where there is a text alone', keys: { '/1': { text: 'a' } }, qname: '1.skydns.test.', type: 'CNAME', want: all() },
    {
      name: 'a text at the end of an alias',
      keys: { '/a': { host: 'b.skydns.test', ttl: 9 }, '/b': { text: 'here', ttl: 8 } },
      qname: 'a.skydns.test.',
      type: 'TXT',
      want: all('a.skydns.test. 9 IN CNAME b.skydns.test.', 'b.skydns.test. 8 IN TXT "here"'),
    },
    {
      name: 'a text elsewhere, of which a part is missing',
      keys: { '/a': { host: 'b.test', ttl: 9 } },
      qname: 'a.skydns.test.',
      type: 'TXT',
      own: { 'b.test. TXT': reply({ answer: ['b.test. 7 IN TXT "there"'], ...TC }) },
      want: { answer: ['a.skydns.test. 9 IN CNAME b.test.', 'b.test. 7 IN TXT "there"'], truncated: true },
    },
    {
      name: 'an address elsewhere, of which a part is missing',
      keys: { '/a': { host: 'b.test', ttl: 9 } },
      qname: 'a.skydns.test.',
      type: 'A',
      own: { 'b.test. A': reply({ answer: ['b.test. 7 IN A 192.0.2.1'], ...TC }) },
      want: { answer: ['a.skydns.test. 9 IN CNAME b.test.', 'b.test. 7 IN A 192.0.2.1'], truncated: true },
    },
    {
      name: 'no text of an address, whatever it says',
      keys: { '/a': { host: '192.0.2.1', text: 'x' } },
      qname: 'a.skydns.test.',
      type: 'TXT',
      want: all(),
    },
    {
      name: 'a long text in pieces',
      keys: { '/a': { text: long, ttl: 9 } },
      qname: 'a.skydns.test.',
      type: 'TXT',
      want: all(`a.skydns.test. 9 IN TXT "${long.slice(45)}" "${long.slice(255)}"`),
    },
    {
      name: 'a text that fills its piece',
      keys: { '/a': { text: long.slice(45), ttl: 9 } },
      qname: 'a.skydns.test.',
      type: 'TXT',
      want: all(`a.skydns.test. 9 IN TXT "${long.slice(45)}"`),
    },
    {
      name: 'a preference of two bytes',
      keys: { '/m': { host: 'x.test', mail: true, priority: 258, ttl: 9 } },
      qname: 'm.skydns.test.',
      type: 'MX',
      want: all('m.skydns.test. 9 IN MX 258 x.test.'),
    },
    {
      name: 'services without the one that has no port',
      keys: {
        '/s/a': { host: 'x.test', port: -1, ttl: 9 },
        '/s/b': { host: 'y.test', port: 300, ttl: 9 },
        '/s/c': { host: 'y.test', port: 300, ttl: 9 },
      },
      qname: 's.skydns.test.',
      type: 'SRV',
      want: all('s.skydns.test. 9 IN SRV 10 33 300 y.test.'),
    },
    {
      name: 'a service of hardly any weight',
      keys: { '/s/a': { host: 'x.test', weight: 1, ttl: 9 }, '/s/b': { host: 'y.test', weight: 999, ttl: 9 } },
      qname: 's.skydns.test.',
      type: 'SRV',
      want: all('s.skydns.test. 9 IN SRV 10 1 0 x.test.', 's.skydns.test. 9 IN SRV 10 99 0 y.test.'),
    },
    {
      name: 'a service elsewhere behind an alias',
      keys: { '/s': { host: 'x.test', port: 1, ttl: 9 } },
      qname: 's.skydns.test.',
      type: 'SRV',
      own: {
        'x.test. A': reply({ answer: ['x.test. 7 IN CNAME y.test.', 'y.test. 7 IN A 192.0.2.1'] }),
        'x.test. AAAA': reply({ answer: ['x.test. 7 IN CNAME y.test.', 'y.test. 7 IN AAAA 2001:db8::1'] }),
      },
      want: {
        ...all('s.skydns.test. 9 IN SRV 10 100 1 x.test.'),
        additional: ['x.test. 7 IN CNAME y.test.', 'y.test. 7 IN A 192.0.2.1', 'y.test. 7 IN AAAA 2001:db8::1'],
      },
    },
    { name: 'no name servers below the zone', keys: { '/dns/ns/a': { host: '192.0.2.1' } }, qname: 'dns.skydns.test.', type: 'NS', want: all() },
    { name: 'no name servers at all', keys: { '/a': { host: '192.0.2.1' } }, qname: ZONE, type: 'NS', want: undefined },
    {
      name: 'one name server with two addresses',
      keys: {
        '/dns/ns/x/a': { host: '192.0.2.1', ttl: 9, targetstrip: 1 },
        '/dns/ns/x/b': { host: '2001:db8::1', ttl: 8, targetstrip: 1 },
      },
      qname: ZONE,
      type: 'NS',
      want: {
        ...all(`${ZONE} 9 IN NS x.ns.dns.${ZONE}`),
        additional: [`x.ns.dns.${ZONE} 9 IN A 192.0.2.1`, `x.ns.dns.${ZONE} 8 IN AAAA 2001:db8::1`],
      },
    },
    {
      name: 'a label that may be any, by its word',
      keys: { '/east/web': { host: '192.0.2.1', ttl: 9 }, '/east': { host: '192.0.2.3' }, '/east/db': { host: '192.0.2.2' } },
      qname: 'web.any.skydns.test.',
      type: 'A',
      want: all('web.any.skydns.test. 9 IN A 192.0.2.1'),
    },
  ])('$name', async ({ name: _name, want, ...asked }) => expect(await found(asked)).toEqual(want)); // prettier-ignore

  it.each([
    { count: 11, type: 'A', end: { host: '192.0.2.1' } },
    { count: 11, type: 'TXT', end: { text: 'end' } },
  ])('follows $count aliases to $type, and no more', async ({ count, type, end }) => {
    const follow = async (of: number): Promise<number> => {
      const got = (await found({ keys: aliases(of, end), qname: 'a0.skydns.test.', type })) as { answer: string[] };
      return got.answer.length;
    };
    expect([await follow(count), await follow(count + 1)]).toEqual([count + 1, 0]);
  });

  it('says that a name server has to be an address', async () => {
    await expect(found({ keys: { '/dns/ns/a': { host: 'x.test' } }, qname: ZONE, type: 'NS' })).rejects.toThrow(
      'NS record must be an IP address: x.test',
    );
  });

  it('knows the root zone’s own addresses', async () => {
    const keys: Record<string, object> = { '/skydns/dns/apex': { host: '192.0.2.1', ttl: 9 } };
    const root = new ServiceStore(
      {
        range: (key) =>
          Promise.resolve(key in keys ? [{ key, value: JSON.stringify(keys[key]), lease: undefined }] : []),
        timeToLive: () => Promise.resolve(0),
      },
      OPTIONS,
    );
    const records = await new SkyAnswers(root, 'skydns', '.', query('.'), () => Reply.failure(2), 1000).answer();
    expect(texts(records!.answer)).toEqual(['. 9 IN A 192.0.2.1']);
  });
});

describe('what etcd is asked', () => {
  it.each([
    { ttl: '', want: 300 },
    { ttl: ',"TTL":"x"', want: 300 },
    { ttl: ',"TTL":"0"', want: 300 },
    { ttl: ',"TTL":"1"', want: 30 },
    { ttl: ',"TTL":"50"', want: 50 },
  ])('is how long a lease lasts: {"ID":"7"$ttl} makes $want s', async ({ ttl, want }) => {
    const kvs = [{ key: 'L2E=', value: Buffer.from('{"host":"192.0.2.1"}').toString('base64'), lease: '7' }];
    const server = http.createServer((request, response) =>
      response.end(request.url!.includes('lease') ? `{"ID":"7"${ttl}}` : JSON.stringify({ kvs })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new EtcdClient(
      [{ url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) }],
      undefined,
    );
    cleanups.push(() => (client.close(), server.closeAllConnections(), server.close()));
    const services = await new ServiceStore(client, OPTIONS).services('a.', Type.A, true, 1000);
    expect(services!.map((service) => service.ttl)).toEqual([want]);
  });

  const FILES = path.resolve(import.meta.dirname, '../tls/files');
  const file = (name: string): string => readFileSync(`${FILES}/${name}.pem`, 'utf8');
  const files = { cert: file('cert'), key: file('key') };
  it.each([
    { text: 'tls cert', asks: false, want: 'NOERROR' },
    { text: 'tls cert key cert', asks: true, want: 'NOERROR' },
    { text: 'tls cert', asks: true, want: undefined },
    { text: 'tls', asks: false, want: undefined },
    { text: 'tls cert key', asks: false, want: undefined },
  ])('over TLS with "$text", a certificate asked for: $asks', async ({ text, asks, want }) => {
    const more = asks ? { requestCert: true, ca: files.cert } : {};
    const kvs = [{ key: 'L2E=', value: Buffer.from('{"host":"192.0.2.1"}').toString('base64') }];
    const server = https.createServer({ ...files, ...more }, (_, response) => response.end(JSON.stringify({ kvs })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { block, ask } = setup(etcd, `etcd {\nendpoint ${url}\n${text}\n}`, { zones: [ZONE], files });
    cleanups.push(() => (server.closeAllConnections(), server.close()));
    const outcome = (await ask(query('web.skydns.test.'))) as Reply;
    expect(outcome.written ? 'NOERROR' : undefined).toBe(want);
    await block.run('stop');
  });
});

describe('a target', () => {
  it.each([
    { host: '192.0.2.1', strip: 2, want: 'test.' },
    { host: '192.0.2.1', strip: 3, want: 'a.b.test.' },
    { host: 'x.y.test', strip: 1, want: 'y.test.' },
  ])('of $host without $strip labels is $want', ({ host, strip, want }) =>
    expect(targetOf(readService('/skydns/test/b/a', JSON.stringify({ host, targetstrip: strip })), 'skydns')).toBe(
      want,
    ),
  );
});

describe('a group', () => {
  const services = (groups: Record<string, string>) =>
    Object.entries(groups).map(([key, group]) => readService(key, JSON.stringify({ host: 'x', group })));
  it.each<{ name: string; groups: Record<string, string>; want: string[] }>([
    { name: 'that the shortest key has', groups: { '/a': 'g', '/a/b': 'g', '/a/c': 'h', '/a/d': '' }, want: ['/a', '/a/b', '/a/d'] },
    { name: 'that the shortest keys have, or none', groups: { '/a': 'g', '/b': '', '/b/c': 'h' }, want: ['/a', '/b'] },
    { name: 'that the shortest key has not', groups: { '/a': '', '/a/b': 'g', '/a/c': 'h' }, want: ['/a', '/a/b', '/a/c'] },
    { name: 'that the shortest keys dispute', groups: { '/a': 'g', '/b': 'h', '/b/c': 'i' }, want: ['/a', '/b', '/b/c'] },
  ])('is the one $name', ({ groups, want }) =>
    expect(ofOneGroup(services(groups)).map(({ key }) => key)).toEqual(want)); // prettier-ignore
});
