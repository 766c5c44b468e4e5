import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM, Program } from '../support/program.js';

/** A server with a Corefile of its own, at port 1053. */
export class WeatherServer {
  private constructor(
    readonly program: Program,
    readonly dir: string,
  ) {}

  static async start(corefile: string, args: readonly string[] = []): Promise<WeatherServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-weather-'));
    const file = path.join(dir, 'Corefile');
    writeFileSync(file, corefile.replaceAll('DIR', dir));
    const program = new Program([...PROGRAM, '-conf', file, ...args]);
    await program.said(/nodens-\d/);
    return new WeatherServer(program, dir);
  }

  async stop(): Promise<void> {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
