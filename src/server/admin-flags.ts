import { isIP } from 'node:net';
import { parseDuration } from '../lib/duration.js';
import type { FlagSpec } from '../lib/go-flags.js';
import { parseMemory } from '../lib/memory-ceiling.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';

/** Where an admin endpoint listens: at a Unix socket, or at an address of the host itself. */
export type AdminAddress = { readonly path: string } | Endpoint;

/** The admin endpoint of a server. */
export interface AdminOptions {
  readonly at: AdminAddress;
  /** File with the token that callers have to show; always there for an address, where any user of the host connects. */
  readonly tokenFile?: string;
}

/** What of queries is kept for later. */
export interface RecordOptions {
  /** Where it is written to by signal and with a crash; undefined for nowhere. */
  readonly file?: string;
  /** Memory for it. */
  readonly size: Octets;
  /** A query that takes longer is slow. */
  readonly slow: Milliseconds;
}

export const ADMIN_FLAGS: readonly FlagSpec[] = [
  {
    name: 'admin',
    type: 'string',
    help: 'Where nodens explain, record and top ask: unix:/PATH, or 127.0.0.1:PORT with -admin.token (default: nowhere)',
  },
  { name: 'admin.token', type: 'string', help: 'File with the token that callers of -admin show' },
  {
    name: 'record',
    type: 'string',
    help: 'File to which SIGURG and a crash write the last queries that were slow, failed or got stale answers',
  },
  { name: 'record.size', type: 'string', help: 'Memory for such queries, with -record or -admin', default: '1Mi' },
  { name: 'record.slow', type: 'duration', help: 'A query that takes longer is slow', default: '500ms' },
];

/** Less has no room for a query, more is no help to anybody. */
const RECORD_SIZES = { least: 16 << 10, most: 8 << 20 };

/** Longest path of a Unix socket, in bytes (unix(7)), less the end of a name that it has at first. */
const LONGEST_PATH = 95;

const ALLOWED = 'unix:/PATH, 127.0.0.1:PORT or [::1]:PORT';

/** What the flags say: undefined for no endpoint, a text for what is wrong with them. */
export function adminFromFlags(values: Readonly<Record<string, string>>): AdminOptions | string | undefined {
  const [text, token] = [values.admin!, values['admin.token']!];
  if (text === '') return token === '' ? undefined : '-admin.token: there is no -admin that it could be for';
  const at = adminAddress(text);
  if (typeof at === 'string') return `-admin: ${at}`;
  if ('path' in at) return token === '' ? { at } : { at, tokenFile: token };
  if (token === '') return `-admin: ${text} is open to every user of this host; -admin.token FILE says who may ask`;
  return { at, tokenFile: token };
}

/** What the flags say: undefined for no record, a text for what is wrong with them. */
export function recordFromFlags(values: Readonly<Record<string, string>>): RecordOptions | string | undefined {
  const size = parseMemory(values['record.size']!);
  const { least, most } = RECORD_SIZES;
  if (size === undefined || size < least || size > most)
    return `-record.size: got '${values['record.size']}', allowed: 16Ki to 8Mi`;
  const slow = parseDuration(values['record.slow']!);
  if (slow === undefined || slow <= 0) return `-record.slow: got '${values['record.slow']}', allowed: a time as 500ms`;
  const { record, admin } = values;
  if (record === '') return admin === '' ? undefined : { size, slow };
  return { file: record!, size, slow };
}

/** The address that a text names, or what is wrong with it. */
export function adminAddress(text: string): AdminAddress | string {
  const path = /^unix:(?:\/\/)?(\/.*)$/s.exec(text)?.[1];
  if (path !== undefined) {
    if (Buffer.byteLength(path) <= LONGEST_PATH && !path.includes('\0') && !path.endsWith('/')) return { path };
    return `got '${text}', allowed: the path of a file, of at most ${LONGEST_PATH} bytes`;
  }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (digits === undefined || port > 65_535 || isIP(address) === 0) return `got '${text}', allowed: ${ALLOWED}`;
  if (!/^127\./.test(address) && address !== '::1')
    return `got '${text}', which other hosts may reach; allowed: ${ALLOWED}`;
  return { address, port };
}

/** As the flag has it. */
export const adminAddressText = (at: AdminAddress): string =>
  'path' in at ? `unix:${at.path}` : `${at.address.includes(':') ? `[${at.address}]` : at.address}:${at.port}`;
