import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { pluginStatementFrom } from '../corefile/index.js';
import { NodensError, exitCodeOf } from '../lib/errors.js';
import { hostPort } from '../lib/cidr.js';
import { realClock } from '../lib/clock.js';
import { MemoryCeiling } from '../lib/memory-ceiling.js';
import type { Milliseconds } from '../lib/units.js';
import { Metrics } from '../metrics/metrics.js';
import { takeBindRight } from '../fastpath/bind-right.js';
import { sharedTcp } from '../fastpath/shared-tcp.js';
import { sharedPlaces } from '../net/inherited-sockets.js';
import { HostNetwork } from '../net/host-network.js';
import { PLUGINS } from '../server/directives.js';
import { descriptorLimit } from '../lib/descriptor-limit.js';
import { adminAddressText, type AdminOptions, type RecordOptions } from '../server/admin-flags.js';
import type { IoOptions } from '../server/io-flags.js';
import { beginWorkers } from '../server/io.js';
import type { ServerLog } from '../server/log.js';
import { FlightRecorder } from '../record/flight-recorder.js';
import { TopRecorder } from '../top/recorder.js';
import type { ServerOptions } from '../server/server-options.js';
import { Server } from '../server/server.js';
import { AdminEndpoint } from '../insight/admin/admin-endpoint.js';
import type { Environment } from '../corefile/environment.js';
import { activatedSockets } from './activated-sockets.js';
import { adminRoutes } from './admin-routes.js';
import { earlySockets, earlyThreads } from './early.js';
import { giveBackMemory } from './free-memory.js';
import { collectAfterStart, collectGarbage, holdYoungGeneration } from './engine.js';
import { handOver, inheritedSockets, tellServing } from './handover.js';
import { guardFromPlugins } from './plugin-guard.js';
import { exitQuickly } from './quick-exit.js';
import { versionLines } from './say.js';
import { writeOnOccasion } from './record-file.js';
import { Signals } from './signals.js';
import { dropStartCode } from './start-code.js';
import { Takeover } from './takeover.js';

export { logOf } from '../server/log.js';

/** The log's last lines have this long to be taken. */
const LOG_GRACE: Milliseconds = 1000;

/** Listening addresses and threads take thirty of them; upstreams, clients and files need some. */
const LEAST_DESCRIPTORS = 64;

/** How to run a server as a process. */
export interface ServeOptions {
  readonly corefile: { readonly name: string; read(): string };
  /** To load beside those that the Corefile names, each in the words of its `plugin` statement. */
  readonly plugins?: readonly string[];
  readonly port: number;
  readonly log: ServerLog;
  readonly env: Environment;
  /** The best there is by default. */
  readonly io?: IoOptions;
  /** None by default. */
  readonly admin?: AdminOptions | undefined;
  /** None by default. */
  readonly record?: RecordOptions | undefined;
  readonly quiet: boolean;
  /** Empty for none. */
  readonly pidfile: string;
  /** Path of the socket by which processes share theirs; none by default. */
  readonly takeover?: string;
  /** Said after the banner. */
  readonly greeting?: string;
  /** Made once signals are minded. */
  readonly companion?: (shared: Shared) => Companion;
}

/** What a server and its companion have in common. */
export interface Shared extends Required<Pick<ServerOptions, 'metrics' | 'network'>> {
  /** Whether another process serves at the same sockets. */
  readonly isShared: () => boolean;
}

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
  const state: State = { companion: undefined, admin: undefined, takeover: undefined, owner: true, wrotePid: false };
  const code = await new Promise<number>((end) => {
    void serveUntil(options, state, end).catch(async (error: unknown) => {
      await log.finish(LOG_GRACE);
      process.stderr.write(`${describe(error)}\n`);
      end(exitCodeOf(error));
    });
  });
  state.admin?.close();
  if (!state.owner) state.companion?.handOver();
  await state.companion?.end();
  state.takeover?.end();
  if (state.wrotePid && state.owner) rmSync(options.pidfile, { force: true });
  // A thread that waits for the reader of a log would keep the process from its end.
  if ((await log.finish(LOG_GRACE)) === 'stuck') process.kill(process.pid, 'SIGKILL');
  exitQuickly(options.env);
  return code;
}

interface State {
  companion: Companion | undefined;
  admin: AdminEndpoint | undefined;
  takeover: Takeover | undefined;
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
    isShared: () => state.takeover?.isShared === true,
    closing: async () => {
      state.takeover?.close();
      await state.companion?.closing();
    },
    handOver: async () => {
      state.owner = !(await handOver(env, log));
      if (!state.owner) state.companion?.handOver();
      return !state.owner;
    },
  });
  checkDescriptors(descriptorLimit());
  takeBindRight();
  const inherited = inheritedSockets(env);
  state.owner = inherited === undefined;
  // One that was started to take over has been given all.
  state.takeover =
    (options.takeover ?? '') === '' ? undefined : Takeover.begin(options.takeover!, log, inherited === undefined);
  const open = inherited ?? state.takeover?.sockets ?? activatedSockets(env) ?? earlySockets();
  const isShared = (): boolean => state.takeover?.isShared === true;
  const shared: Shared = { network: new HostNetwork(open, sharedTcp() ?? 'node'), metrics: new Metrics(), isShared };
  state.companion = options.companion?.(shared);
  await state.companion?.prepare();
  // They start on another core while the Corefile is read here.
  const countClients = options.admin !== undefined;
  const workers = beginWorkers(options.io, {
    log,
    inherited: open,
    begun: earlyThreads(),
    started: holdYoungGeneration,
    countClients,
  });
  const ceiling = options.io?.memory;
  const top = options.admin && new TopRecorder(realClock, [randomInt(2 ** 32), randomInt(2 ** 32)], shared.metrics);
  const { record } = options;
  const recorder = record && new FlightRecorder(record, realClock);
  if (recorder !== undefined && record?.file !== undefined) writeOnOccasion(recorder, path.resolve(record.file), log);
  const handedOver = await state.takeover?.kept();
  const server = await Server.create({
    ...(recorder && { recorder }),
    ...(top && { top }),
    ...(workers && { workerPool: workers.pool }),
    ...(ceiling !== undefined && {
      memory: new MemoryCeiling({ ceiling, clock: realClock, log, collect: collectGarbage }),
    }),
    corefile: options.corefile,
    external: (options.plugins ?? []).map((line) => pluginStatementFrom(line, '-plugin')),
    defaultPort: options.port,
    log,
    env,
    cwd: process.cwd(),
    metrics: shared.metrics,
    handedOver,
    network: workers?.pool.networkOver(shared.network) ?? shared.network,
    onFatal: (reason) => {
      log.error(reason);
      finish(1);
    },
  });
  guardFromPlugins(server.pluginFiles, log);
  log.setDebug(server.debug);
  collectAfterStart();
  giveBackMemory(realClock);
  dropStartCode(realClock);
  await workers?.running;
  await server.listen();
  if (options.admin !== undefined && top !== undefined) {
    state.admin = await AdminEndpoint.open(options.admin, adminRoutes(server, top, recorder), {
      ...shared,
      clock: realClock,
    });
    log.info(`admin endpoint at ${adminAddressText(state.admin.at)}`);
  }
  open?.closeRest();
  for (const { address, port } of sharedPlaces())
    log.info(`${hostPort(address, port)} is shared with another process, which gets a part of what is sent there`);
  signals.attach(server);
  state.owner = true;
  if (options.pidfile !== '') {
    writePid(options.pidfile);
    state.wrotePid = true;
  }
  if (!options.quiet) process.stdout.write(`${server.banner().join('\n')}\n${versionLines()}${options.greeting ?? ''}`);
  if (inherited !== undefined) tellServing();
  handedOver?.clear();
  await state.takeover?.serve(() => server.handOver());
  await state.companion?.serving(() => void signals.reload());
}

/** Throws a NodensError where the process may open fewer descriptors than a server needs to begin with. */
export function checkDescriptors(limit: number): void {
  if (limit < LEAST_DESCRIPTORS)
    throw new NodensError(
      'NODENS_OPTION',
      `this process may open ${limit} file descriptors, at least ${LEAST_DESCRIPTORS} are needed; ulimit -n allows more`,
    );
}

/** At once, because who reads half of it would send a signal to nobody, or to everybody. */
function writePid(file: string): void {
  const fresh = `${file}.${process.pid}`;
  // Whatever stands there, a link to another file perhaps, is not written to.
  rmSync(fresh, { force: true });
  writeFileSync(fresh, `${process.pid}\n`, { flag: 'wx' });
  renameSync(fresh, file);
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
