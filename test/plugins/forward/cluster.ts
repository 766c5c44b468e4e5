import { Reply, type Next, type Outcome, type Query } from '../../../src/chain/index.js';
import { forward } from '../../../src/plugins/forward/setup.js';
import { setup, type TestBlock } from '../../support/block.js';
import { query, summary, type QuestionOptions } from '../../support/dns.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';
import { FakeUpstream } from '../../support/fake-upstream.js';

/** A block with forward directives, and the upstreams 10.0.0.1, 10.0.0.2 and 10.0.0.3 as far as they are started. */
export class Cluster {
  readonly block: TestBlock;
  readonly network = new FakeNetwork();
  readonly servers: FakeUpstream[] = [];
  private readonly asker: (query: Query, next?: Next) => Outcome | Promise<Outcome>;

  constructor(text: string, files: Record<string, string> = {}) {
    const { block, ask } = setup(forward, text, { network: this.network, files });
    this.block = block;
    this.asker = ask;
    this.network.clock = block.clock;
  }

  /** Starts the upstreams with these last numbers of their addresses. */
  async start(...numbers: number[]): Promise<this> {
    for (const number of numbers)
      this.servers[number] = await new FakeUpstream(this.network, { address: `10.0.0.${number}`, port: 53 }).start();
    return this;
  }

  /** What was asked and what came of it; `outcome` stays 'pending' until then. */
  ask(name = 'www.example.org.', type = 'A', options: QuestionOptions = {}, next?: Next): Answered {
    return this.watch(query(name, type, options), next);
  }

  /** As `ask`, of a query that is made already. */
  watch(made: Query, next?: Next): Answered {
    const answered: Answered = { outcome: 'pending', took: -1, cause: undefined, extended: [] };
    const start = this.block.clock.monotonic();
    void Promise.resolve(this.asker(made, next)).then(
      (outcome) => {
        answered.outcome = (summary(outcome) as { rcode?: string }).rcode ?? 'drop';
        answered.summary = summary(outcome);
        answered.cause = outcome instanceof Reply ? outcome.cause?.message : undefined;
        if (outcome instanceof Reply)
          answered.extended = (outcome.edns?.options ?? []).map(({ data }) => (data[0]! << 8) | data[1]!);
        answered.took = this.block.clock.monotonic() - start;
      },
      (fault: Error) => (answered.outcome = `fault: ${fault.message}`),
    );
    return answered;
  }

  /** Asks without looking at what comes of it. */
  send(asked: Query): void {
    void Promise.resolve(this.asker(asked));
  }

  elapse(time: number): Promise<void> {
    return elapse(this.block.clock, time);
  }

  /** Queries over UDP and TCP that each upstream got, without health checks. */
  counts(): Record<string, { udp: number; tcp: number }> {
    return Object.fromEntries(
      Object.entries(this.servers).map(([number, server]) => {
        const of = (protocol: string): number =>
          server.seen.filter((asked) => asked.protocol === protocol && asked.message.question[0]!.type !== 2).length;
        return [number, { udp: of('udp'), tcp: of('tcp') }];
      }),
    );
  }

  /** The lines of a scrape that match. That somebody looks changes nothing. */
  async metrics(pattern: RegExp): Promise<string[]> {
    await this.block.metrics.text();
    return (await this.block.metrics.text()).split('\n').filter((line) => pattern.test(line));
  }
}

export interface Answered {
  outcome: string;
  /** Milliseconds until the outcome. */
  took: number;
  cause: string | undefined;
  /** Codes of extended DNS errors (RFC 8914). */
  extended: number[];
  summary?: unknown;
}
