import path from 'node:path';
import dgram from 'node:dgram';
import { pathToFileURL } from 'node:url';
import type { PluginDefinition } from '../../src/chain/index.js';
import { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import type { AnswersBelow } from '../../src/fastpath/worker-pool-options.js';
import { Intake } from '../../src/kube/intake/intake.js';

import { MemorySource } from '../../src/kube/memory-source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { seededRandom } from '../../src/lib/random.js';
import { HostNetwork } from '../../src/net/host-network.js';
import type { Endpoint } from '../../src/net/network.js';
import { pluginsOver } from '../../src/server/directives.js';
import { Server } from '../../src/server/server.js';
import { FrameReader, frame } from '../../src/wire/index.js';
import { TestLog } from './block.js';
import { compiledProgram } from './compiled.js';
import { exampleUpstream } from './example-upstream.js';
import { RecordedLog, namespace, service, slice } from './kube.js';
import { LoopbackNetwork } from './loopback-network.js';
import { routesTo, strictResponder } from './routes.js';
import { SERVER, query, type QuestionOptions } from './dns.js';
import { PlainUdp } from '../../src/server/udp.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { TcpServer, inTheClear } from '../../src/server/tcp.js';
import { realClock } from '../../src/lib/clock.js';

/** One query of a script: what is asked, from where, and how. */
export interface Step extends QuestionOptions {
  readonly name: string;
  readonly type?: string;
  /** Number of the client: 127.0.0.1, .2, ... */
  readonly from: number;
  /** Which of the addresses for plain DNS is asked, counted round; the first one where nothing is said. */
  readonly at?: number;
}

/** What a server did with a script: each answer in hexadecimal or `none`, and its counters afterwards. */
export interface Result {
  readonly answers: readonly string[];
  readonly counters: readonly string[];
  /** Lines of the log about handlers that failed. */
  readonly panics: readonly string[];
  /** How many answers were given before the threads saw the query. */
  readonly below: number;
}

/** Where a server is played against. */
export interface Around {
  readonly clients: readonly UdpClient[];
  readonly upstream: number;
  readonly cwd: string;
  /** Address that is listened at; 127.0.0.1 where nothing is said. */
  readonly address?: string;
  /** What answers before the threads. */
  readonly below?: () => AnswersBelow;
}

const WORKER = pathToFileURL(path.join(path.dirname(compiledProgram()), '../fastpath/worker.js'));
/** A datagram that is not answered in this time is taken for dropped. */
const PATIENCE = 2000;

/** Answers by rule at a port of its own, over UDP and TCP. */
export async function startUpstream(): Promise<{ port: number; stop: () => void }> {
  const network = new HostNetwork();
  const served = { server: SERVER, routes: routesTo(exampleUpstream) };
  const responder = strictResponder(realClock);
  const context = { network, clients: new TcpClients(realClock), responder };
  const tcp = await TcpServer.listen(context, { address: '127.0.0.1', port: 0 }, served, inTheClear);
  const udp = await new PlainUdp(network, realClock, responder).listen(tcp.local, served);
  const stop = (): void => {
    udp.close();
    tcp.close();
    tcp.destroy();
  };
  return { port: tcp.local.port, stop };
}

/** Objects of a small cluster. */
function cluster(): KubeStore {
  const store = new KubeStore();
  const source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() }));
  const headless = { clusterIP: 'None', clusterIPs: ['None'] };
  const addresses = Array.from({ length: 20 }, (_, i) => `10.0.0.${i + 1}`);
  for (const manifest of [namespace('default'), service('web'), service('headless', headless)]) source.apply(manifest);
  source.apply(slice('headless', addresses));
  source.apply(slice('web', addresses.slice(0, 2)));
  source.start(store, new AbortController().signal);
  return store;
}

export interface Plan {
  readonly name: string;
  readonly corefile: string;
  readonly script: readonly Step[];
  /** Plugins of the test, by the directive that they stand before. */
  readonly more?: readonly { readonly before: string; readonly plugin: PluginDefinition }[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the script against a server that takes datagrams in one of two ways. */
export async function play(
  plan: Plan,
  way: 'batched' | 'dgram',
  { clients, upstream, cwd, address = '127.0.0.1', below: openBelow }: Around,
): Promise<Result> {
  const network = new LoopbackNetwork(upstream, address);
  const log = new TestLog();
  const below = openBelow?.();
  const workerPool =
    way === 'batched'
      ? await UdpWorkerPool.start({ workers: 1, memory: 1 << 20, log, below, program: WORKER })
      : undefined;
  const server = await Server.create({
    corefile: { name: plan.name, read: () => plan.corefile },
    network,
    log,
    random: seededRandom(7),
    env: plan.env ?? {},
    cwd,
    plugins: withMore(pluginsOver(cluster()), plan.more ?? []),
    ...(workerPool && { workerPool: throughLoopback(workerPool, network) }),
  });
  try {
    await server.listen();
    const answers: string[] = [];
    for (const step of plan.script) {
      const plain = server.served.filter(({ scheme }) => scheme === 'dns');
      const { port } = network.actual(plain[(step.at ?? 0) % plain.length] ?? server.served[0]!);
      const { bytes } = query(step.name, step.type, step);
      answers.push(
        step.transport === 'tcp'
          ? await askTcp({ address, port }, bytes)
          : await clients[step.from]!.ask({ address, port }, bytes),
      );
    }
    const counters = counted(await server.runtime.metrics.text());
    const below = workerPool?.below?.outcomes().answered ?? 0;
    return { answers, counters, below, panics: log.lines.filter((line) => line.includes('Recovered from panic')) };
  } finally {
    await server.stop();
  }
}

function withMore(plugins: readonly PluginDefinition[], more: NonNullable<Plan['more']>): readonly PluginDefinition[] {
  return plugins.flatMap((plugin) => [
    ...more.filter(({ before }) => before === plugin.name).map((one) => one.plugin),
    plugin,
  ]);
}

/** The threads take datagrams where the network says, and are told the Corefile's address. */
function throughLoopback(workerPool: UdpWorkerPool, network: LoopbackNetwork): UdpWorkerPool {
  const bindUdp: UdpWorkerPool['bindUdp'] = (at, server, onDatagram) => ({
    ...workerPool.bindUdp(network.actual(at), server, onDatagram),
    local: at,
  });
  return new Proxy(workerPool, {
    get: (target, key) => {
      if (key === 'bindUdp') return bindUdp;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Series of time, memory, sockets upstream or the program itself are no two times the same. */
const counted = (metrics: string): string[] =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith('coredns_') && !UNSTEADY.test(line))
    .sort();
const UNSTEADY = /^\w*(duration|seconds|conn_cache|unsent|hedge|healthcheck|kernel_queries)/;

/** A client that keeps its address and port: some answers tell them. */
export class UdpClient {
  private readonly socket = dgram.createSocket('udp4');
  private readonly bound: Promise<void>;

  /** @param at a bound descriptor, or an address of this network namespace */
  constructor(at: string | number) {
    this.bound = new Promise((resolve) =>
      typeof at === 'number' ? this.socket.bind({ fd: at }, resolve) : this.socket.bind(0, at, resolve),
    );
  }

  async ask({ address, port }: Endpoint, bytes: Uint8Array): Promise<string> {
    await this.bound;
    return new Promise((resolve) => {
      const end = (answer: string): void => {
        clearTimeout(timer);
        this.socket.removeAllListeners('message');
        resolve(answer);
      };
      const timer = setTimeout(() => end('none'), PATIENCE);
      this.socket.on(
        'message',
        (answer) => answer.readUInt16BE(0) === ((bytes[0]! << 8) | bytes[1]!) && end(answer.toString('hex')),
      );
      this.socket.send(bytes, port, address);
    });
  }

  close(): void {
    this.socket.close();
  }
}

async function askTcp(at: Endpoint, bytes: Uint8Array): Promise<string> {
  const { stream } = await new HostNetwork().connectTcp(at);
  const reader = new FrameReader();
  const timer = setTimeout(() => stream.destroy(), PATIENCE);
  const answer = await new Promise<string>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      const message = reader.next();
      if (message !== undefined) resolve(message.toString('hex'));
    });
    stream.on('close', () => resolve('none'));
    stream.write(frame(bytes));
  });
  clearTimeout(timer);
  stream.destroy();
  return answer;
}
