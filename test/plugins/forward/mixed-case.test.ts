import { describe, expect, it } from 'vitest';
import { restoreCase, turnCase } from '../../../src/exchange/mixed-case.js';
import { decodeMessage, encodeMessage, parseRr } from '../../../src/wire/index.js';
import { query } from '../../support/dns.js';
import { goodReply, type Asked } from '../../support/fake-upstream.js';
import { Cluster } from './cluster.js';

const NAME = 'www.Long-name.example.org.';
const nameOf = (asked: Asked): string => asked.message.question[0]!.name;
const lower = ({ message }: Asked): Buffer => {
  const question = message.question.map((one) => ({ ...one, name: one.name.toLowerCase() }));
  return goodReply({ ...message, question });
};

describe('the letter case of a name', () => {
  it.each([
    { name: 'no bit', bits: 0, turned: false, want: 'ab3.C-d.' },
    { name: 'every other letter', bits: 0b0101, turned: true, want: 'Ab3.c-d.' },
    { name: 'all', bits: -1, turned: true, want: 'AB3.c-D.' },
    { name: 'a letter that is not there', bits: 0b10000, turned: false, want: 'ab3.C-d.' },
  ])('is turned by bits, and turned back: $name', ({ bits, turned, want }) => {
    const { bytes, questionEnd } = query('ab3.C-d.');
    const before = Buffer.from(bytes);
    expect(turnCase(bytes, questionEnd, bits)).toBe(turned);
    expect(decodeMessage(bytes).question[0]!.name).toBe(want);
    turnCase(bytes, questionEnd, bits);
    expect(bytes).toEqual(before);
  });

  it.each([{ compress: true }, { compress: false }])('is restored in owners too (compressed: $compress)', (row) => {
    const { bytes, questionEnd } = query(NAME);
    const sent = Buffer.from(bytes);
    turnCase(sent, questionEnd, 0x5555);
    const message = decodeMessage(sent);
    const owner = message.question[0]!.name;
    expect(owner).not.toBe(NAME);
    const reply = encodeMessage(
      {
        ...message,
        flags: 0x8180,
        answer: ['A 192.0.2.1', 'A 192.0.2.2'].map((data) => parseRr(`${owner} 60 IN ${data}`)),
        authority: [parseRr('Other.example. 60 IN NS ns.Other.example.')],
      },
      row.compress,
    );
    expect(restoreCase(reply, bytes, questionEnd, 0x5555)).toBe(true);
    const { question, answer, authority } = decodeMessage(reply);
    expect([question[0]!.name, ...answer.map((rr) => rr.name)]).toEqual([NAME, NAME, NAME]);
    expect(authority[0]!.name).toBe('Other.example.');
  });

  it('is not restored, and nothing changed, in a reply in another one; nor does a reply that is cut make it stumble', () => {
    const { bytes, questionEnd } = query(NAME);
    const reply = goodReply(decodeMessage(bytes));
    const before = Buffer.from(reply);
    expect(restoreCase(reply, bytes, questionEnd, 1)).toBe(false);
    expect(reply).toEqual(before);
    turnCase(reply, questionEnd, 1);
    for (let end = questionEnd; end < reply.length; end++)
      expect(restoreCase(Buffer.from(reply.subarray(0, end)), bytes, questionEnd, 1)).toBe(true);
  });
});

describe('mixed_case', () => {
  const cluster = (): Promise<Cluster> => new Cluster('forward . 10.0.0.1 {\n mixed_case\n}').start(1);
  const ask = async (it: Cluster, name = NAME): Promise<string> => {
    const answered = it.ask(name);
    await it.elapse(50);
    return answered.outcome;
  };

  it('asks in another case each time, and answers as it was asked', async () => {
    const it = await cluster();
    const answers = [];
    for (let i = 0; i < 5; i++) {
      const answered = it.ask();
      await it.elapse(20);
      answers.push(answered);
    }
    const names = it.servers[1]!.seen.map(nameOf);
    expect(new Set(names).size).toBe(5);
    expect(new Set(names.map((name) => name.toLowerCase()))).toEqual(new Set(['www.example.org.']));
    for (const { summary } of answers)
      expect(summary).toMatchObject({ rcode: 'NOERROR', answer: ['www.example.org. 300 IN A 192.0.2.1'] });
  });

  it('is given up for an hour where the upstream has names in lower case; nobody waits for it', async () => {
    const it = await cluster();
    it.servers[1]!.answer = (asked) => asked.reply(lower(asked));
    expect(await ask(it)).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp: 1, tcp: 1 });
    expect(await ask(it, 'AbC.example.')).toBe('NOERROR');
    expect(it.counts()[1]).toEqual({ udp: 2, tcp: 1 });
    expect(nameOf(it.servers[1]!.seen.at(-1)!)).toBe('AbC.example.');
    expect(await it.metrics(/^coredns_forward_wrong_replies/)).toEqual([
      'coredns_forward_wrong_replies_total{reason="case",to="10.0.0.1:53"} 1',
    ]);
    await it.elapse(3_600_000);
    it.servers[1]!.answer = (asked) => asked.reply(goodReply(asked.message));
    await ask(it, 'later.example.');
    expect(nameOf(it.servers[1]!.seen.at(-1)!)).not.toBe('later.example.');
  });

  it('goes on where one reply is in another case, which counts for nothing', async () => {
    const it = await cluster();
    await ask(it, 'first.example.');
    it.servers[1]!.answer = (asked) => {
      if (asked.protocol === 'udp') asked.reply(lower(asked));
      asked.reply(goodReply(asked.message));
    };
    expect(await ask(it)).toBe('NOERROR');
    it.servers[1]!.answer = (asked) => asked.reply(goodReply(asked.message));
    await ask(it, 'again.example.');
    expect(nameOf(it.servers[1]!.seen.at(-1)!)).not.toBe('again.example.');
  });
});
