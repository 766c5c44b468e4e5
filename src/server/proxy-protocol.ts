import type { Duplex } from 'node:stream';
import type { ProxyRules } from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import { hostPort } from '../lib/cidr.js';
import type { Endpoint, TcpConnection } from '../net/network.js';
import { findProxyHeader, type ProxyFinding } from './proxy-header.js';

/** The header of a connection has come after this time, or the connection is closed. */
const PATIENCE: Milliseconds = 3000;

/**
 * The connection behind the header of a proxy, as the one that the proxy passes on. Rejects, with the connection
 * closed, where the rules or the header say so, and where the client says nothing.
 */
export async function behindProxy(connection: TcpConnection, rules: ProxyRules, clock: Clock): Promise<TcpConnection> {
  const policy = rules.policyFor(connection.remote.address);
  if (policy === 'skip') return connection;
  const { stream } = connection;
  try {
    const found = await headerOf(stream, clock);
    if (found === 'malformed' || found === 'more') throw new Error('malformed header of a proxy');
    if (found === 'none') return connection;
    if (policy === 'reject') throw new Error('headers of proxies are not taken from there');
    if (policy === 'ignore' || found.proxied === undefined) return connection;
    const { protocol, source, destination } = found.proxied;
    if (protocol !== 'stream') throw new Error('header of a datagram on a connection');
    return { ...connection, remote: source, local: destination };
  } catch (error) {
    stream.on('error', () => undefined);
    stream.destroy();
    throw error;
  }
}

/** Takes the header off the stream. */
function headerOf(stream: Duplex, clock: Clock): Promise<ProxyFinding> {
  return new Promise((resolve, reject) => {
    let kept: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      timer.cancel();
      stream.off('readable', read);
      stream.off('error', fail);
      stream.off('close', closed);
      stream.off('end', closed);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const closed = (): void => fail(new Error('the client has closed its connection'));
    const read = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null)
        kept = Buffer.concat([kept, chunk]);
      const found = findProxyHeader(kept);
      if (kept.length === 0 || found === 'more') return;
      settle();
      const rest = typeof found === 'string' ? kept : kept.subarray(found.length);
      if (rest.length > 0) stream.unshift(rest);
      resolve(found);
    };
    const timer = clock.setTimeout(() => fail(new Error('the client says nothing')), PATIENCE);
    stream.on('error', fail);
    stream.on('close', closed);
    stream.on('end', closed);
    stream.on('readable', read);
  });
}

/** A datagram behind its header, and who sent it. */
export interface ProxiedDatagram {
  readonly bytes: Buffer;
  readonly from: Endpoint;
}

/** Takes the headers off datagrams, and remembers whose sessions they open. */
export class ProxiedDatagrams {
  /** By the proxy's address, the one that was used last behind all others. */
  private readonly sessions = new Map<string, { readonly source: Endpoint; until: Milliseconds }>();

  constructor(
    private readonly rules: ProxyRules,
    private readonly clock: Clock,
  ) {}

  /** The query in a datagram; undefined for one that is to be dropped, or opens a session and no more. */
  take(bytes: Buffer, remote: Endpoint): ProxiedDatagram | undefined {
    const policy = this.rules.policyFor(remote.address);
    const direct = { bytes, from: remote };
    if (policy === 'skip') return direct;
    const found = findProxyHeader(bytes);
    if (found === 'none') return policy === 'use' ? { bytes, from: this.sessionOf(remote) ?? remote } : direct;
    // Only version 2 knows datagrams.
    if (typeof found === 'string' || found.version === 1 || policy === 'reject') return undefined;
    const rest = bytes.subarray(found.length);
    const { proxied } = found;
    if (proxied?.protocol === 'stream') return undefined;
    if (policy === 'ignore' || proxied === undefined) return { bytes: rest, from: remote };
    this.open(remote, proxied.source);
    return rest.length === 0 && this.rules.sessions !== undefined ? undefined : { bytes: rest, from: proxied.source };
  }

  private open(remote: Endpoint, source: Endpoint): void {
    const { sessions: bounds } = this.rules;
    if (bounds === undefined) return;
    const key = hostPort(remote.address, remote.port);
    this.sessions.delete(key);
    this.sessions.set(key, { source, until: this.clock.monotonic() + bounds.time });
    if (this.sessions.size > bounds.most) this.sessions.delete(this.sessions.keys().next().value!);
  }

  private sessionOf(remote: Endpoint): Endpoint | undefined {
    if (this.sessions.size === 0) return undefined;
    const session = this.sessions.get(hostPort(remote.address, remote.port));
    if (session === undefined || this.clock.monotonic() >= session.until) return undefined;
    this.open(remote, session.source);
    return session.source;
  }
}
