/** A 16-bit number of a message. */
export const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/** The type of a record, which stands four bytes before its TTL (RFC 1035 section 4.1.3). */
export const typeBefore = (bytes: Uint8Array, ttl: number): number => uint16(bytes, ttl - 4);
