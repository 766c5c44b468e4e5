import { NodensError } from '../lib/errors.js';
import type { ServerAddress } from '../chain/index.js';
import { hostPort } from '../lib/cidr.js';
import type { Clock } from '../lib/clock.js';
import { atOnePort } from '../net/drawn-port.js';
import type { Network, UdpSocket } from '../net/network.js';
import type { Responder } from './respond.js';
import type { Routes, Served } from './routes.js';
import { TcpClients } from './tcp-clients.js';
import type { TcpLimits } from './tcp-limits.js';
import { TcpServer } from './tcp.js';
import type { UdpListening } from './udp.js';

interface Listener {
  readonly served: Served;
  readonly udp: UdpSocket;
  readonly tcp: TcpServer;
}

/** A listening address whose port is learnt when it is opened. */
export type OpenableAddress = { -readonly [Key in keyof ServerAddress]: ServerAddress[Key] };

/**
 * All DNS listeners of the server. An address that the next configuration serves too keeps its sockets, so a reload
 * loses no query.
 */
export class DnsListeners {
  private readonly open = new Map<ServerAddress, Listener>();
  private readonly clients: TcpClients;

  constructor(
    private readonly network: Network,
    private readonly udp: UdpListening,
    clock: Clock,
    private readonly responder: Responder,
    limits?: TcpLimits,
  ) {
    this.clients = new TcpClients(clock, limits);
  }

  /** As `HttpListeners.prepare`. `relabel` is told when a drawn port becomes known. */
  async prepare(
    wanted: ReadonlyMap<ServerAddress, Routes>,
    relabel: (address: ServerAddress, port: number) => void,
  ): Promise<{ commit: () => Listener[]; abandon: () => void }> {
    const fresh = new Map<ServerAddress, Listener>();
    const abandon = (): void => fresh.forEach(shut);
    for (const [address, routes] of wanted) {
      if (this.open.has(address)) continue;
      try {
        fresh.set(address, await this.openAt(address, routes, relabel));
      } catch (error) {
        abandon();
        throw new ListenError(address, error as NodeJS.ErrnoException);
      }
    }
    return { abandon, commit: () => this.commit(wanted, fresh) };
  }

  /** Ends listening everywhere; answers under way still go out where `finish` waits for them. */
  closeAll(): Listener[] {
    const all = [...this.open.values()];
    this.open.clear();
    for (const { tcp } of all) tcp.close();
    return all;
  }

  private async openAt(
    server: ServerAddress,
    routes: Routes,
    relabel: (address: ServerAddress, port: number) => void,
  ): Promise<Listener> {
    const listener = await atOnePort(server.port, () => this.openBoth({ server, routes }));
    if (server.port === 0) relabel(server, listener.tcp.local.port);
    return listener;
  }

  private async openBoth(served: Served): Promise<Listener> {
    const { server } = served;
    const tcp = await TcpServer.listen(this.network, server, served, this.clients, this.responder);
    try {
      return { served, tcp, udp: await this.udp.listen({ address: server.address, port: tcp.local.port }, served) };
    } catch (error) {
      tcp.close();
      throw error;
    }
  }

  /** Returns the listeners that are no longer wanted, to be shut when their queries are answered. */
  private commit(wanted: ReadonlyMap<ServerAddress, Routes>, fresh: ReadonlyMap<ServerAddress, Listener>): Listener[] {
    const old: Listener[] = [];
    for (const [address, listener] of this.open) {
      const routes = wanted.get(address);
      if (routes) listener.served.routes = routes;
      else {
        old.push(listener);
        listener.tcp.close();
        this.open.delete(address);
      }
    }
    fresh.forEach((listener, address) => this.open.set(address, listener));
    return old;
  }
}

/** Closes a listener's sockets and connections at once. */
export function shut({ udp, tcp }: Listener): void {
  udp.close();
  tcp.close();
  tcp.destroy();
}

const REASONS: Record<string, string> = {
  EADDRINUSE:
    'address already in use; stop what listens there, or choose another port in the Corefile or with -dns.port',
  EADDRNOTAVAIL: 'no interface of this host has that address',
  EACCES: 'permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE, -dns.port chooses another one',
};

/** An address that cannot be listened at, and the way out where there is one. */
export class ListenError extends NodensError {
  override readonly name = 'ListenError';

  constructor(
    server: ServerAddress,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    super(
      'NODENS_LISTEN',
      `cannot listen on ${hostPort(server.address, server.port)}: ${REASONS[cause.code ?? ''] ?? cause.message}`,
    );
  }
}
