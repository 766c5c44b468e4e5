import dns from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Runtime } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { ipFamily } from '../../lib/cidr.js';

/** Where a reader is, or is waited for. */
export type TapEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number };

const FORMS = 'a path, unix://PATH, tcp://HOST:PORT or tls://HOST:PORT';

/** Throws a CorefileError at the directive. */
export function parseEndpoint(directive: Directive, text: string): TapEndpoint {
  const [, scheme, rest = text] = /^(\w+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === undefined || scheme === 'unix') {
    return rest === '' ? directive.wrong(text, FORMS, 'SOCKET') : { kind: 'unix', path: rest };
  }
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})\/?$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if ((scheme !== 'tcp' && scheme !== 'tls') || host === undefined || Number(port) > 65_535)
    return directive.wrong(text, FORMS, 'SOCKET');
  return { kind: scheme, host, port: Number(port) };
}

/** Opens a connection to a reader. A name is looked up by the system. */
export async function dial(
  endpoint: TapEndpoint,
  { network }: Pick<Runtime, 'network'>,
  verify: boolean,
  signal: AbortSignal,
): Promise<Duplex> {
  if (endpoint.kind === 'unix') return connected(net.connect({ path: endpoint.path }), 'connect', signal);
  const { host, port } = endpoint;
  const address = ipFamily(host) === 0 ? (await dns.lookup(host)).address : host;
  const { stream } = await network.connectTcp({ address, port }, signal);
  if (endpoint.kind === 'tcp') return stream;
  // A certificate for an address names it; only names are asked for (RFC 6066 section 3).
  const named = ipFamily(host) === 0 ? { servername: host } : {};
  const socket = tls.connect({ socket: stream, host, ...named, rejectUnauthorized: verify });
  return connected(socket, 'secureConnect', signal);
}

/** Settles when a socket is open; closes it where that fails or is given up. */
async function connected<Socket extends Duplex>(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<Socket> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
