import dgram from 'node:dgram';
import { Server } from '../../src/server/server.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { decodeMessage, type Message } from '../../src/wire/index.js';
import { query, type QuestionOptions } from './dns.js';

/** A server that listens on loopback with real sockets, and what it wrote to its log. */
export interface Running {
  readonly server: Server;
  readonly log: string[];
  readonly port: number;
  /** Asks over UDP; rejects after a second without an answer. */
  ask(name: string, type?: string, options?: QuestionOptions & { from?: string }): Promise<Message>;
  stop(): Promise<void>;
}

/** Starts a Corefile whose blocks should name port 0, or `PORT`, which is replaced by it. */
export async function running(corefile: string, options: Partial<ServerOptions> = {}): Promise<Running> {
  const log: string[] = [];
  const write =
    (level: string) =>
    (line: string): void =>
      void log.push(`[${level}] ${line}`);
  const server = await Server.create({
    corefile,
    log: { debug: write('DEBUG'), info: write('INFO'), warning: write('WARNING'), error: write('ERROR') },
    ...options,
  });
  await server.listen();
  const { port } = server.served[0]!;
  return {
    server,
    log,
    port,
    ask: (name, type, more) => askUdp(port, query(name, type, more).bytes, more?.from),
    stop: () => server.stop(),
  };
}

/** Sends a message from a socket of its own and gives the first answer. */
export function askUdp(port: number, bytes: Uint8Array, from = '127.0.0.1'): Promise<Message> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    const timer = setTimeout(() => end(new Error('no answer within a second')), 1000);
    const end = (result: Error | Buffer): void => {
      clearTimeout(timer);
      socket.close();
      if (result instanceof Error) reject(result);
      else resolve(decodeMessage(result));
    };
    socket.on('error', end);
    socket.on('message', (answer) => end(answer));
    socket.bind(0, from, () => socket.send(bytes, port, '127.0.0.1'));
  });
}
