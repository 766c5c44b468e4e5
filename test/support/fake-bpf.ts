import { possibleCpus } from '../../src/kernel/kernel-status.js';
import { E2BIG, EBADF, EBUSY, EFAULT, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, Errno } from './errno.js';

export interface FakeMap {
  readonly kind: 'map';
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly entries: number;
  readonly flags: number;
  readonly inner: FakeMap | undefined;
  /** By key in hexadecimal; of a map that holds objects, those. */
  readonly values: Map<string, Buffer | FakeMap | FakeProgram>;
}

export interface FakeProgram {
  readonly kind: 'program';
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly license: string;
  readonly code: Buffer;
  readonly maps: readonly FakeMap[];
  runs: bigint;
  time: bigint;
}

export interface FakeLink {
  readonly kind: 'link';
  readonly id: number;
  readonly type: number;
  readonly device: number;
  program: FakeProgram;
}

type Opened =
  FakeMap | FakeProgram | FakeLink | { readonly kind: 'stats' | 'netlink' } | { readonly kind: 'unix'; name?: string };
/** A device; its number is its place, from 1. */
export interface FakeDevice {
  readonly name: string;
  readonly mac: string;
  readonly hasXdp?: boolean;
}

export interface Region {
  readonly at: bigint;
  readonly buffer: ArrayBuffer;
}

const [HASH, ARRAY, PROG_ARRAY, PERCPU_ARRAY, LRU_HASH, ARRAY_OF_MAPS] = [1, 2, 3, 6, 9, 12];
export const [BPF_F_MMAPABLE, BPF_F_INNER_MAP] = [0x400, 0x1000];
const textAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at));

/** Memory of a process, and what the kernel has for it behind descriptors: what bpf(2) makes and asks. */
export class FakeBpf {
  readonly fds = new Map<number, Opened>();
  readonly links: FakeLink[] = [];
  readonly programs: FakeProgram[] = [];
  readonly maps: FakeMap[] = [];
  devices: FakeDevice[] = [{ name: 'lo', mac: '000000000000' }];
  hasTcx = true;
  /** What the verifier says of a program, where it does not take it. */
  verifier: (name: string) => { errno: number; log: string } | undefined = () => undefined;
  /** What a command is refused with, by its name; of what is made, by that of the thing too. */
  readonly refuses: Record<string, number> = {};
  /** Commands of bpf(2) and calls, as they were made. */
  readonly calls: string[] = [];
  protected readonly regions: Region[] = [];
  private next = { fd: 10, id: 100, at: 0x10000n };

  open(thing: Opened): number {
    this.fds.set(++this.next.fd, thing);
    return this.next.fd;
  }

  opened<K extends Opened['kind']>(fd: number, kind: K): Extract<Opened, { kind: K }> {
    const thing = this.fds.get(fd);
    if (thing?.kind !== kind) throw new Errno(EBADF);
    return thing as Extract<Opened, { kind: K }>;
  }

  /** The map of a name that was made last. */
  map(name: string): FakeMap {
    return this.maps.findLast((map) => map.name === name)!;
  }

  protected region(size: number, fill: number): Region {
    const region = { at: this.next.at, buffer: new Uint8Array(size).fill(fill).buffer };
    this.next.at += BigInt((size + 0x1ffff) & ~0xffff);
    this.regions.push(region);
    return region;
  }

  protected bytesAt(at: bigint, size: number): Buffer {
    const region = this.regions.find((each) => each.at <= at && at < each.at + BigInt(each.buffer.byteLength));
    const offset = Number(at - (region?.at ?? 0n));
    if (region === undefined || offset + size > region.buffer.byteLength) throw new Errno(EFAULT);
    return Buffer.from(region.buffer, offset, size);
  }

  /** What lies at an address, to its zero byte. */
  private textAt(at: bigint): string {
    for (let length = 0; ; length++)
      if (this.bytesAt(at, length + 1)[length] === 0) return this.bytesAt(at, length).toString('latin1');
  }

  /** The bpf system call. */
  protected bpf(command: number, attributes: Buffer): number {
    const [name, used, run] = this.commands[command] ?? [];
    if (run === undefined) throw new Errno(EINVAL);
    this.calls.push(name!);
    if (this.refuses[name!] !== undefined) throw new Errno(this.refuses[name!]!);
    // What a command does not know has to be empty (CHECK_ATTR).
    if (attributes.subarray(used).some((byte) => byte !== 0)) throw new Errno(EINVAL);
    return run(attributes);
  }

  private readonly commands: Record<number, [name: string, used: number, run: (attributes: Buffer) => number]> = {
    0: ['MAP_CREATE', 44, (a) => this.createMap(a)],
    1: ['MAP_LOOKUP_ELEM', 24, (a) => this.lookUp(this.element(a), a.readBigUInt64LE(16))],
    2: ['MAP_UPDATE_ELEM', 24, (a) => this.update(this.element(a), a.readBigUInt64LE(16))],
    3: [
      'MAP_DELETE_ELEM',
      16,
      (a) => {
        const { map, key } = this.element(a);
        if (!map.values.delete(key)) throw new Errno(ENOENT);
        return 0;
      },
    ],
    5: ['PROG_LOAD', 64, (a) => this.loadProgram(a)],
    11: ['PROG_GET_NEXT_ID', 8, (a) => nextId(this.programs, a)],
    13: ['PROG_GET_FD_BY_ID', 4, (a) => this.open(byId(this.programs, a))],
    14: ['MAP_GET_FD_BY_ID', 4, (a) => this.open(byId(this.maps, a))],
    15: ['OBJ_GET_INFO_BY_FD', 16, (a) => this.info(a)],
    28: ['LINK_CREATE', 16, (a) => this.createLink(a)],
    29: [
      'LINK_UPDATE',
      8,
      (a) => {
        this.opened(a.readUInt32LE(0), 'link').program = this.opened(a.readUInt32LE(4), 'program');
        return 0;
      },
    ],
    30: ['LINK_GET_FD_BY_ID', 4, (a) => this.open(byId(this.openLinks, a))],
    31: ['LINK_GET_NEXT_ID', 8, (a) => nextId(this.openLinks, a)],
    32: ['ENABLE_STATS', 4, (a) => (a.readUInt32LE(0) === 0 ? this.open({ kind: 'stats' }) : -1)],
  };

  /** A link lasts as long as somebody has it open. */
  get openLinks(): FakeLink[] {
    return this.links.filter((link) => [...this.fds.values()].includes(link));
  }

  private createMap(a: Buffer): number {
    const [type, keySize, valueSize, entries, flags, innerFd] = [0, 4, 8, 12, 16, 20].map((at) => a.readUInt32LE(at));
    const name = textAt(a, 28);
    if (this.refuses[`MAP_CREATE ${name}`] !== undefined) throw new Errno(this.refuses[`MAP_CREATE ${name}`]!);
    const isArray = [ARRAY, PROG_ARRAY, PERCPU_ARRAY, ARRAY_OF_MAPS].includes(type!);
    const holds = type === PROG_ARRAY || type === ARRAY_OF_MAPS;
    const known = isArray || type === HASH || type === LRU_HASH;
    const allowed = type === ARRAY ? BPF_F_MMAPABLE | BPF_F_INNER_MAP : 0;
    if (
      !known ||
      (isArray && keySize !== 4) ||
      (holds && valueSize !== 4) ||
      entries === 0 ||
      (flags! & ~allowed) !== 0
    )
      throw new Errno(EINVAL);
    if (!/^[\w.]{1,15}$/.test(name) || (innerFd !== 0) !== (type === ARRAY_OF_MAPS)) throw new Errno(EINVAL);
    const inner = innerFd === 0 ? undefined : this.opened(innerFd!, 'map');
    const id = ++this.next.id;
    const shape = { keySize: keySize!, valueSize: valueSize!, entries: entries!, flags: flags! };
    const map: FakeMap = { kind: 'map', id, name, type: type!, ...shape, inner, values: new Map() };
    this.maps.push(map);
    return this.open(map);
  }

  private element(a: Buffer): { map: FakeMap; key: string; index: number } {
    const map = this.opened(a.readUInt32LE(0), 'map');
    const key = this.bytesAt(a.readBigUInt64LE(8), map.keySize);
    const index = [HASH, LRU_HASH].includes(map.type) ? 0 : key.readUInt32LE(0);
    return { map, key: key.toString('hex'), index };
  }

  private lookUp({ map, key, index }: ReturnType<FakeBpf['element']>, to: bigint): number {
    const value = map.values.get(key);
    const size = map.type === PERCPU_ARRAY ? 8 * possibleCpus() : map.valueSize;
    const holds = map.type === PROG_ARRAY || map.type === ARRAY_OF_MAPS;
    if (index >= map.entries || (value === undefined && (holds || map.type === HASH))) throw new Errno(ENOENT);
    const bytes = this.bytesAt(to, size);
    if (value === undefined) bytes.fill(0);
    else if (Buffer.isBuffer(value)) value.copy(bytes);
    else bytes.writeUInt32LE(value.id, 0);
    return 0;
  }

  private update({ map, key, index }: ReturnType<FakeBpf['element']>, from: bigint): number {
    const value = Buffer.from(this.bytesAt(from, map.valueSize));
    if (index >= map.entries || (!map.values.has(key) && map.values.size >= map.entries)) throw new Errno(E2BIG);
    if (map.type === PROG_ARRAY) map.values.set(key, this.opened(value.readUInt32LE(0), 'program'));
    else if (map.type === ARRAY_OF_MAPS) map.values.set(key, fitting(map, this.opened(value.readUInt32LE(0), 'map')));
    else map.values.set(key, value);
    return 0;
  }

  private loadProgram(a: Buffer): number {
    const [type, count, level, room] = [0, 4, 24, 28].map((at) => a.readUInt32LE(at));
    const name = textAt(Buffer.concat([a.subarray(48, 64), Buffer.alloc(1)]), 0);
    const code = Buffer.from(this.bytesAt(a.readBigUInt64LE(8), 8 * count!));
    const license = this.textAt(a.readBigUInt64LE(16));
    const refusal = this.verifier(name);
    if ((level === 0) !== (room === 0) || level! > 2) throw new Errno(EINVAL);
    if (refusal !== undefined) {
      const said = Buffer.from(`${refusal.log.slice(0, room! - 1)}\0`);
      if (level! > 0 && refusal.log !== '') said.copy(this.bytesAt(a.readBigUInt64LE(32), room!));
      throw new Errno(refusal.errno);
    }
    const maps = new Set<FakeMap>();
    for (let at = 0; at < code.length; at += 8)
      if (code[at] === 0x18 && code[at + 1]! >> 4 === 1) maps.add(this.opened(code.readInt32LE(at + 4), 'map'));
    const counts = { runs: 0n, time: 0n };
    const id = ++this.next.id;
    const program: FakeProgram = { kind: 'program', id, name, type: type!, license, code, maps: [...maps], ...counts };
    this.programs.push(program);
    return this.open(program);
  }

  private createLink(a: Buffer): number {
    const [fd, device, attachType, flags] = [0, 4, 8, 12].map((at) => a.readUInt32LE(at));
    const program = this.opened(fd!, 'program');
    const there = this.devices[device! - 1];
    if (there === undefined) throw new Errno(ENODEV);
    const isXdp = attachType === 37;
    // BPF_TCX_INGRESS for programs of SCHED_CLS, BPF_XDP for those of XDP.
    if (!isXdp && (attachType !== 46 || program.type !== 3 || !this.hasTcx || flags !== 0)) throw new Errno(EINVAL);
    // XDP_FLAGS_DRV_MODE.
    if (isXdp && (program.type !== 6 || flags !== 4)) throw new Errno(EINVAL);
    if (isXdp && there.hasXdp !== true) throw new Errno(EOPNOTSUPP);
    const link: FakeLink = { kind: 'link', id: ++this.next.id, type: isXdp ? 6 : 11, device: device!, program };
    if (isXdp && this.openLinks.some((other) => other.device === device && other.type === 6)) throw new Errno(EBUSY);
    this.links.push(link);
    return this.open(link);
  }

  /** Writes what is known of an object, as far as it is asked for. */
  private info(a: Buffer): number {
    const thing = this.fds.get(a.readUInt32LE(0));
    const info = this.bytesAt(a.readBigUInt64LE(8), a.readUInt32LE(4));
    // What it has no field for has to be empty.
    if (info.subarray(232).some((byte) => byte !== 0)) throw new Errno(E2BIG);
    if (thing?.kind === 'link') {
      [thing.type, thing.id, thing.program.id, 0, thing.device].forEach((value, i) => info.writeUInt32LE(value, 4 * i));
    } else if (thing?.kind === 'map') {
      [thing.type, thing.id].forEach((value, i) => info.writeUInt32LE(value, 4 * i));
      info.write(`${thing.name}\0`, 24, 'latin1');
    } else if (thing?.kind === 'program') {
      const room = this.bytesAt(info.readBigUInt64LE(56), 4 * info.readUInt32LE(52));
      thing.maps.slice(0, room.length / 4).forEach(({ id }, i) => room.writeUInt32LE(id, 4 * i));
      [thing.type, thing.id].forEach((value, i) => info.writeUInt32LE(value, 4 * i));
      info.writeUInt32LE(thing.maps.length, 52);
      info.write(`${thing.name}\0`, 64, 'latin1');
      info.writeBigUInt64LE(thing.time, 192);
      info.writeBigUInt64LE(thing.runs, 200);
    } else throw new Errno(EBADF);
    return 0;
  }
}

function nextId(all: readonly { readonly id: number }[], a: Buffer): number {
  const ids = all.map(({ id }) => id).filter((id) => id > a.readUInt32LE(0));
  if (ids.length === 0) throw new Errno(ENOENT);
  a.writeUInt32LE(Math.min(...ids), 4);
  return 0;
}

function byId<T extends { readonly id: number; readonly gone?: number }>(all: readonly T[], a: Buffer): T {
  const found = all.find(({ id }) => id === a.readUInt32LE(0));
  if (found === undefined) throw new Errno(ENOENT);
  if (found.gone !== undefined) throw new Errno(found.gone);
  return found;
}

/** A map that may stand in another: it is as the one that this was made with. */
function fitting({ inner }: FakeMap, map: FakeMap): FakeMap {
  const same = (['type', 'keySize', 'valueSize', 'flags'] as const).every((field) => map[field] === inner![field]);
  const long = (map.flags & BPF_F_INNER_MAP) !== 0 || map.entries === inner!.entries;
  if (!same || !long) throw new Errno(EINVAL);
  return map;
}
