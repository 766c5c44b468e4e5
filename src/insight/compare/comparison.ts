import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { HEADER_SIZE, WireError, readQuestion, typeName } from '../../wire/index.js';
import type { ComparedServer } from './compared-server.js';
import { DIFFERENCES, differenceOf, type Difference, type DifferenceClass } from './difference.js';
import type { RecordedQuery } from './recorded-query.js';
import { byText } from '../../lib/order.js';

/** How two servers are asked. */
export interface CompareOptions {
  readonly clock: Clock;
  /** Queries a second; `recorded` for the pace of the recording, `max` for as fast as both answer. */
  readonly rate: number | 'recorded' | 'max';
  /** Queries under way at once, at most. */
  readonly inFlight: number;
  /** TTLs that differ by no more are equal. */
  readonly ttlSlack: Seconds;
  /** Differences that are neither told nor counted. */
  readonly ignore: readonly DifferenceClass[];
  /** Told from time to time how many queries are done. */
  readonly progress?: (done: number) => void;
  /** Ends the comparison early. */
  readonly signal?: AbortSignal;
}

/** A question whose answers differ. */
export interface DifferentQuestion extends Difference {
  /** `NAME TYPE`, and how it was sent where not over UDP. */
  readonly question: string;
  /** How often it was asked with this difference. */
  times: number;
}

/** What came out. */
export interface Comparison {
  asked: number;
  /** Answered alike. */
  equal: number;
  /** Answered by neither. */
  unanswered: number;
  /** Answered otherwise, and alike when asked again. */
  unsteady: number;
  /** Queries by what differs. */
  readonly counts: Map<DifferenceClass, number>;
  /** By class and question, as many as are kept. */
  readonly questions: Map<string, DifferentQuestion>;
  time: Milliseconds;
}

/** Questions with differences that are kept, each once. */
const MAX_QUESTIONS = 10_000;
/** How often what differs is asked again, to tell what comes and goes from what stays. */
const AGAIN = 2;
/** After so many queries without a wait, sockets and timers get their turn. */
const TURN = 500;

/** Asks both servers the same, and tells what they answer otherwise. */
export async function compare(
  queries: Iterable<RecordedQuery> | AsyncIterable<RecordedQuery>,
  old: ComparedServer,
  fresh: ComparedServer,
  options: CompareOptions,
): Promise<Comparison> {
  const { clock, signal } = options;
  const began = clock.monotonic();
  const run = new ComparisonRun(old, fresh, options);
  let first: Milliseconds | undefined;
  let started = 0;
  for await (const query of queries) {
    if (signal?.aborted) break;
    first ??= query.at;
    const due = dueAt(options.rate, started, query.at - first);
    const wait = began + due - clock.monotonic();
    if (wait >= 1) await sleep(clock, wait, signal).catch(() => undefined);
    else if (started % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve));
    if (run.underWay >= options.inFlight) await run.room();
    run.start(query);
    started++;
  }
  await run.finished();
  run.result.time = clock.monotonic() - began;
  return run.result;
}

const dueAt = (rate: CompareOptions['rate'], index: number, recorded: Milliseconds): Milliseconds =>
  rate === 'max' ? 0 : rate === 'recorded' ? recorded : (index * 1000) / rate;

class ComparisonRun {
  readonly result: Comparison = {
    asked: 0,
    equal: 0,
    unanswered: 0,
    unsteady: 0,
    counts: new Map(),
    questions: new Map(),
    time: 0,
  };
  underWay = 0;
  private waiting: (() => void) | undefined;
  private failed: { readonly error: unknown } | undefined;

  constructor(
    private readonly old: ComparedServer,
    private readonly fresh: ComparedServer,
    private readonly options: CompareOptions,
  ) {}

  start(query: RecordedQuery): void {
    this.underWay++;
    this.result.asked++;
    void this.one(query)
      .catch((error: unknown) => void (this.failed ??= { error }))
      .then(() => {
        this.underWay--;
        const { progress } = this.options;
        const done = this.result.asked - this.underWay;
        if (done % TURN === 0) progress?.(done);
        this.waiting?.();
      });
  }

  /** Resolves when a query is done. */
  room(): Promise<void> {
    this.throwFailure();
    return new Promise((resolve) => (this.waiting = resolve));
  }

  async finished(): Promise<void> {
    while (this.underWay > 0) await this.room();
    this.throwFailure();
  }

  private throwFailure(): void {
    if (this.failed !== undefined) throw this.failed.error;
  }

  private async one(query: RecordedQuery): Promise<void> {
    const { result } = this;
    const [a, b] = await Promise.all([this.old.ask(query), this.fresh.ask(query)]);
    let difference = this.differenceOf(a, b);
    if (difference === undefined) {
      if (a === undefined) result.unanswered++;
      else result.equal++;
      return;
    }
    for (let i = 0; i < AGAIN && difference !== undefined; i++) {
      const [again, freshAgain] = await Promise.all([this.old.ask(query), this.fresh.ask(query)]);
      difference = this.differenceOf(again, freshAgain);
    }
    if (difference === undefined) result.unsteady++;
    else this.count(query, difference);
  }

  private differenceOf(a: Uint8Array | undefined, b: Uint8Array | undefined): Difference | undefined {
    const difference = differenceOf(a, b, this.options.ttlSlack);
    return difference !== undefined && this.options.ignore.includes(difference.kind) ? undefined : difference;
  }

  private count(query: RecordedQuery, difference: Difference): void {
    const { counts, questions } = this.result;
    counts.set(difference.kind, (counts.get(difference.kind) ?? 0) + 1);
    const question = questionOf(query);
    const key = `${difference.kind} ${question}`;
    const known = questions.get(key);
    if (known !== undefined) known.times++;
    else if (questions.size < MAX_QUESTIONS) questions.set(key, { ...difference, question, times: 1 });
  }
}

function questionOf({ bytes, transport }: RecordedQuery): string {
  try {
    const { name, type } = readQuestion(bytes, HEADER_SIZE);
    return `${name} ${typeName(type)}${transport === 'tcp' ? ' over TCP' : ''}`;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return 'a question that cannot be read';
  }
}

/** Queries with a difference, all classes together. */
export const differing = ({ counts }: Comparison): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

/** Classes with their questions, the worst first. */
export const byClass = (
  comparison: Comparison,
): { kind: DifferenceClass; count: number; questions: DifferentQuestion[] }[] =>
  DIFFERENCES.flatMap((kind) => {
    const count = comparison.counts.get(kind) ?? 0;
    const questions = [...comparison.questions.values()]
      .filter((one) => one.kind === kind)
      .sort((a, b) => b.times - a.times || byText(a.question, b.question));
    return count === 0 ? [] : [{ kind, count, questions }];
  });
