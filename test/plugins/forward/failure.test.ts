import { describe, expect, it } from 'vitest';
import { questionEndOf } from '../../../src/exchange/index.js';
import { frame } from '../../../src/wire/index.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster, type Answered } from './cluster.js';

const lie = (asked: Asked): void =>
  asked.reply(goodReply(asked.message, { question: [{ name: 'other.example.', type: 1, class: 1 }] }));
const garbage = (asked: Asked): Buffer =>
  Buffer.concat([goodReply(asked.message).subarray(0, questionEndOf(asked.bytes)), Buffer.alloc(30, 0xff)]);

/** Asks until `upstream` has been heard from, so that its round-trip time is known. */
async function warm(cluster: Cluster, count = 12): Promise<void> {
  for (let i = 0; i < count; i++) {
    cluster.ask(`warm${i}.example.`);
    await cluster.elapse(5);
  }
}

describe('bad upstreams, alone', () => {
  it.each<{
    name: string;
    option?: string;
    answer: (asked: Asked, cluster: Cluster) => void;
    want: string;
    cause?: string;
    took: [number, number];
  }>([
    {
      name: 'dead',
      answer: () => undefined,
      want: 'SERVFAIL',
      cause: 'read udp HERE->10.0.0.1:53: i/o timeout',
      took: [950, 1000],
    },
    {
      name: 'dead over TCP',
      option: 'force_tcp',
      answer: () => undefined,
      want: 'SERVFAIL',
      cause: 'read tcp HERE->10.0.0.1:53: i/o timeout',
      took: [950, 1000],
    },
    {
      name: 'slow',
      answer: (asked, { block }) => void block.clock.setTimeout(() => asked.reply(goodReply(asked.message)), 900),
      want: 'NOERROR',
      took: [900, 920],
    },
    {
      name: 'loses the first datagram',
      answer: (asked, cluster) => cluster.servers[1]!.seen.length > 1 && asked.reply(goodReply(asked.message)),
      want: 'NOERROR',
      took: [300, 330],
    },
    { name: 'answers another question only', answer: lie, want: 'FORMERR', took: [950, 1000] },
    {
      name: 'answers another question, then the right one',
      answer: (asked) => [lie, (it: Asked) => it.reply(goodReply(it.message))].forEach((send) => send(asked)),
      want: 'NOERROR',
      took: [2, 5],
    },
    {
      name: 'answers another question over TCP',
      option: 'force_tcp',
      answer: lie,
      want: 'FORMERR',
      took: [950, 1000],
    },
    {
      name: 'answers with a wrong id',
      answer: (asked) => asked.reply(goodReply({ ...asked.message, id: asked.message.id ^ 0x100 })),
      want: 'SERVFAIL',
      cause: 'read tcp HERE->10.0.0.1:53: i/o timeout',
      took: [950, 1000],
    },
    {
      name: 'answers with garbage',
      answer: (asked) => asked.reply(garbage(asked)),
      want: 'SERVFAIL',
      cause: 'read udp HERE->10.0.0.1:53: i/o timeout',
      took: [5000, 5010],
    },
    {
      name: 'answers with garbage, then well',
      answer: (asked) => [garbage(asked), goodReply(asked.message)].forEach((bytes) => asked.reply(bytes)),
      want: 'NOERROR',
      took: [2, 5],
    },
    {
      name: 'answers with garbage that says it is truncated',
      answer(asked) {
        const bytes = garbage(asked);
        bytes[2]! |= 0x02;
        asked.reply(bytes);
      },
      want: 'NOERROR',
      took: [2, 5],
    },
    {
      name: 'answers FORMERR without the question',
      answer: (asked) =>
        asked.reply(Buffer.concat([asked.bytes.subarray(0, 2), Buffer.of(0x81, 0x81), Buffer.alloc(8)])),
      want: 'FORMERR',
      took: [2, 5],
    },
    {
      name: 'answers with a datagram of 60,000 octets behind the reply',
      answer: (asked) => asked.reply(Buffer.concat([goodReply(asked.message), Buffer.alloc(60_000)])),
      want: 'NOERROR',
      took: [2, 5],
    },
    {
      name: 'closes the connection within a frame',
      option: 'force_tcp\nmax_connect_attempts 2',
      answer(asked) {
        asked.raw(frame(goodReply(asked.message)).subarray(0, 9));
        asked.connection!.stream.end();
      },
      want: 'SERVFAIL',
      cause: 'unexpected EOF',
      took: [100, 150],
    },
    {
      name: 'announces a huge frame and sends little of it',
      option: 'force_tcp',
      answer: (asked) => asked.raw(Buffer.of(0xff, 0xff, 1, 2, 3)),
      want: 'SERVFAIL',
      cause: 'read tcp HERE->10.0.0.1:53: i/o timeout',
      took: [950, 1000],
    },
    {
      name: 'sends a huge frame of garbage',
      option: 'force_tcp',
      answer: (asked) => asked.reply(Buffer.alloc(65_535, 0xff)),
      want: 'SERVFAIL',
      cause: 'read tcp HERE->10.0.0.1:53: i/o timeout',
      took: [950, 1000],
    },
    {
      name: 'answers with garbage over TCP',
      option: 'force_tcp\nmax_connect_attempts 1',
      answer: (asked) => asked.reply(garbage(asked)),
      want: 'SERVFAIL',
      cause: 'compression pointer that does not lead back at octet 27',
      took: [3, 10],
    },
    {
      name: 'speaks no DNS over TCP',
      option: 'force_tcp\nmax_connect_attempts 1',
      answer: (asked) => asked.raw(Buffer.from('\0\x04HTTP/1.1 400 Bad Request')),
      want: 'SERVFAIL',
      cause: 'message of 4 octets from tcp upstream, a header has 12',
      took: [3, 10],
    },
  ])('$name', async ({ option = '', answer, want, cause, took }) => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\nmax_fails 0\n}`).start(1);
    cluster.servers[1]!.answer = (asked) => answer(asked, cluster);
    const answered = cluster.ask('a.example.');
    await cluster.elapse(5100);
    expect(answered.outcome).toBe(want);
    expect(answered.cause?.replace(/127\.0\.0\.1:\d+/, 'HERE')).toBe(cause);
    expect(answered.took).toBeGreaterThanOrEqual(took[0]);
    expect(answered.took).toBeLessThanOrEqual(took[1]);
  });

  it.each([
    {
      name: 'a refused port',
      option: '',
      prepare: () => undefined,
      cause: /^read udp 127\.0\.0\.1:\d+->10\.0\.0\.1:53: read: connection refused$/,
    },
    {
      name: 'a refused connection',
      option: 'force_tcp',
      prepare: () => undefined,
      cause: /^dial tcp 10\.0\.0\.1:53: connect: connection refused$/,
    },
    {
      name: 'no route',
      option: 'force_tcp',
      prepare: (cluster: Cluster) => void cluster.network.unreachable.add('10.0.0.1'),
      cause: /^dial tcp 10\.0\.0\.1:53: connect: network is unreachable$/,
    },
  ])(
    '$name is tried again with pauses for a second, and not at all once health checks call it down',
    async ({ option, prepare, cause }) => {
      const cluster = new Cluster(`forward . 10.0.0.1 {\n${option}\n}`);
      prepare(cluster);
      const answered = cluster.ask();
      await cluster.elapse(2000);
      expect(answered.outcome).toBe('SERVFAIL');
      expect(answered.cause).toMatch(cause);
      expect(answered.took).toBeLessThan(1000);
      // Once down, the next one is told at once.
      const second = cluster.ask('b.example.');
      await cluster.elapse(20);
      expect(second.outcome).toBe('SERVFAIL');
      expect(await cluster.metrics(/^coredns_(forward_healthcheck_broken|proxy_healthcheck_failures)/)).toEqual([
        'coredns_forward_healthcheck_broken_total 1',
        expect.stringMatching(
          /^coredns_proxy_healthcheck_failures_total\{proxy_name="forward",to="10\.0\.0\.1:53"\} [345]$/,
        ) as string,
      ]);
    },
  );
});

describe('an upstream among others', () => {
  const text = 'forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n}';

  it('that falls silent costs the clients of that moment a few hundred milliseconds, and those after them nothing', async () => {
    const cluster = await new Cluster(text).start(1, 2);
    await warm(cluster);
    cluster.network.black.add('10.0.0.1');
    const first = [0, 1, 2].map((i) => cluster.ask(`a${i}.example.`));
    await cluster.elapse(400);
    for (const { outcome, took } of first) {
      expect(outcome).toBe('NOERROR');
      expect(took).toBeLessThan(200);
    }
    const later = cluster.ask('b.example.');
    await cluster.elapse(20);
    expect(later).toMatchObject({ outcome: 'NOERROR', took: 2 });
  });

  it.each([{ option: '' }, { option: 'max_fails 0' }, { option: 'force_tcp' }, { option: 'force_tcp\nmax_fails 0' }])(
    'is back in use once it answers again: $option',
    async ({ option }) => {
      const cluster = await new Cluster(`forward . 10.0.0.1 10.0.0.2 {\n policy sequential\n${option}\n}`).start(1, 2);
      await warm(cluster);
      cluster.network.black.add('10.0.0.1');
      // Open connections do not notice by themselves.
      const { answer } = cluster.servers[1]!;
      cluster.servers[1]!.answer = () => undefined;
      for (let i = 0; i < 30; i++) {
        const answered = cluster.ask(`gone${i}.example.`);
        await cluster.elapse(200);
        expect(answered.outcome).toBe('NOERROR');
        if (i > 1) expect(answered.took).toBeLessThan(30);
      }
      cluster.network.black.clear();
      cluster.servers[1]!.answer = answer;
      for (let i = 0; i < 60; i++) {
        cluster.ask(`back${i}.example.`);
        await cluster.elapse(200);
      }
      const before = cluster.servers[1]!.seen.length;
      cluster.ask('last.example.');
      await cluster.elapse(50);
      expect(cluster.servers[1]!.seen.length).toBe(before + 1);
    },
  );

  it('that refuses is passed over at once', async () => {
    const cluster = await new Cluster(text).start(2);
    const answered = cluster.ask();
    await cluster.elapse(50);
    expect(answered).toMatchObject({ outcome: 'NOERROR', took: 3 });
  });

  it('that is slow gets its answer in while another is asked', async () => {
    const cluster = await new Cluster(text).start(1, 2);
    cluster.servers[1]!.answer = (asked) =>
      void cluster.block.clock.setTimeout(() => asked.reply(goodReply(asked.message, { rcode: 3 })), 350);
    cluster.servers[2]!.answer = (asked) =>
      void cluster.block.clock.setTimeout(() => asked.reply(goodReply(asked.message, { rcode: 5 })), 350);
    const answered = cluster.ask();
    await cluster.elapse(1000);
    expect(answered.outcome).toBe('NXDOMAIN');
    expect(cluster.counts()).toEqual({ 1: { udp: 1, tcp: 0 }, 2: { udp: 1, tcp: 0 } });
  });

  it('that answers other questions is not silent: only the slow one is asked elsewhere too', async () => {
    const cluster = await new Cluster(text).start(1, 2);
    cluster.servers[1]!.answer = (asked) =>
      asked.message.question[0]!.name === 'slow.example.' || asked.reply(goodReply(asked.message));
    const slow = cluster.ask('slow.example.');
    for (let i = 0; i < 40; i++) {
      cluster.ask(`quick${i}.example.`);
      await cluster.elapse(10);
    }
    expect(slow.outcome).toBe('NOERROR');
    expect(cluster.counts()).toEqual({ 1: { udp: 41, tcp: 0 }, 2: { udp: 1, tcp: 0 } });
  });

  it('is asked no more often than max_connect_attempts', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n max_connect_attempts 2\n max_fails 0\n}').start(
      1,
      2,
    );
    for (const number of [1, 2]) cluster.servers[number]!.answer = () => undefined;
    const answered = cluster.ask();
    await cluster.elapse(5100);
    expect(answered.outcome).toBe('SERVFAIL');
    expect(answered.took).toBeLessThan(2500);
    expect(cluster.servers.flatMap(({ seen }) => seen).length).toBe(2);
  });
});

describe('health checks', () => {
  const dead = async (option: string): Promise<Cluster> => {
    const cluster = await new Cluster(`forward . 10.0.0.1 {\n${option}\n}`).start(1);
    cluster.servers[1]!.answer = () => undefined;
    cluster.ask();
    await cluster.elapse(5100);
    return cluster;
  };
  const checks = (cluster: Cluster): object[] =>
    cluster.servers[1]!.seen.filter(({ message }) => message.question[0]!.type === 2).map(({ message, protocol }) => ({
      name: message.question[0]!.name,
      flags: message.flags,
      protocol,
    }));

  it.each([
    { name: 'by default', option: '', want: { name: '.', flags: 0x100, protocol: 'udp' }, atLeast: 3 },
    { name: 'no_rec', option: 'health_check 0.5s no_rec', want: { name: '.', flags: 0, protocol: 'udp' }, atLeast: 3 },
    {
      name: 'domain',
      option: 'health_check 1s domain Example.org',
      want: { name: 'example.org.', flags: 0x100, protocol: 'udp' },
      atLeast: 2,
    },
    { name: 'force_tcp', option: 'force_tcp', want: { name: '.', flags: 0x100, protocol: 'tcp' }, atLeast: 3 },
    {
      name: 'an interval of 0s',
      option: 'health_check 0s',
      want: { name: '.', flags: 0x100, protocol: 'udp' },
      atLeast: 4,
    },
  ])('ask $name', async ({ option, want, atLeast }) => {
    const seen = checks(await dead(option));
    expect(seen.length).toBeGreaterThanOrEqual(atLeast);
    expect(seen.length).toBeLessThan(8);
    expect(new Set(seen.map((check) => JSON.stringify(check)))).toEqual(new Set([JSON.stringify(want)]));
  });

  it('are none with max_fails 0', async () => expect(checks(await dead('max_fails 0'))).toEqual([]));

  it('end with the first reply, whatever it says', async () => {
    const cluster = await dead('');
    cluster.servers[1]!.answer = (asked) => asked.reply(goodReply(asked.message, { rcode: 5, answer: [] }));
    await cluster.elapse(3000);
    const before = checks(cluster).length;
    await cluster.elapse(5000);
    expect(checks(cluster).length).toBe(before);
    const answered = cluster.ask('a.example.');
    await cluster.elapse(20);
    expect(answered.outcome).toBe('REFUSED');
  });

  it('begin anew when an upstream that came back fails again', async () => {
    const cluster = await dead('');
    const server = cluster.servers[1]!;
    server.answer = (asked) => asked.reply(goodReply(asked.message));
    await cluster.elapse(3000);
    const before = checks(cluster).length;
    server.answer = () => undefined;
    cluster.ask('a.example.');
    await cluster.elapse(5100);
    expect(checks(cluster).length).toBeGreaterThanOrEqual(before + 3);
  });

  it('let failfast_all_unhealthy_upstreams answer at once', async () => {
    const cluster = await dead('failfast_all_unhealthy_upstreams');
    const before = cluster.servers[1]!.seen.filter(({ message }) => message.question[0]!.type === 1).length;
    const answered = cluster.ask('a.example.');
    await cluster.elapse(5);
    expect(answered).toMatchObject({ outcome: 'SERVFAIL', cause: 'no healthy proxies', took: 0 });
    expect(cluster.servers[1]!.seen.filter(({ message }) => message.question[0]!.type === 1).length).toBe(before);
  });

  it('are stopped with the block', async () => {
    const cluster = await dead('');
    await cluster.block.run('stop');
    await cluster.elapse(11_000);
    const before = cluster.servers[1]!.seen.length;
    await cluster.elapse(5000);
    expect(cluster.servers[1]!.seen.length).toBe(before);
    expect(cluster.block.clock.pending).toBe(0);
  });
});

describe('an attacker', () => {
  /** Answers queries over UDP late, those over TCP at once. */
  const lateOverUdp = (cluster: Cluster): void => {
    cluster.servers[1]!.answer = (asked) =>
      asked.protocol === 'tcp'
        ? asked.reply(goodReply(asked.message))
        : void cluster.block.clock.setTimeout(() => asked.reply(goodReply(asked.message)), 100);
  };

  it('who has the system report refused ports all the time ends no query', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    lateOverUdp(cluster);
    const answers: Answered[] = [];
    for (let i = 0; i < 40; i++) {
      answers.push(cluster.ask(`a${i}.example.`));
      await cluster.elapse(25);
      for (const { local } of cluster.network.opened) cluster.network.fail(local, 'ECONNREFUSED', 'recvmmsg');
    }
    await cluster.elapse(200);
    expect(answers.map(({ outcome }) => outcome)).toEqual(new Array(40).fill('NOERROR'));
    expect(Math.max(...answers.map(({ took }) => took))).toBeLessThan(250);
  });

  it('who has the system report a refused port brings about one more query, from another port', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    const { seen } = cluster.servers[1]!;
    for (let i = 0; i < 20; i++) {
      const before = seen.length;
      cluster.servers[1]!.answer = (asked) => void (seen.length > before + 1 && asked.reply(goodReply(asked.message)));
      const answered = cluster.ask(`b${i}.example.`);
      await cluster.elapse(5);
      cluster.network.fail(seen.at(-1)!.from, 'ECONNREFUSED', 'recvmmsg');
      await cluster.elapse(10);
      expect(answered.outcome).toBe('NOERROR');
      expect(seen[before + 1]!.from.port).not.toBe(seen[before]!.from.port);
    }
  });

  it('who sees a port learns nothing of where the question is asked from again', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    await warm(cluster);
    const { seen } = cluster.servers[1]!;
    for (let i = 0; i < 20; i++) {
      const before = seen.length;
      cluster.servers[1]!.answer = (asked) => void (seen.length > before + 1 && asked.reply(goodReply(asked.message)));
      cluster.ask(`c${i}.example.`);
      await cluster.elapse(1000);
      const ports = seen.slice(before, before + 2).map(({ from }) => from.port);
      expect([ports.length, new Set(ports).size]).toEqual([2, 2]);
    }
  });

  it('who guesses at a name has it asked over TCP, and what is in flight beside it from other ports', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1').start(1);
    lateOverUdp(cluster);
    const answered = cluster.ask('victim.example.');
    const beside = Array.from({ length: 20 }, (_, i) => cluster.ask(`n${i}.example.`));
    await cluster.elapse(10);
    const { from, message } = cluster.servers[1]!.seen[0]!;
    for (let id = 0; id < 0x10000; id++)
      cluster.network.forge({
        from: cluster.servers[1]!.at,
        to: from,
        bytes: goodReply({ ...message, id: (message.id + 9 + id) & 0xffff }, { rcode: 3 }),
      });
    await cluster.elapse(50);
    expect(answered).toMatchObject({ outcome: 'NOERROR' });
    await cluster.elapse(100);
    expect(beside.map(({ outcome }) => outcome)).toEqual(new Array(20).fill('NOERROR'));
    expect(cluster.counts()[1]).toEqual({ udp: 21 + 20, tcp: 1 });
  });

  it('who is none: late and lost replies have nothing asked over TCP', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\n max_idle_conns 1\n}').start(1);
    await warm(cluster);
    // Every third is lost, every third comes after its client has gone and the same was asked again.
    const delays = [1, Infinity, 7000];
    const { seen } = cluster.servers[1]!;
    cluster.servers[1]!.answer = (asked) => {
      const delay = delays[seen.length % 3]!;
      if (delay < Infinity) void cluster.block.clock.setTimeout(() => asked.reply(goodReply(asked.message)), delay);
    };
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 10; i++) cluster.ask(`n${i}.example.`);
      await cluster.elapse(400);
    }
    expect(cluster.counts()[1]!.tcp).toBe(0);
    // A port for each would be hundreds.
    expect(seen.length).toBeGreaterThan(300);
    expect(new Set(seen.map(({ from }) => from.port)).size).toBeLessThan(60);
  });
});
