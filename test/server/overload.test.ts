import { expect, it } from 'vitest';
import { Reply } from '../../src/chain/index.js';
import { ClientShares } from '../../src/fastpath/client-shares.js';
import { ClientAddress, encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { chargeAttempts, reportOverload } from '../../src/server/overload.js';
import { query } from '../support/dns.js';
import { ManualClock } from '../../src/lib/clock.js';

it('shows in metrics and log what waited and was dropped, at most every 10 s', async () => {
  const metrics = new Metrics();
  const clock = new ManualClock();
  const lines: string[] = [];
  const shares = new ClientShares(ClientShares.allocate(), 42);
  reportOverload(shares, metrics, { warning: (line) => lines.push(line) }, clock);
  expect(await metrics.text()).not.toContain('overload');
  for (let i = 0; i < 3; i++) shares.delay();
  shares.drop();
  shares.heaviest = encodeSockaddr({ address: '10.0.0.7', port: 1 });
  shares.watcher!(false);
  shares.drop();
  shares.watcher!(false);
  shares.watcher!(true);
  expect(lines).toEqual([
    'overload: of clients that ask more than their share, 3 queries waited and 1 were dropped; 10.0.0.7 asks most',
    'overload: of clients that ask more than their share, 0 queries waited and 1 were dropped',
  ]);
  expect((await metrics.text()).split('\n').filter((line) => line.startsWith('coredns_dns_overload'))).toEqual([
    'coredns_dns_overload_delayed_total{reason="client_share"} 3',
    'coredns_dns_overload_dropped_total{reason="client_share"} 2',
  ]);
});

it('tells once more after 10 s, where a query waited and one was dropped', async () => {
  const metrics = new Metrics();
  const clock = new ManualClock();
  const lines: string[] = [];
  const shares = new ClientShares(ClientShares.allocate(), 42);
  reportOverload(shares, metrics, { warning: (line) => lines.push(line) }, clock);
  for (const later of [0, 9999, 1]) {
    clock.advance(later);
    shares.delay();
    shares.drop();
    shares.watcher!(false);
  }
  shares.watcher!(true);
  expect(lines).toEqual(
    [1, 2].map(
      (count) =>
        `overload: of clients that ask more than their share, ${count} queries waited and ${count} were dropped`,
    ),
  );
});

it('shows the first query that waited, and the first that was dropped', async () => {
  const metrics = new Metrics();
  const shares = new ClientShares(ClientShares.allocate(), 42);
  reportOverload(shares, metrics, { warning: () => undefined }, new ManualClock());
  shares.delay();
  expect(await metrics.text()).toContain('coredns_dns_overload_delayed_total{reason="client_share"} 1\n');
  expect(await metrics.text()).not.toContain('dropped_total{');
  shares.drop();
  expect(await metrics.text()).toContain('coredns_dns_overload_dropped_total{reason="client_share"} 1\n');
});

it('charges a client for the upstreams that were asked for its query, in parts of it too', () => {
  const shares = new ClientShares(ClientShares.allocate(), 42);
  const sockaddr = encodeSockaddr({ address: '10.0.0.7', port: 1 });
  const asked = query('www.example.org.', 'A', {});
  Object.assign(asked.context.client, { remote: new ClientAddress(sockaddr, 0) });
  const charges: number[] = [];
  shares.charge = (_sockaddr, work) => void charges.push(work);
  asked.context.askedUpstream();
  asked.context.nested().askedUpstream();
  chargeAttempts(shares, undefined)!(asked, Reply.empty(0), undefined);
  expect(charges).toEqual([80]);
});

it.each([
  { name: 'one at a socket of Node, which threads have nothing to do with', remote: { address: '10.0.0.7', port: 1 } },
  { name: 'one of the threads', remote: new ClientAddress(encodeSockaddr({ address: '10.0.0.7', port: 1 }), 0) },
])('has others told of each query, of $name', ({ remote }) => {
  const shares = new ClientShares(ClientShares.allocate(), 42);
  const asked = query('www.example.org.', 'A', {});
  Object.assign(asked.context.client, { remote });
  asked.context.askedUpstream();
  const charges: number[] = [];
  shares.charge = (_sockaddr, work) => void charges.push(work);
  const told: unknown[] = [];
  chargeAttempts(shares, (...what) => void told.push(...what))!(asked, Reply.empty(0), undefined);
  expect([told[0], charges]).toEqual([asked, remote instanceof ClientAddress ? [40] : []]);
});
