import { atOnePort } from '../../src/net/drawn-port.js';
import type { Endpoint, Network, TcpConnection } from '../../src/net/network.js';
import { Flag, FrameReader, decodeMessage, encodeMessage, frame, parseRr, type Message } from '../../src/wire/index.js';

export interface Asked {
  readonly bytes: Buffer;
  readonly message: Message;
  readonly protocol: 'udp' | 'tcp';
  readonly from: Endpoint;
  /** Sends octets back, framed on a stream; `raw` leaves the frame to the caller. */
  readonly reply: (bytes: Uint8Array) => void;
  readonly raw: (bytes: Uint8Array) => void;
  readonly connection: TcpConnection | undefined;
}

/** The reply that a well-behaved server gives: one A record, RA set, EDNS as asked. */
export function goodReply(query: Message, parts: Partial<Message> = {}): Buffer {
  return encodeMessage(
    {
      ...query,
      flags: Flag.QR | Flag.RA | (query.flags & Flag.RD),
      rcode: 0,
      answer: [parseRr(`${query.question[0]!.name} 300 IN A 192.0.2.1`)],
      authority: [],
      additional: [],
      ...parts,
    },
    true,
  );
}

/** A server whose answers a test decides about, at one address over UDP and TCP. */
export class FakeUpstream {
  readonly seen: Asked[] = [];
  /** Decides what becomes of a query; by default a good reply. */
  answer: (asked: Asked) => void = (asked) => asked.reply(goodReply(asked.message));
  readonly connections: TcpConnection[] = [];
  private close: (() => void)[] = [];

  constructor(
    private readonly network: Network,
    public at: Endpoint,
  ) {}

  async start(): Promise<this> {
    await atOnePort(this.at.port, () => this.open());
    return this;
  }

  private async open(): Promise<void> {
    const udp = await this.network.bindUdp(this.at, (bytes, from) => {
      const reply = (answer: Uint8Array): void => udp.send(answer, answer.length, from);
      this.take({
        bytes,
        message: decodeMessage(bytes),
        protocol: 'udp',
        from,
        reply,
        raw: reply,
        connection: undefined,
      });
    });
    const at = { address: this.at.address, port: udp.local.port };
    try {
      const tcp = await this.network.listenTcp(at, (connection) => this.accept(connection));
      this.close = [() => udp.close(), () => tcp.close()];
      this.at = at;
    } catch (error) {
      udp.close();
      throw error;
    }
  }

  stop(): void {
    for (const close of this.close) close();
    for (const { stream } of this.connections) stream.destroy();
  }

  /** `udp` and `tcp` counts of what came. */
  get counts(): { udp: number; tcp: number } {
    return {
      udp: this.seen.filter(({ protocol }) => protocol === 'udp').length,
      tcp: this.seen.filter(({ protocol }) => protocol === 'tcp').length,
    };
  }

  private accept(connection: TcpConnection): void {
    this.connections.push(connection);
    const frames = new FrameReader();
    const raw = (bytes: Uint8Array): void => void connection.stream.write(bytes);
    connection.stream.on('error', () => undefined);
    connection.stream.on('end', () => connection.stream.end());
    connection.stream.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        this.take({
          bytes,
          message: decodeMessage(bytes),
          protocol: 'tcp',
          from: connection.remote,
          reply: (answer) => raw(frame(answer)),
          raw,
          connection,
        });
      }
    });
  }

  private take(asked: Asked): void {
    this.seen.push(asked);
    this.answer(asked);
  }
}
