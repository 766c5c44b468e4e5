import type { PluginDefinition } from '../chain/index.js';
import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { MemoryCeiling } from '../lib/memory-ceiling.js';
import type { Milliseconds } from '../lib/units.js';
import type { FlightRecorder } from '../record/flight-recorder.js';
import type { TopRecorder } from '../top/recorder.js';
import type { ExternalPlugin } from './external-plugins.js';
import type { RuntimeOptions } from './runtime.js';
import type { TcpLimits } from './tcp-limits.js';

/**
 * What a server is made from; what a runtime has (network, clock, environment, ...) is the host's own where it is
 * left out.
 */
export interface ServerOptions extends RuntimeOptions {
  /** The Corefile's text, or a name and a function that reads it: the latter is read again at each reload. */
  readonly corefile: string | { readonly name: string; read(): string };
  /** Port of server blocks that name none; 53 by default. */
  readonly defaultPort?: number;
  readonly plugins?: readonly PluginDefinition[];
  /** Plugins from outside this package, beside those that the Corefile loads. */
  readonly external?: readonly ExternalPlugin[] | undefined;
  readonly tcpLimits?: TcpLimits;
  /** How long a query may wait for its answer before it gets SERVFAIL, in milliseconds; 10 s by default. */
  readonly queryTime?: Milliseconds;
  /**
   * Threads that take datagrams at addresses of this host and answer by themselves what they can; they may still be
   * starting until the server listens. The server stops them when it stops.
   */
  readonly workerPool?: UdpWorkerPool;
  /** Counts who asks what; `countClients` of the threads belongs to it. */
  readonly top?: TopRecorder;
  /** Keeps queries that were slow, failed or were answered stale. */
  readonly recorder?: FlightRecorder;
  /** Keeps the process below a size. */
  readonly memory?: MemoryCeiling;
  /** Called when a plugin finds that serving does harm, such as a forwarding loop; by default the server stops. */
  readonly onFatal?: (reason: string) => void;
}
