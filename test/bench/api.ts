import dgram from 'node:dgram';
import { Flag, encodeMessage } from '../../src/wire/index.js';
import { untilReady } from './ask.js';
import { API_CA, ApiServer, type ApiManner } from './api-server.js';
import { write } from './peer.js';
import { readyPort } from './peers.js';
import { SERVER_CORE, cpuTime, installed, residentMemory, startPinned, stop } from './process.js';
import { OWN, aligned } from './report.js';

/** What it takes to know a cluster, from the start of the process on. */
export interface ApiRow {
  readonly scenario: string;
  readonly peer: string;
  /** CPU time of the process, all threads, in milliseconds. */
  readonly cpu: number;
  /** Until it says that it is ready, in milliseconds. */
  readonly ready: number;
  /** What the API sent, in MB (10^6 bytes). */
  readonly received: number;
  /** Resident memory then, in MB. */
  readonly memory: number;
  /** The longest that a query waited meanwhile, in milliseconds. */
  readonly pause: number;
}

interface ApiScenario {
  readonly name: string;
  readonly services: number;
  readonly manner: ApiManner;
}

export const API_SCENARIOS: readonly ApiScenario[] = [
  { name: 'api: no services', services: 0, manner: 'streamed' },
  { name: 'api: 10,000 services, streamed', services: 10_000, manner: 'streamed' },
  { name: 'api: 10,000 services, listed in JSON', services: 10_000, manner: 'listed' },
  { name: 'api: 100,000 services, streamed', services: 100_000, manner: 'streamed' },
];
/** How often each is done: the middle one counts. */
const TURNS = 5;
/** Between two questions to a server that takes objects in, in milliseconds. */
const EVERY = 2;
/** After it is ready, until its memory is read. */
const SETTLE = 500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Answers from the start on, with names that no two queries share. */
const corefile = (port: number, url: string): string => `.:${port} {
    bind 127.0.0.1
    errors
    ready 127.0.0.1:${readyPort(port)}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        endpoint ${url}
        tls "" "" ${API_CA}
        startup_timeout 0
        pods insecure
        ttl 30
    }
    template IN A pause.test {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
}
`;

/** Measures the scenarios whose names match. */
export async function measureApi(only: RegExp, port: number, before: string | undefined): Promise<ApiRow[]> {
  const own = new URL('../../bin/nodens', import.meta.url).pathname;
  const peers = [
    { name: OWN, command: own, manners: ['streamed', 'listed'] },
    // A program of before may not know streams.
    ...(before === undefined ? [] : [{ name: `${OWN}, before`, command: before, manners: ['listed'] }]),
    ...(installed('coredns') ? [{ name: 'coredns', command: 'coredns', manners: ['streamed'] }] : []),
  ];
  const rows: ApiRow[] = [];
  for (const { name, services, manner } of API_SCENARIOS.filter((scenario) => only.test(scenario.name))) {
    const api = await new ApiServer(services, manner).start();
    try {
      const able = peers.filter(({ manners }) => manners.includes(manner));
      const taken = able.map((): Omit<ApiRow, 'scenario' | 'peer'>[] => []);
      for (let turn = 0; turn < TURNS; turn++)
        for (const [i, { command }] of able.entries()) {
          const quiet = await once(api, command, port, false);
          taken[i]!.push({ ...quiet, pause: (await once(api, command, port, true)).pause });
        }
      for (const [i, peer] of able.entries()) rows.push({ scenario: name, peer: peer.name, ...medians(taken[i]!) });
    } finally {
      api.stop();
    }
  }
  return rows;
}

async function once(
  api: ApiServer,
  command: string,
  port: number,
  asked: boolean,
): Promise<Omit<ApiRow, 'scenario' | 'peer'>> {
  const conf = write(`api-${port}`, corefile(port, api.url));
  api.sent = 0;
  const began = performance.now();
  const child = startPinned(SERVER_CORE, command, ['-conf', conf]);
  const asking = asked ? new Asking(port) : undefined;
  try {
    await untilReady(readyPort(port));
    const ready = performance.now() - began;
    const cpu = cpuTime(child.pid!) / 1000;
    await sleep(SETTLE);
    return { cpu, ready, received: api.sent / 1e6, memory: residentMemory(child.pid!), pause: asking?.longest() ?? 0 };
  } finally {
    asking?.end();
    await stop(child);
  }
}

/** Asks all the time, without waiting for answers, and notes how long they take from the first on. */
class Asking {
  private readonly socket = dgram.createSocket('udp4');
  private readonly asked = new Map<number, number>();
  private readonly timer = setInterval(() => this.ask(), EVERY);
  private id = 0;
  private most = 0;
  private answered = false;

  constructor(private readonly port: number) {
    this.socket.on('error', () => undefined);
    this.socket.on('message', (reply) => {
      const id = reply.readUInt16BE(0);
      const began = this.asked.get(id);
      this.asked.delete(id);
      // What came before the server did tells nothing.
      if (!this.answered) this.asked.clear();
      else if (began !== undefined) this.most = Math.max(this.most, performance.now() - began);
      this.answered = true;
    });
  }

  /** What has not been answered counts with what it has waited so far. */
  longest(): number {
    return Math.max(this.most, ...[...this.asked.values()].map((began) => performance.now() - began));
  }

  end(): void {
    clearInterval(this.timer);
    this.socket.close();
  }

  private ask(): void {
    this.id = (this.id + 1) & 0xffff;
    const question = [{ name: `p${this.id}.pause.test.`, type: 1, class: 1 }];
    const empty = { answer: [], authority: [], additional: [] };
    this.asked.set(this.id, performance.now());
    this.socket.send(
      encodeMessage({ id: this.id, flags: Flag.RD, rcode: 0, question, ...empty }),
      this.port,
      '127.0.0.1',
    );
  }
}

function medians(taken: readonly Omit<ApiRow, 'scenario' | 'peer'>[]): Omit<ApiRow, 'scenario' | 'peer'> {
  const middle = (of: (row: Omit<ApiRow, 'scenario' | 'peer'>) => number): number =>
    taken.map(of).sort((a, b) => a - b)[taken.length >> 1]!;
  return {
    cpu: middle((row) => row.cpu),
    ready: middle((row) => row.ready),
    received: middle((row) => row.received),
    memory: middle((row) => row.memory),
    pause: middle((row) => row.pause),
  };
}

export function apiTable(rows: readonly ApiRow[]): string {
  const body = rows.map(({ scenario, peer, cpu, ready, received, memory, pause }) => [
    scenario,
    peer,
    ...[cpu, ready].map((value) => value.toFixed(0)),
    received.toFixed(1),
    memory.toFixed(0),
    pause.toFixed(0),
  ]);
  const head = ['scenario', 'program', 'CPU ms', 'ready ms', 'received MB', 'RSS MB', 'longest wait ms'];
  return aligned([head, ...body]).join('\n');
}
