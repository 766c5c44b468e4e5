import type { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { Logger } from '../lib/log.js';

/** Has handlers told of the queries that threads answer, where they want to be; says in the log where they could not. */
export function tellOfHits(workerPool: UdpWorkerPool, sharedAnswers: SharedAnswerCache, log: Logger): void {
  workerPool.onNoted = (note) => sharedAnswers.note(note);
  sharedAnswers.lostNotes = (count) => {
    if (count > 0) log.warning(`${count} lines of this log were lost: the answers that they tell of had left before`);
  };
}
