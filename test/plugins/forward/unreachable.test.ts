import { describe, expect, it } from 'vitest';
import { Flag, type Message } from '../../../src/wire/index.js';
import { query } from '../../support/dns.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster, type Answered } from './cluster.js';

const EDNS = { edns: 1232 };

/** Questions that reached an upstream. */
const asked = (cluster: Cluster, number = 1): string[] =>
  cluster.servers[number]!.seen.filter(({ message }) => message.question[0]!.type === 1).map(
    ({ message }) => message.question[0]!.name,
  );

async function warm(cluster: Cluster, count = 30): Promise<void> {
  for (let i = 0; i < count; i++) {
    cluster.ask(`warm${i}.example.`);
    await cluster.elapse(5);
  }
}

const silent = (): void => undefined;
const well = (it: Asked): void => it.reply(goodReply(it.message));

describe('a sole upstream that is gone', () => {
  it.each([
    { name: 'silent', option: '', start: [1], extended: [22] },
    { name: 'silent over TCP', option: 'force_tcp', start: [1], extended: [22] },
    { name: 'refusing', option: '', start: [], extended: [23] },
    { name: 'refusing connections', option: 'force_tcp', start: [], extended: [23] },
  ])('is given up within 1 s: $name', async ({ option, start, extended }) => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\n}`).start(...start);
    for (const number of start) cluster.servers[number]!.answer = silent;
    const answered = cluster.ask('a.example.', 'A', EDNS);
    await cluster.elapse(1000);
    expect(answered).toMatchObject({ outcome: 'SERVFAIL', extended });
    expect(await cluster.metrics(/^coredns_forward_unreachable_total/)).toEqual([
      'coredns_forward_unreachable_total 1',
    ]);
  });

  it.each([
    { name: 'its host is away', gone: 'host', questions: 1, option: '', longest: 1000 },
    { name: 'its process hangs, and several questions wait', gone: 'process', questions: 3, option: '', longest: 1000 },
    {
      name: 'its process hangs, and one question waits right after an answer',
      gone: 'process',
      questions: 1,
      option: '',
      longest: 1000,
    },
    {
      name: 'its process hangs, one question waits right after an answer, and cancel says for how long',
      gone: 'process',
      questions: 1,
      option: '',
      cancel: 500,
      longest: 1800,
    },
    {
      name: 'its process hangs, and one question waits a second after it was heard of',
      gone: 'process',
      quiet: 1000,
      questions: 1,
      option: '',
      longest: 1000,
    },
    {
      name: 'it has no health checks: it may be slow',
      gone: 'host',
      questions: 3,
      option: 'max_fails 0',
      longest: 2050,
    },
  ])(
    'that has answered before is given up in time where $name',
    async ({ gone, quiet, questions, option, cancel, longest }) => {
      const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\n}`).start(1);
      await warm(cluster);
      await cluster.elapse(quiet ?? 0);
      if (gone === 'host') cluster.network.black.add('10.0.0.1');
      else cluster.servers[1]!.answer = silent;
      const answers = Array.from({ length: questions }, (_, i) => {
        const asked = query(`dead${i}.example.`, 'A', EDNS);
        if (cancel !== undefined) asked.context.endsBy(cluster.block.clock.monotonic() + cancel);
        return cluster.watch(asked);
      });
      await cluster.elapse(2100);
      for (const answered of answers) expect(answered).toMatchObject({ outcome: 'SERVFAIL', extended: [22] });
      const took = Math.max(...answers.map((answered) => answered.took));
      expect(took).toBeLessThanOrEqual(longest);
      expect(took).toBeGreaterThan(longest - 200);
    },
  );

  it('is given up as quickly a second time', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    cluster.servers[1]!.answer = silent;
    const answers: Answered[] = [];
    for (let i = 0; i < 30; i++) {
      answers.push(cluster.ask(`dead${i}.example.`));
      await cluster.elapse(100);
    }
    await cluster.elapse(1000);
    expect(answers.map(({ outcome }) => outcome)).toEqual(new Array(30).fill('SERVFAIL'));
    for (const { took } of answers) expect(took).toBeLessThanOrEqual(1000);
  });

  it('is not waited for, but what it says late is there for whoever asks again', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), 1300);
    for (const name of ['a', 'b', 'c']) cluster.ask(`${name}.example.`);
    await cluster.elapse(1400);
    const before = asked(cluster).length;
    const again = cluster.ask('a.example.');
    await cluster.elapse(1);
    expect(again).toMatchObject({ outcome: 'NOERROR', took: 0 });
    expect(asked(cluster).length).toBe(before);
    await cluster.elapse(2000);
    cluster.ask('a.example.');
    await cluster.elapse(1);
    expect(asked(cluster).length).toBe(before + 1);
  });

  it.each<{ name: string; parts?: Partial<Message>; cut?: number; kept: boolean }>([
    { name: 'an answer', parts: {}, kept: true },
    { name: 'a denial', parts: { rcode: 3, answer: [] }, kept: true },
    { name: 'no failure', parts: { rcode: 2, answer: [] }, kept: false },
    { name: 'nothing cut short', parts: { flags: Flag.QR | Flag.TC, answer: [] }, kept: false },
    { name: 'nothing that makes no sense', cut: 3, kept: false },
  ])('is not waited for, and of what it says late there is kept $name', async ({ parts, cut = 0, kept }) => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    cluster.servers[1]!.answer = (it) => {
      const bytes = goodReply(it.message, parts);
      cluster.block.clock.setTimeout(() => it.reply(bytes.subarray(0, bytes.length - cut)), 1300);
    };
    for (const name of ['a', 'b', 'c']) cluster.ask(`${name}.example.`);
    await cluster.elapse(1400);
    const again = cluster.ask('a.example.');
    await cluster.elapse(1);
    if (kept) expect(again).toMatchObject({ took: 0, outcome: parts?.rcode === 3 ? 'NXDOMAIN' : 'NOERROR' });
    else expect(again.outcome).not.toMatch(/^NO|^NX/);
  });

  it('is not waited for by more than 256 at once', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), 1300);
    const names = Array.from({ length: 260 }, (_, i) => `late${i}.example.`);
    for (const name of names) cluster.ask(name);
    await cluster.elapse(1400);
    const again = names.map((name) => cluster.ask(name));
    await cluster.elapse(1);
    expect(again.filter(({ outcome }) => outcome === 'NOERROR').length).toBe(256);
  });

  it.each([
    { name: 'while its health checks are answered', option: '', checks: 0 },
    { name: 'its health checks too, and cancel says for how long', option: '', checks: 1500, cancel: 500 },
    { name: 'where it has none', option: 'max_fails 0', checks: 1500 },
  ])(
    'is waited for where all it answers takes 1.5 s from one moment to the next, $name',
    async ({ option, checks, cancel }) => {
      const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\n}`).start(1);
      await warm(cluster);
      cluster.servers[1]!.answer = (it) =>
        void cluster.block.clock.setTimeout(() => well(it), it.message.question[0]!.type === 2 ? checks : 1500);
      const asked = query('slow.example.');
      if (cancel !== undefined) asked.context.endsBy(cluster.block.clock.monotonic() + cancel);
      const slow = cluster.watch(asked);
      await cluster.elapse(1600);
      expect(slow.outcome).toBe('NOERROR');
    },
  );

  it.each([
    { takes: 1500, attempts: 1 },
    { takes: 2200, attempts: 2 },
    { takes: 4000, attempts: 1 },
  ])(
    'answers late, and is asked no more often than it could answer in time, where it always takes $takes ms',
    async ({ takes, attempts }) => {
      const cluster = await new Cluster('forward . 10.0.0.1 {\n max_fails 0\n}').start(1);
      cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), takes);
      for (let i = 0; i < 20; i++) {
        cluster.ask(`warm${i}.example.`);
        await cluster.elapse(500);
      }
      const slow = cluster.ask('slow.example.');
      await cluster.elapse(6000);
      expect(slow.outcome).toBe('NOERROR');
      expect(slow.took - takes).toBeLessThan(20);
      expect(asked(cluster).filter((name) => name === 'slow.example.')).toHaveLength(attempts);
    },
  );

  it('is waited for where it always takes long, also after a quiet time', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), 400);
    for (let i = 0; i < 10; i++) {
      cluster.ask(`warm${i}.example.`);
      await cluster.elapse(500);
    }
    await cluster.elapse(1000);
    cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), 1500);
    const slow = cluster.ask('slow.example.');
    await cluster.elapse(1600);
    expect(slow.outcome).toBe('NOERROR');
  });

  it('is waited for while it answers health checks: it is at work', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (it) => (it.message.question[0]!.type === 2 ? well(it) : silent());
    const answered = cluster.ask();
    await cluster.elapse(4900);
    expect(answered.outcome).toBe('pending');
    await cluster.elapse(200);
    expect(answered.outcome).toBe('SERVFAIL');
  });

  it('is waited for where it has left as many unanswered before and come back', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n max_fails 0\n}').start(1);
    await warm(cluster);
    let count = 0;
    // Every eighth gets through.
    cluster.servers[1]!.answer = (it) => (++count % 8 === 0 ? well(it) : silent());
    const answers: Answered[] = [];
    for (let i = 0; i < 6; i++) {
      answers.push(cluster.ask(`bad${i}.example.`));
      await cluster.elapse(5100);
    }
    expect(answers.slice(1).map(({ outcome }) => outcome)).toEqual(new Array(5).fill('NOERROR'));
    expect(answers.some(({ took }) => took > 1000)).toBe(true);
  });

  it('is up where it answers queries, whatever becomes of its health checks', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    cluster.servers[1]!.answer = (it) => (it.message.question[0]!.type === 2 ? silent() : well(it));
    cluster.network.black.add('10.0.0.1');
    cluster.ask();
    await cluster.elapse(6000);
    cluster.network.black.clear();
    const back = cluster.ask('back.example.');
    await cluster.elapse(20);
    expect(back.outcome).toBe('NOERROR');
    await cluster.elapse(1200);
    const before = await cluster.metrics(/^coredns_forward_healthcheck_broken_total/);
    const answered = cluster.ask('more.example.');
    await cluster.elapse(20);
    expect(answered.outcome).toBe('NOERROR');
    expect(await cluster.metrics(/^coredns_forward_healthcheck_broken_total/)).toEqual(before);
  });
});

it('no more than 256 late answers are waited for', async () => {
  const cluster = await new Cluster('forward . 10.0.0.1').start(1);
  await warm(cluster);
  cluster.servers[1]!.answer = (it) => void cluster.block.clock.setTimeout(() => well(it), 1300);
  const names = Array.from({ length: 300 }, (_, i) => `n${i}.example.`);
  for (const name of names) cluster.ask(name);
  await cluster.elapse(1400);
  const again = names.map((name) => cluster.ask(name));
  await cluster.elapse(1);
  expect(again.filter(({ outcome }) => outcome === 'NOERROR')).toHaveLength(256);
});

describe('a failure', () => {
  const failed = async (): Promise<Cluster> => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n max_fails 0\n}').start(1);
    cluster.servers[1]!.answer = silent;
    cluster.ask('a.example.', 'A', EDNS);
    await cluster.elapse(1000);
    return cluster;
  };

  it('is remembered for a second, then for longer (RFC 9520)', async () => {
    const cluster = await failed();
    const times: number[] = [];
    for (let at = 0; at < 12_000; at += 100) {
      const before = asked(cluster).length;
      const answered = cluster.ask('a.example.', 'A', EDNS);
      await cluster.elapse(20);
      if (asked(cluster).length > before) times.push(at);
      else if (answered.outcome !== 'pending')
        expect(answered).toMatchObject({ outcome: 'SERVFAIL', took: 0, extended: [13, 22] });
      await cluster.elapse(80);
    }
    // What fails anew takes a second to do so.
    const gaps = times.filter((at, i) => i === 0 || at - times[i - 1]! > 900);
    expect(gaps.length).toBeLessThanOrEqual(4);
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    expect((await cluster.metrics(/^coredns_forward_failures_remembered_total/))[0]).toMatch(/ [1-9]\d*$/);
  });

  it('is that of its question alone', async () => {
    const cluster = await failed();
    cluster.ask('b.example.');
    await cluster.elapse(20);
    expect(asked(cluster).at(-1)).toBe('b.example.');
  });

  it('of an upstream that was gone ends when it is back', async () => {
    const cluster = await failed();
    cluster.servers[1]!.answer = well;
    cluster.ask('b.example.');
    await cluster.elapse(20);
    const answered = cluster.ask('a.example.', 'A', EDNS);
    await cluster.elapse(20);
    expect(answered.outcome).toBe('NOERROR');
  });

  it('takes no more room than 1,024 others', async () => {
    const cluster = await failed();
    for (let i = 0; i < 1024; i++) cluster.ask(`n${i}.example.`);
    await cluster.elapse(960);
    const before = asked(cluster).length;
    cluster.ask('a.example.', 'A', EDNS);
    cluster.ask('n1023.example.');
    await cluster.elapse(20);
    expect(asked(cluster).slice(before)).toEqual(['a.example.']);
  });
});

describe('a query that takes longer than 95 of 100', () => {
  const text = 'forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n}';
  const slowOnes = (cluster: Cluster): void => {
    cluster.servers[1]!.answer = (it) =>
      it.message.question[0]!.name.startsWith('slow')
        ? void cluster.block.clock.setTimeout(() => well(it), 100)
        : well(it);
  };

  it('is sent to another upstream too, early', async () => {
    const cluster = await new Cluster(text).start(1, 2);
    await warm(cluster);
    slowOnes(cluster);
    const answered = cluster.ask('slow.example.');
    await cluster.elapse(200);
    expect(answered.outcome).toBe('NOERROR');
    expect(answered.took).toBeLessThan(40);
    expect(await cluster.metrics(/^coredns_forward_hedges/)).toEqual([
      'coredns_forward_hedges_total{to="10.0.0.2:53"} 1',
      'coredns_forward_hedges_won_total{to="10.0.0.2:53"} 1',
    ]);
    expect((await cluster.metrics(/upstream_silent.*10\.0\.0\.1/))[0]).toMatch(/ 0$/);
  });

  it('shows that the first one is silent: 200 a second notice it within tenths of a second', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2').start(1, 2);
    await warm(cluster, 200);
    cluster.servers[2]!.answer = silent;
    const answers: Answered[] = [];
    for (let i = 0; i < 1000; i++) {
      answers.push(cluster.ask(`n${i}.example.`));
      await cluster.elapse(5);
    }
    await cluster.elapse(500);
    expect(answers.filter(({ took }) => took > 30)).toEqual([]);
    expect(answers.filter(({ took }) => took > 15).length).toBeLessThan(20);
  });

  it('is not, where that is more than a tenth of all', async () => {
    const cluster = await new Cluster(text).start(1, 2);
    await warm(cluster);
    slowOnes(cluster);
    for (let i = 0; i < 300; i++) {
      cluster.ask(`slow${i}.example.`);
      // The others keep the estimate where it is.
      for (let j = 0; j < 2; j++) cluster.ask(`quick${i}.${j}.example.`);
      await cluster.elapse(5);
    }
    await cluster.elapse(300);
    expect(asked(cluster, 2).length).toBeGreaterThan(20);
    expect(asked(cluster, 2).length).toBeLessThan(125);
  });
});

it('says what came back and counted for nothing', async () => {
  const cluster = await new Cluster('forward . 10.0.0.1').start(1);
  cluster.servers[1]!.answer = (it) => {
    if (cluster.servers[1]!.seen.length > 1) return well(it);
    it.reply(goodReply(it.message, { question: [{ name: 'other.example.', type: 1, class: 1 }] }));
    it.reply(goodReply({ ...it.message, id: it.message.id ^ 0x100 }));
  };
  cluster.ask();
  await cluster.elapse(20);
  expect(await cluster.metrics(/^coredns_forward_wrong_replies_total/)).toEqual([
    'coredns_forward_wrong_replies_total{reason="id",to="10.0.0.1:53"} 1',
    'coredns_forward_wrong_replies_total{reason="question",to="10.0.0.1:53"} 1',
  ]);
});
