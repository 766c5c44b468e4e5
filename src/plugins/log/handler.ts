import {
  replyOf,
  type Handler,
  type HitFormat,
  type HitNoter,
  type Next,
  type NotesHits,
  type Outcome,
  type Query,
  type QueryFormat,
  type Reply,
  type Zones,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import { LineBuffer } from '../../lib/line-buffer.js';
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
  readonly hitFormat: HitFormat;
  readonly fields: FieldMaker;
}

/** With these the server answers where no plugin has; with others it keeps silent. */
const isAnsweredByServer = (rcode: number): boolean =>
  rcode === Rcode.SERVFAIL || rcode === Rcode.REFUSED || rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP;

/** Lines of shared answers that wait to be written, or are lost, together, at most. */
const MOST_WAITING = 256;

/**
 * Writes a line for each query, by the first rule whose zones hold its name. Of queries that were answered with a shared
 * answer it is told afterwards, many at a time, and their lines are written together.
 */
export class Log implements Handler, NotesHits {
  readonly name = 'log';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn = 'question';
  /** Lines to be written before any other. */
  private readonly waiting = new LineBuffer();

  constructor(
    private readonly rules: readonly LogRule[],
    private readonly log: Pick<Logger, 'info' | 'infoWith' | 'batch'>,
    private readonly clock: Clock,
  ) {}

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

  /** Where a line has parts that only the query itself can tell. Signatures change their class with time. */
  seesEach(query: Query): boolean {
    const rule = this.ruleFor(query);
    if (rule === undefined) return false;
    return this.log.infoWith !== undefined || query.context.metadata !== undefined || (isPartial(rule) && query.do);
  }

  hitNoter(query: Query, reply: Reply): HitNoter | undefined {
    const rule = this.ruleFor(query);
    if (rule === undefined || (isPartial(rule) && !this.isWanted(rule, query, reply))) return undefined;
    const line = rule.hitFormat(query, reply);
    const { waiting } = this;
    const head = this.log.batch?.head ?? '';
    return (hit) => {
      if (waiting.lines === 0) queueMicrotask(() => this.flush());
      waiting.text(head);
      line(hit, waiting);
      waiting.endLine();
      if (waiting.lines >= MOST_WAITING) this.flush();
    };
  }

  private isWanted({ classes }: LogRule, query: Query, reply: Reply): boolean {
    return classes?.has(classOf(typeOf(query, reply, this.clock.now()))) === true;
  }

  private flush(): void {
    if (this.waiting.lines === 0) return;
    const lines = this.waiting.take();
    if (this.log.batch === undefined) for (const line of lines.slice(0, -1).split('\n')) this.log.info(line);
    else this.log.batch.write(lines);
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
    this.flush();
    const elapsed = this.clock.monotonic() - query.received;
    const line = rule.format(query, reply, elapsed);
    if (this.log.infoWith === undefined) this.log.info(line);
    else this.log.infoWith(line, rule.fields(query, reply, elapsed));
  }
}

const isPartial = ({ classes }: LogRule): boolean => classes !== undefined;
