import { EADDRINUSE, EBADF, ECONNREFUSED, EINVAL, Errno } from './errno.js';
import { BPF_F_MMAPABLE, FakeBpf, type FakeMap, type Region } from './fake-bpf.js';
import { FakeNetlink } from './fake-netlink.js';

/**
 * A stand-in for the Linux kernel behind the C library, as far as answers in the kernel ask it: bpf(2), mmap(2), and
 * sockets of rtnetlink(7) and unix(7). It reads the bytes that are given it as the kernel's headers lay them out
 * (linux/bpf.h), with numbers of its own, and refuses what the kernel refuses. End-to-end tests ask the real one.
 */
export class FakeKernel extends FakeBpf {
  /** Parts of memory that values of maps lie at. */
  readonly mapped: { readonly map: FakeMap; readonly offset: number; readonly size: number }[] = [];
  readonly netlink = new FakeNetlink(this);
  private errno = 0;

  /** Loads the package that calls the C library, as far as it is used. */
  readonly load = (): unknown => ({
    load: () => ({ func: (signature: string) => this.function(/(\w+)\(/.exec(signature)![1]!) }),
    // As malloc gives it: with what was there.
    alloc: (_type: string, size: number) => this.region(size, 0xaa),
    address: ({ at }: Region) => at,
    view: (of: Region | bigint, size: number) => {
      const { buffer } = typeof of === 'bigint' ? this.regions.find(({ at }) => at === of)! : of;
      if (buffer.byteLength !== size) throw new RangeError(`view of ${size} bytes, there are ${buffer.byteLength}`);
      return buffer;
    },
    errno: () => this.errno,
  });

  private function(name: string): (...args: never[]) => unknown {
    const call = this.functions[name];
    return (...args) => {
      if (call === undefined) throw new Error(`no ${name} in this C library`);
      try {
        if (this.refuses[name] !== undefined) throw new Errno(this.refuses[name]);
        return call(...args);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        this.errno = error.number;
        return -1;
      }
    };
  }

  private readonly functions: Record<string, (...args: never[]) => unknown> = {
    syscall: (number: number, command: number, at: bigint, size: number) => {
      this.calls.push(`syscall ${number}`);
      return this.bpf(command, this.bytesAt(at, size));
    },
    mmap: (at: bigint, size: number, prot: number, flags: number, fd: number, offset: number) =>
      this.mmap(at, size, prot, flags, fd, offset),
    close: (fd: number) => {
      if (!this.fds.delete(fd)) throw new Errno(EBADF);
      return 0;
    },
    madvise: () => 0,
    if_nametoindex: (name: string) => this.devices.findIndex((device) => device.name === name) + 1,
    if_indextoname: (number: number, to: bigint) => {
      const device = this.devices[number - 1];
      if (device === undefined) return 0;
      // IFNAMSIZ.
      this.bytesAt(to, 16).write(`${device.name}\0`, 'latin1');
      return to;
    },
    socket: (family: number, type: number, protocol: number) => {
      // Descriptors are not for programs that are started.
      if ((type & 0o2000000) === 0) throw new Errno(EINVAL);
      if (family === 16 && (type & 0xf) === 3 && protocol === 0) return this.open({ kind: 'netlink' });
      if (family === 1 && (type & 0xf) === 2 && protocol === 0) return this.open({ kind: 'unix' });
      throw new Errno(EINVAL);
    },
    bind: (fd: number, address: Buffer, length: number) => {
      const name = abstractName(address, length);
      if (this.bound(name)) throw new Errno(EADDRINUSE);
      this.opened(fd, 'unix').name = name;
      return 0;
    },
    connect: (fd: number, address: Buffer, length: number) => {
      this.opened(fd, 'unix');
      if (!this.bound(abstractName(address, length))) throw new Errno(ECONNREFUSED);
      return 0;
    },
    send: (fd: number, message: Buffer, length: number, flags: number) => {
      this.opened(fd, 'netlink');
      return flags === 0 ? this.netlink.send(fd, message.subarray(0, length)) : -1;
    },
    recv: (fd: number, to: Buffer, length: number) => this.netlink.receive(fd, to.subarray(0, length)),
  };

  private bound(name: string): boolean {
    return [...this.fds.values()].some((thing) => thing.kind === 'unix' && thing.name === name);
  }

  private mmap(at: bigint, size: number, prot: number, flags: number, fd: number, offset: number): bigint | number {
    if (offset !== 0) throw new Errno(EINVAL);
    // PROT_NONE; MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE.
    if (at === 0n && prot === 0 && flags === 0x4022 && fd === -1) return Number(this.region(size, 0).at);
    // PROT_READ and PROT_WRITE; MAP_SHARED, MAP_FIXED. Elsewhere it would be in the way of something else.
    if (prot !== 3 || flags !== 0x11) throw new Errno(EINVAL);
    const map = this.opened(fd, 'map');
    this.bytesAt(at, size);
    if ((map.flags & BPF_F_MMAPABLE) === 0 || size > map.valueSize * map.entries) throw new Errno(EINVAL);
    const reserved = this.regions.findLast((each) => each.at <= at)!;
    this.mapped.push({ map, offset: Number(at - reserved.at), size });
    return at;
  }
}

/** The name behind a zero byte (unix(7)). */
function abstractName(address: Buffer, length: number): string {
  if (address.readUInt16LE(0) !== 1 || address[2] !== 0) throw new Errno(EINVAL);
  return address.toString('latin1', 3, length);
}
