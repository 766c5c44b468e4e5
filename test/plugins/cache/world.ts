import type { Cache } from '../../../src/plugins/cache/handler.js';
import { cache } from '../../../src/plugins/cache/setup.js';
import type { Next, Outcome, Query, Reply } from '../../../src/chain/index.js';
import { setup, type TestBlock, type TestBlockOptions } from '../../support/block.js';
import { query, reply, summary, type QuestionOptions } from '../../support/dns.js';

/** A cache, its clock, and a scripted chain behind it whose queries are kept. */
export class World {
  readonly block: TestBlock;
  readonly handler: Cache;
  readonly asked: Query[] = [];
  private readonly asking: (query: Query, next?: Next) => Outcome | Promise<Outcome>;

  /** @param answer what the chain behind the cache returns; may be exchanged at any time */
  constructor(
    corefile: string,
    public answer: Next = () => reply(),
    options: TestBlockOptions = {},
  ) {
    const { block, handlers, ask } = setup(cache, corefile, options);
    this.block = block;
    this.handler = handlers[0] as Cache;
    this.asking = ask;
  }

  question(name: string, type = 'A', options: QuestionOptions = {}): Query {
    return query(name, type, { received: this.block.clock.monotonic(), ...options });
  }

  /** Asks through the cache; the outcome as it is, plain or promised. */
  ask(asked: Query): Outcome | Promise<Outcome> {
    return this.asking(asked, (passed) => {
      this.asked.push(passed);
      return this.answer(passed);
    });
  }

  /** Asks, and lets what goes on in the background come to an end. */
  async reply(name: string, type = 'A', options: QuestionOptions = {}): Promise<Outcome> {
    const outcome = await this.ask(this.question(name, type, options));
    await this.settle();
    return outcome;
  }

  async summary(name: string, type = 'A', options: QuestionOptions = {}): Promise<ReturnType<typeof summary>> {
    return summary(await this.reply(name, type, options));
  }

  /** The TTL that every record of the answer has. */
  async ttl(name: string, type = 'A', options: QuestionOptions = {}): Promise<number> {
    const { sections } = (await this.reply(name, type, options)) as Reply;
    const ttls = new Set(
      [...sections.answer, ...sections.authority, ...sections.additional].map((record) => record.ttl),
    );
    if (ttls.size !== 1) throw new Error(`TTLs ${[...ttls].join(', ')}, expected one`);
    return [...ttls][0]!;
  }

  seconds(count: number): void {
    this.block.clock.advance(count * 1000);
  }

  settle(): Promise<void> {
    return this.block.clock.advanceAsync(0);
  }

  /**
   * The value of a series of the cache's, such as `hits_total{type="success"}`; undefined where it is not in the
   * scrape.
   */
  async metric(name: string): Promise<number | undefined> {
    const [, family, type] = /^(\w+)(?:\{type="(\w+)"\})?$/.exec(name)!;
    const lines = (await this.block.metrics.text()).split('\n');
    const line = lines.find(
      (text) => text.startsWith(`coredns_cache_${family}{`) && (type === undefined || text.includes(`type="${type}"`)),
    );
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }
}

export const SOA = 'example.org. 900 IN SOA ns1.example.org. hostmaster.example.org. 1 1800 900 604800 60';

/** Address records of the name asked for; the last octet counts the answers, and starts again after 255. */
export function counting(ttl: number): Next {
  let count = 0;
  return (asked) => reply({ answer: [`${asked.name} ${ttl} IN A 192.0.2.${++count % 256}`] });
}

export const fixed =
  (...parts: Parameters<typeof reply>): Next =>
  () =>
    reply(...parts);
