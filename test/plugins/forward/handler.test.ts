import { describe, expect, it } from 'vitest';
import { Reply, takesChanges, type Outcome } from '../../../src/chain/index.js';
import { Flag } from '../../../src/wire/index.js';
import { rrs, type QuestionOptions } from '../../support/dns.js';
import type { FakeStream } from '../../support/fake-network.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { policyOf } from '../../../src/plugins/forward/policy.js';
import { seededRandom } from '../../../src/lib/random.js';
import { Cluster } from './cluster.js';

const next = (): Outcome => Reply.empty(9);
const truncated = (asked: Asked): void =>
  asked.reply(
    goodReply(asked.message, asked.protocol === 'udp' ? { answer: [], flags: Flag.QR | Flag.TC | Flag.RA } : {}),
  );

describe('what is forwarded', () => {
  it.each([
    { name: 'everything', line: 'forward . 10.0.0.1', asked: 'a.example.', want: 'NOERROR' },
    { name: 'the zone', line: 'forward example.org 10.0.0.1', asked: 'example.org.', want: 'NOERROR' },
    {
      name: 'a name in the zone, in any case',
      line: 'forward Example.org 10.0.0.1',
      asked: 'A.EXAMPLE.ORG.',
      want: 'NOERROR',
    },
    {
      name: 'not a name that only ends like the zone',
      line: 'forward example.org 10.0.0.1',
      asked: 'myexample.org.',
      want: 'NOTAUTH',
    },
    { name: 'a reverse zone', line: 'forward 10.0.0.0/8 10.0.0.1', asked: '1.2.3.10.in-addr.arpa.', want: 'NOERROR' },
    {
      name: 'not what is excepted',
      line: 'forward . 10.0.0.1 {\n except example.net example.com\n}',
      asked: 'a.example.com.',
      want: 'NOTAUTH',
    },
    {
      name: 'what is excepted if it is the zone itself',
      line: 'forward example.com 10.0.0.1 {\n except example.com\n}',
      asked: 'example.com.',
      want: 'NOERROR',
    },
    {
      name: 'the second directive takes what the first leaves',
      line: 'forward example.org 10.0.0.9\nforward . 10.0.0.1',
      asked: 'example.com.',
      want: 'NOERROR',
    },
  ])('$name', async ({ line, asked, want }) => {
    const cluster = await new Cluster(line).start(1);
    const answered = cluster.ask(asked, 'A', {}, next);
    await cluster.elapse(20);
    expect(answered.outcome).toBe(want);
  });

  it('returns flags, rcode, records and EDNS as the upstream sent them, and asks with flags and EDNS of the client, and RD', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (asked) =>
      asked.reply(
        goodReply(asked.message, {
          flags: Flag.QR | Flag.AA | Flag.AD,
          rcode: 3,
          answer: rrs('www.example.org. 60 IN CNAME web.example.org.'),
          authority: rrs('example.org. 30 IN NS ns.example.org.'),
          additional: rrs('ns.example.org. 20 IN A 192.0.2.53'),
        }),
      );
    const answered = cluster.ask('WWW.example.org.', 'AAAA', { edns: 1232, do: true, cd: true, rd: false });
    await cluster.elapse(20);
    expect(answered.summary).toEqual({
      rcode: 'NXDOMAIN',
      flags: 'aa,ad',
      answer: ['www.example.org. 60 IN CNAME web.example.org.'],
      authority: ['example.org. 30 IN NS ns.example.org.'],
      additional: ['ns.example.org. 20 IN A 192.0.2.53'],
    });
    const { message } = cluster.servers[1]!.seen[0]!;
    expect({ question: message.question, flags: message.flags, edns: message.edns }).toEqual({
      question: [{ name: 'WWW.example.org.', type: 28, class: 1 }],
      flags: Flag.RD | Flag.CD,
      edns: { udpSize: 1232, version: 0, do: true, options: [] },
    });
  });
});

describe('transport', () => {
  it.each<{ name: string; option: string; asked: QuestionOptions; want: string; counts: { udp: number; tcp: number } }>(
    [
      { name: 'UDP for UDP', option: '', asked: {}, want: 'tc,ra', counts: { udp: 1, tcp: 0 } },
      { name: 'TCP for TCP', option: '', asked: { transport: 'tcp' }, want: 'ra', counts: { udp: 0, tcp: 1 } },
      { name: 'force_tcp', option: 'force_tcp', asked: {}, want: 'ra', counts: { udp: 0, tcp: 1 } },
      {
        name: 'prefer_udp and a truncated reply',
        option: 'prefer_udp',
        asked: { transport: 'tcp' },
        want: 'ra',
        counts: { udp: 1, tcp: 1 },
      },
      { name: 'prefer_udp for UDP', option: 'prefer_udp', asked: {}, want: 'ra', counts: { udp: 1, tcp: 1 } },
      {
        name: 'force_tcp before prefer_udp',
        option: 'force_tcp\nprefer_udp',
        asked: { transport: 'tcp' },
        want: 'ra',
        counts: { udp: 0, tcp: 1 },
      },
    ],
  )('$name', async ({ option, asked, want, counts }) => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\n}`).start(1);
    cluster.servers[1]!.answer = truncated;
    const answered = cluster.ask('many.example.org.', 'A', asked);
    await cluster.elapse(30);
    expect((answered.summary as { flags: string }).flags.replace('rd,', '')).toBe(want);
    expect(cluster.counts()[1]).toEqual(counts);
  });

  it('takes a reply that was truncated by cutting it as truncated', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (asked) => asked.reply(goodReply(asked.message, { rcode: 0 }).subarray(0, -2));
    const answered = cluster.ask();
    await cluster.elapse(30);
    expect(answered.summary).toMatchObject({ rcode: 'NOERROR', flags: 'tc,rd,ra' });
  });
});

describe('equal questions', () => {
  it('travel once while one is under way', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    const first = [
      cluster.ask('a.example.', 'A', { id: 1 }),
      cluster.ask('a.example.', 'A', { id: 2 }),
      cluster.ask('a.example.', 'A', { id: 3, port: 9 }),
    ];
    await cluster.elapse(20);
    expect(first.map(({ outcome }) => outcome)).toEqual(['NOERROR', 'NOERROR', 'NOERROR']);
    expect(cluster.counts()[1]).toEqual({ udp: 1, tcp: 0 });
    cluster.ask('a.example.', 'A', { id: 4 });
    await cluster.elapse(20);
    expect(cluster.counts()[1]).toEqual({ udp: 2, tcp: 0 });
    expect(await cluster.metrics(/^coredns_forward_hedges_won/)).toEqual([]);
    expect(await cluster.metrics(/request_duration_seconds_sum/)).toEqual([
      expect.stringMatching(/^coredns_proxy_request_duration_seconds_sum\{[^}]*\} 0\.0\d+$/),
    ]);
    expect(await cluster.metrics(/request_duration_seconds_count/)).toEqual([
      'coredns_proxy_request_duration_seconds_count{proxy_name="forward",rcode="NOERROR",to="10.0.0.1:53"} 2',
    ]);
  });

  it.each<{ name: string; other: { name?: string; type?: string } & QuestionOptions; counts: object }>([
    { name: 'name', other: { name: 'b.example.' }, counts: { udp: 2, tcp: 0 } },
    { name: 'type', other: { type: 'AAAA' }, counts: { udp: 2, tcp: 0 } },
    { name: 'class', other: { class: 3 }, counts: { udp: 2, tcp: 0 } },
    // One question at a time over UDP: each more in flight would be one more chance to forge its answer.
    { name: 'CD', other: { cd: true }, counts: { udp: 1, tcp: 1 } },
    { name: 'AD', other: { ad: true }, counts: { udp: 1, tcp: 1 } },
    { name: 'EDNS', other: { edns: 1232 }, counts: { udp: 1, tcp: 1 } },
    { name: 'transport', other: { transport: 'tcp' }, counts: { udp: 1, tcp: 1 } },
  ])('are those that share $name too', async ({ other: { name = 'a.example.', type = 'A', ...options }, counts }) => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.ask('a.example.');
    cluster.ask(name, type, options);
    await cluster.elapse(30);
    expect(cluster.counts()[1]).toEqual(counts);
  });

  it.each([
    { name: 'that has changed meanwhile', changed: ['example.'], counts: { udp: 2, tcp: 0 } },
    { name: 'while another has changed', changed: ['b.example.'], counts: { udp: 1, tcp: 0 } },
  ])('for a name $name', async ({ changed, counts }) => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    const first = cluster.ask('a.example.');
    for (const handler of cluster.block.handlers().filter(takesChanges)) handler.namesChanged(changed);
    const second = cluster.ask('a.example.');
    await cluster.elapse(30);
    expect([first.outcome, second.outcome]).toEqual(['NOERROR', 'NOERROR']);
    expect(cluster.counts()[1]).toEqual(counts);
  });

  it.each<{ name: string; one?: QuestionOptions; other: { name?: string } & QuestionOptions }>([
    { name: 'RD', other: { rd: false } },
    { name: 'the spelling', other: { name: 'A.eXample.' } },
    { name: 'the size, a little', one: { edns: 1232 }, other: { edns: 1300 } },
    { name: 'cookies', one: { edns: 1232 }, other: { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8, 7) }] } },
  ])('travel once although they differ in $name', async ({ one = {}, other: { name = 'a.example.', ...options } }) => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    const answers = [cluster.ask('a.example.', 'A', one), cluster.ask(name, 'A', options)];
    await cluster.elapse(30);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['NOERROR', 'NOERROR']);
    expect(cluster.counts()[1]).toEqual({ udp: 1, tcp: 0 });
  });

  it('that are asked in another way go over TCP meanwhile, and over UDP where there is no TCP', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    const { answer } = cluster.servers[1]!;
    cluster.servers[1]!.answer = (asked) =>
      asked.protocol === 'udp'
        ? void cluster.block.clock.setTimeout(() => answer(asked), 50)
        : (asked.connection!.stream as FakeStream).reset();
    const answers = [cluster.ask('a.example.'), cluster.ask('a.example.', 'A', { cd: true })];
    await cluster.elapse(500);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['NOERROR', 'NOERROR']);
    expect(cluster.counts()[1]).toEqual({ udp: 2, tcp: 1 });
  });

  it('do not hold up what has to be asked by itself, such as the probe of loop', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.ask('1.2.', 'HINFO', { separate: true });
    cluster.ask('1.2.', 'HINFO', { separate: true });
    await cluster.elapse(20);
    expect(cluster.counts()[1]).toEqual({ udp: 2, tcp: 0 });
  });
});

describe('max_concurrent', () => {
  it('refuses what is beyond it, and counts those who wait for the same', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n max_concurrent 2\n}').start(1);
    const asked = [cluster.ask('a.example.'), cluster.ask('a.example.', 'A', { id: 2 }), cluster.ask('b.example.')];
    await cluster.elapse(20);
    expect(asked.map(({ outcome }) => outcome)).toEqual(['NOERROR', 'NOERROR', 'REFUSED']);
    expect(asked[2]!.cause).toBe('concurrent queries exceeded maximum 2');
    expect(await cluster.metrics(/^coredns_forward_max/)).toEqual(['coredns_forward_max_concurrent_rejects_total 1']);
    const again = cluster.ask('b.example.');
    await cluster.elapse(20);
    expect(again.outcome).toBe('NOERROR');
  });
});

describe('next and failover', () => {
  const rcodes = (codes: Record<number, number>, cluster: Cluster): void => {
    for (const [number, rcode] of Object.entries(codes))
      cluster.servers[Number(number)]!.answer = (asked) => asked.reply(goodReply(asked.message, { rcode, answer: [] }));
  };
  it.each<{ name: string; text: string; codes: Record<number, number>; want: string; asked: number[] }>([
    {
      name: 'next: another forward is asked',
      text: 'forward . 10.0.0.1 {\n next NXDOMAIN\n}\nforward . 10.0.0.2',
      codes: { 1: 3, 2: 0 },
      want: 'NOERROR',
      asked: [1, 1],
    },
    {
      name: 'next: a chain of them',
      text: 'forward . 10.0.0.1 {\n next NXDOMAIN\n}\nforward . 10.0.0.2 {\n next nxdomain refused\n}\nforward . 10.0.0.3',
      codes: { 1: 3, 2: 5, 3: 0 },
      want: 'NOERROR',
      asked: [1, 1, 1],
    },
    {
      name: 'next: other codes stay',
      text: 'forward . 10.0.0.1 {\n next NXDOMAIN\n}\nforward . 10.0.0.2',
      codes: { 1: 5, 2: 0 },
      want: 'REFUSED',
      asked: [1, 0],
    },
    {
      name: 'next: nothing without another forward',
      text: 'forward . 10.0.0.1 {\n next NXDOMAIN\n}',
      codes: { 1: 3 },
      want: 'NXDOMAIN',
      asked: [1],
    },
    {
      name: 'failover: the next upstream is asked',
      text: 'forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n failover SERVFAIL REFUSED\n}',
      codes: { 1: 2, 2: 0 },
      want: 'NOERROR',
      asked: [1, 1],
    },
    {
      name: 'failover: the last reply stands',
      text: 'forward . 10.0.0.1 10.0.0.2 10.0.0.3 {\n policy sequential\n failover SERVFAIL REFUSED\n}',
      codes: { 1: 2, 2: 2, 3: 5 },
      want: 'REFUSED',
      asked: [1, 1, 1],
    },
    {
      name: 'failover: other codes stay',
      text: 'forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n failover SERVFAIL\n}',
      codes: { 1: 3, 2: 0 },
      want: 'NXDOMAIN',
      asked: [1, 0],
    },
    {
      name: 'failover: nothing with one upstream',
      text: 'forward . 10.0.0.1 {\n failover SERVFAIL\n}',
      codes: { 1: 2 },
      want: 'SERVFAIL',
      asked: [1],
    },
  ])('$name', async ({ text, codes, want, asked }) => {
    const cluster = await new Cluster(text).start(...Object.keys(codes).map(Number));
    rcodes(codes, cluster);
    const answered = cluster.ask('a.example.', 'A', {}, next);
    await cluster.elapse(50);
    expect(answered.outcome).toBe(want);
    expect(Object.values(cluster.counts()).map(({ udp }) => udp)).toEqual(asked);
  });

  it('next: a fault behind it reaches the one who asked', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n next REFUSED\n}\nforward example.org 10.0.0.2').start(1);
    rcodes({ 1: 5 }, cluster);
    const answered = cluster.ask('a.example.', 'A', {}, () => {
      throw new Error('broken handler');
    });
    await cluster.elapse(20);
    expect(answered.outcome).toBe('fault: broken handler');
  });

  it('failover: a reply is better than the silence of the others', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n failover REFUSED\n}').start(
      1,
    );
    rcodes({ 1: 5 }, cluster);
    cluster.network.black.add('10.0.0.2');
    const answered = cluster.ask();
    await cluster.elapse(5100);
    expect(answered.outcome).toBe('REFUSED');
  });
});

describe('policy', () => {
  const order = async (policy: string, questions: number): Promise<string> => {
    const cluster = await new Cluster(`forward . 10.0.0.1 10.0.0.2 10.0.0.3 {\n policy ${policy}\n}`).start(1, 2, 3);
    let sequence = '';
    for (const number of [1, 2, 3]) {
      cluster.servers[number]!.answer = (asked) => {
        sequence += number;
        asked.reply(goodReply(asked.message));
      };
    }
    for (let i = 0; i < questions; i++) {
      cluster.ask(`n${i}.example.`);
      await cluster.elapse(5);
    }
    return sequence;
  };
  it('sequential asks the first', async () => expect(await order('sequential', 4)).toBe('1111'));
  it('round_robin asks one after the other', async () => expect(await order('round_robin', 6)).toBe('231231'));
  it('random asks each about as often', async () => {
    const sequence = await order('random', 300);
    for (const number of '123') expect([...sequence].filter((digit) => digit === number).length).toBeGreaterThan(70);
    expect(sequence).not.toMatch(/^(123)+$|^(231)+$|^(312)+$/);
  });
  it.each([
    { name: 'alike', latencies: [10, 12, 14], want: [0.2, 0.2, 0.2], most: [0.5, 0.5, 0.5] },
    { name: 'one slow', latencies: [10, 10, 40], want: [0.4, 0.4, 0.005], most: [0.6, 0.6, 0.06] },
    {
      name: 'one very slow, which is looked at now and then',
      latencies: [1, 900, 1],
      want: [0.4, 0.004, 0.4],
      most: [0.6, 0.02, 0.6],
    },
    { name: 'nothing known of one', latencies: [10, 10, undefined], want: [0.2, 0.2, 0.2], most: [0.5, 0.5, 0.5] },
  ])('latency prefers the quicker: $name', ({ latencies, want, most }) => {
    const list = latencies.map((latency, number) => ({ latency, number }));
    const draw = policyOf('latency', seededRandom(3));
    const first = [0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      const drawn = draw(list);
      expect(drawn.map(({ number }) => number).sort()).toEqual([0, 1, 2]);
      first[drawn[0]!.number]! += 1 / 4000;
    }
    for (const number of [0, 1, 2]) {
      expect(first[number]).toBeGreaterThan(want[number]!);
      expect(first[number]).toBeLessThan(most[number]!);
    }
  });
  it('is latency where the Corefile says nothing', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2').start(1, 2);
    const { answer } = cluster.servers[1]!;
    cluster.servers[1]!.answer = (asked) => void cluster.block.clock.setTimeout(() => answer(asked), 60);
    for (let i = 0; i < 200; i++) {
      cluster.ask(`n${i}.example.`);
      await cluster.elapse(70);
    }
    expect(cluster.counts()[1]!.udp).toBeLessThan(30);
    expect(cluster.counts()[2]!.udp).toBeGreaterThan(170);
  });
});

it('ends its traffic when the block stops, after the queries under way', async () => {
  const cluster = await new Cluster('forward . 10.0.0.1').start(1);
  const answered = cluster.ask();
  const stopped = cluster.block.run('stop');
  expect(answered.outcome).toBe('pending');
  await cluster.elapse(30);
  await stopped;
  expect(answered.outcome).toBe('NOERROR');
  expect(cluster.network.udpSockets).toBe(1);
  expect(cluster.block.clock.pending).toBeLessThanOrEqual(1);
  await cluster.elapse(10_000);
  expect(cluster.block.clock.pending).toBe(0);
});
