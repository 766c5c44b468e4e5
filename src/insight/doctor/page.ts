import { hostPort } from '../../lib/cidr.js';
import type { NodeFacts, ServerFacts } from './facts.js';
import { socketsIn } from './kernel-files.js';
import { SYMPTOMS, type Symptom } from './symptom.js';

/** 0 where nothing is wrong, 1 for warnings, 2 for what breaks lookups. */
export const doctorExitCode = (symptoms: readonly Symptom[]): number =>
  Math.max(0, ...symptoms.map(({ name }) => ({ bad: 2, warning: 1, note: 0 })[SYMPTOMS[name].urgency]));

const milliseconds = (probe: ServerFacts['udp']): string =>
  probe === undefined ? 'silent' : `${probe.time.toFixed(1)} ms`;

/** One page for people: what there is, then what is wrong with it. */
export function doctorText(facts: NodeFacts, symptoms: readonly Symptom[]): string {
  const listening = [...socketsIn(facts.sockets.udp), ...socketsIn(facts.sockets.udp6)]
    .filter(({ port }) => port === 53)
    .map(({ address }) => address);
  const rows: [string, string][] = [
    ['resolv.conf', oneLine(facts.resolvConf)],
    ...facts.servers.map((server): [string, string] => ['server', serverLine(server)]),
    ['port 53', listening.length === 0 ? 'nothing listens' : [...new Set(listening)].join(', ')],
    ['links', [...facts.mtus].map(([device, mtu]) => `${device} ${mtu}`).join(', ')],
    ['conntrack', facts.conntrack === undefined ? 'none' : `${facts.conntrack.count} of ${facts.conntrack.max}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const head = rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
  const found = symptoms.map(({ name, text }) => {
    const { urgency, means, todo } = SYMPTOMS[name];
    return `\n${urgency}: ${text} [${name}]\n    ${means}\n    ${todo}`;
  });
  return `${[...head, ...(found.length === 0 ? ['', 'nothing found'] : found)].join('\n')}\n`;
}

const oneLine = (text: string | undefined): string =>
  text === undefined
    ? 'none'
    : text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !/^[#;]/.test(line))
        .join('; ');

function serverLine({ address, port, udp, tcp, large }: ServerFacts): string {
  const size = large === undefined ? '' : `, ${large.size} bytes over UDP: ${large.udp}`;
  return `${hostPort(address, port)}  UDP ${milliseconds(udp)}, TCP ${milliseconds(tcp)}${size}`;
}

/** For programs. */
export function doctorJson(facts: NodeFacts, symptoms: readonly Symptom[]): string {
  const { servers, conntrack, mtus } = facts;
  const found = symptoms.map(({ name, text }) => ({ name, ...SYMPTOMS[name], text }));
  const report = { servers, conntrack: conntrack ?? null, mtus: Object.fromEntries(mtus), symptoms: found };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
