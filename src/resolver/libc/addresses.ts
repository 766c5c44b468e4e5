import { formatIp } from '../../lib/cidr.js';
import type { Network } from '../../net/network.js';
import { Class, Type, lowerName, readName, type Message, type Name } from '../../wire/index.js';

/** The name at the end of the aliases that start at `name` in the answer section. */
export function endOfAliases(name: Name, message: Message): Name {
  let current = name;
  for (let i = 0; i < message.answer.length; i++) {
    const alias = message.answer.find(
      (record) =>
        record.type === Type.CNAME && record.class === Class.IN && lowerName(record.name) === lowerName(current),
    );
    if (alias === undefined) break;
    current = readName(alias.rdata, 0).name;
  }
  return current;
}

/** The addresses of `type` in the answer section, in order; none for a type that has none. */
export function addressesIn(message: Message, type: number): string[] {
  return message.answer
    .filter(
      (record) =>
        record.type === type &&
        record.class === Class.IN &&
        record.rdata.length === (type === Type.A ? 4 : type === Type.AAAA ? 16 : -1),
    )
    .map((record) => formatIp(record.rdata));
}

/** Which families a machine has addresses of, loopback aside. */
export function families(network: Network): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const others = network
    .interfaces()
    .map(({ address }) => address.replace(/%.*$/, ''))
    .filter((address) => address !== '127.0.0.1' && address !== '::1');
  return {
    ipv4: others.some((address) => !address.includes(':')),
    ipv6: others.some((address) => address.includes(':')),
  };
}

/**
 * Addresses in the order in which getaddrinfo gives them (RFC 6724 section 6): those of a family that the machine
 * cannot reach come last, IPv6 comes
 * first otherwise. A family is taken to be reachable with an address of it that is more than loopback or link-local.
 */
export function sortAddresses(addresses: readonly string[], network: Network): string[] {
  const usable = network
    .interfaces()
    .map(({ address }) => address)
    .filter((address) => !/^(127\.|::1$|fe80:)/i.test(address));
  const reachable = (address: string): boolean => usable.some((own) => own.includes(':') === address.includes(':'));
  const rank = (address: string): number => (reachable(address) ? 0 : 2) + (address.includes(':') ? 0 : 1);
  return [...addresses].sort((a, b) => rank(a) - rank(b));
}

/** Without the closing dot, as programs show names. */
export const bare = (name: Name): string => (name === '.' ? name : name.replace(/\.$/, ''));
