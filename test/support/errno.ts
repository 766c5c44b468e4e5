/** An errno that a call fails with. */
export class Errno extends Error {
  constructor(readonly number: number) {
    super(`errno ${number}`);
  }
}

/** As Linux numbers them (asm-generic/errno.h). */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const E2BIG = 7;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const EMFILE = 24;
export const EOPNOTSUPP = 95;
export const EADDRINUSE = 98;
export const ECONNREFUSED = 111;
