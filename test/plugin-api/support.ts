import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decode, type Answer } from 'dns-packet';
import type { ExternalPlugin } from '../../src/server/external-plugins.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { Server } from '../../src/server/server.js';
import { encodeMessage, formatRr, rcodeName, typeFromName } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';

/** A folder of a test's own. */
export class Folder {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'nodens-plugins-'));

  write(name: string, text: string): string {
    const file = path.join(this.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A server over a Corefile that a test may change, and its log. */
export class PluginServer {
  readonly log = new TestLog();
  server!: Server;

  constructor(
    public corefile: string,
    private readonly options: Partial<ServerOptions> = {},
  ) {}

  static async start(
    corefile: string,
    options: Partial<ServerOptions> = {},
    ...external: ExternalPlugin[]
  ): Promise<PluginServer> {
    const made = new PluginServer(corefile, { external, ...options });
    made.server = await Server.create({
      log: made.log,
      ...made.options,
      corefile: { name: 'Corefile', read: () => made.corefile },
    });
    return made;
  }

  /** rcode and answers as text, without tabs; `silence` without an answer. */
  async ask(name: string, type = 'A'): Promise<string> {
    const found = await this.server.inject({ name, type: typeFromName(type)! });
    if (found === undefined) return 'silence';
    return [rcodeName(found.rcode), ...found.answer.map((rr) => formatRr(rr).replaceAll('\t', ' '))].join(' | ');
  }

  /** Lines of the log of a level. */
  lines(level: string): string[] {
    return this.log.lines.filter((line) => line.startsWith(`[${level}]`)).map((line) => line.slice(level.length + 3));
  }
}

export { decode, encodeMessage, type Answer };
