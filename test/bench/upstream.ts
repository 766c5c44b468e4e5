// An upstream that answers every A question with one address, over UDP and TCP: `tsx upstream.ts PORT`. Run on the load's core.
import dgram from 'node:dgram';
import net from 'node:net';

const port = Number(process.argv[2]);

/** Header and question of the query, and one A record of TTL 300 whose owner points at the question. */
function answer(query: Buffer): Buffer {
  let end = 12;
  while (query[end] !== 0) end += query[end]! + 1;
  end += 5;
  const reply = Buffer.allocUnsafe(end + 16);
  query.copy(reply, 0, 0, end);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(1, 6);
  reply.writeUInt32BE(0, 8);
  reply.set([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, 1], end);
  return reply;
}

const udp = dgram.createSocket({ type: 'udp4', lookup: ((host: string, _: unknown, done: (error: null, address: string, family: number) => void) => done(null, host, 4)) });
udp.on('message', (query, peer) => udp.send(answer(query), peer.port, peer.address));
udp.bind(port, '127.0.0.1');

net.createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const out: Buffer[] = [];
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const reply = answer(rest.subarray(2, 2 + rest.readUInt16BE(0)));
      const length = Buffer.allocUnsafe(2);
      length.writeUInt16BE(reply.length);
      out.push(length, reply);
      rest = rest.subarray(2 + rest.readUInt16BE(0));
    }
    if (out.length > 0) socket.write(Buffer.concat(out));
  });
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
