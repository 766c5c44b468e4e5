import { Reader, type AsnResponse, type CityResponse } from 'mmdb-lib';
import { formatIp, type IpBytes } from '../../lib/cidr.js';
import { NodensError } from '../../lib/errors.js';

/** Zeros between the search tree and the data (MaxMind DB format, "Data Section Separator"), in bytes. */
const SEPARATOR = 16;

/** A file that is no MaxMind database, or one that cannot be used. */
export class DatabaseError extends NodensError {
  override readonly name = 'DatabaseError';

  constructor(message: string, cause?: unknown) {
    super('NODENS_MAXMIND', message, { cause });
  }
}

/** Which facts a database has. */
export type Schema = 'city' | 'asn';

/** By the type that a database says it is of. */
const SCHEMAS: readonly (readonly [Schema, RegExp])[] = [
  ['city', /city|country|enterprise/i],
  ['asn', /asn|isp/i],
];

/** What a database says of an address; all of it may be missing. */
export type Facts = Partial<CityResponse> & Partial<AsnResponse>;

/** A MaxMind database, in memory. */
export class GeoDatabase {
  private readonly reader: Reader<CityResponse>;
  readonly schemas: readonly Schema[];

  /** Throws a DatabaseError that says what is wrong with the file's bytes. */
  constructor(bytes: Buffer) {
    this.reader = open(bytes);
    const { databaseType } = this.reader.metadata;
    this.schemas = SCHEMAS.filter(([, pattern]) => pattern.test(databaseType)).map(([schema]) => schema);
    if (this.schemas.length === 0)
      throw new DatabaseError(
        `a database of type '${databaseType}', allowed: types with City, Country, Enterprise, ASN or ISP`,
      );
  }

  /** What is known of the address; nothing where it is not in the database. Throws an Error for damaged data. */
  lookUp(ip: IpBytes): Facts {
    return this.reader.get(formatIp(ip)) ?? {};
  }
}

function open(bytes: Buffer): Reader<CityResponse> {
  let reader: Reader<CityResponse>;
  try {
    reader = new Reader<CityResponse>(bytes);
  } catch (error) {
    throw new DatabaseError('it is no MaxMind database, or its end is missing', error);
  }
  const { binaryFormatMajorVersion: version, searchTreeSize, ipVersion } = reader.metadata;
  if (version !== 2) throw new DatabaseError(`it is of version ${String(version)} of the MaxMind format, allowed: 2`);
  if (ipVersion !== 4 && ipVersion !== 6)
    throw new DatabaseError(`it is for IP version ${String(ipVersion)}, allowed: 4 and 6`);
  const least = searchTreeSize + SEPARATOR;
  if (!(bytes.length > least))
    throw new DatabaseError(`it has ${bytes.length} bytes and needs more than ${least}: it is cut short`);
  return reader;
}
