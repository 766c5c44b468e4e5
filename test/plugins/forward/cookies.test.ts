import { describe, expect, it } from 'vitest';
import type { Edns, Message } from '../../../src/wire/index.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster } from './cluster.js';

const COOKIE = 10;
const NSID = 3;
const FORMERR = 1;
const BADCOOKIE = 23;
const HOUR = 3_600_000;

/** The COOKIE option of a query, in hex: client and server part. */
function cookieOf({ message: { edns } }: Asked): { client: string; server: string } | undefined {
  const option = edns?.options.find(({ code }) => code === COOKIE);
  if (option === undefined) return undefined;
  const text = Buffer.from(option.data).toString('hex');
  return { client: text.slice(0, 16), server: text.slice(16) };
}

/** A good reply with such a cookie beside an NSID, or with the OPT record that is given. */
function withCookie({ message }: Asked, cookie: string | undefined, parts: Partial<Message> = {}): Buffer {
  const edns: Edns = {
    udpSize: 1232,
    version: 0,
    do: false,
    options: [
      { code: NSID, data: Buffer.from('me') },
      ...(cookie === undefined ? [] : [{ code: COOKIE, data: Buffer.from(cookie, 'hex') }]),
    ],
  };
  return goodReply(message, { edns, ...parts });
}

const SERVER = 'aabbccddeeff0011';
const good = (asked: Asked): void => {
  const cookie = cookieOf(asked);
  asked.reply(cookie === undefined ? goodReply(asked.message) : withCookie(asked, cookie.client + SERVER));
};

const cluster = async (answer = good, line = 'cookies'): Promise<Cluster> => {
  const made = await new Cluster(`forward . 10.0.0.1 {\n ${line}\n}`).start(1);
  made.servers[1]!.answer = answer;
  return made;
};

/** Asks, and says what came of it and what cookies were sent for it. */
async function ask(it: Cluster, name = 'www.example.org.', options = {}) {
  const before = it.servers[1]!.seen.length;
  const answered = it.ask(name, 'A', options);
  await it.elapse(50);
  const asked = it.servers[1]!.seen.slice(before);
  return { answered, outcome: answered.outcome, asked, cookies: asked.map(cookieOf) };
}

const wrong = (it: Cluster): Promise<string[]> => it.metrics(/^coredns_forward_wrong_replies_total.*cookie/);

describe('cookies', () => {
  it('are not sent without the option, and those of clients never', async () => {
    const options = [{ code: COOKIE, data: Buffer.from('0102030405060708', 'hex') }];
    for (const line of ['cookies', 'prefer_udp']) {
      const it = await cluster(good, line);
      const [cookie] = (await ask(it, 'a.example.', { edns: 1232, options })).cookies;
      expect(cookie?.client === '0102030405060708').toBe(false);
      expect(cookie === undefined).toBe(line !== 'cookies');
    }
  });

  it.each([
    { name: 'no OPT record', options: {}, sizes: [567, 567] },
    { name: 'a small one', options: { edns: 512 }, sizes: [556, 556] },
    { name: 'the largest', options: { edns: 4096 }, sizes: [4096, 4096] },
  ])('go with a query that had $name: the same client part, and the server part that came last', async (row) => {
    const it = await cluster();
    const results = [await ask(it, 'a.example.', row.options), await ask(it, 'b.example.', row.options)];
    const [first, second] = results.map(({ cookies }) => cookies[0]);
    expect(first!.client).toMatch(/^[0-9a-f]{16}$/);
    expect(first!.server).toBe('');
    expect(second).toEqual({ client: first!.client, server: SERVER });
    expect(results.map(({ asked }) => asked[0]!.message.edns!.udpSize)).toEqual(row.sizes);
    // Neither client nor cache gets it; other options stay where the query had an OPT record.
    for (const { answered } of results) {
      expect(answered.outcome).toBe('NOERROR');
      expect(answered.extended).toEqual(row.options.edns === undefined ? [] : [0x6d65]);
    }
    expect(it.counts()[1]).toEqual({ udp: 2, tcp: 0 });
  });

  it('are drawn anew every hour, and for each upstream', async () => {
    const it = await cluster();
    await it.start(2);
    const [first] = (await ask(it)).cookies;
    it.block.clock.advance(HOUR);
    const [later] = (await ask(it)).cookies;
    expect(later!.client).not.toBe(first!.client);
    expect(later!.server).toBe('');
    const both = await new Cluster('forward . 10.0.0.1 10.0.0.2 {\n cookies\n policy round_robin\n}').start(1, 2);
    for (const server of both.servers.slice(1)) server.answer = good;
    for (let i = 0; i < 4; i++) both.ask(`n${i}.example.`);
    await both.elapse(50);
    const parts = both.servers.slice(1).map(({ seen }) => new Set(seen.map((asked) => cookieOf(asked)!.client)));
    expect(parts.map((set) => set.size)).toEqual([1, 1]);
    expect([...parts[0]!]).not.toEqual([...parts[1]!]);
  });

  it.each<{ name: string; forged: (asked: Asked) => Buffer }>([
    { name: 'no cookie', forged: (asked) => goodReply(asked.message, { rcode: 3, edns: undefined }) },
    { name: 'no cookie in its OPT record', forged: (asked) => withCookie(asked, undefined, { rcode: 3 }) },
    {
      name: 'another client part',
      forged: (asked) => withCookie(asked, `00${cookieOf(asked)!.client.slice(2)}${SERVER}`),
    },
    { name: 'no server part', forged: (asked) => withCookie(asked, cookieOf(asked)!.client, { rcode: 3 }) },
    { name: 'BADCOOKIE alone', forged: (asked) => withCookie(asked, undefined, { rcode: BADCOOKIE }) },
  ])('keep a reply from counting, under the right id, that has $name', async ({ forged }) => {
    const it = await cluster();
    await ask(it, 'first.example.');
    // Health checks go without.
    it.servers[1]!.answer = (asked) => asked.reply(cookieOf(asked) ? forged(asked) : goodReply(asked.message));
    expect((await ask(it)).outcome).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp: 2, tcp: 1 });
    expect(await wrong(it)).toEqual(['coredns_forward_wrong_replies_total{reason="cookie",to="10.0.0.1:53"} 1']);
    it.servers[1]!.answer = good;
    const { cookies, outcome } = await ask(it, 'later.example.');
    expect([outcome, cookies.map((cookie) => cookie!.server)]).toEqual(['NOERROR', [SERVER]]);
  });

  it('are renewed where the upstream refuses them, once over UDP and then over TCP', async () => {
    const it = await cluster();
    await ask(it, 'first.example.');
    const renewed = '1122334455667788';
    const refuse = (accepts: (server: string) => boolean) => (asked: Asked) => {
      const cookie = cookieOf(asked);
      if (cookie === undefined) return asked.reply(goodReply(asked.message));
      const { client, server } = cookie;
      const parts = accepts(server) ? {} : { rcode: BADCOOKIE, answer: [] };
      asked.reply(withCookie(asked, client + renewed, parts));
    };
    it.servers[1]!.answer = refuse((server) => server === renewed);
    const once = await ask(it, 'once.example.');
    expect([once.outcome, once.cookies.map((cookie) => cookie!.server)]).toEqual(['NOERROR', [SERVER, renewed]]);
    expect(it.counts()[1]).toEqual({ udp: 3, tcp: 0 });
    it.servers[1]!.answer = refuse(() => false);
    expect((await ask(it, 'never.example.')).outcome).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp: 5, tcp: 1 });
  });

  it.each([
    { name: 'passes over', rcode: 0, udp: 1 },
    { name: 'refuses', rcode: FORMERR, udp: 2 },
  ])('are left out for an hour where the upstream $name them', async ({ rcode, udp }) => {
    const it = await cluster((asked) => {
      const edns = undefined;
      asked.reply(goodReply(asked.message, asked.message.edns === undefined ? { edns } : { edns, rcode }));
    });
    expect((await ask(it)).outcome).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp, tcp: 0 });
    expect((await ask(it, 'second.example.')).cookies).toEqual([undefined]);
    it.servers[1]!.answer = good;
    it.block.clock.advance(HOUR);
    expect((await ask(it, 'third.example.')).cookies[0]).toBeDefined();
    expect(await wrong(it)).toEqual([]);
  });

  it('are given up after eight replies in a row without, of an upstream that had them', async () => {
    const it = await cluster();
    await ask(it, 'first.example.');
    it.servers[1]!.answer = (asked) => asked.reply(goodReply(asked.message, { edns: undefined }));
    for (let i = 0; i < 8; i++) expect((await ask(it, `n${i}.example.`)).outcome).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp: 9, tcp: 8 });
    expect((await ask(it, 'last.example.')).cookies).toEqual([undefined]);
    expect(it.counts()[1]).toEqual({ udp: 10, tcp: 8 });
  });
});
