import { recursive } from '../lab/pods/outside-network.js';
import { LabFileError } from '../lab/topology/reader.js';
import type { Topology } from '../lab/topology/topology.js';
import { HostNetwork } from '../net/host-network.js';
import type { Endpoint, Network } from '../net/network.js';
import { PLUGINS } from '../server/directives.js';
import { textLog } from '../server/log.js';
import { Server } from '../server/server.js';

const LOOPBACK = '127.0.0.1';

/**
 * Serves at a port of the loopback interface what the first resolver of a topology answers, until a signal; resolves
 * with the exit code.
 */
export async function world(topology: Topology, port: number): Promise<number> {
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
  const resolver = topology.hosts.find((host) => host.corefile !== undefined);
  if (!resolver)
    throw new LabFileError(topology.name, 'has no host with a Corefile, and so nothing outside the cluster');
  const server = await Server.create({
    corefile: { name: `corefile of ${resolver.name}`, read: () => resolver.corefile! },
    defaultPort: port,
    network: onLoopback(new HostNetwork()),
    env: {},
    log: textLog(),
    plugins: [recursive, ...PLUGINS],
  });
  await server.listen();
  process.stdout.write(`the world outside ${topology.name} answers at ${LOOPBACK} port ${server.served[0]!.port}\n`);
  await ended;
  await server.stop();
  return 0;
}

/** Listens at the loopback address where a program listens at all. */
function onLoopback(inner: Network): Network {
  const place = (at: Endpoint): Endpoint => (at.address === '' ? { ...at, address: LOOPBACK } : at);
  return {
    bindUdp: (at, onDatagram) => inner.bindUdp(place(at), onDatagram),
    listenTcp: (at, onConnection) => inner.listenTcp(place(at), onConnection),
    connectUdp: (to, onDatagram, onError) => inner.connectUdp(to, onDatagram, onError),
    connectTcp: (to, signal) => inner.connectTcp(to, signal),
    interfaces: () => inner.interfaces(),
  };
}
