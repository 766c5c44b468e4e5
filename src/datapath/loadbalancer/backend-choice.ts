import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import type { Seconds } from '../../lib/units.js';
import { byText } from '../../lib/order.js';
import { hash32 } from '../packet.js';
import type { Backend, Frontend } from './service.js';

/** The backends that take a new connection: the active ones, or the terminating ones when none is active. */
export function usableBackends(frontend: Frontend, node: string): readonly Backend[] {
  const reachable = frontend.localOnly
    ? frontend.backends.filter((backend) => backend.node === node)
    : frontend.backends;
  const active = reachable.filter((backend) => backend.state === 'active');
  return active.length > 0 ? active : reachable.filter((backend) => backend.state === 'terminating');
}

/** Which client keeps which backend of which service, and until when (sessionAffinity ClientIP). */
export class AffinityTable {
  private readonly entries = new Map<string, { backend: number; used: Seconds }>();

  /** The backend that the client had within the timeout, if it is still usable; renewed on the way. */
  get(client: string, frontend: Frontend, usable: readonly Backend[], now: Seconds): Backend | undefined {
    if (frontend.affinity === undefined) return undefined;
    const key = `${client}|${frontend.revNat}`;
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    const backend =
      entry.used + frontend.affinity > now ? usable.find((candidate) => candidate.id === entry.backend) : undefined;
    if (backend) entry.used = now;
    else this.entries.delete(key);
    return backend;
  }

  set(client: string, frontend: Frontend, backend: Backend, now: Seconds): void {
    if (frontend.affinity !== undefined)
      this.entries.set(`${client}|${frontend.revNat}`, { backend: backend.id, used: now });
  }

  get size(): number {
    return this.entries.size;
  }
}

/**
 * The socket hook's choice: at random for TCP, by socket cookie for UDP, so that a UDP socket stays with its backend.
 */
export function chooseAtSocket(usable: readonly Backend[], protocol: string, cookie: number, random: Random): Backend {
  return usable[protocol === 'TCP' ? randomBelow(random, usable.length) : cookie % usable.length]!;
}

/**
 * A Maglev table: each backend fills slots by its own permutation of them in turn (Eisenbud et al., "Maglev", NSDI
 * 2016,
 * section 3.4). Few slots change their backend when the set changes.
 */
export function maglevTable(backends: readonly Backend[], size: number): Uint16Array {
  const table = new Uint16Array(size).fill(0xffff);
  const ordered = backends
    .map((backend, index) => ({ index, key: `${backend.ip}:${backend.port}/${backend.protocol}` }))
    .sort((a, b) => byText(a.key, b.key));
  const steps = ordered.map(({ key }) => ({
    offset: hash32(key) % size,
    skip: (hash32(key, 0x9747b28c) % (size - 1)) + 1,
    next: 0,
  }));
  let filled = 0;
  while (filled < size && ordered.length > 0) {
    for (const [i, step] of steps.entries()) {
      let slot: number;
      do slot = (step.offset + step.next++ * step.skip) % size;
      while (table[slot] !== 0xffff);
      table[slot] = ordered[i]!.index;
      if (++filled === size) break;
    }
  }
  return table;
}
