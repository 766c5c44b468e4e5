import {
  replyOf,
  type DependsOn,
  type Handler,
  type Next,
  type Outcome,
  type Query,
  type QueryFormat,
  type Reply,
  type Zones,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import { Rcode } from '../../wire/index.js';
import { classOf, typeOf, type ReplyClass } from './class.js';
import type { FieldMaker } from './fields.js';

/** Which queries get a line, and how it looks. */
export interface LogRule {
  readonly zones: Zones;
  /** Only these; undefined for all. */
  readonly classes: ReadonlySet<ReplyClass> | undefined;
  readonly format: QueryFormat;
  readonly fields: FieldMaker;
}

/** With these the server answers where no plugin has; with others it keeps silent. */
const isAnsweredByServer = (rcode: number): boolean =>
  rcode === Rcode.SERVFAIL || rcode === Rcode.REFUSED || rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP;

/** Writes a line for each query, by the first rule whose zones hold its name. */
export class Log implements Handler {
  readonly name = 'log';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn: DependsOn;

  constructor(
    private readonly rules: readonly LogRule[],
    private readonly log: Pick<Logger, 'info' | 'infoWith'>,
    private readonly clock: Clock,
  ) {
    // Replies of classes that nothing logs are shared as if there were no log.
    this.dependsOn = rules.every(({ classes }) => classes !== undefined) ? 'question' : 'query';
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const rule = this.ruleFor(query);
    const outcome = next(query);
    if (rule === undefined) return outcome;
    if (outcome instanceof Promise) {
      return outcome.then((settled) => {
        this.write(rule, query, settled);
        return settled;
      });
    }
    this.write(rule, query, outcome);
    return outcome;
  }

  /** Where it would write a line, or set a label. Signatures change their class with time. */
  seesEach(query: Query, reply: Reply): boolean {
    const rule = this.ruleFor(query);
    if (rule === undefined) return false;
    if (rule.classes === undefined || query.do || query.context.metadata !== undefined) return true;
    return rule.classes.has(classOf(typeOf(query, reply, this.clock.now())));
  }

  private ruleFor(query: Query): LogRule | undefined {
    for (const rule of this.rules) if (rule.zones.contains(query.name)) return rule;
    return undefined;
  }

  private write(rule: LogRule, query: Query, outcome: Outcome): void {
    const seen = replyOf(outcome);
    const reply = seen?.written || (seen && isAnsweredByServer(seen.rcode)) ? seen : undefined;
    const { metadata } = query.context;
    if (rule.classes !== undefined || metadata !== undefined) {
      const type = typeOf(query, reply, this.clock.now());
      metadata?.set('log/type', type);
      metadata?.set('log/class', classOf(type));
      if (rule.classes?.has(classOf(type)) === false) return;
    }
    const elapsed = this.clock.monotonic() - query.received;
    const line = rule.format(query, reply, elapsed);
    if (this.log.infoWith === undefined) this.log.info(line);
    else this.log.infoWith(line, rule.fields(query, reply, elapsed));
  }
}
