import { query, type QuestionOptions } from '../../support/dns.js';

/** Makes captures as tcpdump writes them, for tests of what reads them. */

export interface PacketOptions {
  /** LINKTYPE: Ethernet by default. */
  readonly link?: number;
  readonly v6?: boolean;
  readonly port?: number;
  readonly clientPort?: number;
  readonly vlan?: boolean;
  /** Of IPv6: extension headers before the transport's, by number, of 8, 16, 24 ... bytes. */
  readonly extensions?: readonly number[];
  readonly fragment?: boolean;
  /** Sent over TCP as a segment with this sequence number. */
  readonly tcp?: { readonly sequence: number; readonly flags?: number };
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);

/** A packet from 10.0.0.1 (or fd00::1) to 10.0.0.2, port 53. */
export function packet(payload: Uint8Array, options: PacketOptions = {}): Buffer {
  const {
    link = 1,
    v6 = false,
    port = 53,
    clientPort = 40_000,
    vlan = false,
    fragment = false,
    tcp,
    extensions = [],
  } = options;
  const ports = Buffer.concat([u16(clientPort), u16(port)]);
  const transport =
    tcp === undefined
      ? Buffer.concat([ports, u16(8 + payload.length), u16(0), payload])
      : Buffer.concat([
          ports,
          u32(tcp.sequence),
          u32(0),
          Buffer.from([0x50, tcp.flags ?? 0x18]),
          u16(1024),
          u32(0),
          payload,
        ]);
  const protocol = tcp === undefined ? 17 : 6;
  const extended = Buffer.concat(
    extensions.map((_, i) => Buffer.from([extensions[i + 1] ?? protocol, i, ...new Array<number>(6 + 8 * i).fill(1)])),
  );
  const ip = v6
    ? Buffer.concat([
        u32(0x60000000),
        u16(transport.length + extended.length),
        Buffer.from([extensions[0] ?? protocol, 64]),
        address6(1),
        address6(2),
        extended,
      ])
    : Buffer.concat([
        Buffer.from([0x45, 0]),
        u16(20 + transport.length),
        u16(1),
        u16(fragment ? 0x2000 : 0),
        Buffer.from([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]),
      ]);
  return Buffer.concat([linkHeader(link, v6, vlan), ip, transport]);
}

const address6 = (last: number): Buffer => Buffer.from([0xfd, ...new Array<number>(14).fill(0), last]);

function linkHeader(link: number, v6: boolean, vlan: boolean): Buffer {
  const type = u16(v6 ? 0x86dd : 0x0800);
  switch (link) {
    case 1:
      return Buffer.concat([Buffer.alloc(12), ...(vlan ? [u16(0x8100), u16(7)] : []), type]);
    case 113:
      return Buffer.concat([Buffer.alloc(14), type]);
    case 276:
      return Buffer.concat([type, Buffer.alloc(18)]);
    case 0:
    case 108:
      return Buffer.alloc(4);
    default:
      return Buffer.alloc(0);
  }
}

/** Packets with their times in milliseconds, as a pcap file. */
export function pcap(
  packets: readonly { readonly at?: number; readonly bytes: Buffer }[],
  { link = 1, nanoseconds = false, big = false } = {},
): Buffer {
  const head = Buffer.alloc(24);
  const put = (into: Buffer, value: number, at: number): void =>
    void (big ? into.writeUInt32BE(value, at) : into.writeUInt32LE(value, at));
  put(head, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  put(head, big ? 0x00020004 : 0x00040002, 4);
  put(head, 65_535, 16);
  put(head, link, 20);
  const records = packets.flatMap(({ at = 0, bytes }) => {
    const record = Buffer.alloc(16);
    put(record, Math.floor(at / 1000), 0);
    put(record, (at % 1000) * (nanoseconds ? 1e6 : 1e3), 4);
    put(record, bytes.length, 8);
    put(record, bytes.length, 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}

/** A query as a client sends it. */
export const encodeQuery = (name: string, type: string, options: QuestionOptions = {}): Buffer =>
  Buffer.from(query(name, type, options).bytes);
