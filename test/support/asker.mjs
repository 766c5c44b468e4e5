// Asks one question over and over until standard input ends, each after the answer to the one before, and says how often
// each address was the answer, in order: node asker.mjs SERVER PORT MESSAGE, the message in hexadecimal.
import dgram from 'node:dgram';

const [server, port, text] = process.argv.slice(2);
const message = Buffer.from(text, 'hex');
const seen = [];
let lost = 0;
let id = 0;
let timer;
const socket = dgram.createSocket('udp4');

function ask() {
  id = (id + 1) & 0xffff;
  message.writeUInt16BE(id, 0);
  socket.send(message, Number(port), server);
  timer = setTimeout(() => {
    lost++;
    ask();
  }, 2000);
}
socket.on('message', (answer) => {
  if (answer.readUInt16BE(0) !== id) return;
  clearTimeout(timer);
  const address = [...answer.subarray(-4)].join('.');
  const last = seen.at(-1);
  if (last?.address === address) last.times++;
  else {
    seen.push({ address, times: 1 });
    process.stderr.write(`${address}\n`);
  }
  setImmediate(ask);
});
process.stdin.resume().on('end', () => {
  process.stdout.write(JSON.stringify({ seen, lost }));
  process.exit();
});
ask();
