/** Most threads that take queries. */
export const MAX_WORKERS = 16;

/** What a thread that takes queries is given. */
export interface WorkerData {
  /** Shared memory, or where in this process's memory the table lies. */
  readonly table: SharedArrayBuffer | { readonly address: bigint; readonly size: number };
  readonly ring: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /** Where it notes who was given answers of which somebody wants to know that. */
  readonly notes: SharedArrayBuffer;
  readonly losses: SharedArrayBuffer;
  /** What clients take of the server, and the secret of that. */
  readonly shares: { readonly memory: SharedArrayBuffer; readonly seed: number };
  /** Where clients are counted, if they are. */
  readonly clients?: SharedArrayBuffer | undefined;
}

/**
 * How long a thread waits in the kernel at a time, in milliseconds: it sees a change of its sockets after at most
 * that.
 */
export const WAIT = 200;
