import { Reply, type ReplyLease } from '../../chain/index.js';
import { parseIp } from '../../lib/cidr.js';
import type { Octets, Seconds } from '../../lib/units.js';
import {
  Class,
  Flag,
  Rcode,
  RECORD_FIXED,
  Type,
  echoOwners,
  encodeName,
  encodeRecords,
  nameLength,
  type Name,
  type Rr,
} from '../../wire/index.js';
import type { RecordTarget } from './object-finder.js';
import { below } from './name.js';

/** Version of the specification, told at `dns-version` (Kubernetes DNS specification 1.1.0, section 2.1). */
const VERSION = '1.1.0';
const VERSION_TTL: Seconds = 28_800;
/** More than any message holds, even with names compressed; what is left out would be cut off anyway. */
const MAX_RECORDS: Octets = 240_000;
const SOA_MAX_TTL: Seconds = 300;

/** Records of an answer and those that come along with it. */
export interface Records {
  readonly answer: readonly Rr[];
  readonly additional: readonly Rr[];
}

export const record = (name: Name, type: number, ttl: Seconds, rdata: Uint8Array): Rr => ({
  name,
  type,
  class: Class.IN,
  ttl,
  rdata,
});

export const addressType = (ip: string): number => (ip.includes(':') ? Type.AAAA : Type.A);

/** A or AAAA records of `name`, each address once. */
export function addressRecords(
  name: Name,
  type: number,
  targets: readonly Pick<RecordTarget, 'ip'>[],
  ttl: Seconds,
): Rr[] {
  const ips = new Set<string>();
  for (const { ip } of targets) if (addressType(ip) === type) ips.add(ip);
  return Array.from(ips, (ip) => record(name, type, ttl, parseIp(ip)!));
}

/**
 * SRV records of `name` with the addresses of their targets. All have the same priority and an equal share of weight,
 * of which the reference counts 100
 * over all ports and addresses, and at least 1 each.
 */
export function srvRecords(name: Name, zone: Name, targets: readonly RecordTarget[], ttl: Seconds): Records {
  const weight = Math.max(1, Math.floor((100 / (100 * targets.length)) * 100));
  const answer = new Map<string, Rr>();
  const additional = new Map<string, Rr>();
  for (const { ip, port, host } of targets) {
    if (port === undefined) continue;
    const target = below(host, zone);
    const service = `${port} ${target}`;
    if (!answer.has(service)) answer.set(service, record(name, Type.SRV, ttl, srvData(weight, port, target)));
    const address = `${ip} ${target}`;
    if (!additional.has(address)) additional.set(address, record(target, addressType(ip), ttl, parseIp(ip)!));
  }
  return { answer: [...answer.values()], additional: [...additional.values()] };
}

/** Data of a SRV record of priority 0 (RFC 2782). */
export function srvData(weight: number, port: number, target: Name): Uint8Array {
  const name = encodeName(target);
  const data = Buffer.alloc(6 + name.length);
  data.writeUInt16BE(weight, 2);
  data.writeUInt16BE(port, 4);
  data.set(name, 6);
  return data;
}

export const pointerRecords = (name: Name, zone: Name, hosts: readonly string[], ttl: Seconds): Rr[] =>
  hosts.map((host) => record(name, Type.PTR, ttl, encodeName(below(host, zone))));

export const versionRecord = (name: Name): Rr =>
  record(name, Type.TXT, VERSION_TTL, Uint8Array.from([VERSION.length, ...Buffer.from(VERSION)]));

/** The zone's SOA record. `serial` is the time of the last change, in seconds since 1970. */
export function soaRecord(zone: Name, serial: Seconds, ttl: Seconds): Rr {
  const numbers = Buffer.alloc(20);
  [serial >>> 0, 7200, 1800, 86_400, ttl].forEach((value, i) => numbers.writeUInt32BE(value, 4 * i));
  return record(
    zone,
    Type.SOA,
    Math.min(ttl, SOA_MAX_TTL),
    Buffer.concat([encodeName(below('ns.dns', zone)), encodeName(below('hostmaster', zone)), numbers]),
  );
}

/**
 * A reply of this server's own data. Owners in the answer that equal `qname` take over the letter case of whoever asks.
 *
 * @param lease how long it stays right
 */
export function authoritative(qname: Name, { answer, additional }: Records, lease?: ReplyLease): Reply {
  const kept = fitting(answer, additional);
  const flags = kept.answer === answer && kept.additional === additional ? Flag.AA : Flag.AA | Flag.TC;
  const encoded = encodeRecords({ ...kept, authority: [] });
  // Only of the answer: a target that equals the question's name stays as the objects spell it.
  const end = kept.answer.reduce((sum, { name, rdata }) => sum + nameLength(name) + RECORD_FIXED + rdata.length, 0);
  const owners = (echoOwners(encoded, qname).owners ?? []).filter((owner) => owner < end);
  const records = {
    bytes: encoded.bytes,
    answers: encoded.answers,
    authorities: 0,
    additionals: encoded.additionals,
    ttls: offsets(encoded.ttls),
    owners: offsets(owners),
  };
  return Reply.ofRecords(flags, Rcode.NOERROR, records, undefined, undefined, lease);
}

const lists = new Map<string, readonly number[]>();
const MAX_LISTS = 4096;

/**
 * The same list for all answers of the same shape: ten thousand services have some dozens of them, and a list takes
 * more memory than a record.
 */
function offsets(list: readonly number[]): readonly number[] {
  const key = list.join(' ');
  const known = lists.get(key);
  if (known !== undefined || lists.size >= MAX_LISTS) return known ?? list;
  const made = list.slice();
  lists.set(key, made);
  return made;
}

function fitting(answer: readonly Rr[], additional: readonly Rr[]): Records {
  let room = MAX_RECORDS;
  const fit = (records: readonly Rr[]): readonly Rr[] => {
    const end = records.findIndex(({ name, rdata }) => (room -= nameLength(name) + RECORD_FIXED + rdata.length) < 0);
    return end < 0 ? records : records.slice(0, end);
  };
  return { answer: fit(answer), additional: fit(additional) };
}
