import { reasonsOf, type Reason } from '../../insight/explain/reasons.js';
import type { Story } from '../../insight/explain/story.js';
import { timeText } from '../../insight/explain/words.js';
import type { QueryStory } from '../../resolver/index.js';
import { Type, formatRdata } from '../../wire/index.js';
import type { Lab } from '../lab.js';
import type { ServerSpan } from '../trace/tracer.js';

/** The backends that a pod's sockets were given for service addresses while it was watched. */
export class ChosenBackends {
  private readonly seen: { readonly at: number; readonly ip: string }[] = [];
  private readonly unsubscribe: () => void;

  constructor(
    private readonly lab: Lab,
    pod: string,
  ) {
    this.unsubscribe = lab.world.events.subscribe((event) => {
      if (event.kind !== 'sock' || event.point !== 'post-xlate-fwd' || event.source.ip !== pod) return;
      this.seen.push({ at: lab.clock.monotonic(), ip: event.destination.ip });
    });
  }

  /** Address of the one that a query went to; undefined where it went to no service, or is translated in the host. */
  of({ started }: Pick<QueryStory, 'started'>): string | undefined {
    return this.seen.findLast(({ at }) => at <= started)?.ip;
  }

  /** `kube-system/coredns-1 (10.0.1.5)`. */
  nameOf(ip: string): string {
    const pod = this.lab.kubelet.list().find(({ model }) => model.ip === ip);
    return pod === undefined ? ip : `${pod.namespace}/${pod.name} (${ip})`;
  }

  close(): void {
    this.unsubscribe();
  }
}

/** Aliases in a reply, each as `www.example. is an alias of web.example.`. */
export const aliasTexts = ({ reply }: Pick<QueryStory, 'reply'>): string[] =>
  (reply?.answer ?? [])
    .filter(({ type }) => type === Type.CNAME)
    .map(({ name, type, rdata }) => `${name} is an alias of ${formatRdata(type, rdata)}`);

/** Why a query came to what it came to: of its servers, and of the way to them. */
export function reasonsFor(query: QueryStory, visits: readonly ServerSpan[], backends: ChosenBackends): Reason[] {
  if (visits.length === 0) {
    if (query.reply !== undefined) return [];
    const ip = backends.of(query);
    const who = ip === undefined ? query.server.address : `backend ${backends.nameOf(ip)} of ${query.server.address}`;
    const silent = query.result === 'timeout';
    const text = silent
      ? `${who} is silent: timeout after ${timeText(query.ended - query.started)}`
      : `${who} has not taken it: ${query.result}`;
    return [
      {
        code: silent ? 'upstream-silent' : 'upstream-error',
        text,
        advice: 'Look whether it runs: kubectl get pods -A, and its logs',
      },
    ];
  }
  const from = visits.findIndex((visit, i) => visits.slice(i + 1).some((later) => isBackAt(visit, later)));
  return visits.flatMap((visit, i) => reasonsOf(storyOf(visit, from >= 0 && i >= from)).filter(isTrouble));
}

const isTrouble = ({ advice }: Reason): boolean => advice !== undefined;

/** Whether a server has the query again that it sent upstream. */
const isBackAt = (visit: ServerSpan, later: ServerSpan): boolean =>
  visit.server === later.server && visit.depth < later.depth;

/** @param loops the visit is part of a loop of servers */
function storyOf(visit: ServerSpan, loops: boolean): Story {
  const { name, type, plugins, notes, answeredBy, rcode, started, ended = started } = visit;
  return {
    name,
    type,
    answeredBy: answeredBy === undefined ? undefined : { name: answeredBy },
    cached: plugins.includes('cache'),
    unready: [],
    notes,
    result: rcode === 'no answer' ? undefined : rcode,
    errors: [],
    end: 'answered',
    time: ended - started,
    loops,
  };
}

/** Reasons that several queries have, once each: times may differ. */
export function distinct(reasons: readonly Reason[]): Reason[] {
  const known = new Set<string>();
  return reasons.filter(({ code, text }) => {
    const key = `${code} ${text.replace(/\d+(\.\d+)? m?s|asked \d+ times/g, '')}`;
    return !known.has(key) && known.add(key);
  });
}
