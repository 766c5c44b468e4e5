import { formatIp, parseIp } from '../../lib/cidr.js';

/** Tables of this network namespace's UDP sockets (proc_pid_net(5)); both have the same columns. */
export const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/** A UDP socket of the host. */
export interface KernelSocket {
  /** Canonical spelling; `0.0.0.0` or `::` for one that takes datagrams to any address. */
  readonly address: string;
  readonly port: number;
  /** Datagrams that the kernel has thrown away since the socket was opened, because its buffer was full. */
  readonly drops: number;
}

/** The sockets in a table's text. Lines of another form are passed over. */
export function socketsOf(table: string): KernelSocket[] {
  return table.split('\n').flatMap((line): KernelSocket | [] => {
    const fields = line.trim().split(/\s+/);
    const [hex = '', port = ''] = (fields[1] ?? '').split(':');
    const drops = Number(fields.at(-1));
    if (!/^([\dA-F]{8}|[\dA-F]{32})$/.test(hex) || !/^[\dA-F]{4}$/.test(port) || !Number.isInteger(drops)) return [];
    return { address: addressOf(hex), port: parseInt(port, 16), drops };
  });
}

/** Words of four bytes, each written as a number in the host's byte order: little-endian wherever Node runs. */
function addressOf(hex: string): string {
  return formatIp(Buffer.from(hex, 'hex').swap32());
}

/** Whether a server that listens at `address` (empty for all) and `port` has this socket. */
export function belongsTo(socket: KernelSocket, address: string, port: number): boolean {
  if (socket.port !== port) return false;
  if (address === '') return socket.address === '0.0.0.0' || socket.address === '::';
  const ip = parseIp(address.replace(/%.*$/, ''));
  return ip !== undefined && formatIp(ip) === socket.address;
}
