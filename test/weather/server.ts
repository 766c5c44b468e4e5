import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM, Program } from '../support/program.js';

/** A server with a Corefile of its own, at port 1053. */
export class WeatherServer {
  private constructor(
    readonly program: Program,
    readonly dir: string,
  ) {}

  /** @param within words before the command, which run it in some place */
  static async start(
    corefile: string,
    args: readonly string[] = [],
    within: readonly string[] = [],
  ): Promise<WeatherServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-weather-'));
    const file = path.join(dir, 'Corefile');
    writeFileSync(file, corefile.replaceAll('DIR', dir));
    const program = new Program([...within, ...PROGRAM, '-conf', file, ...args.map((arg) => arg.replace('DIR', dir))]);
    await program.said(/nodens-\d/);
    return new WeatherServer(program, dir);
  }

  /** Of the process that serves, where it was started with a pidfile in DIR. */
  get pid(): number {
    const text = readFileSync(path.join(this.dir, 'pid'), 'utf8');
    // Anything else would be a signal to this process and its group.
    if (!/^[1-9]\d*\n$/.test(text)) throw new Error(`no process id: ${JSON.stringify(text)}`);
    return Number(text);
  }

  async stop(): Promise<void> {
    if (existsSync(path.join(this.dir, 'pid'))) process.kill(this.pid);
    else this.program.child.kill('SIGTERM');
    await this.program.ended();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
