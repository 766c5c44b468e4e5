import type { IncomingMessage } from 'node:http';

/** Why a request is not served: an HTTP status and a sentence. */
export interface Refused {
  readonly status: number;
  readonly error: string;
}

const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Goes with everything that the page's files and interface answer: nothing is loaded from elsewhere, and nobody
 * frames it.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " +
    "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Goes with what servers in pods answer: it shares the page's origin, and must not become a program there. */
export const PROXY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Why a browser's request may not be served; undefined when it may. The interface runs commands, so pages of other
 * origins are kept out: a name that
 * somebody's DNS points here is no name of this machine (rebinding), and a request that another page makes says where
 * it comes from (Fetch standard: Origin,
 * Sec-Fetch-Site).
 */
export function refusalOf(
  { method = 'GET', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  methods: readonly string[],
): Refused | undefined {
  const host = headers.host ?? '';
  if (!LOOPBACK_NAMES.includes(host.replace(/:\d+$/, '').toLowerCase()))
    return { status: 421, error: `Host: got "${host}", allowed: ${LOOPBACK_NAMES.join(', ')}` };
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return { status: 403, error: `Origin: got "${headers.origin}", allowed: http://${host}` };
  const site = headers['sec-fetch-site'];
  // A link that is followed comes from anywhere; it reads the page and nothing else.
  const followed = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !followed)
    return { status: 403, error: `Sec-Fetch-Site: got "${String(site)}", allowed: same-origin` };
  if (!methods.includes(method)) return { status: 405, error: `method: got ${method}, allowed: ${methods.join(', ')}` };
  // Plain forms can send no JSON.
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return { status: 415, error: `Content-Type: got "${headers['content-type'] ?? ''}", allowed: application/json` };
  return undefined;
}
