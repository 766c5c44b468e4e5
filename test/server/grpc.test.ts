import * as grpc from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import http2, { type IncomingHttpHeaders } from 'node:http2';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packetOf, readPacket } from '../../src/exchange/index.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { running, type Running } from '../support/running.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const METHOD = '/coredns.dns.DnsService/Query';
const ASKED = query('www.example.', 'A').bytes;
const withByte = (at: number, value: number): Buffer => {
  const bytes = Buffer.from(ASKED);
  bytes[at] = value;
  return bytes;
};

let server: Running | undefined;
const clients: grpc.Client[] = [];
afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  await server?.stop();
  server = undefined;
});

const start = async (more = ''): Promise<Running> =>
  (server = await running(
    `grpc://.:0 {\nbind 127.0.0.1\n${more}\nhosts {\n192.0.2.7 www.example\n}\nacl {\ndrop type TXT\n}\n}`,
  ));
const TLS = `tls ${FILES}/cert.pem ${FILES}/key.pem`;

/** A message of protocol buffers around a DNS message, without gRPC's own head: what a client's library writes. */
const wrapped = (message: Uint8Array): Buffer => packetOf(message).subarray(5);
/** Calls with the library that others use; gives the DNS message, or the status and its reason. */
function call(
  { port }: Running,
  packet: Buffer,
  credentials = grpc.credentials.createInsecure(),
  method = METHOD,
): Promise<Buffer | [number, string]> {
  const client = new grpc.Client(`127.0.0.1:${port}`, credentials, { 'grpc.ssl_target_name_override': 'dns.example' });
  clients.push(client);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      packet,
      (error, got) => {
        if (error) return resolve([error.code, error.details]);
        const message = readPacket(Buffer.concat([Buffer.from([0, 0, 0, 0, got!.length]), got!]));
        resolve(message as Buffer);
      },
    );
  });
}

/** Calls by hand, with a body that no library would write. */
async function callWith(
  { port }: Running,
  body: Buffer,
  headers: IncomingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ':method': 'POST', ':path': METHOD, 'content-type': 'application/grpc', te: 'trailers', ...headers,
  }); // prettier-ignore
  stream.on('error', () => undefined);
  return new Promise((resolve) => {
    stream.on('response', (got) => {
      resolve(got);
      session.destroy();
    });
    stream.end(body);
  });
}

describe('DNS over gRPC', () => {
  it.each([
    { name: 'in the clear', more: '', credentials: () => grpc.credentials.createInsecure() },
    { name: 'over TLS', more: TLS, credentials: () => grpc.credentials.createSsl(readFileSync(`${FILES}/cert.pem`)) },
  ])('answers $name', async ({ more, credentials }) => {
    const got = await call(await start(more), wrapped(ASKED), credentials());
    expect(decodeMessage(got as Buffer).answer.map(({ rdata }) => [...rdata])).toEqual([[192, 0, 2, 7]]);
  });

  it('answers many calls on one connection', async () => {
    const at = await start();
    const got = await Promise.all(Array.from({ length: 300 }, () => call(at, wrapped(ASKED))));
    expect(got.every((message) => Buffer.isBuffer(message))).toBe(true);
  });

  it.each([
    { name: 'no message', packet: Buffer.alloc(0), want: [2, 'dns request rejected'] },
    { name: 'a header cut short', packet: wrapped(ASKED.subarray(0, 11)), want: [2, 'dns request rejected'] },
    { name: 'a name cut short', packet: wrapped(ASKED.subarray(0, 16)), want: [2, 'dns request rejected'] },
    { name: 'an answer', packet: wrapped(withByte(2, 0x80)), want: [2, 'dns request rejected'] },
    { name: 'UPDATE', packet: wrapped(withByte(2, 5 << 3)), want: [2, 'dns request rejected'] },
    { name: 'a query that is dropped', packet: wrapped(query('x.', 'TXT').bytes), want: [2, 'no response'] },
    { name: 'a field that runs past the end', packet: Buffer.from([0x0a, 5, 1]), want: [13, 'malformed message'] },
    { name: 'a tag without an end', packet: Buffer.from([0xff, 0xff]), want: [13, 'malformed message'] },
    { name: 'a group, which nobody writes any more', packet: Buffer.from([0x0b]), want: [13, 'malformed message'] },
    {
      name: '70,000 bytes',
      packet: wrapped(Buffer.alloc(70_000)),
      want: [8, expect.stringContaining('received message larger than max') as string],
    },
  ])('refuses $name', async ({ packet, want }) => expect(await call(await start(), packet)).toEqual(want));

  it('refuses another method', async () =>
    expect(await call(await start(), wrapped(ASKED), undefined, '/coredns.dns.DnsService/Watch')).toEqual([
      12,
      'unknown method /coredns.dns.DnsService/Watch',
    ]));

  it('passes over fields that it does not know', async () => {
    const unknown = Buffer.from([0x10, 0x96, 0x01, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x2a, 1, 0]);
    const got = await call(await start(), Buffer.concat([unknown, wrapped(ASKED)]));
    expect(decodeMessage(got as Buffer).answer).toHaveLength(1);
  });

  it.each([
    { name: 'that claims 4 GB', body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0x0a]), status: '8' },
    { name: 'that is compressed', body: Buffer.from([1, 0, 0, 0, 0]), status: '12' },
    { name: 'that is cut short', body: Buffer.from([0, 0, 0, 0, 9, 0x0a]), status: '13' },
    { name: 'with a head cut short', body: Buffer.from([0, 0]), status: '13' },
    { name: 'that goes on for 1 MB', body: Buffer.alloc(1 << 20), status: '8' },
  ])('refuses a call $name', async ({ body, status }) =>
    expect((await callWith(await start(), body))['grpc-status']).toBe(status),
  );

  it('refuses what is no gRPC', async () => {
    const got = await callWith(await start(), packetOf(ASKED), { 'content-type': 'application/dns-message' });
    expect(got[':status']).toBe(415);
    expect(got).not.toHaveProperty('content-length');
  });
});

describe('packets', () => {
  it.each([0, 1, 127, 128, 16_383, 16_384, 65_535])('hold messages of %d bytes', (length) => {
    const message = Buffer.alloc(length, 7);
    expect(readPacket(packetOf(message))).toEqual(message);
  });
});
