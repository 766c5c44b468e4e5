import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Readiness, Reply } from '../../../src/chain/index.js';
import { nomad } from '../../../src/plugins/nomad/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { SERVER, query, reply, summary } from '../../support/dns.js';
import { Metrics } from '../../../src/metrics/metrics.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { Nomad } from '../../../src/plugins/nomad/handler.js';
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
  low: [{ Address: '192.0.2.1', Port: 0 }],
  high: [{ Address: '192.0.2.1', Port: 65535 }],
  negative: [{ Address: '192.0.2.1', Port: -1 }],
  tall: [{ Address: '192.0.2.1', Port: 65536 }],
  half: [{ Address: '192.0.2.1', Port: 1.5 }],
  nothing: [null],
  list: { no: 'list' },
};

interface Agent {
  url: string;
  asked: { path: string; headers: http.IncomingHttpHeaders }[];
  /** The status that it answers with from now on; undefined: it ends connections instead. */
  readonly answer: (status: number | undefined) => void;
  close(): void;
}

/** Nomad's API, as far as it is asked. */
async function agent(socket?: string): Promise<Agent> {
  const asked: Agent['asked'] = [];
  let status: number | undefined = 200;
  const server = http.createServer((request, response) => {
    asked.push({ path: request.url!, headers: request.headers });
    if (status === undefined) return void request.destroy();
    const url = new URL(request.url!, 'http://agent');
    const found = url.pathname === '/v1/agent/self' ? {} : SERVICES[url.pathname.replace('/v1/service/', '')];
    response.writeHead(found === undefined ? 404 : status).end(JSON.stringify(found ?? 'not found'));
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
  return { url, asked, answer: (now) => void (status = now), close };
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

  it.each([
    { service: 'low', port: 0 },
    { service: 'high', port: 65535 },
  ])('takes port $port', async ({ service, port }) => {
    const { url } = await agent();
    const name = `${service}.default.service.nomad.`;
    expect(summary(await setup(nomad, block(url)).ask(query(name, 'SRV')))).toMatchObject({
      answer: [`${name} 30 IN SRV 10 10 ${port} ${name}`],
    });
  });

  it('answers in the root zone', async () => {
    const { url } = await agent();
    const { ask } = setup(nomad, `nomad . {\naddress ${url}\n}`);
    expect(summary(await ask(query('redis.default.', 'AAAA')))).toMatchObject({
      answer: ['redis.default. 30 IN AAAA 2001:db8::1'],
    });
    expect(summary(await ask(query('empty.default.')))).toMatchObject({
      answer: ['empty.default. 30 IN SOA ns1.empty.default. hostmaster. 0 3600 600 86400 30'],
    });
  });

  it('names no server whose name would be too long', async () => {
    const { url } = await agent();
    // 253 characters: with `ns1.` there would be more than a name can have.
    const name = `${'a'.repeat(48)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.default.service.nomad.`;
    const { ask } = setup(nomad, block(url));
    const [answer] = (summary(await ask(query(name))) as { answer: string[] }).answer;
    expect(answer).toMatch(/ IN SOA (?!ns1)/);
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
    ...['broken', 'negative', 'tall', 'half', 'nothing'].map((service) => ({
      service,
      cause: 'got an instance without a usable address and port',
    })),
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

  it('fails where an agent answers with an error', async () => {
    const { url, answer } = await agent();
    answer(500);
    const outcome = (await setup(nomad, block(url)).ask(query('redis.default.service.nomad.'))) as Reply;
    expect(outcome.cause!.message).toContain('nomad /v1/service/redis?namespace=default: 500');
  });

  it('goes on with the agent that answered last', async () => {
    const [first, second] = [await agent(), await agent()];
    const { ask } = setup(nomad, block(`${first.url} ${second.url}`));
    const asked: number[][] = [];
    for (const [one, two] of [
      [200, 200],
      [undefined, 200],
      [200, 200],
      [200, undefined],
      [200, 200],
    ]) {
      first.answer(one);
      second.answer(two);
      expect(await ask(query('redis.default.service.nomad.'))).toMatchObject({ rcode: 0 });
      asked.push([first, second].map((each) => each.asked.splice(0).length));
    }
    expect(asked).toEqual([
      [1, 0],
      [1, 1],
      [0, 1],
      [1, 1],
      [1, 0],
    ]);
  });

  it('takes the token of the environment where none is said', async () => {
    const { url, asked } = await agent();
    const { ask } = setup(nomad, block(url), { env: { NOMAD_TOKEN: 'own' } });
    await ask(query('redis.default.service.nomad.'));
    expect(asked[0]!.headers['x-nomad-token']).toBe('own');
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

  it('is ready once it has answered', async () => {
    const { url } = await agent();
    const { ask, handlers } = setup(nomad, block(url));
    await ask(query('redis.default.service.nomad.'));
    expect((handlers[0] as unknown as Readiness).ready()).toBe(true);
  });

  it('looks every second whether an agent answers, until one does', async () => {
    const { url, asked, answer } = await agent();
    answer(500);
    const { block: own } = setup(nomad, block(url));
    await own.run('serving');
    for (const looks of [1, 2, 3]) {
      await vi.waitFor(() => expect(asked).toHaveLength(looks));
      own.clock.advance(999);
      if (looks === 3) answer(200);
      own.clock.advance(1);
    }
    await vi.waitFor(() => expect(own.clock.pending).toBe(0));
    expect(asked.map(({ path }) => path)).toEqual(Array(4).fill('/v1/agent/self'));
  });

  it('looks no more once the configuration has ended', async () => {
    const { block: own } = setup(nomad, block('http://127.0.0.1:1'));
    await own.run('serving');
    await own.run('stop');
    expect(own.clock.pending).toBe(0);
  });

  it.each([
    { name: 'five seconds', ends: undefined, timeout: 5000 },
    { name: 'what the query has left', ends: 1200, timeout: 1200 },
    { name: 'a moment where nothing is left', ends: 0, timeout: 1 },
  ])('gives Nomad $name', async ({ ends, timeout }) => {
    const clock = new ManualClock();
    const asked: unknown[] = [];
    const instances = (...args: unknown[]) => Promise.resolve((asked.push(args), []));
    const client = { instances, reachable: () => Promise.resolve(true) };
    const handler = new Nomad('service.nomad.', 30, client, new NomadMetrics(new Metrics()), clock);
    const question = query('redis.prod.service.nomad.', 'A', { received: clock.monotonic() });
    if (ends !== undefined) question.context.endsBy(clock.monotonic() + ends);
    await handler.handle(question, () => reply());
    expect(asked).toEqual([['redis', 'prod', timeout]]);
  });

  it('has to be waited for', () => expect(setup(nomad, 'nomad').handlers[0]!.waits).toBe(true));

  it('leaves other classes alone', async () => {
    const next = reply();
    const asked = query('redis.default.service.nomad.', 'A', { class: 3 });
    expect(await setup(nomad, 'nomad').ask(asked, () => next)).toBe(next);
  });

  it.each(['0', '3600'])('takes a TTL of %s', async (ttl) => {
    const { url } = await agent();
    expect(
      summary(await setup(nomad, block(url, `ttl ${ttl}`)).ask(query('redis.default.service.nomad.', 'AAAA'))),
    ).toMatchObject({ answer: [`redis.default.service.nomad. ${ttl} IN AAAA 2001:db8::1`] });
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
