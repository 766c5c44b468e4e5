import { describe, expect, it } from 'vitest';
import { StubResolver, runNslookup } from '../../src/resolver/index.js';
import { makePacket } from '../../src/resolver/packet.js';
import { CLUSTER_DNS, FakeNetwork, lab } from './lab.js';

it.each([
  { drawn: 0, id: 0 },
  { drawn: 0xffff_ffff, id: 65_535 },
])('the id of a query is any of 16 bits: $id', ({ drawn, id }) => {
  const packet = makePacket({ uint32: () => drawn }, 'a.test.', 1);
  expect([packet.id, packet.bytes.readUInt16BE(0)]).toEqual([id, id]);
});

describe('musl', () => {
  it('tells that it has no socket to send from', async () => {
    const network = new FakeNetwork();
    network.bindUdp = () => Promise.reject(Object.assign(new Error('too many'), { code: 'EMFILE' }));
    const { env, finish } = lab(undefined, network);
    const { queries, error, cost } = await finish(new StubResolver({ ...env, profile: 'musl' }).lookup('google.com.'));
    expect(error?.code).toBe('EAI_AGAIN');
    expect(queries.map(({ protocol, server, local }) => [protocol, server.address, local])).toEqual([
      ['udp', CLUSTER_DNS, undefined],
    ]);
    expect(cost.packets).toBe(0);
  });
});

describe('nslookup', () => {
  it.each([
    { words: 'google.com.', asked: ['A google.com. 100', 'AAAA google.com. 100'] },
    { words: '-norecurse google.com.', asked: ['A google.com. 0', 'AAAA google.com. 0'] },
    { words: '-type=MX google.com.', asked: ['MX google.com. 100'] },
    { words: '-type=ANY google.com.', asked: ['ANY google.com. 100'], protocol: 'tcp' },
    { words: '-vc -type=A google.com.', asked: ['A google.com. 100'], protocol: 'tcp' },
    { words: '10.96.0.10', asked: ['PTR 10.0.96.10.in-addr.arpa. 100'] },
    { words: '-type=A 10.96.0.10', asked: ['A 10.96.0.10.default.svc.cluster.local. 100'] },
  ])('$words', async ({ words, asked, protocol = 'udp' }) => {
    const { env, network, finish } = lab();
    await finish(runNslookup(words.split(' '), env));
    expect(network.asked.slice(0, asked.length).map((line) => line.replace(/^(\S+) \S+ \d+ /, '$1 '))).toEqual(
      asked.map((line) => `${protocol} ${line}`),
    );
  });

  it.each([
    { words: '-timeout=1 timeout.', times: 3, took: 3000 },
    { words: '-timeout=2 -retry=2 timeout.', times: 2, took: 4000 },
    { words: '-retry=1 timeout.', times: 1, took: 5000 },
  ])('waits: $words', async ({ words, times, took }) => {
    const { env, network, clock, finish } = lab();
    const start = clock.now();
    await finish(runNslookup(words.split(' '), env));
    expect(network.asked).toHaveLength(times);
    expect(clock.now() - start).toBeGreaterThanOrEqual(took);
    expect(clock.now() - start).toBeLessThan(took + 100);
  });
});
