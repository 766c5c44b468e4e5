import { describe, expect, it } from 'vitest';
import { QueryContext, Query } from '../../../src/chain/index.js';
import { parseRr } from '../../../src/wire/index.js';
import { query } from '../../support/dns.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster } from './cluster.js';

describe('read_timeout', () => {
  it.each([
    { option: 'read_timeout 500ms', took: [500, 510] },
    { option: 'read_timeout 3s', took: [3000, 3010] },
  ])('ends an attempt: $option', async ({ option, took }) => {
    const cluster = await new Cluster(
      `forward . 10.0.0.1 {\n ${option}\n max_connect_attempts 1\n max_fails 0\n}`,
    ).start(1);
    cluster.servers[1]!.answer = () => undefined;
    const asked = cluster.ask();
    await cluster.elapse(6000);
    expect(asked.outcome).toBe('SERVFAIL');
    expect(asked.cause).toMatch(/^read udp .*: i\/o timeout$/);
    expect(asked.took).toBeGreaterThanOrEqual(took[0]!);
    expect(asked.took).toBeLessThanOrEqual(took[1]!);
  });
});

it('asks nobody when the time of a query is over', async () => {
  const cluster = await new Cluster('forward . 10.0.0.1').start(1);
  const made = query('www.example.org.');
  made.context.endsBy(cluster.block.clock.monotonic());
  const asked = cluster.watch(made);
  await cluster.elapse(10);
  expect([asked.outcome, cluster.counts()[1]]).toEqual(['SERVFAIL', { udp: 0, tcp: 0 }]);
});

describe('next_on_nodata', () => {
  const empty = (asked: Asked): void => asked.reply(goodReply(asked.message, { answer: [] }));
  const denied = (asked: Asked): void => asked.reply(goodReply(asked.message, { answer: [], rcode: 3 }));
  const alias = (asked: Asked): void =>
    asked.reply(goodReply(asked.message, { answer: [parseRr('www.example.org. 60 IN CNAME a.example.')] }));
  it.each([
    { name: 'asks the next forward', option: 'next_on_nodata', answer: empty, asked: [1, 1] },
    { name: 'leaves an answer alone', option: 'next_on_nodata', answer: alias, asked: [1, 0] },
    { name: 'leaves a denial alone', option: 'next_on_nodata', answer: denied, asked: [1, 0] },
    { name: 'has to be written', option: 'max_fails 0', answer: empty, asked: [1, 0] },
  ])('$name', async ({ option, answer, asked }) => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n ${option}\n}\nforward . 10.0.0.2`).start(1, 2);
    cluster.servers[1]!.answer = answer;
    cluster.ask();
    await cluster.elapse(10);
    expect(Object.values(cluster.counts()).map(({ udp }) => udp)).toEqual(asked);
  });

  it('does nothing before another plugin', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n next_on_nodata\n}').start(1);
    cluster.servers[1]!.answer = empty;
    const asked = cluster.ask();
    await cluster.elapse(10);
    expect(asked.outcome).toBe('NOERROR');
  });
});

describe('max_age', () => {
  it.each([
    { option: 'max_fails 0', sockets: 1 },
    { option: 'expire 1s\n max_age 2s', sockets: 4 },
  ])('changes sockets that are in use: $option', async ({ option, sockets }) => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n max_idle_conns 1\n ${option}\n}`).start(1);
    for (let i = 0; i < 10; i++) {
      cluster.ask(`n${i}.example.`);
      await cluster.elapse(700);
    }
    expect(new Set(cluster.servers[1]!.seen.map(({ from }) => from.port)).size).toBe(sockets);
  });

  it('changes connections that are in use', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n force_tcp\n expire 1s\n max_age 2s\n}').start(1);
    for (let i = 0; i < 10; i++) {
      cluster.ask(`n${i}.example.`);
      await cluster.elapse(700);
    }
    expect(cluster.servers[1]!.connections.length).toBe(4);
  });
});

describe('source_address', () => {
  it('is where everything comes from', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n source_address 10.0.0.77\n}').start(1);
    cluster.ask('a.example.');
    cluster.ask('b.example.', 'A', { transport: 'tcp' });
    await cluster.elapse(10);
    expect(cluster.network.opened.map(({ to }) => to)).toEqual([
      { address: '10.0.0.1', port: 53, from: '10.0.0.77' },
      { address: '10.0.0.1', port: 53, from: '10.0.0.77' },
    ]);
  });
});

describe('a query that nobody waits for', () => {
  const patient = (): Query => {
    const made = query('www.example.org.');
    return new Query(made.bytes, made.context.detached());
  };

  it('is sent once while there is hope, and faster when somebody asks the same', async () => {
    expect(new QueryContext(query('a.').context.client, 0).patient).toBe(false);
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = () => undefined;
    cluster.send(patient());
    await cluster.elapse(1500);
    expect(cluster.counts()[1]).toEqual({ udp: 1, tcp: 0 });
    cluster.ask();
    await cluster.elapse(100);
    expect(cluster.counts()[1]).toEqual({ udp: 2, tcp: 0 });
  });
});
