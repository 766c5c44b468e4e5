import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DROP, definePlugin, type Handler, type HttpRequest } from '../../../src/chain/index.js';
import type { LiveExplanation } from '../../../src/insight/explain/live.js';
import { explainAt, explainRoute } from '../../../src/insight/explain/route.js';
import { PLUGINS } from '../../../src/server/directives.js';
import type { ServerOptions } from '../../../src/server/server-options.js';
import { Server } from '../../../src/server/server.js';
import { Type, decodeMessage, type Message } from '../../../src/wire/index.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A server with a plugin `odd` that does what `handle` does. */
async function serverWith(
  corefile: string,
  handle: Handler['handle'] = () => DROP,
  options: Partial<ServerOptions> = {},
): Promise<Server> {
  const odd = definePlugin('odd', () => ({ name: 'odd', dependsOn: 'question', handle }));
  const server = await Server.create({ corefile, plugins: [odd, ...PLUGINS], ...options });
  ends.push(() => server.stop());
  return server;
}

const explain = (server: Server, name = 'a.example.'): Promise<LiveExplanation> =>
  explainAt(server, { name, type: Type.A, client: '192.0.2.7', transport: 'udp' });

async function silent(): Promise<string> {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  ends.push(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

describe('reasons', () => {
  it('dropped: which plugin leaves it unanswered', async () => {
    const { reasons, result } = await explain(await serverWith('. {\n odd\n}\n'));
    expect(result).toBeUndefined();
    expect(reasons).toEqual([{ code: 'dropped', text: 'odd (Corefile:2) leaves the query unanswered' }]);
  });

  it('fault: what it threw', async () => {
    const server = await serverWith('. {\n odd\n}\n', () => {
      throw new Error('it cannot be');
    });
    const { reasons, result } = await explain(server);
    expect(result).toBe('SERVFAIL');
    expect(reasons[0]).toMatchObject({ code: 'fault', text: 'a handler failed: it cannot be' });
  });

  it('overdue: no plugin came to an end', async () => {
    const server = await serverWith('. {\n odd\n}\n', () => new Promise(() => undefined), { queryTime: 50 });
    const { reasons, result } = await explain(server);
    expect(result).toBe('SERVFAIL');
    expect(reasons[0]?.code).toBe('overdue');
  });

  it('busy: as many queries as may are under way', async () => {
    const server = await serverWith(`. {\n forward . ${await silent()} {\n max_concurrent 1\n }\n}\n`);
    const [first, second] = [explain(server, 'a.example.'), await explain(server, 'b.example.')];
    expect(second.reasons[0]).toMatchObject({
      code: 'busy',
      text: 'forward: max_concurrent: 1 queries are under way',
    });
    await first;
  });

  it('down: all upstreams are down', async () => {
    const server = await serverWith(`. {\n forward . ${await silent()} {\n max_fails 1\n health_check 0.1s\n }\n}\n`);
    let { reasons } = await explain(server);
    for (let i = 0; !reasons.some(({ code }) => code === 'upstream-down'); i++)
      ({ reasons } = await explain(server, `${i}.example.`));
    expect(reasons.find(({ code }) => code === 'upstream-down')?.text).toBe(
      'forward: all upstreams are down by their health checks',
    );
  });
});

describe('a query of no client', () => {
  it('uses up no limit, and counts under a name of its own', async () => {
    const server = await serverWith('. {\n limit {\n per_client 1\n }\n acl {\n allow net 0.0.0.0/0\n }\n whoami\n}\n');
    for (let i = 0; i < 5; i++) expect((await explain(server)).result).toBe('NODATA');
    const counted = await server.runtime.metrics.text();
    expect(counted).toContain('coredns_acl_allowed_requests_total{server="explain",view=""} 5');
    expect(counted).not.toContain('coredns_acl_allowed_requests_total{server="dns');
  });

  it('is passed by those who keep records', async () => {
    const lines: string[] = [];
    const log = {
      debug: () => undefined,
      info: (line: string) => void lines.push(line),
      warning: () => undefined,
      error: () => undefined,
    };
    const server = await serverWith('. {\n log\n whoami\n}\n', undefined, { log });
    const { handlers } = await explain(server);
    expect(handlers.map(({ plugin, state }) => [plugin, state])).toEqual([
      ['log', 'records'],
      ['whoami', 'answered'],
    ]);
    expect(lines).toEqual([]);
  });

  it('comes from the client that is named', async () => {
    const server = await serverWith(
      `. {\n view inside {\n expr incidr(client_ip(), '192.0.2.0/24')\n }\n hosts {\n 192.0.2.1 a.example\n }\n}\n`,
    );
    const inside = await explain(server);
    expect(inside).toMatchObject({
      result: 'NOERROR',
      block: { view: 'inside' },
      records: ['a.example. 3600 IN A 192.0.2.1'],
    });
    const outside = await explainAt(server, {
      name: 'a.example.',
      type: Type.A,
      client: '198.51.100.1',
      transport: 'udp',
    });
    expect(outside.reasons[0]?.code).toBe('no-block');
  });
});

it('a query is as a client would send it, with EDNS and from no port', async () => {
  let seen: Message | undefined;
  let port: number | undefined;
  const server = await serverWith('. {\n odd\n}\n', (query) => {
    [seen, port] = [decodeMessage(query.bytes), query.client.remote.port];
    return DROP;
  });
  await explain(server);
  expect(seen).toMatchObject({
    ...{ flags: 0x100, rcode: 0, answer: [], authority: [], additional: [] },
    question: [{ name: 'a.example.', type: Type.A, class: 1 }],
    edns: { udpSize: 1232, version: 0, do: false, options: [] },
  });
  expect(port).toBe(0);
});

describe('what a request asks for', () => {
  const answer = async (query: string): Promise<LiveExplanation> => {
    const server = await serverWith('. {\n odd\n}\n');
    const asked = { query: new URLSearchParams(query) } as HttpRequest;
    const { body } = await explainRoute(server).answer(asked);
    return JSON.parse(body as string) as LiveExplanation;
  };
  const CLIENT = { address: '127.0.0.1', transport: 'udp' };
  it.each([
    { query: 'name=a.example', want: { name: 'a.example.', type: 'A', client: CLIENT } },
    { query: 'name=a.example.&type=aaaa', want: { name: 'a.example.', type: 'AAAA', client: CLIENT } },
    { query: 'name=192.0.2.1', want: { name: '1.2.0.192.in-addr.arpa.', type: 'PTR', client: CLIENT } },
    { query: 'name=192.0.2.1&type=TXT', want: { name: '1.2.0.192.in-addr.arpa.', type: 'TXT', client: CLIENT } },
    {
      query: 'name=a&client=2001:DB8::1&transport=tcp',
      want: { name: 'a.', type: 'A', client: { address: '2001:db8::1', transport: 'tcp' } },
    },
  ])('$query', async ({ query, want }) => expect(await answer(query)).toMatchObject(want));

  it.each([
    ['', "name: got '', allowed: a domain name or an address"],
    ['name=a..b', "name: got 'a..b', allowed: a domain name or an address"],
    ['name=a&type=NOSUCH', "type: got 'NOSUCH', allowed: A, AAAA, SRV, TYPE65280, ..."],
    ['name=a&client=x', "client: got 'x', allowed: an IP address"],
    ['name=a&transport=quic', "transport: got 'quic', allowed: udp, tcp"],
  ])("not '%s'", async (query, message) =>
    expect(answer(query)).rejects.toThrow(expect.objectContaining({ message, status: 400 })),
  );
});
