import { once } from 'node:events';
import net from 'node:net';
import { FrameReader, frame } from '../../src/wire/index.js';

/**
 * Stands before a DNS server over TCP and works on one query of a connection at a time, as most servers do: the next
 * one is passed on when the answer to the one before has come. `delay` says how long a query takes there, in
 * milliseconds.
 */
export class InOrderRelay {
  /** Connections so far. */
  connections = 0;
  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly server: net.Server,
    private readonly to: number,
    private readonly delay: (query: Buffer) => number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  /**
   * @param to the server's port of 127.0.0.1
   * @param port its own; a free one without it
   */
  static async start(to: number, delay: (query: Buffer) => number, port = 0): Promise<InOrderRelay> {
    const server = net.createServer({ noDelay: true });
    const relay = new InOrderRelay(server, to, delay);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  stop(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(client: net.Socket): void {
    this.connections++;
    const server = net.connect({ host: '127.0.0.1', port: this.to, noDelay: true });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    const queue: Buffer[] = [];
    let busy = false;
    const next = (): void => {
      const query = queue.shift();
      busy = query !== undefined;
      if (query !== undefined) setTimeout(() => server.write(frame(query)), this.delay(query));
    };
    const queries = new FrameReader();
    client.on('data', (chunk: Buffer) => {
      queries.push(chunk);
      for (let query = queries.next(); query !== undefined; query = queries.next()) queue.push(Buffer.from(query));
      if (!busy) next();
    });
    const answers = new FrameReader();
    server.on('data', (chunk: Buffer) => {
      answers.push(chunk);
      for (let answer = answers.next(); answer !== undefined; answer = answers.next()) {
        client.write(frame(answer));
        next();
      }
    });
  }
}
