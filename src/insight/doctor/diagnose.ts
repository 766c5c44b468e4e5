import type { NodeFacts } from './facts.js';
import { diagnoseCounters } from './counters.js';
import { diagnoseResolvConf } from './resolvers.js';
import { diagnoseListeners, diagnoseRules } from './listeners.js';
import { diagnoseServers } from './servers.js';
import { SYMPTOMS, symptom, type Symptom, type Urgency } from './symptom.js';

const ORDER: readonly Urgency[] = ['bad', 'warning', 'note'];
/** Smallest MTU of IPv6 (RFC 8200 section 5). */
const LEAST_MTU = 1280;
/** Ports below which a range is narrow. */
const FEW_PORTS = 10_000;

/** What is wrong on a node, the worst first. */
export function diagnose(facts: NodeFacts): Symptom[] {
  const all = [
    ...diagnoseResolvConf(facts),
    ...diagnoseServers(facts),
    ...diagnoseListeners(facts),
    ...diagnoseRules(facts),
    ...diagnoseCounters(facts),
    ...diagnoseLinks(facts),
    ...diagnosePorts(facts),
    ...diagnoseMissing(facts),
  ];
  return all.sort((a, b) => ORDER.indexOf(SYMPTOMS[a.name].urgency) - ORDER.indexOf(SYMPTOMS[b.name].urgency));
}

function* diagnoseLinks({ mtus, addresses }: NodeFacts): Iterable<Symptom> {
  // Of links without addresses nothing is sent from here.
  const used = [...mtus].filter(([device]) => device !== 'lo' && addresses.some((one) => one.device === device));
  for (const [device, mtu] of used)
    if (mtu < LEAST_MTU) yield symptom('mtu-too-small', `${device} has an MTU of ${mtu} bytes`);
  const sizes = new Set(used.map(([, mtu]) => mtu));
  if (sizes.size > 1) yield symptom('mtu-differs', used.map(([device, mtu]) => `${device} ${mtu}`).join(', '));
}

function* diagnosePorts({ portRange }: NodeFacts): Iterable<Symptom> {
  // What is no range is below nothing.
  const [from = NaN, to = NaN] = (portRange ?? '').trim().split(/\s+/).map(Number);
  if (to - from + 1 < FEW_PORTS) yield symptom('ports-few', `${to - from + 1} ports, ${from} to ${to}`);
}

function* diagnoseMissing({ rules, conntrack, counters }: NodeFacts): Iterable<Symptom> {
  const missing = [
    ...(rules === undefined ? ['rules (iptables-save, nft)'] : []),
    ...(conntrack === undefined ? ['conntrack'] : []),
    ...(counters[1].snmp === undefined ? ['/proc/net/snmp'] : []),
  ];
  if (missing.length > 0) yield symptom('facts-missing', missing.join(', '));
}
