import type { Runtime } from '../../chain/index.js';
import { sleep } from '../../lib/clock.js';
import { canonicalIp, hostPort } from '../../lib/cidr.js';
import type { Logger } from '../../lib/log.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { SignedRequest, type TsigKey } from '../../tsig/index.js';
import { Class, Flag, Opcode, Rcode, Type, encodeMessage, rcodeName, type Name } from '../../wire/index.js';

/** How often a message is sent that gets no answer, and how long each waits for one, as in CoreDNS. */
const ATTEMPTS = 3;
const TIMEOUT: Milliseconds = 2000;

export interface NotifierOptions {
  /** The local address that is sent from; undefined for any. */
  readonly source: string | undefined;
  /** What messages are signed with; nothing without it. */
  readonly key: TsigKey | undefined;
}

/** Tells servers that a zone has changed, over UDP (RFC 1996). */
export class Notifier {
  private readonly stopping = new AbortController();

  constructor(
    private readonly servers: readonly Endpoint[],
    private readonly how: NotifierOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
  ) {}

  notify(zone: Name): void {
    for (const server of this.servers) void this.tell(zone, server);
  }

  /** Sends nothing more. */
  stop(): void {
    this.stopping.abort(new DOMException('the configuration has ended', 'AbortError'));
  }

  private async tell(zone: Name, server: Endpoint): Promise<void> {
    let fault = '';
    for (let i = 0; i < ATTEMPTS; i++) {
      try {
        const rcode = await this.ask(zone, server);
        if (rcode === Rcode.NOERROR) return;
        fault = `rcode was "${rcodeName(rcode)}"`;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        fault = (error as Error).message;
      }
    }
    const { address, port } = server;
    this.log.warning(`notify for zone "${zone}" was not accepted by "${hostPort(address, port)}": ${fault}`);
  }

  /** Sends one message and waits for the rcode of its answer. */
  private async ask(zone: Name, server: Endpoint): Promise<number> {
    const { network, clock, random } = this.runtime;
    const id = randomBelow(random, 0x10000);
    const { source, key } = this.how;
    const signatures = key && new SignedRequest(key, () => clock.now());
    const plain = encodeMessage({
      id,
      flags: (Opcode.NOTIFY << 11) | Flag.AA,
      rcode: 0,
      question: [{ name: zone, type: Type.SOA, class: Class.IN }],
      answer: [],
      authority: [],
      additional: [],
    });
    const bytes = signatures?.sign(plain) ?? plain;
    let settle: (rcode: number | Promise<never>) => void = () => undefined;
    const answered = new Promise<number>((resolve) => (settle = resolve));
    const socket = await network.bindUdp({ address: source ?? '', port: 0 }, (reply, from) => {
      const answers = reply.length >= 12 && reply.readUInt16BE(0) === id && (reply[2]! & 0x80) !== 0;
      if (answers && from.port === server.port && canonicalIp(from.address) === server.address)
        settle(rcodeOf(reply, signatures));
    });
    const over = new AbortController();
    try {
      socket.send(bytes, bytes.length, server);
      const late = sleep(clock, TIMEOUT, AbortSignal.any([over.signal, this.stopping.signal])).then(() => {
        throw new Error('i/o timeout');
      });
      return await Promise.race([answered, late]);
    } finally {
      over.abort(new Error('answered'));
      socket.close();
    }
  }
}

/** What an answer says, if it is signed as it has to be. */
function rcodeOf(reply: Buffer, signatures: SignedRequest | undefined): number | Promise<never> {
  try {
    signatures?.check(reply);
    return reply[3]! & 0x0f;
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
