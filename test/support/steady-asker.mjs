// Asks `ADDRESS...` for `NAME` over UDP and TCP, `RATE` times a second in all, until its standard input ends: from `one`
// UDP socket, or from one for `each` query. Then it prints what came of it as JSON. Every query is sent once; one without
// an answer after 5 s, which is how long glibc waits, is lost.
import dgram from 'node:dgram';
import net from 'node:net';

const [name, rateText, sockets, ...addresses] = process.argv.slice(2);
const RATE = Number(rateText);
const PATIENCE = 5000;
/** One in so many goes over TCP, with a connection of its own. */
const TCP = 4;

const qname = Buffer.concat([
  ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
  Buffer.of(0, 0, 1, 0, 1),
]);
const message = (id) => Buffer.concat([Buffer.of(id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), qname]);

let [asked, wrong] = [0, 0];
const lost = { udp: 0, tcp: 0 };
/** When queries were sent that got no answer. */
const lostAt = [];
let pending = 0;

const sent = new Map();
const open = () =>
  dgram
    .createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    .on('error', () => undefined)
    .on('message', (answer) => settle(answer.readUInt16BE(0), answer));
const socket = open();

function settle(id, answer) {
  const query = sent.get(id);
  if (query === undefined) return;
  sent.delete(id);
  query.own?.close();
  clearTimeout(query.timer);
  pending--;
  if (answer === undefined) {
    lost[query.over]++;
    lostAt.push(query.at);
  } else if ((answer[3] & 15) !== 0 || answer.readUInt16BE(6) === 0) wrong++;
}

function ask(i) {
  const id = i & 0xffff;
  const address = addresses[i % addresses.length];
  const over = Math.floor(i / addresses.length) % TCP === 0 ? 'tcp' : 'udp';
  asked++;
  pending++;
  const own = over === 'udp' && sockets === 'each' ? open() : undefined;
  sent.set(id, { at: performance.now(), over, own, timer: setTimeout(() => settle(id), PATIENCE) });
  if (over === 'udp') return (own ?? socket).send(message(id), 53, address, () => undefined);
  const framed = Buffer.concat([Buffer.of(0, qname.length + 12), message(id)]);
  const connection = net.connect(53, address, () => connection.write(framed));
  let got = Buffer.alloc(0);
  connection.on('data', (chunk) => {
    got = Buffer.concat([got, chunk]);
    if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
    settle(id, got.subarray(2));
    connection.destroy();
  });
  connection.on('error', () => settle(id));
  connection.on('close', () => settle(id));
}

socket.bind(0, () => {
  const began = performance.now();
  let done = false;
  const timer = setInterval(() => {
    while (!done && asked < ((performance.now() - began) / 1000) * RATE) ask(asked);
    if (!done || pending > 0) return;
    clearInterval(timer);
    socket.close();
    // The longest row of losses, from the first to the last that are less than 100 ms apart.
    let [longest, from] = [0, 0];
    lostAt.sort((a, b) => a - b);
    lostAt.forEach((at, j) => {
      if (j === 0 || at - lostAt[j - 1] > 100) from = at;
      longest = Math.max(longest, at - from);
    });
    process.stdout.write(`${JSON.stringify({ asked, wrong, lost, longest })}\n`);
  }, 5);
  process.stdin.resume().on('end', () => (done = true));
  process.stdout.write('asking\n');
});
