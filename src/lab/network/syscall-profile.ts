/**
 * Which calls a program makes around a connected UDP socket. Cilium's socket hook sees getpeername and recvmsg with
 * an address,
 * so the habits of a program decide which translation events it leaves behind (measured with strace on the real
 * programs).
 */
export interface SyscallProfile {
  /** Calls of getpeername between connect and the first datagram. */
  readonly getpeernameAfterConnect: number;
  /** Calls of getpeername right after the first datagram. */
  readonly namesAfterSend: number;
  /** Whether answers are read with an address buffer (recvmsg, recvfrom) or without (read). */
  readonly readsAddress: boolean;
}

/**
 * A server written in Go: the net package and its users ask for the peer's name around a dial, and read without
 * address.
 */
export const GO_SERVER: SyscallProfile = { getpeernameAfterConnect: 3, namesAfterSend: 2, readsAddress: false };

/** Go's own resolver: one getpeername at the dial, read without address. */
export const GO_RESOLVER: SyscallProfile = { getpeernameAfterConnect: 1, namesAfterSend: 0, readsAddress: false };

/** C libraries and BIND's programs: connect, send without address, recvmsg with one. */
export const LIBC: SyscallProfile = { getpeernameAfterConnect: 0, namesAfterSend: 0, readsAddress: true };
