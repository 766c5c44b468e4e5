// A thread of the UDP workers that takes its list of sockets and dies soon after.
import { parentPort } from 'node:worker_threads';

parentPort.once('message', (data) => {
  const control = new Int32Array(data.control);
  for (let i = 0; i < 5; i++) {
    Atomics.store(control, 1, Atomics.load(control, 0));
    Atomics.notify(control, 1);
    Atomics.wait(control, 1, -1, 10);
  }
  throw new Error('on purpose');
});
