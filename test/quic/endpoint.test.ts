import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { QuicEndpoint } from '../../src/quic/endpoint.js';
import { quicLibrary } from '../support/quic-client.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const CLIENT = { address: '192.0.2.9', port: 4000 };
const TO = { host: '127.0.0.1', port: 853 };

/** An endpoint that is reached by hand. */
function world(): { endpoint: QuicEndpoint; sent: Buffer[]; clock: ManualClock } {
  const library = quicLibrary!;
  const pem = (name: string): Buffer => readFileSync(`${FILES}/${name}.pem`);
  const config = library.Config.withBoringSslCtx(false, false, null, [pem('key')], [pem('cert')], null);
  config.setApplicationProtos(['doq']);
  const sent: Buffer[] = [];
  const clock = new ManualClock();
  const send = (packet: Buffer): void => void sent.push(packet);
  const endpoint = new QuicEndpoint({ library, clock, config: () => config, send, accept: () => undefined });
  return { endpoint, sent, clock };
}

/** A client's state, and its first packet. */
function first(): { state: ReturnType<NonNullable<typeof quicLibrary>['Connection']['connect']>; packet: Buffer } {
  const library = quicLibrary!;
  const config = library.Config.withBoringSslCtx(false, false, null, null, null, null);
  config.setApplicationProtos(['doq']);
  const from = { host: CLIENT.address, port: CLIENT.port };
  const state = library.Connection.connect('dns.example', randomBytes(20), from, TO, config);
  return { state, packet: next(state)! };
}

function next(state: ReturnType<typeof first>['state']): Buffer | undefined {
  const packet = Buffer.alloc(1350);
  const made = state.send(packet);
  return made === null ? undefined : packet.subarray(0, made[0]);
}

/** The kind of a packet with a long header (RFC 9000 section 17.2); `retry` is the fourth. */
const isRetry = (packet: Buffer): boolean => (packet[0]! & 0xf0) === 0xf0;

describe.skipIf(quicLibrary === undefined)('packets at a QUIC address', () => {
  it('10,000 clients that send a first packet and no more keep a hundred places, for three seconds', () => {
    const { endpoint, sent, clock } = world();
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      endpoint.receive(first().packet, { ...CLIENT, port: 1024 + i });
      most = Math.max(most, endpoint.open);
    }
    expect(most).toBe(100);
    expect(sent.filter(isRetry)).toHaveLength(9900);
    // Nobody is sent more than three times what came from there (RFC 9000 section 8.1).
    expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(10_000 * 3 * 1200);
    clock.advance(3000);
    expect([endpoint.open, clock.pending]).toEqual([0, 0]);
  });

  describe('a token', () => {
    const asked = (): ReturnType<typeof world> & { packet: Buffer } => {
      const around = world();
      for (let i = 0; i < 100; i++) around.endpoint.receive(first().packet, { ...CLIENT, port: 1024 + i });
      const { state, packet } = first();
      around.sent.length = 0;
      around.endpoint.receive(packet, CLIENT);
      expect(around.sent.map(isRetry)).toEqual([true]);
      const from = { host: TO.host, port: TO.port };
      state.recv(around.sent.pop()!, { from, to: { host: CLIENT.address, port: CLIENT.port } });
      return { ...around, packet: next(state)! };
    };

    it('makes room for its client', () => {
      const { endpoint, packet } = asked();
      endpoint.receive(packet, CLIENT);
      expect(endpoint.open).toBe(101);
    });

    it('is of no use at another address', () => {
      const { endpoint, sent, packet } = asked();
      endpoint.receive(packet, { ...CLIENT, address: '192.0.2.10' });
      expect([endpoint.open, sent.map(isRetry)]).toEqual([100, [true]]);
    });

    it('is of no use later', () => {
      const { endpoint, clock, packet } = asked();
      clock.advance(10_001);
      for (let i = 0; i < 100; i++) endpoint.receive(first().packet, { ...CLIENT, port: 1024 + i });
      endpoint.receive(packet, CLIENT);
      expect(endpoint.open).toBe(100);
    });
  });

  it.each([
    { name: 'nothing', packet: Buffer.alloc(0) },
    { name: 'a DNS query', packet: Buffer.alloc(40, 1) },
    { name: 'noise', packet: Buffer.alloc(1300, 0x5a) },
    { name: 'noise with a long head', packet: Buffer.alloc(1300, 0xda) },
    { name: 'a first packet that is too short', packet: () => first().packet.subarray(0, 1100) },
  ])('$name begins nothing and is not answered', ({ packet }) => {
    const { endpoint, sent } = world();
    endpoint.receive(typeof packet === 'function' ? packet() : packet, CLIENT);
    expect([endpoint.open, sent]).toEqual([0, []]);
  });

  it('a version that nobody knows is answered with those there are', () => {
    const { endpoint, sent } = world();
    const { packet } = first();
    packet.writeUInt32BE(0x0badcafe, 1);
    endpoint.receive(packet, CLIENT);
    expect([endpoint.open, sent.map((answer) => answer.readUInt32BE(1))]).toEqual([0, [0]]);
  });

  it('a first packet that cannot be read is let go', () => {
    const { endpoint, clock } = world();
    const { packet } = first();
    packet.fill(0, 60);
    endpoint.receive(packet, CLIENT);
    clock.advance(3000);
    expect([endpoint.open, clock.pending]).toEqual([0, 0]);
  });
});
