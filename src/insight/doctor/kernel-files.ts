import { formatIp } from '../../lib/cidr.js';
import type { CounterFiles } from './facts.js';

/** A socket that listens, or a UDP socket that is bound. */
export interface ProcSocket {
  readonly address: string;
  readonly port: number;
  /** Bytes that wait for the program. */
  readonly waiting: number;
  /** Datagrams that found no room. */
  readonly drops: number;
}

const LISTEN = '0A';
const UNCONNECTED = '07';

/**
 * The sockets of a file of `/proc/net` (proc_net_tcp.txt of the kernel): of TCP those that listen, of UDP those that
 * are connected to nobody.
 */
export function socketsIn(text: string | undefined): ProcSocket[] {
  const [, ...lines] = (text ?? '').trim().split('\n');
  return lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [address = '', port = ''] = (words[1] ?? '').split(':');
    if (words[3] !== LISTEN && !(words[3] === UNCONNECTED && words[2]?.endsWith(':0000'))) return [];
    const [, waiting = '0'] = (words[4] ?? '').split(':');
    return [
      {
        address: addressOf(address),
        port: parseInt(port, 16),
        waiting: parseInt(waiting, 16),
        drops: words.length > 12 ? Number(words[12]) : 0,
      },
    ];
  });
}

/** An address as the kernel prints it: words of four bytes in the order of the machine, here the little one. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  const mapped = bytes.length === 16 && bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  return formatIp(mapped ? bytes.subarray(12) : bytes);
}

/** A counter of `/proc/net/snmp`, where a line of names stands above each line of numbers. */
export function snmpCounter(text: string | undefined, group: string, name: string): number {
  const [names = '', values = ''] = (text ?? '').split('\n').filter((line) => line.startsWith(`${group}: `));
  return Number(values.split(/\s+/)[names.split(/\s+/).indexOf(name)] ?? 0);
}

/** A counter of `/proc/net/snmp6`, one in each line. */
export const snmp6Counter = (text: string | undefined, name: string): number =>
  Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(text ?? '')?.[1] ?? 0);

/** A column of `/proc/net/softnet_stat`, all CPUs together. */
export const softnetColumn = (text: string | undefined, column: number): number =>
  (text ?? '')
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + (parseInt(line.trim().split(/\s+/)[column] ?? '0', 16) || 0), 0);

/** A column of `/proc/net/stat/nf_conntrack`, by its name, all CPUs together. */
export function conntrackCounter(text: string | undefined, name: string): number {
  const [head = '', ...lines] = (text ?? '').trim().split('\n');
  const column = head.trim().split(/\s+/).indexOf(name);
  return lines.reduce((sum, line) => sum + (parseInt(line.trim().split(/\s+/)[column] ?? '0', 16) || 0), 0);
}

/** What a counter shows: since the start of the host, and while it was looked at. */
export interface Counted {
  readonly total: number;
  readonly now: number;
}

export const counted = (
  [before, after]: readonly [CounterFiles, CounterFiles],
  read: (files: CounterFiles) => number,
): Counted => ({ total: read(after), now: read(after) - read(before) });
