import type { Clock } from '../lib/clock.js';
import { silentLog, type Logger } from '../lib/log.js';
import type { Random } from '../lib/random.js';
import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import { canonicalIp } from '../lib/cidr.js';
import { NodensError } from '../lib/errors.js';
import type { Network } from '../net/network.js';
import type { Plugin } from '../plugin-api/contract.js';
import { queryBytes, responsePacket, type InjectedQuery, type ResponsePacket } from '../plugin-api/packet.js';
import { textLog } from './log.js';
import { Server } from './server.js';

/** A Corefile under the name that errors show; `read` is called again at each reload. */
export interface CorefileText {
  readonly name: string;
  /** What it throws is what a file that cannot be read is. */
  read(): string;
}

/** What a server is made from. All but the Corefile may be left out. */
export interface CreateOptions {
  /** Its text, or where it comes from. */
  readonly corefile: string | CorefileText;
  /** Plugins beside those that the Corefile loads. */
  readonly plugins?: readonly Plugin[];
  /** Port of server blocks that name none, 0 to 65535 (0: any free port); 53 where nothing is said. */
  readonly defaultPort?: number;
  /** Where lines for the operator go: nowhere where nothing is said, `stdout`, or a logger. */
  readonly log?: 'stdout' | Logger;
  /** Environment variables for the Corefile and for plugins; none where nothing is said. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths count from, absolute; the root where nothing is said. */
  readonly cwd?: string;
  /** How long a query may wait for its answer before it gets SERVFAIL; 10,000 ms where nothing is said. */
  readonly queryTime?: Milliseconds;
  /** Every packet goes through it; this host's sockets where nothing is said. */
  readonly network?: Network;
  /** Where time comes from; this host's where nothing is said. */
  readonly clock?: Clock;
  /** Where ids, ports and choices come from; the operating system where nothing is said. */
  readonly random?: Random;
}

/** An address that a server listens at. */
export interface ServedAddress {
  /** Empty for all addresses. */
  readonly address: string;
  readonly port: number;
  /** As in metrics: `dns://:53`. */
  readonly label: string;
}

/** A DNS server: one Corefile at a time, replaced without losing a query. */
export interface DnsServer {
  /**
   * Answers a query through the whole chain without a socket, as if it had come in at the first address; undefined
   * when the answer is silence. Takes what is to be asked, or a message as bytes. Rejects with a NodensError for a
   * question that is none, and with what a plugin threw.
   */
  inject(query: InjectedQuery | Uint8Array): Promise<ResponsePacket | undefined>;
  /** Opens all sockets. Rejects with a NodensError (`NODENS_LISTEN`) that names the address; nothing stays open then. */
  listen(): Promise<void>;
  /**
   * Puts the Corefile as it is now in place of the running one. False, with the reason logged and everything as
   * before, where that cannot be.
   */
  reload(): Promise<boolean>;
  /** Stops in order: answers under way are sent first, for 5 s at the most. */
  stop(): Promise<void>;
  /** Where it listens, or would; ports that were drawn are known after `listen`. */
  readonly served: readonly ServedAddress[];
  /** The metrics in the text format of Prometheus. */
  metrics(): Promise<string>;
}

/**
 * Makes a server from a Corefile: set up and ready for `inject`; `listen` opens its sockets. Rejects with a NodensError:
 * `NODENS_COREFILE` and `NODENS_PLUGIN` with file and line, and with what a plugin's start failed with.
 */
export async function createServer(options: CreateOptions): Promise<DnsServer> {
  const { plugins, log, ...rest } = options;
  const server = await Server.create({
    ...rest,
    external: plugins,
    log: log === 'stdout' ? textLog() : (log ?? silentLog()),
  });
  return {
    inject: (query) => inject(server, query),
    listen: () => server.listen(),
    reload: () => server.reload(),
    stop: () => server.stop(),
    get served() {
      return server.served.map(({ address, port, label }) => ({ address, port, label }));
    },
    metrics: () => server.runtime.metrics.text(),
  };
}

async function inject(server: Server, query: InjectedQuery | Uint8Array): Promise<ResponsePacket | undefined> {
  const raw = query instanceof Uint8Array;
  const { address = '127.0.0.1', port = 0, transport = 'udp' } = (raw ? undefined : query.client) ?? {};
  const canonical = canonicalIp(address);
  if (canonical === undefined)
    throw new NodensError('NODENS_RECORD', `client.address: got '${address}', allowed: an IPv4 or IPv6 address`);
  const bytes = raw ? query : queryBytes(query, randomBelow(server.runtime.random, 0x10000));
  const answer = await server.inject(bytes, { transport, remote: { address: canonical, port } });
  return answer && responsePacket(answer);
}
