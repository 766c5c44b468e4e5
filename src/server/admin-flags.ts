import { isIP } from 'node:net';
import type { FlagSpec } from '../lib/go-flags.js';
import type { Endpoint } from '../net/network.js';

/** Where an admin endpoint listens: at a Unix socket, or at an address of the host itself. */
export type AdminAddress = { readonly path: string } | Endpoint;

/** The admin endpoint of a server. */
export interface AdminOptions {
  readonly at: AdminAddress;
  /** File with the token that callers have to show; always there for an address, where any user of the host connects. */
  readonly tokenFile?: string;
}

export const ADMIN_FLAGS: readonly FlagSpec[] = [
  {
    name: 'admin',
    type: 'string',
    help: 'Where nodens explain, record and top ask: unix:/PATH, or 127.0.0.1:PORT with -admin.token (default: nowhere)',
  },
  { name: 'admin.token', type: 'string', help: 'File with the token that callers of -admin show' },
];

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
