import type { CaptureEvent, DatapathEvent } from '../../../src/datapath/events.js';
import type { NetNs } from '../../../src/datapath/netns/netns.js';
import type { World } from '../../../src/datapath/world.js';
import { SocketError } from '../../../src/datapath/errors.js';
import { conntrackList } from '../../../src/observe/host-lists.js';
import { tcpdumpLines } from '../../../src/observe/tcpdump/tcpdump.js';
import { frame } from '../../../src/wire/index.js';
import type { Lab } from '../../datapath/lab.js';
import { CACHE_IP, CACHE_NODE, CLUSTER_DNS, PORT, SERVERS, namespacesOf, processOf } from './cluster.js';
import type { Seen } from './lines.js';
import type { Row } from './rows.js';

/** Asks for the address of webpod, as dig does without EDNS: ID 1, recursion desired. */
const QUERY = Buffer.from(
  '000101000001000000000000' + '06776562706f640764656661756c740373766307636c7573746572056c6f63616c00' + '00010001',
  'hex',
);
/** An authoritative answer of 10.96.152.212 with a TTL of 0. */
const ANSWER = Buffer.from('c00c0001000100000000' + '0004' + '0a6098d4', 'hex');

function answerTo(query: Uint8Array): Uint8Array {
  const reply = Buffer.concat([query, ANSWER]);
  reply.writeUInt16BE(0x8580, 2);
  reply.writeUInt16BE(1, 6);
  return reply;
}

/** Runs a flow in the model. */
export function runInModel({ world, events, clock }: Lab, row: Row): Seen {
  for (const id of SERVERS) serve(world, id, '0.0.0.0');
  for (const ip of [CACHE_IP, CLUSTER_DNS]) serve(world, `node/${CACHE_NODE}`, ip);
  processOf(world, 'pod/kube-system/near').udp().bind('0.0.0.0', PORT.silent);
  events.length = 0;
  ask(world, row);
  const names = [...namespacesOf(world)];
  return {
    packets: Object.fromEntries(names.map(([id, netns]) => [id, linesOf(netns, events)])),
    entries: Object.fromEntries(
      [...world.cluster.nodes].map(([name, node]) => [name, conntrackList(node, node.uptime(clock.now()))]),
    ),
  };
}

/** What tcpdump would print in a namespace, each line after the time to live. */
function linesOf(netns: NetNs, events: readonly DatapathEvent[]): string[] {
  return events
    .filter((event): event is CaptureEvent => event.kind === 'capture' && event.netns === netns.id)
    .flatMap((event) =>
      tcpdumpLines(['-i', 'any', '-nn', '-t'], netns, [event]).map((line) => `ttl ${event.packet.ttl} ${line}`),
    );
}

function serve(world: World, id: string, ip: string): void {
  const process = processOf(world, id);
  const socket = process.udp({
    onReadable: (ready) => {
      const query = ready.recv();
      if (query) ready.sendTo(answerTo(query.payload), query.address, query.port, query.localAddress);
    },
  });
  socket.bind(ip, 53);
  process.listen(ip, 53, (connection) =>
    connection.handle({
      onData: (from, data) => from.write(frame(answerTo(data.subarray(2)))),
      onEnd: (from) => from.end(),
    }),
  );
}

function ask(world: World, { from, to, port = 53, by = 'UDP', source }: Row): void {
  const process = processOf(world, from);
  if (by === 'ICMP') {
    process.ping(to, { id: 1, seq: 0 });
    return;
  }
  if (by === 'TCP') {
    process.connect(to, port, {
      localAddress: source,
      onConnect: (socket) => socket.write(frame(QUERY)),
      onData: (socket) => socket.end(),
    });
    return;
  }
  const socket = process.udp();
  if (source !== undefined) socket.bind(source);
  socket.connect(to, port);
  try {
    socket.send(QUERY);
    socket.recv();
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'ECONNREFUSED') throw error;
  }
  socket.close();
}
