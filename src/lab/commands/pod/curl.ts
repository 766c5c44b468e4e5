import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { SocketError } from '../../../datapath/errors.js';
import type { Milliseconds } from '../../../lib/units.js';
import { LabNetwork } from '../../network/lab-network.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { whole } from '../text/input.js';
import { NOTHING_FETCHED, fetched } from '../target/fetched.js';
import { addressOf, warnUnreachable } from '../target/exec-context.js';
import type { PodCommand, ExecContext } from '../target/exec-context.js';

/** How curl names itself. */
const CURL = 'curl/8.14.1';
const CONNECT_TIMEOUT: Milliseconds = 130_000;
const CURL_OPTIONS = [
  { name: '--silent', short: '-s' },
  { name: '--show-error', short: '-S' },
  { name: '--include', short: '-i' },
  { name: '--head', short: '-I' },
  { name: '--verbose', short: '-v' },
  { name: '--fail', short: '-f' },
  { name: '--location', short: '-L' },
  { name: '--max-time', short: '-m', value: true },
  { name: '--connect-timeout', value: true },
  { name: '--output', short: '-o', value: true },
  { name: '--remote-name', short: '-O' },
  { name: '--write-out', short: '-w', value: true },
  { name: '--header', short: '-H', value: true },
];

/** One request, and which parts of the response are printed. */
interface RequestSpec {
  readonly url: URL;
  readonly address: string;
  readonly port: number;
  readonly method: 'GET' | 'HEAD';
  readonly limit: Milliseconds;
  readonly headers: readonly (readonly [string, string])[];
  readonly shows: { readonly head: boolean; readonly body: boolean; readonly talk: boolean };
  /** `%{http_code}` and the like, printed last. */
  readonly writeOut: string;
}

export const curl: PodCommand = async (args, spot, io) => {
  const options = parseOptions('curl', args, CURL_OPTIONS);
  const [target, extra] = options.words;
  if (target === undefined || extra !== undefined) throw new CommandError('curl: got no URL or several, allowed: one');
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(target) ? target : `http://${target}`);
  } catch {
    io.error(`curl: (3) URL rejected: ${target}\n`);
    return 3;
  }
  const own = fetched(url.href);
  if (own) return saved(own, options.has('--remote-name') ? own.name : options.get('--output'), url, io);
  if (url.protocol === 'https:' && options.has('--remote-name')) {
    io.error(`curl: (7) ${url.href}: ${NOTHING_FETCHED}\n`);
    return 7;
  }
  if (url.protocol !== 'http:') {
    io.error(`curl: (1) Protocol "${url.protocol.slice(0, -1)}" not supported: the lab speaks http\n`);
    return 1;
  }
  const output = options.get('--output');
  if (output !== undefined && output !== '/dev/null')
    throw new CommandError(`curl: -o: got "${output}", allowed: /dev/null; put > FILE at the end of the line`);
  const given = options.get('--max-time') ?? options.get('--connect-timeout') ?? String(CONNECT_TIMEOUT / 1000);
  const limit = Number(given) * 1000;
  if (!(limit > 0)) throw new CommandError(`curl: --max-time: got "${given}", allowed: a number of seconds above 0`);
  const headers = options.all('--header').map((header) => {
    const colon = header.indexOf(':');
    if (colon < 1) throw new CommandError(`curl: -H: got "${header}", allowed: NAME: VALUE`);
    return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()] as const;
  });
  const address = await addressOf(url.hostname, spot, io);
  if (address === undefined) {
    io.error(`curl: (6) Could not resolve host: ${url.hostname}\n`);
    return 6;
  }
  const head = options.has('--head');
  return fetchUrl(
    {
      url,
      address,
      port: url.port === '' ? 80 : Number(url.port),
      method: head ? 'HEAD' : 'GET',
      limit,
      headers,
      writeOut: options.get('--write-out') ?? '',
      shows: { head: head || options.has('--include'), body: output === undefined, talk: options.has('--verbose') },
    },
    spot,
    io,
  );
};

/** Gives the lab's own file in place of a fetched one, and says so. */
function saved(
  { name, text }: { readonly name: string; readonly text: string },
  file: string | undefined,
  url: URL,
  io: CommandIo,
): number {
  if (file === undefined || file === '-') io.write(text);
  else {
    io.session.store.write(file, text);
    io.error(`'${file}' saved: the lab's own ${name} stands for ${url.href}\n`);
  }
  return 0;
}

/** `wget URL`, and `wget -qO- URL` as people type it in pods that have no curl. */
export const wget: PodCommand = async (args, spot, io) => {
  const options = parseOptions('wget', args, [
    { name: '-q', short: '-q' },
    { name: '-O', short: '-O', value: true },
    { name: '-T', short: '-T', value: true },
  ]);
  const [target, extra] = options.words;
  if (target !== undefined && extra === undefined && options.get('-O') !== '-') {
    const own = fetched(target);
    if (own) return saved(own, options.get('-O') ?? own.name, new URL(target), io);
    if (/^https:/.test(target)) throw new CommandError(`wget: ${target}: ${NOTHING_FETCHED}`, 4);
  }
  if (options.get('-O') !== '-' || target === undefined || extra !== undefined)
    throw new CommandError('wget: allowed: wget -qO- [-T SECONDS] URL');
  return curl(['-s', ...(options.has('-T') ? ['-m', options.get('-T')!] : []), options.words[0]!], spot, io);
};

/** What nc says of errors, by their codes. */
const NC_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ETIMEDOUT: 'Operation timed out',
};

/** `nc -zv HOST PORT`: whether a program listens there. */
export const nc: PodCommand = async (args, spot, io) => {
  const options = parseOptions('nc', args, [
    { name: '-z', short: '-z' },
    { name: '-v', short: '-v' },
    { name: '-u', short: '-u' },
    { name: '-w', short: '-w', value: true },
  ]);
  const [host, text, extra] = options.words;
  if (host === undefined || text === undefined || extra !== undefined || !options.has('-z') || options.has('-u'))
    throw new CommandError('nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP');
  const port = whole('nc: port', text, 1, 65_535);
  const address = await addressOf(host, spot, io);
  if (address === undefined) {
    io.write(`nc: getaddrinfo for host "${host}" port ${port}: Name or service not known\n`);
    return 1;
  }
  const late = new AbortController();
  const timer = io.lab.clock.setTimeout(
    () => late.abort(new Error('Operation timed out')),
    whole('nc: -w', options.get('-w') ?? '130', 1, 3600) * 1000,
  );
  try {
    const { stream } = await new LabNetwork(spot.process).connectTcp({ address, port }, late.signal);
    stream.destroy();
    io.write(`Connection to ${host} (${address}) ${port} port [tcp/*] succeeded!\n`);
    return 0;
  } catch (error) {
    io.write(
      `nc: connect to ${host} (${address}) port ${port} (tcp) failed: ` +
        `${NC_ERRORS[(error as SocketError).code] ?? (error as Error).message}\n`,
    );
    return 1;
  } finally {
    timer.cancel();
  }
};

async function fetchUrl(wish: RequestSpec, spot: ExecContext, io: CommandIo): Promise<number> {
  const { url, address, port, limit, shows } = wish;
  const started = io.lab.clock.monotonic();
  const late = new AbortController();
  const timer = io.lab.clock.setTimeout(() => late.abort(new Error('timed out')), limit);
  const took = (): number => io.lab.clock.monotonic() - started;
  warnUnreachable(address, io);
  if (shows.talk) io.write(`*   Trying ${address}:${port}...\n`);
  try {
    const { stream } = await new LabNetwork(spot.process).connectTcp({ address, port }, late.signal);
    if (shows.talk) io.write(`* Connected to ${url.hostname} (${address}) port ${port}\n`);
    const headers = { Host: url.host, 'User-Agent': CURL, Accept: '*/*', ...Object.fromEntries(wish.headers) };
    if (shows.talk)
      io.write(
        `> ${wish.method} ${url.pathname}${url.search} HTTP/1.1\n${Object.entries(headers)
          .map(([name, value]) => `> ${name}: ${value}\n`)
          .join('')}> \n`,
      );
    const got = await fetchOver(stream, url, wish.method, headers, late.signal);
    const sign = shows.talk ? '< ' : '';
    if (shows.head || shows.talk)
      io.write(
        `${sign}HTTP/1.1 ${got.status}\n${got.headers.map(([name, value]) => `${sign}${name}: ${value}\n`).join('')}${sign}\n`,
      );
    if (shows.body) io.write(got.text);
    if (wish.writeOut !== '') io.write(written(wish, got, took()));
    return 0;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const ms = Math.round(took());
    if (late.signal.aborted || (error as SocketError).code === 'ETIMEDOUT') {
      io.error(`curl: (28) Failed to connect to ${url.hostname} port ${port} after ${ms} ms: Timeout was reached\n`);
      return 28;
    }
    if ((error as SocketError).code === 'ECONNRESET') {
      io.error('curl: (56) Recv failure: Connection reset by peer\n');
      return 56;
    }
    const why =
      (error as SocketError).code === 'ECONNREFUSED' ? "Couldn't connect to server" : (error as Error).message;
    io.error(`curl: (7) Failed to connect to ${url.hostname} port ${port} after ${ms} ms: ${why}\n`);
    return 7;
  } finally {
    timer.cancel();
  }
}

/** The text of -w with its variables. Throws a CommandError for one that is not known. */
function written({ address, port, writeOut }: RequestSpec, { status, text }: Fetched, took: Milliseconds): string {
  const values: Readonly<Record<string, string>> = {
    http_code: status.slice(0, 3),
    response_code: status.slice(0, 3),
    time_total: (took / 1000).toFixed(6),
    size_download: String(Buffer.byteLength(text)),
    remote_ip: address,
    remote_port: String(port),
  };
  return writeOut
    .replace(/%\{(\w+)\}/g, (_, name: string) => {
      if (!Object.hasOwn(values, name))
        throw new CommandError(
          `curl: -w: got %{${name}}, allowed: ${Object.keys(values)
            .map((one) => `%{${one}}`)
            .join(', ')}`,
        );
      return values[name]!;
    })
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t');
}

interface Fetched {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
}

/** Asks over an open connection. */
function fetchOver(
  stream: Duplex,
  url: Pick<URL, 'pathname' | 'search'>,
  method: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        stream.destroy();
        reject(signal.reason as Error);
      },
      { once: true },
    );
    const request = http.request(
      { createConnection: () => stream, method, path: `${url.pathname}${url.search}`, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({
            status: `${response.statusCode} ${response.statusMessage}`,
            headers: pairs(response.rawHeaders),
            text,
          }),
        );
      },
    );
    // The other side may be gone before the request has taken the connection over.
    stream.once('error', reject);
    // curl says nothing of the connection, and closes it when it has its answer.
    request.removeHeader('connection');
    request.on('error', reject).end();
  });
}

const pairs = (raw: readonly string[]): (readonly [string, string])[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as const] : []));
