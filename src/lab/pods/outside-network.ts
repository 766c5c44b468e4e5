import { Reply, definePlugin, mapReply, onlyOne } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Network } from '../../net/network.js';
import { Flag, decodeMessage, encodeMessage } from '../../wire/index.js';

/**
 * `recursive`: lets the answers of a block look like those of a resolver, not of the zones' own servers: without AA,
 * with RA
 * (RFC 1035 section 4.1.1). For hosts of a topology only.
 */
export const recursive = definePlugin('recursive', (directives) => {
  const directive = onlyOne(directives);
  directive.noOptions();
  return {
    name: 'recursive',
    role: 'observes',
    dependsOn: 'question',
    handle: (query, next) => mapReply(next(query), recursively),
  };
});

const recursively = (reply: Reply): Reply =>
  reply.written ? Reply.of((reply.flags & ~Flag.AA) | Flag.RA, reply.rcode, reply.sections, reply.edns) : reply;

/**
 * A network whose program compresses all it sends by UDP, as resolvers on the Internet do, and whose datagrams take
 * `delay` milliseconds to leave.
 */
export function farAway(inner: Network, clock: Clock, delay: Milliseconds): Network {
  return {
    bindUdp: async (at, onDatagram) => {
      const socket = await inner.bindUdp(at, onDatagram);
      return {
        local: socket.local,
        send: (bytes, length, to) => {
          const small = encodeMessage(decodeMessage(Buffer.from(bytes.subarray(0, length))), true);
          if (delay === 0) socket.send(small, small.length, to);
          else clock.setTimeout(() => socket.send(small, small.length, to), delay);
        },
        close: () => socket.close(),
      };
    },
    connectUdp: (to, onDatagram, onError) => inner.connectUdp(to, onDatagram, onError),
    listenTcp: (at, onConnection) => inner.listenTcp(at, onConnection),
    connectTcp: (to, signal) => inner.connectTcp(to, signal),
    interfaces: () => inner.interfaces(),
  };
}
