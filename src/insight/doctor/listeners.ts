import type { NodeFacts } from './facts.js';
import { socketsIn, type ProcSocket } from './kernel-files.js';
import { symptom, type Symptom } from './symptom.js';

const DNS_PORT = 53;
const EVERYWHERE = new Set(['0.0.0.0', '::']);
/** The link that a node cache makes. */
const NODE_CACHE_LINK = 'nodelocaldns';

const atDns = (...texts: readonly (string | undefined)[]): ProcSocket[] =>
  texts.flatMap(socketsIn).filter(({ port }) => port === DNS_PORT);

/** What listens at port 53 of this host. */
export function* diagnoseListeners({ sockets }: NodeFacts): Iterable<Symptom> {
  const udp = new Set(atDns(sockets.udp, sockets.udp6).map(({ address }) => address));
  const tcp = new Set(atDns(sockets.tcp, sockets.tcp6).map(({ address }) => address));
  for (const address of udp)
    if (!tcp.has(address) && !(EVERYWHERE.has(address) && [...tcp].some((one) => EVERYWHERE.has(one))))
      yield symptom('listener-without-tcp', `${address} port 53`);
  const single = [...udp].filter((address) => !EVERYWHERE.has(address));
  if (single.length > 0 && single.length < udp.size)
    yield symptom('listener-hidden', `all addresses, and ${single.join(', ')} apart`);
}

/** Rules that concern DNS, as `iptables-save` or `nft list ruleset` print them. */
export function* diagnoseRules({ rules, addresses }: NodeFacts): Iterable<Symptom> {
  if (rules === undefined) return;
  const lines = rules.split('\n').map((line) => line.trim());
  for (const line of lines) {
    const concerned = /--dports? \S*\b53\b|\bdport (\{[^}]*\b53\b[^}]*\}|53\b)/.test(line);
    if (concerned && /-j (DROP|REJECT)\b|\b(drop|reject)\b/.test(line)) yield symptom('rules-refuse', line);
  }
  const local = addresses.filter(({ device }) => device === NODE_CACHE_LINK).map(({ address }) => address);
  const free = local.filter(
    (address) => !lines.some((line) => line.includes(address) && /NOTRACK|--notrack|\bnotrack\b/.test(line)),
  );
  if (free.length > 0) yield symptom('rules-missing', `${NODE_CACHE_LINK} holds ${free.join(', ')}`);
}
