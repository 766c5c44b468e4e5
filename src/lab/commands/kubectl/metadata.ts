import { createHash } from 'node:crypto';
import { objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import type { Milliseconds } from '../../../lib/units.js';

/** A time as objects have it. */
export const timeOf = (at: Milliseconds): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

/** An identifier that stays with the object as long as it lives. */
export function uidOf(kind: string, namespace: string, name: string, created: Milliseconds): string {
  const hex = createHash('sha256').update(`${kind}/${namespace}/${name}/${created}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What the metadata of an object are made of. */
export interface MadeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly created: Milliseconds;
  readonly version: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Metadata as the API server gives them out. */
export const metadataOf = ({ kind, namespace, name, created, version, labels }: MadeObject): RawObject => ({
  name,
  ...(namespace !== undefined && namespace !== '' && { namespace }),
  creationTimestamp: timeOf(created),
  resourceVersion: String(version),
  uid: uidOf(kind, namespace ?? '', name, created),
  ...(labels && Object.keys(labels).length > 0 && { labels }),
});

export const nameIn = (object: RawObject): string => textAt(objectAt(object, 'metadata'), 'name');
export const namespaceIn = (object: RawObject): string => textAt(objectAt(object, 'metadata'), 'namespace');
