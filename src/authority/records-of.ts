import { Type, isSubdomain, lowerName, readName, type Name, type Rr } from '../wire/index.js';
import { NONE, NamePath, type ZoneData } from '../zone/index.js';

const path = new NamePath();

/** The name in a record's data, behind `skip` octets. */
export const nameIn = (record: Rr, skip = 0): Name => readName(record.rdata, skip).name;

/** Where the name of a target stands in the data of types whose targets' addresses are told as well. */
const TARGETS: Readonly<Record<number, number>> = { [Type.MX]: 2, [Type.SRV]: 6, [Type.SVCB]: 2, [Type.HTTPS]: 2 };

/** A and AAAA records of a name in wire form, with their signatures where those are asked for. */
function addresses(zone: ZoneData, rdata: Uint8Array, at: number, signatures: boolean): Rr[] {
  const node = zone.tree.find(path.load(rdata, at));
  if (node === NONE || !zone.records.has(node)) return [];
  return [Type.A, Type.AAAA].flatMap((type) => zone.withSignatures(node, type, signatures));
}

/**
 * The addresses of those targets of an answer that are names in the zone, each once (RFC 1035 section 3.3.9, RFC 2782,
 * RFC 9460 section 4.1).
 */
export function targetAddresses(zone: ZoneData, answer: readonly Rr[], signatures: boolean): Rr[] {
  const seen = new Set<Name>();
  const found: Rr[] = [];
  for (const record of answer) {
    const at = TARGETS[record.type];
    if (at === undefined) continue;
    const target = lowerName(nameIn(record, at));
    if (seen.has(target) || !isSubdomain(zone.origin, target)) continue;
    seen.add(target);
    found.push(...addresses(zone, record.rdata, at, signatures));
  }
  return found;
}

/** The addresses of those name servers that are at or below the name they serve (glue, RFC 9499 section 7). */
export function glue(zone: ZoneData, servers: readonly Rr[], signatures: boolean): Rr[] {
  return servers.flatMap((server) =>
    server.type === Type.NS && isSubdomain(lowerName(server.name), lowerName(nameIn(server)))
      ? addresses(zone, server.rdata, 0, signatures)
      : [],
  );
}
