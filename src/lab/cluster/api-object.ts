import type { RawObject } from '../../kube/objects/raw.js';
import type { Milliseconds } from '../../lib/units.js';

/** An object of the cluster's API as it was given, and when. */
export interface ApiObject {
  readonly kind: string;
  /** Empty for kinds above namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly raw: RawObject;
  readonly created: Milliseconds;
}
