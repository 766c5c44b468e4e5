import { labels, type Name } from '../../wire/index.js';

/**
 * What a name below a zone asks for (Kubernetes DNS specification 1.1.0, sections 2.2 to 2.4). Parts that the name
 * leaves out are empty.
 */
export interface Request {
  readonly kind: 'svc' | 'pod';
  readonly namespace: string;
  /** Name of the service; of a pod, its address with dashes. */
  readonly service: string;
  /** Hostname of one endpoint. */
  readonly endpoint: string;
  /** The cluster of that endpoint, in a zone of several clusters. */
  readonly cluster: string;
  /** Port and protocol of an SRV name, without their underscores; empty stands for any. */
  readonly port: string;
  readonly protocol: string;
  /** Whether there are labels before the service or pod. */
  readonly prefixed: boolean;
  /** Which of a headless service's endpoints are asked for; undefined for all. */
  readonly zonal: ZonalRequest | undefined;
}

/** Names beside those of the specification. */
export type NameForms = 'plain' | 'zonal' | 'multicluster';

/** Endpoints by the zone that they run in: `us-west-2a.pin._zone.db.prod.svc`. */
export interface ZonalRequest {
  /** In lower case; may have dots. */
  readonly zone: string;
  /** All endpoints where the zone has none. */
  readonly prefer: boolean;
}

/**
 * Takes apart the lower-case part of a name before its zone, without a dot at the end: `web.default.svc`. `between`
 * for `svc` and `pod`, under which names
 * can stand; undefined for a name that cannot exist.
 *
 * @param forms what exists beside the names of the specification: `zonal`, names with a zone in them; `multicluster`,
 *   those of endpoints in one of several clusters
 */
export function parseRequest(base: string, forms: NameForms): Request | 'between' | undefined {
  if (base === 'svc' || base === 'pod') return 'between';
  // Decides most names of a search list with one comparison.
  const kind = base.endsWith('.svc') ? 'svc' : base.endsWith('.pod') ? 'pod' : undefined;
  if (kind === undefined) return undefined;
  const end = base.length - kind.length - 1;
  if (base.includes('\\')) return requestOf(kind, labels(`${base.slice(0, end)}.`), forms);
  // Cut from the end, and no further than any name that exists can go: no array is made for a name of an external
  // search.
  const beforeNamespace = base.lastIndexOf('.', end - 1);
  const namespace = base.slice(beforeNamespace + 1, end);
  if (beforeNamespace < 0) return plainRequest(kind, namespace, '', '');
  const beforeService = base.lastIndexOf('.', beforeNamespace - 1);
  const service = base.slice(beforeService + 1, beforeNamespace);
  if (beforeService < 0) return plainRequest(kind, namespace, service, '');
  if (base.lastIndexOf('.', beforeService - 1) < 0)
    return plainRequest(kind, namespace, service, base.slice(0, beforeService));
  return requestOf(kind, base.slice(0, end).split('.'), forms);
}

const plainRequest = (kind: Request['kind'], namespace: string, service: string, endpoint: string): Request => ({
  kind,
  namespace,
  service,
  endpoint,
  cluster: '',
  port: '',
  protocol: '',
  prefixed: endpoint !== '',
  zonal: undefined,
});

/** A request of the labels before its kind; undefined for more than any name has. */
function requestOf(kind: Request['kind'], parts: readonly string[], forms: NameForms): Request | undefined {
  const [namespace = '', service = '', second = '', first, tooMany] = [...parts].reverse();
  if (tooMany !== undefined) {
    const asked = forms === 'zonal' && kind === 'svc' ? zonalOf(parts.slice(0, -2)) : undefined;
    return asked && { ...plainRequest(kind, namespace, service, ''), prefixed: true, zonal: asked };
  }
  if (first === undefined) return plainRequest(kind, namespace, service, second);
  if (forms === 'multicluster' && !first.startsWith('_') && !second.startsWith('_'))
    return { ...plainRequest(kind, namespace, service, first), cluster: second };
  return {
    kind,
    namespace,
    service,
    cluster: '',
    endpoint: '',
    port: withoutUnderscore(first),
    protocol: withoutUnderscore(second),
    prefixed: true,
    zonal: undefined,
  };
}

/** `ZONE.pin._zone` and `ZONE.prefer._zone`; a zone may have several labels. */
function zonalOf(parts: readonly string[]): ZonalRequest | undefined {
  const [anchor, word, ...zone] = [...parts].reverse();
  if (anchor !== '_zone' || (word !== 'pin' && word !== 'prefer')) return undefined;
  return { zone: zone.reverse().join('.'), prefer: word === 'prefer' };
}

const withoutUnderscore = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);

/** `label` put before `zone`. */
export const below = (label: string, zone: Name): Name => (zone === '.' ? `${label}.` : `${label}.${zone}`);

/** The part of a name before its zone, without the dot between; empty for the zone itself. */
export const before = (name: Name, zone: Name): string =>
  name.slice(0, Math.max(0, zone === '.' ? name.length - 1 : name.length - zone.length - 1));

/** Whether a zone is one in which addresses are asked backwards. */
export const isReverseZone = (zone: Name): boolean => /(^|\.)(in-addr|ip6)\.arpa\.$/.test(zone);
