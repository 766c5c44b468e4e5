import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { StartingThreads, beginThread } from '../../src/fastpath/starting-thread.js';

/** A program for a thread. */
const program = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const WAITS = program("import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => undefined);");
const exitOf = (worker: Worker): Promise<number> => new Promise((resolve) => worker.once('exit', resolve));

describe('a thread that is begun', () => {
  it('says when it runs, once', async () => {
    let told = 0;
    const worker = beginThread(program(''), () => told++);
    expect(await exitOf(worker)).toBe(0);
    expect(told).toBe(1);
  });

  it('takes nobody with it where its program fails', async () => {
    expect(await exitOf(beginThread(program("throw new Error('it is broken')")))).toBe(1);
  });
});

describe('threads that are begun before they are needed', () => {
  it('are taken one by one, those that have ended passed over', async () => {
    const ended = beginThread(program(''));
    await exitOf(ended);
    const [first, second] = [beginThread(WAITS), beginThread(WAITS)];
    const threads = new StartingThreads([first, ended, second, ended]);
    expect([threads.take(), threads.take(), threads.take()]).toEqual([second, first, undefined]);
    await Promise.all([first.terminate(), second.terminate()]);
  });

  it('are ended where nobody takes them', async () => {
    const workers = [beginThread(WAITS), beginThread(WAITS)];
    const threads = new StartingThreads([...workers]);
    const ended = Promise.all(workers.map((worker) => once(worker, 'exit')));
    threads.endRest();
    await ended;
    expect(threads.take()).toBeUndefined();
  });
});
