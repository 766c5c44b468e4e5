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
import { ProxiedDatagrams, behindProxy } from '../../src/server/proxy-protocol.js';
import { FrameReader, decodeMessage, formatRr, frame } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { duplexPair } from '../support/duplex-pair.js';
import { isInstalled } from '../support/debian-server.js';
import { running, type Running } from '../support/running.js';
import { IPV4, SOURCE, V1, v2 } from './proxied.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
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

describe('a connection behind its header', () => {
  const behind = (policy: 'use' | 'ignore' | 'reject' | 'skip') => {
    const clock = new ManualClock();
    const [own, theirs] = duplexPair();
    const found = behindProxy({ stream: theirs, local: PROXY, remote: PROXY }, rules(policy), clock);
    return { clock, own, theirs, found };
  };

  it.each([
    { name: 'a header and more', policy: 'use', sent: [V1, ASKED], remote: SOURCE, rest: ASKED },
    {
      name: 'one byte behind a header',
      policy: 'use',
      sent: [V1, Buffer.from('a')],
      remote: SOURCE,
      rest: Buffer.from('a'),
    },
    { name: 'no header', policy: 'use', sent: [ASKED], remote: PROXY, rest: ASKED },
    { name: 'a header that is not believed', policy: 'ignore', sent: [V1, ASKED], remote: PROXY, rest: ASKED },
    { name: 'a header that says nothing', policy: 'use', sent: [v2(0x20, 0), ASKED], remote: PROXY, rest: ASKED },
    { name: 'what nobody looks at', policy: 'skip', sent: [V1], remote: PROXY, rest: V1 },
  ] as const)('has the rest to read, and waits for nothing any more: $name', async ({ policy, sent, remote, rest }) => {
    const { clock, own, theirs, found } = behind(policy);
    own.write(Buffer.concat(sent));
    const connection = await found;
    expect(connection.remote).toEqual(remote);
    expect([clock.pending, theirs.listenerCount('error'), theirs.listenerCount('readable')]).toEqual([0, 0, 0]);
    expect(await new Promise((resolve) => connection.stream.once('data', resolve))).toEqual(rest);
  });

  it.each([
    { name: 'ends', act: (own: Duplex) => void own.end() },
    { name: 'ends within its header', act: (own: Duplex) => void own.end('PROXY') },
    { name: 'breaks', act: (own: Duplex) => void own.destroy() },
  ])('is closed where it $name', async ({ act }) => {
    const { clock, own, theirs, found } = behind('use');
    act(own);
    await expect(found).rejects.toThrow('the client has closed its connection');
    expect([theirs.destroyed, clock.pending]).toEqual([true, 0]);
  });

  it('is closed with the reason of its fault', async () => {
    const { clock, theirs, found } = behind('use');
    theirs.destroy(new Error('reset'));
    await expect(found).rejects.toThrow('reset');
    expect(clock.pending).toBe(0);
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
