import type { Seconds } from '../lib/units.js';
import type { Handler } from './handler.js';

/** Where a service of a cluster can be reached from outside, at one of its ports. */
export interface ExternalTarget {
  /** An address in its canonical spelling, or the name of a load balancer. */
  readonly host: string;
  /** undefined where no port is declared. */
  readonly port: number | undefined;
  /** What it is called below a zone: `web.default`, of an endpoint `db-0.db.default`. */
  readonly label: string;
}

/** What a name below a zone is: targets, a name without any, or none. */
export type ExternalFinding = readonly ExternalTarget[] | 'no-data' | 'no-name';

/** A handler that knows the services of a cluster (asked by the `k8s_external` plugin). */
export interface ProvidesExternalServices {
  /** TTL of the cluster's records. */
  readonly externalTtl: Seconds;
  /** When something about the services outside changed last, in seconds since 1970; 0 before. */
  readonly externalSerial: Seconds;
  /**
   * What the labels before a zone stand for, the leftmost first and at least one: `[[PORT, PROTOCOL |] [ENDPOINT |]
   * SERVICE,] NAMESPACE`. With `headless`, services without any address of their own are their endpoints.
   */
  external(labels: readonly string[], headless: boolean): ExternalFinding;
  /** The labels of all names that `external` finds targets for, but for those of single ports without a name. */
  externalNames(headless: boolean): readonly (readonly string[])[];
  /** What the services with this outside address are called below a zone. */
  externalLabels(ip: string): readonly string[];
  /** Addresses at which this server can be reached from outside. */
  externalServers(headless: boolean): readonly string[];
}

export const hasExternalServices = (handler: Handler): handler is Handler & ProvidesExternalServices =>
  typeof (handler as Partial<ProvidesExternalServices>).external === 'function';
