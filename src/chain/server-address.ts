/**
 * The listening address a query came in at. `index` numbers the addresses of one process from 0, so that counters can
 * be arrays.
 */
export interface ServerAddress {
  readonly index: number;
  /** As it stands in the `server` label of metrics: `dns://:53`, `dns://10.96.0.10:53`, `tls://:853`. */
  readonly label: string;
  /** `dns`, `tls`, ...: which kind of listener it is. */
  readonly scheme: string;
  readonly address: string;
  readonly port: number;
  /** Where queries are asked as if they had come in at that address, and are counted apart: that address. */
  readonly standsFor?: ServerAddress;
}
