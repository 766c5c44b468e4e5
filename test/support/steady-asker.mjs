// Asks `ADDRESS...` for `NAME` over UDP and TCP, `RATE` times a second in all, until its standard input ends: from `one`
// set of UDP sockets, or from one for `each` query. Then it prints what came of it as JSON. Every query is sent once; one
// without an answer after 5 s, which is how long glibc waits, is lost.
import dgram from 'node:dgram';
import net from 'node:net';

const [name, rateText, sockets, ...addresses] = process.argv.slice(2);
const RATE = Number(rateText);
const PATIENCE = 5000;
/** One in so many goes over TCP, with a connection of its own. */
const TCP = 4;
/** What the system lets one socket keep is full after a third of a second in which this process does not run. */
const SOCKETS = 32;
/** Between two looks at what is to be asked, in milliseconds. */
const TICK = 5;

const qname = Buffer.concat([
  ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
  Buffer.of(0, 0, 1, 0, 1),
]);
const message = (id) => Buffer.concat([Buffer.of(id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), qname]);

let [asked, wrong] = [0, 0];
const lost = { udp: 0, tcp: 0 };
/** When queries were sent that got no answer. */
const lostAt = [];
/** How many were lost by what was seen of it. */
const why = {};
/** What answers took, in milliseconds. */
const times = [];
let pending = 0;

const sent = new Map();
const open = () =>
  dgram
    .createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    .on('error', () => undefined)
    .on('message', (answer) => settle(answer.readUInt16BE(0), answer));
const shared = Array.from({ length: SOCKETS }, open);

function settle(id, answer, reason = 'no answer') {
  const query = sent.get(id);
  if (query === undefined) return;
  sent.delete(id);
  query.own?.close();
  clearTimeout(query.timer);
  pending--;
  if (answer === undefined) {
    lost[query.over]++;
    lostAt.push(query.at);
    const seen = `${query.over} ${query.connected === false ? 'not connected, ' : ''}${reason}`;
    why[seen] = (why[seen] ?? 0) + 1;
    return;
  }
  times.push(performance.now() - query.at);
  if ((answer[3] & 15) !== 0 || answer.readUInt16BE(6) === 0) wrong++;
}

function ask(i) {
  const id = i & 0xffff;
  const address = addresses[i % addresses.length];
  const over = Math.floor(i / addresses.length) % TCP === 0 ? 'tcp' : 'udp';
  asked++;
  pending++;
  const own = over === 'udp' && sockets === 'each' ? open() : undefined;
  const query = { at: performance.now(), over, own, timer: setTimeout(() => settle(id), PATIENCE) };
  sent.set(id, query);
  if (over === 'udp')
    return (own ?? shared[i % SOCKETS]).send(message(id), 53, address, (error) => {
      // Lost on the way out of this machine, whatever the server does.
      if (error) settle(id, undefined, `not sent, ${error.code}`);
    });
  const framed = Buffer.concat([Buffer.of(0, qname.length + 12), message(id)]);
  query.connected = false;
  const connection = net.connect(53, address, () => {
    query.connected = true;
    connection.write(framed);
  });
  let got = Buffer.alloc(0);
  connection.on('data', (chunk) => {
    got = Buffer.concat([got, chunk]);
    if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
    settle(id, got.subarray(2));
    connection.destroy();
  });
  connection.on('error', ({ code }) => settle(id, undefined, code));
  connection.on('close', () => settle(id, undefined, 'closed'));
}

const bound = Promise.all(
  shared.map((socket) => (sockets === 'each' ? undefined : new Promise((resolve) => socket.bind(0, resolve)))),
);
void bound.then(() => {
  const began = performance.now();
  let done = false;
  let [looked, stood] = [began, 0];
  const timer = setInterval(() => {
    const now = performance.now();
    [looked, stood] = [now, Math.max(stood, now - looked - TICK)];
    while (!done && asked < ((performance.now() - began) / 1000) * RATE) ask(asked);
    if (!done || pending > 0) return;
    clearInterval(timer);
    for (const socket of shared) socket.close();
    // The longest row of losses, from the first to the last that are less than 100 ms apart.
    let [longest, from] = [0, 0];
    lostAt.sort((a, b) => a - b);
    lostAt.forEach((at, j) => {
      if (j === 0 || at - lostAt[j - 1] > 100) from = at;
      longest = Math.max(longest, at - from);
    });
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
    process.stdout.write(
      `${JSON.stringify({ asked, wrong, lost, longest, why, stood, p99, worst: times.at(-1) ?? 0 })}\n`,
    );
  }, TICK);
  process.stdin.resume().on('end', () => (done = true));
  process.stdout.write('asking\n');
});
