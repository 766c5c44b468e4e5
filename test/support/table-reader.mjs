// A thread that reads one answer of a table over and over, for the test of mixed answers. Types are stripped by nobody
// here: it gets the compiled table.
import { parentPort, workerData } from 'node:worker_threads';

const { program, memory, key, hash, stop } = workerData;
const { AnswerTable } = await import(program);
const table = new AnswerTable(memory);
const asked = { words: new Int32Array(key), length: key.byteLength, hash, hasCapitals: false };
const stopped = new Int32Array(stop);
const target = new Uint8Array(1024);
const query = new Uint8Array(64);
let whole = 0;
let mixed = 0;
parentPort.postMessage('ready');
while (Atomics.load(stopped, 0) === 0) {
  const slot = table.find(asked, 0);
  if (slot < 0) continue;
  const sequence = table.sequence(slot);
  if ((sequence & 1) !== 0 || table.find(asked, 0) !== slot) continue;
  const flags = table.flags(slot);
  const length = table.copy(slot, target, 0, query, 12, 20, 0);
  if (!table.unchanged(slot, sequence)) continue;
  whole++;
  // Every answer is made of one octet: in its flags, its counts and all its records.
  const octet = flags & 0xff;
  let same = target[7] === octet && target[9] === octet && target[11] === octet && length === 20 + 8 * octet;
  for (let i = 20; i < length && same; i++) same = target[i] === octet;
  if (!same) mixed++;
}
parentPort.postMessage({ whole, mixed });
