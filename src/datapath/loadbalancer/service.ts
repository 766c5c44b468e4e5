import type { Seconds } from '../../lib/units.js';

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
export type L4Protocol = 'UDP' | 'TCP';

export interface ServicePort {
  /** Empty for the only port of a service. */
  readonly name: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly nodePort?: number;
  /** Number in `cilium-dbg service list`; the next free one when left out. */
  readonly id?: number;
}

/** A Service as far as packets are concerned. */
export interface ServiceSpec {
  readonly namespace: string;
  readonly name: string;
  readonly type?: ServiceType;
  /** `None` (headless) or addresses; a headless service has no frontend. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly ServicePort[];
  /** sessionAffinity ClientIP: how long a client keeps its backend. */
  readonly affinity?: Seconds;
  /** internalTrafficPolicy Local: only backends of the client's node. */
  readonly localOnly?: boolean;
}

/**
 * `terminating` backends take new connections only when no active one is left; `quarantined` and `maintenance` ones
 * never.
 */
export type BackendState = 'active' | 'terminating' | 'quarantined' | 'maintenance';

/** One address and port behind a service port. */
export interface BackendSpec {
  readonly portName: string;
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly node?: string;
  readonly state?: BackendState;
}

export interface Backend {
  readonly id: number;
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly node?: string;
  readonly state: BackendState;
}

export type FrontendType = 'ClusterIP' | 'NodePort' | 'LocalRedirect';

/** An address that is translated. `revNat` is the number under which replies find back, the same as `id`. */
export interface Frontend {
  readonly id: number;
  readonly revNat: number;
  readonly ip: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  readonly type: FrontendType;
  /** `namespace/name` of the service, or of the policy for an address of its own. */
  readonly owner: string;
  readonly portName: string;
  readonly backends: readonly Backend[];
  readonly affinity: Seconds | undefined;
  readonly localOnly: boolean;
  /** Of a redirect: who does not get redirected, and which policy it is. */
  readonly redirect?: { readonly policy: string; readonly skipNetns: ReadonlySet<string> };
}

export const frontendKey = (ip: string, port: number, protocol: string): string => `${ip}:${port}/${protocol}`;

/** Order of `cilium-dbg service list`: by number. */
export const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id;
