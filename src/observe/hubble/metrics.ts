import { Metrics } from '../../metrics/metrics.js';
import type { Family, Value } from '../../metrics/metrics.js';
import type { Flow } from './flow.js';
import { dropName } from './json.js';
import { OptionError } from '../option-error.js';

/** Metrics that can be switched on, with the names of Hubble's option (hubble.metrics.enabled). */
export const HUBBLE_METRICS = ['dns', 'drop', 'tcp', 'flow'] as const;
export type HubbleMetric = (typeof HUBBLE_METRICS)[number];

/** Labels that say between whom something happened, as the option `labelsContext` names them. */
const CONTEXT_LABELS: Readonly<Record<string, (flow: Flow) => string>> = {
  source_ip: (flow) => flow.source.ip,
  source_pod: (flow) => flow.source.pod?.name ?? '',
  source_namespace: (flow) => flow.source.pod?.namespace ?? '',
  destination_ip: (flow) => flow.destination.ip,
  destination_pod: (flow) => flow.destination.pod?.name ?? '',
  destination_namespace: (flow) => flow.destination.pod?.namespace ?? '',
  traffic_direction: (flow) =>
    flow.isReply === undefined ? 'unknown' : (flow.point === 'to-endpoint') !== flow.isReply ? 'ingress' : 'egress',
};

interface MetricSpec {
  readonly name: HubbleMetric;
  readonly context: readonly string[];
}

/** Reads `dns:query;ignoreAAAA`, `flow:labelsContext=source_ip,source_pod`. Throws an OptionError. */
function parseMetric(text: string): MetricSpec {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const fail = (message: string): never => {
    throw new OptionError('hubble metrics', message);
  };
  if (!isMetric(name)) return fail(`unknown metric "${name}": want one of ${HUBBLE_METRICS.join(', ')}`);
  let context: readonly string[] = [];
  for (const option of colon < 0 ? [] : text.slice(colon + 1).split(';')) {
    if (option.startsWith('labelsContext=')) {
      context = option.slice('labelsContext='.length).split(/[,|]/);
      const wrong = context.find((label) => CONTEXT_LABELS[label] === undefined);
      if (wrong !== undefined)
        fail(
          `metric ${name}: unknown context label "${wrong}": want some of ${Object.keys(CONTEXT_LABELS).join(', ')}`,
        );
    } else if (name !== 'dns' || (option !== 'query' && option !== 'ignoreAAAA'))
      fail(`metric ${name}: unknown option "${option}"`);
  }
  return { name, context };
}

const isMetric = (name: string): name is HubbleMetric => (HUBBLE_METRICS as readonly string[]).includes(name);

type Count = (flow: Flow) => void;

/**
 * Hubble's metrics of one node, under the prefix `hubble`. `dns` counts what an L7 DNS proxy reports: the model has
 * none, as a cluster without L7 policy, so it counts nothing.
 */
export class HubbleMetrics {
  readonly metrics = new Metrics('hubble');
  private readonly counts: readonly Count[];

  /**
   * @param enabled as the option lists them, such as `['dns', 'drop', 'tcp', 'flow']`; throws an OptionError for what
   * is unknown
   */
  constructor(enabled: readonly string[] = HUBBLE_METRICS) {
    this.counts = enabled.map((text) => this.make(parseMetric(text)));
  }

  /** Counts a flow. */
  take(flow: Flow): void {
    for (const count of this.counts) count(flow);
  }

  /** The scrape. */
  text(): Promise<string> {
    return this.metrics.text();
  }

  private make(wanted: MetricSpec): Count {
    switch (wanted.name) {
      case 'dns':
        return () => undefined;
      case 'drop':
        return this.drop(wanted);
      case 'tcp':
        return this.tcp(wanted);
      case 'flow':
        return this.flow(wanted);
    }
  }

  private drop({ context }: MetricSpec): Count {
    const family = this.metrics.counter('', 'drop_total', 'Number of drops', [...context, 'reason', 'protocol']);
    return (flow) => {
      if (flow.verdict === 'DROPPED')
        add(family, context, flow, { reason: dropName(flow.subType, flow.point), protocol: protocolOf(flow) });
    };
  }

  /** Each TCP flag that a forwarded segment carries; SYN with ACK is one of its own. */
  private tcp({ context }: MetricSpec): Count {
    const family = this.metrics.counter('tcp', 'flags_total', 'TCP flag occurrences', [...context, 'flag', 'family']);
    return (flow) => {
      if (flow.event.kind !== 'trace' || !flow.event.packet.tcp) return;
      const { flags } = flow.event.packet.tcp;
      const names = [
        ...(flags.includes('FIN') ? ['FIN'] : []),
        ...(flags.includes('SYN') ? [flags.includes('ACK') ? 'SYN-ACK' : 'SYN'] : []),
        ...(flags.includes('RST') ? ['RST'] : []),
      ];
      for (const flag of names)
        add(family, context, flow, { flag, family: flow.source.ip.includes(':') ? 'IPv6' : 'IPv4' });
    };
  }

  private flow({ context }: MetricSpec): Count {
    const family = this.metrics.counter('', 'flows_processed_total', 'Total number of flows processed', [
      ...context,
      'type',
      'subtype',
      'verdict',
      'protocol',
    ]);
    return (flow) => {
      const [type, subtype] =
        flow.type === 'trace' ? ['Trace', flow.point] : flow.type === 'drop' ? ['Drop', ''] : ['TraceSock', ''];
      add(family, context, flow, { type, subtype, verdict: flow.verdict, protocol: protocolOf(flow) });
    };
  }
}

const protocolOf = ({ protocol, source }: Flow): string =>
  protocol === 'ICMP' ? `ICMPv${source.ip.includes(':') ? 6 : 4}` : protocol;

function add(
  family: Family<Value>,
  context: readonly string[],
  flow: Flow,
  labels: Readonly<Record<string, string>>,
): void {
  family
    .with({ ...labels, ...Object.fromEntries(context.map((label) => [label, CONTEXT_LABELS[label]!(flow)])) })
    .inc();
}
