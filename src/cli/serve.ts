import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NodensError, exitCodeOf } from '../lib/errors.js';
import { FlagError, parseFlags, usage, type FlagSpec } from '../lib/go-flags.js';
import { Metrics } from '../metrics/metrics.js';
import { HostNetwork } from '../net/host-network.js';
import { PLUGINS } from '../server/directives.js';
import { SERVING_FLAGS } from '../server/flags.js';
import { ioFromFlags, startPlane, type IoOptions } from '../server/io.js';
import { jsonLog, textLog, type ServerLog } from '../server/log.js';
import { Server, type ServerOptions } from '../server/server.js';
import { VERSION } from '../server/version.js';
import { handOver, inheritedSockets, tellServing } from './handover.js';
import type { Command } from './command.js';
import { Signals } from './signals.js';

/** The server's flags. */
export const FLAGS: readonly FlagSpec[] = [
  { name: 'conf', type: 'string', help: 'Corefile to load, or stdin', default: 'Corefile' },
  ...SERVING_FLAGS,
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
  if (extra !== undefined)
    return refuse(
      extra === 'help' ? usage('nodens', FLAGS) : `unexpected argument '${extra}'\n${usage('nodens', FLAGS)}`,
    );
  if (values.version === 'true') return say(versionLines());
  if (values.plugins === 'true') return say(pluginLines());
  const port = Number(values['dns.port']);
  if (!/^\d+$/.test(values['dns.port']!) || port > 65_535)
    return refuse(`-dns.port: expected a port from 0 to 65535, got '${values['dns.port']}'\n`);
  const format = values['log.format'];
  if (format !== 'text' && format !== 'json') return refuse(`-log.format: expected text or json, got '${format}'\n`);
  const io = ioFromFlags(values);
  if (typeof io === 'string') return refuse(`${io}\n`);
  return runServer({
    io,
    corefile: corefileSource(values.conf!, flags.given.has('conf')),
    port,
    log: format === 'json' ? jsonLog() : textLog(),
    env,
    quiet: values.quiet === 'true',
    pidfile: values.pidfile!,
  });
};

/** How to run a server as a process. */
export interface ServeOptions {
  readonly corefile: { readonly name: string; read(): string };
  readonly port: number;
  readonly log: ServerLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The best there is by default. */
  readonly io?: IoOptions;
  readonly quiet: boolean;
  /** Empty for none. */
  readonly pidfile: string;
  /** Said after the banner. */
  readonly greeting?: string;
  /** Made once signals are minded. */
  readonly companion?: (shared: Shared) => Companion;
}

/** What a server and its companion have in common. */
export type Shared = Required<Pick<ServerOptions, 'metrics' | 'network'>>;

/** What runs beside a server in the same process. */
export interface Companion {
  /** Before the server reads its Corefile. */
  prepare(): Promise<void>;
  /** Queries are taken. `reload` puts the Corefile as it is now to use. */
  serving(reload: () => void): Promise<void>;
  /** The server is about to stop. */
  closing(): Promise<void>;
  /** The process is about to end, in whatever way that came about. */
  end(): Promise<void>;
  /** Another process serves in place of this one, which is about to end. */
  handOver(): void;
}

/**
 * Runs until a signal or a fatal fault; resolves with the exit code. What is wrong with the Corefile is told on
 * standard error before anything is listened at.
 */
export async function runServer(options: ServeOptions): Promise<number> {
  const { log } = options;
  const state: State = { companion: undefined, owner: true, wrotePid: false };
  const code = await new Promise<number>((end) => {
    void serveUntil(options, state, end).catch((error: unknown) => {
      log.flush();
      process.stderr.write(`${describe(error)}\n`);
      end(exitCodeOf(error));
    });
  });
  if (!state.owner) state.companion?.handOver();
  await state.companion?.end();
  log.flush();
  if (state.wrotePid && state.owner) rmSync(options.pidfile, { force: true });
  return code;
}

interface State {
  companion: Companion | undefined;
  /**
   * Whether it is this process that serves, and not the one that handed over to it and waits, or the one that took
   * over from it.
   */
  owner: boolean;
  wrotePid: boolean;
}

async function serveUntil(options: ServeOptions, state: State, finish: (code: number) => void): Promise<void> {
  const { log, env } = options;
  // Installed before the first wait: a signal that comes early must not start Node's debugger or end the process half
  // way.
  const signals = new Signals({
    log,
    finish,
    closing: async () => state.companion?.closing(),
    handOver: async () => {
      state.owner = !(await handOver(env, log));
      if (!state.owner) state.companion?.handOver();
      return !state.owner;
    },
  });
  const inherited = inheritedSockets(env);
  state.owner = inherited === undefined;
  const shared: Shared = { network: new HostNetwork(inherited), metrics: new Metrics() };
  state.companion = options.companion?.(shared);
  await state.companion?.prepare();
  const plane = await startPlane(options.io, log, inherited);
  const server = await Server.create({
    ...(plane && { plane }),
    corefile: options.corefile,
    defaultPort: options.port,
    log,
    env,
    cwd: process.cwd(),
    metrics: shared.metrics,
    network: plane?.networkOver(shared.network) ?? shared.network,
    onFatal: (reason) => {
      log.error(reason);
      finish(1);
    },
  });
  log.setDebug(server.debug);
  // Reading thousands of objects leaves twice their size behind, and the heap would grow on from there.
  globalThis.gc?.();
  await server.listen();
  inherited?.closeRest();
  signals.attach(server);
  state.owner = true;
  if (options.pidfile !== '') {
    writePid(options.pidfile);
    state.wrotePid = true;
  }
  if (!options.quiet) process.stdout.write(`${server.banner().join('\n')}\n${versionLines()}${options.greeting ?? ''}`);
  tellServing(env);
  await state.companion?.serving(() => void signals.reload());
}

/** At once, because who reads half of it would send a signal to nobody, or to everybody. */
function writePid(file: string): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${process.pid}\n`);
  renameSync(fresh, file);
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
  if (error instanceof NodensError) return error.message;
  const { code, message, path: file } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && file !== undefined)
    return `cannot read ${path.relative(process.cwd(), file)}: no such file; -conf names the Corefile`;
  return message ?? String(error);
}

export const pluginLines = (): string =>
  `${PLUGINS.map((plugin) => plugin.name)
    .sort()
    .join('\n')}\n`;

export const versionLines = (): string =>
  `nodens-${VERSION}\n${process.platform}/${process.arch}, node${process.versions.node}\n`;

export function say(text: string): Promise<number> {
  process.stdout.write(text);
  return Promise.resolve(0);
}

function refuse(text: string): Promise<number> {
  process.stderr.write(text);
  return Promise.resolve(1);
}
