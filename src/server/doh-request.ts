import type { Seconds } from '../lib/units.js';
import { HEADER_SIZE, Opcode, OPCODE_MASK, Rcode, Type, behindName } from '../wire/index.js';
import type { WebRequest } from './web-connection.js';

/** The one path that is asked at (RFC 8484 section 4.1 leaves it to the server). */
const PATH = '/dns-query';

/** Base64 for URLs without padding (RFC 4648 section 5); four characters for three bytes, never one alone. */
const isBase64Url = (text: string): boolean => text.length % 4 !== 1 && /^[\w-]*$/.test(text);

/** The DNS message of a request, or the status of the refusal (RFC 8484 section 4.1). */
export function messageOf({ method, url, body }: WebRequest): Buffer | 400 | 404 {
  const cut = url.indexOf('?');
  if ((cut < 0 ? url : url.slice(0, cut)) !== PATH) return 404;
  if (method === 'POST') return body;
  if (method !== 'GET') return 400;
  const text = cut < 0 ? undefined : parameter(url.slice(cut + 1));
  return text === undefined || !isBase64Url(text) ? 400 : Buffer.from(text, 'base64url');
}

/** The value of `dns`; undefined unless it stands there once. */
function parameter(search: string): string | undefined {
  // As all clients write it, and without the cost of looking for others.
  if (search.startsWith('dns=') && !/[&%+]/.test(search)) return search.slice(4);
  const all = new URLSearchParams(search).getAll('dns');
  return all.length === 1 ? all[0] : undefined;
}

/** Of an answer that says nothing of how long it holds, such as a failure. */
const SHORT: Seconds = 5;
const LONGEST: Seconds = 3600;

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/**
 * How long a client may keep an answer: the smallest TTL in it (RFC 8484 section 5.1), at most an hour; 5 seconds for
 * what is neither an answer nor a denial, such as SERVFAIL, a delegation or an answer to NOTIFY.
 */
export function freshness(message: Buffer): Seconds {
  const rcode = message[3]! & 0x0f;
  const answers = uint16(message, 6);
  if ((uint16(message, 2) & OPCODE_MASK) >> 11 !== Opcode.QUERY) return SHORT;
  if (rcode === Rcode.NXDOMAIN ? answers > 0 : rcode !== Rcode.NOERROR) return SHORT;
  const seen = new Seen();
  let at = HEADER_SIZE;
  for (let i = uint16(message, 4); i > 0; i--) {
    at = behindName(message, at) + 4;
    if (isTransfer(uint16(message, at - 4))) return SHORT;
  }
  const authority = uint16(message, 8);
  const count = answers + authority + uint16(message, 10);
  for (let i = 0; i < count; i++) {
    at = behindName(message, at);
    if (at + 10 > message.length) return SHORT;
    seen.record(uint16(message, at), message.readUInt32BE(at + 4), i >= answers && i < answers + authority);
    at += 10 + uint16(message, at + 8);
  }
  const delegates = rcode === Rcode.NOERROR && answers === 0 && seen.servers && !seen.soa;
  return delegates || !seen.any || seen.extended ? SHORT : seen.least;
}

/** What the records of a message come to. */
class Seen {
  least: Seconds = LONGEST;
  any = false;
  soa = false;
  servers = false;
  /** The rcode does not fit into the header. */
  extended = false;

  record(type: number, ttl: number, authority: boolean): void {
    if (type === Type.OPT) {
      this.extended = ttl >>> 24 !== 0;
      return;
    }
    this.any = true;
    if (authority && type === Type.SOA) this.soa = true;
    if (authority && type === Type.NS) this.servers = true;
    if (ttl < this.least) this.least = ttl;
  }
}

const isTransfer = (type: number): boolean => type === Type.AXFR || type === Type.IXFR;
