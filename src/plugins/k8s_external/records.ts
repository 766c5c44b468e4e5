import { lookUp, type ExternalTarget, type Found, type Next, type Query } from '../../chain/index.js';
import { parseIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Class, Type, encodeName, fqdn, type Name, type Rr } from '../../wire/index.js';

/** ExternalRecords of an answer. */
export interface ExternalRecords {
  readonly answer: readonly Rr[];
  readonly additional: readonly Rr[];
  readonly truncated: boolean;
}

/** All weights of one priority together. */
const WHOLE_WEIGHT = 100;

export const rr = (name: Name, type: number, ttl: Seconds, rdata: Uint8Array): Rr => ({
  name,
  type,
  class: Class.IN,
  ttl,
  rdata,
});

export const addressType = (ip: Uint8Array): number => (ip.length === 4 ? Type.A : Type.AAAA);

/** A or AAAA records for each address once; the name of a load balancer is an alias, which the server follows. */
export async function addressRecords(
  query: Query,
  targets: readonly ExternalTarget[],
  ttl: Seconds,
  clusterTtl: Seconds,
  ask: Next,
): Promise<ExternalRecords> {
  const answer: Rr[] = [];
  let truncated = false;
  for (const host of new Set(targets.map((target) => target.host))) {
    const ip = parseIp(host);
    if (ip !== undefined) {
      if (addressType(ip) === query.type) answer.push(rr(query.qname, query.type, ttl, ip));
      continue;
    }
    const found = await lookUp(ask, query, fqdn(host), query.type);
    answer.push(rr(query.qname, Type.CNAME, clusterTtl, encodeName(fqdn(host))), ...(found?.answer ?? []));
    truncated ||= found?.truncated === true;
  }
  return { answer, additional: [], truncated };
}

/** SRV records of equal weight, each once. */
export function portRecords(name: Name, zone: Name, targets: readonly ExternalTarget[], ttl: Seconds): Rr[] {
  const weight = Math.max(1, Math.floor(WHOLE_WEIGHT / targets.length));
  const made = new Map<string, Rr>();
  for (const { port, ...to } of targets) {
    if (port === undefined) continue;
    const target = nameOf(to, zone);
    const fixed = Buffer.of(0, 0, 0, weight, port >> 8, port & 0xff);
    const key = `${target} ${port}`;
    if (!made.has(key)) made.set(key, rr(name, Type.SRV, ttl, Buffer.concat([fixed, encodeName(target)])));
  }
  return [...made.values()];
}

/** The name that an SRV record leads to. */
function nameOf({ host, label }: Pick<ExternalTarget, 'host' | 'label'>, zone: Name): Name {
  if (parseIp(host) === undefined) return fqdn(host);
  return zone === '.' ? `${label}.` : `${label}.${zone}`;
}

/** SRV records of equal weight, with the addresses of what they lead to. */
export async function serviceRecords(
  query: Query,
  zone: Name,
  targets: readonly ExternalTarget[],
  ttl: Seconds,
  clusterTtl: Seconds,
  ask: Next,
): Promise<ExternalRecords> {
  const answer = portRecords(query.qname, zone, targets, clusterTtl);
  const additional = new Map<string, readonly Rr[]>();
  for (const { host, port, label } of targets) {
    if (port === undefined) continue;
    const ip = parseIp(host);
    const target = nameOf({ host, label }, zone);
    const key = `${target} ${host}`;
    if (additional.has(key)) continue;
    additional.set(
      key,
      ip === undefined ? await addressesOf(ask, query, target) : [rr(target, addressType(ip), ttl, ip)],
    );
  }
  return { answer, additional: [...additional.values()].flat(), truncated: false };
}

async function addressesOf(ask: Next, query: Query, name: Name): Promise<readonly Rr[]> {
  const found: (Found | undefined)[] = [];
  for (const type of [Type.A, Type.AAAA]) found.push(await lookUp(ask, query, name, type));
  return found.flatMap((each) => each?.answer ?? []);
}
