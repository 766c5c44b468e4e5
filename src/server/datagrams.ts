import type { Runtime } from '../chain/index.js';
import { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import { showKernel } from './kernel-metrics.js';
import { showLosses } from './losses.js';
import { tellOfHits } from './noted-hits.js';
import { reportOverload } from './overload.js';
import type { Responder } from './respond.js';
import type { ServerOptions } from './server-options.js';
import { watchHits } from './top.js';
import { PlainUdp, SharedUdp, type UdpListening } from './udp.js';

/** What takes a server's datagrams, and the answers that it shares with the threads where there are some. */
export interface DatagramTaking {
  readonly udp: UdpListening;
  readonly sharedAnswers: SharedAnswerCache | undefined;
}

/** Sets up who takes datagrams, with the metrics and log lines that tell of it. */
export function datagramsOf(
  { workerPool, top }: ServerOptions,
  { metrics, log, clock, network }: Runtime,
  responder: Responder,
): DatagramTaking {
  const plain = new PlainUdp(network, clock, responder);
  showLosses(metrics, [workerPool?.losses, network.losses]);
  if (workerPool === undefined) return { udp: plain, sharedAnswers: undefined };
  const sharedAnswers = new SharedAnswerCache(workerPool.table, clock);
  tellOfHits(workerPool, sharedAnswers, log);
  if (top !== undefined) watchHits(top, workerPool, sharedAnswers);
  reportOverload(workerPool.shares, metrics, log, clock);
  showKernel(metrics, workerPool);
  metrics.onScrape(() => sharedAnswers.harvest());
  return { udp: new SharedUdp(workerPool, sharedAnswers, clock, responder, plain), sharedAnswers };
}
