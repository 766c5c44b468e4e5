import type { Transport } from '../../chain/index.js';
import type { Explanation, EntityId } from '../explain/explanation.js';

/** What the lab's web port and the page say to each other. Plain data, times in milliseconds. */
export type { ExplainedQuery, ExplainedStep, Explanation, Hop, EntityId } from '../explain/explanation.js';

export interface NodeView {
  readonly id: EntityId;
  readonly name: string;
  readonly ip: string;
  /** Addresses of the node's own devices. */
  readonly addresses: readonly string[];
}

export interface PodView {
  readonly id: EntityId;
  readonly namespace: string;
  readonly name: string;
  /** The Deployment or DaemonSet that it belongs to; its own name where there is none. */
  readonly workload: string;
  readonly node: string;
  readonly ip: string;
  readonly hostNetwork: boolean;
  /** What runs in it: `dns`, `node-cache`, `web` or `idle`. */
  readonly kind: string;
  readonly state: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** What was done to it: its program hangs, packets to it are dropped. */
  readonly faults: readonly ('hangs' | 'drops packets')[];
  /** Its DNS port on the real machine. */
  readonly port?: number;
}

export interface HostView {
  readonly id: EntityId;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly dns: boolean;
  /** The node whose link it shares, where that is one alone. */
  readonly node?: string;
}

export interface ServiceView {
  readonly id: EntityId;
  readonly namespace: string;
  readonly name: string;
  readonly ips: readonly string[];
  /** `53/UDP`. */
  readonly ports: readonly string[];
  readonly backends: readonly EntityId[];
  /** Where policies lead it on single nodes. */
  readonly redirects: readonly { readonly node: string; readonly policy: string; readonly to: readonly EntityId[] }[];
}

/** One entity may send DNS queries to another. */
export interface LinkView {
  readonly from: EntityId;
  readonly to: EntityId;
  readonly kind: 'asks' | 'backend' | 'redirect' | 'forwards';
}

/**
 * How names are cached on nodes: not at all, by the addon with rules of its own, by pods that are deployed but not
 * used, or by pods behind a redirect policy.
 */
export type NodeCacheMode = 'none' | 'iptables' | 'idle' | 'redirect';

export interface ClusterView {
  readonly name: string;
  readonly domain: string;
  readonly dns: string;
  readonly nodes: readonly NodeView[];
  readonly pods: readonly PodView[];
  readonly hosts: readonly HostView[];
  readonly services: readonly ServiceView[];
  readonly links: readonly LinkView[];
  readonly nodeCache: NodeCacheMode;
  /** Whether nobody reaches the API. */
  readonly apiAway: boolean;
}

/** One part looked at closely. */
export interface PartDetails {
  readonly id: EntityId;
  readonly facts: readonly (readonly [string, string])[];
  /** Texts by heading: resolv.conf, Corefile, log. */
  readonly texts: readonly { readonly title: string; readonly text: string }[];
  readonly links: readonly { readonly title: string; readonly url: string }[];
}

export interface PeerView {
  readonly ip: string;
  readonly port: number;
  /** `namespace/name` of a pod, or the name of a node or host; the address where no entity has it. */
  readonly name: string;
  readonly part?: EntityId;
}

/** What Hubble says of one packet or socket call. */
export interface FlowView {
  readonly seq: number;
  readonly time: number;
  readonly node: string;
  readonly source: PeerView;
  readonly destination: PeerView;
  readonly protocol: string;
  readonly point: string;
  readonly verdict: string;
  readonly reply?: boolean;
  readonly summary: string;
  /** What its packet asks or answers, where it carries DNS. */
  readonly dns?: DnsView;
}

/** The question of a DNS message in a packet, and what it was answered. */
export interface DnsView {
  /** As on the wire, with the closing dot. */
  readonly name: string;
  readonly type: string;
  /** Of a reply: `NOERROR`, `NODATA`, `NXDOMAIN`, ... */
  readonly result?: string;
}

/** A query that a server is done with. */
export interface VisitView {
  readonly server: EntityId;
  /** The entity that sent the query. */
  readonly from?: EntityId;
  /** The service address that the asker had named. */
  readonly by?: EntityId;
  readonly name: string;
  readonly type: string;
  readonly transport: Transport;
  readonly hit: boolean;
  readonly result: string;
}

/** What a server did between two samples. */
export interface ServerSample {
  readonly queries: number;
  readonly hits: number;
  readonly misses: number;
  /** Sum over its queries. */
  readonly time: number;
}

export interface LiveSample {
  readonly time: number;
  /** Length of the period. */
  readonly period: number;
  readonly servers: Readonly<Record<EntityId, ServerSample>>;
  /**
   * Packets that programs of the lab have sent, and processor time of the whole process: all servers share it, so it
   * cannot be told apart.
   */
  readonly packets: number;
  readonly cpu: number;
}

/** The events of `/api/events`, by name. */
export interface LiveEvents {
  readonly cluster: ClusterView;
  readonly samples: readonly LiveSample[];
  /** `left` counts what was left out because there was too much of it. */
  readonly flows: { readonly flows: readonly FlowView[]; readonly left: number };
  readonly visits: { readonly visits: readonly VisitView[]; readonly left: number };
}

/** `POST /api/lookup`. */
export interface LookupRequest {
  /** `namespace/name`. */
  readonly pod: string;
  readonly name: string;
  readonly types: readonly ('A' | 'AAAA')[];
  readonly libc: string;
}
export interface LookupAnswer extends Explanation {
  /** When it began, as flows tell time. */
  readonly at: number;
  readonly nodeCache: NodeCacheMode;
  /** As the command `explain -v` prints it. */
  readonly asText: string;
}

/** `POST /api/exec`; the answer is one object a line. */
export interface ExecRequest {
  readonly line: string;
}
export type ExecAnswer = { readonly text: string } | { readonly code: number };

/** Answer to a request that is refused. */
export interface Refusal {
  readonly error: string;
}
