import { adviceOf } from '../../insight/explain/live.js';
import { count } from '../../insight/explain/words.js';
import type { ExplainedQuery, Explanation } from './explanation.js';

/** A lookup as `explain` prints it: a line for whoever asks, its resolv.conf, each query, the outcome and its cost. */
export function explanationText(explanation: Explanation): string {
  const { pod, asked, profile, steps, servers, search, ndots, outcome, cost, reasons } = explanation;
  return [
    `${pod.namespace}/${pod.name} (${pod.ip} on ${pod.node}) looks up ${asked} as ${profile} does`,
    `resolv.conf: nameserver ${servers.join(' ')}, search ${search.join(' ') || 'nothing'}, ndots:${ndots}`,
    ...steps.flatMap((step, i) => [
      '',
      `${i + 1}. ${step.name}  (${step.why})`,
      ...step.queries.flatMap(queryLines).map((line) => `   ${line}`),
    ]),
    '',
    outcome,
    costText(cost),
    ...reasons.map(({ text }) => `why: ${text}`),
    ...adviceOf(reasons).map((advice) => `try: ${advice}`),
    '',
  ].join('\n');
}

const costText = (cost: Explanation['cost']): string =>
  `cost: ${count(cost.queries, 'query', 'queries')}, ${count(cost.packets, 'packet')}, ` +
  `${count(cost.sockets, 'socket')}, ${count(cost.visits, 'server visit')}, ${cost.time.toFixed(1)} ms`;

function queryLines({ text, hops, aliases, chosen }: ExplainedQuery): string[] {
  const lines = [text, ...hops.map((hop) => `  ${'  '.repeat(hop.depth)}${hop.text}`)];
  if (!hops.some((hop) => hop.kind === 'visit'))
    lines.push(`  no server took it${chosen ? `: ${chosen} was chosen, and is silent` : ''}`);
  return [...lines, ...aliases.map((alias) => `  ${alias}`)];
}
