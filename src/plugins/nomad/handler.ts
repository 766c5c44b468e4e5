import { Reply, type Handler, type Next, type Outcome, type Query, type Readiness } from '../../chain/index.js';
import { parseIp, type IpBytes } from '../../lib/cidr.js';
import type { Clock } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { ServiceError } from '../../net/json-client.js';
import {
  Class,
  Flag,
  Rcode,
  Type,
  encodeName,
  isName,
  isSubdomain,
  labels,
  type Name,
  type Rr,
  ExtendedErrorCode,
  explained,
} from '../../wire/index.js';
import type { NomadClient } from './client.js';
import type { NomadMetrics } from './metrics.js';

/** One question to Nomad is given up after this time. */
const TIMEOUT: Milliseconds = 5000;
const PRIORITY = 10;
const WEIGHT = 10;
/** Serial, refresh, retry, expire and minimum. */
const SOA_NUMBERS = [0, 3600, 600, 86_400, 30];

interface Instance {
  readonly ip: IpBytes;
  readonly port: number;
}

/** Answers for the services in Nomad's own catalogue. */
export class Nomad implements Handler, Readiness {
  readonly name = 'nomad';
  readonly role = 'answers';
  readonly dependsOn = 'question';
  readonly waits = true;
  private reached = false;

  constructor(
    private readonly zone: Name,
    private readonly ttl: Seconds,
    private readonly client: Pick<NomadClient, 'instances' | 'reachable'>,
    private readonly metrics: NomadMetrics,
    private readonly clock: Clock,
  ) {}

  /** Whether an agent has answered since the start. */
  ready(): boolean {
    return this.reached;
  }

  /** Looks whether an agent answers. */
  async look(): Promise<boolean> {
    this.reached ||= await this.client.reachable(TIMEOUT);
    return this.reached;
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.class !== Class.IN || !isSubdomain(this.zone, query.name) || query.name === this.zone) return next(query);
    const base = this.zone === '.' ? query.name : query.name.slice(0, -this.zone.length);
    const [service, namespace] = labels(base);
    return service === undefined || namespace === undefined ? next(query) : this.answer(query, service, namespace);
  }

  private async answer(query: Query, service: string, namespace: string): Promise<Reply> {
    const { server } = query.client;
    try {
      const left = query.context.timeLeft(this.clock.monotonic());
      const found = await this.client.instances(service, namespace, Math.max(1, Math.min(TIMEOUT, left)));
      this.reached = true;
      const instances = found.map(({ address, port }) => ({ ip: usable(address), port }));
      const reply = instances.length === 0 ? undefined : this.replyFor(query, instances);
      this.metrics.count(reply === undefined ? 'failed' : 'success', server, namespace);
      return reply ?? Reply.of(Flag.AA, Rcode.NXDOMAIN, { answer: [this.soa(query.name)] });
    } catch (error) {
      if (!(error instanceof NodensError)) throw error;
      this.metrics.count('failed', server, namespace);
      return Reply.failure(Rcode.SERVFAIL, error).withEdns(UNREACHABLE);
    }
  }

  /** undefined for a type that is not answered. */
  private replyFor(query: Query, instances: readonly Instance[]): Reply | undefined {
    const { type, name, qname } = query;
    const addresses = (owner: Name, wanted?: number): Rr[] =>
      instances
        .map(({ ip }) => this.rr(owner, ip.length === 4 ? Type.A : Type.AAAA, ip))
        .filter((record) => wanted === undefined || record.type === wanted);
    if (type === Type.A || type === Type.AAAA)
      return Reply.of(Flag.AA, Rcode.NOERROR, { answer: addresses(qname, type) });
    if (type !== Type.SRV) return undefined;
    const answer = instances.map(({ port }) => {
      const fixed = Buffer.of(0, PRIORITY, 0, WEIGHT, port >> 8, port & 0xff);
      return this.rr(qname, Type.SRV, Buffer.concat([fixed, encodeName(name)]));
    });
    return Reply.of(Flag.AA, Rcode.NOERROR, { answer, additional: addresses(name) });
  }

  private rr(name: Name, type: number, rdata: Uint8Array): Rr {
    return { name, type, class: Class.IN, ttl: this.ttl, rdata };
  }

  private soa(name: Name): Rr {
    const numbers = Buffer.alloc(20);
    SOA_NUMBERS.forEach((value, i) => numbers.writeUInt32BE(value, 4 * i));
    const server = isName(`ns1.${name}`) ? `ns1.${name}` : name;
    const hostmaster = this.zone === '.' ? 'hostmaster.' : `hostmaster.${this.zone}`;
    return this.rr(name, Type.SOA, Buffer.concat([encodeName(server), encodeName(hostmaster), numbers]));
  }
}

function usable(address: string): IpBytes {
  const ip = parseIp(address);
  if (ip === undefined) throw new ServiceError(`nomad: got address '${address}', allowed: an IPv4 or IPv6 address`);
  return ip;
}

const UNREACHABLE = explained(ExtendedErrorCode.NetworkError, 'Nomad does not answer');
