import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ConnectedUdpSocket, Endpoint, Network } from '../../net/network.js';
import type { ServerOptions } from '../../server/server-options.js';
import { Server } from '../../server/server.js';
import { FrameReader, frame } from '../../wire/index.js';
import type { RecordedQuery } from './recorded-query.js';

/** A server that is asked: one at an address, or one that is made from a Corefile and asked within the process. */
export interface ComparedServer {
  /** As reports name it. */
  readonly name: string;
  /** The answer; undefined where there was none in time. */
  ask(query: RecordedQuery): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Makes a server of a Corefile. Its listening addresses stay closed; upstreams and APIs are asked as always. */
export async function serverOfCorefile(name: string, options: ServerOptions): Promise<ComparedServer> {
  const server = await Server.create(options);
  return {
    name,
    ask: ({ bytes, transport }) => server.exchange(bytes, { transport }),
    close: () => server.stop(),
  };
}

/** Sockets to one server: its kernel keeps a queue for each. */
const SOCKETS = 8;
/** Times that a query over UDP is sent. */
const ATTEMPTS = 2;

/** A server at an address, over UDP and TCP as the queries were. */
export async function serverAt(
  to: Endpoint,
  { network, clock, timeout }: { readonly network: Network; readonly clock: Clock; readonly timeout: Milliseconds },
): Promise<ComparedServer> {
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => UdpAsker.open(to, network, clock, timeout)));
  const tcp = new TcpAsker(to, network, clock, timeout);
  let turn = 0;
  return {
    name: `${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`,
    ask: async ({ bytes, transport }) => {
      if (transport === 'tcp') return tcp.ask(bytes);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const answer = await sockets[turn++ % SOCKETS]!.ask(bytes);
        if (answer !== undefined) return answer;
      }
      return undefined;
    },
    close: () => {
      for (const socket of sockets) socket.close();
      tcp.close();
      return Promise.resolve();
    },
  };
}

const IDS = 65_536;

/** Queries that wait for their answers, by id. */
class UnansweredQueries {
  private readonly byId = new Map<
    number,
    { readonly until: Milliseconds; readonly done: (answer?: Uint8Array) => void }
  >();
  private next = 0;
  private readonly sweep;

  constructor(
    private readonly clock: Clock,
    private readonly timeout: Milliseconds,
  ) {
    this.sweep = repeatEvery(clock, timeout / 4, () => this.expire());
  }

  /** A copy of the query under an id that is free, and its answer. */
  add(query: Uint8Array): { readonly message: Buffer; readonly answer: Promise<Uint8Array | undefined> } {
    while (this.byId.has(this.next)) this.next = (this.next + 1) % IDS;
    const id = this.next;
    this.next = (id + 1) % IDS;
    const message = Buffer.from(query);
    message.writeUInt16BE(id, 0);
    const answer = new Promise<Uint8Array | undefined>((resolve) =>
      this.byId.set(id, { until: this.clock.monotonic() + this.timeout, done: resolve }),
    );
    return { message, answer };
  }

  take(answer: Buffer): void {
    if (answer.length < 12) return;
    const id = answer.readUInt16BE(0);
    const entry = this.byId.get(id);
    this.byId.delete(id);
    entry?.done(answer);
  }

  /** No more answers come. */
  end(): void {
    for (const { done } of this.byId.values()) done();
    this.byId.clear();
    this.sweep.cancel();
  }

  private expire(): void {
    const now = this.clock.monotonic();
    for (const [id, { until, done }] of this.byId) {
      // In the order in which they were sent.
      if (until > now) return;
      this.byId.delete(id);
      done();
    }
  }
}

function repeatEvery(clock: Clock, period: Milliseconds, work: () => void): { cancel(): void } {
  let timer = clock.setTimeout(tick, period);
  function tick(): void {
    work();
    timer = clock.setTimeout(tick, period);
  }
  return { cancel: () => timer.cancel() };
}

class UdpAsker {
  private socket!: ConnectedUdpSocket;

  private constructor(private readonly waiting: UnansweredQueries) {}

  static async open(to: Endpoint, network: Network, clock: Clock, timeout: Milliseconds): Promise<UdpAsker> {
    const asker = new UdpAsker(new UnansweredQueries(clock, timeout));
    // A refused port shows as an error of the next call; the queries run into their timeouts.
    asker.socket = await network.connectUdp(
      to,
      (bytes) => asker.waiting.take(bytes),
      () => undefined,
    );
    return asker;
  }

  ask(query: Uint8Array): Promise<Uint8Array | undefined> {
    const { message, answer } = this.waiting.add(query);
    this.socket.send(message);
    return answer;
  }

  close(): void {
    this.waiting.end();
    this.socket.close();
  }
}

/** One connection that is opened again where it was closed. */
class TcpAsker {
  private connection:
    | Promise<{
        readonly waiting: UnansweredQueries;
        readonly write: (bytes: Buffer) => void;
        readonly close: () => void;
      }>
    | undefined;

  constructor(
    private readonly to: Endpoint,
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly timeout: Milliseconds,
  ) {}

  async ask(query: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const { waiting, write } = await (this.connection ??= this.connect());
      const { message, answer } = waiting.add(query);
      write(frame(message));
      return await answer;
    } catch {
      this.connection = undefined;
      return undefined;
    }
  }

  close(): void {
    void this.connection?.then(
      ({ close }) => close(),
      () => undefined,
    );
  }

  private async connect() {
    // A host that says nothing at all would be waited for as long as the system does: minutes.
    const late = new AbortController();
    const timer = this.clock.setTimeout(() => late.abort(new Error('no connection in time')), this.timeout);
    const { stream } = await this.network.connectTcp(this.to, late.signal).finally(() => timer.cancel());
    const waiting = new UnansweredQueries(this.clock, this.timeout);
    const reader = new FrameReader();
    let over = false;
    const ended = (): void => {
      // Told more than once; by then another connection may be there.
      if (over) return;
      over = true;
      this.connection = undefined;
      waiting.end();
      stream.destroy();
    };
    stream.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next())
        waiting.take(Buffer.from(message));
    });
    stream.once('end', ended).once('close', ended).once('error', ended);
    return { waiting, write: (bytes: Buffer) => void stream.write(bytes), close: () => stream.destroy() };
  }
}
