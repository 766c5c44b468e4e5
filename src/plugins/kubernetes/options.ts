import { Zones, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { LabelSelector, LabelSelectorError } from '../../kube/objects/label-selector.js';
import { DEFAULT_LIMITS, type RateLimits } from '../../kube/api/rate-limiter.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { OriginOptions, type Origin } from '../../origin/options.js';
import type { Name } from '../../wire/index.js';
import { isReverseZone } from './name.js';

/**
 * `disabled`: no pod has a name. `insecure`: any address in a namespace that exists. `verified`: addresses that a pod
 * of the namespace has.
 */
export const POD_MODES = ['disabled', 'verified', 'insecure'] as const;
export type PodMode = (typeof POD_MODES)[number];

export interface KubernetesOptions {
  readonly zones: Zones;
  /** The zone that names of addresses end in: the first that is no reverse zone. */
  readonly primaryZone: Name;
  readonly origin: Origin;
  /** Namespaces whose objects are answered for; undefined for all. */
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly labels: LabelSelector | undefined;
  readonly namespaceLabels: LabelSelector | undefined;
  readonly pods: PodMode;
  readonly endpointPodNames: boolean;
  /** Of all records but `dns-version`; 0 to 3600. */
  readonly ttl: Seconds;
  readonly endpoints: boolean;
  /** Zones in which names that do not exist are asked further on. */
  readonly through: Zones;
  readonly ignoreEmpty: boolean;
  /** Names of headless services with a zone in them are answered. */
  readonly zonal: boolean;
  /** Those of `zones` whose names are of services of several clusters. */
  readonly multicluster: Zones;
  readonly startupTimeout: Milliseconds;
  /** File that the objects are saved to, and taken from while the API is away at the start. */
  readonly snapshot: string | undefined;
  readonly limits: RateLimits;
}

const DEFAULT_TTL: Seconds = 5;
const MAX_TTL: Seconds = 3600;
const DEFAULT_STARTUP: Milliseconds = 5000;
const NO_ZONES = new Zones([]);

const OPTIONS = [
  ...OriginOptions.NAMES,
  'namespaces',
  'namespace_labels',
  'labels',
  'pods',
  'endpoint_pod_names',
  'ttl',
  'noendpoints',
  'fallthrough',
  'ignore',
  'zonal',
  'multicluster',
  'startup_timeout',
  'snapshot',
  'apiserver_qps',
  'apiserver_burst',
  'apiserver_max_inflight',
];

/** What is written so far. */
interface Draft {
  namespaces: Set<string>;
  labels: LabelSelector | undefined;
  namespaceLabels: LabelSelector | undefined;
  pods: PodMode;
  endpointPodNames: boolean;
  ttl: Seconds;
  endpoints: boolean;
  through: Zones;
  ignoreEmpty: boolean;
  zonal: boolean;
  multicluster: Zones;
  startupTimeout: Milliseconds;
  snapshot: string | undefined;
  limits: RateLimits;
}

/**
 * Reads the directive. Throws a CorefileError at the line that cannot be used; what is only of no effect is warned
 * about.
 */
export function readOptions(directive: Directive, block: Block): KubernetesOptions {
  const zones = block.zonesOf(directive.args, directive);
  const primaryZone = zones.list.find((zone) => !isReverseZone(zone));
  if (primaryZone === undefined)
    directive.fail(
      `got ${zones.list.map((zone) => `'${zone}'`).join(' ')}, allowed: at least one zone that is no reverse zone`,
    );
  const draft: Draft = {
    namespaces: new Set(),
    labels: undefined,
    namespaceLabels: undefined,
    pods: 'disabled',
    endpointPodNames: false,
    ttl: DEFAULT_TTL,
    endpoints: true,
    through: NO_ZONES,
    ignoreEmpty: false,
    zonal: false,
    multicluster: NO_ZONES,
    startupTimeout: DEFAULT_STARTUP,
    snapshot: undefined,
    limits: DEFAULT_LIMITS,
  };
  const origin = new OriginOptions();
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (!origin.take(option) && !readChoice(option, draft) && !readPacing(option, draft)) refuse(option);
  }
  if (draft.namespaces.size > 0 && draft.namespaceLabels !== undefined)
    directive.fail('got both namespaces and namespace_labels, allowed: one of them');
  const foreign = draft.multicluster.list.find((zone) => !zones.list.includes(zone));
  if (foreign !== undefined)
    directive.fail(`got multicluster zone '${foreign}', allowed: ${zones.list.map((zone) => `'${zone}'`).join(', ')}`);
  if (draft.zonal && !draft.endpoints) directive.fail('got both zonal and noendpoints, allowed: one of them');
  const { namespaces, ...rest } = draft;
  if (origin.areManifests && draft.snapshot !== undefined)
    directive.fail('got both manifests and snapshot, allowed: one of them; files are there from the start');
  return {
    ...rest,
    zones,
    primaryZone,
    namespaces: namespaces.size > 0 ? namespaces : undefined,
    origin: origin.origin(block.logger('kubernetes')),
  };
}

/** Options that CoreDNS had once, and what to do about them. */
const GONE: Readonly<Record<string, string>> = {
  autopath: 'the plugin autopath took its place: autopath @kubernetes',
  resyncperiod: 'changes are watched; take it out',
  transfer: 'the plugin transfer took its place',
  upstream: 'aliases are looked up by the server itself; take it out',
};

function refuse(option: Option): never {
  const why = Object.hasOwn(GONE, option.name) ? GONE[option.name] : undefined;
  return why === undefined ? option.unknown(OPTIONS) : option.fail(`it is none of CoreDNS any more: ${why}`);
}

function readChoice(option: Option, draft: Draft): boolean {
  switch (option.name) {
    case 'namespaces':
      option.argCount(1, Infinity, 'namespaces NAMESPACE...');
      for (const namespace of option.args) draft.namespaces.add(namespace);
      return true;
    case 'labels':
      draft.labels = selector(option);
      return true;
    case 'namespace_labels':
      draft.namespaceLabels = selector(option);
      return true;
    case 'pods':
      draft.pods = option.oneOf(option.one('pods MODE'), POD_MODES);
      return true;
    case 'endpoint_pod_names':
      option.flag();
      draft.endpointPodNames = true;
      return true;
    case 'noendpoints':
      option.flag();
      draft.endpoints = false;
      return true;
    case 'fallthrough':
      draft.through = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
      return true;
    case 'ignore':
      option.oneOf(option.one('ignore empty_service'), ['empty_service']);
      draft.ignoreEmpty = true;
      return true;
    case 'multicluster':
      draft.multicluster = new Zones(option.zones(option.args));
      return true;
    case 'zonal':
      option.flag();
      draft.zonal = true;
      return true;
    default:
      return false;
  }
}

function readPacing(option: Option, draft: Draft): boolean {
  switch (option.name) {
    case 'ttl':
      draft.ttl = option.integer(option.one('ttl SECONDS'), { min: 0, max: MAX_TTL });
      return true;
    case 'snapshot':
      draft.snapshot = option.one('snapshot FILE');
      return true;
    case 'startup_timeout':
      draft.startupTimeout = option.duration(option.one('startup_timeout DURATION'), { min: 0 });
      return true;
    case 'apiserver_qps':
      draft.limits = { ...draft.limits, qps: option.decimal(option.one('apiserver_qps QPS'), { min: 0.01 }) };
      return true;
    case 'apiserver_burst':
      draft.limits = { ...draft.limits, burst: option.integer(option.one('apiserver_burst BURST'), { min: 1 }) };
      return true;
    case 'apiserver_max_inflight':
      draft.limits = {
        ...draft.limits,
        maxInFlight: option.integer(option.one('apiserver_max_inflight MAX'), { min: 1 }),
      };
      return true;
    default:
      return false;
  }
}

function selector(option: Option): LabelSelector {
  option.argCount(1, Infinity, `${option.name} EXPRESSION`);
  try {
    return LabelSelector.parse(option.args.join(' '));
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    return option.fail(error.message);
  }
}
