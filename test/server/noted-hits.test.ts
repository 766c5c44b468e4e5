import { expect, it } from 'vitest';
import type { SharedAnswerCache } from '../../src/fastpath/shared-answer-cache.js';
import type { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { tellOfHits } from '../../src/server/noted-hits.js';
import { TestLog } from '../support/block.js';

it('what is said of lines that were lost is said only where some were', () => {
  const log = new TestLog();
  const notes: number[] = [];
  const cache = { note: (note: number) => void notes.push(note), lostNotes: (_count: number): void => undefined };
  const pool = { onNoted: (_note: number): void => undefined };
  tellOfHits(pool as unknown as UdpWorkerPool, cache as unknown as SharedAnswerCache, log);
  cache.lostNotes(0);
  expect(log.lines).toEqual([]);
  cache.lostNotes(1);
  expect(log.lines).toEqual(['[WARNING] 1 lines of this log were lost: the answers that they tell of had left before']);
  pool.onNoted(7);
  expect(notes).toEqual([7]);
});
