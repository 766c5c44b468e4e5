import type { ExplainedQuery, Explanation, EntityId } from '../lab/web/api.js';

/** A way between two parts of the picture. */
export interface Edge {
  readonly from: EntityId;
  readonly to: EntityId;
}

export type Tone = 'good' | 'bad' | 'plain';

/** One moment of a lookup that is walked through. */
export interface PlaybackFrame {
  readonly kind: 'start' | 'translation' | 'visit' | 'reply' | 'end';
  /** Number of the search step and of the query, from 0; -1 before the first and after the last. */
  readonly step: number;
  readonly query: number;
  /** Number of the hop in its query. */
  readonly hop: number;
  readonly title: string;
  readonly text: string;
  /** Where the query has been, and the way that it takes now. */
  readonly trail: readonly Edge[];
  readonly now: Edge | undefined;
  /** What a part is marked with. */
  readonly marks: Readonly<Record<EntityId, { readonly text: string; readonly tone: Tone }>>;
}

/** How a result is coloured: answers, names that are not there, and what went wrong. */
export const toneOf = (result: string): Tone =>
  result === 'NOERROR' ? 'good' : result === 'NXDOMAIN' || result === 'NODATA' ? 'plain' : 'bad';

/** A lookup as a row of moments: an opening, each hop and reply of each query, and the outcome. */
export function framesOf(story: Explanation): readonly PlaybackFrame[] {
  const frames: PlaybackFrame[] = [opening(story)];
  let number = 0;
  story.steps.forEach((step, i) => {
    for (const query of step.queries) frames.push(...queryFrames(story, i, number++, query));
  });
  // The end shows the ways that led to an answer; where none did, every way that was taken.
  const queries = story.steps.flatMap((step) => step.queries);
  const led = story.found ? frames.filter(({ query }) => queries[query]?.result === 'NOERROR') : frames;
  const ways = new Map(led.flatMap(({ trail }) => trail).map((edge) => [`${edge.from} ${edge.to}`, edge]));
  frames.push({
    kind: 'end',
    step: -1,
    query: -1,
    hop: 0,
    title: story.found ? 'Found' : 'Not found',
    text: `${story.outcome}. ${costText(story)}`,
    trail: [...ways.values()],
    now: undefined,
    marks: { [story.pod.id]: { text: story.found ? 'found' : 'not found', tone: story.found ? 'good' : 'bad' } },
  });
  return frames;
}

/** `10 queries, 20 packets, 5 sockets, 14 server visits, 8.1 ms`. */
export function costText({ cost }: Pick<Explanation, 'cost'>): string {
  const counted = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
  return (
    `Cost: ${counted(cost.queries, 'query', 'queries')}, ` +
    `${counted(cost.packets, 'packet', 'packets')}, ` +
    `${counted(cost.sockets, 'socket', 'sockets')}, ` +
    `${counted(cost.visits, 'server visit', 'server visits')}, ${cost.time.toFixed(1)} ms`
  );
}

/** Whether caches had any of it: a first visit that was a hit saves the rest of the way. */
export const hitsOf = ({ steps }: Pick<Explanation, 'steps'>): number =>
  steps
    .flatMap(({ queries }) => queries)
    .filter(({ hops }) => hops.find((hop) => hop.kind === 'visit')?.cache === 'hit').length;

/** Why the search list is tried first, or not: in the words of resolv.conf(5). */
export function whyText({ asked, ndots, search }: Pick<Explanation, 'asked' | 'ndots' | 'search'>): string {
  if (asked.endsWith('.')) return `${asked} ends with a dot: it is asked as it stands, no search list`;
  const dots = asked.split('.').length - 1;
  const has = `${asked} has ${dots === 0 ? 'no dot' : dots === 1 ? '1 dot' : `${dots} dots`}`;
  if (search.length === 0) return `${has}; there is no search list`;
  if (dots >= ndots) return `${has}, ndots is ${ndots}: the name as it stands comes first`;
  const domains = search.length === 1 ? 'search domain comes' : `${search.length} search domains come`;
  return `${has}, fewer than ndots (${ndots}): the ${domains} first`;
}

function opening(story: Explanation): PlaybackFrame {
  const { pod, asked, profile, servers } = story;
  return {
    kind: 'start',
    step: -1,
    query: -1,
    hop: 0,
    title: `${pod.name} looks up ${asked}`,
    text: `as ${profile} does, at name server ${servers.join(', ')}. ${whyText(story)}`,
    trail: [],
    now: undefined,
    marks: { [pod.id]: { text: 'asks', tone: 'plain' } },
  };
}

function queryFrames(
  story: Explanation,
  step: number,
  number: number,
  query: ExplainedQuery,
): readonly PlaybackFrame[] {
  const { name, why } = story.steps[step]!;
  const frames: PlaybackFrame[] = [];
  const trail: Edge[] = [];
  const marks: Record<EntityId, { text: string; tone: Tone }> = {};
  const askers: EntityId[] = [story.pod.id];
  let via: EntityId | undefined;
  const place = `Query ${number + 1} of ${story.cost.queries} · ${query.type} ${name}`;
  query.hops.forEach((hop, i) => {
    const from = via ?? askers[hop.depth] ?? story.pod.id;
    const now = hop.at === undefined || hop.at === from ? undefined : { from, to: hop.at };
    if (hop.kind === 'translation') via = hop.at;
    else if (hop.at !== undefined) {
      via = undefined;
      askers[hop.depth + 1] = hop.at;
      marks[hop.at] = {
        text:
          hop.cache === 'hit'
            ? 'cache hit'
            : hop.plugin === 'forward'
              ? 'miss, forwards'
              : `${hop.plugin ?? 'no plugin'}: ${hop.result}`,
        tone: hop.cache === 'hit' ? 'good' : 'plain',
      };
    }
    frames.push({
      kind: hop.kind,
      step,
      query: number,
      hop: i,
      title: `${place} (${why})`,
      text: hop.text,
      trail: [...trail],
      now,
      marks: { ...marks },
    });
    if (now) trail.push(now);
  });
  const nobody = query.hops.some((hop) => hop.kind === 'visit') ? '' : '; no server took it';
  frames.push({
    kind: 'reply',
    step,
    query: number,
    hop: query.hops.length,
    title: `${place} (${why})`,
    text: `${query.text}${nobody}`,
    trail: [...trail],
    now: undefined,
    marks: { ...marks, [story.pod.id]: { text: query.result, tone: toneOf(query.result) } },
  });
  return frames;
}

/** The first moment of a query; the number of the opening where there is no such query. */
export const startOf = (frames: readonly PlaybackFrame[], query: number): number =>
  Math.max(
    0,
    frames.findIndex((frame) => frame.query === query),
  );

/** The last moment of a query. */
export const endOf = (frames: readonly PlaybackFrame[], query: number): number =>
  Math.max(
    0,
    frames.findLastIndex((frame) => frame.query === query),
  );
