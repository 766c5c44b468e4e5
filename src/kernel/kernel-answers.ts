import { readFileSync } from 'node:fs';
import { parseIp } from '../lib/cidr.js';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { linkPlace, type InheritedSockets } from '../net/inherited-sockets.js';
import type { Endpoint } from '../net/network.js';
import { AttachedDevices, parseWanted } from './attached-devices.js';
import { Attacher, type ProgramSection } from './attacher.js';
import { Bpf } from './bpf.js';
import { MapType, TCX, XDP } from './bpf-numbers.js';
import { thisHost, type DeviceHost } from './device-host.js';
import { KERNEL_REASONS } from './kernel-counters.js';
import { KernelMemory } from './kernel-memory.js';
import { COUNTERS_NAME, GATE_NAME, PROGRAM_NAME, readCounters } from './kernel-status.js';
import { readObject } from './object-file.js';
import { announcePresence } from './presence.js';
import { explained } from './refusal.js';
import { openRtnetlink } from './rtnetlink.js';

/** The compiled program, beside this file. */
const OBJECT = new URL('./answers.bpf.o', import.meta.url);
/** Listening addresses that the program knows at a time. */
const MAX_ADDRESSES = 4096;
/** Client addresses whose queries are counted at a time, where there is a limit. */
const MAX_CLIENTS = 65_536;
/** `struct work` of the program, and more: it lies in memory of each CPU. */
const WORK: Octets = 4096;
/** How often the host's devices are looked at, and its addresses, for listening addresses that mean all of them. */
const LOOK: Milliseconds = 1000;

/** What answers in the kernel are given with. */
export interface KernelOptions {
  /** Names of devices, or patterns such as `lxc*`, or `xdp:eth0`; all that have an address where nothing is said. */
  readonly devices: readonly string[] | undefined;
  /** Bytes that answers may take. */
  readonly limit: Octets;
  /** Key of the hash. */
  readonly seed: readonly [number, number];
  readonly clock: Clock;
  readonly log: Logger;
  /** Queries a second that one client address may ask; any number where nothing is said. */
  readonly clientLimit?: number | undefined;
  readonly host?: DeviceHost;
  /** What another process has passed on. */
  readonly inherited?: InheritedSockets | undefined;
  /** Loads a package by its name: the one that calls the C library. */
  readonly load?: (name: string) => unknown;
}

/** Where queries come in: an address of this host and a port, as the program looks them up. */
interface Listening {
  readonly at: Endpoint;
  readonly server: number;
}

/** An entry of the map of listening addresses. */
interface Told {
  readonly key: Buffer;
  readonly server: number;
}

/**
 * The program that answers from the table where packets arrive, and what it is told. It ends with this process: links
 * are descriptors, as is what stands behind filters, and nothing is pinned.
 */
export class KernelAnswers {
  /** What the program was told. */
  private readonly known = new Map<string, Told>();
  private readonly listening = new Map<number, Listening>();
  private closed = false;
  private nextId = 0;
  private timer: Timer | undefined;

  private constructor(
    private readonly bpf: Bpf,
    readonly memory: KernelMemory,
    private readonly maps: Readonly<Record<'listening' | 'counters', number>>,
    private readonly attacher: Attacher,
    private readonly devices: AttachedDevices,
    private readonly host: DeviceHost,
    private readonly log: Logger,
  ) {}

  /**
   * Loads the program and attaches it to devices of this network namespace.
   *
   * @throws Error that says what is missing: a right, a device, or something of the kernel
   */
  static open(options: KernelOptions): KernelAnswers {
    const { devices, limit, seed, clock, log, clientLimit = 0, host = thisHost, inherited, load } = options;
    const bpf = new Bpf(load);
    const opened: number[] = [];
    let attacher: Attacher | undefined;
    const keep = (fd: number): number => {
      opened.push(fd);
      return fd;
    };
    try {
      const memory = new KernelMemory(bpf, limit, seed, clientLimit);
      opened.push(...Object.values(memory.maps));
      const maps = { ...memory.maps, ...ownMaps(bpf, clientLimit, keep) };
      const passedOn = (device: number): number | undefined => inherited?.take('xdp', linkPlace(device));
      attacher = new Attacher({
        bpf,
        netlink: openRtnetlink(load),
        load: loader(bpf, maps),
        passedOn,
        presence: (gate) => announcePresence(gate, load),
      });
      for (const kind of new Set(devices?.map((text) => parseWanted(text).kind) ?? [undefined])) attacher.prepare(kind);
      const attached = new AttachedDevices(bpf, attacher, devices, host, log);
      const made = new KernelAnswers(bpf, memory, maps, attacher, attached, host, log);
      made.timer = repeat(clock, LOOK, () => made.look());
      return made;
    } catch (error) {
      attacher?.close();
      opened.forEach((fd) => bpf.close(fd));
      throw explained(error);
    }
  }

  /** Answers what comes to a listening address from now on; the returned function ends that. */
  serve(at: Endpoint, server: number): () => void {
    const id = this.nextId++;
    this.listening.set(id, { at, server });
    this.tell();
    this.devices.take();
    return () => {
      this.listening.delete(id);
      this.tell();
    };
  }

  outcomes(): Record<string, number> {
    return this.closed ? {} : readCounters(this.bpf, this.maps.counters);
  }

  /** Detaches the program. The table stays for threads that read it. */
  close(): void {
    // Its descriptors are somebody else's when they were closed once.
    if (this.closed) return;
    this.closed = true;
    this.timer?.cancel();
    this.listening.clear();
    this.devices.close();
    this.attacher.close();
    Object.values(this.maps).forEach((map) => this.bpf.close(map));
  }

  /** What fails here is tried again the next time; the server goes on. */
  private look(): void {
    try {
      this.devices.look();
      this.tell();
    } catch (error) {
      this.log.warning(`answers in the kernel: ${(error as Error).message}`);
    }
  }

  /** Tells the program which addresses are the server's. */
  private tell(): void {
    const wanted = new Map<string, Told>();
    for (const { at, server } of this.listening.values())
      for (const ip of this.ipsOf(at.address)) {
        const key = keyOf(ip, at.port);
        wanted.set(key.toString('latin1'), { key, server });
      }
    const { listening } = this.maps;
    for (const [text, { key }] of this.known) {
      if (wanted.has(text)) continue;
      this.bpf.delete(listening, key);
      this.known.delete(text);
    }
    for (const [text, { key, server }] of wanted) {
      if (this.known.get(text)?.server === server) continue;
      this.bpf.update(listening, key, Buffer.from(Uint32Array.of(server).buffer));
      this.known.set(text, { key, server });
    }
  }

  /** The addresses that a listening address means. Link-local ones need their device, which the program does not ask. */
  private ipsOf(address: string): Uint8Array[] {
    const everywhere = address === '' || address === '::' || address === '0.0.0.0';
    const texts = everywhere ? [...this.host.addresses().values()].flat() : [address];
    return texts
      .map((text) => parseIp(text))
      .filter((ip) => ip !== undefined)
      .filter((ip) => !(ip.length === 16 && ip[0] === 0xfe && (ip[1]! & 0xc0) === 0x80))
      .filter((ip) => !everywhere || address === '' || (address === '::') === (ip.length === 16));
  }
}

/** Loads programs of the object, with these maps and others. */
function loader(
  bpf: Bpf,
  maps: Readonly<Record<string, number>>,
): (section: ProgramSection, more?: Readonly<Record<string, number>>) => number {
  const object = readObject(readFileSync(OBJECT));
  return (section, more = {}) => {
    const code = object.program(section, (name) => (more[name] ?? maps[name])!);
    const name = section.endsWith('gate') ? GATE_NAME : PROGRAM_NAME;
    return bpf.loadProgram(code, object.license, name, section.startsWith('xdp') ? XDP : TCX);
  };
}

/** `struct address` of the program. */
function keyOf(ip: Uint8Array, port: number): Buffer {
  const key = Buffer.alloc(20);
  if (ip.length === 16) key.set(ip, 0);
  else {
    key.writeUInt16BE(0xffff, 10);
    key.set(ip, 12);
  }
  key.writeUInt16BE(port, 16);
  return key;
}

/** Maps of the program beside those of the table. */
function ownMaps(
  bpf: Bpf,
  clientLimit: number,
  keep: (fd: number) => number,
): Record<'listening' | 'counters' | 'clients' | 'scratch', number> {
  const perCpu = { type: MapType.PERCPU_ARRAY, keySize: 4 };
  const shapes = {
    listening: { type: MapType.HASH, keySize: 20, valueSize: 4, entries: MAX_ADDRESSES, name: 'nodens_listen' },
    counters: { ...perCpu, valueSize: 8, entries: KERNEL_REASONS.length, name: COUNTERS_NAME },
    clients: {
      type: MapType.LRU_HASH,
      keySize: 16,
      valueSize: 16,
      entries: clientLimit > 0 ? MAX_CLIENTS : 1,
      name: 'nodens_clients',
    },
    scratch: { ...perCpu, valueSize: WORK, entries: 1, name: 'nodens_work' },
  };
  const made = (name: keyof typeof shapes): number => keep(bpf.createMap(shapes[name]));
  return {
    listening: made('listening'),
    counters: made('counters'),
    clients: made('clients'),
    scratch: made('scratch'),
  };
}
