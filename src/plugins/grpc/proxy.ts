import { Http2Client, TlsClient, packetOf, readPacket, type TlsSettings } from '../../exchange/index.js';
import type { Runtime } from '../../chain/index.js';
import { hostPort } from '../../lib/cidr.js';
import type { Octets } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';

const METHOD = '/coredns.dns.DnsService/Query';
const HEADERS = { 'content-type': 'application/grpc', te: 'trailers' };
/** A DNS message, and what stands around it. */
const LONGEST: Octets = 65_535 + 9;

/** One upstream over gRPC. */
export class GrpcProxy {
  /** `IP:PORT`: the `to` label of metrics. */
  readonly label: string;
  private readonly client: Http2Client;

  /**
   * @param tls left out for a connection in the clear
   * @throws Error when certificate, key or CA cannot be used
   */
  constructor(to: Endpoint, tls: TlsSettings | undefined, { network, clock }: Pick<Runtime, 'network' | 'clock'>) {
    this.label = hostPort(to.address, to.port);
    this.client = new Http2Client({
      network,
      clock,
      to,
      tls: tls && new TlsClient({ ...tls, protocol: 'h2' }),
      authority: hostPort(tls?.serverName ?? to.address, to.port),
      reused: () => undefined,
    });
  }

  /** The upstream's answer to a message. Rejects where there is none, whatever the reason. */
  async ask(message: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    const answer = await this.client.request(METHOD, HEADERS, 'POST', packetOf(message), LONGEST, signal);
    const { headers, trailers, body } = answer;
    if (Number(headers[':status']) !== 200) throw new Error(`grpc: got HTTP status ${String(headers[':status'])}`);
    const status = trailers['grpc-status'] ?? headers['grpc-status'];
    const reason = trailers['grpc-message'] ?? headers['grpc-message'] ?? '';
    if (status !== '0') throw new Error(`rpc error: code = ${String(status)} desc = ${readable(String(reason))}`);
    const packet = readPacket(body);
    if ('status' in packet) throw new Error(`grpc: ${packet.reason}`);
    return packet;
  }

  stop(): void {
    this.client.close();
  }
}

/** Percent-encoded text, without what would break a line of a log. */
function readable(text: string): string {
  try {
    return decodeURIComponent(text).replace(/\p{Cc}/gu, ' ');
  } catch {
    return text;
  }
}
