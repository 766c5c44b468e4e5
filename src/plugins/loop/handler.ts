import { DROP, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { hostPort } from '../../lib/cidr.js';
import { Type, type Name } from '../../wire/index.js';

/** An arrival more than this is a loop, whatever the arrivals look like. */
const MAX_ARRIVALS = 2;

/**
 * Watches for the probe. It has to come in once; when it comes in from somewhere else as well, or more than twice,
 * the chain's upstreams lead back
 * here. All other queries pass.
 */
export class Loop implements Handler {
  readonly name = 'loop';
  readonly role = 'observes';
  readonly dependsOn = 'question';
  private off = false;
  private looping = false;
  private target = '';
  private arrivals = 0;
  private readonly sources = new Set<string>();
  private readonly ownPorts = new Set<number>();

  /** @param fatal told of a loop, once */
  constructor(
    readonly zone: Name,
    readonly qname: Name,
    private readonly fatal: (reason: string) => void,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.type !== Type.HINFO || (this.off && !this.looping) || query.name !== this.qname) return next(query);
    // Until the process has ended, copies of the probe would go round and multiply.
    if (this.looping) return DROP;
    // Made one with another that is under way, it would come round unseen.
    query.context.separate = true;
    const { address, port } = query.client.remote;
    const source = hostPort(address, port);
    this.arrivals++;
    this.sources.add(this.ownPorts.has(port) ? 'probe' : source);
    if (this.sources.size === 1 && this.arrivals <= MAX_ARRIVALS) return next(query);
    this.looping = true;
    this.fatal(
      `plugin/loop: Loop (${source} -> ${this.target}) detected for zone "${this.zone}", ` +
        `see "Troubleshooting" in the manual page of loop. Query: "HINFO ${this.qname}"`,
    );
    return DROP;
  }

  /** Starts counting for a probe that is sent to `target`. */
  expect(target: string): void {
    this.target = target;
    this.arrivals = 0;
    this.sources.clear();
  }

  /**
   * Tells the port that a probe is sent from. Through address translation it may arrive from another one, which then
   * counts as its source.
   */
  sentFrom(port: number): void {
    this.ownPorts.add(port);
  }

  /** Ends the watch for good: nobody shall end the process later by asking for the name. */
  disable(): void {
    this.off = true;
  }

  /** Whether there is nothing more to find out. */
  get done(): boolean {
    return this.off || this.looping;
  }
}
