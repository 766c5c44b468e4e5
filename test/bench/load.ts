import { spawn } from 'node:child_process';
import { LOAD_CORE } from './process.js';

export interface LoadOptions {
  readonly port: number;
  /** A dnsperf query file: `NAME TYPE` lines. */
  readonly queries: string;
  readonly seconds: number;
  /** Goes through the file so many times in place of asking for a time. */
  readonly rounds?: number | undefined;
  readonly clients: number;
  /** Where dnsperf runs, and with how many threads. */
  readonly cores?: string | undefined;
  readonly threads?: number | undefined;
  /** Queries a second; as many as go without it. */
  readonly rate?: number | undefined;
  /** Its own address; the system's choice without it. */
  readonly from?: string | undefined;
  /** Queries that may wait for an answer at once; as many as clients, at least 100, without it. */
  readonly unanswered?: number | undefined;
  /** Whether queries ask for signatures (DO). */
  readonly signatures?: boolean | undefined;
  /** Over TLS; UDP without it. */
  readonly mode?: 'dot' | undefined;
}

export interface LoadResult {
  readonly sent: number;
  readonly completed: number;
  readonly lost: number;
  readonly perSecond: number;
  /** Response codes and how often each came. */
  readonly rcodes: Readonly<Record<string, number>>;
  /** Latencies in milliseconds. */
  readonly mean: number;
  readonly max: number;
}

/** Runs dnsperf against 127.0.0.1 and reads what it prints. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const args = [
    '-c',
    options.cores ?? LOAD_CORE,
    'dnsperf',
    '-s',
    '127.0.0.1',
    '-p',
    String(options.port),
    '-d',
    options.queries,
    ...(options.rounds === undefined ? ['-l', String(options.seconds)] : ['-n', String(options.rounds)]),
    '-c',
    String(options.clients),
    '-T',
    String(options.threads ?? 1),
    '-q',
    String(options.unanswered ?? Math.max(100, options.clients)),
    ...(options.from ? ['-a', options.from] : []),
    ...(options.signatures === true ? ['-D'] : []),
    ...(options.mode ? ['-m', options.mode] : []),
    ...(options.rate ? ['-Q', String(options.rate)] : []),
  ];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.once('exit', resolve));
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? NaN);
  const completed = number(/Queries completed:\s+(\d+)/);
  if (Number.isNaN(completed)) throw new Error(`dnsperf gave no result:\n${text}`);
  const rcodes = Object.fromEntries(
    [...text.matchAll(/([A-Z]+) (\d+) \([\d.]+%\)/g)].map(([, rcode, count]) => [rcode!, Number(count)]),
  );
  return {
    sent: number(/Queries sent:\s+(\d+)/),
    completed,
    lost: number(/Queries lost:\s+(\d+)/),
    perSecond: number(/Queries per second:\s+([\d.]+)/),
    rcodes,
    mean: number(/Average Latency \(s\):\s+([\d.]+)/) * 1000,
    max: number(/Average Latency \(s\):.*max ([\d.]+)/) * 1000,
  };
}
