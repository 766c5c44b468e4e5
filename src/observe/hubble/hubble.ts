import type { World } from '../../datapath/world.js';
import type { Milliseconds } from '../../lib/units.js';
import { humanDuration } from '../kubectl/human-duration.js';
import { KUBECTL_TABLE, layOut } from '../table.js';
import { flowOf } from './flow.js';
import type { Flow } from './flow.js';
import type { FilterContext } from './filter.js';
import { FlowPrinter } from './format.js';
import type { JsonContext } from './json.js';
import { parseHubbleArgs } from './options.js';
import type { HubbleOptions } from './options.js';
import { FlowRing } from './flow-ring.js';

/** Flows that each node keeps (hubble-event-buffer-capacity). */
export const BUFFER_CAPACITY = 4095;

export interface HubbleSettings {
  /** Flows kept per node. Default 4095. */
  readonly capacity?: number;
  /** Told of each flow that is kept, for metrics. */
  readonly onFlow?: (flow: Flow) => void;
  readonly workloads?: JsonContext['workloads'];
}

/**
 * Hubble: keeps the newest flows of each node and shows them as `hubble observe` through the relay does, merged by
 * time.
 */
export class Hubble {
  private readonly rings = new Map<string, FlowRing>();
  private readonly followers = new Set<(flow: Flow) => void>();
  private readonly unsubscribe: () => void;
  private readonly capacity: number;
  private seen = 0;
  private startedAt: Milliseconds | undefined;

  constructor(
    private readonly world: World,
    private readonly now: () => Milliseconds,
    private readonly settings: HubbleSettings = {},
  ) {
    this.capacity = settings.capacity ?? BUFFER_CAPACITY;
    this.unsubscribe = world.events.subscribe((event) => {
      const flow = flowOf(event);
      if (flow) this.take(flow);
    });
  }

  /** `hubble observe ARGS` without -f: its lines. Throws an OptionError. */
  observe(args: readonly string[] = []): string[] {
    const options = this.options(args);
    return this.printer(options).lines(this.select(options));
  }

  /**
   * `hubble observe -f ARGS`: hands over each line as its flow happens, after the newest ones that `--last` asks for.
   * Returns the
   * function that ends it. Throws an OptionError.
   */
  follow(args: readonly string[], onLine: (line: string) => void): () => void {
    const options = this.options(args.includes('-f') || args.includes('--follow') ? args : [...args, '--follow']);
    const printer = this.printer(options);
    const show = (flows: readonly Flow[]): void => printer.lines(flows).forEach(onLine);
    if (options.last !== undefined || options.since !== undefined) show(this.select(options));
    return this.onFlow((flow) => {
      if (wanted(flow, options)) show([flow]);
    });
  }

  /** Tells each flow as it happens; returns the function that ends it. */
  onFlow(follower: (flow: Flow) => void): () => void {
    this.followers.add(follower);
    return () => void this.followers.delete(follower);
  }

  /** The flows that the options ask for, in order of time. Limits count per node, as through the relay. */
  select(options: Pick<HubbleOptions, 'allow' | 'deny' | 'first' | 'last' | 'since' | 'until'>): Flow[] {
    const perNode = [...this.rings.values()].map((ring) => {
      const flows = ring.list().filter((flow) => wanted(flow, options));
      if (options.first !== undefined) return flows.slice(0, options.first);
      return options.last === undefined ? flows : options.last === 0 ? [] : flows.slice(-options.last);
    });
    return perNode.flat().sort((a, b) => a.time - b.time || a.event.seq - b.event.seq);
  }

  /** The lines of `hubble status`. */
  status(): string[] {
    const held = [...this.rings.values()].reduce((sum, ring) => sum + ring.size, 0);
    const nodes = this.world.cluster.nodes.size;
    const max = nodes * this.capacity;
    const elapsed = Math.max(1, this.now() - (this.startedAt ?? this.now())) / 1000;
    const percent = max === 0 ? 0 : (100 * held) / max;
    return [
      'Healthcheck (via localhost:4245): Ok',
      `Current/Max Flows: ${grouped(held)}/${grouped(max)} (${percent.toFixed(2)}%)`,
      `Flows/s: ${(this.seen / elapsed).toFixed(2)}`,
      `Connected Nodes: ${nodes}/${nodes}`,
    ];
  }

  /** The rows of `hubble list nodes`: name, state, uptime, flows a second, flows held of how many. */
  listNodes(): string[] {
    const elapsed = Math.max(1, this.now() - (this.startedAt ?? this.now())) / 1000;
    const rows = [...this.world.cluster.nodes.keys()].map((name) => {
      const held = this.rings.get(name)?.size ?? 0;
      const percent = ((100 * held) / this.capacity).toFixed(2);
      return [
        name,
        'Connected',
        humanDuration(elapsed * 1000),
        (held / elapsed).toFixed(2),
        `${grouped(held)}/${grouped(this.capacity)} (${percent.padStart(6)}%)`,
      ];
    });
    return layOut([['NAME', 'STATUS', 'AGE', 'FLOWS/S', 'CURRENT/MAX-FLOWS'], ...rows], KUBECTL_TABLE);
  }

  /** Stops listening; what is kept stays readable. */
  close(): void {
    this.unsubscribe();
  }

  private options(args: readonly string[]): HubbleOptions {
    return parseHubbleArgs(args, this.now(), this.filterContext());
  }

  private printer(options: HubbleOptions): FlowPrinter {
    return new FlowPrinter(options, this.jsonContext());
  }

  private take(flow: Flow): void {
    let ring = this.rings.get(flow.node);
    if (!ring) this.rings.set(flow.node, (ring = new FlowRing(this.capacity)));
    ring.push(flow);
    this.seen++;
    this.startedAt ??= flow.time;
    this.settings.onFlow?.(flow);
    for (const follower of [...this.followers]) follower(flow);
  }

  private filterContext(): FilterContext {
    return {
      services: () =>
        this.world.services
          .specs()
          .map(({ namespace, name, clusterIPs }) => ({ namespace, name, addresses: clusterIPs })),
    };
  }

  private jsonContext(): JsonContext {
    return {
      clusterName: this.world.config.clusterName,
      workloads: this.settings.workloads,
      service: (ip) => {
        const [namespace, name] = this.world.services.ownerOfAddress(ip)?.split('/') ?? [];
        return namespace === undefined || name === undefined ? undefined : { namespace, name };
      },
      translatedSource: ({ event, node }) => {
        if (event.kind !== 'trace' || event.point !== 'to-network') return undefined;
        const { src, sport, dst, dport, protocol } = event.packet;
        const table = this.world.cluster.nodes.get(node)?.nat.list() ?? [];
        return table.find(
          (one) =>
            one.protocol === protocol &&
            one.src === src &&
            one.sport === sport &&
            one.dst === dst &&
            one.dport === dport,
        )?.toIp;
      },
    };
  }
}

function wanted(
  flow: Flow,
  { allow, deny, since, until }: Pick<HubbleOptions, 'allow' | 'deny' | 'since' | 'until'>,
): boolean {
  if ((since !== undefined && flow.time < since) || (until !== undefined && flow.time > until)) return false;
  return allow.matches(flow) && (deny.isEmpty || !deny.matches(flow));
}

/** 8190 as `8,190`. */
const grouped = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
