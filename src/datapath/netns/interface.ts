import type { Random } from '../../lib/random.js';
import type { Octets } from '../../lib/units.js';

export interface DeviceAddress {
  readonly ip: string;
  readonly prefixLength: number;
}

/** A network device of a namespace. */
export interface Interface {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly mtu: Octets;
  readonly addresses: readonly DeviceAddress[];
  /** Name of the link that the device is on; none for lo, cilium_host, lxc and dummy devices. */
  readonly segment?: string;
  /** `UNKNOWN` for lo and dummy devices, as `ip -br addr` prints their state. */
  readonly state: 'UP' | 'UNKNOWN' | 'DOWN';
  /** The other end of a veth pair as `ip` names it after the @ (`if12`, `cilium_net`). */
  readonly peer?: string;
}

const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** A locally administered unicast address (IEEE 802: second bit set, first clear). */
export function randomMac(random: Random): string {
  const high = random.uint32();
  const low = random.uint32();
  const first = ((high & 0xff) | 0x02) & 0xfe;
  return [first, (high >>> 8) & 0xff, (high >>> 16) & 0xff, low & 0xff, (low >>> 8) & 0xff, (low >>> 16) & 0xff]
    .map(hex)
    .join(':');
}

/** Host side of a pod's veth pair: `lxc` and 12 hexadecimal digits. */
export function randomLxcName(random: Random): string {
  return `lxc${random.uint32().toString(16).padStart(8, '0')}${(random.uint32() & 0xffff).toString(16).padStart(4, '0')}`;
}
