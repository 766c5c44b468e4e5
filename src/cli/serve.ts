import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CorefileError } from '../corefile/index.js';
import { FlagError, parseFlags, usage, type FlagSpec } from '../lib/go-flags.js';
import { PLUGINS } from '../server/directives.js';
import { ListenError } from '../server/listeners.js';
import { jsonLog, textLog, type ServerLog } from '../server/log.js';
import { Server } from '../server/server.js';
import { VERSION } from '../server/version.js';
import type { Command } from './main.js';

/** The server's flags: those of CoreDNS, and the form of log lines. */
export const FLAGS: readonly FlagSpec[] = [
  { name: 'conf', type: 'string', help: 'Corefile to load, or stdin', default: 'Corefile' },
  { name: 'dns.port', alias: 'p', type: 'string', help: 'Default port', default: '53' },
  { name: 'log.format', type: 'string', help: 'Form of log lines: text or json', default: 'text' },
  { name: 'pidfile', type: 'string', help: 'Path to write pid file' },
  { name: 'plugins', type: 'bool', help: 'List installed plugins' },
  { name: 'quiet', type: 'bool', help: 'Quiet mode (no initialization output)' },
  { name: 'version', type: 'bool', help: 'Show version' },
];

/** Served when there is no Corefile at all: tells clients who they are, as CoreDNS does. */
const WITHOUT_COREFILE = '. {\n    whoami\n    log\n}\n';

/** `nodens [flags]`: serves a Corefile until a signal ends it. */
export const serve: Command = (args, env) => {
  let flags;
  try {
    flags = parseFlags(args, FLAGS);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n${usage('nodens', FLAGS)}`);
    return Promise.resolve(2);
  }
  const { values } = flags;
  const [extra] = flags.rest;
  if (extra !== undefined) return refuse(extra === 'help' ? usage('nodens', FLAGS) : `unexpected argument '${extra}'\n${usage('nodens', FLAGS)}`);
  if (values.version === 'true') return say(versionLines());
  if (values.plugins === 'true') return say(`${PLUGINS.map((plugin) => plugin.name).sort().join('\n')}\n`);
  const port = Number(values['dns.port']);
  if (!/^\d+$/.test(values['dns.port']!) || port > 65_535) return refuse(`-dns.port: expected a port from 0 to 65535, got '${values['dns.port']}'\n`);
  const format = values['log.format'];
  if (format !== 'text' && format !== 'json') return refuse(`-log.format: expected text or json, got '${format}'\n`);
  return runServer({
    corefile: corefileSource(values.conf!, flags.given.has('conf')), port, log: format === 'json' ? jsonLog() : textLog(), env,
    quiet: values.quiet === 'true', pidfile: values.pidfile!,
  });
};

/** How to run a server as a process. */
export interface ServeOptions {
  readonly corefile: { readonly name: string; read(): string };
  readonly port: number;
  readonly log: ServerLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly quiet: boolean;
  /** Empty for none. */
  readonly pidfile: string;
  /** Said after the banner. */
  readonly greeting?: string;
}

/** Runs until a signal or a fatal fault; resolves with the exit code. What is wrong with the Corefile is told on standard error before anything is listened at. */
export async function runServer(options: ServeOptions): Promise<number> {
  const { log } = options;
  const ending = new Promise<number>((end) => {
    const finish = (code: number): void => {
      log.flush();
      end(code);
    };
    void serveUntil(options, finish).catch((error: unknown) => {
      log.flush();
      process.stderr.write(`${describe(error)}\n`);
      end(1);
    });
  });
  const code = await ending;
  if (options.pidfile !== '') rmSync(options.pidfile, { force: true });
  return code;
}

async function serveUntil(options: ServeOptions, finish: (code: number) => void): Promise<void> {
  const { log } = options;
  // Installed before the first wait: a signal that comes early must not start Node's debugger or end the process half way.
  const signals = new Signals(log, finish);
  const server = await Server.create({
    corefile: options.corefile, defaultPort: options.port, log, env: options.env, cwd: process.cwd(),
    onFatal: (reason) => {
      log.error(reason);
      finish(1);
    },
  });
  log.setDebug(server.debug);
  await server.listen();
  signals.attach(server);
  if (options.pidfile !== '') writeFileSync(options.pidfile, `${process.pid}\n`);
  if (options.quiet) return;
  process.stdout.write(`${server.banner().join('\n')}\n${versionLines()}${options.greeting ?? ''}`);
}

/** What the program does on signals: the same as the reference. */
class Signals {
  private server: Server | undefined;
  private stopping = false;

  constructor(private readonly log: ServerLog, private readonly finish: (code: number) => void) {
    process.on('SIGTERM', () => this.stop('SIGTERM: Shutting down servers then terminating'));
    process.on('SIGINT', () => {
      if (!this.stopping) return this.stop('SIGINT: Shutting down');
      log.info('SIGINT: Force quit');
      finish(2);
    });
    process.on('SIGQUIT', () => {
      log.info('SIGQUIT: Quitting process immediately');
      finish(0);
    });
    // Sent when a terminal closes, which is no reason for a server to end.
    process.on('SIGHUP', () => undefined);
    process.on('SIGUSR1', () => {
      log.info('SIGUSR1: Reloading');
      void this.server?.reload().then(() => log.setDebug(this.server!.debug));
    });
    // A fault that nothing caught must not take every client's DNS away.
    process.on('uncaughtException', (error) => log.error(`uncaught: ${error.stack ?? error.message}`));
    process.on('unhandledRejection', (reason) => log.error(`unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`));
  }

  attach(server: Server): void {
    this.server = server;
    if (this.stopping) void server.stop();
  }

  private stop(line: string): void {
    if (this.stopping) return;
    this.stopping = true;
    this.log.info(line);
    if (!this.server) return this.finish(0);
    // Timers of servers do not keep a process alive; waiting for the end of a shutdown has to.
    const alive = setInterval(() => undefined, 1000);
    void this.server.stop().finally(() => {
      clearInterval(alive);
      this.finish(0);
    });
  }
}

/** `Corefile` in the working directory may be missing; one that was asked for by name may not. */
function corefileSource(conf: string, asked: boolean): ServeOptions['corefile'] {
  if (conf === 'stdin') {
    const text = readFileSync(0, 'utf8');
    return { name: 'stdin', read: () => text };
  }
  if (!asked && !existsSync(conf)) return { name: 'Corefile', read: () => WITHOUT_COREFILE };
  return { name: conf, read: () => readFileSync(path.resolve(conf), 'utf8') };
}

function describe(error: unknown): string {
  if (error instanceof CorefileError || error instanceof ListenError) return error.message;
  const { code, message, path: file } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && file !== undefined) return `cannot read ${path.relative(process.cwd(), file)}: no such file; -conf names the Corefile`;
  return message ?? String(error);
}

const versionLines = (): string => `nodens-${VERSION}\n${process.platform}/${process.arch}, node${process.versions.node}\n`;

function say(text: string): Promise<number> {
  process.stdout.write(text);
  return Promise.resolve(0);
}

function refuse(text: string): Promise<number> {
  process.stderr.write(text);
  return Promise.resolve(1);
}
