import { describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/datapath/packet.js';
import { dnsOf } from '../../../src/lab/web/dns-of-packet.js';
import { Class, Flag, Type, encodeMessage } from '../../../src/wire/index.js';
import type { Message } from '../../../src/wire/index.js';
import { rr } from '../../support/dns.js';
import { datagram } from '../../support/packet.js';

const message = (more: Partial<Message>): Buffer =>
  encodeMessage({
    id: 7,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name: 'a.example.', type: Type.A, class: Class.IN }],
    answer: [],
    authority: [],
    additional: [],
    ...more,
  });
const packet = (payload: Uint8Array, more: Partial<Packet> = {}): Packet => datagram({ payload, ...more });
const reply = { sport: 53, dport: 40_000 };
const query = message({});

describe('the DNS of a packet', () => {
  it.each<{ name: string; of: Packet; want: ReturnType<typeof dnsOf> }>([
    { name: 'a query', of: packet(query), want: { name: 'a.example.', type: 'A' } },
    {
      name: 'a query over TCP, behind its length',
      of: packet(Buffer.concat([Buffer.from([0, query.length]), query]), { protocol: 'TCP' }),
      want: { name: 'a.example.', type: 'A' },
    },
    {
      name: 'an answer',
      of: packet(message({ flags: Flag.QR, answer: [rr('a.example. 60 IN A 192.0.2.1')] }), reply),
      want: { name: 'a.example.', type: 'A', result: 'NOERROR' },
    },
    {
      name: 'an answer without records of the type',
      of: packet(message({ flags: Flag.QR }), reply),
      want: { name: 'a.example.', type: 'A', result: 'NODATA' },
    },
    {
      name: 'a name that is not there',
      of: packet(message({ flags: Flag.QR, rcode: 3 }), reply),
      want: { name: 'a.example.', type: 'A', result: 'NXDOMAIN' },
    },
    { name: 'another port', of: packet(query, { dport: 80 }), want: undefined },
    { name: 'a segment without data', of: packet(Buffer.alloc(0), { protocol: 'TCP' }), want: undefined },
    { name: 'what is no message', of: packet(Buffer.from('hello, this is none')), want: undefined },
  ])('$name', ({ of, want }) => expect(dnsOf(of)).toEqual(want));
});
