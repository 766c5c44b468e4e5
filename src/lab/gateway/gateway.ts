import http from 'node:http';
import { parseResolvConf } from '../../resolver/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { byText } from '../../lib/order.js';
import { atOnePort } from '../../net/drawn-port.js';
import type { Endpoint, Network, TcpListener, UdpSocket } from '../../net/network.js';
import { HttpConnections } from '../../server/http-connections.js';
import type { Lab } from '../lab.js';
import { LabNetwork } from '../network/lab-network.js';
import type { RunningPod } from '../pods/running-pod.js';
import { connectToPod, listenerOf } from '../pods/reach.js';
import { PROXY_HEADERS } from '../web/guard.js';
import type { HttpPort, PodPort } from '../web/ports.js';
import type { StaticFiles } from '../web/static-files.js';
import { WebPage } from '../web/web-page.js';
import { ForwardClients } from './forward-clients.js';

export interface GatewayOptions {
  /** The real machine's network. */
  readonly host: Network;
  /** First port; 0 draws all of them. */
  readonly port: number;
  /** Processor time that this process has taken so far, for the page; left out, none is shown. */
  readonly cpu?: () => Milliseconds;
  /** The page's files; those of the build by default. */
  readonly files?: StaticFiles;
}

interface PortForward {
  readonly port: number;
  readonly close: () => void;
}

const LOOPBACK = '127.0.0.1';
const DNS = 53;
/** Pods that have a port of this machine, of each two sockets; a lab of thousands must not need as many. */
const MOST_PORTS = 250;
const PATHS: Readonly<Record<number, string>> = { 9153: '/metrics', 9253: '/metrics', 8080: '/health', 8181: '/ready' };
/** Ports that are tried for a new pod before the gateway gives up. */
const TRIES = 200;

const keyOf = ({ namespace, name }: RunningPod): string => `${namespace}/${name}`;

/**
 * Joins the real machine to a lab: a DNS port for each pod, and one port for the page and for what the servers in
 * pods serve over HTTP. All on 127.0.0.1.
 */
export class Gateway {
  private readonly forwards = new Map<string, PortForward>();
  private readonly connections: HttpConnections;
  private readonly page: WebPage;
  private webListener: TcpListener | undefined;
  private unsubscribe: () => void = () => undefined;
  private next: number;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly lab: Lab,
    private readonly options: GatewayOptions,
  ) {
    this.next = options.port === 0 ? 0 : options.port + 1;
    this.page = new WebPage(lab, {
      dns: () => this.dns(),
      http: () => this.http(),
      cpu: options.cpu ?? (() => 0),
      ...(options.files && { files: options.files }),
    });
    const web = http.createServer((request, response) => {
      if (!this.page.serve(request, response)) void this.proxy(request, response);
    });
    this.connections = new HttpConnections(web, lab.clock);
  }

  /**
   * Opens the ports, and follows pods that come and go. Rejects with what the system said when a port is taken;
   * nothing stays open then.
   */
  async open(): Promise<void> {
    try {
      this.webListener = await this.options.host.listenTcp(
        { address: LOOPBACK, port: this.options.port },
        (connection) => this.connections.accept(connection),
      );
      for (const pod of this.wanted()) await this.openForward(pod, 1);
    } catch (error) {
      this.close();
      throw error;
    }
    this.unsubscribe = this.lab.world.changes.subscribe((change) => {
      if (change.kind === 'pod') this.queue = this.queue.then(() => this.sync()).catch(() => undefined);
    });
  }

  /** DNS ports by pod, in order of the ports. */
  dns(): readonly PodPort[] {
    return [...this.forwards].map(([pod, { port }]) => ({ pod, port })).sort((a, b) => a.port - b.port);
  }

  /** What can be read over HTTP. */
  http(): readonly HttpPort[] {
    return this.lab.kubelet.list().flatMap((pod) =>
      [...pod.network.listening]
        .filter(({ port }) => PATHS[port] !== undefined)
        .map(({ port }) => ({
          pod: keyOf(pod),
          url: `http://${LOOPBACK}:${this.webPort}/${pod.namespace}/${pod.name}:${port}${PATHS[port]}`,
        })),
    );
  }

  get webPort(): number {
    return this.webListener?.local.port ?? 0;
  }

  /** Address of the page. */
  get url(): string {
    return `http://${LOOPBACK}:${this.webPort}/`;
  }

  close(): void {
    this.unsubscribe();
    this.page.close();
    this.forwards.forEach((door) => door.close());
    this.forwards.clear();
    this.webListener?.close();
    this.connections.destroy();
  }

  /** Pods with a network of their own, by name; those on a node's have its name servers. */
  private all(): readonly RunningPod[] {
    return this.lab.kubelet
      .list()
      .filter((pod) => !pod.model.spec.hostNetwork && pod.state !== 'Terminating')
      .sort((a, b) => byText(keyOf(a), keyOf(b)));
  }

  /** The pods that get a port: where not all can have one, web servers come last, from which nobody asks. */
  private wanted(): readonly RunningPod[] {
    const pods = this.all();
    if (pods.length <= MOST_PORTS) return pods;
    const [last, first] = [true, false].map((web) => pods.filter(({ program }) => (program.kind === 'web') === web));
    return [...first!, ...last!].slice(0, MOST_PORTS);
  }

  private async sync(): Promise<void> {
    const there = new Set(this.all().map(keyOf));
    for (const [name, door] of this.forwards) {
      if (there.has(name)) continue;
      door.close();
      this.forwards.delete(name);
    }
    for (const pod of this.wanted())
      if (!this.forwards.has(keyOf(pod)) && this.forwards.size < MOST_PORTS) await this.openForward(pod, TRIES);
  }

  private async openForward(pod: RunningPod, tries: number): Promise<void> {
    for (let left = tries; ; left--) {
      const port = this.next === 0 ? 0 : this.next++;
      try {
        this.forwards.set(keyOf(pod), await this.bind(pod, port));
        return;
      } catch (error) {
        if (left <= 1 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  private bind(pod: RunningPod, port: number): Promise<PortForward> {
    return atOnePort(port, () => this.bindBoth(pod, port));
  }

  private async bindBoth(pod: RunningPod, port: number): Promise<PortForward> {
    const { host } = this.options;
    const network = new LabNetwork(pod.model.process);
    const server = (): Endpoint => ({
      address: parseResolvConf(pod.files.read('/etc/resolv.conf') ?? '').nameservers[0]?.address ?? LOOPBACK,
      port: DNS,
    });
    const clients = new ForwardClients(network, server, this.lab);
    const udp: UdpSocket = await host.bindUdp({ address: LOOPBACK, port }, (bytes, peer) =>
      clients.take(bytes, peer, udp),
    );
    let tcp: TcpListener;
    try {
      tcp = await host.listenTcp({ address: LOOPBACK, port: udp.local.port }, ({ stream }) => {
        network.connectTcp(server()).then(
          (inside) => {
            stream.on('error', () => inside.stream.destroy());
            inside.stream.on('error', () => stream.destroy());
            stream.pipe(inside.stream).pipe(stream);
          },
          () => stream.destroy(),
        );
      });
    } catch (error) {
      udp.close();
      throw error;
    }
    return {
      port: udp.local.port,
      close: () => {
        clients.close();
        udp.close();
        tcp.close();
      },
    };
  }

  /** `/NAMESPACE/POD:PORT/path` is asked from the pod, as its node would ask. */
  private async proxy(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [, namespace = '', name = '', port = '', path = ''] =
      /^\/([^/]+)\/([^/:]+):(\d+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const pod = this.lab.kubelet.get(namespace, name);
    const listener = pod && listenerOf(pod, Number(port));
    if (!pod || !listener) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end(
        `there is\n${this.http()
          .map(({ url }) => `${url}\n`)
          .join('')}`,
      );
      return;
    }
    try {
      const stream = await connectToPod(pod, Number(port));
      const inner = http.request(
        {
          createConnection: () => stream,
          method: request.method ?? 'GET',
          path,
          headers: { host: `${listener.address}:${port}`, connection: 'close' },
        },
        (answer) => {
          response.writeHead(answer.statusCode!, {
            ...PROXY_HEADERS,
            'content-type': answer.headers['content-type'] ?? 'text/plain',
          });
          answer.pipe(response);
        },
      );
      inner.on('error', (error) => response.writeHead(502).end(`${error.message}\n`));
      inner.end();
    } catch (error) {
      response.writeHead(502, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`);
    }
  }
}
