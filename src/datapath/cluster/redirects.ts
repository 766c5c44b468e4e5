import { requireIp, requirePort } from '../address.js';
import type { Node } from './node.js';
import { frontendKey } from '../loadbalancer/service.js';
import type { Backend, Frontend, L4Protocol } from '../loadbalancer/service.js';
import type { ServiceTable } from '../loadbalancer/service-table.js';

/** A frontend that a policy redirects on one node. */
export interface RedirectSpec {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly backends: readonly { readonly ip: string; readonly port: number; readonly protocol: L4Protocol }[];
  /** Network namespaces whose traffic is left alone (skipRedirectFromBackend). */
  readonly skipNetns?: readonly string[];
}

/**
 * Replaces all redirects of a node. A redirect of a service address keeps the service's number; one of another
 * address has
 * its own. Without redirects the services are as they were. Returns the backends that are gone, `ip` and `port`.
 */
export function replaceRedirects(
  node: Node,
  services: ServiceTable,
  specs: readonly RedirectSpec[],
): readonly Backend[] {
  const before = new Map(node.redirects);
  node.redirects.clear();
  for (const [i, spec] of specs.entries()) {
    const path = `redirects[${i}]`;
    const ip = requireIp(spec.ip, `${path}.ip`);
    const port = requirePort(spec.port, `${path}.port`);
    const key = frontendKey(ip, port, spec.protocol);
    const service = services.lookup(ip, port, spec.protocol);
    const old = before.get(key);
    const id = service?.id ?? (old && !services.ownsId(old.id) ? old.id : services.reserveId());
    node.redirects.set(key, {
      id,
      revNat: id,
      ip,
      port,
      protocol: spec.protocol,
      type: 'LocalRedirect',
      owner: service?.owner ?? spec.policy,
      portName: service?.portName ?? '',
      backends: spec.backends.map((backend) => ({
        ...backend,
        id: services.backendId(backend),
        node: node.name,
        state: 'active' as const,
      })),
      affinity: service?.affinity,
      localOnly: false,
      redirect: { policy: spec.policy, skipNetns: new Set(spec.skipNetns ?? []) },
    });
  }
  for (const [key, old] of before) if (!node.redirects.has(key) && !services.ownsId(old.id)) services.releaseId(old.id);
  return goneBackends([...before.values()], [...node.redirects.values()]);
}

/** The backends of the first list that the second does not have. */
export function goneBackends(before: readonly Frontend[], after: readonly Frontend[]): readonly Backend[] {
  const left = new Set(after.flatMap((frontend) => frontend.backends.map(addressOf)));
  const gone = new Map<string, Backend>();
  for (const frontend of before)
    for (const backend of frontend.backends) if (!left.has(addressOf(backend))) gone.set(addressOf(backend), backend);
  return [...gone.values()];
}

const addressOf = (backend: Backend): string => frontendKey(backend.ip, backend.port, backend.protocol);
