import type { Duplex } from 'node:stream';
import { afterEach } from 'vitest';
import type { ConnectionLimits, Next } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Network, TcpConnection } from '../../src/net/network.js';
import { httpsServing } from '../../src/server/doh.js';
import { TcpClients } from '../../src/server/tcp-clients.js';
import { DEFAULT_TCP_LIMITS } from '../../src/server/tcp-limits.js';
import { TcpServer, type ConnectionProtocol } from '../../src/server/tcp.js';
import { SERVER } from '../support/dns.js';
import { duplexPair } from '../support/duplex-pair.js';
import { routesTo, strictResponder } from '../support/routes.js';

/** A server for DNS over HTTPS whose connections are in memory. */
interface World {
  readonly clock: ManualClock;
  readonly clients: TcpClients;
  /** Queries that handlers were given, and those of them that nobody waits for any more. */
  readonly asked: () => { given: number; abandoned: number };
  /** Time limits that Node has set on connections. */
  readonly timeouts: readonly number[];
  /** Connections that the server has. */
  open(): number;
  connect(): Duplex;
}

const ended: Duplex[] = [];
afterEach(() => ended.splice(0).forEach((stream) => stream.destroy()));

export async function serve(
  speaks: 'h2' | 'nothing yet' | undefined,
  ask: Next,
  limits: ConnectionLimits = {},
  most = 200,
): Promise<World> {
  const count = { given: 0, abandoned: 0 };
  const timeouts: number[] = [];
  const clock = new ManualClock();
  const clients = new TcpClients(clock, DEFAULT_TCP_LIMITS);
  const at = { address: '192.0.2.1', port: 443 };
  let take: (connection: TcpConnection) => void = () => undefined;
  const listenTcp = (_at: unknown, onConnection: typeof take): unknown => {
    take = onConnection;
    return Promise.resolve({ local: at, close: () => undefined });
  };
  const protocol: ConnectionProtocol = {
    accept: (connection) =>
      speaks === 'nothing yet'
        ? new Promise(() => undefined)
        : { connection, facts: { transport: 'https' }, protocol: speaks },
    serve: httpsServing(new Metrics()),
    connections: () => ({ open: most, arriving: most }),
  };
  const counting: Next = (asked) => {
    count.given++;
    asked.context.signal.addEventListener('abort', () => count.abandoned++);
    return ask(asked);
  };
  const routes = routesTo(counting, undefined, limits);
  const context = { network: { listenTcp } as unknown as Network, clients, responder: strictResponder(clock) };
  const server = await TcpServer.listen(context, at, { server: SERVER, routes }, protocol);
  const connect = (): Duplex => {
    const [own, theirs] = duplexPair();
    Object.assign(theirs, { setTimeout: (limit: number) => timeouts.push(limit) });
    ended.push(own, theirs);
    own.on('error', () => undefined);
    take({ stream: theirs, local: at, remote: { address: '192.0.2.2', port: 1024 } });
    return own;
  };
  return { clock, clients, asked: () => count, timeouts, open: () => server.open, connect };
}
