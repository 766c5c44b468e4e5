import type { Runtime } from '../../chain/index.js';

/** Flags of a route (linux/route.h). */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;
/** Longest prefix of a route that leads out: 0.0.0.0/1 and 2000::/3 stand for a default route too. */
const MAX_PREFIX = 3;

/** Whether packets of each family find a way out of this host. */
export interface WaysOut {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** What the kernel's tables say; undefined where they cannot be read, as in a model or elsewhere than on Linux. */
export function waysOut(runtime: Pick<Runtime, 'readFile'>): WaysOut | undefined {
  const [ipv4, ipv6] = ['/proc/net/route', '/proc/net/ipv6_route'].map((file) => linesOf(runtime, file));
  if (ipv4 === undefined) return undefined;
  // A kernel without IPv6 has no such file.
  return { ipv4: ipv4.some(leadsOut4), ipv6: (ipv6 ?? []).some(leadsOut6) };
}

function linesOf({ readFile }: Pick<Runtime, 'readFile'>, file: string): string[][] | undefined {
  try {
    return readFile(file)
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return undefined;
  }
}

/** Interface, destination, gateway, flags, three counters, mask (in the byte order of the host), ... */
function leadsOut4([, , , flags = '', , , , mask = '']: readonly string[]): boolean {
  if (!/^[0-9A-F]{8}$/i.test(mask)) return false;
  const bits = [...parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
  return bits <= MAX_PREFIX && isUsable(flags);
}

/** Destination, length of its prefix, source, its length, next hop, metric, two counters, flags, interface. */
function leadsOut6([, prefix = '', , , , , , , flags = '', device]: readonly string[]): boolean {
  return /^[0-9a-f]{2}$/.test(prefix) && Number(`0x${prefix}`) <= MAX_PREFIX && device !== 'lo' && isUsable(flags);
}

const isUsable = (flags: string): boolean => (Number(`0x${flags}`) & (RTF_UP | RTF_REJECT)) === RTF_UP;
