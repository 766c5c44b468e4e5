import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type * as Ws from 'ws';
import { loadPackage } from '../../lib/package.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import { attach } from './attach.js';
import { spdyChannels, webSocketChannels } from './channels.js';
import type { Channels, WantedChannels } from './channels.js';
import { execute } from './exec.js';
import { ApiFault, notFound } from './fault.js';
import { forwardPorts } from './port-forward.js';
import type { ResourcePath } from './route.js';

const EXEC_SPDY = ['v4.channel.k8s.io'];
const EXEC_WEB = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const FORWARD_SPDY = ['portforward.k8s.io'];
const FORWARD_WEB = ['SPDY/3.1+portforward.k8s.io'];

export interface UpgradeParts {
  readonly lab: Lab;
  readonly onFault: (error: unknown) => void;
}

/** A request to turn a connection into streams. */
export interface Upgrade {
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
}

/** Carries out what runs over streams: programs in pods, what they write, and forwarded ports, over SPDY/3.1 and over WebSocket. */
export class Upgrades {
  private readonly server: Ws.WebSocketServer;
  private readonly createWebSocketStream: typeof Ws.createWebSocketStream;

  constructor(private readonly parts: UpgradeParts) {
    const ws = loadPackage('ws') as typeof Ws;
    this.createWebSocketStream = ws.createWebSocketStream;
    this.server = new ws.WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => [...EXEC_WEB, ...FORWARD_WEB].find((protocol) => offered.has(protocol)) ?? false,
    });
  }

  /** Throws an ApiFault before anything is written. */
  carryOut(upgrade: Upgrade): void {
    const { path, query, socket, request } = upgrade;
    const { subresource } = path;
    if (path.resource.kind !== 'Pod' || !['attach', 'exec', 'portforward'].includes(subresource ?? ''))
      throw new ApiFault('NotFound', 'the server could not find the requested resource');
    const pod = podAt(path, this.parts.lab);
    const spdy = /^spdy\/3\.1$/i.test(request.headers.upgrade ?? '');
    if (subresource === 'portforward') {
      if (spdy) forwardPorts(this.accept(upgrade, FORWARD_SPDY), pod);
      else this.webSocket(upgrade, FORWARD_WEB, (web) => forwardPorts(this.createWebSocketStream(web), pod));
      return;
    }
    const wanted = wantedIn(query);
    if (subresource === 'attach')
      return this.stream(upgrade, wanted, spdy, (channels) => attach(pod, channels, this.parts.lab));
    const executed = { pod, words: query.getAll('command'), tty: wanted.tty };
    if (executed.words.length === 0) throw new ApiFault('BadRequest', 'command: got none, allowed: one or more words');
    this.stream(
      upgrade,
      wanted,
      spdy,
      (channels) =>
        void execute(executed, channels, this.parts.lab).catch((error: unknown) => {
          this.parts.onFault(error);
          socket.destroy();
        }),
    );
  }

  /** The channels of a program, over what the client has asked for. */
  private stream(upgrade: Upgrade, wanted: WantedChannels, spdy: boolean, begin: (channels: Channels) => void): void {
    if (spdy) spdyChannels(this.accept(upgrade, EXEC_SPDY), wanted, begin);
    else this.webSocket(upgrade, EXEC_WEB, (web) => begin(webSocketChannels(web, wanted)));
  }

  /** Turns a connection into one of SPDY. */
  private accept({ request, socket, head }: Upgrade, protocols: readonly string[]): Duplex {
    const offered = String(request.headers['x-stream-protocol-version'] ?? '').split(/,\s*/);
    const protocol = protocols.find((one) => offered.includes(one));
    if (protocol === undefined)
      throw new ApiFault(
        'BadRequest',
        `X-Stream-Protocol-Version: got "${offered.join(', ')}", allowed: ${protocols.join(', ')}`,
      );
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
        `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    return socket;
  }

  private webSocket(
    { request, socket, head }: Upgrade,
    protocols: readonly string[],
    take: (web: Ws.WebSocket) => void,
  ): void {
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/);
    if (!protocols.some((one) => offered.includes(one)))
      throw new ApiFault(
        'BadRequest',
        `Sec-WebSocket-Protocol: got "${offered.join(', ')}", allowed: ${protocols.join(', ')}`,
      );
    this.server.handleUpgrade(request, socket, head, take);
  }
}

const wantedIn = (query: URLSearchParams): Record<'stdin' | 'stdout' | 'stderr' | 'tty', boolean> => {
  const flag = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  return { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr'), tty: flag('tty') };
};

/** A pod whose program runs. Throws an ApiFault. */
export function podAt({ resource, namespace = '', name = '' }: ResourcePath, lab: Lab): RunningPod {
  const pod = lab.kubelet.get(namespace, name);
  if (!pod) throw notFound(resource, name);
  return pod;
}
