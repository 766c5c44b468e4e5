import type { Transport } from '../../chain/index.js';
import type { Reason } from '../../insight/explain/reasons.js';

/** Id of an entity: `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME`, `host/NAME` or `node/NAME`. */
export type EntityId = string;

/** One thing that happened to a query on its way. */
export interface Hop {
  /** `translation`: what an address was taken for. `visit`: a server had the query. */
  readonly kind: 'translation' | 'visit';
  /** Servers between the pod and this one: 0 for the server that the pod itself asks. */
  readonly depth: number;
  /** Where it happened; undefined for an address that belongs to no entity. */
  readonly at: EntityId | undefined;
  /** A local redirect policy sends queries for this service to another backend. */
  readonly redirect?: boolean;
  /** Of a visit. */
  readonly transport?: Transport;
  /** `disabled`: a server's cache keeps no such replies for the name. */
  readonly cache?: 'hit' | 'miss' | 'disabled' | 'none';
  readonly plugin?: string;
  /** Questions that the server asked itself, such as for the target of an ExternalName. */
  readonly asks?: readonly { readonly name: string; readonly type: string; readonly result: string }[];
  readonly result?: string;
  /** Milliseconds in the server. */
  readonly time?: number;
  /** In words, without a full stop. */
  readonly text: string;
}

/** One query of a lookup. */
export interface ExplainedQuery {
  readonly type: string;
  readonly protocol: 'udp' | 'tcp';
  /** Address that it was sent to. */
  readonly server: string;
  /** `NOERROR`, `NODATA`, `NXDOMAIN`, `timeout`, ... */
  readonly result: string;
  /** Milliseconds from the start of the lookup, and until its end. */
  readonly started: number;
  readonly time: number;
  readonly text: string;
  /** `www.example. is an alias of web.example.`. */
  readonly aliases: readonly string[];
  /** What went wrong, and what to do about it. */
  readonly reasons: readonly Reason[];
  /** The backend that it went to, where no server took it. */
  readonly chosen?: string;
  readonly hops: readonly Hop[];
}

/** A name that was tried, and why. */
export interface ExplainedStep {
  readonly name: string;
  /** `search cluster.local`, `the name as it stands`, `an alias`. */
  readonly why: string;
  readonly queries: readonly ExplainedQuery[];
}

/** One lookup of a pod, hop by hop. Plain data. */
export interface Explanation {
  readonly pod: {
    readonly id: EntityId;
    readonly namespace: string;
    readonly name: string;
    readonly ip: string;
    readonly node: string;
  };
  readonly asked: string;
  readonly profile: string;
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly steps: readonly ExplainedStep[];
  readonly addresses: readonly string[];
  /** Whether an address was found. */
  readonly found: boolean;
  /** The name's addresses, or the error. */
  readonly outcome: string;
  /** What went wrong at any of its queries, each once. */
  readonly reasons: readonly Reason[];
  /** `time` in milliseconds; `packets` as the resolver's cost counts them. */
  readonly cost: {
    readonly queries: number;
    readonly packets: number;
    readonly sockets: number;
    readonly visits: number;
    readonly time: number;
  };
}
