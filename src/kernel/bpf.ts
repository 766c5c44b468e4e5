import { getSystemErrorName } from 'node:util';
import { openLibc } from '../fastpath/libc.js';
import type { Octets } from '../lib/units.js';
import { BpfError } from './bpf-error.js';
import {
  MAP_CREATE,
  MAP_LOOKUP,
  MAP_UPDATE,
  MAP_DELETE,
  PROG_LOAD,
  PROG_NEXT_ID,
  PROG_FD_BY_ID,
  MAP_FD_BY_ID,
  OBJ_GET_INFO,
  LINK_CREATE,
  LINK_UPDATE,
  LINK_FD_BY_ID,
  LINK_NEXT_ID,
  ENABLE_STATS,
  HOOKS,
  TCX,
  MAX_MAPS,
  LOG_SIZE,
  ATTRIBUTES,
  SYSCALLS,
  PROT_NONE,
  PROT_READ_WRITE,
  MAP_SHARED,
  MAP_PRIVATE,
  MAP_FIXED,
  MAP_ANONYMOUS,
  MAP_NORESERVE,
} from './bpf-numbers.js';
import type { AttachKind, AttachHook, MapShape, ProgramInfo } from './bpf-shapes.js';

const nameAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at));

/** The bpf system call. All numbers of descriptors are this process's; they are closed when it ends. */
export class Bpf {
  private readonly memory: (size: Octets) => { bytes: Buffer; at: bigint };
  private readonly syscall: (number: number, command: number, attributes: bigint, size: number) => number;
  private readonly mmap: (at: bigint, size: number, prot: number, flags: number, fd: number, offset: number) => bigint;
  private readonly closeFd: (fd: number) => number;
  private readonly indexOf: (name: string) => number;
  private readonly nameOf: (number: number, to: bigint) => bigint;
  private readonly errno: () => string;
  /** Memory of this process at an address, which nobody frees. */
  readonly view: (at: bigint, size: Octets) => ArrayBuffer;
  private readonly attributes;
  private readonly number: number;

  /**
   * Throws where there is no such call.
   *
   * @param load loads a package by its name
   * @param arch the processor, as Node names it
   */
  constructor(load?: (name: string) => unknown, arch: string = process.arch) {
    const { koffi, lib } = openLibc(load);
    const number = SYSCALLS[arch];
    if (number === undefined) throw new Error(`bpf: not known for the processor ${arch}`);
    this.number = number;
    this.memory = (size) => {
      const pointer: unknown = koffi.alloc('char', size);
      return { bytes: Buffer.from(koffi.view(pointer, size)), at: BigInt(koffi.address(pointer)) };
    };
    this.syscall = lib.func('long syscall(long, int, uint64_t, uint32_t)') as Bpf['syscall'];
    const mmap = lib.func('int64_t mmap(uint64_t, uint64_t, int, int, int, int64_t)') as (
      ...args: unknown[]
    ) => number | bigint;
    this.mmap = (...args) => BigInt(mmap(...args));
    this.closeFd = lib.func('int close(int)') as Bpf['closeFd'];
    this.indexOf = lib.func('uint32_t if_nametoindex(const char *)') as Bpf['indexOf'];
    const nameOf = lib.func('uint64_t if_indextoname(uint32_t, uint64_t)') as (...args: unknown[]) => number | bigint;
    this.nameOf = (...args) => BigInt(nameOf(...args));
    this.errno = () => getSystemErrorName(-koffi.errno());
    this.view = (at, size) => koffi.view(at, size);
    this.attributes = this.memory(ATTRIBUTES);
  }

  createMap({ type, keySize, valueSize, entries, flags = 0, inner = 0, name }: MapShape): number {
    return this.call(`making the map ${name}`, MAP_CREATE, (bytes) => {
      [type, keySize, valueSize, entries, flags, inner].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
      bytes.write(name, 28, 'latin1');
    });
  }

  update(map: number, key: Uint8Array, value: Uint8Array): void {
    this.element('writing a map', MAP_UPDATE, map, key, value);
  }

  delete(map: number, key: Uint8Array): void {
    const { at } = this.copied(key);
    this.call('deleting of a map', MAP_DELETE, (bytes) => {
      bytes.writeUInt32LE(map, 0);
      bytes.writeBigUInt64LE(at, 8);
    });
  }

  /** Reads a value of so many bytes: of a map per CPU, one for each that is possible. */
  lookUp(map: number, key: Uint8Array, size: Octets): Buffer {
    return this.element('reading a map', MAP_LOOKUP, map, key, Buffer.alloc(size));
  }

  /** Loads a program. Throws a BpfError with what the verifier says. */
  loadProgram(instructions: Uint8Array, license: string, name: string, { programType }: AttachHook = TCX): number {
    const code = this.copied(instructions);
    const text = this.copied(Buffer.from(`${license}\0`));
    const log = this.memory(LOG_SIZE);
    log.bytes[0] = 0;
    const load = (level: number): number =>
      this.call('loading the program', PROG_LOAD, (bytes) => {
        bytes.writeUInt32LE(programType, 0);
        bytes.writeUInt32LE(instructions.length / 8, 4);
        bytes.writeBigUInt64LE(code.at, 8);
        bytes.writeBigUInt64LE(text.at, 16);
        bytes.write(name, 48, 'latin1');
        if (level === 0) return;
        bytes.writeUInt32LE(level, 24);
        bytes.writeUInt32LE(LOG_SIZE, 28);
        bytes.writeBigUInt64LE(log.at, 32);
      });
    try {
      return load(0);
    } catch (error) {
      if (!(error instanceof BpfError) || error.code === 'EPERM') throw error;
      try {
        return load(1);
      } catch {
        const said = log.bytes.toString('latin1', 0, log.bytes.indexOf(0)).trim().split('\n');
        throw new BpfError('loading the program', error.code, said.slice(-3).join('; '));
      }
    }
  }

  /** Attaches a program to packets that arrive at a device, for as long as the descriptor that is returned is open. */
  attach(program: number, device: number, { kind, attachType, flags }: AttachHook = TCX): number {
    return this.call(`attaching the program by ${kind}`, LINK_CREATE, (bytes) => {
      [program, device, attachType, flags].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
    });
  }

  /** Puts a program in the place of the one that a link attaches, at once. */
  updateLink(link: number, program: number): void {
    this.call('changing the program of a device', LINK_UPDATE, (bytes) => {
      [link, program].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
    });
  }

  /** Number of the program that a link attaches. */
  programOf(link: number): number {
    return this.info(link).readUInt32LE(8);
  }

  /** What the kernel says of a program: its id, how often it ran and for how long, in nanoseconds. */
  programInfo(program: number): ProgramInfo {
    const maps = this.memory(4 * MAX_MAPS);
    const info = this.info(program, (bytes) => {
      bytes.writeUInt32LE(MAX_MAPS, 52);
      bytes.writeBigUInt64LE(maps.at, 56);
    });
    const count = Math.min(MAX_MAPS, info.readUInt32LE(52));
    return {
      id: info.readUInt32LE(4),
      name: nameAt(info, 64),
      maps: Array.from({ length: count }, (_, i) => maps.bytes.readUInt32LE(4 * i)),
      time: info.readBigUInt64LE(192),
      runs: info.readBigUInt64LE(200),
    };
  }

  mapName(map: number): string {
    return nameAt(this.info(map), 24);
  }

  /** Descriptors of all programs of the kernel. */
  programs(): number[] {
    return this.all(PROG_NEXT_ID, PROG_FD_BY_ID);
  }

  /** Which programs are attached by links, to the devices of which numbers. */
  links(): { program: number; device: number; by: AttachKind }[] {
    return this.all(LINK_NEXT_ID, LINK_FD_BY_ID).flatMap((fd) => {
      const info = this.info(fd);
      this.close(fd);
      const [type, program, device] = [0, 8, 16].map((at) => info.readUInt32LE(at));
      const by = HOOKS.find(({ linkType }) => linkType === type)?.kind;
      return by === undefined ? [] : [{ program: program!, device: device!, by }];
    });
  }

  openMap(id: number): number {
    return this.call('opening a map', MAP_FD_BY_ID, (bytes) => bytes.writeUInt32LE(id, 0));
  }

  openProgram(id: number): number {
    return this.call('opening a program', PROG_FD_BY_ID, (bytes) => bytes.writeUInt32LE(id, 0));
  }

  private info(fd: number, fill: (bytes: Buffer) => void = () => undefined): Buffer {
    const info = this.memory(256);
    info.bytes.fill(0);
    fill(info.bytes);
    this.call('asking the kernel', OBJ_GET_INFO, (bytes) => {
      bytes.writeUInt32LE(fd, 0);
      bytes.writeUInt32LE(256, 4);
      bytes.writeBigUInt64LE(info.at, 8);
    });
    return info.bytes;
  }

  /** Descriptors of all objects of a kind; one that comes or goes meanwhile is left out. */
  private all(next: number, open: number): number[] {
    const opened: number[] = [];
    for (let id = 0; ;) {
      try {
        this.call('listing', next, (bytes) => bytes.writeUInt32LE(id, 0));
      } catch (error) {
        if (error instanceof BpfError && error.code === 'ENOENT') return opened;
        throw error;
      }
      id = this.attributes.bytes.readUInt32LE(4);
      try {
        opened.push(this.call('opening', open, (bytes) => bytes.writeUInt32LE(id, 0)));
      } catch (error) {
        // EAGAIN: a link that is being made.
        if (!(error instanceof BpfError && ['ENOENT', 'EAGAIN'].includes(error.code))) throw error;
      }
    }
  }

  /** Lets the kernel count runs and times of all programs, for as long as the descriptor that is returned is open. */
  countRuns(): number {
    return this.call('counting runs', ENABLE_STATS, () => undefined);
  }

  /** Name of a device of this process's network namespace; its number where it is another's. */
  deviceName(number: number): string {
    const name = this.memory(16);
    return this.nameOf(number, name.at) === 0n ? String(number) : nameAt(name.bytes, 0);
  }

  /** Number of a device of this process's network namespace; 0 for none. */
  deviceNumber(name: string): number {
    return this.indexOf(name);
  }

  /** Address space for so many bytes, which nobody may read or write yet. */
  reserve(size: Octets): bigint {
    return this.mapped(0n, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  }

  /** Lets a map's values lie at an address of reserved space. */
  mapAt(map: number, at: bigint, size: Octets): void {
    this.mapped(at, size, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, map);
  }

  close(fd: number): void {
    this.closeFd(fd);
  }

  private mapped(at: bigint, size: Octets, prot: number, flags: number, fd: number): bigint {
    const address = this.mmap(at, size, prot, flags, fd, 0);
    if (address === -1n) throw new BpfError('mapping memory', this.errno());
    return address;
  }

  private element(what: string, command: number, map: number, key: Uint8Array, value: Uint8Array): Buffer {
    const [k, v] = [this.copied(key), this.copied(value)];
    this.call(what, command, (bytes) => {
      bytes.writeUInt32LE(map, 0);
      bytes.writeBigUInt64LE(k.at, 8);
      bytes.writeBigUInt64LE(v.at, 16);
    });
    return v.bytes;
  }

  private copied(from: Uint8Array): { bytes: Buffer; at: bigint } {
    const copy = this.memory(Math.max(8, from.length));
    copy.bytes.set(from);
    return copy;
  }

  private call(what: string, command: number, fill: (bytes: Buffer) => void): number {
    const { bytes, at } = this.attributes;
    bytes.fill(0);
    fill(bytes);
    const result = this.syscall(this.number, command, at, ATTRIBUTES);
    if (result < 0) throw new BpfError(what, this.errno());
    return result;
  }
}
