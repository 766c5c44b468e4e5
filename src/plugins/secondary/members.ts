import { ServedZone, type Authority } from '../../authority/index.js';
import type { Zones } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import type { Endpoint } from '../../net/network.js';
import type { TsigKey } from '../../tsig/index.js';
import type { Name } from '../../wire/index.js';
import type { CatalogMember } from './catalog.js';
import type { SecondaryZone } from './secondary-zone.js';

/** A zone that is served because a catalog lists it. */
interface Member {
  readonly id: string;
  /** The catalog that it belongs to. */
  readonly catalog: Name;
  readonly zone: SecondaryZone;
}

/** Where a zone comes from. */
export interface Primaries {
  readonly from: readonly Endpoint[];
  /** What transfers are signed with; nothing without it. */
  readonly key: TsigKey | undefined;
}

/** A catalog zone, and where it and its members come from. */
export interface CatalogSource extends Primaries {
  readonly origin: Name;
  /** Names that members must be at or below; any where there are none. */
  readonly within: Zones | undefined;
}

/** Makes a zone that is kept from primaries. */
export type MakeZone = (served: ServedZone, primaries: Primaries) => SecondaryZone;

/** Serves the members of catalog zones (RFC 9432). */
export class Members {
  private readonly byZone = new Map<Name, Member>();
  private readonly catalogs = new Map<Name, readonly CatalogMember[]>();

  constructor(
    private readonly authority: Authority,
    private readonly make: MakeZone,
    private readonly log: Logger,
  ) {}

  get(zone: Name): SecondaryZone | undefined {
    return this.byZone.get(zone)?.zone;
  }

  stop(): void {
    for (const { zone } of this.byZone.values()) zone.stop();
  }

  /** Serves what a catalog lists now, and what it lists no longer no more. */
  apply(source: CatalogSource, listed: readonly CatalogMember[]): void {
    const { origin, within } = source;
    this.catalogs.set(origin, listed);
    const allowed = listed.filter(({ zone }) => within?.contains(zone) !== false);
    if (allowed.length < listed.length)
      this.log.warning(
        `Skipped ${listed.length - allowed.length} member zones from catalog ${origin}: outside configured member zones`,
      );
    for (const one of allowed) this.take(one, source);
    const names = new Set(allowed.map(({ zone }) => zone));
    for (const [name, { catalog }] of this.byZone) {
      if (catalog !== origin || names.has(name)) continue;
      this.drop(name);
      this.log.info(`Removed catalog member zone ${name} from catalog ${origin}`);
    }
    this.log.info(`Parsed catalog zone ${origin} with ${listed.length} member zones`);
  }

  private take(one: CatalogMember, source: CatalogSource): void {
    const { zone, id } = one;
    const { origin } = source;
    const known = this.byZone.get(zone);
    if (known === undefined) {
      if (this.authority.get(zone) !== undefined) return this.skip(zone, origin);
      this.serve(one, source, new ServedZone(zone));
      this.log.info(`Added catalog member zone ${zone} from catalog ${origin}`);
    } else if (known.catalog !== origin) {
      this.migrate(known, one, source);
    } else if (known.id !== id) {
      this.serve(one, source, new ServedZone(zone));
      this.log.info(
        `Reset catalog member zone ${zone} from ${origin} after member ID changed from ${known.id} to ${id}`,
      );
    }
  }

  /** Another catalog takes a member over, if the present one lets it (RFC 9432 section 4.3.1). */
  private migrate(known: Member, one: CatalogMember, source: CatalogSource): void {
    const { zone, id } = one;
    const { origin } = source;
    const listed = this.catalogs.get(known.catalog)?.find((other) => other.zone === zone);
    if (listed?.newOwner !== origin) return this.skip(zone, origin);
    // The same id means that it is the same zone (section 5.4): what it holds may be kept.
    const same = known.id === listed.id && listed.id === id;
    this.serve(one, source, same ? known.zone.served : new ServedZone(zone));
    const moved = `Migrated catalog member zone ${zone} from catalog ${known.catalog} to ${origin}`;
    const state = same
      ? `, preserving state for member ID ${id}`
      : ` with state reset after member identity changed from ${listed.id} to ${id}`;
    this.log.info(`${moved}${state}`);
  }

  private skip(zone: Name, catalog: Name): void {
    this.log.warning(`Skipping catalog member zone ${zone} from ${catalog}: zone already exists`);
  }

  private serve({ id, zone }: CatalogMember, source: CatalogSource, served: ServedZone): void {
    const before = this.byZone.get(zone)?.zone;
    before?.stop();
    this.authority.remove(zone);
    const made = this.make(served, source);
    if (before?.served === served) made.confirmed = before.confirmed;
    this.byZone.set(zone, { id, catalog: source.origin, zone: made });
    this.authority.add(served);
    void made.start();
  }

  private drop(zone: Name): void {
    this.byZone.get(zone)?.zone.stop();
    this.byZone.delete(zone);
    this.authority.remove(zone);
  }
}
