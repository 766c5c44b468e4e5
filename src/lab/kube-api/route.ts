import { ALL_RESOURCES } from '../cluster/resources.js';
import type { Resource } from '../cluster/resources.js';

/** What a path of the API names. */
export interface ResourcePath {
  readonly resource: Resource;
  /** undefined for all namespaces, and for kinds that belong to none. */
  readonly namespace: string | undefined;
  /** undefined for all of the kind. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Members of a namespace's own path that are no kinds. */
const OF_NAMESPACE = ['status', 'finalize'];

/** `/api/v1/...` and `/apis/GROUP/VERSION/...`; undefined for what there is none of. */
export function resourceAt(pathname: string): ResourcePath | undefined {
  const segments = pathname.split('/').slice(1).map(decoded);
  const core = segments[0] === 'api';
  if (!core && segments[0] !== 'apis') return undefined;
  const apiVersion = core ? segments[1] : `${segments[1] ?? ''}/${segments[2] ?? ''}`;
  const rest = segments.slice(core ? 2 : 3);
  const within = rest[0] === 'namespaces' && rest.length > 2 && !OF_NAMESPACE.includes(rest[2]!);
  const [plural, name, subresource, ...more] = within ? rest.slice(2) : rest;
  const resource = ALL_RESOURCES.find((one) => one.apiVersion === apiVersion && one.plural === plural);
  if (!resource || more.length > 0 || name === '' || within !== (resource.namespaced && (within || name !== undefined)))
    return undefined;
  return { resource, namespace: within ? rest[1] : undefined, name, subresource };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
