import { workerData } from 'node:worker_threads';
import { Control, type ServedSocket } from './control.js';
import { MSG_DONTWAIT, POLLIN, loadLibc } from './libc.js';
import { Ring } from './ring.js';
import { AnswerTable } from './table.js';
import { Taker } from './taker.js';
import { WAIT, type WorkerData } from './worker-data.js';

const data = workerData as WorkerData;
const libc = await loadLibc();
const control = new Control(data.control);
const taker = new Taker(libc, new AnswerTable(data.table, data.slots), new Ring(data.ring));
const polled = libc.memory(8 * 64);

let version = 0;
let sockets: ServedSocket[] = [];
while (!control.stopped) {
  if (control.version !== version) {
    version = control.version;
    sockets = control.sockets();
    sockets.forEach(({ fd }, i) => {
      polled.bytes.writeInt32LE(fd, 8 * i);
      polled.bytes.writeInt16LE(POLLIN, 8 * i + 4);
    });
  }
  if (sockets.length === 0) control.waitForChange(version);
  else if (sockets.length === 1) taker.take(sockets[0]!);
  else if (libc.poll(polled.pointer, sockets.length, WAIT) > 0) {
    sockets.forEach((socket, i) => {
      if (polled.bytes.readInt16LE(8 * i + 6) !== 0) taker.take(socket, MSG_DONTWAIT);
    });
  }
}
