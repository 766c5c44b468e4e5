import { Duplex } from 'node:stream';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import type { Endpoint, InterfaceAddress, Network } from '../../src/net/network.js';
import type { ToolEnv } from '../../src/resolver/index.js';
import { FrameReader, decodeMessage, encodeMessage, frame, typeName, type Message } from '../../src/wire/index.js';
import { answer } from './zone.js';

export const CLUSTER_DNS = '10.96.0.10';
export const NODE_DNS = '10.0.2.3';
export const THIRD_DNS = '10.0.0.4';

export type Answer = (query: Message, protocol: 'udp' | 'tcp', server: Endpoint) => Message | undefined;

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/**
 * A network with name servers at two addresses, without sockets. What was asked is in `asked`, as
 * `udp 10.96.0.10 40001 A example.org. 100`: protocol, server, own port, type, name, flags in hexadecimal, and with
 * EDNS its payload size and option codes.
 */
export class FakeNetwork implements Network {
  readonly asked: string[] = [];
  readonly closed: number[] = [];
  private port = 40_000;

  constructor(
    private readonly reply: Answer = answer,
    private readonly own: readonly string[] = ['127.0.0.1', '10.244.0.5'],
  ) {}

  bindUdp: Network['bindUdp'] = async (at, onDatagram) => {
    const local = { address: at.address, port: at.port || ++this.port };
    return {
      local,
      send: (bytes, length, to) =>
        this.datagram(bytes.subarray(0, length), to, local, (reply) => onDatagram(reply, to)),
      close: () => void this.closed.push(local.port),
    };
  };

  connectUdp: Network['connectUdp'] = async (to, onDatagram, onError) => {
    this.route(to);
    const local = { address: '10.244.0.5', port: ++this.port };
    return {
      local,
      close: () => void this.closed.push(local.port),
      send: (bytes) =>
        to.port === 53
          ? this.datagram(bytes, to, local, onDatagram)
          : queueMicrotask(() => onError(failure('ECONNREFUSED'))),
    };
  };

  connectTcp: Network['connectTcp'] = async (to) => {
    this.route(to);
    if (to.port !== 53) throw failure('ECONNREFUSED');
    const local = { address: '10.244.0.5', port: ++this.port };
    const frames = new FrameReader();
    const stream: Duplex = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        frames.push(chunk);
        for (let next = frames.next(); next !== undefined; next = frames.next()) {
          const reply = this.take(next, to, local, 'tcp');
          if (reply !== undefined) stream.push(frame(reply));
        }
        done();
      },
      destroy: (error, done) => {
        this.closed.push(local.port);
        done(error);
      },
    });
    return { stream, local, remote: to };
  };

  listenTcp: Network['listenTcp'] = async () => {
    throw failure('EACCES');
  };

  interfaces(): readonly InterfaceAddress[] {
    return this.own.map((address) => ({ device: 'eth0', address, loopback: address === '127.0.0.1' }));
  }

  private route({ address }: Endpoint): void {
    if (address !== CLUSTER_DNS && address !== NODE_DNS && address !== THIRD_DNS && !address.startsWith('127.'))
      throw failure('ENETUNREACH');
  }

  private datagram(bytes: Uint8Array, to: Endpoint, local: Endpoint, deliver: (reply: Buffer) => void): void {
    const reply = this.take(bytes, to, local, 'udp');
    if (reply !== undefined) queueMicrotask(() => deliver(reply));
  }

  private take(bytes: Uint8Array, to: Endpoint, local: Endpoint, protocol: 'udp' | 'tcp'): Buffer | undefined {
    let query: Message;
    try {
      query = decodeMessage(bytes);
    } catch {
      this.asked.push(`${protocol} ${to.address} ${local.port} malformed`);
      return undefined;
    }
    const [question] = query.question;
    const opt =
      query.edns === undefined
        ? ''
        : ` ${query.edns.udpSize}/${query.edns.options.map((option) => option.code).join(',')}`;
    this.asked.push(
      `${protocol} ${to.address} ${local.port} ${typeName(question!.type)} ${question!.name} ${query.flags.toString(16)}${opt}`,
    );
    const reply = this.reply(query, protocol, to);
    return reply && encodeMessage(reply);
  }
}

export const POD_CONF =
  'search default.svc.cluster.local svc.cluster.local cluster.local Davolink\nnameserver 10.96.0.10\noptions ndots:5\n';

/** Everything a program needs, with a clock that runs as soon as there is nothing else to do. */
export function lab(
  resolvConf = POD_CONF,
  network = new FakeNetwork(),
): { env: ToolEnv; network: FakeNetwork; clock: ManualClock; finish: <T>(work: Promise<T>) => Promise<T> } {
  const clock = new ManualClock(Date.UTC(2026, 10, 20, 19, 12, 5));
  return {
    env: { network, clock, random: seededRandom(7), resolvConf },
    network,
    clock,
    async finish(work) {
      let done = false;
      const settled = work.finally(() => {
        done = true;
      });
      settled.catch(() => undefined);
      for (let step = 0; !done && step < 10_000; step++) await clock.advanceAsync(step === 0 ? 0 : 50);
      return settled;
    },
  };
}
