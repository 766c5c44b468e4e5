import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { TlsListening } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { secureConnection } from '../../src/server/tls.js';
import { duplexPair } from '../support/duplex-pair.js';

const pem = (name: string): string =>
  readFileSync(new URL(`../exchange/certificates/${name}`, import.meta.url), 'utf8');
const SERVER = { cert: pem('server.pem'), key: pem('server.key') };
const CLIENT = { cert: pem('client.pem'), key: pem('client.key') };
const HERE = { address: '192.0.2.1', port: 853 };
const THERE = { address: '192.0.2.2', port: 1024 };

const ends: Duplex[] = [];
afterEach(() => ends.splice(0).forEach((end) => end.destroy()));

/** Begins a handshake; where clients are trusted, the server knows their CA. */
function begin(listening: Partial<TlsListening> = {}, trusted = true) {
  const clock = new ManualClock();
  const [own, theirs] = duplexPair();
  ends.push(own, theirs);
  for (const end of [own, theirs]) end.on('error', () => undefined);
  const context = tls.createSecureContext({ ...SERVER, ...(trusted && { ca: pem('ca.pem') }) });
  const securing = secureConnection(
    { stream: theirs, local: HERE, remote: THERE },
    { context: () => context, clientCertificate: 'none', ...listening },
    ['dot'],
    clock,
  );
  securing.catch(() => undefined);
  const connect = (options: tls.ConnectionOptions = {}): tls.TLSSocket => {
    const socket = tls.connect({ socket: own, rejectUnauthorized: false, ...options });
    socket.on('error', () => undefined);
    ends.push(socket);
    return socket;
  };
  return { clock, own, theirs, securing, connect };
}

describe('a handshake', () => {
  it.each([
    { name: 'nothing', options: {}, protocol: undefined, serverName: undefined },
    { name: 'what is to be spoken', options: { ALPNProtocols: ['dot'] }, protocol: 'dot', serverName: undefined },
    { name: 'a name', options: { servername: 'dns.example' }, protocol: undefined, serverName: 'dns.example' },
  ])('that ends well tells what the client said: $name', async ({ options, protocol, serverName }) => {
    const { clock, securing, connect } = begin();
    connect(options);
    const secured = await securing;
    expect([secured.protocol, secured.facts]).toEqual([
      protocol,
      { version: 'TLSv1.3', serverName, subject: undefined },
    ]);
    const { stream, local, remote } = secured.connection;
    expect([local, remote, clock.pending]).toEqual([HERE, THERE, 0]);
    // Who serves the connection hears of its faults.
    expect([
      stream.listenerCount('error'),
      (stream as tls.TLSSocket & { secureConnecting: boolean }).secureConnecting,
    ]).toEqual([0, false]);
  });

  it('carries what is said on both sides', async () => {
    const { securing, connect } = begin();
    const client = connect();
    const { connection } = await securing;
    connection.stream.on('data', (chunk: Buffer) => connection.stream.write(`${chunk.toString()}!`));
    client.write('hello');
    expect(await new Promise((resolve) => client.once('data', (chunk) => resolve(String(chunk))))).toBe('hello!');
  });

  it('tells its secrets to who is to know them', async () => {
    const lines: string[] = [];
    const { securing, connect } = begin({ keylog: (line) => void lines.push(line.toString()) });
    connect();
    await securing;
    expect(lines.some((line) => line.startsWith('SERVER_TRAFFIC_SECRET_0 '))).toBe(true);
  });

  it.each([
    { wanted: 'none', given: false, trusted: true, outcome: undefined },
    { wanted: 'none', given: true, trusted: true, outcome: undefined },
    { wanted: 'request', given: false, trusted: true, outcome: undefined },
    { wanted: 'request', given: true, trusted: false, outcome: 'client' },
    { wanted: 'any', given: false, trusted: true, outcome: 'the client gave no certificate' },
    { wanted: 'any', given: true, trusted: false, outcome: 'client' },
    { wanted: 'verify-if-given', given: false, trusted: true, outcome: undefined },
    { wanted: 'verify-if-given', given: true, trusted: true, outcome: 'client' },
    { wanted: 'verify-if-given', given: true, trusted: false, outcome: /certificate|issuer/ },
    { wanted: 'verify', given: false, trusted: true, outcome: 'the client gave no certificate' },
    { wanted: 'verify', given: true, trusted: true, outcome: 'client' },
    { wanted: 'verify', given: true, trusted: false, outcome: /certificate|issuer/ },
  ] as const)('where a certificate is wanted as $wanted, given: $given, of a trusted CA: $trusted', async (row) => {
    const { theirs, securing, connect } = begin({ clientCertificate: row.wanted }, row.trusted);
    connect(row.given ? CLIENT : {});
    const outcome = await securing.then(
      ({ facts }) => facts.subject,
      (error: Error) => error.message,
    );
    if (row.outcome instanceof RegExp) expect(outcome).toMatch(row.outcome);
    else expect(outcome).toBe(row.outcome);
    expect(theirs.destroyed).toBe(row.outcome !== undefined && row.outcome !== 'client');
  });

  it('that does not end is given up after three seconds', async () => {
    const { clock, theirs, securing } = begin();
    clock.advance(2999);
    expect(theirs.destroyed).toBe(false);
    clock.advance(1);
    await expect(securing).rejects.toThrow('the TLS handshake took too long');
    expect(theirs.destroyed).toBe(true);
  });

  it.each([
    { name: 'is none', act: (own: Duplex) => void own.write('GET / HTTP/1.1\r\n\r\n') },
    { name: 'breaks', act: (own: Duplex) => void own.destroy() },
  ])('that $name closes the connection, and nothing waits any more', async ({ act }) => {
    const { clock, own, theirs, securing } = begin();
    act(own);
    await expect(securing).rejects.toThrow();
    expect([theirs.destroyed, clock.pending]).toEqual([true, 0]);
  });
});
