import { pluginsOver } from '../../server/directives.js';
import { textLog } from '../../server/log.js';
import { Server } from '../../server/server.js';
import { VERSION } from '../../lib/package-folder.js';
import type { Program, ProgramEnv } from './program.js';

/** A pod's DNS server: the real one, on the modelled network. */
export class DnsProgram implements Program {
  readonly kind: string = 'dns';
  server: Server | undefined;

  private over = false;

  constructor(
    protected readonly env: ProgramEnv,
    private readonly file: string,
  ) {}

  corefile(): string | undefined {
    return this.env.files.read(this.file);
  }

  async start(): Promise<void> {
    const { env, file } = this;
    const log = textLog({ write: (line) => !this.over && env.log.write(line) });
    try {
      const server = await Server.create({
        corefile: { name: file, read: () => env.files.asServerFiles.readFile(file) },
        network: env.network,
        clock: env.clock,
        random: env.random,
        log,
        files: env.files.asServerFiles,
        env: env.env,
        plugins: env.tracer.wrap(pluginsOver(env.store), env.name),
        external: env.external,
        onFatal: (reason) => {
          log.error(reason);
          // What it would say while it is taken down, a process that ends at once does not.
          this.over = true;
          env.exited(this.close());
        },
      });
      this.server = server;
      await server.listen();
      env.log.write(`${server.banner().join('\n')}\nnodens-${VERSION}\n`);
    } catch (error) {
      this.server = undefined;
      env.log.write(`${(error as Error).message}\n`);
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.close();
  }

  /** What becomes of a process that ends, however it does. */
  protected async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.stop();
  }
}
