import * as library from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packetOf, readPacket } from '../../../src/exchange/index.js';
import { grpc } from '../../../src/plugins/grpc/setup.js';
import { decodeMessage, rcodeName } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';
import { FakeNetwork } from '../../support/fake-network.js';
import { goodReply } from '../../support/fake-upstream.js';
import { running, type Running } from '../../support/running.js';

const FILES = path.resolve(import.meta.dirname, '../tls/files');
const pem = (name: string): Buffer => readFileSync(`${FILES}/${name}.pem`);
type Call = library.ServerUnaryCall<Buffer, Buffer>;
type Answer = (message: Buffer) => Buffer | Partial<library.ServiceError>;

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server made with the library that others use. */
async function upstream(answer: Answer, secure = false): Promise<number> {
  const server = new library.Server();
  const own = (bytes: Buffer): Buffer => bytes;
  const method = { path: '/coredns.dns.DnsService/Query', requestStream: false, responseStream: false };
  server.addService(
    { Query: { ...method, requestSerialize: own, requestDeserialize: own, responseSerialize: own, responseDeserialize: own } },
    {
      Query: (call: Call, done: library.sendUnaryData<Buffer>) => {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(call.request.length, 1);
        const given = answer(readPacket(Buffer.concat([head, call.request])) as Buffer);
        if (Buffer.isBuffer(given)) done(null, packetOf(given).subarray(5));
        else done(given);
      },
    },
  ); // prettier-ignore
  const credentials = secure
    ? library.ServerCredentials.createSsl(null, [{ cert_chain: pem('cert'), private_key: pem('key') }])
    : library.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  ends.push(() => server.forceShutdown());
  return port;
}
const good: Answer = (message) => goodReply(decodeMessage(message));
const failing: Answer = () => ({ code: library.status.UNAVAILABLE, details: 'closed today' });
const withRcode =
  (rcode: number): Answer =>
  (message) => {
    const reply = goodReply(decodeMessage(message));
    reply[3] = (reply[3]! & 0xf0) | rcode;
    return reply;
  };

async function ours(ports: readonly number[], options = '', more = ''): Promise<Running> {
  const to = ports.map((port) => `127.0.0.1:${port}`).join(' ');
  const server = await running(`.:0 {\nbind 127.0.0.1\nerrors\ngrpc . ${to} {\n${options}\n}\n${more}\n}`);
  ends.push(() => server.stop());
  return server;
}
const rcode = async (server: Running, name = 'x.'): Promise<string> => rcodeName((await server.ask(name)).rcode);

describe('grpc', () => {
  it.each([
    { name: 'example.org.', asked: true },
    { name: 'a.example.org.', asked: true },
    { name: 'no.example.org.', asked: false },
    { name: 'a.no.example.org.', asked: false },
    { name: 'example.net.', asked: false },
    { name: 'example.org.', except: 'example.org', asked: true },
  ])('asks for $name, except $except: $asked', async ({ name, except = 'no.example.org', asked }) => {
    const network = new FakeNetwork();
    network.connectTcp = () => Promise.reject(new Error('nobody there'));
    const { ask } = setup(grpc, `grpc example.org 192.0.2.1 {\nexcept ${except}\n}`, { network });
    const next = reply();
    expect((await ask(query(name), () => next)) === next).toBe(!asked);
  });

  it('has to be waited for', () => expect(setup(grpc, 'grpc . 192.0.2.1').handlers[0]!.waits).toBe(true));

  it('counts how long it took', async () => {
    const server = await ours([await upstream(good)]);
    const begun = performance.now();
    await server.ask('x.');
    const text = await server.server.runtime.metrics.text();
    const [, sum] = /coredns_grpc_request_duration_seconds_sum\{[^}]*\} (\S+)/.exec(text)!;
    expect(Number(sum)).toBeLessThanOrEqual((performance.now() - begun) / 1000);
  });

  it.each([
    { name: 'in the clear', secure: false, options: '' },
    { name: 'over TLS', secure: true, options: `tls ${FILES}/cert.pem\ntls_servername dns.example` },
    {
      name: 'over TLS with a certificate of its own',
      secure: true,
      options: `tls ${FILES}/cert.pem ${FILES}/key.pem ${FILES}/cert.pem`,
    },
    { name: 'over TLS, by address', secure: true, options: `tls ${FILES}/cert.pem` },
  ])('asks $name', async ({ secure, options }) => {
    const port = await upstream(good, secure);
    const server = await ours([port], options);
    for (let i = 0; i < 3; i++) expect((await server.ask('x.', 'A', { id: 4711 + i })).id).toBe(4711 + i);
    const text = await server.server.runtime.metrics.text();
    expect(text).toContain(`coredns_grpc_requests_total{to="127.0.0.1:${port}"} 3`);
    expect(text).toContain(`coredns_grpc_responses_total{rcode="NOERROR",to="127.0.0.1:${port}"} 3`);
    expect(text).toContain(`coredns_grpc_request_duration_seconds_count{to="127.0.0.1:${port}"} 3`);
  });

  it('asks a server of our own', async () => {
    const other = await running('grpc://.:0 {\nbind 127.0.0.1\nhosts {\n192.0.2.7 www.example\n}\n}');
    ends.push(() => other.stop());
    const { answer } = await (await ours([other.port])).ask('www.example.', 'A');
    expect(answer.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 7]]);
  });

  it('asks the next upstream where one fails', async () => {
    const server = await ours([1, await upstream(failing), await upstream(good)], 'policy sequential');
    expect(await rcode(server)).toBe('NOERROR');
  });

  it('answers SERVFAIL where all fail, and says why', async () => {
    const server = await ours([await upstream(failing)]);
    expect(await rcode(server)).toBe('SERVFAIL');
    expect(server.log.at(-1)).toContain('rpc error: code = 14 desc = closed today');
  });

  it.each([
    { name: 'another name', options: 'tls_servername other.example' },
    { name: 'nobody known', options: '', ca: `${FILES}/other-cert.pem` },
  ])('asks nobody whose certificate is for $name', async ({ options, ca = `${FILES}/cert.pem` }) => {
    const server = await ours([await upstream(good, true)], `tls ${ca}\n${options}`);
    expect(await rcode(server)).toBe('SERVFAIL');
  });

  it('takes an answer to another question for none', async () => {
    const other = Buffer.from('00000100000100000000000001790000010001', 'hex');
    const server = await ours([await upstream(() => goodReply(decodeMessage(other)))]);
    expect(await rcode(server)).toBe('FORMERR');
  });

  it.each([
    { options: 'fallthrough', answer: withRcode(3), want: 'FALLEN' },
    { options: 'fallthrough other', answer: withRcode(3), want: 'NXDOMAIN' },
    { options: '', answer: withRcode(3), want: 'NXDOMAIN' },
    { options: 'fallthrough', answer: withRcode(2), want: 'SERVFAIL' },
    { options: 'fallthrough', answer: failing, want: 'FALLEN' },
    { options: 'except x', answer: good, want: 'FALLEN' },
  ])("'$options' leaves the rest to the next plugin: $want", async ({ options, answer, want }) => {
    const server = await ours([await upstream(answer)], options, 'erratic {\ndrop 0\n}');
    const got = await server.ask('x.', 'A');
    expect(got.answer.length > 0 && rcodeName(got.rcode) === 'NOERROR' ? 'FALLEN' : rcodeName(got.rcode)).toBe(want);
  });

  it.each([
    { text: 'grpc', error: 'Corefile:2: grpc: got no argument' },
    { text: 'grpc .', error: 'Corefile:2: grpc: got 1 argument' },
    { text: 'grpc . unix:///x', error: "Corefile:2: grpc: upstream: got 'unix:///x', allowed: IP" },
    { text: 'grpc . example.org', error: "Corefile:2: grpc: upstream: got 'example.org'" },
    {
      text: 'grpc . /junk',
      error: 'Corefile:2: grpc: upstream: got no nameserver line in /junk, allowed: at least one',
    },
    { text: 'grpc . /names', error: "Corefile:2: grpc: upstream: got 'ns.example'" },
    { text: 'grpc . /none', error: 'Corefile:2: grpc: upstream: file /none cannot be read' },
    { text: 'grpc . 192.0.2.1 {\npolicy any\n}', error: "Corefile:3: grpc: policy: got 'any', allowed: random" },
    { text: 'grpc . 192.0.2.1 {\ntls none\n}', error: 'Corefile:3: grpc: tls: file none cannot be read' },
    { text: 'grpc . 192.0.2.1 {\ntls junk junk\n}', error: 'Corefile:2: grpc: tls: got a certificate, key or CA' },
    { text: 'grpc . 192.0.2.1 {\nmax_fails 1\n}', error: "Corefile:3: grpc: unknown option 'max_fails'" },
    { text: 'grpc . 192.0.2.1\ngrpc . 192.0.2.1', error: 'Corefile:3: grpc: got it a second time' },
  ])('refuses $text', ({ text, error }) =>
    expect(() =>
      setup(grpc, text, { files: { junk: 'junk', '/junk': 'junk', '/names': 'nameserver ns.example' } }),
    ).toThrow(error),
  );

  it.each([
    { policy: 'sequential', want: [0, 0, 0, 0] },
    { policy: 'round_robin', want: [0, 1, 2, 0] },
  ])('asks upstreams in the order of the policy $policy, those of a file too', async ({ policy, want }) => {
    const asked: string[] = [];
    const network = new FakeNetwork();
    network.connectTcp = (to) => {
      asked.push(`${to.address}:${to.port}`);
      return Promise.reject(new Error('nobody there'));
    };
    const files = { '/resolv.conf': '# here\nnameserver 192.0.2.1\nsearch a.test\n nameserver  2001:db8::1\n' };
    const { ask } = setup(grpc, `grpc . /resolv.conf 192.0.2.3:5353 {\npolicy ${policy}\n}`, { network, files });
    const all = ['192.0.2.1:53', '2001:db8::1:53', '192.0.2.3:5353'];
    for (const first of want) {
      expect(await ask(query('x.'))).toMatchObject({
        rcode: 2,
        cause: { message: expect.stringContaining('nobody there') as string },
      });
      expect(asked.splice(0)).toEqual([...all.slice(first), ...all.slice(0, first)]);
    }
  });

  it.each([
    { name: 'one that hangs for the next, after 2 s', count: 2, took: [0, 2000], ends: 4000 },
    { name: 'all that hang, after 5 s', count: 4, took: [0, 2000, 4000], ends: 5000 },
  ])('gives up $name', async ({ count, took, ends }) => {
    const network = new FakeNetwork();
    const asked: number[] = [];
    const to = Array.from({ length: count }, (_, i) => `192.0.2.${i}`).join(' ');
    const { ask, block } = setup(grpc, `grpc . ${to} {\npolicy sequential\n}`, { network });
    const begun = block.clock.monotonic();
    const now = (): number => block.clock.monotonic() - begun;
    network.connectTcp = (_to, signal) => {
      asked.push(now());
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    let ended = -1;
    const outcome = Promise.resolve(ask(query('x.'))).finally(() => (ended = now()));
    for (let i = 0; i < 60; i++) await block.clock.advanceAsync(100);
    expect(await outcome).toMatchObject({ rcode: 2, cause: { message: expect.stringContaining('in time') as string } });
    expect([asked, ended]).toEqual([took, ends]);
  });
});
