import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Logger } from '../lib/log.js';
import { type Bpf } from './bpf.js';
import { BpfError } from './bpf-error.js';

/** What is seen of a host's network. */
export interface DeviceHost {
  /** Names of all devices of this network namespace. */
  devices(): readonly string[];
  /** Addresses by device. */
  addresses(): ReadonlyMap<string, readonly string[]>;
}

/** The host that this process runs on. */
export const thisHost: DeviceHost = {
  // Not of /sys, which may show another namespace's.
  devices: () => [...readFileSync('/proc/self/net/dev', 'latin1').matchAll(/^ *([^\s:]+):/gm)].map(([, name]) => name!),
  addresses: () =>
    new Map(
      Object.entries(os.networkInterfaces()).map(([name, all]) => [name, (all ?? []).map(({ address }) => address)]),
    ),
};

const isPattern = (name: string): boolean => name.includes('*');
const patternOf = (name: string): RegExp =>
  new RegExp(`^${name.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*')}$`);

/**
 * The devices that a program is attached to: those with these names, those that match a pattern such as `lxc*`, or, of
 * no names, all that have an address; as they come and go.
 */
export class AttachedDevices {
  /** Links by number of the device, which it keeps when it is renamed. */
  private readonly links = new Map<number, number>();
  /** Numbers of devices that did not take the program; said once. */
  private readonly refused = new Set<number>();
  private readonly names: readonly string[];
  private readonly patterns: readonly RegExp[];

  /** Throws an Error for a name that no device has, and a BpfError where one does not take the program. */
  constructor(
    private readonly bpf: Pick<Bpf, 'attach' | 'close' | 'deviceNumber'>,
    private readonly program: number,
    private readonly wanted: readonly string[] | undefined,
    private readonly host: DeviceHost,
    private readonly log: Logger,
  ) {
    this.names = (wanted ?? []).filter((name) => !isPattern(name));
    this.patterns = (wanted ?? []).filter(isPattern).map(patternOf);
    const there = host.devices();
    const absent = this.names.find((name) => !there.includes(name));
    if (absent !== undefined) throw new Error(`no device ${absent}, there are ${there.join(', ')}`);
    try {
      for (const [number] of this.chosen()) this.links.set(number, bpf.attach(program, number));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Attaches to devices that are new, and lets go of those that are not there any more. */
  look(): void {
    const chosen = this.chosen();
    for (const [number, link] of this.links) {
      if (chosen.has(number)) continue;
      this.bpf.close(link);
      this.links.delete(number);
    }
    for (const number of this.refused) if (!chosen.has(number)) this.refused.delete(number);
    for (const [number, name] of chosen) {
      if (this.links.has(number) || this.refused.has(number)) continue;
      try {
        this.links.set(number, this.bpf.attach(this.program, number));
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        // It has gone meanwhile.
        if (error.code === 'ENODEV') continue;
        this.refused.add(number);
        this.log.warning(`the kernel does not answer at ${name}: ${error.message}`);
      }
    }
  }

  close(): void {
    for (const link of this.links.values()) this.bpf.close(link);
    this.links.clear();
  }

  /** Numbers of the devices that are wanted and there, with their names. */
  private chosen(): Map<number, string> {
    const names = this.wanted === undefined ? this.addressed() : this.named();
    const numbered = names.map((name) => [this.bpf.deviceNumber(name), name] as const);
    return new Map(numbered.filter(([number]) => number !== 0));
  }

  private named(): readonly string[] {
    if (this.patterns.length === 0) return this.names;
    const matching = this.host.devices().filter((name) => this.patterns.some((pattern) => pattern.test(name)));
    return [...this.names, ...matching];
  }

  /** All that have an address, without the loopback, at which nobody else's packets arrive. */
  private addressed(): readonly string[] {
    return [...this.host.addresses()].filter(([name, all]) => name !== 'lo' && all.length > 0).map(([name]) => name);
  }
}
