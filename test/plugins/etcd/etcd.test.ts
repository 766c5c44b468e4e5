import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { EtcdClient } from '../../../src/plugins/etcd/client.js';
import { nameOf, ofOneGroup, pathOf, readService, targetOf } from '../../../src/plugins/etcd/service.js';
import { etcd } from '../../../src/plugins/etcd/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';

interface Stored {
  value: unknown;
  lease?: string;
}

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

interface FakeOptions {
  leases?: Record<string, number>;
  password?: string;
  fails?: { status: number; body: string };
}

/** etcd's JSON API over keys in memory; what it cannot show, the test against a real one does. */
async function fakeEtcd(
  keys: Record<string, Stored | string>,
  options: FakeOptions = {},
): Promise<{ url: string; asked: string[]; close: () => void }> {
  const asked: string[] = [];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const answer = (path: string, body: Record<string, string>): unknown => {
    if (path === '/v3/auth/authenticate') return { token: `${body['name']}-${asked.length}` };
    if (path === '/v3/lease/timetolive') return { TTL: String(options.leases?.[body['ID']!] ?? -1) };
    const [from, to] = [body['key'], body['range_end']].map((text) => text && Buffer.from(text, 'base64').toString());
    const found = Object.entries(keys).filter(([key]) => (to ? key >= from! && key < to : key === from));
    return {
      kvs: found.map(([key, stored]) => {
        const { value, lease } = typeof stored === 'string' ? { value: stored, lease: undefined } : stored;
        return {
          key: base64(key),
          value: base64(typeof value === 'string' ? value : JSON.stringify(value)),
          ...(lease && { lease }),
        };
      }),
      count: String(found.length),
    };
  };
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      asked.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
      const unknown =
        options.password !== undefined &&
        request.url !== '/v3/auth/authenticate' &&
        !request.headers.authorization?.endsWith('-3');
      if (options.fails !== undefined || unknown) {
        const { status, body } = options.fails ?? { status: 401, body: '{"error":"invalid auth token"}' };
        response.writeHead(status).end(body);
      } else response.end(JSON.stringify(answer(request.url!, JSON.parse(text) as Record<string, string>)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  cleanups.push(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close };
}

const ZONE = 'skydns.test.';
const K = '/skydns/test/skydns';
const SOA = `${ZONE} 30 IN SOA ns.dns.${ZONE} hostmaster.${ZONE} 1753833600 7200 1800 86400 30`;
const a = (host: string, more: object = {}): object => ({ host, ttl: 60, ...more });

interface AskOptions {
  text?: string;
  server?: FakeOptions;
  /** What the server itself says, by name and type. */
  answers?: Record<string, Reply> | undefined;
}

async function ask(
  keys: Record<string, Stored | string | object>,
  qname: string,
  type = 'A',
  { text = '', server = {}, answers = {} }: AskOptions = {},
): Promise<unknown> {
  const stored = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      `${K}${key}`,
      typeof value === 'string' || 'value' in value ? value : { value },
    ]),
  );
  const { url } = await fakeEtcd(stored, server);
  const own = (asked: Query): Outcome => answers[`${asked.name} ${asked.typeName}`] ?? Reply.failure(2);
  const { ask: chain } = setup(etcd, `etcd {\nendpoint ${url}\n${text}\n}`, { zones: [ZONE], ask: own });
  return summary(await chain(query(qname, type), () => reply({ rcode: 5 })));
}

const yes = (...answer: string[]): object => ({ rcode: 'NOERROR', flags: 'aa', answer });
const NODATA = { rcode: 'NOERROR', flags: 'aa', authority: [SOA] };
const NXDOMAIN = { rcode: 'NXDOMAIN', flags: 'aa', authority: [SOA] };

describe('answers', () => {
  it.each<{ name: string; keys: Record<string, object | string>; qname: string; type?: string; want: object; answers?: Record<string, Reply> }>([
    { name: 'an address', keys: { '/web': a('192.0.2.1') }, qname: 'Web.skydns.test.', want: yes('Web.skydns.test. 60 IN A 192.0.2.1') },
    {
      name: 'all below a name, each address once',
      keys: { '/web/a': a('192.0.2.1'), '/web/b/c': a('192.0.2.2'), '/web/d': a('192.0.2.1'), '/web/e': a('2001:db8::1') },
      qname: 'web.skydns.test.',
      want: yes('web.skydns.test. 60 IN A 192.0.2.1', 'web.skydns.test. 60 IN A 192.0.2.2'),
    },
    { name: 'not a name that begins alike', keys: { '/web2': a('192.0.2.1') }, qname: 'web.skydns.test.', want: NXDOMAIN },
    { name: 'an IPv6 address', keys: { '/web': a('2001:db8::1') }, qname: 'web.skydns.test.', type: 'AAAA', want: yes('web.skydns.test. 60 IN AAAA 2001:db8::1') },
    { name: 'no such type', keys: { '/web': a('192.0.2.1') }, qname: 'web.skydns.test.', type: 'AAAA', want: NODATA },
    { name: 'a type that is not kept', keys: { '/web': a('192.0.2.1') }, qname: 'web.skydns.test.', type: 'CAA', want: NODATA },
    { name: 'a type that is not kept, of no name', keys: {}, qname: 'web.skydns.test.', type: 'CAA', want: NXDOMAIN },
    { name: 'no TTL', keys: { '/web': { host: '192.0.2.1' } }, qname: 'web.skydns.test.', want: yes('web.skydns.test. 300 IN A 192.0.2.1') },
    { name: 'the zone itself', keys: { '/dns/apex/x': a('192.0.2.9'), '/web': a('192.0.2.1') }, qname: ZONE, want: yes(`${ZONE} 60 IN A 192.0.2.9`) },
    { name: 'the zone itself, by all below', keys: { '/x1': a('192.0.2.9') }, qname: ZONE, want: yes(`${ZONE} 60 IN A 192.0.2.9`) },
    { name: 'a label that may be any', keys: { '/east/web': a('192.0.2.1'), '/east/db': a('192.0.2.2'), '/west/web': a('192.0.2.3') }, qname: 'web.*.skydns.test.', want: yes('web.*.skydns.test. 60 IN A 192.0.2.1', 'web.*.skydns.test. 60 IN A 192.0.2.3') },
    {
      name: 'an alias in the zone',
      keys: { '/www': a('web.skydns.test'), '/web': a('192.0.2.1') },
      qname: 'www.skydns.test.',
      want: yes('www.skydns.test. 60 IN CNAME web.skydns.test.', 'web.skydns.test. 60 IN A 192.0.2.1'),
    },
    { name: 'an alias to nothing', keys: { '/www': a('web.skydns.test') }, qname: 'www.skydns.test.', want: NODATA },
    { name: 'aliases in a circle', keys: { '/a': a('b.skydns.test'), '/b': a('a.skydns.test') }, qname: 'a.skydns.test.', want: NODATA },
    { name: 'an alias to itself', keys: { '/a': a('a.skydns.test') }, qname: 'a.skydns.test.', want: NODATA },
    {
      name: 'an alias out of the zone',
      keys: { '/www': a('www.example.org') },
      answers: { 'www.example.org. A': reply({ answer: ['www.example.org. 5 IN A 192.0.2.7'] }) },
      qname: 'www.skydns.test.',
      want: yes('www.skydns.test. 60 IN CNAME www.example.org.', 'www.example.org. 5 IN A 192.0.2.7'),
    },
    { name: 'the alias itself', keys: { '/www': a('www.example.org') }, qname: 'www.skydns.test.', type: 'CNAME', want: yes('www.skydns.test. 60 IN CNAME www.example.org.') },
    { name: 'no alias', keys: { '/www': a('192.0.2.1') }, qname: 'www.skydns.test.', type: 'CNAME', want: NODATA },
    { name: 'a text', keys: { '/t/a': { text: 'one', ttl: 9 }, '/t/b': { text: 'one', ttl: 9 }, '/t/c': { text: 'two', ttl: 9 } }, qname: 't.skydns.test.', type: 'TXT', want: yes('t.skydns.test. 9 IN TXT "one"', 't.skydns.test. 9 IN TXT "two"') },
    {
      name: 'services, sharing their weight',
      keys: { '/s/a': a('192.0.2.1', { port: 80 }), '/s/b': a('192.0.2.2', { port: 81, weight: 300 }), '/s/c': a('x.skydns.test', { port: 82, priority: 20 }), '/x': a('192.0.2.9') },
      qname: 's.skydns.test.',
      type: 'SRV',
      want: {
        ...yes('s.skydns.test. 60 IN SRV 10 25 80 a.s.skydns.test.', 's.skydns.test. 60 IN SRV 10 75 81 b.s.skydns.test.', 's.skydns.test. 60 IN SRV 20 100 82 x.skydns.test.'),
        additional: ['a.s.skydns.test. 60 IN A 192.0.2.1', 'b.s.skydns.test. 60 IN A 192.0.2.2', 'x.skydns.test. 60 IN A 192.0.2.9'],
      },
    },
    {
      name: 'a service elsewhere',
      keys: { '/s': a('host.example.org', { port: 80 }) },
      answers: { 'host.example.org. A': reply({ answer: ['host.example.org. 5 IN A 192.0.2.7'] }), 'host.example.org. AAAA': reply({ answer: ['host.example.org. 5 IN AAAA 2001:db8::7'] }) },
      qname: 's.skydns.test.',
      type: 'SRV',
      want: { ...yes('s.skydns.test. 60 IN SRV 10 100 80 host.example.org.'), additional: ['host.example.org. 5 IN A 192.0.2.7', 'host.example.org. 5 IN AAAA 2001:db8::7'] },
    },
    {
      name: 'mail exchanges',
      keys: { '/m/a': a('192.0.2.1', { mail: true, priority: 5 }), '/m/b': a('192.0.2.2') },
      qname: 'm.skydns.test.',
      type: 'MX',
      want: { ...yes('m.skydns.test. 60 IN MX 5 a.m.skydns.test.'), additional: ['a.m.skydns.test. 60 IN A 192.0.2.1'] },
    },
    {
      name: 'name servers',
      keys: { '/dns/ns/a': a('192.0.2.1'), '/dns/ns/b': a('2001:db8::2') },
      qname: ZONE,
      type: 'NS',
      want: { ...yes(`${ZONE} 60 IN NS a.ns.dns.${ZONE}`, `${ZONE} 60 IN NS b.ns.dns.${ZONE}`), additional: [`a.ns.dns.${ZONE} 60 IN A 192.0.2.1`, `b.ns.dns.${ZONE} 60 IN AAAA 2001:db8::2`] },
    },
    { name: 'the SOA record', keys: {}, qname: ZONE, type: 'SOA', want: yes(SOA) },
    { name: 'a group', keys: { '/g': a('192.0.2.1', { group: 'g1' }), '/g/a': a('192.0.2.2', { group: 'g1' }), '/g/b': a('192.0.2.3', { group: 'g2' }), '/g/c': a('192.0.2.4') }, qname: 'g.skydns.test.', want: yes('g.skydns.test. 60 IN A 192.0.2.2', 'g.skydns.test. 60 IN A 192.0.2.3', 'g.skydns.test. 60 IN A 192.0.2.4') },
    { name: 'another zone', keys: {}, qname: 'example.org.', want: { rcode: 'REFUSED', flags: 'ra' } },
  ])('$name', async ({ keys, qname, type, want, answers }) => expect(await ask(keys, qname, type, { answers })).toEqual(want)); // prettier-ignore

  it.each([
    { lease: 120, ttl: 0, want: 120 },
    { lease: 120, ttl: 60, want: 60 },
    { lease: 5, ttl: 0, want: 40 },
    { lease: 5000, ttl: 0, want: 1000 },
    { lease: -1, ttl: 0, want: 300 },
    { lease: -1, ttl: 1, want: 1 },
  ])('a lease of $lease and a TTL of $ttl: $want', async ({ lease, ttl, want }) => {
    const keys = { '/web': { value: { host: '192.0.2.1', ttl }, lease: '77' } };
    const options = { text: 'min-lease-ttl 40\nmax-lease-ttl 1000s', server: { leases: { 77: lease } } };
    expect(await ask(keys, 'web.skydns.test.', 'A', options)).toEqual(yes(`web.skydns.test. ${want} IN A 192.0.2.1`));
  });

  it('asks the next plugin for names that do not exist, if told to', async () =>
    expect(await ask({}, 'web.skydns.test.', 'A', { text: 'fallthrough' })).toEqual({ rcode: 'REFUSED', flags: 'ra' }));

  it('fails where a message is none, and says which', async () => {
    const { url } = await fakeEtcd({ [`${K}/web`]: 'no JSON' });
    const outcome = await setup(etcd, `etcd {\nendpoint ${url}\n}`, { zones: [ZONE] }).ask(query('web.skydns.test.'));
    expect(outcome).toMatchObject({ rcode: 2, written: false });
    expect((outcome as Reply).cause!.message).toMatch(/^\/skydns\/test\/skydns\/web: Unexpected token/);
  });
});

it('has to be waited for', () => expect(setup(etcd, 'etcd').handlers[0]!.waits).toBe(true));

describe('etcd that is not there', () => {
  const failure = async (...urls: string[]): Promise<string> => {
    const { ask: chain } = setup(etcd, `etcd {\nendpoint ${urls.join(' ')}\n}`, { zones: [ZONE] });
    const outcome = (await chain(query('web.skydns.test.'))) as Reply;
    expect(outcome).toMatchObject({ rcode: 2, written: false });
    return outcome.cause!.message;
  };

  it('fails with what the system says', async () =>
    expect(await failure('http://127.0.0.1:1')).toBe('http://127.0.0.1:1/: connect ECONNREFUSED 127.0.0.1:1'));

  it.each([
    {
      fails: { status: 503, body: '{"error":"etcdserver: no leader","message":"etcdserver: no leader"}' },
      want: 'etcd /v3/kv/range: 503 etcdserver: no leader',
    },
    { fails: { status: 500, body: '' }, want: 'etcd /v3/kv/range: 500' },
    { fails: { status: 200, body: '<html>' }, want: 'an answer that is no JSON: <html>' },
  ])('fails with $want', async ({ fails, want }) =>
    expect(await failure((await fakeEtcd({}, { fails })).url)).toContain(want),
  );

  it('asks the next server', async () => {
    const { url, close } = await fakeEtcd({ [`${K}/web`]: '{"host":"192.0.2.1"}' });
    const { ask: chain } = setup(etcd, `etcd {\nendpoint http://127.0.0.1:1 ${url}\n}`, { zones: [ZONE] });
    expect(summary(await chain(query('web.skydns.test.')))).toMatchObject({ rcode: 'NOERROR' });
    close();
    expect(await chain(query('web.skydns.test.'))).toMatchObject({ rcode: 2 });
  });
});

describe('credentials', () => {
  it.each([
    { name: 'of the Corefile', text: 'credentials me secret', want: yes('web.skydns.test. 60 IN A 192.0.2.1') },
    { name: 'that it has not', text: '', want: { rcode: 'SERVFAIL', flags: '' } },
  ])('$name', async ({ text, want }) => {
    const keys = { '/web': a('192.0.2.1') };
    expect(await ask(keys, 'web.skydns.test.', 'A', { text, server: { password: 'secret' } })).toMatchObject(want);
  });

  it('that are wanted and not there are a failure', async () => {
    const { url, asked } = await fakeEtcd({ '/a': '{}' }, { password: 'secret' });
    const client = new EtcdClient([{ url: new URL(url) }], undefined);
    await expect(client.range('/a', false, 1000)).rejects.toThrow('401 invalid auth token');
    client.close();
    expect(asked).toEqual(['/v3/kv/range']);
  });

  it('are given at first and when they are no longer taken', async () => {
    const { url, asked } = await fakeEtcd({ '/a': '{}' }, { password: 'secret' });
    const client = new EtcdClient([{ url: new URL(url) }], { name: 'me', password: 'secret' });
    expect((await client.range('/a', false, 1000)).length).toBe(1);
    client.close();
    expect(asked).toEqual(['/v3/auth/authenticate', '/v3/kv/range me-1', '/v3/auth/authenticate', '/v3/kv/range me-3']);
  });
});

describe('messages', () => {
  it.each([
    { json: '{"host":"a","unknown":1,"Port":-1}', want: { host: 'a', port: -1, priority: 10 } },
    {
      json: '{"priority":3,"targetstrip":2,"group":"g","mail":true}',
      want: { priority: 3, targetStrip: 2, group: 'g', mail: true },
    },
    { json: '{"host":null}', want: { host: '' } },
  ])('$json', ({ json, want }) => expect(readService('/k', json)).toMatchObject(want));

  it.each([
    { json: '', error: '/k: Unexpected end of JSON input' },
    { json: '5', error: '/k: a message has to be a JSON object' },
    { json: 'null', error: '/k: a message has to be a JSON object' },
    { json: '[]', error: '/k: a message has to be a JSON object' },
    { json: '{"host":5}', error: '/k: host: got 5, allowed: a string' },
    { json: '{"ttl":-1}', error: '/k: ttl: got -1, allowed: a number' },
    { json: '{"port":"80"}', error: '/k: port: got "80", allowed: a number' },
    { json: '{"mail":"yes"}', error: '/k: mail: got "yes", allowed: a boolean' },
  ])('$json is refused', ({ json, error }) => expect(() => readService('/k', json)).toThrow(error));

  it('stand at the path of a name', () => {
    expect(pathOf('web.skydns.local.', 'skydns')).toBe('/skydns/local/skydns/web');
    expect(pathOf('.', '/a/b/')).toBe('/a/b');
    expect(nameOf('/skydns/local/skydns/web', 'skydns')).toBe('web.skydns.local.');
    expect(nameOf('/a/b/local/web', '/a/b')).toBe('web.local.');
  });

  it.each([
    { strip: 0, want: 'a.b.test.' },
    { strip: 1, want: 'b.test.' },
    { strip: 9, want: 'a.b.test.' },
  ])('lead to $want with $strip labels off', ({ strip, want }) =>
    expect(targetOf(readService('/skydns/test/b/a', `{"host":"192.0.2.1","targetstrip":${strip}}`), 'skydns')).toBe(
      want,
    ),
  );

  it('of one depth that disagree about the group are no group', () => {
    const services = ['/a/1', '/a/2'].map((key, i) => readService(key, `{"host":"x","group":"g${i}"}`));
    expect(ofOneGroup(services)).toEqual(services);
  });
});

describe('refused', () => {
  it.each([
    { name: 'a second one', text: 'etcd\netcd', error: '3: etcd: got it a second time' },
    {
      name: 'another option',
      text: 'etcd {\nfoo\n}',
      error: "3: etcd: unknown option 'foo'; allowed: fallthrough, path",
    },
    { name: 'no path', text: 'etcd {\npath\n}', error: '3: etcd: path: got no argument' },
    { name: 'no endpoint', text: 'etcd {\nendpoint\n}', error: '3: etcd: endpoint: got no argument' },
    { name: 'no URL', text: 'etcd {\nendpoint ftp://a\n}', error: "3: etcd: endpoint: got 'ftp://a', allowed: a URL" },
    {
      name: 'half a credential',
      text: 'etcd {\ncredentials me\n}',
      error: "3: etcd: credentials: got 1 argument ('me')",
    },
    { name: 'a missing file', text: 'etcd {\ntls /nosuch\n}', error: "3: etcd: tls: cannot read '/nosuch': ENOENT" },
    {
      name: 'a TTL that is none',
      text: 'etcd {\nmin-lease-ttl x\n}',
      error: "3: etcd: min-lease-ttl: got 'x', allowed: a dur",
    },
    {
      name: 'a TTL of more than 32 bits',
      text: 'etcd {\nmin-lease-ttl 4294967296\n}',
      error: "3: etcd: min-lease-ttl: got '4294967296s'",
    },
    { name: 'a negative TTL', text: 'etcd {\nmax-lease-ttl -5s\n}', error: "3: etcd: max-lease-ttl: got '-5s'" },
  ])('$name', ({ text, error }) => expect(() => setup(etcd, text)).toThrow(`Corefile:${error}`));

  it('takes the longest TTL that a record can have', () =>
    expect(setup(etcd, 'etcd {\nmax-lease-ttl 4294967295\n}').handlers).toHaveLength(1));

  it('takes what is of no effect any more', () =>
    expect(setup(etcd, 'etcd {\nstubzones\nupstream\ndebug\n}').handlers).toHaveLength(1));
});
