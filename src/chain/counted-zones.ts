import type { Zones } from './zones.js';

/** A handler whose zones come and go, and have queries counted under their names. */
export interface HasCountedZones {
  /** Its zones at the moment; undefined for a handler whose queries count for the zones of the server block. */
  readonly countedZones: Zones | undefined;
}

export const hasCountedZones = <T extends object>(handler: T): handler is T & HasCountedZones =>
  (handler as Partial<HasCountedZones>).countedZones !== undefined;
