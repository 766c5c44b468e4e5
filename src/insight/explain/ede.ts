import type { Message } from '../../wire/index.js';
import type { ToldError } from './story.js';

/** EDNS option of RFC 8914. */
const EXTENDED_ERROR = 15;

/** The registry of codes at IANA ("Extended DNS Error Codes"). */
const NAMES: readonly string[] = [
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
  'Invalid Query Type',
];

/** The extended errors that a message tells. */
export const toldErrors = ({ edns }: Pick<Message, 'edns'>): readonly ToldError[] =>
  (edns?.options ?? [])
    .filter(({ code, data }) => code === EXTENDED_ERROR && data.length >= 2)
    .map(({ data }) => {
      const code = (data[0]! << 8) | data[1]!;
      const text = Buffer.from(data.subarray(2)).toString('utf8').replace(/\0+$/, '');
      return { code, name: nameOfError(code), text };
    });

export const nameOfError = (code: number): string => NAMES[code] ?? 'Unknown';
