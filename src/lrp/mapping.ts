import { ipFamily } from '../lib/cidr.js';
import { byText } from '../lib/order.js';
import type { L4Protocol } from '../datapath/loadbalancer/service.js';
import type { LocalRedirectPolicy, PortInfo } from './policy.js';
import { selects } from './selector.js';

/** A pod as a policy looks at it: those of one node, in the policy's namespace. */
export interface CandidatePod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly ips: readonly string[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** Its network namespace, to except its own traffic. */
  readonly netns: string;
}

/** An address and port that a policy may redirect. `portName` is the service's, or the policy's own for an address. */
export interface CandidateFrontend {
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly portName: string;
}

export interface LocalBackend {
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  /** `namespace/name` of the pod. */
  readonly pod: string;
}

/** What becomes of one frontend port. */
export interface FrontendStatus extends CandidateFrontend {
  readonly redirected: boolean;
  /** Why it is not; undefined when it is. */
  readonly reason: string | undefined;
  readonly backends: readonly LocalBackend[];
}

/**
 * Which rules map ports. `1.18`: a service port is taken by number if the policy lists ports, its name must be among
 * several
 * backend ports, and the pod must declare the backend's port by number and protocol (and by name among several).
 * `1.17`: with one port neither names nor declared ports matter; with several the name must be in both lists and on
 * the pod,
 * and the policy's number is used whatever the pod's is.
 */
export type MappingRules = '1.17' | '1.18';

/** Pods of the node that the policy selects, ready or not. */
export const selectedPods = (policy: LocalRedirectPolicy, pods: readonly CandidatePod[]): readonly CandidatePod[] =>
  pods.filter((pod) => pod.namespace === policy.namespace && selects(policy.selector, pod.labels));

/** Maps one frontend. `total` is the number of ports of the service or address. */
export function mapFrontend(
  policy: LocalRedirectPolicy,
  frontend: CandidateFrontend,
  total: number,
  pods: readonly CandidatePod[],
  rules: MappingRules,
): FrontendStatus {
  const refused = (reason: string): FrontendStatus => ({ ...frontend, redirected: false, reason, backends: [] });
  const listed = policy.frontend.ports;
  if (listed.length > 0 && !listed.some((port) => port.port === frontend.port && port.protocol === frontend.protocol)) {
    return refused(`port ${frontend.port}/${frontend.protocol} is not listed in the policy's frontend`);
  }
  const entry = backendPort(policy, frontend, total, rules);
  if (!entry) return refused(`no backend port named ${nameOf(policy, frontend, rules)}`);
  if (entry.protocol !== frontend.protocol)
    return refused(`backend port ${entry.port} is ${entry.protocol}, the frontend is ${frontend.protocol}`);
  const chosen = selectedPods(policy, pods);
  if (chosen.length === 0) return refused('no local pod is selected');
  const ready = chosen.filter((pod) => pod.ready);
  if (ready.length === 0) return refused('no selected local pod is ready');
  const declaring = ready.filter((pod) => declares(pod, entry, policy, total, rules));
  if (declaring.length === 0) return refused(`no ready local pod declares the port ${wanted(entry, policy, rules)}`);
  const family = ipFamily(frontend.ip);
  const backends = declaring.flatMap((pod) =>
    pod.ips
      .filter((ip) => ipFamily(ip) === family)
      .map((ip) => ({ ip, port: entry.port, protocol: entry.protocol, pod: `${pod.namespace}/${pod.name}` })),
  );
  if (backends.length === 0) return refused(`no ready local pod has an IPv${family} address`);
  return {
    ...frontend,
    redirected: true,
    reason: undefined,
    backends: backends.sort((a, b) => byText(a.pod, b.pod)),
  };
}

/**
 * The name under which a frontend port looks for its backend: the service port's, or the policy's own for addresses
 * and by 1.17 rules.
 */
function nameOf(policy: LocalRedirectPolicy, frontend: CandidateFrontend, rules: MappingRules): string {
  const own = policy.frontend.ports.find((port) => port.port === frontend.port && port.protocol === frontend.protocol);
  const name = own && (rules === '1.17' || policy.frontend.kind === 'address') ? own.name : frontend.portName;
  return name.toLowerCase() || '""';
}

const isNamed = (policy: LocalRedirectPolicy, total: number, rules: MappingRules): boolean =>
  rules === '1.18'
    ? policy.backendPorts.length > 1
    : policy.frontend.ports.length > 1 || (policy.frontend.ports.length === 0 && total > 1);

function backendPort(
  policy: LocalRedirectPolicy,
  frontend: CandidateFrontend,
  total: number,
  rules: MappingRules,
): PortInfo | undefined {
  if (!isNamed(policy, total, rules)) return policy.backendPorts[0];
  const name = nameOf(policy, frontend, rules);
  return policy.backendPorts.find((port) => port.name === name);
}

function declares(
  pod: CandidatePod,
  entry: PortInfo,
  policy: LocalRedirectPolicy,
  total: number,
  rules: MappingRules,
): boolean {
  if (rules === '1.17')
    return !isNamed(policy, total, rules) || pod.ports.some((port) => port.name.toLowerCase() === entry.name);
  const named = policy.backendPorts.length > 1;
  return pod.ports.some(
    (port) =>
      port.port === entry.port &&
      port.protocol === entry.protocol &&
      (!named || port.name.toLowerCase() === entry.name),
  );
}

const wanted = (entry: PortInfo, policy: LocalRedirectPolicy, rules: MappingRules): string =>
  rules === '1.17'
    ? entry.name
    : `${entry.port}/${entry.protocol}${policy.backendPorts.length > 1 ? ` as ${entry.name}` : ''}`;
