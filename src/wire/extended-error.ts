import type { Edns, EdnsOption } from './edns.js';

/** EDNS option of RFC 8914. */
export const EXTENDED_ERROR = 15;

/** Codes of RFC 8914 section 4 that are given here. */
export const ExtendedErrorCode = {
  Other: 0,
  StaleAnswer: 3,
  CachedError: 13,
  NotReady: 14,
  Blocked: 15,
  Filtered: 17,
  Prohibited: 18,
  StaleNxdomain: 19,
  NotAuthoritative: 20,
  NotSupported: 21,
  NoReachableAuthority: 22,
  NetworkError: 23,
  InvalidData: 24,
} as const;

/** A code of RFC 8914 with a text for people; the text is cut at 200 bytes. */
export function extendedError(code: number, text = ''): EdnsOption {
  const words = Buffer.from(text, 'utf8').subarray(0, 200);
  const data = Buffer.allocUnsafe(2 + words.length);
  data.writeUInt16BE(code, 0);
  words.copy(data, 2);
  return { code: EXTENDED_ERROR, data };
}

/** The EDNS part of a reply that has these options to tell and nothing else. */
export const ednsWith = (...options: EdnsOption[]): Edns => ({ udpSize: 0, version: 0, do: false, options });

/** The EDNS part of a failure that this server makes up: who sent an OPT record is told why. */
export const explained = (code: number, text: string): Edns => ednsWith(extendedError(code, text));
