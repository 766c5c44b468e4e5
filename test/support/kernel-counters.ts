import { snmpCounter } from '../../src/insight/doctor/kernel-files.js';
import { runIn } from '../e2e/node-local/namespaces.js';

/** What becomes of a query or an answer that the kernel does not deliver: group and names of /proc/net/snmp, netstat. */
const COUNTERS: Readonly<Record<string, readonly string[]>> = {
  Ip: ['InDiscards', 'OutDiscards', 'OutNoRoutes', 'InAddrErrors'],
  Icmp: ['InDestUnreachs', 'OutDestUnreachs'],
  // The buffer of a socket is full because its process does not run, or nobody listens.
  Udp: ['RcvbufErrors', 'SndbufErrors', 'NoPorts'],
  Tcp: ['AttemptFails', 'EstabResets', 'OutRsts'],
  TcpExt: ['ListenOverflows', 'ListenDrops', 'TCPReqQFullDrop', 'TCPTimeouts'],
};

/** What the kernel has counted in these networks so far, by `ROLE GROUP.NAME`. */
export function kernelCounters(networks: Readonly<Record<string, string>>): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const [role, network] of Object.entries(networks)) {
    const text = runIn(network, 'cat', '/proc/net/snmp', '/proc/net/netstat');
    for (const [group, names] of Object.entries(COUNTERS))
      for (const name of names) counted[`${role} ${group}.${name}`] = snmpCounter(text, group, name);
  }
  return counted;
}

/** Those that have grown, and by how much; a network that is new has counted from 0. */
export const moreThan = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, more]) => more > 0),
  );
