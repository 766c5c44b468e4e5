import http from 'node:http';
import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { Clock } from '../../lib/clock.js';
import { byText } from '../../lib/order.js';
import type { Network, TcpListener } from '../../net/network.js';
import type { Program } from './program.js';

const HTTP_PORT = 80;

/** What a web server answers a request with: headers in their order, and the body. */
export interface WebAnswer {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** A web server that answers every request. */
export class WebProgram implements Program {
  readonly kind = 'web';
  private readonly server: http.Server;
  private listener: TcpListener | undefined;

  constructor(
    private readonly network: Network,
    page: (request: http.IncomingMessage) => WebAnswer,
  ) {
    this.server = http.createServer((request, response) => {
      const { headers, body } = page(request);
      // The headers are those of the program that is played, and no others.
      response.sendDate = false;
      response.removeHeader('connection');
      response.writeHead(200, headers.flat());
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  }

  async start(): Promise<void> {
    this.listener = await this.network.listenTcp({ address: '', port: HTTP_PORT }, ({ stream }) =>
      this.server.emit('connection', stream),
    );
  }

  async stop(): Promise<void> {
    this.listener?.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

const dateOf = (clock: Clock): readonly [string, string] => ['Date', new Date(clock.now()).toUTCString()];
const length = (body: string): readonly [string, string] => ['Content-Length', String(Buffer.byteLength(body))];

/** traefik/whoami: prints the pod's name and addresses, the client, and the request as it came. */
export const whoami =
  (pod: Pod, clock: Clock) =>
  (request: http.IncomingMessage): WebAnswer => {
    const { remoteAddress, remotePort } = request.socket;
    const mac = pod.endpoint?.mac;
    const addresses = ['127.0.0.1', '::1', pod.ip, ...(mac === undefined ? [] : [linkLocal(mac)])];
    const asked = [
      `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      ...headerLines(request),
      '',
      '',
    ].join('\r\n');
    const body = [
      `Hostname: ${pod.spec.name}`,
      ...addresses.map((address) => `IP: ${address}`),
      ...(remoteAddress === undefined ? [] : [`RemoteAddr: ${remoteAddress}:${remotePort}`]),
      asked,
    ].join('\n');
    return { headers: [dateOf(clock), length(body), ['Content-Type', 'text/plain; charset=utf-8']], body };
  };

/** Host and User-Agent first, the others by name: the order in which Go writes a request. */
function headerLines({ rawHeaders }: http.IncomingMessage): string[] {
  const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]!] as const] : []));
  const rank = ([name]: readonly [string, string]): number => ['host', 'user-agent'].indexOf(name.toLowerCase());
  const first = pairs.filter((pair) => rank(pair) >= 0).sort((a, b) => rank(a) - rank(b));
  const rest = pairs.filter((pair) => rank(pair) < 0).sort(([a], [b]) => byText(a, b));
  return [...first, ...rest].map(([name, value]) => `${name}: ${value}`);
}

/** The link-local address that is made of a hardware address (RFC 4291 appendix A). */
function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((part) => Number.parseInt(part, 16));
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, (0xfe << 8) | d, (e << 8) | f];
  return `fe80::${groups.map((group) => group.toString(16)).join(':')}`;
}

/** Apache as Ubuntu sets it up, with one page that was written once. */
export const apache = (text: string, clock: Clock) => {
  const body = `${text}\n`;
  const written = clock.now();
  const tag = `"${Buffer.byteLength(body).toString(16)}-${Math.floor(written * 1000).toString(16)}"`;
  return (): WebAnswer => ({
    headers: [
      dateOf(clock),
      ['Server', 'Apache/2.4.58 (Ubuntu)'],
      ['Last-Modified', new Date(written).toUTCString()],
      ['ETag', tag],
      ['Accept-Ranges', 'bytes'],
      length(body),
      ['Content-Type', 'text/html'],
    ],
    body,
  });
};
