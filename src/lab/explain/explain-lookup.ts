import type { Node } from '../../datapath/cluster/node.js';
import { stepOf } from '../../insight/explain/pod-lookup.js';
import { StubResolver } from '../../resolver/index.js';
import type { LookupStory, LookupType, QueryStory } from '../../resolver/index.js';
import type { ProfileName } from '../../resolver/conf/settings.js';
import { Type, formatRdata, typeName } from '../../wire/index.js';
import { LabNetwork } from '../network/lab-network.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import type { ServerSpan } from '../trace/tracer.js';
import type { ExplainedQuery, Explanation, Hop, EntityId } from './explanation.js';
import { ChosenBackends, aliasTexts, distinct, reasonsFor } from './causes.js';
import { namedBy } from './service-address.js';
import { ownQuestions, spanText, translationText } from './words.js';

/** How a lookup is made. */
export interface LookupChoice {
  readonly profile: ProfileName;
  /** Types that are asked for; A and AAAA by default. */
  readonly types?: readonly LookupType[];
  /** Leaves out the type of addresses that the pod has none of, as getaddrinfo with AI_ADDRCONFIG. */
  readonly addrConfig?: boolean;
}

const DNS = 53;

/**
 * Looks a name up as a pod, and gives the whole story. Rejects with a ResolvConfError for a resolv.conf that cannot
 * be read.
 */
export async function explainLookup(
  lab: Lab,
  pod: RunningPod,
  name: string,
  choice: LookupChoice,
): Promise<Explanation> {
  const { clock, random } = lab;
  const { profile, types, addrConfig = false } = choice;
  const resolver = new StubResolver({
    network: new LabNetwork(pod.model.process),
    clock,
    random,
    resolvConf: pod.files.read('/etc/resolv.conf') ?? '',
    profile,
  });
  const { servers, search, ndots } = resolver.settings;
  const started = clock.monotonic();
  const end = lab.tracer.watch();
  const backends = new ChosenBackends(lab, pod.model.ip);
  const story = await resolver.lookup(name, { types, addrConfig });
  const visits = end();
  backends.close();
  const builder = new ExplanationBuilder(lab, pod, visits, started, backends);
  const steps = story.tried.map((tried) => ({
    name: tried,
    why: stepOf(tried, name, search),
    queries: story.queries.filter((query) => query.name === tried).map((query) => builder.query(query)),
  }));
  return {
    pod: {
      id: entityOfPod(pod),
      namespace: pod.namespace,
      name: pod.name,
      ip: pod.model.ip,
      node: pod.model.spec.node,
    },
    asked: name,
    profile,
    servers,
    search,
    ndots,
    steps,
    ...outcomeOf(story, name, types),
    cost: { ...story.cost, visits: builder.assigned.size },
    reasons: distinct(steps.flatMap(({ queries }) => queries.flatMap(({ reasons }) => reasons))),
  };
}

/** What was found: addresses, or the data of records of another type. */
function outcomeOf(
  { addresses, error, canonical, queries }: LookupStory,
  name: string,
  types: readonly LookupType[] = [],
): Pick<Explanation, 'addresses' | 'found' | 'outcome'> {
  const other = types.find((type) => type !== 'A' && type !== 'AAAA');
  const records = queries
    .flatMap(({ reply }) => reply?.answer ?? [])
    .filter(({ type }) => other !== undefined && type === Type[other])
    .map(({ type, rdata }) => formatRdata(type, rdata));
  if (records.length > 0) return { addresses, found: true, outcome: `${name} has ${records.join(', ')}` };
  return {
    addresses,
    found: error === undefined,
    outcome: error ? `${error.code}: ${error.text}` : `${canonical ?? name} has ${addresses.join(', ')}`,
  };
}

export const entityOfPod = ({ namespace, name }: { readonly namespace: string; readonly name: string }): EntityId =>
  `pod/${namespace}/${name}`;

/** A visit names pods as `namespace/name` and hosts by their name. */
export const entityOfServer = (server: string): EntityId => (server.includes('/') ? `pod/${server}` : `host/${server}`);

/** Finds the visits that belong to each query. */
class ExplanationBuilder {
  readonly assigned = new Set<ServerSpan>();

  constructor(
    private readonly lab: Lab,
    private readonly pod: RunningPod,
    private readonly visits: readonly ServerSpan[],
    private readonly start: number,
    private readonly backends: ChosenBackends,
  ) {}

  query(query: QueryStory): ExplainedQuery {
    const type = typeName(query.type);
    const { protocol, server, result } = query;
    const { node } = this.pod.model;
    const time = query.ended - query.started;
    const translation = translationOf(this.lab, server.address, protocol, node);
    const visits = this.spansOf(query, type);
    const chosen = visits.length === 0 ? this.backends.of(query) : undefined;
    return {
      type,
      protocol,
      server: server.address,
      result,
      started: query.started - this.start,
      time,
      text: `${type} to ${server.address} by ${protocol.toUpperCase()}: ${result} after ${time.toFixed(1)} ms`,
      aliases: aliasTexts(query),
      reasons: reasonsFor(query, visits, this.backends),
      ...(chosen !== undefined && { chosen: this.backends.nameOf(chosen) }),
      hops: [translation, ...visits.flatMap((visit, i) => this.hopsOf(visit, visits.slice(0, i), visits[0]!.depth))],
    };
  }

  /** The visit of the query itself, and those that its server made for it. */
  private spansOf(query: QueryStory, type: string): readonly ServerSpan[] {
    const same = this.visits.filter(
      (visit) => visit.type === type && visit.name.toLowerCase() === query.name.toLowerCase(),
    );
    const own = (visit: ServerSpan): boolean =>
      visit.remote.port === query.local?.port && (visit.depth === 0 || visit.remote.address === this.pod.model.ip);
    const first = same.findIndex((visit) => own(visit) && !this.assigned.has(visit));
    if (first < 0) return [];
    const rest = same.slice(first + 1);
    // Others may ask for the same meanwhile, and the pod once more: what counts is how deep a visit is below the
    // query's own.
    const next = rest.findIndex((visit) => visit.depth <= same[first]!.depth || own(visit));
    const found = [same[first]!, ...(next < 0 ? rest : rest.slice(0, next))];
    found.forEach((visit) => this.assigned.add(visit));
    return found;
  }

  /** @param base depth of the query's own visit */
  private hopsOf(visit: ServerSpan, before: readonly ServerSpan[], base: number): readonly Hop[] {
    const { lab } = this;
    const depth = visit.depth - base;
    const asks = ownQuestions(visit).map(({ name, type, rcode = 'no answer' }) => ({ name, type, result: rcode }));
    const at = entityOfServer(visit.server);
    const hop: Hop = {
      kind: 'visit',
      depth,
      at,
      transport: visit.transport,
      cache: cacheOf(visit),
      ...(visit.answeredBy !== undefined && { plugin: visit.answeredBy }),
      ...(asks.length > 0 && { asks }),
      result: visit.rcode ?? 'no answer',
      ...(visit.ended !== undefined && { time: visit.ended - visit.started }),
      text: spanText(visit, lab),
    };
    const asker = before.findLast((other) => other.depth === visit.depth - 1);
    const [namespace = '', name = ''] = asker?.server.split('/', 2) ?? [];
    const caller = lab.kubelet.get(namespace, name)?.model;
    const named = caller && namedBy(caller, visit, lab);
    return named === undefined ? [hop] : [{ ...translationOf(lab, named, visit.transport, caller!.node), depth }, hop];
  }
}

function cacheOf({ plugins, answeredBy, notes }: ServerSpan): Hop['cache'] {
  if (!plugins.includes('cache')) return 'none';
  if (answeredBy === 'cache') return 'hit';
  return notes.some((note) => note.kind === 'cache' && note.state === 'disabled') ? 'disabled' : 'miss';
}

/** What a node makes of an address that is sent to from it. */
function translationOf(lab: Lab, address: string, protocol: string, node: Node): Hop {
  const frontend = node.frontend(address, DNS, protocol.toUpperCase());
  const owner = frontend && lab.world.services.ownerOfAddress(address);
  return {
    kind: 'translation',
    depth: 0,
    at: owner === undefined ? undefined : `service/${owner}`,
    ...(frontend?.redirect && { redirect: true }),
    text: translationText(address, node, frontend),
  };
}
