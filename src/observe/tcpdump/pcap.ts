import type { Octets } from '../../lib/units.js';
import { datagramBytes, etherType, ethernetBytes, macBytes } from './frame-bytes.js';
import type { CapturedFrame } from './line.js';

/** Numbers of the link-layer header types registry (tcpdump.org/linktypes.html). */
export const LINKTYPE = { ethernet: 1, linuxSll2: 276 } as const;
export type LinkType = (typeof LINKTYPE)[keyof typeof LINKTYPE];

const MAGIC = 0xa1b2c3d4;
const SNAP_LENGTH: Octets = 262_144;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
/** Packet types of the cooked header: for this host, broadcast, and sent by it. */
const PACKET_TYPE = { toUs: 0, broadcast: 1, fromUs: 4 } as const;

/** The 24 bytes at the start of a capture file (the classic format, microseconds, little endian). */
export function pcapHeader(link: LinkType): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_LENGTH, 16);
  header.writeUInt32LE(link, 20);
  return header;
}

/** A frame with its record header. */
export function pcapRecord(frame: CapturedFrame, link: LinkType): Buffer {
  const bytes = link === LINKTYPE.ethernet ? ethernetBytes(frame) : cookedBytes(frame);
  const micros = Math.round(frame.time * 1000);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(micros / 1e6), 0);
  header.writeUInt32LE(micros % 1e6, 4);
  header.writeUInt32LE(bytes.length, 8);
  header.writeUInt32LE(bytes.length, 12);
  return Buffer.concat([header, bytes]);
}

/** A whole capture file. */
export const pcapFile = (frames: readonly CapturedFrame[], link: LinkType): Buffer =>
  Buffer.concat([pcapHeader(link), ...frames.map((frame) => pcapRecord(frame, link))]);

/** The Linux cooked header, version 2, which names the device and the direction. */
function cookedBytes(frame: CapturedFrame): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(etherType(frame), 0);
  header.writeUInt32BE(frame.deviceIndex, 4);
  header.writeUInt16BE(frame.device === 'lo' ? ARPHRD_LOOPBACK : ARPHRD_ETHER, 8);
  const broadcast = frame.kind === 'arp' && frame.operation === 'request';
  header[10] = frame.direction === 'Out' ? PACKET_TYPE.fromUs : broadcast ? PACKET_TYPE.broadcast : PACKET_TYPE.toUs;
  header[11] = 6;
  header.set(macBytes(frame.kind === 'arp' ? frame.senderMac : frame.sourceMac), 12);
  return Buffer.concat([header, datagramBytes(frame)]);
}
