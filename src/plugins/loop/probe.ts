import type { ServerAddress } from '../../chain/index.js';
import { hostPort } from '../../lib/cidr.js';
import { sleep, type Clock } from '../../lib/clock.js';
import { randomBelow, type Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint, Network } from '../../net/network.js';
import { Class, Flag, HEADER_SIZE, Type, encodeMessage } from '../../wire/index.js';
import type { Loop } from './handler.js';

/** How long probes are tried: the server may need a while to get going. */
const PATIENCE: Milliseconds = 30_000;
/** A probe without a reply for so long is given up. */
const TIMEOUT: Milliseconds = 2000;
/** Pause before the next try. */
const PAUSE: Milliseconds = 1000;

interface ProbeDeps {
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
}

/** Sends the loop probe to the server's own listening address, over the network as any client would. */
export class Probe {
  private readonly stopped = new AbortController();

  constructor(
    private readonly loop: Loop,
    private readonly around: ProbeDeps,
  ) {}

  start(server: ServerAddress): void {
    void this.run(server).finally(() => this.loop.disable());
  }

  stop(): void {
    this.stopped.abort(new Error('stopped'));
    this.loop.disable();
  }

  /** Tries until a reply comes, whatever it says, and at most for the time of patience. */
  private async run({ address, port }: ServerAddress): Promise<void> {
    const { clock } = this.around;
    const to = { address: reachable(address), port };
    const unspecified = address === '::' || address === '0.0.0.0';
    const deadline = clock.monotonic() + PATIENCE;
    while (clock.monotonic() < deadline && !this.loop.done) {
      this.loop.expect(hostPort(unspecified ? '' : address, port));
      try {
        return await this.exchange(to);
      } catch {
        // No reply yet: the socket of the server, or an upstream, is not there so far.
      }
      await sleep(clock, PAUSE, this.stopped.signal).catch(() => undefined);
    }
  }

  /** Sends one probe; resolves with the reply and rejects without one. */
  private exchange(to: Endpoint): Promise<void> {
    const { clock, network, random } = this.around;
    const { signal } = this.stopped;
    const id = randomBelow(random, 0x10000);
    const bytes = encodeMessage({
      id,
      flags: Flag.RD,
      rcode: 0,
      question: [{ name: this.loop.qname, type: Type.HINFO, class: Class.IN }],
      answer: [],
      authority: [],
      additional: [],
    });
    return new Promise((resolve, reject) => {
      const abort = (): void => end(signal.reason as Error);
      const timer = clock.setTimeout(() => end(new Error('no reply')), TIMEOUT);
      const opening = network.connectUdp(
        to,
        (datagram) => isReply(datagram, id) && end(),
        (error) => end(error),
      );
      const end = (error?: Error): void => {
        timer.cancel();
        signal.removeEventListener('abort', abort);
        void opening.then(
          (socket) => socket.close(),
          () => undefined,
        );
        if (error === undefined) resolve();
        else reject(error);
      };
      signal.addEventListener('abort', abort);
      opening.then(
        (socket) => {
          this.loop.sentFrom(socket.local.port);
          socket.send(bytes);
        },
        (error: Error) => end(error),
      );
    });
  }
}

const isReply = (datagram: Buffer, id: number): boolean =>
  datagram.length >= HEADER_SIZE && datagram.readUInt16BE(0) === id && (datagram[2]! & 0x80) !== 0;

/** Somewhere one can send to, for an address that one can listen at. */
function reachable(address: string): string {
  if (address === '' || address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
