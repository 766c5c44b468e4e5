import type { Octets } from '../lib/units.js';
import type { AttachHook } from './bpf-shapes.js';

/** Commands of bpf(2), and what they take: numbers of include/uapi/linux/bpf.h. */
export const MAP_CREATE = 0;
export const MAP_LOOKUP = 1;
export const MAP_UPDATE = 2;
export const MAP_DELETE = 3;
export const PROG_LOAD = 5;
export const PROG_NEXT_ID = 11;
export const PROG_FD_BY_ID = 13;
export const MAP_FD_BY_ID = 14;
export const OBJ_GET_INFO = 15;
export const LINK_CREATE = 28;
export const LINK_UPDATE = 29;
export const LINK_FD_BY_ID = 30;
export const LINK_NEXT_ID = 31;
export const ENABLE_STATS = 32;

export const MapType = { HASH: 1, ARRAY: 2, PROGRAMS: 3, PERCPU_ARRAY: 6, LRU_HASH: 9, ARRAY_OF_MAPS: 12 } as const;
/** Flags of maps: user space may map it; maps of other lengths may stand in its place in another map. */
export const MMAPABLE = 0x400;
export const INNER_MAP = 0x1000;
/** A program for packets that arrive, as tcx and clsact run it. */
export const TCX: AttachHook = { kind: 'tcx', programType: 3, attachType: 46, linkType: 11, flags: 0 };
/** Run by the driver itself, XDP_FLAGS_DRV_MODE: elsewhere a frame is a packet before XDP sees it, as it is to tcx. */
export const XDP: AttachHook = { kind: 'xdp', programType: 6, attachType: 37, linkType: 6, flags: 4 };
export const HOOKS = [TCX, XDP] as const;
/** How many maps of a program are asked for. */
export const MAX_MAPS = 64;
/** Room for what the kernel's verifier says of a program that it refuses. */
export const LOG_SIZE: Octets = 0x100000;
/** Length of an attribute block, to the end of a program's name; what a command does not use is zero. */
export const ATTRIBUTES: Octets = 64;
/** Number of the system call, by the processor's name in Node. */
export const SYSCALLS: Readonly<Record<string, number>> = {
  x64: 321,
  arm64: 280,
  riscv64: 280,
  loong64: 280,
  ppc64: 361,
  s390x: 351,
};

export const PROT_NONE = 0;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
