import { labels, type Name } from '../../wire/index.js';

/** What a name below a zone asks for (Kubernetes DNS specification 1.1.0, sections 2.2 to 2.4). Parts that the name leaves out are empty. */
export interface Request {
  readonly kind: 'svc' | 'pod';
  readonly namespace: string;
  /** Name of the service; of a pod, its address with dashes. */
  readonly service: string;
  /** Hostname of one endpoint. */
  readonly endpoint: string;
  /** Port and protocol of an SRV name, without their underscores; empty stands for any. */
  readonly port: string;
  readonly protocol: string;
  /** Whether there are labels before the service or pod. */
  readonly prefixed: boolean;
}

/**
 * Takes apart the lower-case part of a name before its zone, without a dot at the end: `web.default.svc`. `between` for `svc` and `pod`, under which names
 * can stand; undefined for a name that cannot exist.
 */
export function parseRequest(base: string): Request | 'between' | undefined {
  if (base === 'svc' || base === 'pod') return 'between';
  // Decides most names of a search list with one comparison.
  const kind = base.endsWith('.svc') ? 'svc' : base.endsWith('.pod') ? 'pod' : undefined;
  if (kind === undefined) return undefined;
  const parts = base.includes('\\') ? labels(`${base}.`) : base.split('.');
  const count = parts.length - 1;
  const [namespace, service, second, first] = [parts[count - 1]!, parts[count - 2] ?? '', parts[count - 3], parts[count - 4]];
  if (count > 4) return undefined;
  if (first !== undefined) return { kind, namespace, service, endpoint: '', port: withoutUnderscore(first), protocol: withoutUnderscore(second!), prefixed: true };
  return { kind, namespace, service, endpoint: second ?? '', port: '', protocol: '', prefixed: second !== undefined };
}

const withoutUnderscore = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);

/** `label` put before `zone`. */
export const below = (label: string, zone: Name): Name => (zone === '.' ? `${label}.` : `${label}.${zone}`);

/** The part of a name before its zone, without the dot between; empty for the zone itself. */
export const before = (name: Name, zone: Name): string => name.slice(0, Math.max(0, zone === '.' ? name.length - 1 : name.length - zone.length - 1));
