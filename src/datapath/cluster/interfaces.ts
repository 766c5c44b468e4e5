import { parseCidr, parseIp } from '../../lib/cidr.js';
import type { Random } from '../../lib/random.js';
import { inPrefix, isIpv4, requireCidr, requireIp } from '../address.js';
import { TopologyError } from '../errors.js';
import { randomMac } from '../netns/interface.js';
import type { Interface } from '../netns/interface.js';
import { LOOPBACK_MTU } from '../netns/netns.js';
import type { NetNs } from '../netns/netns.js';
import { splitAddress } from './node.js';
import type { InterfaceSpec, StaticRoute } from './node.js';

const LOOPBACK: Interface = {
  name: 'lo',
  index: 1,
  mac: '00:00:00:00:00:00',
  mtu: LOOPBACK_MTU,
  addresses: [{ ip: '127.0.0.1', prefixLength: 8 }],
  state: 'UNKNOWN',
};

export const addLoopback = (netns: NetNs): void => netns.setInterface(LOOPBACK);

const hostBits = (ip: string): number => (isIpv4(ip) ? 32 : 128);

/** Makes a machine's own devices and the routes that come with them. Errors name the field of the topology. */
export function buildInterfaces(
  netns: NetNs,
  specs: readonly InterfaceSpec[],
  mtu: number,
  random: Random,
  path: string,
): readonly Interface[] {
  addLoopback(netns);
  const names = new Set<string>(['lo']);
  return specs.map((spec, i) => {
    const at = `${path}[${i}]`;
    if (!spec.name) throw new TopologyError(`${at}.name`, 'a device needs a name');
    if (names.has(spec.name)) throw new TopologyError(`${at}.name`, `there are two devices named ${spec.name}`);
    names.add(spec.name);
    if (spec.mac !== undefined && !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(spec.mac))
      throw new TopologyError(`${at}.mac`, `"${spec.mac}" is no MAC address`);
    if (spec.mtu !== undefined && !(Number.isInteger(spec.mtu) && spec.mtu >= 68 && spec.mtu <= 65_535))
      throw new TopologyError(`${at}.mtu`, `got ${spec.mtu}, want 68 to 65535`);
    const addresses = spec.addresses.map((text, j) => {
      const address = splitAddress(text);
      if (!address || !parseIp(address.ip))
        throw new TopologyError(`${at}.addresses[${j}]`, `"${text}" is no address with a length, want 192.0.2.1/24`);
      return { ip: requireIp(address.ip, `${at}.addresses[${j}]`), prefixLength: address.cidr.prefix };
    });
    const device: Interface = {
      name: spec.name,
      index: i + 2,
      mac: spec.mac?.toLowerCase() ?? randomMac(random),
      mtu: spec.mtu ?? mtu,
      addresses,
      segment: spec.segment,
      state: spec.segment === undefined ? 'UNKNOWN' : 'UP',
    };
    netns.setInterface(device);
    addRoutes(netns, spec, device, at);
    return device;
  });
}

function addRoutes(netns: NetNs, spec: InterfaceSpec, device: Interface, path: string): void {
  const metric = spec.dhcp ? (spec.dhcp.metric ?? 100) : undefined;
  const source = device.addresses[0]?.ip;
  for (const { ip, prefixLength } of device.addresses) {
    // A host address brings no route: the local table has it.
    if (prefixLength === hostBits(ip)) continue;
    netns.routes.add({
      destination: parseCidr(`${ip}/${prefixLength}`)!,
      device: device.name,
      protocol: 'kernel',
      scope: 'link',
      source: ip,
      metric,
    });
  }
  const dhcpHost = (ip: string): void =>
    netns.routes.add({
      destination: parseCidr(ip)!,
      device: device.name,
      protocol: 'dhcp',
      scope: 'link',
      source,
      metric,
    });
  if (spec.gateway !== undefined) {
    const gateway = requireIp(spec.gateway, `${path}.gateway`);
    const onLink = device.addresses.some(({ ip, prefixLength }) =>
      inPrefix(parseCidr(`${ip}/${prefixLength}`)!, gateway),
    );
    if (!onLink) throw new TopologyError(`${path}.gateway`, `${gateway} is not on the link of ${device.name}`);
    const destination = requireCidr(isIpv4(gateway) ? '0.0.0.0/0' : '::/0', path);
    netns.routes.add({
      destination,
      via: gateway,
      device: device.name,
      protocol: spec.dhcp ? 'dhcp' : 'static',
      source: spec.dhcp ? source : undefined,
      metric,
    });
    if (spec.dhcp) dhcpHost(gateway);
  }
  if (spec.dhcp?.dns !== undefined) dhcpHost(requireIp(spec.dhcp.dns, `${path}.dhcp.dns`));
}

/**
 * Adds routes that an administrator configured, or typed (`boot`). The device is found from the next hop when it is not
 * given.
 */
export function addStaticRoute(
  netns: NetNs,
  route: StaticRoute,
  path: string,
  protocol: 'static' | 'boot' = 'static',
): void {
  const destination = requireCidr(route.to === 'default' ? '0.0.0.0/0' : route.to, `${path}.to`);
  const via = route.via === undefined ? undefined : requireIp(route.via, `${path}.via`);
  const device = route.device ?? (via === undefined ? undefined : netns.routes.lookup(via)?.device);
  if (device === undefined)
    throw new TopologyError(
      path,
      via === undefined ? 'a route needs a next hop or a device' : `no device leads to ${via}`,
    );
  if (!netns.interface(device)) throw new TopologyError(`${path}.device`, `there is no device named ${device}`);
  netns.routes.add({ destination, via, device, protocol, scope: via === undefined ? 'link' : undefined });
}
