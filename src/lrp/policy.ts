import type { L4Protocol } from '../datapath/loadbalancer/service.js';
import { NodensError } from '../lib/errors.js';
import type { Selector } from './selector.js';

/** A port of a policy. `name` is lower case; empty when none was given. */
export interface PortInfo {
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly name: string;
}

export type RedirectFrontend =
  | { readonly kind: 'address'; readonly ip: string; readonly ports: readonly PortInfo[] }
  /** No ports means all ports of the service. */
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly ports: readonly PortInfo[];
    };

/** A CiliumLocalRedirectPolicy (cilium.io/v2), read and checked. */
export interface LocalRedirectPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly frontend: RedirectFrontend;
  readonly selector: Selector;
  readonly backendPorts: readonly PortInfo[];
  readonly skipRedirectFromBackend: boolean;
  readonly description: string;
}

export const policyKey = (policy: Pick<LocalRedirectPolicy, 'namespace' | 'name'>): string =>
  `${policy.namespace}/${policy.name}`;

/** The FrontendType column of `cilium-dbg lrp list`. */
export function frontendTypeText(frontend: RedirectFrontend): string {
  if (frontend.kind === 'address') return frontend.ports.length > 1 ? 'IP + named ports' : 'IP + port';
  if (frontend.ports.length === 0) return 'clusterIP + all svc ports';
  return frontend.ports.length > 1 ? 'clusterIP + named ports' : 'clusterIP + port';
}

/** A policy that is not accepted. `path` names the field (`spec.redirectBackend.toPorts[0].port`). */
export class LrpError extends NodensError {
  constructor(
    readonly path: string,
    message: string,
  ) {
    super('NODENS_LRP', `${path}: ${message}`);
  }
}
