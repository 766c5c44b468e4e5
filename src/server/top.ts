import type { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { Clock } from '../lib/clock.js';
import type { TopRecorder } from '../top/recorder.js';
import type { ResponderHooks } from './respond.js';

type AnswerListener = NonNullable<ResponderHooks['answered']>;

/** Has all answers of the chain counted, beside what `first` does with them. */
export function watchAnswers(clock: Clock, top: TopRecorder | undefined, first: AnswerListener): AnswerListener {
  if (top === undefined) return first;
  return (query, reply) => {
    first(query, reply);
    top.answered(query, reply.rcode, (clock.monotonic() - query.received) / 1000);
  };
}

/** Has the answers counted that threads give without the chain. */
export function watchHits(top: TopRecorder, workerPool: UdpWorkerPool, sharedAnswers: SharedAnswerCache): void {
  sharedAnswers.watcher = ({ bytes, name, type, rcode, signed, plain, edns }) => {
    top.hits(bytes, name, type, rcode, plain + edns);
    for (const tap of top.taps) tap.hits(bytes, name, type, signed, plain, edns);
  };
  top.refreshed = () => sharedAnswers.harvest();
  // Threads that are yet to start are asked when they have.
  top.sources.push(() => {
    for (const clients of workerPool.clients ?? [])
      clients.take((address, count, nxdomain) => top.hitsOf(address, 0, count, nxdomain));
  });
}
