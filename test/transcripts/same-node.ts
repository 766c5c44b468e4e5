import { World } from '../../src/datapath/world.js';
import type { DatapathEvent } from '../../src/datapath/events.js';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';

export interface SameNode {
  readonly world: World;
  readonly clock: ManualClock;
  readonly events: DatapathEvent[];
}

/** The other recorded cluster: two pods on one node of kind, the client 10.244.1.71 and the web server 10.244.1.182. */
export function sameNode(): SameNode {
  const clock = new ManualClock(Date.UTC(2025, 6, 19, 7, 0, 54));
  const world = new World({
    clock,
    random: seededRandom(3),
    ipam: { mode: 'kubernetes' },
    config: { nativeRoutingCidr: '10.244.0.0/16', neighbourProbes: true },
  });
  world.addNode({
    name: 'kind-worker',
    interfaces: [{ name: 'eth0', addresses: ['172.17.0.4/16'], segment: 'kind', gateway: '172.17.0.1' }],
    podCidr: '10.244.1.0/24',
    routerIp: '10.244.1.113',
  });
  const pinned = { node: 'kind-worker', namespace: 'default' };
  world.addPod({
    ...pinned,
    name: 'server',
    ip: '10.244.1.182',
    endpointId: 359,
    identity: 32693,
    labels: { app: 'server' },
    device: 'lxc49626b6ed5ee',
    ifindex: 9,
    mac: '1e:97:a3:67:c6:d1',
    nodeMac: 'a6:25:b4:a1:25:0a',
  });
  world.addPod({
    ...pinned,
    name: 'client',
    ip: '10.244.1.71',
    endpointId: 2543,
    identity: 30542,
    labels: { app: 'client' },
    device: 'lxc93b551d233cf',
    ifindex: 11,
    mac: 'da:15:43:39:36:5e',
    nodeMac: '32:17:55:23:39:08',
  });
  const events: DatapathEvent[] = [];
  world.events.subscribe((event) => events.push(event));
  return { world, clock, events };
}

/**
 * An HTTP server that answers with `size` octets and closes, and a curl that asks it: 76 octets, as the recordings
 * have them.
 */
export function curlOnce(
  { world, clock }: SameNode,
  size = 327,
  request = 'GET / HTTP/1.1\r\nHost: 10.244.1.182\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n',
): void {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: ';
  const listener = world.pod('default', 'server').process.listen('', 80, (socket) =>
    socket.handle({
      onData: () => {
        clock.advance(3);
        socket.write(Buffer.from(head.padEnd(size, '0')));
      },
      onEnd: () => socket.end(),
    }),
  );
  world.pod('default', 'client').process.connect('10.244.1.182', 80, {
    onConnect: (socket) => socket.write(Buffer.from(request)),
    onData: (socket) => socket.end(),
  });
  listener.close();
}
