// Plays frames into a device and records what comes back: node packet-player.mjs MODULES DEVICE FRAMES REPLIES, to be run
// in the network namespace of the device. Frames are lines of hexadecimal; every 64th is waited for until it is answered,
// so that nothing is lost for want of room.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modules, device, framesFile, repliesFile] = process.argv.slice(2);
const { MSG_DONTWAIT, POLLIN, loadLibc, openLibc } = await import(pathToFileURL(`${modules}/fastpath/libc.js`).href);
const { Batch } = await import(pathToFileURL(`${modules}/fastpath/batch.js`).href);

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ALL = 0x0300;

const libc = loadLibc();
const index = openLibc().lib.func('uint32_t if_nametoindex(const char *)')(device);
const fd = libc.socket(AF_PACKET, SOCK_RAW, ALL);
const address = Buffer.alloc(20);
address.writeUInt16LE(AF_PACKET, 0);
address.writeUInt16LE(ALL, 2);
address.writeInt32LE(index, 4);
const int = (value) => Buffer.from(Int32Array.of(value).buffer);
libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int(64 << 20), 4);
libc.setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, int(1), 4);
if (index === 0 || fd < 0 || libc.bind(fd, address, 20) < 0) throw new Error(`no raw socket at ${device}`);

const frames = readFileSync(framesFile, 'latin1')
  .trim()
  .split('\n')
  .map((line) => Buffer.from(line, 'hex'));
const outgoing = new Batch(libc, 64, 2048);
const incoming = new Batch(libc, 64, 2048);
const polled = libc.memory(8);
polled.bytes.writeInt32LE(fd, 0);
polled.bytes.writeInt16LE(POLLIN, 4);
const replies = [];

/** Takes what comes in until nothing does for so many milliseconds, or until there is a reply to this port. */
function take(quiet, port) {
  for (let seen = false; !seen && libc.poll(polled.pointer, 1, quiet) > 0;) {
    const count = libc.recvmmsg(fd, incoming.pointer, 64, MSG_DONTWAIT, null);
    for (let i = 0; i < count; i++) {
      const frame = Buffer.from(incoming.bytes.subarray(i * 2048, i * 2048 + incoming.length(i)));
      incoming.reset(i);
      replies.push(frame.toString('hex'));
      if (frame.readUInt16BE(frame.readUInt16BE(12) === 0x86dd ? 56 : 36) === port) seen = true;
    }
  }
}

for (let at = 0; at < frames.length; at += 64) {
  const some = frames.slice(at, at + 64);
  some.forEach((frame, i) => {
    outgoing.bytes.set(frame, i * 2048);
    outgoing.setLength(i, frame.length);
    outgoing.setAddress(i, undefined, undefined);
  });
  outgoing.send(fd, some.length, (errno) => {
    throw new Error(`sending: ${errno}`);
  });
  const last = some.at(-1);
  take(2000, last.readUInt16BE(last.readUInt16BE(12) === 0x86dd ? 54 : 34));
}
take(500, -1);
writeFileSync(repliesFile, `${replies.join('\n')}\n`);
