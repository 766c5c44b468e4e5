import { spawn } from 'node:child_process';
import path from 'node:path';
import { load } from './load.js';
import { dir, write, type Command } from './peer.js';
import { NODENS, TLS_FILES } from './peers.js';
import { LOAD_CORE, SERVER_CORE, cpuTime, installed, startPinned, stop } from './process.js';
import { aligned } from './report.js';
import { median } from './turns.js';

const NAMES = ['encrypted: cache hit over TLS', 'encrypted: cache hit over HTTPS'] as const;
const TURNS = 5;
/** In seconds: until V8 has made of the program what it makes of it. */
const WARM_UP = 5;
const HERE = import.meta.dirname;

/** CPU time of a cache hit in microseconds, by server, and the median of its ratios to the first of them. */
export interface EncryptedCost {
  readonly scenario: string;
  readonly server: string;
  readonly cost: number;
  readonly ratio: number;
}

interface Server {
  readonly name: string;
  readonly port: number;
  readonly command: Command;
}

/**
 * What a cache hit costs on kept connections: unbound, this server, and Node alone, which sends queries back. All run, and
 * are asked in turns.
 */
export async function measureEncrypted(
  only: RegExp,
  seconds: number,
  upstream: () => Promise<number>,
  nextPort: () => number,
): Promise<EncryptedCost[]> {
  const costs: EncryptedCost[] = [];
  for (const scenario of NAMES.filter((name) => only.test(name))) {
    const overTls = scenario === NAMES[0];
    const servers = [
      ...(installed('unbound') ? [unbound(overTls, await upstream(), nextPort())] : []),
      nodens(overTls, await upstream(), nextPort()),
      alone(overTls, nextPort()),
    ];
    costs.push(...(await compared(scenario, servers, overTls ? askOverTls : askOverHttps, seconds)));
  }
  return costs;
}

export const encryptedTable = (costs: readonly EncryptedCost[]): string =>
  aligned([
    ['scenario', 'server', 'us', 'times'],
    ...costs.map(({ scenario, server, cost, ratio }) => [scenario, server, cost.toFixed(1), ratio.toFixed(2)]),
  ]).join('\n');

function unbound(overTls: boolean, upstream: number, port: number): Server {
  const lines = [
    'server:',
    ...['username', 'chroot', 'pidfile'].map((name) => ` ${name}: ""`),
    ' use-syslog: no',
    ` directory: "${dir}"`,
    ` interface: 127.0.0.1@${port}`,
    ` ${overTls ? 'tls-port' : 'https-port'}: ${port}`,
    ` tls-service-key: "${TLS_FILES.key}"`,
    ` tls-service-pem: "${TLS_FILES.cert}"`,
    ' num-threads: 1',
    ' incoming-num-tcp: 100',
    ' do-not-query-localhost: no',
    ' module-config: "iterator"',
    ' cache-min-ttl: 3600',
    'remote-control:',
    ' control-enable: no',
    'forward-zone:',
    ' name: "."',
    ` forward-addr: 127.0.0.1@${upstream}`,
  ];
  const file = write(`unbound-encrypted-${port}`, lines.join('\n'));
  return { name: 'unbound', port, command: { command: 'unbound', args: ['-d', '-c', file] } };
}

function nodens(overTls: boolean, upstream: number, port: number): Server {
  const block = `bind 127.0.0.1\ntls ${TLS_FILES.cert} ${TLS_FILES.key}\ncache 3600\nforward . 127.0.0.1:${upstream}`;
  const file = write(`nodens-encrypted-${port}`, `${overTls ? 'tls' : 'https'}://.:${port} {\n${block}\n}\n`);
  return { name: 'nodens', port, command: { command: NODENS, args: ['-quiet', '-conf', file] } };
}

function alone(overTls: boolean, port: number): Server {
  const args = [`${HERE}/echo.mjs`, overTls ? 'tls' : 'http2', String(port), TLS_FILES.cert, TLS_FILES.key];
  return { name: 'Node alone', port, command: { command: process.execPath, args } };
}

type Ask = (port: number, queries: string, seconds: number) => Promise<number>;

const askOverTls: Ask = async (port, queries, seconds) =>
  (await load({ port, queries, seconds, clients: 10, mode: 'dot' })).completed;

const askOverHttps: Ask = (port, queries, seconds) => {
  const args = [
    '-c',
    LOAD_CORE,
    process.execPath,
    path.join(HERE, 'doh-load.mjs'),
    String(port),
    String(seconds),
    queries,
  ];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) =>
    child.once('exit', (code) =>
      code === 0 ? resolve(Number(text)) : reject(new Error('the client over HTTPS failed')),
    ),
  );
};

async function compared(
  scenario: string,
  servers: readonly Server[],
  ask: Ask,
  seconds: number,
): Promise<EncryptedCost[]> {
  const questions = Array.from({ length: 1000 }, (_, i) => `n${i + 1}.bench.example.org A\n`);
  const queries = write('queries-encrypted', questions.join(''));
  const running = servers.map((server) => {
    const { command, args, env } = server.command;
    return { ...server, child: startPinned(SERVER_CORE, command, args, env), costs: [] as number[] };
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const { port } of running) await ask(port, queries, WARM_UP);
    for (let turn = 0; turn < TURNS; turn++)
      for (const { port, child, costs } of turn % 2 === 0 ? running : running.toReversed()) {
        const before = cpuTime(child.pid!);
        const completed = await ask(port, queries, seconds);
        if (completed === 0) throw new Error(`nothing was answered:\n${child.output()}`);
        costs.push((cpuTime(child.pid!) - before) / completed);
      }
    const [first] = running;
    return running.map(({ name, costs }) => ({
      scenario,
      server: name,
      cost: median(costs),
      ratio: median(costs.map((cost, i) => cost / first!.costs[i]!)),
    }));
  } finally {
    await Promise.all(running.map(({ child }) => stop(child)));
  }
}
