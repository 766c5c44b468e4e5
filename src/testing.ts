/** Tests of plugins, `nodens/testing`: a server or a modelled cluster whose time stands still until it is moved. */
import { ManualClock } from './lib/clock.js';
import { NodensError } from './lib/errors.js';
import { seededRandom } from './lib/random.js';
import type { Milliseconds } from './lib/units.js';
import type { ManifestObject } from './kube/manifests/parse.js';
import { COMMANDS } from './lab/commands/index.js';
import { Lab } from './lab/lab.js';
import { DRIVEN_START, drive } from './lab/session/driven-clock.js';
import { Session } from './lab/session/session.js';
import { loadTopology } from './lab/topology/load.js';
import type { Topology } from './lab/topology/topology.js';
import type { Plugin } from './plugin-api/contract.js';
import type { InjectedQuery, ResponsePacket } from './plugin-api/packet.js';
import { createServer, type DnsServer } from './server/library.js';

export type { InjectedClient, InjectedQuery, ResponsePacket } from './plugin-api/packet.js';

/** What a server under test is made from. */
export interface TestServerOptions {
  /** A Corefile; relative paths in it count from `cwd`. */
  readonly corefile: string;
  readonly plugins?: readonly Plugin[];
  /** Environment variables; none where nothing is said. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that relative paths count from; the working directory where nothing is said. */
  readonly cwd?: string;
}

/** A server without sockets of its own. */
export interface TestServer {
  /**
   * Asks as the client that the query names. Time is moved on while the answer is waited for, but not beyond the 10 s
   * that a query has. Undefined where the answer is silence; rejects with what a plugin threw.
   */
  ask(query: InjectedQuery | string): Promise<ResponsePacket | undefined>;
  /** Moves time on, and lets what falls due run. */
  advance(by: Milliseconds): Promise<void>;
  /** Lines of the log so far: `[WARNING] plugin/names: ...`. */
  readonly lines: readonly string[];
  /** The metrics' samples, by name with labels: `coredns_names_table_entries{...}`. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Puts another Corefile in place, or the same anew; false where it is refused, with a line in the log. */
  reload(corefile?: string): Promise<boolean>;
  /** Ends the server and its plugins. */
  stop(): Promise<void>;
}

/** Starts a server for a test. Rejects as `createServer`. */
export async function testServer(options: TestServerOptions): Promise<TestServer> {
  const clock = new ManualClock();
  const lines: string[] = [];
  let corefile = options.corefile;
  const server = await createServer({
    corefile: { name: 'Corefile', read: () => corefile },
    plugins: options.plugins ?? [],
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    clock,
    random: seededRandom(1),
    log: logTo(lines),
  });
  return {
    lines,
    ask: (query) => moving(clock, server.inject(typeof query === 'string' ? { name: query } : query)),
    advance: (by) => clock.advanceAsync(by),
    metrics: () => samples(server),
    reload: (text) => {
      corefile = text ?? corefile;
      return moving(clock, server.reload());
    },
    stop: () => moving(clock, server.stop()),
  };
}

const logTo = (lines: string[]) => {
  const level = (name: string) => (line: string) => void lines.push(`[${name}] ${line}`);
  return { debug: level('DEBUG'), info: level('INFO'), warning: level('WARNING'), error: level('ERROR') };
};

async function samples(server: DnsServer): Promise<ReadonlyMap<string, number>> {
  const text = await server.metrics();
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    rows.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** Turns of the event loop before time is moved on: real files and sockets need some. */
const TURNS = 200;

/** Waits for work that may wait for time. */
async function moving<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => (done = true));
  settled.catch(() => undefined);
  for (let turn = 0; !done; turn++) {
    await clock.advanceAsync(turn < TURNS ? 0 : 20);
    if (turn >= TURNS) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return settled;
}

/** What a modelled cluster is made from. */
export interface TestClusterOptions {
  readonly plugins?: readonly Plugin[];
  /** The cluster DNS's Corefile, from the one that is there; unchanged where nothing is said. */
  readonly corefile?: (before: string) => string;
  /** Name or file of the lab's topology; `two-nodes` where nothing is said. */
  readonly topology?: string;
}

/** A modelled cluster whose cluster DNS has the plugins. */
export interface TestCluster {
  /** Runs a line of the lab's shell, such as `kubectl exec curl-pod -- dig +short example.org`. */
  run(line: string): Promise<{ readonly text: string; readonly code: number }>;
  /** Ends the lab. */
  stop(): Promise<void>;
}

/** Builds a modelled cluster for a test. Rejects with a NodensError for a topology or a Corefile that cannot be. */
export async function testCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const clock = new ManualClock(DRIVEN_START);
  const topology = withCorefile(loadTopology(options.topology ?? 'two-nodes'), options.corefile);
  const lab = await drive(clock, Lab.create(topology, { clock, external: options.plugins ?? [] }));
  const session = new Session(lab, { read: () => noFile() }, COMMANDS);
  return {
    run: async (line) => {
      let text = '';
      const code = await drive(clock, session.run(line, { write: (part) => (text += part) }));
      return { text, code };
    },
    stop: () =>
      drive(
        clock,
        session.close().then(() => lab.stop()),
      ),
  };
}

const noFile = (): never => {
  throw new NodensError('NODENS_LAB_COMMAND', 'there are no files in this test');
};

interface ConfigMap {
  readonly metadata?: { readonly name?: string };
  readonly data?: { readonly Corefile?: string };
}

function withCorefile(topology: Topology, change: TestClusterOptions['corefile']): Topology {
  if (change === undefined) return topology;
  const changed = (manifest: ManifestObject): ManifestObject => {
    const raw = manifest.raw as ConfigMap;
    const before = raw.data?.Corefile;
    if (manifest.kind !== 'ConfigMap' || raw.metadata?.name !== 'coredns' || before === undefined) return manifest;
    return { ...manifest, raw: { ...raw, data: { ...raw.data, Corefile: change(before) } } };
  };
  return { ...topology, manifests: topology.manifests.map(changed) };
}
