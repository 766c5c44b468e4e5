import type { Clock, Timer } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Destination, Network } from '../net/network.js';
import { expandReply } from '../wire/index.js';
import { Attempt, type AttemptListener } from './attempt.js';
import { questionEndOf } from './match.js';
import { ForgerySuspected } from './errors.js';
import type { HttpsSettings } from './https-pool.js';
import type { TlsClient } from './tls.js';
import { Upstream } from './upstream.js';

export interface OnceOptions {
  readonly transport?: 'udp' | 'tcp' | undefined;
  readonly timeoutMs: Milliseconds;
  /** Given for DNS over TLS. */
  readonly tls?: TlsClient | undefined;
  /** Given with `tls` for DNS over HTTPS. */
  readonly https?: HttpsSettings | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** After the system says that nobody answers there, an answer is waited for this much longer. */
const GRACE: Milliseconds = 100;
const NO_REUSE = { expire: 0, maxIdle: 0 };
const UNCOUNTED = { hit: () => undefined, miss: () => undefined };

/**
 * Sends one query from a socket, or over a connection, of its own and closes that again: for probes and clients. The
 * query travels under an id
 * drawn from `random`; the reply that is returned has the query's own. Replies to other questions and malformed
 * datagrams are passed over.
 *
 * @param bytes the query, with one question whose name is written out
 * @throws Error in the words of Go's network library (`read udp A->B: i/o timeout`); the signal's reason when that
 *   was aborted
 */
export async function exchangeOnce(
  network: Network,
  clock: Clock,
  random: Random,
  bytes: Uint8Array,
  to: Destination,
  options: OnceOptions,
): Promise<Buffer> {
  const { signal, timeoutMs, tls, https, transport = 'udp' } = options;
  signal?.throwIfAborted();
  const upstream = new Upstream({ network, clock, random, to, limits: NO_REUSE, reuse: UNCOUNTED, tls, https });
  const stream = transport === 'tcp' || tls !== undefined;
  let settle = (): void => undefined;
  try {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      let grace: Timer | undefined;
      const doubted = (_attempt: Attempt, error: Error): void => {
        grace ??= clock.setTimeout(() => reject(error), Math.min(GRACE, timeoutMs));
      };
      // Where replies are forged, from another port.
      const failed = (error: Error): void => (error instanceof ForgerySuspected ? ask() : reject(error));
      const listener = receiver(stream, resolve, failed, doubted);
      let attempt: Attempt | undefined;
      const ask = (): void => {
        attempt = new Attempt(bytes, questionEndOf(bytes), listener);
        upstream.send(attempt, transport, clock.monotonic());
      };
      const timer = clock.setTimeout(
        () => reject(attempt?.transport?.timeout() ?? new Error('i/o timeout')),
        timeoutMs,
      );
      const abort = (): void => reject(signal!.reason as Error);
      signal?.addEventListener('abort', abort);
      settle = () => {
        timer.cancel();
        grace?.cancel();
        signal?.removeEventListener('abort', abort);
      };
      ask();
    });
    reply[0] = bytes[0]!;
    reply[1] = bytes[1]!;
    return reply;
  } finally {
    settle();
    upstream.close();
  }
}

function receiver(
  stream: boolean,
  resolve: (reply: Buffer) => void,
  failed: (error: Error) => void,
  doubted: (attempt: Attempt, error: Error) => void,
): AttemptListener {
  return {
    replied(_attempt, reply, records) {
      try {
        expandReply(reply, records);
      } catch (error) {
        // Nothing else comes under this id on a stream; of datagrams, a better one may.
        if (stream) failed(error as Error);
        return stream;
      }
      resolve(reply);
      return true;
    },
    mismatched: () => undefined,
    doubted,
    failed: (_attempt, error) => failed(error),
  };
}
