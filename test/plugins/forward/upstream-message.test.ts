import { describe, expect, it } from 'vitest';
import { Query } from '../../../src/chain/index.js';
import { upstreamMessage } from '../../../src/chain/index.js';
import { Flag, decodeMessage, encodeMessage, parseRr, type Message } from '../../../src/wire/index.js';
import { query, type QuestionOptions } from '../../support/dns.js';
import { Cluster } from './cluster.js';

const option = (code: number, length = 4): { code: number; data: Buffer } => ({ code, data: Buffer.alloc(length, 7) });
const { context } = query('www.example.org.');

/** What goes upstream for a message as it came, its id aside, in hexadecimal. */
const sent = (bytes: Buffer): string => upstreamMessage(new Query(bytes, context)).toString('hex', 2);
const withoutId = (bytes: Buffer): Message => ({ ...decodeMessage(bytes), id: 0 });

describe('the message to upstreams', () => {
  it.each<{ name: string; asked: QuestionOptions; flags?: number; edns?: object }>([
    { name: 'nothing but a question', asked: {}, flags: Flag.RD },
    { name: 'no RD', asked: { rd: false }, flags: Flag.RD },
    { name: 'AD and CD', asked: { ad: true, cd: true }, flags: Flag.RD | Flag.AD | Flag.CD },
    { name: 'a size below all', asked: { edns: 100 }, edns: { udpSize: 512, do: false } },
    { name: 'a size of 1,232', asked: { edns: 1232, do: true }, edns: { udpSize: 1232, do: true } },
    { name: 'a size of 1,500', asked: { edns: 1500 }, edns: { udpSize: 1400, do: false } },
    { name: 'a size above all', asked: { edns: 65_535 }, edns: { udpSize: 4096, do: false } },
    {
      name: 'options',
      asked: { edns: 1232, options: [3, 8, 10, 11, 12, 999, 65_001].map((code) => option(code)) },
      edns: { udpSize: 1232, do: false, options: [3, 8, 65_001].map((code) => option(code)) },
    },
    {
      name: 'a long option',
      asked: { edns: 1232, options: [option(65_001, 600)] },
      edns: { udpSize: 1232, do: false },
    },
  ])('of a query with $name', ({ asked, flags = Flag.RD, edns }) => {
    const message = withoutId(upstreamMessage(query('WWW.example.org.', 'AAAA', asked)));
    expect(message).toEqual({
      id: 0,
      flags,
      rcode: 0,
      question: [{ name: 'WWW.example.org.', type: 28, class: 1 }],
      answer: [],
      authority: [],
      additional: [],
      edns: edns && { version: 0, options: [], ...edns },
    });
  });

  it.each<{ name: string; change: (plain: Message) => Buffer }>([
    { name: 'bytes behind the message', change: (plain) => Buffer.concat([encodeMessage(plain), Buffer.alloc(9, 9)]) },
    {
      name: 'records',
      change: (plain) =>
        encodeMessage({
          ...plain,
          answer: [parseRr('www.example.org. 1 IN A 192.0.2.66')],
          additional: [parseRr('x. 1 IN TXT y')],
        }),
    },
    { name: 'flags AA, TC and RA', change: (plain) => encodeMessage({ ...plain, flags: plain.flags | 0x680 }) },
    { name: 'an rcode', change: (plain) => encodeMessage({ ...plain, rcode: 5 }) },
  ])('carries none of $name', ({ change }) => {
    const plain = query('www.example.org.');
    expect(sent(change(plain.decode()))).toBe(sent(plain.bytes));
  });

  it('is what `forward` sends', async () => {
    const cluster = await new Cluster('forward . 10.0.0.1 {\nprefer_udp\n}').start(1);
    const plain = query('www.example.org.', 'A', { transport: 'tcp' });
    cluster.send(new Query(Buffer.concat([plain.bytes, Buffer.alloc(65_000)]), plain.context));
    await cluster.elapse(1);
    expect(cluster.servers[1]!.seen.map(({ bytes, protocol }) => [protocol, bytes.toString('hex', 2)])).toEqual([
      ['udp', sent(plain.bytes)],
    ]);
  });
});
