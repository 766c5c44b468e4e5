import { readFileSync } from 'node:fs';
import http2, { type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeMessage, rcodeName } from '../../../src/wire/index.js';
import { goodReply } from '../../support/fake-upstream.js';
import { running, type Running } from '../../support/running.js';

const FILES = path.resolve(import.meta.dirname, '../tls/files');
const pem = (name: string): Buffer => readFileSync(`${FILES}/${name}.pem`);
const TYPE = 'application/dns-message';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly id: number;
}
type Answer = (stream: ServerHttp2Stream, message: Buffer, asked: number) => void;

const good = (message: Buffer): Buffer => goodReply(decodeMessage(message));
const answer: Answer = (stream, message) => {
  stream.respond({ ':status': 200, 'content-type': TYPE });
  stream.end(good(message));
};
const withHead =
  (status: number, type = TYPE, body?: Buffer): Answer =>
  (stream, message) => {
    stream.respond({ ':status': status, 'content-type': type });
    stream.end(body ?? good(message));
  };

let upstream: Http2SecureServer | undefined;
let server: Running | undefined;
const sessions = new Set<ServerHttp2Session>();
afterEach(async () => {
  await server?.stop();
  for (const session of sessions) session.destroy();
  sessions.clear();
  await new Promise((resolve) => (upstream ? upstream.close(resolve) : resolve(undefined)));
  server = upstream = undefined;
});

/** A DNS-over-HTTPS server, and one of ours that forwards to it. */
async function world(behave: Answer, options = '', name = '%dns.example'): Promise<Seen[]> {
  const seen: Seen[] = [];
  const own = (upstream = http2.createSecureServer({ cert: pem('cert'), key: pem('key') }));
  own.on('session', (session) => sessions.add(session));
  own.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const { ':method': method = '', ':path': url = '', ':authority': authority = '' } = headers;
      const inUrl = Buffer.from(url.split('dns=')[1] ?? '', 'base64url');
      const message = method === 'GET' ? inUrl : Buffer.concat(chunks);
      seen.push({ method, path: url.split('?')[0]!, authority, id: message.readUInt16BE(0) });
      behave(stream, message, seen.length);
    });
  });
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const { port } = own.address() as AddressInfo;
  server = await running(
    `.:0 {\nbind 127.0.0.1\nforward . https://127.0.0.1${name}:${port} {\ntls ${FILES}/cert.pem\nmax_fails 0\n${options}\n}\n}`,
  );
  return seen;
}
const rcode = async (name = 'x.'): Promise<string> => rcodeName((await server!.ask(name)).rcode);

describe('forward to https://', () => {
  it.each([
    { options: '', method: 'POST' },
    { options: 'doh_method POST', method: 'POST' },
    { options: 'doh_method GET', method: 'GET' },
  ])("asks with $method where the Corefile says '$options'", async ({ options, method }) => {
    const seen = await world(answer, options);
    const names = ['a.', 'b.', 'c.'];
    for (const name of names) expect((await server!.ask(name, 'A', { id: 4711 })).id).toBe(4711);
    const { port } = upstream!.address() as AddressInfo;
    expect(seen).toEqual(names.map(() => ({ method, path: '/dns-query', authority: `dns.example:${port}`, id: 0 })));
    expect(sessions.size).toBe(1);
    const text = await server!.server.runtime.metrics.text();
    const to = `127.0.0.1:${port}`;
    expect(text).toContain(`coredns_proxy_conn_cache_misses_total{proto="https",proxy_name="forward",to="${to}"} 1`);
    expect(text).toContain(`coredns_proxy_conn_cache_hits_total{proto="https",proxy_name="forward",to="${to}"} 2`);
  });

  it.each([
    { name: 'a failure of HTTP', behave: withHead(503) },
    { name: 'something else than a message', behave: withHead(200, 'text/html', Buffer.from('<html>')) },
    { name: 'a message cut short', behave: withHead(200, TYPE, Buffer.alloc(5)) },
    { name: 'a message that is too long', behave: withHead(200, TYPE, Buffer.alloc(70_000)) },
    {
      name: 'an answer to another question',
      want: 'FORMERR',
      behave: withHead(200, TYPE, good(Buffer.from('00000100000100000000000001790000010001', 'hex'))),
    },
  ])('takes $name for a failure', async ({ behave, want = 'SERVFAIL' }) => {
    const seen = await world(behave, 'max_connect_attempts 1');
    expect(await rcode()).toBe(want);
    expect(seen).toHaveLength(1);
  });

  it.each([
    { name: 'another name', server: '%other.example' },
    { name: 'another server name for all', server: '', options: 'tls_servername other.example' },
  ])('asks nobody whose certificate is for $name', async ({ server: name, options }) => {
    const seen = await world(answer, `max_connect_attempts 1\n${options ?? ''}`, name);
    expect(await rcode()).toBe('SERVFAIL');
    expect(seen).toEqual([]);
  });

  it('sends a query once more where the connection was closed under it', async () => {
    const seen = await world((stream, message, asked) => {
      if (asked === 2) stream.session!.destroy();
      else answer(stream, message, asked);
    });
    expect([await rcode('a.'), await rcode('b.')]).toEqual(['NOERROR', 'NOERROR']);
    expect([seen.length, sessions.size]).toEqual([3, 2]);
  });

  it('opens another connection after the upstream has said that it goes away', async () => {
    await world((stream, message, asked) => {
      answer(stream, message, asked);
      stream.session!.close();
    });
    for (const name of ['a.', 'b.', 'c.']) expect(await rcode(name)).toBe('NOERROR');
    expect(sessions.size).toBe(3);
  });

  it.each([
    { to: 'https://192.0.2.1/dns-query', error: "upstream: got 'https://192.0.2.1/dns-query', allowed: no path" },
    { to: 'quic://192.0.2.1', error: "got 'quic://', allowed: dns://, tls:// and https://" },
    { to: 'https://192.0.2.1 {\ndoh_method PUT\n}', error: "doh_method: got 'PUT', allowed: GET, POST" },
  ])('refuses $to', async ({ to, error }) => {
    await expect(running(`.:0 {\nforward . ${to}\n}`)).rejects.toThrow(error);
  });
});
