import { expect, it } from 'vitest';
import { ClientShares } from '../../src/fastpath/client-shares.js';
import type { SharedAnswerCache } from '../../src/fastpath/shared-answer-cache.js';
import { ClientAddress, encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import type { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { Losses } from '../../src/net/losses.js';
import type { Endpoint, OnDatagram } from '../../src/net/network.js';
import { tellOfHits } from '../../src/server/noted-hits.js';
import { Server } from '../../src/server/server.js';
import { TopRecorder } from '../../src/top/recorder.js';
import { decodeMessage } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';
import { query } from '../support/dns.js';
import { FakeNetwork } from '../support/fake-network.js';
import { table } from '../support/shared-answer.js';

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

it('a server over threads shares its answers with them until a reload, and shows what they count', async () => {
  const network = new FakeNetwork();
  const { clock } = network;
  const log = new TestLog();
  let take: OnDatagram = () => undefined;
  const sent: string[] = [];
  const pool = {
    ...{ table: table(), losses: new Losses(), shares: new ClientShares(ClientShares.allocate(), 42) },
    below: { outcomes: () => ({ answered: 3 }) },
    onNoted: undefined as unknown,
    stopped: false,
    stop: (): void => void (pool.stopped = true),
    bindUdp: (local: Endpoint, _server: number, onDatagram: OnDatagram) => {
      take = onDatagram;
      const send = (bytes: Buffer): void => void sent.push(decodeMessage(bytes).question[0]!.name);
      return { local, serving: Promise.resolve(), send, close: () => undefined };
    },
  };
  const server = await Server.create({
    corefile: '.:53 {\n bind 127.0.0.1\n cache\n hosts {\n 192.0.2.7 a.example b.example\n }\n}\n',
    ...{ network, clock, log, top: new TopRecorder(clock, [1, 2]) },
    workerPool: pool as unknown as UdpWorkerPool,
  });
  expect(pool.onNoted).toBeTypeOf('function');
  await server.listen();
  const from = new ClientAddress(encodeSockaddr({ address: '192.0.2.1', port: 4000 }), 0);
  // The first time it is the cache that learns them.
  const names = ['a.example.', 'b.example.', 'a.example.', 'b.example.'];
  for (const name of names) take(Buffer.from(query(name).bytes), from);
  expect([sent, pool.table.size]).toEqual([names, 2]);
  pool.losses.add('refused', 4);
  pool.shares.drop();
  pool.shares.watcher!(true);
  expect(log.lines.at(-1)).toMatch(/^\[WARNING\] overload: /);
  const text = await server.runtime.metrics.text();
  for (const line of [
    'coredns_dns_unsent_datagrams_total{reason="refused"} 4',
    'coredns_dns_kernel_queries_total{outcome="answered"} 3',
    'coredns_dns_overload_dropped_total{reason="client_share"} 1',
  ])
    expect(text).toContain(`${line}\n`);
  const reloaded = server.reload();
  await clock.advanceAsync(20);
  expect([await reloaded, pool.table.size]).toEqual([true, 0]);
  const stopped = server.stop();
  await clock.advanceAsync(20);
  await stopped;
  expect([pool.stopped, clock.pending, network.taken]).toEqual([true, 0, []]);
});
