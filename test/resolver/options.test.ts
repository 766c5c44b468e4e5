import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StubResolver, runDig, runHost, runNslookup, type ToolEnv, type ToolRun } from '../../src/resolver/index.js';
import { parseRr, type Message } from '../../src/wire/index.js';
import { CLUSTER_DNS, FakeNetwork, NODE_DNS, lab, type Answer } from './lab.js';
import { answer } from './zone.js';

type Program = (args: string[], env: ToolEnv) => Promise<ToolRun>;

/** What a program asks first, as `NAME CLASS TYPE flags/rcode`, and with EDNS `version size do code:data...`. */
async function asked(program: Program, words: string): Promise<string[]> {
  const sent: Message[] = [];
  const network = new FakeNetwork((query, protocol) => {
    sent.push(query);
    return answer(query, protocol);
  });
  const { env, finish } = lab(undefined, network);
  await finish(program(words.split(' '), env));
  return sent.map(({ question: [question], flags, rcode, edns }) => {
    const options = edns?.options.map(({ code, data }) => `${code}:${Buffer.from(data).toString('hex')}`) ?? [];
    const opt = edns && [edns.version, edns.udpSize, edns.do, ...options].join(' ');
    return [question!.name, question!.class, question!.type, `${flags.toString(16)}/${rcode}`, opt ?? 'plain'].join(
      ' ',
    );
  });
}

async function run(program: Program, words: string, reply: Answer = answer) {
  const { env, network, clock, finish } = lab(undefined, new FakeNetwork(reply));
  const start = clock.now();
  const { text, exitCode } = await finish(program(words.split(' '), env));
  return { text, exitCode, network, took: clock.now() - start };
}

describe('what dig asks', () => {
  const cookie = 'a. 1 1 120/0 0 1232 false 10:';
  it.each([
    { words: '+nocookie a.', want: 'a. 1 1 120/0 0 1232 false' },
    { words: '+noedns a.', want: 'a. 1 1 120/0 plain' },
    { words: '+cookie=0102030405060708 a.', want: `${cookie}0102030405060708` },
    { words: '+cookie=01020304050607080910 a.', want: `${cookie}01020304050607080910` },
    { words: '+subnet=10.17.2.3/12 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:00010c000a10' },
    { words: '+subnet=10.17.255.3/23 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:000117000a11fe' },
    { words: '+subnet=10.1.0.0/16 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:000110000a01' },
    { words: '+subnet=192.0.2.255 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:00012000c00002ff' },
    { words: '+subnet=0 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:00010000' },
    { words: '+subnet=2001:db8:8000::/33 +nocookie a.', want: 'a. 1 1 120/0 0 1232 false 8:0002210020010db880' },
    {
      words: '+subnet=2001:db8::1 +nocookie a.',
      want: `a. 1 1 120/0 0 1232 false 8:0002800020010db8${'0'.repeat(23)}1`,
    },
    { words: '+dnssec +nocookie a.', want: 'a. 1 1 120/0 0 1232 true' },
    { words: '+noedns +dnssec +nocookie a.', want: 'a. 1 1 120/0 0 1232 true' },
    { words: '+noedns +nodnssec a.', want: 'a. 1 1 120/0 plain' },
    { words: '+noedns +bufsize=1400 +nocookie a.', want: 'a. 1 1 120/0 0 1400 false' },
    { words: '+nobufsize +nocookie a.', want: 'a. 1 1 120/0 0 0 false' },
    { words: '+edns=255 +nocookie a.', want: 'a. 1 1 120/0 255 1232 false' },
    { words: '+aaflag +noedns a.', want: 'a. 1 1 520/0 plain' },
    { words: '+tcflag +noedns a.', want: 'a. 1 1 320/0 plain' },
    { words: '+zflag +noedns a.', want: 'a. 1 1 160/0 plain' },
    { words: '+cdflag +noedns a.', want: 'a. 1 1 130/0 plain' },
    { words: '+norec +noad +noedns a.', want: 'a. 1 1 0/0 plain' },
    { words: '-c CH -t TXT +noedns a.', want: 'a. 3 16 120/0 plain' },
    { words: '-cCH -tTXT +noedns -qa.', want: 'a. 3 16 120/0 plain' },
    { words: 'a. CH +noedns', want: 'a. 3 1 120/0 plain' },
    { words: '-x 10.1.2.3 +noedns', want: '3.2.1.10.in-addr.arpa. 1 12 120/0 plain' },
    { words: '-x 1.2 +noedns', want: '2.1.in-addr.arpa. 1 12 120/0 plain' },
    { words: '+domain=example.org +noedns mail', want: 'mail.example.org. 1 1 120/0 plain' },
    { words: '+domain=example.org +nodomain +noedns mail', want: 'mail. 1 1 120/0 plain' },
    { words: '+search +noedns mail', want: 'mail.default.svc.cluster.local. 1 1 120/0 plain' },
    { words: '+search +ndots=1 +noedns a.b', want: 'a.b. 1 1 120/0 plain' },
    { words: '+search +ndots=128 +noedns a.b', want: 'a.b.default.svc.cluster.local. 1 1 120/0 plain' },
    { words: '+showsearch +noedns mail', want: 'mail.default.svc.cluster.local. 1 1 120/0 plain' },
    { words: '+sp=4 +mu +noedns a.', want: 'a. 1 1 120/0 plain' },
  ])('dig $words', async ({ words, want }) => expect((await asked(runDig, words))[0]).toBe(want));

  it.each([
    { program: runHost, words: '-c CH -t TXT a.', want: 'a. 3 16 100/0 plain' },
    { program: runHost, words: '-cCH -tTXT a.', want: 'a. 3 16 100/0 plain' },
    { program: runHost, words: '-r a.', want: 'a. 1 1 0/0 plain' },
    { program: runHost, words: 'a', want: 'a.default.svc.cluster.local. 1 1 100/0 plain' },
    { program: runNslookup, words: '-class=CH -type=TXT a.', want: 'a. 3 16 100/0 plain' },
    { program: runNslookup, words: '-norecurse a.', want: 'a. 1 1 0/0 plain' },
    { program: runNslookup, words: 'a', want: 'a.default.svc.cluster.local. 1 1 100/0 plain' },
  ])('$words', async ({ program, words, want }) => expect((await asked(program, words))[0]).toBe(want));

  it('a cookie is drawn', async () => {
    const cookies = await Promise.all(
      [1, 2].map(async () => (await asked(runDig, 'a. b.')).map((line) => line.slice(-16))),
    );
    expect(cookies[0]).toEqual(cookies[1]);
    expect(cookies[0]![0]).not.toBe(cookies[0]![1]);
    for (const half of [0, 8]) expect(cookies[0]![0]!.slice(half, half + 8)).not.toBe('00000000');
  });
});

describe('what dig writes', () => {
  it.each([
    { words: '+noall +all google.com', want: ';; flags: qr rd ra' },
    { words: '+noall +all google.com', want: '; <<>> DiG' },
    { words: '+nocmd +noall +all google.com', want: '; <<>> DiG' },
    { words: 'google.com', want: ';; Query time: 0 msec' },
    { words: '+edns=256 a.', want: "invalid edns '256': out of range" },
    { words: '+ndots=129 a.', want: "invalid ndots '129': out of range" },
    { words: '-p 65536 a.', want: "invalid port number '65536': out of range" },
    { words: '+t a.', want: 'Invalid option: +t' },
    { words: '-c XX google.com', want: ';; Warning, ignoring invalid class XX' },
    { words: '+noall +answer +nottlid +ttlunits google.com', want: 'google.com.\t\t30s\tIN\tA' },
    { words: '+noall +answer +nottlid +nottlunits google.com', want: 'google.com.\t\tIN\tA' },
  ])('dig $words: $want', async ({ words, want }) => expect((await run(runDig, words)).text).toContain(want));

  it.each([
    { words: '+short example.org MX', want: '10 mail.example.org.\n20 mx.example.net.\n' },
    { words: '+noall +all +noall google.com', want: '' },
    {
      words: '+nocmd +noall +answer example.org MX +nottlid +noclass',
      want: 'example.org.\t\tMX\t10 mail.example.org.\nexample.org.\t\tMX\t20 mx.example.net.\n',
    },
  ])('dig $words: only this', async ({ words, want }) => expect((await run(runDig, words)).text).toBe(want));

  it.each([
    { words: '+split=5', want: 'AAAAAAAA AAAAAAAA AAAA' },
    { words: '+split=4', want: 'AAAA AAAA AAAA AAAA AAAA' },
    { words: '+nosplit', want: 'A'.repeat(20) },
    { words: '+split', want: 'A'.repeat(20) },
  ])('$words', async ({ words, want }) => {
    const reply: Answer = (query) => ({
      ...answer(query, 'udp')!,
      answer: [parseRr(`a. 30 DNSKEY 257 3 8 ${'A'.repeat(20)}`)],
    });
    expect((await run(runDig, `+noall +answer ${words} google.com`, reply)).text).toBe(
      `a.\t\t\t30\tIN\tDNSKEY\t257 3 8 ${want}\n`,
    );
  });

  it.each([
    { name: 'an error with words', data: '0012626164', want: '; EDE: 18: (bad)' },
    { name: 'an error alone', data: '0112', want: '; EDE: 274' },
    { name: 'an error cut short', data: '01', want: '; EDE: 0' },
    { name: 'a subnet cut short', data: '', code: 8, want: '; CLIENT-SUBNET: 0.0.0.0/0/0' },
  ])('$name', async ({ data, want, code = 15 }) => {
    const edns = { udpSize: 1232, version: 0, do: false, options: [{ code, data: Buffer.from(data, 'hex') }] };
    const { text } = await run(runDig, 'google.com', (query) => ({ ...answer(query, 'udp')!, edns }));
    expect(text.split('\n')).toContain(want);
  });

  it.each([
    { words: '+qr +tries=3 timeout.', count: 3 },
    { words: '+qr +tries=1 timeout.', count: 1 },
    { words: '+qr +retry=1 timeout.', count: 2 },
    { words: '+qr trunc.', count: 2 },
    { words: '+noqr trunc.', count: 0 },
  ])('dig $words shows $count queries', async ({ words, count }) =>
    expect((await run(runDig, words)).text.split(';; Sending:')).toHaveLength(count + 1),
  );
});

describe('waiting', () => {
  it.each([
    { program: runDig, words: '+tries=1 +time=0 timeout.', times: 1, took: 1000 },
    { program: runDig, words: '+tries=0 +time=2 timeout.', times: 1, took: 2000 },
    { program: runHost, words: '-W 2 -R 1 timeout.', times: 2, took: 4000 },
    { program: runHost, words: '-W 0 -R 0 timeout.', times: 1, took: 1000 },
  ])('$words', async ({ program, words, times, took }) => {
    const got = await run(program, words);
    expect(got.network.asked).toHaveLength(times);
    expect(got.took).toBeGreaterThanOrEqual(took);
    expect(got.took).toBeLessThan(took + 100);
  });

  it.each([
    { words: '-s servfail.', servers: [CLUSTER_DNS] },
    { words: 'servfail.', servers: [CLUSTER_DNS, NODE_DNS] },
  ])('host $words asks $servers', async ({ words, servers }) => {
    const { env, network, finish } = lab(`nameserver ${CLUSTER_DNS}\nnameserver ${NODE_DNS}\n`);
    await finish(runHost(words.split(' '), env));
    expect(network.asked.map((line) => line.split(' ')[1])).toEqual(servers);
  });
});

describe('the story of a lookup', () => {
  it('over TCP, after a reply that is cut short', async () => {
    const { env, finish } = lab();
    const { queries } = await finish(new StubResolver({ ...env, profile: 'glibc' }).lookup('trunc.'));
    expect(
      queries.map(({ protocol, connected, socket, started, ended }) => [protocol, connected, socket, ended - started]),
    ).toEqual([
      ['udp', true, 0, 0],
      ['udp', true, 0, 0],
      ['tcp', true, 1, 0],
      ['tcp', true, 1, 0],
    ]);
  });

  it.each([
    { server: CLUSTER_DNS, local: '0.0.0.0:40001' },
    { server: 'fd00::10', local: '[::]:40001' },
  ])("musl's socket towards $server, and when it asks again", async ({ server, local }) => {
    const { env, finish } = lab(`nameserver ${server}\noptions timeout:4 attempts:2\n`);
    const { queries } = await finish(new StubResolver({ ...env, profile: 'musl' }).lookup('timeout.'));
    expect(
      queries.map(({ local: own, connected, started, ended }) => [
        own && (own.address.includes(':') ? `[${own.address}]:${own.port}` : `${own.address}:${own.port}`),
        connected,
        started - queries[0]!.started,
        ended - queries[0]!.started,
      ]),
    ).toEqual([
      [local, false, 0, 2000],
      [local, false, 0, 2000],
      [local, false, 2000, 4000],
      [local, false, 2000, 4000],
    ]);
  });

  it.each([
    { name: 'ends', end: (stream: Duplex) => void stream.push(null), want: 'end of file' },
    { name: 'is closed', end: (stream: Duplex) => void stream.destroy(), want: 'end of file' },
    {
      name: 'is reset',
      end: (stream: Duplex) => void stream.destroy(Object.assign(new Error('x'), { code: 'ECONNRESET' })),
      want: 'connection reset',
    },
  ])('a connection that $name', async ({ end, want }) => {
    const network = new FakeNetwork();
    let asked: AbortSignal | undefined;
    network.connectTcp = async (to, signal) => {
      asked = signal;
      const stream: Duplex = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          done();
          queueMicrotask(() => end(stream));
        },
      });
      return { stream, local: { address: '10.244.0.5', port: 40_001 }, remote: to };
    };
    const { env, clock, finish } = lab(undefined, network);
    const { text } = await finish(runDig(['+tcp', '+tries=1', 'google.com'], env));
    expect(text).toContain(`;; communications error to ${CLUSTER_DNS}#53: ${want}\n`);
    await clock.advanceAsync(60_000);
    expect(asked?.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
