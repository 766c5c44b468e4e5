import { describe, expect, it } from 'vitest';
import { Lifetime } from '../../../src/chain/index.js';
import { parseTargets } from '../../../src/plugins/forward/targets.js';
import { Flag } from '../../../src/wire/index.js';
import { directives } from '../../support/block.js';
import { goodReply } from '../../support/fake-upstream.js';
import { Cluster } from './cluster.js';

describe('bounds of forward', () => {
  it('its replies have to be waited for', () =>
    expect(new Cluster('forward . 10.0.0.1').block.chain[0]!.waits).toBe(true));

  it('15 upstreams are taken', () => {
    const to = Array.from({ length: 15 }, (_, i) => `10.0.0.${i + 1}`);
    const [directive] = directives(`forward . ${to.join(' ')}`, 'forward');
    expect(parseTargets(directive, to, () => '')).toHaveLength(15);
  });

  it.each([
    { to: '10.0.0.1', port: 53 },
    { to: 'tls://10.0.0.1', port: 853 },
    { to: 'https://10.0.0.1', port: 443 },
    { to: '10.0.0.1:1', port: 1 },
    { to: '10.0.0.1:65535', port: 65_535 },
  ])('$to is asked at port $port', ({ to, port }) => {
    const [directive] = directives(`forward . ${to}`, 'forward');
    expect(parseTargets(directive, [to], () => '')).toMatchObject([{ to: { address: '10.0.0.1', port } }]);
  });

  it.each([
    { to: 'ns.example', port: 53 },
    { to: 'tls://ns.example', port: 853 },
    { to: 'https://ns.example', port: 443 },
    { to: 'ns.example:1', port: 1 },
    { to: 'ns.example:65535', port: 65_535 },
  ])('$to is looked up and asked at port $port', ({ to, port }) => {
    const [directive] = directives(`forward . ${to}`, 'forward');
    const none = (): string => {
      throw new Error('no such file');
    };
    expect(parseTargets(directive, [to], none)).toMatchObject([{ host: 'ns.example', port }]);
  });

  it.each(['ns.example:0', 'ns.example:65536'])('%s is no upstream', (to) => {
    const [directive] = directives(`forward . ${to}`, 'forward');
    const none = (): string => {
      throw new Error('no such file');
    };
    expect(() => parseTargets(directive, [to], none)).toThrow('which is no address and no file');
  });

  it('an upstream whose checks fail at once is checked no more than a hundred times a second, at an interval of 0s', async () => {
    const cluster = new Cluster('forward . 10.0.0.1 {\n health_check 0s\n}');
    cluster.network.unreachable.add('10.0.0.1');
    cluster.ask();
    await cluster.elapse(1000);
    const [line] = await cluster.metrics(/^coredns_proxy_healthcheck_failures_total/);
    const failed = Number(line!.split(' ').at(-1));
    expect(failed).toBeGreaterThan(20);
    expect(failed).toBeLessThanOrEqual(101);
    await cluster.block.run('stop');
    // And no more once the configuration has ended.
    const after = await cluster.metrics(/^coredns_proxy_healthcheck_failures_total/);
    await cluster.elapse(1000);
    expect(await cluster.metrics(/^coredns_proxy_healthcheck_failures_total/)).toEqual(after);
  });

  it('a reply over TCP that says it was cut is passed on, prefer_udp or not', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n prefer_udp\n}').start(1);
    cluster.servers[1]!.answer = (asked) =>
      asked.reply(goodReply(asked.message, { flags: Flag.QR | Flag.TC, answer: [] }));
    const answered = cluster.ask('www.example.org.', 'A', { transport: 'tcp' });
    await cluster.elapse(200);
    expect(answered.outcome).toBe('NOERROR');
    expect(cluster.counts()).toEqual({ 1: { udp: 1, tcp: 1 } });
  });

  it('the place of a query under max_concurrent is given back once, however many upstreams reply', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n max_concurrent 1\n}').start(
      1,
      2,
    );
    const late = (after: number) => (asked: Parameters<(typeof cluster.servers)[1]['answer']>[0]) =>
      void cluster.block.clock.setTimeout(() => asked.reply(goodReply(asked.message)), after);
    cluster.servers[1]!.answer = late(3000);
    cluster.servers[2]!.answer = late(100);
    const first = cluster.ask();
    await cluster.elapse(4500);
    expect(first.outcome).toBe('NOERROR');
    expect(cluster.counts()).toEqual({ 1: { udp: 1, tcp: 0 }, 2: { udp: 1, tcp: 0 } });
    const both = [cluster.ask('a.example.org.'), cluster.ask('b.example.org.')];
    await cluster.elapse(4500);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['NOERROR', 'REFUSED']);
  });

  it('an upstream that answers others, but never this query, is checked', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (asked) =>
      asked.message.question[0]!.name.startsWith('never') ? undefined : asked.reply(goodReply(asked.message));
    cluster.ask('never.example.org.');
    for (let i = 0; i < 12; i++) {
      cluster.ask(`n${i}.example.org.`);
      await cluster.elapse(500);
    }
    const checks = cluster.servers[1]!.seen.filter(({ message }) => message.question[0]!.type === 2);
    expect(checks.length).toBeGreaterThan(0);
    await cluster.block.run('stop');
  });

  it.each([
    { name: 'of the upstream', text: 'forward . tls://10.0.0.1%dns.example.net' },
    { name: 'of the directive', text: 'forward . tls://10.0.0.1 {\n tls_servername dns.example.net\n}' },
  ])('the name $name is what the handshake asks for', async ({ text }) => {
    const cluster = new Cluster(text);
    let hello = Buffer.alloc(0);
    await cluster.network.listenTcp({ address: '10.0.0.1', port: 853 }, ({ stream }) =>
      stream.on('data', (bytes: Buffer) => (hello = Buffer.concat([hello, bytes]))),
    );
    cluster.ask();
    // The handshake begins in Node's own time.
    for (let i = 0; i < 500 && hello.length === 0; i++) {
      await cluster.elapse(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(hello.includes('dns.example.net')).toBe(true);
    const stopped = cluster.block.run('stop');
    await cluster.elapse(11_000);
    await stopped;
  });
});

describe('clients that go away', () => {
  const gone = new Error('the client has closed its connection');
  /** Two of two upstreams that never answer, and a client over TCP for each connection. */
  async function waiting(...connections: (Lifetime | undefined)[]) {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n max_concurrent 2\n}').start(
      1,
      2,
    );
    for (const number of [1, 2]) cluster.servers[number]!.answer = () => undefined;
    const answers = connections.map((connection) =>
      cluster.ask('www.example.org.', 'A', { transport: 'tcp', ...(connection && { connection }) }),
    );
    await cluster.elapse(50);
    return { cluster, answers };
  }

  it.each([
    { name: 'the only one', clients: 1, leave: 1, ends: true },
    { name: 'both of two that asked the same', clients: 2, leave: 2, ends: true },
    { name: 'one of two that asked the same', clients: 2, leave: 1, ends: false },
  ])('$name: upstreams are asked no more: $ends', async ({ clients, leave, ends }) => {
    const connections = Array.from({ length: clients }, () => new Lifetime());
    const { cluster, answers } = await waiting(...connections);
    for (const connection of connections.slice(0, leave)) connection.end(gone);
    await cluster.elapse(3);
    expect(answers.map(({ outcome }) => outcome)).toEqual(answers.map(() => (ends ? 'drop' : 'pending')));
    await cluster.elapse(6000);
    expect(cluster.servers[2]!.seen.some(({ message }) => message.question[0]!.type === 1)).toBe(!ends);
    expect(connections.map(({ watched }) => watched)).toEqual(connections.map(() => 0));
    const stopped = cluster.block.run('stop');
    await cluster.elapse(11_000);
    await stopped;
  });

  it('give their place under max_concurrent back', async () => {
    const connection = new Lifetime();
    const { cluster } = await waiting(connection, undefined);
    const more = cluster.ask('more.example.org.');
    await cluster.elapse(5);
    expect(more.outcome).toBe('REFUSED');
    connection.end(gone);
    await cluster.elapse(5000);
    const after = [cluster.ask('a.example.org.'), cluster.ask('b.example.org.'), cluster.ask('c.example.org.')];
    await cluster.elapse(5);
    expect(after.map(({ outcome }) => outcome)).toEqual(['pending', 'pending', 'REFUSED']);
    await cluster.elapse(6000);
    await cluster.block.run('stop');
  });
});
