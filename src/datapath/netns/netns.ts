import type { Octets } from '../../lib/units.js';
import { inPrefix, isIpv4 } from '../address.js';
import { parseCidr } from '../../lib/cidr.js';
import { SocketError } from '../errors.js';
import type { Interface } from './interface.js';
import { PortTable } from './port-table.js';
import { RouteTable } from './route.js';

export type NetNsKind = 'pod' | 'node' | 'host';

const LOOPBACK = parseCidr('127.0.0.0/8')!;

export const isLoopback = (ip: string): boolean => ip === '::1' || (isIpv4(ip) && inPrefix(LOOPBACK, ip));

/** A network namespace: the devices, addresses, routes and ports of a pod, a node or a host outside the cluster. */
export class NetNs {
  readonly routes = new RouteTable();
  readonly ports = new PortTable();
  /** Next-hop MTUs learned from ICMP (RFC 1191), by destination. */
  readonly pathMtu = new Map<string, Octets>();
  private devices: Interface[] = [];
  private readonly owners = new Map<string, Interface>();

  constructor(
    /** `pod/NAMESPACE/NAME`, `node/NAME` or `host/NAME`. */
    readonly id: string,
    readonly kind: NetNsKind,
    /** SO_NETNS_COOKIE. */
    readonly cookie: number,
  ) {}

  get interfaces(): readonly Interface[] {
    return this.devices;
  }

  /** Adds a device, or replaces the one of its name. */
  setInterface(device: Interface): void {
    this.devices = [...this.devices.filter((other) => other.name !== device.name), device].sort(
      (a, b) => a.index - b.index,
    );
    this.index();
  }

  removeInterface(name: string): boolean {
    const before = this.devices.length;
    this.devices = this.devices.filter((device) => device.name !== name);
    this.index();
    return this.devices.length < before;
  }

  interface(name: string): Interface | undefined {
    return this.devices.find((device) => device.name === name);
  }

  /** Whether a packet to the address ends here. All of 127.0.0.0/8 does, everywhere. */
  hasAddress(ip: string): boolean {
    return this.owners.has(ip) || isLoopback(ip);
  }

  /** The device that carries an address. */
  ownerOf(ip: string): Interface | undefined {
    return this.owners.get(ip);
  }

  /** Every address but loopback, in the order of the devices. */
  get addresses(): readonly string[] {
    return this.devices
      .filter((device) => device.name !== 'lo')
      .flatMap((device) => device.addresses.map((address) => address.ip));
  }

  /** The source address for a destination, as the kernel picks it. Throws ENETUNREACH when there is no route. */
  sourceFor(destination: string): string {
    if (isLoopback(destination)) return isIpv4(destination) ? '127.0.0.1' : '::1';
    if (this.owners.has(destination)) return destination;
    const route = this.routes.lookup(destination);
    const source = route?.source ?? this.addressFor(route?.device ?? '', isIpv4(destination));
    if (!route || source === undefined)
      throw new SocketError('ENETUNREACH', `${this.id} has no route to ${destination}`);
    return source;
  }

  /** The address of a device; one that has none, such as an lxc one, borrows the first of any other device. */
  addressFor(device: string, v4: boolean): string | undefined {
    const own = this.interface(device)?.addresses.map((address) => address.ip) ?? [];
    return [...own, ...this.addresses].find((ip) => isIpv4(ip) === v4);
  }

  /** The largest IP datagram towards a destination. */
  mtuTo(destination: string): Octets {
    const route = this.routes.lookup(destination);
    const device = route && this.interface(route.device);
    const base = route?.mtu ?? device?.mtu ?? LOOPBACK_MTU;
    return Math.min(this.hasAddress(destination) ? LOOPBACK_MTU : base, this.pathMtu.get(destination) ?? Infinity);
  }

  private index(): void {
    this.owners.clear();
    for (const device of this.devices) for (const address of device.addresses) this.owners.set(address.ip, device);
  }
}

export const LOOPBACK_MTU: Octets = 65_536;
