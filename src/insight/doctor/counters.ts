import type { CounterFiles, NodeFacts } from './facts.js';
import {
  conntrackCounter,
  counted,
  snmp6Counter,
  snmpCounter,
  socketsIn,
  softnetColumn,
  type Counted,
} from './kernel-files.js';
import { symptom, type Symptom, type SymptomName } from './symptom.js';

/** Of what passed, so much may be lost since the start of the host without a word. */
const NOTABLE = 1e-4;
/** Of the connections that fit, so many make the table nearly full. */
const NEARLY_FULL = 0.9;
const DNS_PORT = 53;

/** Losses that the kernel counts: all since the start, and those of this moment. */
export function* diagnoseCounters({ counters, conntrack }: NodeFacts): Iterable<Symptom> {
  const of = (read: (files: CounterFiles) => number): Counted => counted(counters, read);
  if (conntrack !== undefined && conntrack.count >= NEARLY_FULL * conntrack.max)
    yield symptom('conntrack-full', `${conntrack.count} of ${conntrack.max} connections`);
  const table = (name: string) => of(({ conntrack: text }) => conntrackCounter(text, name));
  yield* lost('conntrack-full', table('drop'), 0, 'packets dropped for want of room');
  yield* lost('conntrack-races', table('insert_failed'), 0, 'connections that could not be entered');

  const udp = (name: string): Counted =>
    of(({ snmp, snmp6 }) => snmpCounter(snmp, 'Udp', name) + snmp6Counter(snmp6, `Udp6${name}`));
  const received = udp('InDatagrams').total;
  yield* lost('datagrams-dropped', udp('RcvbufErrors'), received * NOTABLE, 'datagrams without room in a socket');
  yield* lost('datagrams-dropped', udp('SndbufErrors'), received * NOTABLE, 'datagrams that could not be sent');
  const ofServers = of(({ udp: text, udp6 }) =>
    [...socketsIn(text), ...socketsIn(udp6)]
      .filter(({ port }) => port === DNS_PORT)
      .reduce((sum, { drops }) => sum + drops, 0),
  );
  yield* lost('datagrams-dropped', ofServers, 0, 'queries without room in a socket of port 53');

  const backlog = of(({ softnet }) => softnetColumn(softnet, 1));
  const packets = of(({ softnet }) => softnetColumn(softnet, 0));
  yield* lost('packets-dropped', backlog, packets.total * NOTABLE, 'packets dropped before the kernel looked at them');

  const fragments = of(
    ({ snmp, snmp6 }) => snmpCounter(snmp, 'Ip', 'ReasmFails') + snmp6Counter(snmp6, 'Ip6ReasmFails'),
  );
  const wanted = of(({ snmp, snmp6 }) => snmpCounter(snmp, 'Ip', 'ReasmReqds') + snmp6Counter(snmp6, 'Ip6ReasmReqds'));
  yield* lost('fragments-failed', fragments, wanted.total / 100, 'packets that could not be put together');
}

/** Told where it happens now, or happened more often than `allowed` since the start of the host. */
function* lost(name: SymptomName, { total, now }: Counted, allowed: number, what: string): Iterable<Symptom> {
  if (now <= 0 && total <= allowed) return;
  yield symptom(name, `${total} ${what} since the start, ${now > 0 ? `${now} of them just now` : 'none just now'}`);
}
