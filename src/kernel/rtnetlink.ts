import { getSystemErrorName } from 'node:util';
import { EINTR, SOCK_CLOEXEC, openLibc } from '../fastpath/libc.js';
import type { Octets } from '../lib/units.js';
import { BpfError } from './bpf-error.js';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const REQUEST = 1;
const ACK = 4;
const DUMP = 0x300;
/** A thing is to be made, and must not be there yet. */
export const CREATE = 0x600;
const HEADER: Octets = 16;
/** Larger than any message that the kernel makes. */
const ROOM: Octets = 64 << 10;

const aligned = (length: Octets): Octets => (length + 3) & ~3;

/** An attribute as rtnetlink(7) has it. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(aligned(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** Values of attributes by type. What is cut short is left out. */
export function attributes(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    // Without the flags of nesting and byte order.
    found.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return found;
}

/** Asks the kernel for changes of this thread's network namespace; each request has a socket of its own. */
export interface Rtnetlink {
  /** Throws a BpfError with what the kernel says. */
  change(what: string, type: number, flags: number, body: Uint8Array): void;
  /** The bodies of all messages that come back. */
  list(what: string, type: number, body: Uint8Array): Buffer[];
}

/** Throws where the C library cannot be called; `load` loads a package by its name. */
export function openRtnetlink(load?: (name: string) => unknown): Rtnetlink {
  const { koffi, lib } = openLibc(load);
  const socket = lib.func('int socket(int, int, int)') as (...args: number[]) => number;
  const close = lib.func('int close(int)') as (fd: number) => number;
  const send = lib.func('int64_t send(int, void *, size_t, int)') as (...args: unknown[]) => number | bigint;
  const recv = lib.func('int64_t recv(int, _Inout_ void *, size_t, int)') as (...args: unknown[]) => number | bigint;
  const fail = (what: string): never => {
    throw new BpfError(what, getSystemErrorName(-koffi.errno()));
  };
  const received = (what: string, fd: number): Buffer => {
    const bytes = Buffer.alloc(ROOM);
    for (;;) {
      const length = Number(recv(fd, bytes, ROOM, 0));
      if (length >= 0) return bytes.subarray(0, length);
      if (koffi.errno() !== EINTR) fail(what);
    }
  };
  const request = (what: string, type: number, flags: number, body: Uint8Array): Buffer[] => {
    const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) fail(what);
    try {
      const message = Buffer.alloc(HEADER + body.length);
      message.writeUInt32LE(message.length, 0);
      message.writeUInt16LE(type, 4);
      message.writeUInt16LE(REQUEST | flags, 6);
      message.set(body, HEADER);
      if (Number(send(fd, message, message.length, 0)) < 0) fail(what);
      return answers(what, () => received(what, fd));
    } finally {
      close(fd);
    }
  };
  return {
    change: (what, type, flags, body) => void request(what, type, ACK | flags, body),
    list: (what, type, body) => request(what, type, DUMP, body),
  };
}

/** The bodies of messages up to the one that says that it is done, or that it went well. */
function answers(what: string, receive: () => Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (;;) {
    const bytes = receive();
    for (let at = 0; at + HEADER <= bytes.length;) {
      const length = bytes.readUInt32LE(at);
      if (length < HEADER) break;
      const type = bytes.readUInt16LE(at + 4);
      const body = bytes.subarray(at + HEADER, at + length);
      if (type === NLMSG_DONE) return bodies;
      if (type === NLMSG_ERROR) {
        const errno = body.readInt32LE(0);
        if (errno === 0) return bodies;
        throw new BpfError(what, getSystemErrorName(errno));
      }
      bodies.push(body);
      at += aligned(length);
    }
  }
}
