import { describe, expect, it } from 'vitest';
import { Reply, finishReply, type Transport } from '../../src/chain/index.js';
import { padded } from '../../src/chain/padding.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query, rr } from '../support/dns.js';

const PADDING = 12;
const small = Reply.of(0, 0, { answer: [rr('www.example. 60 IN A 192.0.2.7')] });
const ofTxt = (records: number): Reply =>
  Reply.of(0, 0, {
    answer: Array.from({ length: records }, (_, i) => rr(`x. 1 IN TXT "${String(i).padEnd(250, 'x')}"`)),
  });
const TLS = { version: 'TLSv1.3', serverName: undefined, subject: undefined };

interface Row {
  name: string;
  transport: Transport;
  options?: { code: number; data: Uint8Array }[];
  edns?: number;
  reply?: Reply;
  length: number | undefined;
}
const PADDED = [{ code: PADDING, data: Buffer.alloc(100) }];
const rows: Row[] = [
  { name: 'over TLS', transport: 'tls', options: PADDED, length: 468 },
  { name: 'over HTTPS', transport: 'https', options: PADDED, length: 468 },
  { name: 'a longer one', transport: 'tls', options: PADDED, reply: ofTxt(2), length: 936 },
  { name: 'a very long one', transport: 'tls', options: PADDED, reply: ofTxt(100), length: 26_676 },
  { name: 'over TCP', transport: 'tcp', options: PADDED, length: undefined },
  { name: 'over UDP', transport: 'udp', options: PADDED, length: undefined },
  { name: 'where the query is not padded', transport: 'tls', options: [], length: undefined },
  { name: 'where the query has no EDNS', transport: 'tls', length: undefined },
];

describe('padding (RFC 7830, RFC 8467)', () => {
  it.each(rows)('$name: $length', ({ transport, options, reply = small, length }) => {
    const asked = query('www.example.', 'A', options === undefined ? {} : { edns: 1232, options });
    const encrypted = transport === 'tls' || transport === 'https';
    Object.assign(asked.context, { client: { ...asked.client, transport, tls: encrypted ? TLS : undefined } });
    const bytes = finishReply(asked, reply, 0);
    const message = decodeMessage(bytes);
    const option = message.edns?.options.find(({ code }) => code === PADDING);
    expect(option === undefined ? undefined : bytes.length).toBe(length);
    expect(option?.data.every((byte) => byte === 0) ?? true).toBe(true);
    expect(message.answer).toEqual(reply.answer);
  });

  it.each([
    { growth: 3, options: undefined },
    { growth: 4, options: [0, 12, 0, 0] },
    { growth: 6, options: [0, 12, 0, 2, 0, 0] },
  ])('takes $growth bytes where no more are left', ({ growth, options }) => {
    const opt = padded({ udpSize: 1232, do: false, options: undefined }, growth);
    expect(opt.options && [...opt.options]).toEqual(options);
  });
});
