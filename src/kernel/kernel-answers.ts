import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseIp } from '../lib/cidr.js';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { Bpf, BpfError, MapType } from './bpf.js';
import { KERNEL_REASONS } from './kernel-counters.js';
import { KernelMemory } from './kernel-memory.js';
import { COUNTERS_NAME, PROGRAM_NAME, readCounters } from './kernel-status.js';
import { readObject } from './object-file.js';

/** The compiled program, beside this file. */
const OBJECT = new URL('./answers.bpf.o', import.meta.url);
/** Listening addresses that the program knows at a time. */
const MAX_ADDRESSES = 4096;
/** Client addresses whose queries are counted at a time, where there is a limit. */
const MAX_CLIENTS = 65_536;
/** `struct work` of the program, and more: it lies in memory of each CPU. */
const WORK: Octets = 4096;
/** How often the host's addresses are looked at, for listening addresses that mean all of them. */
const LOOK: Milliseconds = 1000;

/** Where queries come in: an address of this host and a port, as the program looks them up. */
interface Listening {
  readonly at: Endpoint;
  readonly server: number;
}

/**
 * The program that answers from the table where packets arrive, and what it is told. It ends with this process: links
 * are descriptors, and nothing is pinned.
 */
export class KernelAnswers {
  private readonly known = new Map<string, Buffer>();
  private readonly listening = new Map<number, Listening>();
  private closed = false;
  private nextId = 0;
  private timer: Timer | undefined;

  private constructor(
    private readonly bpf: Bpf,
    readonly memory: KernelMemory,
    private readonly maps: Readonly<Record<'listening' | 'counters', number>>,
    private readonly program: number,
    readonly devices: readonly string[],
    private readonly links: readonly number[],
    private readonly addresses: () => readonly string[],
  ) {}

  /**
   * Loads the program and attaches it to devices of this network namespace.
   *
   * @param limit bytes that answers may take
   * @param clientLimit queries a second that one client address may ask; 0 for any number
   * @throws Error that says what is missing: a right, a device, or something of the kernel
   */
  static open(
    devices: readonly string[],
    limit: Octets,
    seed: readonly [number, number],
    clock: Clock,
    clientLimit = 0,
    addresses: () => readonly string[] = hostAddresses,
  ): KernelAnswers {
    const bpf = new Bpf();
    const numbers = devices.map((device) => {
      const number = bpf.deviceNumber(device);
      if (number === 0)
        throw new Error(`no device ${device}, there are ${Object.keys(os.networkInterfaces()).join(', ')}`);
      return number;
    });
    const opened: number[] = [];
    const keep = (fd: number): number => {
      opened.push(fd);
      return fd;
    };
    try {
      const memory = new KernelMemory(bpf, limit, seed, clientLimit);
      const word = { keySize: 4, entries: 1 };
      const maps = {
        ...memory.maps,
        listening: keep(
          bpf.createMap({
            type: MapType.HASH,
            keySize: 20,
            valueSize: 4,
            entries: MAX_ADDRESSES,
            name: 'nodens_listen',
          }),
        ),
        counters: keep(
          bpf.createMap({
            ...word,
            type: MapType.PERCPU_ARRAY,
            valueSize: 8,
            entries: KERNEL_REASONS.length,
            name: COUNTERS_NAME,
          }),
        ),
        clients: keep(
          bpf.createMap({
            type: MapType.LRU_HASH,
            keySize: 16,
            valueSize: 16,
            entries: clientLimit > 0 ? MAX_CLIENTS : 1,
            name: 'nodens_clients',
          }),
        ),
        scratch: keep(bpf.createMap({ ...word, type: MapType.PERCPU_ARRAY, valueSize: WORK, name: 'nodens_work' })),
      };
      const object = readObject(readFileSync(OBJECT));
      const code = object.program('tc', (name) => maps[name as keyof typeof maps]);
      const program = keep(bpf.loadProgram(code, object.license, PROGRAM_NAME));
      const links = numbers.map((number) => keep(bpf.attach(program, number)));
      const made = new KernelAnswers(bpf, memory, maps, program, devices, links, addresses);
      made.timer = repeat(clock, LOOK, () => made.tell());
      return made;
    } catch (error) {
      opened.forEach((fd) => bpf.close(fd));
      throw explained(error);
    }
  }

  /** Answers what comes to a listening address from now on; the returned function ends that. */
  serve(at: Endpoint, server: number): () => void {
    const id = this.nextId++;
    this.listening.set(id, { at, server });
    this.tell();
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
    this.links.forEach((link) => this.bpf.close(link));
    this.bpf.close(this.program);
    Object.values(this.maps).forEach((map) => this.bpf.close(map));
  }

  /** Tells the program which addresses are the server's. */
  private tell(): void {
    const wanted = new Map<string, { key: Buffer; server: number }>();
    for (const { at, server } of this.listening.values())
      for (const ip of this.ipsOf(at.address)) {
        const key = keyOf(ip, at.port);
        wanted.set(key.toString('latin1'), { key, server });
      }
    for (const [text, key] of this.known) {
      if (wanted.has(text)) continue;
      this.bpf.delete(this.maps.listening, key);
      this.known.delete(text);
    }
    for (const [text, { key, server }] of wanted) {
      if (this.known.has(text)) continue;
      this.bpf.update(this.maps.listening, key, Buffer.from(Uint32Array.of(server).buffer));
      this.known.set(text, key);
    }
  }

  /** The addresses that a listening address means. Link-local ones need their device, which the program does not ask. */
  private ipsOf(address: string): Uint8Array[] {
    const everywhere = address === '' || address === '::' || address === '0.0.0.0';
    const texts = everywhere ? this.addresses() : [address];
    return texts
      .map((text) => parseIp(text))
      .filter((ip) => ip !== undefined)
      .filter((ip) => !(ip.length === 16 && ip[0] === 0xfe && (ip[1]! & 0xc0) === 0x80))
      .filter((ip) => !everywhere || address === '' || (address === '::') === (ip.length === 16));
  }
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

const hostAddresses = (): string[] =>
  Object.values(os.networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));

/** What is missing, in words of the operator's. */
function explained(error: unknown): unknown {
  if (!(error instanceof BpfError)) return error;
  if (error.code === 'EPERM')
    return new Error('the rights CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed', { cause: error });
  if (error.code === 'EINVAL' && error.message.startsWith('attaching'))
    return new Error('attaching a program needs tcx, which Linux has from 6.6 on', { cause: error });
  return error;
}
