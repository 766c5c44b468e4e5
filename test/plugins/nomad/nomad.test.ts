import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Readiness, Reply } from '../../../src/chain/index.js';
import { nomad } from '../../../src/plugins/nomad/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { SERVER, query, reply, summary } from '../../support/dns.js';
import { Metrics } from '../../../src/metrics/metrics.js';
import { NomadMetrics } from '../../../src/plugins/nomad/metrics.js';

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

const SERVICES: Record<string, unknown> = {
  redis: [
    { Address: '192.0.2.1', Port: 6379 },
    { Address: '192.0.2.2', Port: 6380 },
    { Address: '2001:db8::1', Port: 6379 },
  ],
  empty: [],
  odd: [{ Address: 'host.example.org', Port: 1 }],
  broken: [{ Address: '192.0.2.1' }],
  list: { no: 'list' },
};

interface Agent {
  url: string;
  asked: { path: string; headers: http.IncomingHttpHeaders }[];
  close(): void;
}

/** Nomad's API, as far as it is asked. */
async function agent(socket?: string): Promise<Agent> {
  const asked: Agent['asked'] = [];
  const server = http.createServer((request, response) => {
    asked.push({ path: request.url!, headers: request.headers });
    const url = new URL(request.url!, 'http://agent');
    const found = url.pathname === '/v1/agent/self' ? {} : SERVICES[url.pathname.replace('/v1/service/', '')];
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? 'not found'));
  });
  await new Promise<void>((resolve) =>
    socket === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(socket, resolve),
  );
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  cleanups.push(close);
  const url = socket === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${socket}`;
  return { url, asked, close };
}

const block = (url: string, ...lines: string[]): string => `nomad {\naddress ${url}\n${lines.join('\n')}\n}`;
const SOA = (name: string): string => `${name} 30 IN SOA ns1.${name} hostmaster.service.nomad. 0 3600 600 86400 30`;

describe('nomad', () => {
  it.each([
    {
      type: 'A',
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: ['Redis.default.service.nomad. 30 IN A 192.0.2.1', 'Redis.default.service.nomad. 30 IN A 192.0.2.2'],
      },
    },
    {
      type: 'AAAA',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['Redis.default.service.nomad. 30 IN AAAA 2001:db8::1'] },
    },
    {
      type: 'SRV',
      want: {
        rcode: 'NOERROR',
        flags: 'aa',
        answer: [
          'Redis.default.service.nomad. 30 IN SRV 10 10 6379 redis.default.service.nomad.',
          'Redis.default.service.nomad. 30 IN SRV 10 10 6380 redis.default.service.nomad.',
          'Redis.default.service.nomad. 30 IN SRV 10 10 6379 redis.default.service.nomad.',
        ],
        additional: [
          'redis.default.service.nomad. 30 IN A 192.0.2.1',
          'redis.default.service.nomad. 30 IN A 192.0.2.2',
          'redis.default.service.nomad. 30 IN AAAA 2001:db8::1',
        ],
      },
    },
    {
      type: 'TXT',
      want: { rcode: 'NXDOMAIN', flags: 'aa', answer: [SOA('redis.default.service.nomad.')] },
    },
  ])('answers $type', async ({ type, want }) => {
    const { url } = await agent();
    expect(summary(await setup(nomad, block(url)).ask(query('Redis.default.service.nomad.', type)))).toEqual(want);
  });

  it.each(['empty', 'nosuch'])('denies a service without instances: %s', async (service) => {
    const { url } = await agent();
    const name = `${service}.default.service.nomad.`;
    expect(summary(await setup(nomad, block(url)).ask(query(name)))).toEqual({
      rcode: 'NXDOMAIN',
      flags: 'aa',
      answer: [SOA(name)],
    });
  });

  it.each(['redis.service.nomad.', 'service.nomad.', 'redis.default.example.org.', 'myservice.nomad.'])(
    'passes %s',
    async (name) => {
      const { url, asked } = await agent();
      const next = reply();
      expect(await setup(nomad, block(url)).ask(query(name), () => next)).toBe(next);
      expect(asked).toEqual([]);
    },
  );

  it.each([
    { service: 'odd', cause: "nomad: got address 'host.example.org', allowed: an IPv4 or IPv6 address" },
    { service: 'broken', cause: 'got an instance without a usable address and port' },
    { service: 'list', cause: 'nomad /v1/service/list?namespace=default: 200' },
  ])('fails for what makes no sense: $service', async ({ service, cause }) => {
    const { url } = await agent();
    const outcome = (await setup(nomad, block(url)).ask(query(`${service}.default.service.nomad.`))) as Reply;
    expect(outcome).toMatchObject({ rcode: 2, written: false });
    expect(outcome.cause!.message).toContain(cause);
  });

  it('asks with namespace, filter, token, region and authentication', async () => {
    const { url, asked } = await agent();
    const env = { NOMAD_REGION: 'eu', NOMAD_HTTP_AUTH: 'me:secret', NOMAD_TOKEN: 'other' };
    const { ask } = setup(nomad, block(url, 'filter "Tags contains x"', 'token abc'), { env });
    await ask(query('redis.prod.service.nomad.'));
    expect(asked[0]!.path).toBe('/v1/service/redis?namespace=prod&region=eu&filter=Tags+contains+x');
    expect(asked[0]!.headers).toMatchObject({ 'x-nomad-token': 'abc', authorization: 'Basic bWU6c2VjcmV0' });
  });

  it('asks the next agent, fails without any, and answers when one is back', async () => {
    const first = await agent();
    const { ask } = setup(nomad, block(`http://127.0.0.1:1 ${first.url}`));
    expect(await ask(query('redis.default.service.nomad.'))).toMatchObject({ rcode: 0 });
    first.close();
    const outcome = (await ask(query('redis.default.service.nomad.'))) as Reply;
    expect(outcome).toMatchObject({ rcode: 2, written: false });
    expect(outcome.cause!.message).toMatch(/ECONNREFUSED|socket hang up/);
  });

  it('asks at a Unix socket', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-nomad-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const { url } = await agent(path.join(folder, 'api.sock'));
    expect(await setup(nomad, block(url)).ask(query('redis.default.service.nomad.'))).toMatchObject({ rcode: 0 });
  });

  it('takes zone, TTL and address from where they are said', async () => {
    const { url } = await agent();
    const options: TestBlockOptions = { env: { NOMAD_ADDR: url } };
    const { ask } = setup(nomad, 'nomad nomad.test {\nttl 5\n}', options);
    expect(summary(await ask(query('redis.default.nomad.test.', 'AAAA')))).toMatchObject({
      answer: ['redis.default.nomad.test. 5 IN AAAA 2001:db8::1'],
    });
  });

  it('counts by namespace', async () => {
    const { url } = await agent();
    const { ask, block: own } = setup(nomad, block(url));
    for (const name of ['redis.default', 'redis.prod', 'empty.prod']) await ask(query(`${name}.service.nomad.`));
    const lines = (await own.metrics.text()).split('\n').filter((line) => /^coredns_nomad_/.test(line));
    expect(lines).toEqual([
      `coredns_nomad_failed_requests_total{namespace="prod",server="${SERVER.label}"} 1`,
      `coredns_nomad_success_requests_total{namespace="default",server="${SERVER.label}"} 1`,
      `coredns_nomad_success_requests_total{namespace="prod",server="${SERVER.label}"} 1`,
    ]);
  });

  it('is ready once an agent has answered', async () => {
    const { url } = await agent();
    const ready = async (address: string): Promise<boolean> => {
      const made = setup(nomad, block(address));
      const handler = made.handlers[0] as unknown as Readiness & { look(): Promise<boolean> };
      expect(handler.ready()).toBe(false);
      await handler.look();
      return handler.ready();
    };
    expect(await ready(url)).toBe(true);
    expect(await ready('http://127.0.0.1:1')).toBe(false);
  });

  it.each([
    { name: 'a second one', text: 'nomad\nnomad', error: '3: nomad: got it a second time' },
    { name: 'two zones', text: 'nomad a b', error: "2: nomad: got 2 arguments ('a' 'b')" },
    { name: 'no address', text: 'nomad {\naddress\n}', error: '3: nomad: address: got no argument' },
    {
      name: 'no URL',
      text: 'nomad {\naddress 10.0.0.1\n}',
      error: "3: nomad: address: address: got '10.0.0.1', allowed: a URL",
    },
    {
      name: 'a socket without path',
      text: 'nomad {\naddress unix:///\n}',
      error: "3: nomad: address: address: got 'unix:///'",
    },
    { name: 'two filters', text: 'nomad {\nfilter a b\n}', error: "3: nomad: filter: got 2 arguments ('a' 'b')" },
    { name: 'no token', text: 'nomad {\ntoken\n}', error: '3: nomad: token: got no argument' },
    {
      name: 'too long a TTL',
      text: 'nomad {\nttl 3601\n}',
      error: "3: nomad: ttl: got '3601', allowed: whole seconds",
    },
    {
      name: 'another option',
      text: 'nomad {\nfoo\n}',
      error: "3: nomad: unknown option 'foo'; allowed: address, filter",
    },
  ])('refuses $name', ({ text, error }) => expect(() => setup(nomad, text)).toThrow(`Corefile:${error}`));

  it('refuses what the environment says and is not there', () => {
    expect(() => setup(nomad, 'nomad', { env: { NOMAD_CACERT: '/nosuch' } })).toThrow(
      "Corefile:2: nomad: cannot read '/nosuch' of NOMAD_CACERT: ENOENT",
    );
    expect(() => setup(nomad, 'nomad', { env: { NOMAD_ADDR: 'nowhere' } })).toThrow("2: nomad: address: got 'nowhere'");
  });
});

it('a thousand namespaces have series of their own, all further ones one', async () => {
  const metrics = new Metrics();
  const counts = new NomadMetrics(metrics);
  for (let i = 0; i < 1002; i++) counts.count('failed', SERVER, `n${i}`);
  counts.count('failed', SERVER, 'n999');
  const text = await metrics.text();
  const line = (namespace: string): string => `{namespace="${namespace}",server="${SERVER.label}"}`;
  for (const [namespace, count] of [
    ['n0', 1],
    ['n999', 2],
    ['other', 2],
  ] as const)
    expect(text).toContain(`coredns_nomad_failed_requests_total${line(namespace)} ${count}\n`);
  expect(text).not.toContain(line('n1000'));
});
