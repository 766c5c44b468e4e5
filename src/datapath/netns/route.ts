import { formatCidr, formatIp } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import type { Octets } from '../../lib/units.js';
import { compareIps, inPrefix } from '../address.js';

export interface Route {
  readonly destination: Cidr;
  /** Next hop; without it the destination is on the link. */
  readonly via?: string;
  readonly device: string;
  /** `boot`: typed by hand, which `ip route` does not print. */
  readonly protocol: 'kernel' | 'static' | 'dhcp' | 'boot';
  readonly scope?: 'link';
  readonly source?: string;
  readonly metric?: number;
  readonly mtu?: Octets;
}

/** The main routing table of a namespace: longest prefix first, then lowest metric. */
export class RouteTable {
  private routes: Route[] = [];
  /** Host routes by address: a node has one for each pod, so they must not be searched one by one. */
  private readonly hosts = new Map<string, Route>();

  /** Adds a route; one with the same destination, device and next hop is replaced. */
  add(route: Route): void {
    this.remove((other) => sameRoute(other, route), route);
    if (!isHostRoute(route)) return this.insert(route);
    const ip = formatIp(route.destination.bytes);
    const other = this.hosts.get(ip);
    if (other && (other.metric ?? 0) <= (route.metric ?? 0)) return this.insert(route);
    this.hosts.set(ip, route);
    if (other) this.insert(other);
  }

  private insert(route: Route): void {
    this.routes.push(route);
    this.routes.sort((a, b) => b.destination.prefix - a.destination.prefix || (a.metric ?? 0) - (b.metric ?? 0));
  }

  /**
   * Removes the routes that `match` picks and returns how many they were. `hint` limits the search to one host route.
   */
  remove(match: (route: Route) => boolean, hint?: Route): number {
    const before = this.size;
    if (hint && isHostRoute(hint)) {
      const ip = formatIp(hint.destination.bytes);
      const host = this.hosts.get(ip);
      if (host && match(host)) this.hosts.delete(ip);
    } else {
      for (const [ip, route] of this.hosts) if (match(route)) this.hosts.delete(ip);
    }
    if (this.routes.some(match)) this.routes = this.routes.filter((route) => !match(route));
    return before - this.size;
  }

  get size(): number {
    return this.routes.length + this.hosts.size;
  }

  /** The route for an address; undefined when there is none. */
  lookup(ip: string): Route | undefined {
    return this.hosts.get(ip) ?? this.routes.find((route) => inPrefix(route.destination, ip));
  }

  /** All routes in the order of `ip route`: default first, then by address, shorter prefix first. */
  list(): readonly Route[] {
    return [...this.routes, ...this.hosts.values()].sort(
      (a, b) =>
        Number(b.destination.prefix === 0) - Number(a.destination.prefix === 0) ||
        compareIps(formatIp(a.destination.bytes), formatIp(b.destination.bytes)) ||
        a.destination.prefix - b.destination.prefix ||
        (a.metric ?? 0) - (b.metric ?? 0),
    );
  }
}

const isHostRoute = (route: Route): boolean => route.destination.prefix === route.destination.bytes.length * 8;

function sameRoute(a: Route, b: Route): boolean {
  const [one, other] = [a.destination, b.destination];
  return (
    a.device === b.device &&
    a.via === b.via &&
    one.prefix === other.prefix &&
    one.bytes.length === other.bytes.length &&
    one.bytes.every((byte, i) => byte === other.bytes[i])
  );
}

/** One line as `ip route` prints it (iproute2 6.x), without the blank it leaves at the end. */
export function formatRoute(route: Route): string {
  const destination =
    route.destination.prefix === 0
      ? 'default'
      : isHostRoute(route)
        ? formatIp(route.destination.bytes)
        : formatCidr(route.destination);
  const parts = [destination];
  if (route.via) parts.push('via', route.via);
  parts.push('dev', route.device);
  if (route.protocol !== 'boot') parts.push('proto', route.protocol);
  if (route.scope) parts.push('scope', route.scope);
  if (route.source) parts.push('src', route.source);
  if (route.metric) parts.push('metric', String(route.metric));
  if (route.mtu) parts.push('mtu', String(route.mtu));
  return parts.join(' ');
}
