import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import path from 'node:path';
import { Flag, decodeMessage, encodeMessage, rcodeName } from '../../src/wire/index.js';
import { dir, write } from './peer.js';
import { cpuTime, installed, residentMemory } from './process.js';
import type { Start } from './report.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OWN = path.join(ROOT, 'bin/nodens');
/** As the program was started before it was bundled: each of its modules a file. */
const MODULES = [
  process.execPath,
  ...['--max-semi-space-size=2', '--v8-pool-size=1', '--no-sparkplug', '--expose-gc'],
  path.join(ROOT, 'dist/cli/main.js'),
];
/** How often each program is started, one after the other in turns. */
const TURNS = 10;
/** Between two questions to a server that is starting, in milliseconds. */
const PAUSE = 2;
/** After its first answer a server may go on starting for so long before its memory is read, in milliseconds. */
const SETTLE = 300;
/** A server that has not answered by then does not start, in milliseconds. */
const PATIENCE = 30_000;
const BLOCKS = [1, 500];
const LAB = { nodes: 50, pods: 2000 };
/** How far its ports are from those of the servers that are started. */
const LAB_PORT = 500;

/** A program that is started: until it ends, or until it answers `question`. */
interface Program {
  readonly scenario: string;
  readonly peer: string;
  readonly command: readonly string[];
  readonly port?: number;
  readonly question?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Server blocks with a cache and an upstream each, and one that answers by itself. */
const blocks = (count: number, port: number): string =>
  Array.from(
    { length: count },
    (_, i) => `z${i}.example.org:${port} {\n    bind 127.0.0.1\n    cache\n    forward . 127.0.0.1:1\n}\n`,
  ).join('') + `first.test:${port} {\n    bind 127.0.0.1\n    whoami\n}\n`;

function programs(port: number, before: readonly string[]): Program[] {
  const own = [
    { peer: 'nodens', command: [OWN] },
    { peer: 'nodens, before', command: before },
  ];
  const files = { NODENS_PORT: String(port), NODENS_UPSTREAM: '127.0.0.1:1' };
  const question = 'webpod.default.svc.cluster.local.';
  return [
    { scenario: 'start: the program and its end', peer: 'node -e 0', command: [process.execPath, '-e', '0'] },
    ...own.map(({ peer, command }) => ({
      scenario: 'start: the program and its end',
      peer: `${peer} -version`,
      command: [...command, '-version'],
    })),
    ...own.map(({ peer, command }) => ({
      scenario: 'start: first answer of kubernetes-files.Corefile',
      peer,
      command: [...command, '-conf', path.join(ROOT, 'corefiles/kubernetes-files.Corefile')],
      port,
      question,
      env: files,
    })),
    {
      scenario: `start: lab of ${LAB.nodes} nodes and ${LAB.pods} pods`,
      peer: 'nodens',
      // The port after the page's is that of the pod to ask from.
      command: [OWN, 'lab', 'up', '-nodes', `${LAB.nodes}`, '-pods', `${LAB.pods}`, '-port', `${port + LAB_PORT - 1}`],
      port: port + LAB_PORT,
      question,
      env: { NODENS_LAB_SOCKET: path.join(dir, 'lab.sock') },
    },
    ...BLOCKS.flatMap((count) => {
      const conf = write(`blocks-${count}`, blocks(count, port));
      return [...own, ...(installed('coredns') ? [{ peer: 'coredns', command: ['coredns'] }] : [])].map(
        ({ peer, command }) => ({
          scenario: `start: first answer of ${count} server blocks`,
          peer,
          command: [...command, '-conf', conf],
          port,
          question: 'a.first.test.',
        }),
      );
    }),
  ];
}

/**
 * Starts programs whose scenario matches, and one that stands for what was before: the program of another checkout, or
 * the modules of this one, unbundled.
 */
export async function measureStarts(only: RegExp, port: number, before: string | undefined): Promise<Start[]> {
  const chosen = programs(port, before === undefined ? MODULES : [path.resolve(before)]).filter(({ scenario }) =>
    only.test(scenario),
  );
  const taken = chosen.map((): Taken[] => []);
  // Once for each, not counted: it keeps what V8 made of the program when it ends.
  for (const program of chosen) await startOnce(program, 'SIGTERM');
  for (let turn = 0; turn < TURNS; turn++)
    for (const [i, program] of chosen.entries()) taken[i]!.push(await startOnce(program));
  return chosen.map(({ scenario, peer, question }, i) => ({
    scenario,
    peer,
    ms: median(taken[i]!.map(({ ms }) => ms)),
    memory: question === undefined ? undefined : median(taken[i]!.map(({ memory }) => memory)),
    cpu: question === undefined ? undefined : median(taken[i]!.map(({ cpu }) => cpu)),
  }));
}

/** One start: time, memory and processor time, as in {@link Start}. */
type Taken = { readonly [key in 'ms' | 'memory' | 'cpu']: number };

async function startOnce({ command, port, question, env }: Program, end: NodeJS.Signals = 'SIGKILL'): Promise<Taken> {
  const began = performance.now();
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    // Nothing of this shell's: with NODE_EXTRA_CA_CERTS alone, Node 20 reads certificates for 30 ms before it starts.
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (question === undefined) {
    await ended;
    return { ms: performance.now() - began, memory: 0, cpu: 0 };
  }
  try {
    await firstAnswer(port!, question);
    const ms = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    return { ms, memory: residentMemory(child.pid!), cpu: cpuTime(child.pid!) / 1000 };
  } finally {
    child.kill(end);
    await ended;
  }
}

/** Asks again and again, without waiting for an answer in between: who is not there yet does not say so. */
function firstAnswer(port: number, name: string): Promise<void> {
  const message = encodeMessage({
    id: 1,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name, type: 1, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
  });
  const socket = dgram.createSocket('udp4');
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${name} at port ${port}`)), PATIENCE);
    const asking = setInterval(() => socket.send(message, port, '127.0.0.1'), PAUSE);
    socket.on('error', () => undefined);
    socket.on('message', (reply) => {
      const rcode = rcodeName(decodeMessage(reply).rcode);
      if (rcode !== 'NOERROR') return reject(new Error(`${name} at port ${port}: ${rcode}`));
      clearTimeout(timer);
      clearInterval(asking);
      resolve();
    });
  }).finally(() => socket.close());
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
