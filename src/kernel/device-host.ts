import { readFileSync } from 'node:fs';
import os from 'node:os';

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
