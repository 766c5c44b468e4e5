import { NodensError } from '../lib/errors.js';
import type { ServerAddress } from '../chain/index.js';
import type { Scheme } from '../corefile/index.js';
import { hostPort } from '../lib/cidr.js';
import { sleep, type Clock } from '../lib/clock.js';
import { atOnePort } from '../net/drawn-port.js';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint, UdpSocket } from '../net/network.js';
import { LISTENER_KINDS, isOnTcp, type KindContext } from './listener-kinds.js';
import type { Routes, Served } from './routes.js';
import { TcpServer, type ConnectionServer } from './tcp.js';
import type { UdpListening } from './udp.js';

/** What waits at a socket that nothing more comes to is looked at after this time, and left after the longest. */
const DRAIN: Milliseconds = 20;
const LONGEST_DRAIN: Milliseconds = 1000;

/** What is open at one address. */
export interface Listener {
  readonly served: Served;
  /** Where the kind of listener takes datagrams. */
  readonly udp: UdpSocket | undefined;
  /** Takes connections, of TCP or of QUIC. */
  readonly tcp: ConnectionServer;
}

/** What listeners open their sockets with. */
export interface ListenContext extends KindContext {
  readonly udp: UdpListening;
}

/** A listening address whose port is learnt when it is opened. */
export type OpenableAddress = { -readonly [Key in keyof ServerAddress]: ServerAddress[Key] };

/**
 * All DNS listeners of the server. An address that the next configuration serves too keeps its sockets, so a reload
 * loses no query.
 */
export class DnsListeners {
  private readonly open = new Map<ServerAddress, Listener>();
  /** Opened, but not yet in place. */
  private fresh: ReadonlyMap<ServerAddress, Listener> = new Map();

  constructor(private readonly context: ListenContext) {}

  /** As `HttpListeners.prepare`. `relabel` is told when a drawn port becomes known. */
  async prepare(
    wanted: ReadonlyMap<ServerAddress, Routes>,
    relabel: (address: ServerAddress, port: number) => void,
  ): Promise<{ commit: () => Listener[]; abandon: () => void }> {
    const fresh = new Map<ServerAddress, Listener>();
    this.fresh = fresh;
    const abandon = (): void => {
      fresh.forEach(shut);
      this.fresh = new Map();
      this.listenAgain();
    };
    for (const [address, routes] of wanted) {
      if (this.open.has(address)) continue;
      // A listener at all addresses takes the connections of those at one port that have a server of their own.
      for (const [other, { tcp }] of this.open) if (covers(address, other)) tcp.release();
      try {
        const covered = [...wanted.keys(), ...this.open.keys()].some((other) => covers(other, address));
        fresh.set(address, await this.openAt(address, routes, covered, relabel));
      } catch (error) {
        abandon();
        throw new ListenError(address, error as NodeJS.ErrnoException);
      }
    }
    return { abandon, commit: () => this.commit(wanted, fresh) };
  }

  /**
   * Has what comes go to sockets of other processes at the same places, where there are any, and takes what waits at
   * these, which would be lost when they close. Resolves with whether connections go there.
   */
  async leave(clock: Clock): Promise<boolean> {
    const all = [...this.open.values()];
    const connections = all.map(({ tcp }) => tcp.turnAway()).includes(true);
    const left = all.flatMap(({ udp }) => (udp?.turnAway?.() === true ? [udp] : []));
    if (!connections && left.length === 0) return false;
    const end = clock.monotonic() + LONGEST_DRAIN;
    do await sleep(clock, DRAIN);
    while (left.some((udp) => udp.waits?.()) && clock.monotonic() < end);
    // One is accepted in each turn of the event loop.
    const accepted = (): number => all.reduce((sum, { tcp }) => sum + tcp.accepted, 0);
    for (let before = -1; connections && before !== accepted();) {
      before = accepted();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return connections;
  }

  /**
   * Ends listening everywhere; answers under way still go out where the caller waits for them.
   *
   * @param quiet connections go on until nothing was asked on them for so long
   */
  closeAll(quiet?: Milliseconds): Listener[] {
    const all = [...this.open.values()];
    this.open.clear();
    for (const { tcp } of all) tcp.close(quiet);
    return all;
  }

  private async openAt(
    server: ServerAddress,
    routes: Routes,
    covered: boolean,
    relabel: (address: ServerAddress, port: number) => void,
  ): Promise<Listener> {
    const listener = await atOnePort(server.port, () => this.openBoth({ server, routes }, covered));
    if (server.port === 0) relabel(server, listener.tcp.local.port);
    return listener;
  }

  private async openBoth(served: Served, covered: boolean): Promise<Listener> {
    const { server } = served;
    const serverAt = ({ address }: Endpoint): TcpServer | undefined => this.serverAt(server, address);
    const kind = LISTENER_KINDS[server.scheme as Scheme];
    const { udp } = this.context;
    const tcp = await kind.connections(served, this.context, serverAt);
    if (!covered) await tcp.listen();
    try {
      const at = { address: server.address, port: tcp.local.port };
      return { served, tcp, udp: kind.datagrams ? await udp.listen(at, served) : undefined };
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
    this.fresh = new Map();
    this.listenAgain();
    return old;
  }

  /** Who serves at `address` where the listener of `server`, which is at all addresses, was reached by it. */
  private serverAt(server: ServerAddress, address: string): TcpServer | undefined {
    if (!isEverywhere(server.address)) return undefined;
    const covered = [...this.open, ...this.fresh].filter(([other]) => covers(server, other));
    const family = address.includes(':') ? '::' : '0.0.0.0';
    const found =
      covered.find(([other]) => other.address === address) ?? covered.find(([other]) => other.address === family);
    return found?.[1].tcp instanceof TcpServer ? found[1].tcp : undefined;
  }

  /** Those whose connections no other listener takes any more take them themselves. */
  private listenAgain(): void {
    for (const [address, { tcp }] of this.open) {
      if (tcp.listens || [...this.open.keys()].some((other) => covers(other, address))) continue;
      tcp
        .listen()
        .catch((error: NodeJS.ErrnoException) => this.context.log.error(new ListenError(address, error).message));
    }
  }
}

const isEverywhere = (address: string): boolean => address === '' || address === '0.0.0.0' || address === '::';

/** Whether a socket at `wide` is reached by all addresses of its port that none at `narrow` is bound to. */
function covers(wide: ServerAddress, narrow: ServerAddress): boolean {
  if (!isOnTcp(wide) || !isOnTcp(narrow)) return false;
  if (wide.port !== narrow.port || wide.port === 0 || wide.address === narrow.address) return false;
  if (wide.address === '') return true;
  if (narrow.address === '' || !isEverywhere(wide.address)) return false;
  return wide.address.includes(':') === narrow.address.includes(':');
}

/** Closes a listener's sockets and connections at once. */
export function shut({ udp, tcp }: Listener): void {
  udp?.close();
  tcp.close();
  tcp.destroy();
}

const REASONS: Record<string, string> = {
  EADDRINUSE:
    'address already in use; stop what listens there, or choose another port in the Corefile or with -dns.port',
  EMFILE: 'this process has no file descriptor left; ulimit -n allows more',
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
