import type { Query } from '../chain/index.js';
import { readLowerName, typeName } from '../wire/index.js';

/** A query as the JSON of logs has it. */
export interface TappedQuery {
  readonly name: string;
  readonly type: string;
  readonly proto: 'udp' | 'tcp';
  readonly do: boolean;
  /** Payload size of the OPT record, 0 without one. */
  readonly bufsize: number;
}

/** What a query had that was answered without the chain, which keeps no size: as most resolvers say it. */
const USUAL_SIZE = 1232;

/** Takes a share of the queries of a server, for whoever wants to ask them again; at most so many. */
export class QueryTap {
  readonly queries: TappedQuery[] = [];
  /** Queries of the share that there was no room for. */
  lost = 0;
  private credit = 0;

  /** @param share above 0 and at most 1 */
  constructor(
    private readonly share: number,
    private readonly most: number,
  ) {}

  asked(query: Query): void {
    this.take(1, () => ({
      name: query.name,
      type: query.typeName,
      proto: query.protocol,
      do: query.do,
      bufsize: query.udpSize,
    }));
  }

  /** `plain` and `edns` queries, without and with an OPT record; their name begins at `at`. */
  hits(bytes: Uint8Array, at: number, type: number, signed: boolean, plain: number, edns: number): void {
    const query = (bufsize: number) => (): TappedQuery => ({
      name: readLowerName(bytes, at),
      type: typeName(type),
      proto: 'udp',
      do: signed,
      bufsize,
    });
    this.take(plain, query(0));
    this.take(edns, query(USUAL_SIZE));
  }

  private take(count: number, make: () => TappedQuery): void {
    if (count === 0) return;
    this.credit += count * this.share;
    const wanted = Math.floor(this.credit);
    this.credit -= wanted;
    const taken = Math.min(wanted, this.most - this.queries.length);
    this.lost += wanted - taken;
    if (taken === 0) return;
    const query = make();
    for (let i = 0; i < taken; i++) this.queries.push(query);
  }
}
