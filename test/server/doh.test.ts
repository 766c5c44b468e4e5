import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshness } from '../../src/server/doh-request.js';
import { Rcode, decodeMessage, encodeMessage, type Message, type Rr } from '../../src/wire/index.js';
import { query, rr } from '../support/dns.js';
import { running, type Running } from '../support/running.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const CA = readFileSync(`${FILES}/cert.pem`);
const COREFILE = `https://.:0 {
  bind 127.0.0.1
  tls ${FILES}/cert.pem ${FILES}/key.pem
  hosts {
    192.0.2.7 www.example
    ttl 77
  }
  acl {
    drop type TXT
  }
}`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly body?: Uint8Array | undefined;
}

let server: Running;
let session: ClientHttp2Session;
beforeEach(async () => {
  server = await running(COREFILE);
  session = http2.connect(`https://127.0.0.1:${server.port}`, { ca: CA, servername: 'dns.example' });
  session.on('error', () => undefined);
});
afterEach(async () => {
  session.destroy();
  await server.stop();
});

async function overHttp2({ method = 'POST', path: at = '/dns-query', body }: Request): Promise<Answer> {
  const stream = session.request({ ':method': method, ':path': at, 'content-type': 'application/dns-message' });
  if (body === undefined) stream.end();
  else stream.end(body);
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks) };
}

function overHttp1({ method = 'POST', path: at = '/dns-query', body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { ca: CA, servername: 'dns.example', method, path: at, agent: false, port: server.port };
    const request = https.request({ ...options, host: '127.0.0.1' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const get = (bytes: Uint8Array, rest = ''): Request => ({
  method: 'GET',
  path: `/dns-query?dns=${Buffer.from(bytes).toString('base64url')}${rest}`,
});
const ASKED = query('www.example.', 'A').bytes;
/** A copy with one byte changed. */
const withByte = (at: number, value: number): Buffer => {
  const bytes = Buffer.from(ASKED);
  bytes[at] = value;
  return bytes;
};

describe.each([
  { version: 'HTTP/2', ask: overHttp2 },
  { version: 'HTTP/1.1', ask: overHttp1 },
])('DNS over $version', ({ ask }) => {
  it.each([
    { name: 'POST', request: { body: ASKED } },
    { name: 'GET', request: get(ASKED) },
    { name: 'GET with other parameters', request: get(ASKED, '&x=1') },
  ])('answers $name', async ({ request }) => {
    const { status, headers, body } = await ask(request);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/dns-message',
      'cache-control': 'max-age=77',
      'content-length': String(body.length),
    });
    const { answer, rcode } = decodeMessage(body);
    expect([rcode, answer.map(({ rdata }) => [...rdata])]).toEqual([Rcode.NOERROR, [[192, 0, 2, 7]]]);
  });

  it('answers a failure with 200, to be kept for 5 seconds', async () => {
    const { status, headers, body } = await ask({ body: query('x.', 'ANY', { class: 3 }).bytes });
    expect([status, headers['cache-control']]).toEqual([200, 'max-age=5']);
    expect(decodeMessage(body).rcode).not.toBe(Rcode.NOERROR);
  });

  it.each([
    { name: 'another path', request: { path: '/', body: ASKED }, status: 404, body: '\n' },
    { name: 'a path below', request: { path: '/dns-query/x', body: ASKED }, status: 404, body: '\n' },
    { name: 'another method', request: { method: 'PUT', body: ASKED }, status: 400, body: 'invalid request\n' },
    { name: 'no parameter', request: { method: 'GET' }, status: 400, body: 'invalid request\n' },
    { name: 'two parameters', request: get(ASKED, '&dns=AAAA'), status: 400, body: 'invalid request\n' },
    { name: 'padding', request: get(ASKED, '=='), status: 400, body: 'invalid request\n' },
    { name: 'another alphabet', request: get(ASKED, '/+'), status: 400, body: 'invalid request\n' },
    { name: 'no bytes', request: { body: Buffer.alloc(0) }, status: 400, body: 'invalid request\n' },
    { name: 'a header cut short', request: { body: ASKED.subarray(0, 11) }, status: 400, body: 'invalid request\n' },
    { name: 'a name cut short', request: { body: ASKED.subarray(0, 16) }, status: 400, body: 'invalid request\n' },
    { name: 'an answer', request: { body: withByte(2, 0x80) }, status: 400, body: 'invalid request\n' },
    { name: 'UPDATE', request: { body: withByte(2, 5 << 3) }, status: 400, body: 'invalid request\n' },
    { name: 'two questions', request: { body: withByte(5, 2) }, status: 400, body: 'invalid request\n' },
    { name: '70,000 bytes', request: { body: Buffer.alloc(70_000) }, status: 400, body: 'invalid request\n' },
    {
      name: 'a query that is dropped',
      request: { body: query('x.', 'TXT').bytes },
      status: 500,
      body: 'No response\n',
    },
  ])('answers $name with $status', async ({ request, status, body }) => {
    const answer = await ask(request);
    expect([answer.status, answer.body.toString()]).toEqual([status, body]);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    const counted = await server.server.runtime.metrics.text();
    expect(counted).toContain(
      `coredns_dns_https_responses_total{server="https://127.0.0.1:${server.port}",status="${status}"} 1`,
    );
  });

  it('gives NOTIFY to the plugins, as over every transport', async () => {
    const { status, body } = await ask({ body: withByte(2, 4 << 3) });
    expect(status).toBe(200);
    expect(body[2]! >> 3).toBe((0x80 >> 3) | 4);
  });
});

describe('how long an answer may be kept', () => {
  const made = (parts: Partial<Message>, type = 'A'): Buffer =>
    encodeMessage({ ...decodeMessage(query('www.example.', type).bytes), ...parts });
  const a = (ttl: number): Rr => rr(`www.example. ${ttl} IN A 192.0.2.7`);
  const ns = (ttl: number): Rr => rr(`example. ${ttl} IN NS ns.example.`);
  const soa = (ttl: number): Rr => rr(`example. ${ttl} IN SOA ns.example. admin.example. 1 2 3 4 5`);

  it.each<{ name: string; parts: Partial<Message>; type?: string; want: number }>([
    { name: 'as long as its records', parts: { answer: [a(77), a(60)] }, want: 60 },
    { name: 'no longer than its authority', parts: { answer: [a(300)], authority: [ns(60)] }, want: 60 },
    { name: 'no longer than what is beside it', parts: { answer: [a(300)], additional: [a(60)] }, want: 60 },
    { name: 'an hour at most', parts: { answer: [a(86_400)] }, want: 3600 },
    { name: 'one that ends with a record of no data', parts: { answer: [rr('x. 60 IN TYPE65280 \\# 0')] }, want: 60 },
    { name: 'a denial as long as its SOA', parts: { rcode: Rcode.NXDOMAIN, authority: [soa(30)] }, want: 30 },
    { name: 'a denial with its servers, too', parts: { authority: [ns(300), soa(30)] }, want: 30 },
    { name: 'a delegation shortly', parts: { authority: [ns(300)] }, want: 5 },
    { name: 'one without records shortly', parts: {}, want: 5 },
    { name: 'an alias to nothing shortly', parts: { rcode: Rcode.NXDOMAIN, answer: [a(300)] }, want: 5 },
    { name: 'a failure shortly', parts: { rcode: Rcode.SERVFAIL, authority: [soa(30)] }, want: 5 },
    { name: 'a failure that is told in the OPT record shortly', parts: { rcode: 16, answer: [a(300)] }, want: 5 },
    { name: 'a zone shortly', parts: { answer: [soa(300)] }, type: 'AXFR', want: 5 },
    { name: 'changes of one shortly', parts: { answer: [soa(300)] }, type: 'IXFR', want: 5 },
  ])('$name: $want s', ({ parts, type, want }) => {
    const edns = { udpSize: 1232, version: 0, do: false, options: [] };
    expect(freshness(made({ ...parts, edns }, type))).toBe(want);
  });

  it('shortly, where it is cut in a record', () => {
    const whole = made({ answer: [a(300)] });
    expect([freshness(whole), freshness(whole.subarray(0, -5))]).toEqual([300, 5]);
  });
});

describe('a query over HTTPS', () => {
  it('runs beside others on its connection', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => overHttp2({ body: ASKED })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});
