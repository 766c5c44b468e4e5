import { adviceOf } from '../../insight/explain/live.js';
import { count } from '../../insight/explain/words.js';
import type { ExplainedQuery, Explanation, Hop } from './explanation.js';

/** A lookup as `explain -v` prints it: who asks, its resolv.conf, each query with all servers, the outcome and its cost. */
export function explanationText(explanation: Explanation): string {
  return [
    ...headLines(explanation),
    ...explanation.steps.flatMap((step, i) => [
      '',
      `${i + 1}. ${step.name}  (${step.why})`,
      ...step.queries.flatMap(queryLines).map((line) => `   ${line}`),
    ]),
    ...tailLines(explanation),
  ].join('\n');
}

/** Who looks up what, and with which resolv.conf. */
export function headLines({ pod, asked, profile, servers, search, ndots }: Explanation): string[] {
  return [
    `${pod.namespace}/${pod.name} (${pod.ip} on ${pod.node}) looks up ${asked} as ${profile} does`,
    `resolv.conf: nameserver ${servers.join(' ')}, search ${search.join(' ') || 'nothing'}, ndots:${ndots}`,
  ];
}

/** What was found, what it cost, and what went wrong. */
export const tailLines = ({ outcome, cost, reasons }: Explanation): string[] => [
  '',
  outcome,
  costText(cost),
  ...reasons.map(({ text }) => `why: ${text}`),
  ...adviceOf(reasons).map((advice) => `try: ${advice}`),
  '',
];

const costText = (cost: Explanation['cost']): string =>
  `cost: ${count(cost.queries, 'query', 'queries')}, ${count(cost.packets, 'packet')}, ` +
  `${count(cost.sockets, 'socket')}, ${count(cost.visits, 'server visit')}, ${cost.time.toFixed(1)} ms`;

/** The hops until the query is back at a server that it has been at, and how many visits follow. */
export function untilLoop(hops: readonly Hop[]): { readonly told: readonly Hop[]; readonly left: number } {
  const back = hops.findIndex(
    ({ kind, at, depth }, i) =>
      kind === 'visit' && hops.slice(0, i).some((hop) => hop.kind === 'visit' && hop.at === at && hop.depth < depth),
  );
  const told = back === -1 ? hops : hops.slice(0, back + 1);
  return { told, left: hops.slice(told.length).filter(({ kind }) => kind === 'visit').length };
}

/** What became of a query that came to no server. */
export const untakenText = ({ chosen, result }: ExplainedQuery): string =>
  chosen === undefined
    ? 'no server took it'
    : `no server took it: ${chosen} was chosen, and ${result === 'timeout' ? 'is silent' : `says ${result}`}`;

function queryLines(query: ExplainedQuery): string[] {
  const { text, hops, aliases } = query;
  const { told, left } = untilLoop(hops);
  const lines = [text, ...told.map((hop) => `  ${'  '.repeat(hop.depth)}${hop.text}`)];
  if (left > 0) lines.push(`  ${'  '.repeat(told.at(-1)!.depth)}a loop: ${count(left, 'visit')} more of the same`);
  if (!hops.some((hop) => hop.kind === 'visit')) lines.push(`  ${untakenText(query)}`);
  return [...lines, ...aliases.map((alias) => `  ${alias}`)];
}
