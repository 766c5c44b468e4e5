import type { Milliseconds } from '../lib/units.js';
import { HEADER_SIZE, MAX_MESSAGE_SIZE } from '../wire/index.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { readTimeout } from './errors.js';
import { Http2Client, type Http2Answer } from './http2-client.js';
import { NO_MATCH } from './match.js';
import { Pipelining } from './pipelining.js';
import type { TlsClient } from './tls.js';
import type { UpstreamState } from './upstream-state.js';

/** How requests to a DNS-over-HTTPS server are made (RFC 8484). */
export interface HttpsSettings {
  readonly method: 'GET' | 'POST';
  /** Whom requests are for: `dns.example:443`. */
  readonly authority: string;
}

const PATH = '/dns-query';
const TYPE = 'application/dns-message';
/** A connection on which nothing has come for so long, though something should, is dead. */
const LINGER: Milliseconds = 5000;

/** Queries to one upstream over HTTPS, all of them on one connection. */
export class HttpsPool implements UpstreamTransport {
  readonly pipelining = new Pipelining();
  private readonly client: Http2Client;
  private readonly inFlight = new Set<Attempt>();
  private served = false;

  constructor(
    private readonly peer: UpstreamState,
    tls: TlsClient,
    private readonly settings: HttpsSettings,
  ) {
    const { network, clock, to, reuse } = peer;
    const reused = (was: boolean): void => (was ? reuse.hit('https') : reuse.miss('https'));
    this.client = new Http2Client({ network, clock, to, tls, authority: settings.authority, reused });
  }

  /** None ever waits: a connection takes them all. */
  readonly backlog = 0;

  get size(): number {
    return this.client.isOpen ? 1 : 0;
  }

  send(attempt: Attempt): void {
    attempt.transport = this;
    attempt.takenAt = this.peer.clock.monotonic();
    this.inFlight.add(attempt);
    const hadServed = this.served;
    this.exchange(attempt).then(
      (answer) => this.answered(attempt, answer),
      (error: Error) => this.failed(attempt, error, hadServed),
    );
  }

  /** The answer is not waited for, but still read. */
  forget(attempt: Attempt): void {
    this.inFlight.delete(attempt);
    attempt.transport = undefined;
  }

  timeout(): Error {
    return readTimeout('https', { address: '', port: 0 }, this.peer.to);
  }

  sweep(now: Milliseconds): void {
    const oldest = [...this.inFlight][0];
    const stalled = oldest !== undefined && now - Math.max(oldest.takenAt, this.peer.lastHeard) >= LINGER;
    const unused = this.client.pending === 0 && now - this.client.lastUsed >= this.peer.limits.expire;
    if (stalled || unused) this.client.close();
  }

  close(): void {
    this.inFlight.clear();
    this.client.close();
  }

  private exchange({ message }: Attempt): Promise<Http2Answer> {
    const { method } = this.settings;
    const bytes = Buffer.from(message);
    // The same id for all makes equal questions equal requests (RFC 8484 section 4.1).
    bytes.writeUInt16BE(0, 0);
    if (method === 'POST')
      return this.client.request(PATH, { accept: TYPE, 'content-type': TYPE }, method, bytes, MAX_MESSAGE_SIZE);
    const path = `${PATH}?dns=${bytes.toString('base64url')}`;
    return this.client.request(path, { accept: TYPE }, method, undefined, MAX_MESSAGE_SIZE);
  }

  private answered(attempt: Attempt, { headers, body }: Http2Answer): void {
    if (!this.inFlight.has(attempt)) return;
    const status = headers[':status'];
    if (Number(status) !== 200) return this.failed(attempt, new Error(`https: got status ${String(status)}`), false);
    if (headers['content-type'] !== TYPE)
      return this.failed(attempt, new Error(`https: got content type '${headers['content-type'] ?? ''}'`), false);
    if (body.length < HEADER_SIZE) return this.failed(attempt, new Error('https: message cut short'), false);
    const records = this.peer.match(attempt, body);
    if (records === NO_MATCH) return this.failed(attempt, new Error('https: answer to another question'), false);
    this.served = true;
    this.forget(attempt);
    this.peer.tell(attempt, body, records);
  }

  /** A connection that had served others may have been closed while the query was on its way: it goes once more. */
  private failed(attempt: Attempt, error: Error, again: boolean): void {
    if (!this.inFlight.has(attempt)) return;
    this.forget(attempt);
    if (again && !attempt.resent && attempt.awaited) {
      attempt.resent = true;
      this.send(attempt);
    } else attempt.receiver?.failed(attempt, error);
  }
}
