import { RecordingError } from './recorded-query.js';
import type { Milliseconds } from '../../lib/units.js';

/** A packet as it was captured. */
export interface CapturedPacket {
  readonly at: Milliseconds;
  /** LINKTYPE of the interface (https://www.tcpdump.org/linktypes.html). */
  readonly link: number;
  readonly bytes: Buffer;
}

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const PCAPNG_SECTION = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;

/** Whether a file is a capture, pcap or pcapng, by its first bytes. */
export function isCapture(bytes: Buffer): boolean {
  if (bytes.length < 24) return false;
  const magic = bytes.readUInt32LE(0);
  const swapped = bytes.readUInt32BE(0);
  return (
    magic === PCAPNG_SECTION || [magic, swapped].some((one) => one === MAGIC_MICROSECONDS || one === MAGIC_NANOSECONDS)
  );
}

/** The packets of a pcap or pcapng file. What is cut off at its end is left out; throws a RecordingError for the rest. */
export function readCapture(bytes: Buffer, file: string): Iterable<CapturedPacket> {
  return bytes.readUInt32LE(0) === PCAPNG_SECTION ? readPcapng(bytes, file) : readPcap(bytes, file);
}

/** Reads numbers in the byte order of the machine that captured. */
class Numbers {
  constructor(
    private readonly bytes: Buffer,
    readonly little: boolean,
  ) {}
  u16 = (at: number): number => (this.little ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at));
  u32 = (at: number): number => (this.little ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at));
}

/** draft-ietf-opsawg-pcap: a header of 24 bytes, then records with one of 16. */
function* readPcap(bytes: Buffer, file: string): Iterable<CapturedPacket> {
  const magic = bytes.readUInt32LE(0);
  const little = magic === MAGIC_MICROSECONDS || magic === MAGIC_NANOSECONDS;
  const { u32 } = new Numbers(bytes, little);
  const perMillisecond = u32(0) === MAGIC_NANOSECONDS ? 1e6 : 1e3;
  // The upper bits tell the length of a frame check sequence.
  const link = u32(20) & 0xffff;
  for (let at = 24; at + 16 <= bytes.length;) {
    const length = u32(at + 8);
    const end = at + 16 + length;
    if (length > 0x40000) throw new RecordingError(file, `got a packet of ${length} bytes, allowed: at most 262144`);
    if (end > bytes.length) return;
    yield { at: u32(at) * 1000 + u32(at + 4) / perMillisecond, link, bytes: bytes.subarray(at + 16, end) };
    at = end;
  }
}

interface CaptureInterface {
  readonly link: number;
  /** Units of its times in a millisecond. */
  readonly perMillisecond: number;
}

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const OPTION_RESOLUTION = 9;

/** draft-ietf-opsawg-pcapng: blocks of type, length, body and length again. */
function* readPcapng(bytes: Buffer, file: string): Iterable<CapturedPacket> {
  let numbers = new Numbers(bytes, true);
  let interfaces: CaptureInterface[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const isSection = bytes.readUInt32LE(at) === SECTION;
    if (isSection) {
      numbers = new Numbers(bytes, bytes.readUInt32LE(at + 8) === BYTE_ORDER);
      interfaces = [];
    }
    const type = numbers.u32(at);
    const length = numbers.u32(at + 4);
    if (length < 12 || length % 4 !== 0)
      throw new RecordingError(file, `got a block of ${length} bytes at ${at}, allowed: at least 12, by fours`);
    if (at + length > bytes.length) return;
    const body = bytes.subarray(at + 8, at + length - 4);
    if (type === INTERFACE && body.length >= 8) interfaces.push(interfaceOf(body, numbers.little));
    else if (type === ENHANCED_PACKET && body.length >= 20) yield* enhanced(body, numbers.little, interfaces, file);
    else if (type === SIMPLE_PACKET && body.length >= 4 && interfaces[0] !== undefined) {
      const size = Math.min(new Numbers(body, numbers.little).u32(0), body.length - 4);
      yield { at: 0, link: interfaces[0].link, bytes: body.subarray(4, 4 + size) };
    }
    at += length;
  }
}

function interfaceOf(body: Buffer, little: boolean): CaptureInterface {
  const { u16 } = new Numbers(body, little);
  let perMillisecond = 1e3;
  for (let at = 8; at + 4 <= body.length;) {
    const length = u16(at + 2);
    if (u16(at) === OPTION_RESOLUTION && length === 1 && at + 4 < body.length) {
      const value = body[at + 4]!;
      perMillisecond = (value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value) / 1000;
    }
    if (u16(at) === 0) break;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { link: u16(0), perMillisecond };
}

function* enhanced(
  body: Buffer,
  little: boolean,
  interfaces: readonly CaptureInterface[],
  file: string,
): Iterable<CapturedPacket> {
  const { u32 } = new Numbers(body, little);
  const from = interfaces[u32(0)];
  if (from === undefined)
    throw new RecordingError(file, `got a packet of interface ${u32(0)}, allowed: 0 to ${interfaces.length - 1}`);
  const time = u32(4) * 2 ** 32 + u32(8);
  const size = Math.min(u32(12), body.length - 20);
  yield { at: time / from.perMillisecond, link: from.link, bytes: body.subarray(20, 20 + size) };
}
