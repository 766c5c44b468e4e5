import { describe, expect, it } from 'vitest';
import { DROP, Reply, lookUp, type Next, type Query } from '../../src/chain/index.js';
import { encodeRecords, type EncodedRecords } from '../../src/wire/index.js';
import { query, reply, rrs, texts } from '../support/dns.js';

const answered = reply({ answer: ['a.example. 5 IN A 192.0.2.1'] });

const NOTHING = { rcode: 0, answer: [], authority: [], additional: [], edns: undefined };

describe('lookUp', () => {
  it('asks as the client did, in class IN', async () => {
    let asked: Query | undefined;
    const found = await lookUp(
      (question) => ((asked = question), answered),
      query('x.', 'TXT', { class: 3, edns: 1400, do: true, cd: true, transport: 'tcp', remote: '192.0.2.9' }),
      'a.example.',
      1,
    );
    expect(texts(found!.answer)).toEqual(['a.example. 5 IN A 192.0.2.1']);
    expect(asked).toMatchObject({
      qname: 'a.example.',
      type: 1,
      class: 1,
      udpSize: 1400,
      do: true,
      checkingDisabled: true,
      transport: 'tcp',
    });
    expect(asked!.client.remote.address).toBe('192.0.2.9');
  });

  it.each([
    {
      name: 'a plain reply comes back plain',
      ask: () => answered,
      want: { ...NOTHING, answer: answered.answer, truncated: false },
    },
    { name: 'a failure has no answer', ask: () => Reply.failure(2), want: { ...NOTHING, rcode: 2, truncated: false } },
    {
      name: 'a reply that was cut short says so',
      ask: () => reply({ flags: 0x200 }),
      want: { ...NOTHING, truncated: true },
    },
    { name: 'no reply', ask: () => DROP, want: undefined },
  ])('$name', ({ ask, want }) => {
    expect(lookUp(ask as Next, query('x.'), 'a.example.', 1)).toEqual(want);
  });

  it('waits for a promise', async () => {
    expect(await lookUp(() => Promise.resolve(answered), query('x.'), 'a.example.', 1)).toEqual({
      ...NOTHING,
      answer: answered.answer,
      truncated: false,
    });
  });

  it('spells owners that repeat the question as it was asked', async () => {
    const records: EncodedRecords = {
      ...encodeRecords({ answer: rrs('a.example. 5 IN A 192.0.2.1'), authority: [], additional: [] }),
      owners: [0],
    };
    const found = await lookUp(() => Reply.ofRecords(0, 0, records), query('x.'), 'A.example.', 1);
    expect(texts(found!.answer)).toEqual(['A.example. 5 IN A 192.0.2.1']);
  });

  it('takes no name that is none', () => {
    expect(lookUp(() => answered, query('x.'), `${'a'.repeat(64)}.`, 1)).toBeUndefined();
  });

  it('goes 8 deep and no further, for each client by itself', () => {
    let questions = 0;
    const ask: Next = (question) => {
      questions++;
      return reply({
        answer: lookUp(ask, question, `a.${question.name}`, 1) === undefined ? ['end. 5 IN A 192.0.2.1'] : [],
      });
    };
    void lookUp(ask, query('x.'), 'a.x.', 1);
    expect(questions).toBe(8);
    void lookUp(ask, query('x.'), 'a.x.', 1);
    expect(questions).toBe(16);
  });
});
