import type { Reply } from '../../chain/index.js';
import { Type, encodeName, isName, lowerName, readName, type Name, type Rr } from '../../wire/index.js';
import type { Matcher } from './matcher.js';
import { InvalidName, type ReplyChange } from './rule.js';

/** Gives a name another form; the same name where nothing is to be changed. */
export type Renamer = (name: Name) => Name;

/** By a pattern, as `answer name` and `answer value` have it. */
export const byPattern =
  (pattern: Matcher): Renamer =>
  (name) =>
    pattern.replace(name) ?? name;

/**
 * Back from what the question was made into: that name itself, and the end of names below it. Letter case does not
 * count.
 */
export const backFrom =
  (rewritten: Name, original: Name): Renamer =>
  (name) => {
    const lower = lowerName(name);
    const wanted = lowerName(rewritten);
    if (lower === wanted) return original;
    return lower.endsWith(`.${wanted}`) ? name.slice(0, name.length - wanted.length) + original : name;
  };

/** Exchanges the end of names. Letter case does not count. */
export const bySuffix =
  (from: string, to: string): Renamer =>
  (name) =>
    lowerName(name).endsWith(from) ? name.slice(0, name.length - from.length) + to : name;

/** Renames the owners of all records. */
export class OwnerChange implements ReplyChange {
  constructor(private readonly rename: Renamer) {}

  apply(reply: Reply): Reply {
    return reply.mapRecords((record) => {
      const name = renamed(record.name, this.rename);
      return name === record.name ? record : { ...record, name };
    });
  }
}

/** Renames the names within the data of CNAME, DNAME, MX, NAPTR, NS, PTR, SOA (the primary server) and SRV records. */
export class ValueChange implements ReplyChange {
  constructor(private readonly rename: Renamer) {}

  apply(reply: Reply): Reply {
    return reply.mapRecords((record) => {
      const at = nameOffset(record);
      return at === undefined ? record : withName(record, at, (name) => renamed(name, this.rename));
    });
  }
}

/** The record with the name at `at` of its data changed. */
export function withName(record: Rr, at: number, rename: Renamer): Rr {
  const { name, end } = readName(record.rdata, at);
  const other = rename(name);
  return other === name
    ? record
    : {
        ...record,
        rdata: Buffer.concat([record.rdata.subarray(0, at), encodeName(other), record.rdata.subarray(end)]),
      };
}

function renamed(name: Name, rename: Renamer): Name {
  const other = rename(name);
  if (other !== name && !isName(other)) throw new InvalidName(other);
  return other;
}

/**
 * Where the name that may be changed starts in a record's data (RFC 1035 section 3.3, RFC 2782, RFC 3403 section
 * 4.1).
 */
function nameOffset({ type, rdata }: Rr): number | undefined {
  if (rdata.length === 0) return undefined;
  switch (type) {
    case Type.CNAME:
    case Type.DNAME:
    case Type.NS:
    case Type.PTR:
    case Type.SOA:
      return 0;
    case Type.MX:
      return 2;
    case Type.SRV:
      return 6;
    case Type.NAPTR: {
      let at = 4;
      for (let strings = 0; strings < 3; strings++) at += 1 + rdata[at]!;
      return at;
    }
    default:
      return undefined;
  }
}
