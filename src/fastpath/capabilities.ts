import { readOrEmpty } from '../lib/read-or-empty.js';

/** The status of this thread, with its rights: proc(5). Empty where there is no such file. */
export const threadStatus = (): string => readOrEmpty('/proc/thread-self/status');

/** Whether a capability, by its number in capabilities(7), is in a set of a status, such as `CapEff`. */
export function hasCapability(status: string, set: 'CapEff' | 'CapPrm', number: bigint): boolean {
  const [, digits = '0'] = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status) ?? [];
  return ((BigInt(`0x${digits}`) >> number) & 1n) === 1n;
}
