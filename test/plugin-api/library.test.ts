import dnsPacket from 'dns-packet';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DROP_REPLY, NodensError, createServer, definePlugin, type DnsServer } from '../../src/index.js';
import { testCluster, testServer } from '../../src/testing.js';

const servers: DnsServer[] = [];
const start = async (corefile: string, options = {}): Promise<DnsServer> => {
  const server = await createServer({ corefile, ...options });
  servers.push(server);
  return server;
};
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

const names = definePlugin({
  name: 'names',
  api: 1,
  dependsOn: 'question',
  options: { ttl: { type: 'seconds', default: 30 } },
  setup:
    (block, { ttl }) =>
    (query, next) =>
      query.name === 'drop.example'
        ? DROP_REPLY
        : block.contains(query.name, ['mine.example'])
          ? { answers: [{ name: query.question.name, type: 'A', ttl, data: '192.0.2.1' }], extendedError: { code: 0 } }
          : next(),
});

describe('createServer', () => {
  it('answers in the shape of dns-packet', async () => {
    const server = await start('. {\n names\n whoami\n}\n', { plugins: [names] });
    const answer = await server.inject({ name: 'A.Mine.example', id: 7, dnssecOk: true });
    expect(answer).toMatchObject({
      id: 7,
      type: 'response',
      rcode: 'NOERROR',
      opcode: 'QUERY',
      flag_qr: true,
      flag_aa: true,
      flag_rd: true,
      flag_tc: false,
      questions: [{ name: 'A.Mine.example', type: 'A', class: 'IN' }],
      answers: [{ name: 'A.Mine.example', type: 'A', ttl: 30, data: '192.0.2.1' }],
      authorities: [],
      additionals: [
        { type: 'OPT', udpPayloadSize: 1232, flag_do: true, options: [{ code: 15, data: Buffer.from([0, 0]) }] },
      ],
    });
    // What it gives, dns-packet takes.
    expect(dnsPacket.decode(dnsPacket.encode(answer as never))).toMatchObject({
      id: 7,
      rcode: 'NOERROR',
      flag_aa: true,
    });
  });

  it('knows who asks', async () => {
    const server = await start('. {\n whoami\n}\n');
    const answer = await server.inject({
      name: 'x',
      client: { address: '2001:DB8::1', port: 53000, transport: 'tcp' },
    });
    expect(answer?.additionals).toMatchObject([
      { type: 'AAAA', data: '2001:db8::1' },
      { name: '_tcp.x', type: 'SRV', data: { port: 53000 } },
    ]);
  });

  it('is asked by this host over UDP, from no port, where nothing is said', async () => {
    const answer = await (await start('. {\n whoami\n}\n')).inject({ name: 'x' });
    expect(answer?.additionals).toMatchObject([
      { type: 'A', data: '127.0.0.1' },
      { name: '_udp.x', type: 'SRV', data: { port: 0 } },
    ]);
  });

  it('draws ids of 16 bits', async () => {
    const server = await start('. {\n whoami\n}\n', { random: { uint32: () => 0xffff_ffff } });
    expect(await server.inject({ name: 'x' })).toMatchObject({ id: 0xffff });
  });

  it('takes bytes, and is silent where the chain is', async () => {
    const server = await start('. {\n names\n}\n', { plugins: [names] });
    const bytes = dnsPacket.encode({
      type: 'query',
      id: 3,
      flags: 0,
      questions: [{ name: 'mine.example', type: 'AAAA' }],
    });
    expect(await server.inject(bytes)).toMatchObject({ id: 3, flag_rd: false, rcode: 'NOERROR' });
    expect(await server.inject({ name: 'drop.example' })).toBeUndefined();
  });

  it('writes nothing to standard output unless asked, and tells a logger', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    const lines: string[] = [];
    const log = {
      debug: () => undefined,
      info: (line: string) => void lines.push(line),
      warning: () => undefined,
      error: () => undefined,
    };
    for (const options of [{}, { log }])
      await (await start('. {\n names\n log\n whoami\n}\n', { plugins: [names], ...options })).inject({ name: 'x' });
    expect(write).not.toHaveBeenCalled();
    write.mockRestore();
    expect(lines[0]).toBe('Plugin names is loaded from plugins[0]');
    expect(lines[1]).toContain('"A IN x. udp');
  });

  it('serves at real sockets, says where, and counts', async () => {
    const server = await start('.:0 {\n bind 127.0.0.1\n prometheus 127.0.0.1:0\n whoami\n}\n');
    await server.listen();
    const [{ address, port } = { address: '', port: 0 }] = server.served;
    expect([address, port > 0]).toEqual(['127.0.0.1', true]);
    await server.inject({ name: 'x' });
    expect(await server.metrics()).toContain('coredns_dns_requests_total{');
  });

  const bad: [string, () => Promise<unknown>, string, object][] = [
    ['a Corefile', () => start('. {\n nosuch\n}\n'), 'NODENS_COREFILE', { file: 'Corefile', line: 2 }],
    ['a plugin', () => start('plugin ./nosuch.js\n. {\n}\n'), 'NODENS_PLUGIN', { file: 'Corefile', line: 1 }],
    [
      'a name',
      async () => (await start('. {\n whoami\n}\n')).inject({ name: 'a..b' }),
      'NODENS_RECORD',
      undefined as never,
    ],
    [
      'a type',
      async () => (await start('. {\n whoami\n}\n')).inject({ name: 'a', type: 'X' }),
      'NODENS_RECORD',
      undefined as never,
    ],
    [
      'a client',
      async () => (await start('. {\n whoami\n}\n')).inject({ name: 'a', client: { address: 'here' } }),
      'NODENS_RECORD',
      undefined as never,
    ],
  ];
  it.each(bad)('refuses %s that is none with its code', async (_, work, code, place) => {
    const error = await work().catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(NodensError);
    expect(error).toMatchObject({ code, place });
  });
});

describe('nodens/testing', () => {
  it('asks a server whose time is moved by hand', async () => {
    let loads = 0;
    const table = definePlugin({
      name: 'counted',
      api: 1,
      setup(block) {
        const entries = block.table({ every: 1000, load: () => ({ 'a.example': `192.0.2.${++loads}` }) });
        return ({ name }) => ({ answers: [{ name, type: 'A', data: entries.get(name) ?? '192.0.2.0' }] });
      },
    });
    const server = await testServer({ corefile: '. {\n counted\n}\n', plugins: [table] });
    const data = async (): Promise<unknown> => (await server.ask('a.example'))?.answers[0]?.data;
    expect(await data()).toBe('192.0.2.1');
    await server.advance(1000);
    expect(await data()).toBe('192.0.2.2');
    expect((await server.metrics()).get('coredns_counted_table_entries{table="counted",zones="."}')).toBe(1);
    expect(await server.reload('. {\n nosuch\n}\n')).toBe(false);
    expect(server.lines.at(-1)).toMatch(/^\[ERROR\] Restart failed: Corefile:2: unknown directive 'nosuch'/);
    expect(await data()).toBe('192.0.2.2');
    await server.stop();
  });

  it('gives up on a plugin that never answers, without waiting for it', async () => {
    const never = definePlugin({ name: 'never', api: 1, setup: () => () => new Promise<never>(() => undefined) });
    const server = await testServer({ corefile: '. {\n never\n}\n', plugins: [never] });
    expect(await server.ask('a.example')).toMatchObject({ rcode: 'SERVFAIL' });
    await server.stop();
  });

  it('runs a plugin in a modelled cluster', async () => {
    const cluster = await testCluster({
      plugins: [names],
      corefile: (before) => before.replace('errors', 'errors\n    names'),
    });
    expect(await cluster.run('kubectl exec curl-pod -- dig +short a.mine.example')).toEqual({
      text: '192.0.2.1\n',
      code: 0,
    });
    await cluster.stop();
  });
});
