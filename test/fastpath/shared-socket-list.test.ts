import { describe, expect, it } from 'vitest';
import { SharedSocketList, type ServedSocket } from '../../src/fastpath/shared-socket-list.js';

const socket = (fd: number): ServedSocket => ({ fd, server: fd + 100, id: fd + 200 });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Both sides, and a way to see whether a promise is settled. */
function sides(): {
  chain: SharedSocketList;
  thread: SharedSocketList;
  watch: (promise: Promise<void>) => () => boolean;
} {
  const memory = SharedSocketList.allocate();
  return {
    chain: new SharedSocketList(memory),
    thread: new SharedSocketList(memory),
    watch: (promise) => {
      let done = false;
      void promise.then(() => (done = true));
      return () => done;
    },
  };
}

describe('the list of sockets', () => {
  it('is empty at first, and not asked for', () => {
    expect(sides().thread.sockets()).toEqual({ sockets: [], version: 0 });
  });

  it('reaches the thread, and is in use when it says so', async () => {
    const { chain, thread, watch } = sides();
    const before = thread.version;
    const serving = chain.serve([socket(3), socket(4)]);
    const done = watch(serving);
    await turn();
    expect(done()).toBe(false);
    expect(thread.version).not.toBe(before);
    expect(thread.sockets()).toEqual({ sockets: [socket(3), socket(4)], version: thread.version });
    await serving;
    expect(done()).toBe(true);
  });

  it('counts as used when a later one is', async () => {
    const { chain, thread } = sides();
    const both = [chain.serve([socket(3)]), chain.serve([socket(4)])];
    expect(thread.sockets().sockets).toEqual([socket(4)]);
    await Promise.all(both);
  });

  it('may shrink to nothing', async () => {
    const { chain, thread } = sides();
    void chain.serve([socket(3)]);
    thread.sockets();
    const serving = chain.serve([]);
    expect(thread.sockets().sockets).toEqual([]);
    await serving;
  });

  it('is no longer waited for when the thread has ended', async () => {
    const { chain, watch } = sides();
    const serving = chain.serve([socket(3)]);
    const done = watch(serving);
    chain.stop();
    await turn();
    expect(done()).toBe(false);
    chain.end();
    await serving;
    await chain.serve([]);
  });
});

it('stopping is seen by a thread that waits for a change', () => {
  const { chain, thread } = sides();
  const { version } = thread.sockets();
  chain.stop();
  // Would never return if the version had stayed the same.
  thread.waitForChange(version);
  expect(thread.stopped).toBe(true);
});
