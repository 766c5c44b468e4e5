import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { findProxyHeader } from '../../src/server/proxy-header.js';
import { ProxiedDatagrams, behindProxy } from '../../src/server/proxy-protocol.js';
import { FrameReader, decodeMessage, formatRr, frame } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { duplexPair } from '../support/duplex-pair.js';
import { isInstalled } from '../support/debian-server.js';
import { running, type Running } from '../support/running.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** A header of version 2: command and version, family and transport, and what follows. */
const v2 = (command: number, kind: number, rest: Buffer = Buffer.alloc(0), claims = rest.length): Buffer => {
  const head = Buffer.from([command, kind, claims >> 8, claims & 255]);
  return Buffer.concat([SIGNATURE, head, rest]);
};
/** 203.0.113.7 port 4711 to 192.0.2.1 port 53. */
const IPV4 = Buffer.from('cb007107c000020112670035', 'hex');
const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('12670035', 'hex'),
]);
const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711 53\r\n');
const SOURCE = { address: '203.0.113.7', port: 4711 };

describe('headers of proxies', () => {
  it.each([
    { name: 'version 1', bytes: V1, source: SOURCE },
    {
      name: 'version 1, IPv6',
      bytes: Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 4711 53\r\n'),
      source: { address: '2001:db8::7', port: 4711 },
    },
    { name: 'version 2', bytes: v2(0x21, 0x11, IPV4), source: SOURCE },
    { name: 'version 2 of a datagram', bytes: v2(0x21, 0x12, IPV4), source: SOURCE },
    { name: 'version 2, IPv6', bytes: v2(0x21, 0x21, IPV6), source: { address: '2001:db8::7', port: 4711 } },
    {
      name: 'version 2 with more behind the addresses',
      bytes: v2(0x21, 0x11, Buffer.concat([IPV4, Buffer.alloc(9)])),
      source: SOURCE,
    },
  ])('$name', ({ bytes, source }) => {
    expect(findProxyHeader(Buffer.concat([bytes, Buffer.from('rest')]))).toMatchObject({
      length: bytes.length,
      proxied: { source },
    });
    for (let end = 1; end < bytes.length; end++) expect(findProxyHeader(bytes.subarray(0, end))).toBe('more');
  });

  it.each([
    { name: 'version 1, UNKNOWN', bytes: Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n') },
    { name: 'version 1, UNKNOWN without addresses', bytes: Buffer.from('PROXY UNKNOWN\r\n') },
    { name: 'version 2, LOCAL', bytes: v2(0x20, 0x00) },
    { name: 'version 2, LOCAL with addresses', bytes: v2(0x20, 0x11, IPV4) },
    { name: 'version 2, unspecified', bytes: v2(0x21, 0x00) },
    { name: 'version 2, unix', bytes: v2(0x21, 0x31, Buffer.alloc(216)) },
  ])('$name: nobody', ({ bytes }) =>
    expect(findProxyHeader(bytes)).toMatchObject({ length: bytes.length, proxied: undefined }),
  );

  it.each([
    { name: 'a line without an end', bytes: Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`) },
    { name: 'a family that is none', bytes: Buffer.from('PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n') },
    { name: 'an address of the other family', bytes: Buffer.from('PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n') },
    { name: 'a port too large', bytes: Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 70000 53\r\n') },
    { name: 'a word missing', bytes: Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n') },
    { name: 'version 3', bytes: v2(0x31, 0x11, IPV4) },
    { name: 'a command that is none', bytes: v2(0x22, 0x11, IPV4) },
    { name: 'addresses cut short', bytes: v2(0x21, 0x11, IPV4.subarray(0, 11)) },
    { name: 'a length of 65,535', bytes: v2(0x21, 0x11, IPV4, 65_535) },
  ])('$name: malformed', ({ bytes }) => expect(findProxyHeader(bytes)).toBe('malformed'));

  it.each([Buffer.alloc(0), Buffer.from('\x16\x03\x01'), query('x.').bytes])('no header', (bytes) =>
    expect(findProxyHeader(bytes)).toBe('none'),
  );
});

const rules = (policy: 'use' | 'ignore' | 'reject' | 'skip', sessions?: { time: number; most: number }) => ({
  policyFor: () => policy,
  sessions,
});
const PROXY = { address: '127.0.0.1', port: 999 };
const ASKED = Buffer.from(query('x.').bytes);

describe('datagrams', () => {
  it.each([
    { policy: 'use', bytes: [v2(0x21, 0x12, IPV4), ASKED], from: SOURCE },
    { policy: 'use', bytes: [ASKED], from: PROXY },
    { policy: 'use', bytes: [v2(0x20, 0x00), ASKED], from: PROXY },
    { policy: 'use', bytes: [v2(0x21, 0x11, IPV4), ASKED], from: undefined },
    { policy: 'use', bytes: [V1, ASKED], from: undefined },
    { policy: 'use', bytes: [v2(0x21, 0x12, IPV4, 100), ASKED], from: undefined },
    { policy: 'ignore', bytes: [v2(0x21, 0x12, IPV4), ASKED], from: PROXY },
    { policy: 'reject', bytes: [v2(0x21, 0x12, IPV4), ASKED], from: undefined },
    { policy: 'reject', bytes: [ASKED], from: PROXY },
  ] as const)('$policy $bytes.length', ({ policy, bytes, from }) => {
    const taken = new ProxiedDatagrams(rules(policy), new ManualClock()).take(Buffer.concat(bytes), PROXY);
    expect(taken).toEqual(from && { bytes: ASKED, from });
  });

  it('are passed as they are where nobody looks', () => {
    const bytes = Buffer.concat([v2(0x21, 0x12, IPV4), ASKED]);
    expect(new ProxiedDatagrams(rules('skip'), new ManualClock()).take(bytes, PROXY)).toEqual({ bytes, from: PROXY });
  });

  it('of a session have no headers, until it ends', () => {
    const clock = new ManualClock();
    const datagrams = new ProxiedDatagrams(rules('use', { time: 1000, most: 2 }), clock);
    expect(datagrams.take(v2(0x21, 0x12, IPV4), PROXY)).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      clock.advance(900);
      expect(datagrams.take(ASKED, PROXY)?.from).toEqual(SOURCE);
    }
    expect(datagrams.take(ASKED, { ...PROXY, port: 998 })?.from.port).toBe(998);
    clock.advance(1000);
    expect(datagrams.take(ASKED, PROXY)?.from).toEqual(PROXY);
  });

  it('open no more sessions than the bound', () => {
    const datagrams = new ProxiedDatagrams(rules('use', { time: 1000, most: 2 }), new ManualClock());
    const from = [1, 2, 3].map((port) => ({ ...PROXY, port }));
    for (const remote of from) datagrams.take(v2(0x21, 0x12, IPV4), remote);
    expect(from.map((remote) => datagrams.take(ASKED, remote)!.from.address)).toEqual([
      '127.0.0.1',
      '203.0.113.7',
      '203.0.113.7',
    ]);
  });

  it('of 28 bytes that are a header and no more are no fault', () => {
    const datagrams = new ProxiedDatagrams(rules('use'), new ManualClock());
    expect(datagrams.take(v2(0x21, 0x12, IPV4), PROXY)).toEqual({ bytes: Buffer.alloc(0), from: SOURCE });
  });
});

it('a connection that says nothing is closed after 3 seconds', async () => {
  const clock = new ManualClock();
  const [own, theirs] = duplexPair();
  const behind = behindProxy({ stream: theirs, local: PROXY, remote: PROXY }, rules('use'), clock);
  own.write('PROXY');
  clock.advance(3000);
  await expect(behind).rejects.toThrow('the client says nothing');
  expect(theirs.destroyed).toBe(true);
});

let server: Running | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
const start = async (scheme: string, options = 'allow 127.0.0.1/32'): Promise<Running> =>
  (server = await running(
    `${scheme}://.:0 {\nbind 127.0.0.1\ntls ${FILES}/cert.pem ${FILES}/key.pem\nproxyproto {\n${options}\n}\nwhoami\n}`,
  ));

/** What `whoami` says of the client, over a stream. */
async function whoAsks(stream: Duplex): Promise<string> {
  const reader = new FrameReader();
  stream.write(frame(query('x.', 'A').bytes));
  for await (const chunk of stream) {
    reader.push(chunk as Buffer);
    const message = reader.next();
    if (message !== undefined)
      return decodeMessage(message)
        .additional.map((record) => formatRr(record))
        .join(' ');
  }
  return 'closed';
}
const connect = async (port: number, ...first: Buffer[]): Promise<net.Socket> => {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  if (first.length > 0) socket.write(Buffer.concat(first));
  return socket;
};

describe('a server behind a proxy', () => {
  it.each([
    { name: 'version 1', header: V1 },
    { name: 'version 2', header: v2(0x21, 0x11, IPV4) },
  ])('knows the client over TCP, $name', async ({ header }) => {
    const { port } = await start('dns');
    expect(await whoAsks(await connect(port, header))).toMatch(/203\.0\.113\.7.*4711/);
  });

  it('knows the client where the header comes by the byte', async () => {
    const { port } = await start('dns');
    const socket = await connect(port);
    for (const byte of V1) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await whoAsks(socket)).toMatch(/203\.0\.113\.7.*4711/);
  });

  it('knows the client over TLS', async () => {
    const { port } = await start('tls');
    const socket = await connect(port, V1);
    const secured = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['dot'] });
    expect(await whoAsks(secured)).toMatch(/203\.0\.113\.7.*4711/);
  });

  it('takes connections without a header as they are', async () => {
    const { port } = await start('dns');
    expect(await whoAsks(await connect(port))).toMatch(/127\.0\.0\.1/);
  });

  it.each([
    { name: 'a malformed header', options: 'allow 127.0.0.1/32', header: Buffer.from('PROXY TCP4 x\r\n') },
    { name: 'a header of a datagram', options: 'allow 127.0.0.1/32', header: v2(0x21, 0x12, IPV4) },
    { name: 'a header from elsewhere', options: 'allow 192.0.2.0/24\ndefault reject', header: V1 },
  ])('closes a connection with $name', async ({ options, header }) => {
    const { port } = await start('dns', options);
    expect(await whoAsks(await connect(port, header))).toBe('closed');
  });

  it('does not believe others', async () => {
    const { port } = await start('dns', 'allow 192.0.2.0/24');
    expect(await whoAsks(await connect(port, V1))).toMatch(/127\.0\.0\.1/);
  });

  it('knows the client of a datagram, and answers the proxy', async () => {
    const { port } = await start('dns');
    const socket = dgram.createSocket('udp4');
    const answered = once(socket, 'message') as Promise<[Buffer]>;
    for (const bytes of [v2(0x21, 0x12, IPV4), v2(0x20, 0), Buffer.concat([v2(0x21, 0x12, IPV4), ASKED])])
      socket.send(bytes, port, '127.0.0.1');
    const [bytes] = await answered;
    socket.close();
    expect(
      decodeMessage(bytes)
        .additional.map((record) => formatRr(record))
        .join(' '),
    ).toMatch(/203\.0\.113\.7.*4711/);
  });

  const curl = isInstalled('curl');
  if (!curl) console.log('test/server/proxy-protocol: curl is not installed (Debian: curl); skipped');
  it.skipIf(!curl)('takes the header that curl writes, over HTTPS', async () => {
    const { port } = await start('https');
    const dns = Buffer.from(query('x.').bytes).toString('base64url');
    const { stdout } = await promisify(execFile)(
      'curl',
      ['--silent', '--insecure', '--haproxy-protocol', '--http2', `https://127.0.0.1:${port}/dns-query?dns=${dns}`],
      { encoding: 'buffer' },
    );
    expect(decodeMessage(stdout).additional.length).toBeGreaterThan(0);
  });
});
