import type { NetNs } from '../netns/netns.js';
import type { InterfaceSpec, StaticRoute } from './node.js';
import type { Process } from '../sockets/process.js';

/** A machine that is no node: a router, a resolver, a web server. */
export interface HostSpec {
  readonly name: string;
  readonly interfaces: readonly InterfaceSpec[];
  readonly routes?: readonly StaticRoute[];
  /** Passes packets on between its interfaces. */
  readonly forward?: boolean;
}

export interface ExternalHost {
  readonly spec: HostSpec;
  readonly name: string;
  readonly netns: NetNs;
  readonly process: Process;
}
