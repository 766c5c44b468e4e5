import type { ServerResponse } from 'node:http';
import { repeat } from '../../lib/clock.js';
import type { Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Flow } from '../../observe/hubble/flow.js';
import type { Lab } from '../lab.js';
import { entityOfServer } from '../explain/explain-lookup.js';
import { namedBy } from '../explain/service-address.js';
import type { ServerSpan } from '../trace/tracer.js';
import type { ClusterView, FlowView, VisitView } from './api.js';
import { dnsOf } from './dns-of-packet.js';
import { EventStream } from './event-stream.js';
import { Entities } from './entities.js';
import { Samples } from './samples.js';

/** Time between two rounds of news, in milliseconds, and how many flows and visits one round reports. */
export const ROUND: Milliseconds = 250;
export const PER_ROUND = 120;
/** Looking at the cluster takes at most one part of so many of the time. */
const SHARE = 20;

export interface LiveOptions {
  readonly view: () => ClusterView;
  /** Processor time of this process, in milliseconds. */
  readonly cpu: () => Milliseconds;
}

/** Keeps the newest of what happens between two rounds. */
class RecentItems<Item> {
  private items: Item[] = [];
  private seen = 0;

  push(item: Item): void {
    this.seen++;
    this.items.push(item);
    if (this.items.length >= 2 * PER_ROUND) this.items = this.items.slice(-PER_ROUND);
  }

  /** What is kept, and how many are not; empty afterwards. */
  take(): { readonly items: readonly Item[]; readonly left: number } {
    const items = this.items.slice(-PER_ROUND);
    const left = this.seen - items.length;
    this.items = [];
    this.seen = 0;
    return { items, left };
  }
}

/**
 * Reports to open pages, in rounds, what happens in a lab. While no page is open, only the samples are kept.
 */
export class Live {
  private readonly stream: EventStream;
  private readonly samples: Samples;
  private readonly flows = new RecentItems<Flow>();
  private readonly visits = new RecentItems<ServerSpan>();
  private readonly parts: Entities;
  private readonly disposers: readonly (() => void)[];
  /** Runs while a page is open. */
  private rounds: Timer | undefined;
  /** The cluster as it was reported last, and when it is looked at next (monotonic time). */
  private told = '';
  private lookAgain: Milliseconds = 0;

  constructor(
    private readonly lab: Lab,
    private readonly options: LiveOptions,
  ) {
    const { clock } = lab;
    this.parts = new Entities(lab);
    this.samples = new Samples({ clock, packets: () => lab.world.sent, cpu: options.cpu }, (sample) =>
      this.stream.send('samples', [sample]),
    );
    this.stream = new EventStream(() => ({ cluster: options.view(), samples: this.samples.list() }));
    this.disposers = [
      lab.tracer.follow((visit) => {
        this.samples.count(visit);
        if (this.stream.size > 0) this.visits.push(visit);
      }),
      lab.hubble.onFlow((flow) => {
        if (this.stream.size > 0) this.flows.push(flow);
      }),
      () => this.rounds?.cancel(),
      () => this.samples.close(),
      () => this.stream.close(),
    ];
  }

  /** Takes an open page on; false when there are too many. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): boolean {
    const taken = this.stream.add(response, headers);
    if (taken) this.rounds ??= repeat(this.lab.clock, ROUND, () => this.round());
    return taken;
  }

  close(): void {
    this.disposers.forEach((dispose) => dispose());
  }

  private round(): void {
    this.stream.round();
    if (this.stream.size === 0) {
      this.rounds?.cancel();
      this.rounds = undefined;
      return;
    }
    this.reportCluster();
    const flows = this.flows.take();
    if (flows.items.length > 0)
      this.stream.send('flows', { flows: flows.items.map((flow) => this.flowView(flow)), left: flows.left });
    const visits = this.visits.take();
    if (visits.items.length > 0)
      this.stream.send('visits', { visits: visits.items.map((visit) => this.visitView(visit)), left: visits.left });
  }

  /** A large cluster takes time to look at: it is looked at so rarely that it takes little of all. */
  private reportCluster(): void {
    const { clock } = this.lab;
    const started = clock.monotonic();
    if (started < this.lookAgain) return;
    const view = this.options.view();
    const text = JSON.stringify(view);
    if (text !== this.told) {
      this.told = text;
      this.stream.send('cluster', view);
    }
    const ended = clock.monotonic();
    this.lookAgain = ended + SHARE * (ended - started);
  }

  private flowView({
    event,
    time,
    node,
    source,
    destination,
    protocol,
    point,
    verdict,
    isReply,
    summary,
  }: Flow): FlowView {
    const dns = event.kind === 'sock' ? undefined : dnsOf(event.packet);
    return {
      seq: event.seq,
      time,
      node,
      source: this.parts.peer(source.ip, source.port, node),
      destination: this.parts.peer(destination.ip, destination.port, node),
      protocol,
      point,
      verdict,
      ...(isReply !== undefined && { reply: isReply }),
      summary,
      ...(dns && { dns }),
    };
  }

  private visitView(visit: ServerSpan): VisitView {
    const { server, name, type, transport, answeredBy, rcode } = visit;
    const from = this.parts.askerOf(visit);
    const [, namespace = '', pod = ''] = /^pod\/([^/]+)\/(.+)$/.exec(from ?? '') ?? [];
    const caller = this.lab.kubelet.get(namespace, pod)?.model;
    const named = caller && namedBy(caller, visit, this.lab);
    const by = named === undefined ? undefined : this.lab.world.services.ownerOfAddress(named);
    return {
      server: entityOfServer(server),
      ...(from !== undefined && { from }),
      ...(by !== undefined && { by: `service/${by}` }),
      name,
      type,
      transport,
      hit: answeredBy === 'cache',
      result: rcode ?? 'no answer',
    };
  }
}
