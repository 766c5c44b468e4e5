import type { Server } from '../server/server.js';
import type { ServerLog } from '../server/log.js';

/** What the process does on signals, beside what the server does. */
export interface SignalActions {
  readonly log: ServerLog;
  /** Whether another process serves at the same sockets, and goes on. */
  isShared(): boolean;
  /** Before the server stops. */
  closing(): Promise<void>;
  /** Starts another process that takes the sockets over; whether it serves. */
  handOver(): Promise<boolean>;
  finish(code: number): void;
}

/** What the program does on signals: the same as the reference. */
export class Signals {
  private server: Server | undefined;
  private stopping = false;
  private handingOver = false;

  constructor(private readonly actions: SignalActions) {
    const { log } = actions;
    process.on('SIGTERM', () => this.stop('SIGTERM: Shutting down servers then terminating'));
    process.on('SIGINT', () => {
      if (!this.stopping) return this.stop('SIGINT: Shutting down');
      log.info('SIGINT: Force quit');
      actions.finish(2);
    });
    process.on('SIGQUIT', () => {
      log.info('SIGQUIT: Quitting process immediately');
      actions.finish(0);
    });
    // Sent when a terminal closes, which is no reason for a server to end.
    process.on('SIGHUP', () => undefined);
    process.on('SIGUSR1', () => {
      log.info('SIGUSR1: Reloading');
      void this.reload();
    });
    process.on('SIGUSR2', () => void this.upgrade());
    // A fault that nothing caught must not take every client's DNS away.
    process.on('uncaughtException', (error) => log.error(`uncaught: ${error.stack ?? error.message}`));
    process.on('unhandledRejection', (reason) =>
      log.error(`unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`),
    );
  }

  attach(server: Server): void {
    this.server = server;
    if (this.stopping) void server.stop();
  }

  async reload(): Promise<void> {
    const { server } = this;
    if (!server) return;
    await server.reload();
    this.actions.log.setDebug(server.debug);
  }

  private async upgrade(): Promise<void> {
    if (!this.server || this.stopping || this.handingOver) return;
    this.handingOver = true;
    this.actions.log.info('SIGUSR2: Handing over to a new process');
    const serves = await this.actions.handOver();
    this.handingOver = false;
    if (serves) this.stop('Handed over, shutting down', true);
  }

  private stop(line: string, handedOver = false): void {
    if (this.stopping) return;
    this.stopping = true;
    this.actions.log.info(line);
    if (!this.server) return this.actions.finish(0);
    void this.end(this.server, handedOver).finally(() => this.actions.finish(0));
  }

  private async end(server: Server, handedOver: boolean): Promise<void> {
    await this.actions.closing();
    await server.stop(handedOver || this.actions.isShared());
  }
}
