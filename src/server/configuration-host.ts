import type { Query, Runtime, ServerAddress } from '../chain/index.js';
import type { LoadOptions, Scheme } from '../corefile/index.js';
import type { ExternalPlugins } from './external-plugins.js';

/** What a configuration needs of the server around it. */
export interface ConfigurationHost {
  readonly runtime: Runtime;
  readonly plugins: ExternalPlugins;
  readonly load: LoadOptions;
  /** Of keys that name neither scheme nor port. */
  readonly defaultPort: number;
  readonly corefileName: string;
  /** Whether handlers are to tell of their work at all queries. */
  readonly keepsTrail?: boolean;
  /** The one object for a listening address, the same over all configurations. */
  address(scheme: Scheme, address: string, port: number): ServerAddress;
  readDigest(): string;
  reload(): Promise<boolean>;
  fatal(reason: string): void;
  /** Told of each query that no zone is served for. */
  refused(query: Query): void;
}
