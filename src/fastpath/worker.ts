import { parentPort } from 'node:worker_threads';
import { ClientCounts } from './client-counts.js';
import { ClientShares } from './client-shares.js';
import { HitNotes } from './hit-notes.js';
import { Losses } from '../net/losses.js';
import { SharedSocketList, MAX_SOCKETS, type ServedSocket } from './shared-socket-list.js';
import { MSG_DONTWAIT, POLLIN, loadLibc, viewOf } from './libc.js';
import { RingBuffer } from './ring-buffer.js';
import { sharedNow } from './shared-clock.js';
import { AnswerTable } from './table.js';
import { QueryReceiver } from './query-receiver.js';
import { WAIT, type WorkerData } from './worker-data.js';

const libc = loadLibc();

// What starting has left behind: there is little garbage from here on, and so no collection for a long time.
globalThis.gc?.();

// A thread may be begun before it is known what it is to work on.
parentPort!.once('message', (data: WorkerData) => serve(data));

/** Takes datagrams until it is told to stop; the thread waits in the kernel, and its event loop turns no more. */
function serve(data: WorkerData): void {
  const control = new SharedSocketList(data.control);
  const answers = new AnswerTable('address' in data.table ? viewOf(data.table.address, data.table.size) : data.table);
  const clients = data.clients && new ClientCounts(data.clients);
  const ring = new RingBuffer(data.ring);
  const shares = new ClientShares(data.shares.memory, data.shares.seed);
  const receiver = new QueryReceiver(
    libc,
    answers,
    ring,
    new Losses(data.losses),
    shares,
    sharedNow,
    clients,
    new HitNotes(data.notes),
  );
  const polled = libc.memory(8 * MAX_SOCKETS);
  /** Datagrams keep coming, so that the next call need not be told whether there are some. */
  let busy = false;
  let version = 0;
  let sockets: ServedSocket[] = [];
  while (!control.stopped) {
    if (control.version !== version) {
      receiver.release();
      ({ sockets, version } = control.sockets());
      sockets.forEach(({ fd }, i) => {
        polled.bytes.writeInt32LE(fd, 8 * i);
        polled.bytes.writeInt16LE(POLLIN, 8 * i + 4);
      });
    }
    if (sockets.length === 0) control.waitForChange(version);
    else if (receiver.holdsBack) {
      const taken = sockets.filter((socket) => receiver.take(socket, MSG_DONTWAIT));
      if (taken.length === 0) receiver.goOn();
    }
    // A socket that another process has made non-blocking does not wait by itself.
    else if (sockets.length === 1 && busy) busy = receiver.take(sockets[0]!);
    else if (libc.poll(polled.pointer, sockets.length, WAIT) > 0) {
      busy = true;
      sockets.forEach((socket, i) => {
        if (polled.bytes.readInt16LE(8 * i + 6) !== 0) receiver.take(socket, MSG_DONTWAIT);
      });
    }
  }
  receiver.release();
}
