import { describe, expect, it } from 'vitest';
import { Reply } from '../../../src/chain/index.js';
import { SOA, World, counting, fixed } from './world.js';

const HELP = {
  entries: '# HELP coredns_cache_entries The number of elements in the cache.\n# TYPE coredns_cache_entries gauge\n',
  evictions:
    '# HELP coredns_cache_evictions_total The count of cache evictions.\n# TYPE coredns_cache_evictions_total counter\n',
  hits: '# HELP coredns_cache_hits_total The count of cache hits.\n# TYPE coredns_cache_hits_total counter\n',
  misses:
    '# HELP coredns_cache_misses_total The count of cache misses. Deprecated, derive misses from cache hits/requests counters.\n# TYPE coredns_cache_misses_total counter\n',
  prefetch:
    '# HELP coredns_cache_prefetch_total The number of times the cache has prefetched a cached item.\n# TYPE coredns_cache_prefetch_total counter\n',
  requests:
    '# HELP coredns_cache_requests_total The count of cache requests.\n# TYPE coredns_cache_requests_total counter\n',
  stale:
    '# HELP coredns_cache_served_stale_total The number of requests served from stale cache entries.\n# TYPE coredns_cache_served_stale_total counter\n',
};

describe('cache metrics', () => {
  it('hits that were answered elsewhere keep an entry from leaving', async () => {
    const world = new World('cache {\nsuccess 1024\n}', counting(3600));
    await world.reply('n0.example.org.');
    const asked = world.question('n0.example.org.');
    const hit = (await world.ask(asked)) as Reply;
    for (let i = 1; i < 1024; i++) await world.ask(world.question(`n${i}.example.org.`));
    world.seconds(2);
    world.handler.hitCounter(asked)(3, 0, hit.lease);
    expect(await world.metric('hits_total{type="success"}')).toBe(4);
    await world.reply('late.example.org.');
    const before = world.asked.length;
    await world.reply('n0.example.org.');
    expect(world.asked.length).toBe(before);
  });

  it('shows every family with its help, and labels in alphabetical order', async () => {
    const world = new World('cache 10 {\nsuccess 1\nprefetch 1\nserve_stale\n}', counting(300));
    for (let i = 0; i < 1025; i++) await world.ask(world.question(`n${i}.example.org.`));
    await world.reply('n1024.example.org.');
    world.seconds(10);
    await world.reply('n1024.example.org.');
    const text = await world.block.metrics.text();
    for (const help of Object.values(HELP)) expect(text).toContain(help);
    const labels = 'server="dns://127.0.0.1:53"';
    expect(text.split('\n').filter((line) => line.startsWith('coredns_cache_'))).toEqual([
      `coredns_cache_entries{${labels},type="denial",view="",zones="."} 0`,
      `coredns_cache_entries{${labels},type="success",view="",zones="."} 1024`,
      `coredns_cache_evictions_total{${labels},type="success",view="",zones="."} 1`,
      `coredns_cache_hits_total{${labels},type="success",view="",zones="."} 2`,
      `coredns_cache_misses_total{${labels},view="",zones="."} 1025`,
      `coredns_cache_prefetch_total{${labels},view="",zones="."} 1`,
      `coredns_cache_requests_total{${labels},view="",zones="."} 1027`,
      `coredns_cache_served_stale_total{${labels},view="",zones="."} 1`,
    ]);
  });

  it('counts replies that it does not keep because they answer another question', async () => {
    const world = new World('cache', fixed({ answer: ['other.test. 300 IN A 192.0.2.1'] }));
    expect(await world.metric('drops_total')).toBeUndefined();
    await world.reply('www.example.org.');
    await world.reply('www.example.org.');
    expect([await world.metric('drops_total'), world.asked.length]).toEqual([2, 2]);
    expect(await world.block.metrics.text()).toContain(
      '# HELP coredns_cache_drops_total The number responses that are not cached, because the reply is malformed.\n',
    );
  });

  it('names the zones in the order of the Corefile', async () => {
    const world = new World('cache example.org example.com', counting(300));
    await world.reply('www.example.org.');
    expect(await world.block.metrics.text()).toContain(
      'coredns_cache_requests_total{server="dns://127.0.0.1:53",view="",zones="example.org.,example.com."} 1',
    );
  });

  it.each([
    { name: 'an answer', answer: counting(300), success: 1, denial: 0 },
    { name: 'a denial', answer: fixed({ rcode: 3, authority: [SOA] }), success: 0, denial: 1 },
    { name: 'a failure', answer: fixed({ rcode: 2 }), success: 0, denial: 1 },
    { name: 'a referral', answer: fixed({ authority: ['sub. 300 IN NS b.'] }), success: 1, denial: 0 },
  ])('counts under its type: $name', async ({ answer, success, denial }) => {
    const world = new World('cache', answer);
    await world.reply('www.example.org.');
    await world.reply('www.example.org.');
    expect([await world.metric('entries{type="success"}'), await world.metric('entries{type="denial"}')]).toEqual([
      success,
      denial,
    ]);
    expect([await world.metric('hits_total{type="success"}'), await world.metric('hits_total{type="denial"}')]).toEqual(
      [success || undefined, denial || undefined],
    );
  });

  it('shows no entries before anything was kept', async () => {
    const world = new World('cache', () => Reply.failure(2));
    await world.reply('www.example.org.');
    expect(await world.metric('entries')).toBeUndefined();
    expect(await world.metric('misses_total')).toBe(1);
  });
});
