import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Runtime } from '../../chain/index.js';
import { hostPort, ipFamily } from '../../lib/cidr.js';
import type { TapEndpoint } from './endpoint.js';

type OnReader = (stream: Duplex) => void;

/** A place where readers come, whichever configuration they come to. */
interface ReaderPort {
  accept: OnReader;
  close(): void;
}

/** Those that are open, by server: a reload takes them over from the configuration before. */
const PORTS = new WeakMap<object, Map<string, ReaderPort>>();

const keyOf = (endpoint: TapEndpoint): string =>
  endpoint.kind === 'unix' ? endpoint.path : hostPort(endpoint.host, endpoint.port);

/**
 * Waits for readers at an address, also where the configuration before does so. The returned function stops that,
 * unless another configuration has taken over.
 */
export async function openPort(
  endpoint: TapEndpoint,
  { network }: Pick<Runtime, 'network'>,
  accept: OnReader,
): Promise<() => void> {
  const ports = PORTS.get(network) ?? new Map<string, ReaderPort>();
  PORTS.set(network, ports);
  const key = keyOf(endpoint);
  let port = ports.get(key);
  if (port === undefined)
    ports.set(key, (port = await listen(endpoint, network, (stream) => ports.get(key)?.accept(stream))));
  const own = port;
  own.accept = accept;
  return () => {
    if (own.accept !== accept) return;
    ports.delete(key);
    own.close();
  };
}

async function listen(endpoint: TapEndpoint, network: Runtime['network'], accept: OnReader): Promise<ReaderPort> {
  if (endpoint.kind === 'unix') {
    const server = net.createServer(accept);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(endpoint.path, resolve);
    });
    return { accept, close: () => void server.close() };
  }
  const { host, port } = endpoint;
  if (ipFamily(host) === 0) throw new Error(`got '${host}', allowed: an address to listen at`);
  const listener = await network.listenTcp({ address: host, port }, ({ stream }) => accept(stream));
  return { accept, close: () => listener.close() };
}
