// An upstream that answers every A question with one address and every other without a record, over UDP and TCP: `tsx
// upstream.ts PORT`. Run on the load's core.
import dgram from 'node:dgram';
import net from 'node:net';

const port = Number(process.argv[2]);

/** 198.51.100.1, TTL 300, its owner points at the question. */
const ADDRESS = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, 1]);
/** SOA of the root with a negative TTL of 300 (RFC 2308 section 3): empty names, serial 1. */
const NOTHING = Buffer.from([
  0, 0, 6, 0, 1, 0, 0, 1, 44, 0, 22, 0, 0, 0, 0, 0, 1, 0, 0, 0x1c, 0x20, 0, 0, 7, 8, 0, 1, 0x51, 0x80, 0, 0, 1, 44,
]);

/** Header and question of the query with one record behind them. */
function answer(query: Buffer): Buffer {
  let end = 12;
  while (query[end] !== 0) end += query[end]! + 1;
  end += 5;
  const found = query[end - 3] === 1;
  const record = found ? ADDRESS : NOTHING;
  const reply = Buffer.allocUnsafe(end + record.length);
  query.copy(reply, 0, 0, end);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(found ? 1 : 0, 6);
  reply.writeUInt16BE(found ? 0 : 1, 8);
  reply.writeUInt16BE(0, 10);
  record.copy(reply, end);
  return reply;
}
const udp = dgram.createSocket({
  type: 'udp4',
  lookup: (host: string, _: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, 4),
});
udp.on('message', (query, peer) => udp.send(answer(query), peer.port, peer.address));
udp.bind(port, '127.0.0.1');

net
  .createServer({ noDelay: true }, (socket) => {
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
  })
  .listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
