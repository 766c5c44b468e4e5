import { Type, isSubdomain, labels, lowerName, readName, type Name, type Rr } from '../../wire/index.js';
import type { ZoneData } from '../../zone/index.js';
import { TransferError } from './errors.js';
import { byText } from '../../lib/order.js';

/** A zone that a catalog lists (RFC 9432 section 4.1). */
export interface CatalogMember {
  /** The label under `zones` that stands for it. */
  readonly id: string;
  readonly zone: Name;
  /** The catalog that may take it over (section 4.3.1). */
  readonly newOwner: Name | undefined;
}

/** The only version of the scheme (RFC 9432 section 4.2.1). */
const VERSION = '2';

/** The members that a catalog zone lists, by their ids. Throws a TransferError for a zone that is no catalog. */
export function readCatalog(zone: ZoneData): CatalogMember[] {
  const { origin } = zone;
  const under = `zones.${origin === '.' ? '' : origin}`;
  const depth = labels(under).length;
  const listed = new Map<string, Name[]>();
  const owners = new Map<string, Name[]>();
  const versions: string[] = [];
  for (const record of zone.others()) {
    const owner = lowerName(record.name);
    if (record.type === Type.TXT && owner === `version.${origin === '.' ? '' : origin}`) versions.push(textOf(record));
    if (record.type !== Type.PTR || !isSubdomain(under, owner)) continue;
    const [first = '', second = ''] = labels(owner);
    const target = lowerName(readName(record.rdata, 0).name);
    const above = labels(owner).length - depth;
    if (above === 1) append(listed, first, target);
    else if (above === 2 && first === 'coo') append(owners, second, target);
  }
  const refuse = (text: string): never => {
    throw new TransferError(`catalog zone ${origin} ${text}`);
  };
  if (zone.apex.servers.length === 0) refuse('has no NS record');
  if (versions.length !== 1) refuse('must have exactly one version TXT record');
  if (versions[0] !== VERSION) refuse(`has version '${versions[0]}', allowed: ${VERSION}`);
  const seen = new Map<Name, string>();
  const members: CatalogMember[] = [];
  for (const [id, [member, ...more]] of listed) {
    if (more.length > 0) refuse(`has more than one PTR record for member ${id}`);
    if (seen.has(member!)) refuse(`lists ${member} twice, as ${seen.get(member!)} and ${id}`);
    const [newOwner, ...others] = owners.get(id) ?? [];
    if (others.length > 0) refuse(`has more than one coo PTR record for member ${id}`);
    seen.set(member!, id);
    members.push({ id, zone: member!, newOwner });
  }
  return members.sort((a, b) => byText(a.id, b.id));
}

function append(lists: Map<string, Name[]>, key: string, name: Name): void {
  lists.set(key, [...(lists.get(key) ?? []), name]);
}

/** The character-strings of a TXT record, joined. */
function textOf({ rdata }: Rr): string {
  let text = '';
  for (let at = 0; at < rdata.length; at += 1 + rdata[at]!)
    text += Buffer.from(rdata.subarray(at + 1, at + 1 + rdata[at]!)).toString('latin1');
  return text;
}
