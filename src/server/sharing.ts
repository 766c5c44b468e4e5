import { EACH_CLIENT, type ClientNetworks, type DependsOn, type Handler } from '../chain/index.js';

/** Who may be given an answer of a chain that was made for another query of the same question. */
export interface Sharing {
  /** Only clients of the same network; undefined for everybody. */
  readonly networks: ClientNetworks | undefined;
}

/** What was worked out for a chain, and what keeps it from sharing. */
export interface SharingVerdict {
  /** Undefined where each query has to reach the chain. */
  readonly sharing: Sharing | undefined;
  /** Names of the directives that keep the chain from sharing, or that keep clients apart. */
  readonly because: readonly string[];
}

const EVERYBODY: Sharing = { networks: undefined };

type Declared = Pick<Handler, 'name' | 'dependsOn' | 'clientNetworks'>;

/**
 * What the parts of a chain say together, whichever comes first in it: a handler that has to be asked each time keeps
 * all answers from being shared, and one that says nothing is taken for such.
 */
export function sharingOf(parts: readonly Declared[]): SharingVerdict {
  const every = parts.filter((part) => dependsOn(part) === 'query');
  if (every.length > 0) return { sharing: undefined, because: every.map(({ name }) => name) };
  const apart = parts.filter((part) => dependsOn(part) === 'client');
  if (apart.length === 0) return { sharing: EVERYBODY, because: [] };
  const networks = apart.map(({ clientNetworks }) => clientNetworks ?? EACH_CLIENT).reduce(closer);
  return { sharing: { networks }, because: apart.map(({ name }) => name) };
}

/** Networks small enough for both. */
export const closer = (a: ClientNetworks, b: ClientNetworks): ClientNetworks => ({
  ipv4: Math.max(a.ipv4, b.ipv4),
  ipv6: Math.max(a.ipv6, b.ipv6),
});

const dependsOn = (part: Declared): DependsOn => part.dependsOn ?? 'query';

/** One line for the debug log. */
export function describeSharing(zones: readonly string[], { sharing, because }: SharingVerdict): string {
  const names = because.join(', ');
  const what = `answers for ${zones.join(' ')}`;
  if (sharing === undefined) return `${what} are not shared: every query has to reach ${names}`;
  if (sharing.networks === undefined) return `${what} are shared`;
  const { ipv4, ipv6 } = sharing.networks;
  return `${what} are shared within /${ipv4} (IPv4) and /${ipv6} (IPv6) networks of clients, because of ${names}`;
}
