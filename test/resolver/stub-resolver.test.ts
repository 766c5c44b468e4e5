import { describe, expect, it } from 'vitest';
import {
  ResolvConfError,
  StubResolver,
  type StubLookupOptions,
  type LookupStory,
  type ProfileName,
} from '../../src/resolver/index.js';
import { Flag, parseRr, typeName } from '../../src/wire/index.js';
import { CLUSTER_DNS, FakeNetwork, NODE_DNS, POD_CONF, lab, type Answer } from './lab.js';
import { answer } from './zone.js';

interface Case {
  profile: ProfileName;
  name?: string;
  conf?: string;
  reply?: Answer;
  own?: string[];
  options?: StubLookupOptions;
}

async function look({
  profile,
  name = 'google.com',
  conf = POD_CONF,
  reply = answer,
  own,
  options,
}: Case): Promise<LookupStory & { network: FakeNetwork }> {
  const { env, network, finish } = lab(conf, new FakeNetwork(reply, own));
  return { ...(await finish(new StubResolver({ ...env, profile }).lookup(name, options))), network };
}

/** When each query was sent, in milliseconds from the first one. */
const times = ({ queries }: LookupStory): number[] => queries.map((query) => query.started - queries[0]!.started);
const THREE = `nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\nnameserver 10.0.0.4\n`;

describe('what is no reply', () => {
  it('is passed over: a query that comes back', async () => {
    const story = await look({ profile: 'glibc', name: 'webpod.', reply: (query) => query });
    expect(story.error?.code).toBe('EAI_AGAIN');
    expect(new Set(story.queries.map(({ result }) => result))).toEqual(new Set(['timeout']));
  });
});

describe('the canonical name', () => {
  it.each<{ profile: ProfileName; name: string; canonical: string }>([
    { profile: 'glibc', name: 'alias.example.org.', canonical: 'google.com' },
    { profile: 'glibc', name: 'google.com.', canonical: 'google.com' },
    { profile: 'musl', name: 'alias.example.org.', canonical: 'google.com' },
    { profile: 'go', name: 'alias.example.org.', canonical: 'google.com' },
  ])('$profile: $name leads to $canonical', async ({ canonical, ...asked }) =>
    expect(await look(asked)).toMatchObject({ canonical, error: undefined }),
  );
});

describe('the story of a lookup', () => {
  it('tells every query', async () => {
    const story = await look({ profile: 'glibc', name: 'webpod' });
    expect(story).toMatchObject({
      profile: 'glibc',
      asked: 'webpod',
      tried: ['webpod.default.svc.cluster.local.'],
      addresses: ['10.96.152.212'],
      canonical: 'webpod.default.svc.cluster.local',
      error: undefined,
      cost: { queries: 2, packets: 4, sockets: 1, time: 0 },
    });
    expect(
      story.queries.map(({ type, protocol, socket, connected, server, local, result }) => ({
        type: typeName(type),
        protocol,
        socket,
        connected,
        server: server.address,
        port: local?.port,
        result,
      })),
    ).toEqual([
      { type: 'A', protocol: 'udp', socket: 0, connected: true, server: CLUSTER_DNS, port: 40_001, result: 'NOERROR' },
      {
        type: 'AAAA',
        protocol: 'udp',
        socket: 0,
        connected: true,
        server: CLUSTER_DNS,
        port: 40_001,
        result: 'NODATA',
      },
    ]);
    expect(story.queries[0]!.reply!.answer).toHaveLength(1);
    expect(story.queries[0]!.size).toBeGreaterThan(90);
  });

  it.each([
    // Five names, A and AAAA of each, a socket for each name.
    { profile: 'glibc', want: { queries: 10, packets: 20, sockets: 5 } },
    { profile: 'musl', want: { queries: 10, packets: 20, sockets: 5 } },
    { profile: 'go', want: { queries: 10, packets: 20, sockets: 10 } },
    // AAAA only of the name that was found.
    { profile: 'bind', want: { queries: 6, packets: 12, sockets: 6 } },
    // A name with a dot is never searched.
    { profile: 'busybox', want: { queries: 2, packets: 4, sockets: 1 } },
  ] as const)('google.com with ndots:5 costs $profile', async ({ profile, want }) =>
    expect((await look({ profile })).cost).toMatchObject(want),
  );

  it.each(['glibc', 'musl', 'go', 'bind', 'busybox'] as const)('%s closes every socket', async (profile) => {
    for (const name of ['google.com', 'nosuch', 'timeout', 'trunc', 'servfail', 'half']) {
      const { network, cost } = await look({ profile, name });
      expect({ name, closed: network.closed.length }).toEqual({ name, closed: cost.sockets });
    }
  });

  it('musl sends from an unconnected socket', async () =>
    expect((await look({ profile: 'musl', name: 'webpod' })).queries.map((query) => query.connected)).toEqual([
      false,
      false,
    ]));
  it('TCP costs opening and closing', async () => {
    expect(
      (await look({ profile: 'glibc', name: 'google.com.', conf: `nameserver ${CLUSTER_DNS}\noptions use-vc\n` })).cost,
    ).toMatchObject({ queries: 2, packets: 10, sockets: 1 });
  });
  it('one family only', async () =>
    expect((await look({ profile: 'glibc', name: 'google.com.', options: { types: ['AAAA'] } })).addresses).toEqual([
      '2404:6800:4004:825::200e',
    ]));
  it('only families that the machine has, when asked so', async () => {
    expect((await look({ profile: 'glibc', name: 'google.com.', options: { addrConfig: true } })).addresses).toEqual([
      '142.250.196.110',
    ]);
    expect(
      (await look({ profile: 'glibc', name: 'google.com.', own: ['::1', 'fd00::5'], options: { addrConfig: true } }))
        .addresses,
    ).toEqual(['2404:6800:4004:825::200e']);
  });
  it.each([
    {
      name: 'IPv4 only',
      own: ['127.0.0.1', '10.244.0.5', 'fe80::1'],
      want: ['142.250.196.110', '2404:6800:4004:825::200e'],
    },
    { name: 'both', own: ['10.244.0.5', 'fd00::5'], want: ['2404:6800:4004:825::200e', '142.250.196.110'] },
  ])('addresses that can be reached come first: $name', async ({ own, want }) =>
    expect((await look({ profile: 'glibc', own })).addresses).toEqual(want),
  );
  it('refuses a bad resolv.conf', () =>
    expect(() => new StubResolver({ ...lab('nameserver x').env, profile: 'glibc' })).toThrow(ResolvConfError));
});

describe('errors as each library words them', () => {
  it.each([
    { profile: 'glibc', name: 'nosuch', want: { code: 'EAI_NONAME', text: 'Name or service not known' } },
    { profile: 'glibc', name: 'nodata', want: { code: 'EAI_NODATA', text: 'No address associated with hostname' } },
    { profile: 'glibc', name: 'timeout', want: { code: 'EAI_AGAIN', text: 'Temporary failure in name resolution' } },
    { profile: 'musl', name: 'nosuch', want: { code: 'EAI_NONAME', text: 'Name does not resolve' } },
    { profile: 'musl', name: 'timeout', want: { code: 'EAI_AGAIN', text: 'Try again' } },
    { profile: 'musl', name: 'a..', want: { code: 'EAI_NONAME', text: 'Name does not resolve' } },
    { profile: 'go', name: 'nosuch', want: { code: 'NOTFOUND', text: 'lookup nosuch on 10.96.0.10:53: no such host' } },
    {
      profile: 'go',
      name: 'servfail',
      want: { code: 'SERVER', text: 'lookup servfail on 10.96.0.10:53: server misbehaving' },
    },
    {
      profile: 'go',
      name: 'hidden.onion',
      want: { code: 'NOTFOUND', text: 'lookup hidden.onion on 10.96.0.10:53: no such host' },
    },
    { profile: 'go', name: 'hidden.onion.', want: { code: 'NOTFOUND', text: 'lookup hidden.onion.: no such host' } },
    { profile: 'bind', name: 'nosuch', want: { code: 'NOTFOUND', text: "server can't find nosuch: NXDOMAIN" } },
    {
      profile: 'bind',
      name: 'refused',
      want: { code: 'SERVER', text: "server can't find refused.default.svc.cluster.local: REFUSED" },
    },
    {
      profile: 'bind',
      name: 'nodata',
      want: { code: 'NOTFOUND', text: "Can't find nodata.default.svc.cluster.local: No answer" },
    },
    { profile: 'bind', name: 'timeout', want: { code: 'TIMEOUT', text: 'no servers could be reached' } },
    {
      profile: 'busybox',
      name: 'nosuch',
      want: { code: 'NOTFOUND', text: "server can't find nosuch.default.svc.cluster.local: NXDOMAIN" },
    },
    { profile: 'busybox', name: 'nodata', want: { code: 'NOTFOUND', text: "Can't find nodata: No answer" } },
    {
      profile: 'busybox',
      name: 'timeout',
      want: { code: 'TIMEOUT', text: 'connection timed out; no servers could be reached' },
    },
  ] as const)('$profile: $name', async ({ profile, name, want }) =>
    expect(await look({ profile, name })).toMatchObject({ addresses: [], canonical: undefined, error: want }),
  );

  it('a lame referral makes Go ask the next server', async () => {
    const reply: Answer = (query, protocol, server) =>
      server.address === CLUSTER_DNS ? { ...query, flags: Flag.QR, edns: undefined } : answer(query, protocol);
    const story = await look({
      profile: 'go',
      name: 'google.com.',
      conf: `nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\n`,
      reply,
    });
    expect(story.addresses).toHaveLength(2);
    expect(story.queries).toHaveLength(4);
  });
});

describe('waiting', () => {
  it.each([
    {
      name: 'glibc, one server',
      profile: 'glibc',
      conf: `nameserver ${CLUSTER_DNS}\n`,
      want: [0, 0, 5000, 5000],
      time: 10_000,
    },
    {
      name: 'glibc, three servers: t, 2t/3, 4t/3',
      profile: 'glibc',
      conf: `${THREE}options timeout:3 attempts:1\n`,
      want: [0, 0, 3000, 3000, 5000, 5000],
      time: 9000,
    },
    {
      name: 'glibc, a second each',
      profile: 'glibc',
      conf: `${THREE}options timeout:1 attempts:2\n`,
      want: [0, 0, 1000, 1000, 2000, 2000, 3000, 3000, 4000, 4000, 5000, 5000],
      time: 6000,
    },
    {
      name: 'musl, all servers at once',
      profile: 'musl',
      conf: `nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\n`,
      want: [0, 0, 0, 0, 2500, 2500, 2500, 2500],
      time: 5000,
    },
    {
      name: 'Go, server after server',
      profile: 'go',
      conf: `nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\noptions timeout:1\n`,
      want: [0, 0, 1000, 1000, 2000, 2000, 3000, 3000],
      time: 4000,
    },
    {
      name: 'BIND, three times and once',
      profile: 'bind',
      conf: `nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\n`,
      want: [0, 5000, 10_000, 15_000],
      time: 20_000,
    },
    {
      name: 'BIND with attempts:1',
      profile: 'bind',
      conf: `nameserver ${CLUSTER_DNS}\noptions attempts:1\n`,
      want: [0],
      time: 5000,
    },
    {
      name: 'busybox, twice in five seconds',
      profile: 'busybox',
      conf: `nameserver ${CLUSTER_DNS}\noptions timeout:1\n`,
      want: [0, 0, 2500, 2500],
      time: 5000,
    },
  ] as const)('$name', async ({ profile, conf, want, time }) => {
    const story = await look({ profile, conf, name: 'timeout.' });
    expect(times(story)).toEqual(want);
    expect(story.cost.time).toBe(time);
    expect(new Set(story.queries.map((query) => query.result))).toEqual(new Set(['timeout']));
  });

  it('glibc asks again with the same ids from the same ports', async () => {
    const { queries } = await look({ profile: 'glibc', conf: `nameserver ${CLUSTER_DNS}\n`, name: 'timeout.' });
    const [first, second] = [queries.slice(0, 2), queries.slice(2)].map((list) =>
      list.map(({ id, socket }) => ({ id, socket })),
    );
    expect(second).toEqual(first);
  });
  it('Go waits for the slower of its two queries', async () =>
    expect((await look({ profile: 'go', name: 'half.' })).cost.time).toBe(10_000));
});

describe('choice of servers', () => {
  it('rotate starts at a drawn server and takes turns with every name', async () => {
    const { queries } = await look({
      profile: 'glibc',
      name: 'nosuch',
      conf: `search a b c\n${THREE}options rotate\n`,
    });
    const servers = queries
      .filter((_, i) => i % 2 === 0)
      .map((query) => [CLUSTER_DNS, NODE_DNS, '10.0.0.4'].indexOf(query.server.address));
    expect(servers).toEqual(Array.from({ length: 4 }, (_, i) => (servers[0]! + i) % 3));
  });
  it.each([
    {
      name: 'glibc',
      profile: 'glibc',
      tried: ['udp 10.0.2.99 network unreachable', 'udp 10.0.2.3 NOERROR', 'udp 10.0.2.3 NOERROR'],
    },
    {
      name: 'Go',
      profile: 'go',
      tried: [
        'udp 10.0.2.99 network unreachable',
        'udp 10.0.2.99 network unreachable',
        'udp 10.0.2.3 NOERROR',
        'udp 10.0.2.3 NOERROR',
      ],
    },
  ] as const)('$name goes on when a server cannot be reached', async ({ profile, tried }) => {
    const { queries, addresses } = await look({
      profile,
      name: 'google.com.',
      conf: `nameserver 10.0.2.99\nnameserver ${NODE_DNS}\n`,
    });
    expect(queries.map(({ protocol, server, result }) => `${protocol} ${server.address} ${result}`)).toEqual(tried);
    expect(addresses).toHaveLength(2);
  });
  it('glibc gives up at once when no server can be reached', async () => {
    expect(await look({ profile: 'glibc', name: 'webpod', conf: 'search a b\nnameserver 10.0.2.99\n' })).toMatchObject({
      tried: ['webpod.a.'],
      error: { code: 'EAI_AGAIN' },
    });
  });
  it('Go tells why', async () => {
    expect((await look({ profile: 'go', name: 'a.', conf: 'nameserver 10.0.2.99\n' })).error?.text).toBe(
      'lookup a. on 10.0.2.99:53: dial udp 10.0.2.99:53: connect: network is unreachable',
    );
  });
});

describe('what is no answer', () => {
  const others: { name: string; reply: Answer }[] = [
    { name: 'another id', reply: (query) => ({ ...answer(query, 'udp')!, id: query.id ^ 1 }) },
    {
      name: 'another name',
      reply: (query) => ({ ...answer(query, 'udp')!, question: [{ ...query.question[0]!, name: 'other.' }] }),
    },
    {
      name: 'another type',
      reply: (query) => ({ ...answer(query, 'udp')!, question: [{ ...query.question[0]!, type: 16 }] }),
    },
    { name: 'a query', reply: (query) => query },
    { name: 'no question', reply: (query) => ({ ...answer(query, 'udp')!, question: [] }) },
  ];
  for (const profile of ['glibc', 'musl', 'go', 'bind', 'busybox'] as const) {
    it.each(others)(`${profile} passes over $name`, async ({ reply }) =>
      expect((await look({ profile, name: 'google.com.', reply })).error).toBeDefined(),
    );
  }
  it('takes a reply in another letter case', async () => {
    const reply: Answer = (query) => ({
      ...answer(query, 'udp')!,
      question: [{ ...query.question[0]!, name: 'GOOGLE.com.' }],
    });
    expect((await look({ profile: 'glibc', name: 'google.com.', reply })).addresses).toHaveLength(2);
  });
  it('addresses of other classes and broken lengths are none', async () => {
    const reply: Answer = (query) => ({
      ...answer(query, 'udp')!,
      answer: [
        { ...parseRr('google.com. 1 A 192.0.2.1'), class: 3 },
        { ...parseRr('google.com. 1 A 192.0.2.1'), rdata: new Uint8Array(0) },
      ],
    });
    expect((await look({ profile: 'glibc', name: 'google.com.', reply })).error).toMatchObject({ code: 'EAI_NODATA' });
  });
});

describe('names that cannot be asked for', () => {
  it.each(['glibc', 'musl', 'go', 'bind', 'busybox'] as const)('%s sends none of them', async (profile) => {
    for (const name of ['a..b.', `${'x'.repeat(64)}.`, `${'x.'.repeat(130)}`])
      expect(await look({ profile, name })).toMatchObject({ queries: [], addresses: [] });
  });
});

describe('options in queries', () => {
  it.each([
    { name: 'nothing', profile: 'glibc', options: '', want: ['100'] },
    { name: 'edns0', profile: 'glibc', options: 'edns0', want: ['100 1200/'] },
    { name: 'trust-ad', profile: 'glibc', options: 'trust-ad', want: ['120'] },
    { name: 'Go with trust-ad', profile: 'go', options: 'trust-ad', want: ['120 1232/'] },
    { name: 'musl takes no notice', profile: 'musl', options: 'edns0 trust-ad', want: ['100'] },
  ] as const)('$name', async ({ profile, options, want }) => {
    const { network } = await look({
      profile,
      name: 'webpod.default.svc.cluster.local.',
      conf: `nameserver ${CLUSTER_DNS}\noptions ndots:1 ${options}\n`,
      options: { types: ['A'] },
    });
    expect(network.asked.map((line) => line.split(' ').slice(5).join(' '))).toEqual(want);
  });
  it('no-aaaa leaves AAAA out', async () =>
    expect(
      (await look({ profile: 'glibc', name: 'google.com.', conf: `nameserver ${CLUSTER_DNS}\noptions no-aaaa\n` }))
        .network.asked,
    ).toHaveLength(1));
  it('no-tld-query keeps a name without dots in the search list', async () => {
    expect(
      (
        await look({
          profile: 'glibc',
          name: 'nosuch',
          conf: `search a\nnameserver ${CLUSTER_DNS}\noptions no-tld-query\n`,
        })
      ).tried,
    ).toEqual(['nosuch.a.']);
  });
});
