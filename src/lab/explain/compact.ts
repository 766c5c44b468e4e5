import { count, timeText } from '../../insight/explain/words.js';
import type { ExplainedQuery, ExplainedStep, Explanation, Hop } from './explanation.js';
import { headLines, tailLines, untakenText, untilLoop } from './text.js';

/** A lookup, a line a step: the types that were asked for, what came of them, after what time, and who had the query. */
export function compactText(explanation: Explanation): string {
  const { steps } = explanation;
  return [
    ...headLines(explanation),
    ...translations(steps),
    '',
    ...steps.map((step, i) => `${i + 1}. ${stepText(step)}`),
    ...tailLines(explanation),
  ].join('\n');
}

/** What the addresses of the resolv.conf were taken for, each once. */
function translations(steps: readonly ExplainedStep[]): string[] {
  const all = steps
    .flatMap(({ queries }) => queries)
    .flatMap(({ server, hops }) =>
      hops.filter(({ kind, depth }) => kind === 'translation' && depth === 0).map(({ text }) => `${server}: ${text}`),
    );
  return [...new Set(all)];
}

/** Types that went the same way stand together. */
function stepText({ name, why, queries }: ExplainedStep): string {
  const ways = grouped(queries, wayOf);
  const told = [...ways].map(([way, alike]) => {
    const time = Math.max(...alike.map((query) => query.time));
    return `${resultsOf(alike)} after ${timeText(time)}: ${way}`;
  });
  return [`${name}  (${why})  ${told.join('; ')}`, ...new Set(queries.flatMap(({ aliases }) => aliases))].join('; ');
}

/** `A and AAAA NXDOMAIN`, `A NOERROR, AAAA NODATA`, `A timeout (2 times)`. */
function resultsOf(queries: readonly ExplainedQuery[]): string {
  return [...grouped(queries, ({ result }) => result)]
    .map(([result, alike]) => {
      const types = [...new Set(alike.map(({ type }) => type))];
      const times = alike.length / types.length;
      return `${types.join(' and ')} ${result}${times > 1 ? ` (${Math.ceil(times)} times)` : ''}`;
    })
    .join(', ');
}

/** `node-local-dns-x (cache miss, forward) > coredns-y by TCP (kubernetes)`: each server asks the one behind it. */
function wayOf(query: ExplainedQuery): string {
  const { told, left } = untilLoop(query.hops);
  const visits = told.filter(({ kind }) => kind === 'visit');
  if (visits.length === 0) return untakenText(query);
  const way = visits
    .map((visit, i) => `${i === 0 ? '' : visit.depth > visits[i - 1]!.depth ? ' > ' : ', '}${visitText(visit)}`)
    .join('');
  return left === 0 ? way : `${way} > a loop, ${count(left, 'visit')} more`;
}

function visitText({ at = '', transport, cache, plugin, asks = [] }: Hop): string {
  const name = at.split('/').at(-1)!;
  const cached = cache === 'none' || cache === undefined ? [] : [`cache ${cache}`];
  const by = plugin === undefined ? ['nobody answered'] : plugin === 'cache' ? [] : [plugin];
  const targets = [...new Set(asks.map((question) => `asks for ${question.name}`))];
  const did = [...cached, ...by, ...targets].join(', ');
  return `${name}${transport === 'udp' ? '' : ` by ${transport!.toUpperCase()}`} (${did})`;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
