import type { Packet } from '../../datapath/packet.js';
import { Flag, decodeMessage, rcodeName, typeName } from '../../wire/index.js';
import type { DnsView } from './api.js';

const DNS = 53;
/** Length prefix of a message over TCP (RFC 1035 section 4.2.2). */
const PREFIX = 2;

/** The question in a packet, and what it was answered; undefined for a packet that holds no whole DNS message. */
export function dnsOf({ protocol, sport, dport, payload }: Packet): DnsView | undefined {
  if ((sport !== DNS && dport !== DNS) || payload.length <= PREFIX || protocol === 'ICMP') return undefined;
  try {
    const { question, flags, rcode, answer } = decodeMessage(protocol === 'TCP' ? payload.subarray(PREFIX) : payload);
    const [asked] = question;
    if (!asked) return undefined;
    const { name, type } = asked;
    const found = rcode === 0 && !answer.some((record) => record.type === type) ? 'NODATA' : rcodeName(rcode);
    return { name, type: typeName(type), ...((flags & Flag.QR) !== 0 && { result: found }) };
  } catch {
    return undefined;
  }
}
