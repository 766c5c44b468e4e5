import type { Handler, MetadataSource, Next, Outcome, ProvidesMetadata, Query } from '../../chain/index.js';
import type { IpBytes } from '../../lib/cidr.js';
import type { Logger } from '../../lib/log.js';
import { sourceIp } from '../../lib/networks.js';
import type { Facts, GeoDatabase } from './database.js';
import { LABELS } from './labels.js';
import { subnetAddress } from './subnet.js';

/** Knows where clients are: for others, under labels. It answers nothing itself. */
export class GeoIp implements Handler, ProvidesMetadata {
  readonly name = 'geoip';
  readonly role = 'observes';
  readonly dependsOn = 'question';
  /** What was found last, as one query asks for several labels in a row. */
  private last: { readonly context: Query['context']; readonly facts: Facts } | undefined;

  /** @param bySubnet whether the address of an EDNS client subnet counts in place of the client's own */
  constructor(
    private readonly database: Pick<GeoDatabase, 'schemas' | 'lookUp'>,
    private readonly bySubnet: boolean,
    private readonly log: Pick<Logger, 'debug'>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    return next(query);
  }

  metadata(): Readonly<Record<string, MetadataSource>> {
    const labels = this.database.schemas.flatMap((schema) => Object.entries(LABELS[schema]));
    return Object.fromEntries(
      labels.map(([label, value]): [string, MetadataSource] => [
        `geoip/${label}`,
        (query) => {
          const facts = this.factsOf(query);
          return facts && value(facts);
        },
      ]),
    );
  }

  /** undefined where nothing can be said: damaged data, or no address. */
  private factsOf(query: Query): Facts | undefined {
    if (this.last?.context === query.context) return this.last.facts;
    const ip = this.addressOf(query);
    if (ip === undefined) return undefined;
    try {
      const facts = this.database.lookUp(ip);
      this.last = { context: query.context, facts };
      return facts;
    } catch (error) {
      this.log.debug(`looking up ${query.client.remote.address}: ${(error as Error).message}`);
      return undefined;
    }
  }

  private addressOf(query: Query): IpBytes | undefined {
    const subnet = this.bySubnet ? subnetAddress(query) : undefined;
    return subnet ?? sourceIp(query.client.remote.address);
  }
}
