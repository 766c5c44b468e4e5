import { adviceOf } from '../../insight/explain/live.js';
import { count } from '../../insight/explain/words.js';
import type { ExplainedQuery, Explanation } from './explanation.js';

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

function queryLines({ text, hops, aliases, chosen }: ExplainedQuery): string[] {
  const lines = [text, ...hops.map((hop) => `  ${'  '.repeat(hop.depth)}${hop.text}`)];
  if (!hops.some((hop) => hop.kind === 'visit'))
    lines.push(`  no server took it${chosen ? `: ${chosen} was chosen, and is silent` : ''}`);
  return [...lines, ...aliases.map((alias) => `  ${alias}`)];
}
