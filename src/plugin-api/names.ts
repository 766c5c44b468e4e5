import { fqdn, lowerName, type Name } from '../wire/index.js';

/** A name as plugins see it: without the closing dot, `.` for the root. */
export const publicName = (zone: Name): string => (zone === '.' ? zone : zone.slice(0, -1));

/** The key under which tables keep a name: lower case, without the closing dot. */
export const keyOf = (name: string): string => publicName(lowerName(fqdn(name)));
