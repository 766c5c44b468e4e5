import { pluginsOver } from '../../server/directives.js';
import { textLog } from '../../server/log.js';
import { Server } from '../../server/server.js';
import { VERSION } from '../../lib/package-folder.js';
import type { Program, ProgramEnv } from './program.js';

/** A pod's DNS server: the real one, on the modelled network. */
export class DnsProgram implements Program {
  readonly kind: string = 'dns';
  server: Server | undefined;

  constructor(
    protected readonly env: ProgramEnv,
    private readonly file: string,
  ) {}

  corefile(): string | undefined {
    return this.env.files.read(this.file);
  }

  async start(): Promise<void> {
    const { env, file } = this;
    const log = textLog({ write: (line) => env.log.write(line) });
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
          void this.stop();
        },
      });
      await server.listen();
      this.server = server;
      env.log.write(`${server.banner().join('\n')}\nnodens-${VERSION}\n`);
    } catch (error) {
      env.log.write(`${(error as Error).message}\n`);
      throw error;
    }
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.stop();
  }
}
