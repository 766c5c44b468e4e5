import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { TlsClient, type TlsSettings } from '../../src/exchange/index.js';
import { FrameReader, decodeMessage, frame } from '../../src/wire/index.js';
import { goodReply } from '../support/fake-upstream.js';
import { World } from './world.js';

const pem = (name: string): string => readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'utf8');
const key = (name: string): string => readFileSync(new URL(`certificates/${name}.key`, import.meta.url), 'utf8');

interface Seen {
  alpn: string | false | null;
  reused: boolean;
  client: string | undefined;
}

/** A DNS over TLS server at the fake network's 10.0.0.1. */
async function serve(
  world: World,
  options: tls.TLSSocketOptions = {},
  versions: Pick<tls.SecureContextOptions, 'maxVersion'> = {},
  broken = (): boolean => false,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const secureContext = tls.createSecureContext({
    cert: pem('server'),
    key: key('server'),
    ca: pem('ca'),
    sessionIdContext: 'test',
    minVersion: 'TLSv1',
    ...versions,
  });
  await world.network.listenTcp({ address: '10.0.0.1', port: 53 }, ({ stream }) => {
    if (broken()) return void stream.destroy();
    const socket = new tls.TLSSocket(stream, { isServer: true, secureContext, ALPNProtocols: ['dot'], ...options });
    const frames = new FrameReader();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      frames.push(chunk);
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        const { CN } = (socket.getPeerCertificate() as tls.PeerCertificate | undefined)?.subject ?? {};
        seen.push({ alpn: socket.alpnProtocol, reused: socket.isSessionReused(), client: CN as string | undefined });
        socket.write(frame(goodReply(decodeMessage(bytes))));
      }
    });
  });
  return seen;
}

const ask = async (world: World): Promise<string[]> => {
  const { events } = world.ask('udp');
  for (let i = 0; i < 20 && events.length === 0; i++) {
    await world.elapse(20);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return events;
};

const worldWith = (settings: TlsSettings, expire = 10_000): World =>
  new World({ tls: new TlsClient(settings), limits: { expire } });

describe('DNS over TLS', () => {
  it('asks over a connection whose certificate it checked, says dot, and uses it again', async () => {
    const world = worldWith({ ca: pem('ca'), serverName: 'dns.example.net' });
    const seen = await serve(world);
    expect(await ask(world)).toEqual(['NOERROR']);
    expect(await ask(world)).toEqual(['NOERROR']);
    expect(seen).toEqual([
      { alpn: 'dot', reused: false, client: undefined },
      { alpn: 'dot', reused: false, client: undefined },
    ]);
    expect(world.reuse).toEqual(['miss tcp-tls', 'hit tcp-tls']);
    world.upstream.close();
  });

  it('takes up its last session on the next connection', async () => {
    const world = worldWith({ ca: pem('ca'), serverName: 'dns.example.net' }, 0);
    const seen = await serve(world);
    expect(await ask(world)).toEqual(['NOERROR']);
    await world.elapse(20);
    expect(await ask(world)).toEqual(['NOERROR']);
    expect(seen.map(({ reused }) => reused)).toEqual([false, true]);
    world.upstream.close();
  });

  it('forgets it where a handshake fails: it may be why', async () => {
    const world = worldWith({ ca: pem('ca'), serverName: 'dns.example.net' }, 0);
    let broken = false;
    const seen = await serve(world, {}, {}, () => broken);
    expect(await ask(world)).toEqual(['NOERROR']);
    await world.elapse(20);
    broken = true;
    expect(await ask(world)).not.toEqual(['NOERROR']);
    await world.elapse(20);
    broken = false;
    expect(await ask(world)).toEqual(['NOERROR']);
    expect(seen.map(({ reused }) => reused)).toEqual([false, false]);
    world.upstream.close();
  });

  it('leaves a connection alone once it is made, and fails where the one below is closed', async () => {
    const world = worldWith({});
    await serve(world);
    const client = new TlsClient({ ca: pem('ca'), serverName: 'dns.example.net' });
    const connect = async (): Promise<Duplex> => {
      const connecting = world.network.connectTcp({ address: '10.0.0.1', port: 53 });
      await world.elapse(5);
      return (await connecting).stream;
    };
    const stop = new AbortController();
    const securing = client.secure(await connect(), '10.0.0.1', stop.signal);
    await world.elapse(100);
    const secured = await securing;
    stop.abort(new Error('too late'));
    expect(secured.destroyed).toBe(false);
    secured.destroy();
    const below = await connect();
    const failing = client.secure(below, '10.0.0.1', new AbortController().signal);
    below.destroy();
    await expect(failing).rejects.toThrow(/tls: connection closed during the handshake|disconnected before/);
    world.upstream.close();
  });

  it('shows a client certificate where it has one', async () => {
    const world = worldWith({ ca: pem('ca'), cert: pem('client'), key: key('client'), serverName: 'dns.example.net' });
    const seen = await serve(world, { requestCert: true, rejectUnauthorized: true });
    expect(await ask(world)).toEqual(['NOERROR']);
    expect(seen[0]!.client).toBe('client');
    world.upstream.close();
  });

  it.each([
    {
      name: 'an unknown authority',
      settings: { serverName: 'dns.example.net' },
      error: /^dial tcp 10\.0\.0\.1:53: .*certificate/,
    },
    {
      name: 'a certificate for another name',
      settings: { ca: pem('ca'), serverName: 'other.example.net' },
      error: /^dial tcp 10\.0\.0\.1:53: .*other\.example\.net/,
    },
    {
      name: 'a certificate for another address',
      settings: { ca: pem('ca') },
      error: /^dial tcp 10\.0\.0\.1:53: .*10\.0\.0\.1/,
    },
  ])('refuses $name', async ({ settings, error }) => {
    const world = worldWith(settings);
    const seen = await serve(world);
    const events = await ask(world);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(error);
    expect(seen).toEqual([]);
    expect(world.network.streams.size).toBe(0);
    world.upstream.close();
  });

  it('takes a certificate for the address when no name is set', async () => {
    const world = worldWith({ ca: pem('ca'), serverName: '127.0.0.1' });
    await serve(world);
    expect(await ask(world)).toEqual(['NOERROR']);
    world.upstream.close();
  });

  it('reports a connection that is closed during the handshake', async () => {
    const world = worldWith({ ca: pem('ca') });
    await world.network.listenTcp({ address: '10.0.0.1', port: 53 }, ({ stream }) => void stream.destroy());
    const [error] = await ask(world);
    expect(error).toMatch(/^dial tcp 10\.0\.0\.1:53: /);
    expect(world.network.streams.size).toBe(0);
    world.upstream.close();
  });

  it('leaves no connection behind whose handshake comes to no end', async () => {
    const world = worldWith({ ca: pem('ca') });
    await world.network.listenTcp({ address: '10.0.0.1', port: 53 }, () => undefined);
    const { events } = world.ask('udp');
    await world.elapse(100);
    expect(world.network.streams.size).toBe(1);
    await world.elapse(31_000);
    expect(events).toEqual(['dial tcp 10.0.0.1:53: i/o timeout']);
    expect(world.network.streams.size).toBe(0);
    world.upstream.close();
  });

  it('refuses a server that speaks TLS 1.1 at most, also where the system would still do so', async () => {
    const { DEFAULT_CIPHERS } = tls;
    // OpenSSL offers what is older than TLS 1.2 at this level only.
    tls.DEFAULT_CIPHERS = 'DEFAULT@SECLEVEL=0';
    try {
      const world = worldWith({ ca: pem('ca'), serverName: 'dns.example.net' });
      const seen = await serve(world, {}, { maxVersion: 'TLSv1.1' });
      expect((await ask(world))[0]).toMatch(/^dial tcp 10\.0\.0\.1:53: .*alert protocol version/);
      expect(seen).toEqual([]);
      world.upstream.close();
    } finally {
      tls.DEFAULT_CIPHERS = DEFAULT_CIPHERS;
    }
  });

  it('throws for a key that is none', () =>
    expect(() => new TlsClient({ cert: pem('client'), key: 'no key' })).toThrow());
});
