import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client, Query } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Endpoint, OnDatagram } from '../../src/net/network.js';
import { QuicServer, type QuicContext } from '../../src/server/quic.js';
import type { ResponseWriter } from '../../src/server/respond.js';
import type { Served } from '../../src/server/routes.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { TestLog } from '../support/block.js';
import { FakeQuicLibrary, longPacket, type FakeQuicState } from '../support/fake-quic.js';

const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
const LOCAL = { address: '127.0.0.1', port: 853 };
const LABEL = 'quic://.:853';

interface Asked {
  readonly message: Buffer;
  readonly client: Client;
  readonly received: number;
  readonly writer: ResponseWriter;
}

/** A server at one address, whose queries are answered by hand, and clients that are moved by hand. */
class World {
  readonly library = new FakeQuicLibrary();
  readonly clock = new ManualClock();
  readonly log = new TestLog();
  readonly metrics = new Metrics();
  readonly clients = new TcpClients(this.clock);
  readonly asked: Asked[] = [];
  readonly sent: string[] = [];
  readonly routes: Record<string, unknown>;
  socketOpen = false;
  readonly server: QuicServer;
  private onDatagram!: OnDatagram;

  constructor(
    quic: Readonly<Record<string, number>> | undefined = undefined,
    tls: Readonly<Record<string, unknown>> = {},
  ) {
    const pem = (): unknown => ({ key: 'KEY', cert: 'CERT', ca: undefined });
    const context = {};
    const own = { context: () => context, pem, clientCertificate: 'none', ...tls };
    this.routes = { transports: { quic }, limits: {}, tls: own };
    const network = {
      bindUdp: (at: Endpoint, onDatagram: OnDatagram) => {
        this.onDatagram = onDatagram;
        this.socketOpen = true;
        return Promise.resolve({
          local: { ...at, port: 8853 },
          send: (bytes: Buffer, length: number, to: Endpoint) =>
            void this.sent.push(`${bytes.toString('latin1', 0, length)} to ${to.port}`),
          close: () => (this.socketOpen = false),
        });
      },
    };
    const { clock, log, metrics, clients } = this;
    const respond = (message: Buffer, _: Served, client: Client, received: number, writer: ResponseWriter): void =>
      void this.asked.push({ message, client, received, writer });
    const served = { server: { ...LOCAL, label: LABEL }, routes: this.routes } as unknown as Served;
    const given = { clock, log, metrics, clients, network, responder: { respond } } as unknown as QuicContext;
    this.server = new QuicServer(given, this.library, served);
  }

  async listen(): Promise<this> {
    await this.server.listen();
    return this;
  }

  /** Packets of client `number` come: what its streams have is read. */
  take(number: number, bytes?: Buffer): void {
    this.onDatagram(bytes ?? longPacket(`client-${number}`), { address: '192.0.2.9', port: 4000 + number });
  }

  /** The connection of client `number`, through. */
  connect(number: number, change: (state: FakeQuicState) => void = () => undefined): FakeQuicState {
    this.take(number);
    const { state } = this.library.accepted.at(-1)!;
    state.established = true;
    change(state);
    this.take(number);
    return state;
  }

  async counts(): Promise<string[]> {
    const text = await this.metrics.text();
    return text
      .split('\n')
      .filter((line) => line.startsWith('coredns_dns_quic_responses_total'))
      .map((line) => /status="(\w+)"} (\d+)/.exec(line)!.slice(1).join(': '));
  }
}

const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
const message = (size = 40, id = 0): Buffer =>
  Buffer.concat([Buffer.from([id >> 8, id & 255]), Buffer.alloc(size - 2, 1)]);
const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
/** An answer as it is made: with room for its length. */
const answer = (size = 10): Buffer => Buffer.concat([Buffer.alloc(2), Buffer.alloc(size, 0x61)]);

describe('a server for DNS over QUIC', () => {
  it('listens at its address until it is destroyed', async () => {
    const world = new World();
    expect([world.server.local.port, world.server.listens, world.server.accepted]).toEqual([853, true, 0]);
    await world.listen();
    expect([world.server.local, world.server.turnAway()]).toEqual([{ ...LOCAL, port: 8853 }, false]);
    world.connect(1);
    expect(world.server.open).toBe(1);
    world.server.destroy();
    expect([world.server.open, world.socketOpen, world.clients.size]).toEqual([0, false, 0]);
    expect(world.sent).toEqual(['close application 0 to 4001']);
  });

  it('passes queries on with what is known of their client', async () => {
    const world = await new World().listen();
    const certificate = new X509Certificate(readFileSync(`${FILES}/other-cert.pem`)).raw;
    const state = world.connect(1, (made) => {
      made.name = 'dns.example';
      made.certificates = [certificate];
    });
    world.clock.advance(5);
    state.arrive(0, framed(message()), true);
    world.take(1);
    const [{ message: got, client, received, writer }] = world.asked as [Asked];
    expect(got).toEqual(message());
    expect(client).toEqual({
      transport: 'quic',
      tls: { version: 'TLSv1.3', serverName: 'dns.example', subject: 'other.example' },
      remote: { address: '192.0.2.9', port: 4001 },
      local: { ...LOCAL, port: 8853 },
      server: { ...LOCAL, label: LABEL },
    });
    expect([received, writer.prefix]).toEqual([world.clock.monotonic(), 2]);
    const options = (...codes: number[]): Query =>
      ({ ednsOptions: codes.map((code) => ({ code })) }) as unknown as Query;
    // The option for TCP connections has no place here.
    expect([options(), options(10, 12), options(10, 11)].map((query) => writer.allows!(query))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('knows nothing of a client that says nothing', async () => {
    const world = await new World().listen();
    world.connect(1).arrive(0, framed(message()));
    world.take(1);
    expect(world.asked[0]!.client.tls).toEqual({ version: 'TLSv1.3', serverName: undefined, subject: undefined });
  });

  it('sends an answer behind its length, and its stream is over', async () => {
    const world = await new World().listen();
    const state = world.connect(1);
    state.arrive(0, framed(message(300)));
    world.take(1);
    world.asked[0]!.writer.send(answer(300));
    await turn();
    const { sent, ended } = state.stream(0);
    expect([sent.length, sent.charCodeAt(0), sent.charCodeAt(1), ended]).toEqual([302, 1, 44, true]);
    expect([await world.counts(), world.clients.held]).toEqual([['0x0: 1'], 0]);
  });

  it.each([
    { name: 'byte by byte', size: 40, step: 1 },
    { name: 'with a long length', size: 700, step: 1 },
    { name: 'by its length and the rest', size: 40, step: 2 },
    { name: 'of two bytes', size: 2, step: 3 },
  ])('takes a message $name', async ({ size, step }) => {
    const world = await new World().listen();
    const state = world.connect(1);
    const bytes = framed(message(size));
    for (let at = 0; at < bytes.length; at += step) {
      expect(world.asked).toEqual([]);
      state.arrive(0, bytes.subarray(at, at + step), at + step >= bytes.length);
      world.take(1);
    }
    expect(world.asked.map(({ message: got }) => got.length)).toEqual([size]);
    expect(world.sent).toEqual([]);
  });

  it.each([
    { name: 'a message id', bytes: framed(message(40, 1)) },
    { name: 'the high byte of one', bytes: framed(message(40, 256)) },
    { name: 'a message of no bytes', bytes: Buffer.from([0, 0]) },
    { name: 'one of one byte', bytes: Buffer.from([0, 1, 0]) },
    { name: 'no message', bytes: Buffer.alloc(0) },
    { name: 'half a length', bytes: Buffer.from([0]) },
    { name: 'an end before the message is complete', bytes: framed(message()).subarray(0, 41) },
    { name: 'a byte behind it', bytes: Buffer.concat([framed(message()), Buffer.alloc(1)]) },
  ])('ends a connection on which comes $name', async ({ bytes }) => {
    const world = await new World().listen();
    world.connect(1).arrive(0, bytes, true);
    world.take(1);
    expect([world.asked, world.sent, await world.counts()]).toEqual([[], ['close application 2 to 4001'], ['0x2: 1']]);
    expect([world.server.open, world.clients.size]).toEqual([0, 0]);
  });

  it('ends a connection whose query is none, and breaks off a stream that gets no answer', async () => {
    const world = await new World().listen();
    const state = world.connect(1);
    for (const id of [0, 4]) state.arrive(id, framed(message()), true);
    world.take(1);
    world.asked[0]!.writer.dropped!();
    await turn();
    expect([state.stream(0).shut, world.sent, await world.counts()]).toEqual([['0: 1', '1: 1'], [], []]);
    world.asked[1]!.writer.rejected!();
    expect([world.sent, await world.counts()]).toEqual([['close application 2 to 4001'], ['0x2: 1']]);
  });

  it.each<{ name: string; leave: (world: World, state: FakeQuicState) => void }>([
    { name: 'answered', leave: ({ asked }) => asked[0]!.writer.send(answer()) },
    { name: 'dropped', leave: ({ asked }) => asked[0]!.writer.dropped!() },
    { name: 'rejected', leave: ({ asked }) => asked[0]!.writer.rejected!() },
    {
      name: 'taken back',
      leave: (world, state) => {
        state.stream(0).isReset = true;
        world.take(1);
      },
    },
  ])('takes the next query when one of as many as there may be is $name, and one alone', async ({ leave }) => {
    const world = await new World({ queries: 1 }).listen();
    const state = world.connect(1);
    state.arrive(0, framed(message()));
    world.take(1);
    for (const number of [2, 3, 4]) {
      world.connect(number).arrive(0, framed(message(40 + number)));
      world.take(number);
    }
    expect(world.asked).toHaveLength(1);
    // Who waits no more takes nobody a place.
    const [, second] = world.library.accepted;
    second!.state.stream(0).isReset = true;
    world.take(2);
    leave(world, state);
    expect(world.asked.map(({ message: got }) => got.length)).toEqual([40, 43]);
    // What is told twice makes room once.
    world.asked[0]!.writer.dropped!();
    expect(world.asked).toHaveLength(2);
  });

  it('has room for so many queries where nothing is said', async () => {
    const world = await new World().listen();
    for (let number = 0; number < 5; number++) {
      const state = world.connect(number);
      for (let i = 0; i < 250; i++) state.arrive(4 * i, framed(message()));
      world.take(number);
    }
    expect(world.asked).toHaveLength(1024);
  });

  it('ends connections when it stops: idle ones at once, others with their last answers', async () => {
    const world = await new World().listen();
    const [busy] = [world.connect(1), world.connect(2)];
    for (const id of [0, 4]) busy.arrive(id, framed(message()), true);
    world.take(1);
    // Not through yet.
    world.take(3);
    world.server.close();
    expect(world.sent).toEqual(['close application 0 to 4003', 'close application 0 to 4002']);
    for (const { writer } of world.asked) {
      expect(world.server.open).toBe(1);
      writer.send(answer());
      await turn();
    }
    expect(world.sent.slice(2)).toEqual(['stream 0 to 4001', 'stream 4 to 4001', 'close application 0 to 4001']);
    expect([world.server.open, world.clients.size]).toEqual([0, 0]);
  });

  it.each([
    { name: 'as is said', quic: { connections: 2 }, most: 2 },
    { name: 'two hundred where nothing is', quic: undefined, most: 200 },
  ])('has as many connections as may be, $name: the one that is silent for longest goes', async ({ quic, most }) => {
    const world = await new World(quic).listen();
    for (let number = 0; number < most; number++) {
      world.clock.advance(1);
      world.connect(number);
    }
    expect([world.server.open, world.sent]).toEqual([most, []]);
    world.clock.advance(1);
    world.connect(most);
    expect([world.server.open, world.sent]).toEqual([most, ['close application 0 to 4000']]);
  });

  it('is told by a proxy who asks', async () => {
    const world = await new World().listen();
    world.routes.proxies = { policyFor: () => 'use', sessions: undefined };
    // The PROXY protocol, version 2: UDP over IPv4.
    const head = Buffer.from('0d0a0d0a000d0a515549540a2112000ccb007101c00002010102035 5'.replace(' ', ''), 'hex');
    world.take(1, Buffer.concat([head, longPacket('client-1')]));
    const { state } = world.library.accepted[0]!;
    state.established = true;
    state.arrive(0, framed(message()));
    world.take(1, Buffer.concat([head, longPacket('client-1')]));
    expect(world.asked[0]!.client.remote).toEqual({ address: '203.0.113.1', port: 258 });
    world.take(1, head.subarray(0, 20));
    world.routes.proxies = { policyFor: () => 'reject', sessions: undefined };
    world.take(2, Buffer.concat([head, longPacket('client-2')]));
    expect(world.library.accepted).toHaveLength(1);
  });

  describe('is set up', () => {
    const LIMITS = [
      'setApplicationProtos doq',
      'grease false',
      'setMaxIdleTimeout 600000',
      'setInitialMaxData 262152',
      'setMaxConnectionWindow 262152',
      'setInitialMaxStreamDataBidiRemote 65538',
      'setMaxStreamWindow 65538',
    ];

    it.each([
      {
        name: 'with 256 streams where nothing is said',
        quic: undefined,
        tls: {},
        want: 'with false, false, null, KEY, CERT, null',
        streams: 256,
      },
      {
        name: 'with as many as are',
        quic: { streams: 3 },
        tls: {},
        want: 'with false, false, null, KEY, CERT, null',
        streams: 3,
      },
      {
        name: 'for clients with any certificate',
        quic: undefined,
        tls: { clientCertificate: 'any', pem: () => ({ key: 'KEY', cert: 'CERT', ca: 'CA' }) },
        want: 'with true, true, CA, KEY, CERT, null',
        streams: 256,
      },
      {
        name: 'for clients with one of a CA',
        quic: undefined,
        tls: { clientCertificate: 'verify', pem: () => ({ key: 'KEY', cert: 'CERT', ca: 'CA' }) },
        want: 'with true, false, CA, KEY, CERT, null',
        streams: 256,
      },
    ])('$name', ({ quic, tls, want, streams }) => {
      const { library } = new World(quic, tls);
      expect(library.configured).toEqual([
        want,
        ...LIMITS,
        `setInitialMaxStreamsBidi ${streams}`,
        'setDisableActiveMigration true',
      ]);
    });

    it('with the CAs of the system where none is named', () =>
      expect(new World(undefined, { clientCertificate: 'verify' }).library.configured[0]).toMatch(/BEGIN CERTIFICATE/));

    it('not without a certificate as text, nor with a bad one', () => {
      expect(() => new World(undefined, { pem: undefined })).toThrow('the certificate is not to be had as text');
      expect(() => new World(undefined, { pem: () => ({ key: 'bad', cert: 'CERT' }) })).toThrow('no certificate');
    });

    it('again when its certificate changes, and as it was where that fails', async () => {
      let context = {};
      let key = 'KEY';
      const world = await new World(undefined, { context: () => context, pem: () => ({ key, cert: 'CERT' }) }).listen();
      const begun = (): string[] => world.library.configured.filter((text) => text.startsWith('with'));
      const config = (number: number): unknown => {
        world.connect(number);
        return world.library.accepted.at(-1)!.config;
      };
      const first = config(1);
      expect([config(2) === first, begun().length]).toEqual([true, 1]);
      [context, key] = [{}, 'NEXT'];
      const second = config(3);
      expect([second === first, begun().length]).toEqual([false, 2]);
      [context, key] = [{}, 'bad'];
      expect([config(4) === second, config(5) === second, begun().length]).toEqual([true, true, 3]);
      expect(world.log.lines).toEqual([`[ERROR] QUIC at ${LABEL} keeps its certificate: no certificate`]);
    });

    it('when there is a certificate', async () => {
      const there: { context?: object } = {};
      const world = await new World(undefined, {
        context: () => {
          if (there.context === undefined) throw new Error('it is ordered');
          return there.context;
        },
      }).listen();
      world.take(1);
      expect([world.server.open, world.library.configured]).toEqual([0, []]);
      there.context = {};
      world.take(1);
      expect(world.server.open).toBe(1);
    });
  });

  it.each([
    { name: 'without one', certificates: null, open: 0 },
    { name: 'with none in its list', certificates: [], open: 0 },
    { name: 'with one', certificates: [new X509Certificate(readFileSync(`${FILES}/cert.pem`)).raw], open: 1 },
  ])('wants a certificate of clients where it asks for any: a client $name', async ({ certificates, open }) => {
    const world = await new World(undefined, { clientCertificate: 'any' }).listen();
    world.connect(1, (state) => (state.certificates = certificates));
    expect([world.server.open, world.sent]).toEqual([open, open === 0 ? ['close application 0 to 4001'] : []]);
  });
});
