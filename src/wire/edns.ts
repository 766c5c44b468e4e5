import type { Octets } from '../lib/units.js';
import { Type } from './constants.js';
import { WireError } from './error.js';

/** An EDNS option (RFC 6891 section 6.1.2). */
export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** The meaning of an OPT record (RFC 6891 section 6.1). The upper rcode bits are in the message's rcode. */
export interface Edns {
  /** Largest UDP payload the sender takes; as it was sent, so perhaps below 512. */
  readonly udpSize: Octets;
  /** 0 is the only version there is. */
  readonly version: number;
  /** DNSSEC OK (RFC 3225). */
  readonly do: boolean;
  readonly options: readonly EdnsOption[];
}

/** Octets of an OPT record without options. */
export const OPT_SIZE: Octets = 11;

/** Length of the OPT record that `writeOpt` writes. */
export const optLength = (edns: Edns): Octets =>
  edns.options.reduce((sum, option) => sum + 4 + option.data.length, OPT_SIZE);

/**
 * Writes an OPT record at `at`, returns the offset after it. `rcode` is the whole response code, of which the upper
 * eight bits go here.
 */
export function writeOpt(edns: Edns, rcode: number, target: Buffer, at: number): number {
  target[at] = 0;
  target.writeUInt16BE(Type.OPT, at + 1);
  target.writeUInt16BE(edns.udpSize, at + 3);
  target[at + 5] = rcode >> 4;
  target[at + 6] = edns.version;
  target.writeUInt16BE(edns.do ? 0x8000 : 0, at + 7);
  target.writeUInt16BE(optLength(edns) - OPT_SIZE, at + 9);
  let write = at + OPT_SIZE;
  for (const option of edns.options) {
    target.writeUInt16BE(option.code, write);
    target.writeUInt16BE(option.data.length, write + 2);
    target.set(option.data, write + 4);
    write += 4 + option.data.length;
  }
  return write;
}

/** Reads the options in OPT data; they are copied. Throws a WireError when one runs past the end. */
export function readOptions(bytes: Uint8Array, offset: number, length: number): EdnsOption[] {
  const options: EdnsOption[] = [];
  const end = offset + length;
  for (let at = offset; at < end;) {
    if (at + 4 > end) throw new WireError('EDNS option cut short', at);
    const size = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (at + 4 + size > end) throw new WireError('EDNS option runs past its record', at);
    options.push({
      code: (bytes[at]! << 8) | bytes[at + 1]!,
      data: Uint8Array.prototype.slice.call(bytes, at + 4, at + 4 + size),
    });
    at += 4 + size;
  }
  return options;
}
