import type { TcpConnection, TcpListener } from '../../net/network.js';
import { probesOf } from './probes.js';
import type { Program, ProgramEnv } from './program.js';

/** A program that the lab knows nothing of: it waits, and says to each probe of its pod that it is well. */
export class IdleProgram implements Program {
  readonly kind = 'idle';
  private listeners: readonly TcpListener[] = [];

  constructor(private readonly env: Pick<ProgramEnv, 'raw' | 'network'>) {}

  async start(): Promise<void> {
    const { raw, network } = this.env;
    const probes = probesOf(raw).filter(({ way }) => way !== 'exec');
    const open: TcpListener[] = [];
    for (const port of new Set(probes.map((probe) => probe.port))) {
      try {
        open.push(await network.listenTcp({ address: '', port }, answer));
      } catch {
        // On the node's network another may be there already: then that one answers.
      }
    }
    this.listeners = open;
  }

  async stop(): Promise<void> {
    this.listeners.forEach((listener) => listener.close());
    this.listeners = [];
  }
}

function answer({ stream }: TcpConnection): void {
  stream.on('error', () => undefined);
  stream.once('data', () => stream.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
}
