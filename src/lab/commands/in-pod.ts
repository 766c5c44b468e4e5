import http from 'node:http';
import type { Duplex } from 'node:stream';
import { SocketError } from '../../datapath/errors.js';
import { parseIp } from '../../lib/cidr.js';
import { sleep } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import { StubResolver, runBusyboxNslookup, runDig, runGetent, runHost, runNslookup } from '../../resolver/index.js';
import type { ToolEnv, ToolRun } from '../../resolver/index.js';
import type { Process } from '../../datapath/process.js';
import { LabNetwork } from '../lab-network.js';
import { CommandError } from '../session/command.js';
import type { CommandIo } from '../session/command.js';
import { parseOptions } from '../session/options.js';
import { whole } from './input.js';

/** Where a program runs: a pod, or a node's own network. */
export interface Spot {
  readonly name: string;
  readonly process: Process;
  /** undefined where there is no such file. */
  read(file: string): string | undefined;
  readonly env: () => string;
}

type Program = (args: readonly string[], spot: Spot, io: CommandIo) => Promise<number>;

/** How curl names itself. */
const CURL = 'curl/8.14.1';
const CONNECT_TIMEOUT = 130_000;
const PING_TIMEOUT = 1000;

export const toolEnv = (spot: Spot, io: { readonly lab: { readonly clock: ToolEnv['clock']; readonly random: Random } }): ToolEnv => ({
  network: new LabNetwork(spot.process), clock: io.lab.clock, random: io.lab.random, resolvConf: spot.read('/etc/resolv.conf') ?? '',
});

const tool = (run: (args: readonly string[], env: ToolEnv) => Promise<ToolRun>): Program => async (args, spot, io) => {
  const { text, exitCode } = await run(args, toolEnv(spot, io));
  io.write(text);
  return exitCode;
};

const cat: Program = async (args, spot, io) => {
  let code = 0;
  for (const file of args) {
    const text = spot.read(file);
    io.write(text ?? `cat: ${file}: No such file or directory\n`);
    if (text === undefined) code = 1;
  }
  return code;
};

/** The addresses of a host name as the C library finds them, IPv4 only. */
async function addressOf(host: string, spot: Spot, io: CommandIo): Promise<string | undefined> {
  if (parseIp(host)) return host;
  const story = await new StubResolver({ ...toolEnv(spot, io), profile: 'glibc' }).lookup(host, { types: ['A'], addrConfig: true });
  return story.addresses[0];
}

const curl: Program = async (args, spot, io) => {
  const options = parseOptions('curl', args, [
    { name: '--silent', short: '-s' }, { name: '--include', short: '-i' }, { name: '--head', short: '-I' }, { name: '--max-time', short: '-m', value: true }, { name: '--connect-timeout', value: true },
  ]);
  const [target, extra] = options.words;
  if (target === undefined || extra !== undefined) throw new CommandError('curl: got no URL or several, allowed: one');
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(target) ? target : `http://${target}`);
  } catch {
    io.write(`curl: (3) URL rejected: ${target}\n`);
    return 3;
  }
  if (url.protocol !== 'http:') {
    io.write(`curl: (1) Protocol "${url.protocol.slice(0, -1)}" not supported: the lab speaks http\n`);
    return 1;
  }
  const address = await addressOf(url.hostname, spot, io);
  if (address === undefined) {
    io.write(`curl: (6) Could not resolve host: ${url.hostname}\n`);
    return 6;
  }
  const port = url.port === '' ? 80 : Number(url.port);
  const limit = Number(options.get('--max-time') ?? options.get('--connect-timeout') ?? CONNECT_TIMEOUT / 1000) * 1000;
  if (!(limit > 0)) throw new CommandError(`curl: --max-time: got "${options.get('--max-time') ?? options.get('--connect-timeout')}", allowed: a number of seconds above 0`);
  return get(url, address, port, limit, options.has('--include') || options.has('--head'), options.has('--head') ? 'HEAD' : 'GET', spot, io);
};

async function get(url: URL, address: string, port: number, limit: number, head: boolean, method: string, spot: Spot, io: CommandIo): Promise<number> {
  const started = io.lab.clock.monotonic();
  const late = new AbortController();
  const timer = io.lab.clock.setTimeout(() => late.abort(new Error('timed out')), limit);
  try {
    const { stream } = await new LabNetwork(spot.process).connectTcp({ address, port }, late.signal);
    const { status, headers, text } = await fetchOver(stream, url, method, late.signal);
    if (head) io.write(`HTTP/1.1 ${status}\n${headers.map(([name, value]) => `${name}: ${value}\n`).join('')}\n`);
    io.write(text);
    return 0;
  } catch (error) {
    const took = Math.round(io.lab.clock.monotonic() - started);
    if (late.signal.aborted || (error as SocketError).code === 'ETIMEDOUT') {
      io.write(`curl: (28) Failed to connect to ${url.hostname} port ${port} after ${took} ms: Timeout was reached\n`);
      return 28;
    }
    const why = (error as SocketError).code === 'ECONNREFUSED' ? 'Couldn\'t connect to server' : (error as Error).message;
    io.write(`curl: (7) Failed to connect to ${url.hostname} port ${port} after ${took} ms: ${why}\n`);
    return 7;
  } finally {
    timer.cancel();
  }
}

interface Fetched {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
}

/** Asks over an open connection. */
function fetchOver(stream: Duplex, url: Pick<URL, 'pathname' | 'search' | 'host'>, method: string, signal: AbortSignal): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      stream.destroy();
      reject(signal.reason as Error);
    }, { once: true });
    const request = http.request({ createConnection: () => stream, method, path: `${url.pathname}${url.search}`, headers: { Host: url.host, 'User-Agent': CURL, Accept: '*/*' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: `${response.statusCode} ${response.statusMessage}`, headers: pairs(response.rawHeaders), text }));
    });
    // curl says nothing of the connection, and closes it when it has its answer.
    request.removeHeader('connection');
    request.on('error', reject).end();
  });
}

const pairs = (raw: readonly string[]): (readonly [string, string])[] => raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as const] : []));

const ping: Program = async (args, spot, io) => {
  const options = parseOptions('ping', args, [{ name: '-c', value: true }, { name: '-W', value: true }, { name: '-s', value: true }]);
  const [host] = options.words;
  if (host === undefined) throw new CommandError('ping: got no host, allowed: ping [-c COUNT] [-W SECONDS] [-s OCTETS] HOST');
  const count = whole('ping: -c', options.get('-c') ?? '4', 1, 1000);
  const wait = whole('ping: -W', options.get('-W') ?? '1', 1, 60) * PING_TIMEOUT;
  const size = whole('ping: -s', options.get('-s') ?? '56', 0, 65_507);
  const address = await addressOf(host, spot, io);
  if (address === undefined) {
    io.write(`ping: ${host}: Name or service not known\n`);
    return 2;
  }
  io.write(`PING ${host} (${address}) ${size}(${size + 28}) bytes of data.\n`);
  const { clock, random } = io.lab;
  const id = random.uint32() & 0xffff;
  let received = 0;
  for (let seq = 1; seq <= count && !io.signal.aborted; seq++) {
    const sent = clock.monotonic();
    let answered: string | undefined;
    try {
      spot.process.ping(address, { id, seq, size, onReply: (reply) => {
        if (reply.icmp && 'seq' in reply.icmp && reply.icmp.seq === seq) answered ??= `${size + 8} bytes from ${address}: icmp_seq=${seq} ttl=${reply.ttl} time=${(clock.monotonic() - sent).toFixed(3)} ms\n`;
      } });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      io.write(`ping: ${error.message}\n`);
    }
    if (answered === undefined) await sleep(clock, wait);
    if (answered !== undefined) {
      received++;
      io.write(answered);
    }
    if (seq < count) await sleep(clock, answered === undefined ? 0 : PING_TIMEOUT, io.signal).catch(() => undefined);
  }
  io.write(`\n--- ${host} ping statistics ---\n${count} packets transmitted, ${received} received, ${Math.round((100 * (count - received)) / count)}% packet loss\n`);
  return received > 0 ? 0 : 1;
};

const env: Program = async (_args, spot, io) => {
  io.write(spot.env());
  return 0;
};

/** The programs that run in a pod or on a node, by name. */
export const POD_PROGRAMS: Readonly<Record<string, Program>> = {
  nslookup: tool(runNslookup), dig: tool(runDig), host: tool(runHost), getent: tool(runGetent), busybox: (args, spot, io) => {
    if (args[0] !== 'nslookup') throw new CommandError(`busybox: got "${args[0] ?? ''}", allowed: nslookup`);
    return tool(runBusyboxNslookup)(args.slice(1), spot, io);
  }, cat, curl, ping, env,
};
