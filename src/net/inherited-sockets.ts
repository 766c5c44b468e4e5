import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import { NodensError } from '../lib/errors.js';
import { canonicalIp, formatIp, hostPort } from '../lib/cidr.js';
import { readOrEmpty } from '../lib/read-or-empty.js';
import type { Endpoint } from './network.js';

type SocketTransport = 'udp' | 'tcp';
/** What is passed on: sockets, and links by which XDP answers at a device. */
type PassedKind = SocketTransport | 'xdp';

/** A socket of this process at which others reach it, or a link of XDP (`linkPlace`). */
export interface ListeningSocket {
  readonly transport: PassedKind;
  readonly address: string;
  readonly port: number;
  /** Its file descriptor. */
  readonly fd: number;
}

/** Where a process is reached. */
interface SocketPlace extends Endpoint {
  readonly transport: SocketTransport;
}

/** A socket as /proc/net lists it, before it is known which descriptor it has. */
export interface BoundSocket extends SocketPlace {
  readonly inode: string;
}

/** What a descriptor of a link leads to, in /proc/self/fd. */
const BPF_LINK = 'anon_inode:bpf_link';
/**
 * State of a socket that listens (TCP) or has no peer (UDP), in hexadecimal as in the list; include/net/tcp_states.h.
 */
const WAITING: Readonly<Record<SocketTransport, string>> = { tcp: '0A', udp: '07' };

/**
 * The listening TCP sockets, or the UDP sockets without a peer, in a list such as /proc/net/udp6 (proc(5)). Addresses
 * are there as words of 32 bits in the
 * byte order of the machine.
 */
export function parseSocketList(text: string, transport: SocketTransport, littleEndian: boolean): BoundSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [host = '', port = ''] = (fields[1] ?? '').split(':');
      const inode = fields[9];
      if (fields[3] !== WAITING[transport] || inode === undefined) return [];
      const bytes = Buffer.from(host, 'hex');
      if (littleEndian) bytes.swap32();
      return [{ transport, address: formatIp(bytes), port: Number.parseInt(port, 16), inode }];
    });
}

/**
 * The sockets of this process at which it is reached; empty where the system has no /proc, which is everywhere but on
 * Linux.
 */
export function listeningSockets(): ListeningSocket[] {
  const byInode = new Map(boundSockets().map((socket) => [`socket:[${socket.inode}]`, socket]));
  return descriptors().flatMap(({ fd, target }) => {
    const socket = byInode.get(target);
    if (target === BPF_LINK) return xdpLink(fd);
    return socket ? [{ transport: socket.transport, address: socket.address, port: socket.port, fd }] : [];
  });
}

/** In place of an address, for a link of XDP: the number of its device. */
export const linkPlace = (device: number): Endpoint => ({ address: `device ${device}`, port: 0 });

/** A descriptor of a link as what is passed on, where it is one of XDP that has a device. */
function xdpLink(fd: number): ListeningSocket[] {
  const text = readOrEmpty(`/proc/self/fdinfo/${fd}`);
  const device = Number(/^ifindex:\s*(\d+)$/m.exec(text)?.[1] ?? 0);
  return device > 0 && /^link_type:\s*xdp$/m.test(text) ? [{ transport: 'xdp', ...linkPlace(device), fd }] : [];
}

/**
 * Where other processes of this network namespace are reached, those of other containers in it included; empty where
 * the system has no /proc. A socket that this process shares with another one is its own.
 */
export const placesOfOthers = (): SocketPlace[] => apart().others;

/** Places of this process's TCP sockets that another process listens at too. */
export function sharedPlaces(): Endpoint[] {
  const { own, others } = apart();
  return own.filter(
    (place) =>
      place.transport === 'tcp' &&
      others.some(
        ({ transport, address, port }) => transport === 'tcp' && address === place.address && port === place.port,
      ),
  );
}

/** Inodes of sockets other than `fd` at exactly that place, those of other processes included; none without /proc. */
export function othersAt(transport: SocketTransport, at: Endpoint, fd: number): string[] {
  const wanted = keyOf(transport, at);
  const own = descriptors().find((one) => one.fd === fd)?.target;
  return boundSockets()
    .filter((socket) => keyOf(socket.transport, socket) === wanted && `socket:[${socket.inode}]` !== own)
    .map(({ inode }) => inode);
}

function apart(): { own: SocketPlace[]; others: SocketPlace[] } {
  const targets = new Set(descriptors().map(({ target }) => target));
  const [own, others]: [SocketPlace[], SocketPlace[]] = [[], []];
  for (const { inode, ...place } of boundSockets()) (targets.has(`socket:[${inode}]`) ? own : others).push(place);
  return { own, others };
}

function boundSockets(): BoundSocket[] {
  const littleEndian = os.endianness() === 'LE';
  return (['udp', 'tcp'] as const).flatMap((transport) =>
    [transport, `${transport}6`].flatMap((file) =>
      parseSocketList(readOrEmpty(`/proc/self/net/${file}`), transport, littleEndian),
    ),
  );
}

/**
 * The sockets that another process tells of in an environment variable: a JSON list of where they listen and their
 * descriptors. Throws a NodensError where it is none.
 *
 * @param first the lowest descriptor that one can have
 */
export function parseSockets(variable: string, text: string, first: number): ListeningSocket[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!Array.isArray(list) || !list.every((one) => isListeningSocket(one, first)))
    throw new NodensError(
      'NODENS_OPTION',
      `${variable}: got '${text.slice(0, 80)}', allowed: what a process sets that hands over its sockets, or nothing`,
    );
  return list;
}

function isListeningSocket(value: unknown, first: number): value is ListeningSocket {
  if (typeof value !== 'object' || value === null) return false;
  const { transport, address, port, fd } = value as Partial<ListeningSocket>;
  const isNumber = (number: unknown, least: number, most: number): boolean =>
    Number.isInteger(number) && (number as number) >= least && (number as number) <= most;
  return (
    (transport === 'udp' || transport === 'tcp' || transport === 'xdp') &&
    typeof address === 'string' &&
    isNumber(port, 0, 65_535) &&
    isNumber(fd, first, 2 ** 31 - 1)
  );
}

/** Sockets that another process opened and passed on, to be listened at in place of new ones. */
export class InheritedSockets {
  private readonly sockets = new Map<string, number[]>();

  constructor(sockets: readonly ListeningSocket[]) {
    for (const { transport, address, port, fd } of sockets) {
      const key = keyOf(transport, { address, port });
      this.sockets.set(key, [...(this.sockets.get(key) ?? []), fd]);
    }
  }

  /** The descriptor of a socket bound to exactly that place, once; undefined when there is none, or no more. */
  take(transport: PassedKind, at: Endpoint): number | undefined {
    return this.sockets.get(keyOf(transport, at))?.shift();
  }

  /** Closes what nobody took: the place is no longer listened at, and should refuse. */
  closeRest(): void {
    for (const fd of [...this.sockets.values()].flat()) closeSync(fd);
    this.sockets.clear();
  }
}

/** The list does not tell the zone of a link-local address. */
const keyOf = (transport: PassedKind, { address, port }: Endpoint): string =>
  `${transport} ${hostPort(canonicalIp(address.replace(/%.*$/, '')) ?? address, port)}`;

function descriptors(): { fd: number; target: string }[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [{ fd: Number(name), target: readlinkSync(`/proc/self/fd/${name}`) }];
    } catch {
      // The descriptor by which the folder was read is closed by now.
      return [];
    }
  });
}
