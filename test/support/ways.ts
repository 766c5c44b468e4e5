import dgram from 'node:dgram';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import type { Transport } from '../../src/chain/index.js';
import type { Scheme } from '../../src/corefile/index.js';
import { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import type { AnswersBelow } from '../../src/fastpath/worker-pool-options.js';
import { packetOf, readPacket } from '../../src/exchange/index.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { Server } from '../../src/server/server.js';
import { FrameReader, encodeMessage, frame } from '../../src/wire/index.js';
import { TestLog } from './block.js';
import { compiledProgram } from './compiled.js';
import { QuicClient, quicLibrary } from './quic-client.js';

const TLS_FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
/** An answer that is waited for, and an end that is, come within this time, in milliseconds. */
const PATIENCE = 5000;

/** Waits for what comes by itself. */
export async function until(holds: () => boolean, what = 'it'): Promise<void> {
  for (const deadline = performance.now() + PATIENCE; !holds(); await new Promise((done) => setTimeout(done, 5)))
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
}

/** A client of its own: what it sends, and all messages that came back. */
export class Line {
  readonly got: Buffer[] = [];
  /** What handlers threw, in a way that tells. */
  readonly faults: string[] = [];

  constructor(
    readonly send: (message: Uint8Array) => void,
    readonly close: () => void,
  ) {}

  /** The first message with the id of `message`, sent now. */
  async ask(message: Uint8Array): Promise<Buffer> {
    this.send(message);
    return this.reply((message[0]! << 8) | message[1]!);
  }

  async reply(id: number): Promise<Buffer> {
    const find = (): Buffer | undefined => this.got.find((message) => message.readUInt16BE(0) === id);
    await until(() => find() !== undefined, `the answer to ${id}`);
    return find()!;
  }
}

/** A way for queries to reach a server. */
export interface Way {
  readonly name: string;
  /** What handlers are told. */
  readonly transport: Transport;
  /** Of the server block's key. */
  readonly scheme: Scheme;
  /** Whether messages can follow each other, as those of a transfer do. */
  readonly streams: boolean;
  /** Whether answers are given again by threads of their own. */
  readonly batched?: boolean;
  /** Whether what is no query gets no DNS message, but is refused in another way. */
  readonly refusesOutside?: boolean;
  /** Whether a connection can end before its answers. */
  readonly connects: boolean;
  /** Whether whoever asks is told of a handler's fault itself. */
  readonly rejects?: boolean;
  /** Where it is not over the loopback: addresses, and what answers before the threads. */
  readonly link?: {
    readonly addresses: { readonly server: string; readonly clients: readonly string[] };
    readonly open: () => AnswersBelow;
  };
  connect(server: Server, from: string): Promise<Line>;
}

/** Of the server, and of its first clients. */
export const addressesOf = ({ link }: Way): NonNullable<Way['link']>['addresses'] =>
  link?.addresses ?? { server: '127.0.0.1', clients: ['127.0.0.1', '127.0.0.2'] };

const overUdp = async (server: Server, from: string): Promise<Line> => {
  const socket = dgram.createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, from, resolve));
  return datagrams(server, socket, '127.0.0.1');
};

/** Over a bound socket. */
export function datagrams(server: Server, socket: dgram.Socket, to: string): Line {
  const { port } = server.served[0]!;
  const line = new Line(
    (message) => socket.send(message, port, to),
    () => socket.close(),
  );
  socket.on('message', (message) => line.got.push(message));
  return line;
}

/** Messages with their lengths before them (RFC 1035 section 4.2.2). */
function framed(stream: Duplex, socket: net.Socket): Line {
  const reader = new FrameReader();
  const line = new Line(
    (message) => stream.write(frame(message)),
    // A client that only ends its part may still wait for answers; this one does not.
    () => socket.resetAndDestroy(),
  );
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    for (let message = reader.next(); message !== undefined; message = reader.next())
      line.got.push(Buffer.from(message));
  });
  return line;
}

const overTcp = async (server: Server, from: string): Promise<Line> => {
  const socket = net.connect({ port: server.served[0]!.port, host: '127.0.0.1', localAddress: from });
  await new Promise((resolve) => socket.once('connect', resolve));
  return framed(socket, socket);
};

const overTls = async (server: Server, from: string): Promise<Line> => {
  const socket = net.connect({ port: server.served[0]!.port, host: '127.0.0.1', localAddress: from });
  const secured = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['dot'], servername: 'dns.test' });
  await new Promise((resolve) => secured.once('secureConnect', resolve));
  return framed(secured, socket);
};

/** Each message as a request of its own on one HTTP/2 connection; what is not answered with 200 brings none. */
async function overHttp2(
  server: Server,
  from: string,
  request: (message: Uint8Array) => { readonly path: string; readonly type: string; readonly body: Uint8Array },
  read: (body: Buffer) => Buffer | undefined,
): Promise<Line> {
  const socket = net.connect({ port: server.served[0]!.port, host: '127.0.0.1', localAddress: from });
  const secured = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'], servername: 'dns.test' });
  await new Promise((resolve) => secured.once('secureConnect', resolve));
  const session = http2.connect('https://dns.test', { createConnection: () => secured });
  session.on('error', () => undefined);
  const line = new Line(
    (message) => {
      const { path: url, type, body } = request(message);
      const stream = session.request({ ':method': 'POST', ':path': url, 'content-type': type });
      const chunks: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('response', (headers) =>
        stream.on('end', () => {
          const answer = headers[':status'] === 200 ? read(Buffer.concat(chunks)) : undefined;
          if (answer !== undefined) line.got.push(answer);
        }),
      );
      stream.end(body);
    },
    () => socket.resetAndDestroy(),
  );
  return line;
}

const overHttps = (server: Server, from: string): Promise<Line> =>
  overHttp2(
    server,
    from,
    (body) => ({ path: '/dns-query', type: 'application/dns-message', body }),
    (body) => body,
  );

const overGrpc = (server: Server, from: string): Promise<Line> =>
  overHttp2(
    server,
    from,
    (message) => ({ path: '/coredns.dns.DnsService/Query', type: 'application/grpc', body: packetOf(message) }),
    (body) => {
      const message = readPacket(body);
      return 'status' in message ? undefined : message;
    },
  );

/** Each message on a connection of its own: what is no query ends the one that it came on. */
const overQuic = (server: Server, from: string): Promise<Line> => {
  const { port } = server.served[0]!;
  const clients: QuicClient[] = [];
  const send = async (message: Uint8Array): Promise<void> => {
    const bytes = Buffer.from(message);
    // The id is 0 on the wire (RFC 9250 section 4.2.1).
    const id = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
    if (bytes.length >= 2) bytes.writeUInt16BE(0, 0);
    const client = await QuicClient.connect(port, { from });
    clients.push(client);
    client.ask(frame(bytes), (answer) => {
      setImmediate(() => client.close());
      if (answer.length < 4) return;
      answer.writeUInt16BE(id, 2);
      line.got.push(answer.subarray(2));
    });
  };
  const line: Line = new Line(
    (message) => void send(message).catch((error: Error) => line.faults.push(error.message)),
    () => {
      for (const client of clients) client.close();
    },
  );
  return Promise.resolve(line);
};

const byInject = (server: Server, from: string): Promise<Line> => {
  const line: Line = new Line(
    (message) =>
      void server
        .inject(message, { remote: { address: from, port: 4000 } })
        .then((answer) => answer && line.got.push(Buffer.from(encodeMessage(answer))))
        .catch((error: Error) => line.faults.push(error.message)),
    () => undefined,
  );
  return Promise.resolve(line);
};

/** All of them. */
export const WAYS: readonly Way[] = [
  {
    name: 'UDP, batched',
    transport: 'udp',
    scheme: 'dns',
    streams: false,
    connects: false,
    batched: true,
    connect: overUdp,
  },
  { name: 'UDP, dgram', transport: 'udp', scheme: 'dns', streams: false, connects: false, connect: overUdp },
  { name: 'TCP', transport: 'tcp', scheme: 'dns', streams: true, connects: true, connect: overTcp },
  { name: 'TLS', transport: 'tls', scheme: 'tls', streams: true, connects: true, connect: overTls },
  {
    name: 'HTTPS',
    transport: 'https',
    scheme: 'https',
    streams: false,
    connects: true,
    refusesOutside: true,
    connect: overHttps,
  },
  {
    name: 'gRPC',
    transport: 'grpc',
    scheme: 'grpc',
    streams: false,
    connects: true,
    refusesOutside: true,
    connect: overGrpc,
  },
  {
    name: 'QUIC',
    transport: 'quic',
    scheme: 'quic',
    streams: false,
    connects: true,
    refusesOutside: true,
    connect: overQuic,
  },
  {
    name: 'inject',
    transport: 'udp',
    scheme: 'dns',
    streams: false,
    connects: false,
    rejects: true,
    connect: byInject,
  },
];

/** Whether a way is to be had here. */
export const canRun = ({ batched, scheme }: Way): boolean =>
  (batched !== true || process.platform === 'linux') && (scheme !== 'quic' || quicLibrary !== undefined);

const WORKER = (): URL => pathToFileURL(path.join(path.dirname(compiledProgram()), '../fastpath/worker.js'));

/** A server whose only block has these directives, reached in one way. */
export class Reached {
  readonly log = new TestLog();
  private readonly lines: Line[] = [];
  server!: Server;

  constructor(readonly way: Way) {}

  async start(directives: readonly string[], options: Partial<ServerOptions>): Promise<void> {
    const { log, way } = this;
    const secured = way.scheme === 'dns' ? [] : [`tls ${TLS_FILES}/cert.pem ${TLS_FILES}/key.pem`];
    const inside = [`bind ${addressesOf(way).server}`, ...secured, ...directives].map((line) => `  ${line}\n`).join('');
    const workerPool = way.batched
      ? await UdpWorkerPool.start({ workers: 1, memory: 1 << 20, log, below: way.link?.open(), program: WORKER() })
      : undefined;
    this.server = await Server.create({
      corefile: `${way.scheme}://.:0 {\n${inside}}\n`,
      log,
      ...options,
      ...(workerPool && { workerPool }),
    });
    await this.server.listen();
  }

  /** @param client which one of the way's */
  async connect(client = 0): Promise<Line> {
    const line = await this.way.connect(this.server, addressesOf(this.way).clients[client]!);
    this.lines.push(line);
    return line;
  }

  async stop(): Promise<void> {
    for (const line of this.lines) line.close();
    await this.server?.stop();
  }
}
