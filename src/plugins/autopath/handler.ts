import {
  DROP,
  Reply,
  type DependsOn,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type Query,
  type Zones,
} from '../../chain/index.js';
import type { Value } from '../../metrics/metrics.js';
import { Rcode, isName, isSubdomain, type Name } from '../../wire/index.js';
import { answering } from './answering.js';

/** Names that are put behind a name in turn, the first one included that the client has put there; '.' for none. */
export type SearchPath = readonly Name[];

/** Walks a client's search path in its place, and gives it the first answer that is not NXDOMAIN. */
export class AutoPath implements Handler {
  readonly name = 'autopath';
  readonly role = 'wraps';

  /** @param searchPath that of the query's client; undefined when it has none */
  constructor(
    private readonly zones: Zones,
    private readonly searchPath: (query: Query) => SearchPath | undefined,
    readonly dependsOn: DependsOn,
    private readonly successes: PerServer<Value>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const path = this.zones.contains(query.name) ? this.searchPath(query) : undefined;
    const first = path?.[0];
    if (first === undefined || query.name === first || !isSubdomain(first, query.name)) return next(query);
    return this.walk(query, next, path!);
  }

  private async walk(query: Query, next: Next, path: SearchPath): Promise<Outcome> {
    const base = query.qname.slice(0, -path[0]!.length);
    let first: Outcome = DROP;
    for (const [i, domain] of path.entries()) {
      const name = base + (domain === '.' ? '' : domain);
      if (!isName(name)) continue;
      const asked = i === 0 ? query : query.withQuestion(name);
      const outcome = await next(asked);
      // Neither silence nor a transfer says anything about a name.
      if (!(outcome instanceof Reply)) return outcome;
      if (outcome.cause !== undefined) return outcome;
      if (i === 0) first = outcome;
      if (!outcome.written || outcome.rcode === Rcode.NXDOMAIN) continue;
      this.successes.get(query.client.server).inc();
      return i === 0 ? outcome : answering(query, asked, outcome);
    }
    return first;
  }
}
