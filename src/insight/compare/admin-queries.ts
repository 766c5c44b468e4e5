import { askAdmin, type AdminCaller } from '../admin/ask-admin.js';
import type { TappedQueries } from '../top/queries-route.js';
import { AsyncQueue } from './async-queue.js';
import { queryOf } from './query-text.js';
import type { RecordedQuery } from './recorded-query.js';

/** Queries that wait to be asked again; what comes beyond is left out. */
const MAX_WAITING = 10_000;

/** Asks a running server over and over for a share of what it is asked, and hands it on. */
export class AdminQueries implements AsyncIterable<RecordedQuery> {
  private readonly queue = new AsyncQueue<RecordedQuery>(MAX_WAITING);
  private leftOut = 0;
  private closed = false;

  constructor(
    private readonly caller: AdminCaller,
    private readonly share: number,
  ) {}

  /** Queries that came faster than they could be asked again. */
  get lost(): number {
    return this.queue.lost + this.leftOut;
  }

  /** Goes on until it is closed; rejects where the server cannot be asked, which ends it too. */
  async run(): Promise<void> {
    try {
      while (!this.closed) {
        const { queries, lost } = (await askAdmin(this.caller, '/queries', {
          share: String(this.share),
        })) as TappedQueries;
        this.leftOut += lost;
        for (const { name, type, proto, do: dnssec, bufsize } of queries) {
          const query = queryOf({ name, type, transport: proto, dnssec, size: bufsize });
          if (query !== undefined && !this.closed) this.queue.push(query);
        }
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    this.closed = true;
    this.queue.end();
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedQuery> {
    return this.queue[Symbol.asyncIterator]();
  }
}
