import type { Directive, CorefileEntry } from '../corefile/index.js';
import { canonicalIp } from '../lib/cidr.js';
import type { InterfaceAddress } from '../net/network.js';

/**
 * The addresses that one `bind` line names: its own, less those after `except`. A device's name stands for all its
 * addresses at this moment.
 * Throws a CorefileError for what is neither address nor device, and where nothing is left, since listening nowhere
 * is nobody's wish.
 */
export function listenAddresses(directive: Directive, interfaces: readonly InterfaceAddress[]): string[] {
  directive.argCount(1, Infinity, 'bind ADDRESS|DEVICE...');
  const named = resolve(directive, interfaces);
  const excepted = (directive.options ?? []).flatMap((option) => {
    if (option.name !== 'except') option.unknown(['except']);
    option.argCount(1, Infinity, 'except ADDRESS|DEVICE...');
    option.noOptions();
    return resolve(option, interfaces);
  });
  const left = named.filter((address) => !excepted.includes(address));
  if (left.length === 0)
    directive.fail(
      `no address is left to listen on: '${directive.args.join(' ')}' stands for ${list(named)}, except takes away ${list(excepted)}`,
    );
  return left;
}

function resolve(entry: CorefileEntry, interfaces: readonly InterfaceAddress[]): string[] {
  return entry.args.flatMap((text) => {
    const device = interfaces.filter((candidate) => candidate.device === text);
    if (device.length > 0) return device.map(scoped);
    const address = canonicalIp(text);
    if (address !== undefined) return address;
    const devices = [...new Set(interfaces.map((candidate) => candidate.device))].join(', ');
    return entry.fail(
      `not a valid IP address or interface name: "${text}"; ` +
        `allowed: an IPv4 or IPv6 address, or one of the devices with an address: ${devices || 'there is none'}`,
    );
  });
}

/** A link-local IPv6 address means nothing without its device (RFC 4007 section 6). */
function scoped({ device, address }: InterfaceAddress): string {
  const linkLocal = /^fe[89ab][0-9a-f]:/i.test(address);
  if (!linkLocal || address.includes('%')) return canonicalIp(address) ?? address;
  return `${canonicalIp(address)}%${device}`;
}

const list = (addresses: readonly string[]): string => (addresses.length === 0 ? 'nothing' : addresses.join(' '));
