import { describe, expect, it } from 'vitest';
import * as libcNumbers from '../../src/fastpath/libc.js';
import { loadLibc } from '../../src/fastpath/libc.js';

const failing = (code: string, message: string) => (): never => {
  throw Object.assign(new Error(message), { code });
};

it('numbers of Linux are those of its headers', () => {
  const numbers = Object.fromEntries(Object.entries(libcNumbers).filter(([, value]) => typeof value === 'number'));
  expect(numbers).toEqual({
    // linux/socket.h, linux/net.h, asm-generic/fcntl.h
    ...{ AF_INET: 2, AF_INET6: 10, SOCK_STREAM: 1, SOCK_DGRAM: 2, SOCK_CLOEXEC: 0x80000 },
    ...{ MSG_DONTWAIT: 0x40, MSG_WAITFORONE: 0x10000, POLLIN: 1 },
    // asm-generic/socket.h
    ...{ SOL_SOCKET: 1, SO_REUSEADDR: 2, SO_SNDBUF: 7, SO_RCVBUF: 8, SO_REUSEPORT: 15, SO_RCVTIMEO: 20 },
    ...{ SO_SNDBUFFORCE: 32, SO_RCVBUFFORCE: 33, SO_ATTACH_REUSEPORT_CBPF: 51, SO_DETACH_REUSEPORT_BPF: 68 },
    // linux/in.h, linux/in6.h, linux/tcp.h
    ...{ IPPROTO_IP: 0, IP_PKTINFO: 8, IPPROTO_TCP: 6, TCP_QUICKACK: 12 },
    ...{ IPPROTO_IPV6: 41, IPV6_V6ONLY: 26, IPV6_RECVPKTINFO: 49 },
    // asm-generic/errno-base.h, asm-generic/errno.h
    ...{ EINTR: 4, EAGAIN: 11, ENOBUFS: 105 },
    // struct mmsghdr, struct iovec, struct sockaddr_in6, and a head of 16 with the 20 of struct in6_pktinfo, padded to 8
    ...{ MMSGHDR: 64, IOVEC: 16, SOCKADDR: 28, CONTROL: 40 },
  });
});

describe.runIf(process.platform === 'linux')('the C library', () => {
  it.each([
    {
      name: 'an installation without koffi',
      load: failing('MODULE_NOT_FOUND', "Cannot find module 'koffi'"),
      want: 'batched I/O needs the optional package koffi, which is not installed',
    },
    {
      name: 'a platform that koffi has no binary for',
      load: failing('ERR_DLOPEN_FAILED', 'no binary for linux_mips'),
      want: 'batched I/O: koffi cannot be loaded: no binary for linux_mips',
    },
  ])('is not to be had in $name', ({ load, want }) => expect(() => loadLibc(load)).toThrow(want));

  it('gives whole pages back, which are 0 then, and leaves the bytes around them alone', () => {
    const [page, size] = [0x10000, 0x100000];
    const all = new Uint8Array(new SharedArrayBuffer(size)).fill(1);
    loadLibc().release(all.subarray(page, size - page));
    const ones = all.reduce((sum, byte) => sum + byte, 0);
    expect(ones).toBeGreaterThanOrEqual(2 * page);
    expect(ones).toBeLessThan(6 * page);
    expect([all[page - 1], all[size / 2], all[size - page]]).toEqual([1, 0, 1]);
  });

  it('keeps bytes that are less than a page', () => {
    const few = new Uint8Array(new SharedArrayBuffer(100)).fill(1);
    loadLibc().release(few);
    expect(few.every((byte) => byte === 1)).toBe(true);
  });

  it('gives the number of the last error', () => {
    const libc = loadLibc();
    const EBADF = 9;
    expect(libc.close(-1)).toBe(-1);
    expect(libc.errno()).toBe(EBADF);
  });
});
