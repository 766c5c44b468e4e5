import type { RawObject } from '../../kube/objects/raw.js';
import { ApiFault } from './fault.js';

/** The form in which a client wants objects. */
export interface Form {
  readonly as: 'object' | 'table' | 'metadata';
  /** Of the group meta.k8s.io, for the two that are not objects. */
  readonly version: 'v1' | 'v1beta1';
}

const FORMS: Readonly<Record<string, Form['as']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};

/** The first form of an Accept header that the API has: JSON alone. Throws an ApiFault where it has none of them. */
export function formOf(accept: string): Form {
  for (const part of (accept || '*/*').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const values = new Map(parameters.map((parameter) => parameter.split('=') as [string, string]));
    const as = values.get('as');
    if (as === undefined) return { as: 'object', version: 'v1' };
    const version = values.get('v');
    if (Object.hasOwn(FORMS, as) && values.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1'))
      return { as: FORMS[as]!, version };
  }
  throw new ApiFault('NotAcceptable', `Accept: got ${JSON.stringify(accept)}, allowed: application/json`);
}

/** An object without anything but its metadata. */
export const metadataOnly = (object: RawObject, { version }: Form): RawObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object['metadata'],
});
