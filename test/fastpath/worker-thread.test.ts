import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import type { ClientShares } from '../../src/fastpath/client-shares.js';
import { RingBuffer } from '../../src/fastpath/ring-buffer.js';
import { SharedSocketList, type ServedSocket } from '../../src/fastpath/shared-socket-list.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import type { WorkerData } from '../../src/fastpath/worker-data.js';
import { WorkerThread, type WorkerHost } from '../../src/fastpath/worker-thread.js';
import { TestLog } from '../support/block.js';

/** The other thread, played by this one. */
class Played extends EventEmitter {
  readonly threadId = 1;
  list!: SharedSocketList;
  ring!: RingBuffer;
  served: readonly ServedSocket[] = [];
  ref(): void {}
  unref(): void {}
  postMessage({ control, ring }: WorkerData): void {
    this.list = new SharedSocketList(control);
    this.ring = new RingBuffer(ring);
  }
  /** Takes over what it is to serve. */
  look(): void {
    this.served = this.list.sockets().sockets;
  }
  /** Hands datagrams over, by the last number of their senders' addresses. */
  hand(...senders: number[]): void {
    for (const sender of senders) {
      const address = encodeSockaddr({ address: `192.0.2.${sender}`, port: 1000 + this.handed++ });
      const batch = {
        size: 8,
        bytes: Buffer.from([sender]),
        addresses: Buffer.from(address),
        controls: Buffer.alloc(40),
      };
      const lengths = { length: () => 1, addressLength: () => address.length, controlLength: () => 0 };
      this.ring.push(7, { ...batch, ...lengths }, 0);
    }
    this.ring.publish();
  }
  private handed = 0;
}

const until = (holds: () => boolean): Promise<boolean> => vi.waitUntil(holds, { timeout: 20_000, interval: 5 });

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

function world() {
  const state = { phase: 'open' as ReturnType<WorkerHost['phase']>, delivered: 0, got: [] as number[], settled: 0 };
  const ran: [client: number, count: number][] = [];
  const workers = [new Played(), new Played()];
  const shares = {
    memory: new SharedArrayBuffer(8),
    seed: 1,
    settle: () => state.settled++,
    ran: (sender: Uint8Array, _work: number, count: number) => void ran.push([sender[7]!, count]),
  };
  const log = new TestLog();
  const host: WorkerHost = {
    ...{ program: new URL('file:///nowhere'), started: undefined, log },
    memory: {} as WorkerHost['memory'],
    shares: shares as unknown as ClientShares,
    begun: () => workers[log.lines.length]! as unknown as Worker,
    phase: () => state.phase,
    socketsOf: () => [{ fd: 3, server: 0, id: 7 }],
    deliver: ({ bytes }) => void state.got.push(bytes[0]!),
    noted: () => undefined,
    delivered: () => void state.delivered++,
  };
  const thread = new WorkerThread(host, 0, undefined);
  const start = async (): Promise<void> => {
    const started = thread.start();
    workers[0]!.look();
    await started;
  };
  const end = async (): Promise<void> => {
    state.phase = 'ended';
    thread.wake();
    await turns(2);
  };
  return { state, ran, workers, log, thread, start, end };
}

it('a thread that hands nothing over costs no turns', async () => {
  const { state, workers, start, end } = world();
  await start();
  await turns(20);
  expect([state.delivered, state.settled]).toEqual([0, 0]);
  workers[0]!.hand(1);
  await until(() => state.got.length > 0);
  await turns(20);
  expect([state.got, state.delivered, state.settled]).toEqual([[1], 1, 1]);
  await end();
});

it('what queries of a client in a row take is charged to it together', async () => {
  const { state, ran, workers, start, end } = world();
  await start();
  workers[0]!.hand(1, 1, 2, 1);
  await until(() => state.got.length === 4);
  await turns(1);
  expect(ran).toEqual([
    [1, 2],
    [2, 1],
    [1, 1],
  ]);
  await end();
});

it('others get their turn after 256 queries', async () => {
  const { state, ran, workers, start, end } = world();
  await start();
  workers[0]!.hand(...new Array<number>(300).fill(1));
  await until(() => state.got.length === 300);
  await turns(1);
  expect(ran).toEqual([
    [1, 256],
    [1, 44],
  ]);
  expect(state.delivered).toBe(2);
  await end();
});

it('another one takes the place of one that dies, serves what that served, and the log says why', async () => {
  const { workers, log, start, end } = world();
  await start();
  const [first, second] = workers as [Played, Played];
  first.emit('error', new Error('out of memory'));
  first.emit('exit', 1);
  expect(log.lines).toEqual(['[ERROR] worker 0 died, starting another: out of memory']);
  await until(() => second.list !== undefined);
  second.look();
  expect(second.served).toEqual([{ fd: 3, server: 0, id: 7 }]);
  await end();
});

it('none takes the place of one that ends with all others', async () => {
  const { state, workers, log, start, end } = world();
  await start();
  state.phase = 'closing';
  workers[0]!.emit('exit', 0);
  expect(log.lines).toEqual([]);
  await end();
});
