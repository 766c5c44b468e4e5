import type { TlsClient } from '../../src/exchange/index.js';
import { Attempt, Upstream, type PoolLimits, type AttemptListener } from '../../src/exchange/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import { decodeMessage, rcodeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { FakeNetwork, elapse } from '../support/fake-network.js';
import { FakeUpstream } from '../support/fake-upstream.js';

const AT = { address: '10.0.0.1', port: 53 };

/** What became of an attempt, in the words of the rows. */
class Waiting implements AttemptListener {
  readonly events: string[] = [];
  /** Monotonic time of the last event. */
  at = NaN;
  constructor(
    private readonly clock: ManualClock,
    private readonly accept: (bytes: Buffer) => boolean,
  ) {}
  replied = (_attempt: Attempt, bytes: Buffer): boolean => {
    const good = this.accept(bytes);
    this.at = this.clock.monotonic();
    this.events.push(good ? rcodeName(decodeMessage(bytes).rcode) : 'rejected');
    return good;
  };
  doubted = (_attempt: Attempt, error: Error): void => void this.events.push(`doubt: ${error.message}`);
  mismatched = (): void => void this.events.push('mismatch');
  failed = (_attempt: Attempt, error: Error): void => void this.events.push(error.message);
}

/** An upstream on a fake network, with a fake server behind it. */
export class World {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly server = new FakeUpstream(this.network, AT);
  readonly upstream: Upstream;
  readonly reuse: string[] = [];

  constructor(options: { limits?: Partial<PoolLimits>; tls?: TlsClient } = {}) {
    this.upstream = new Upstream({
      network: this.network,
      clock: this.clock,
      random: seededRandom(7),
      to: AT,
      tls: options.tls,
      limits: { expire: 10_000, maxIdle: 0, ...options.limits },
      reuse: {
        hit: (protocol) => void this.reuse.push(`hit ${protocol}`),
        miss: (protocol) => void this.reuse.push(`miss ${protocol}`),
      },
    });
  }

  async start(): Promise<this> {
    await this.server.start();
    return this;
  }

  /** Sends a question; the returned attempt's events grow as time passes. */
  ask(
    transport: 'udp' | 'tcp',
    name = 'www.example.org.',
    accept: (bytes: Buffer) => boolean = () => true,
  ): { attempt: Attempt; events: string[]; took: () => number } {
    const { bytes, questionEnd } = query(name);
    const waiting = new Waiting(this.clock, accept);
    const attempt = new Attempt(bytes, questionEnd, waiting);
    this.upstream.send(attempt, transport, this.clock.monotonic());
    return { attempt, events: waiting.events, took: () => waiting.at - attempt.sentAt };
  }

  elapse(time: number): Promise<void> {
    return elapse(this.clock, time);
  }
}
