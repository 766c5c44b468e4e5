import { describe, expect, it } from 'vitest';
import {
  Reply,
  Transfer,
  type Handler,
  type Next,
  type Outcome,
  type TransfersZones,
  type ZoneTransfer,
} from '../../../src/chain/index.js';
import { transfer } from '../../../src/plugins/transfer/setup.js';
import { Flag, Opcode, decodeMessage, encodeMessage } from '../../../src/wire/index.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { query, reply, rr, summary, texts, type QuestionOptions } from '../../support/dns.js';
import { FakeNetwork } from '../../support/fake-network.js';

const SOA = 'example. 60 IN SOA ns. host. 7 2 3 4 5';
const soa = rr(SOA);

/** A zone at serial 7. */
class Source implements Handler, TransfersZones {
  readonly name = 'source';
  records = [rr('example. 60 IN NS ns.'), rr('a.example. 60 IN A 192.0.2.1')];

  handle = (): Outcome => reply({ rcode: 5 });

  zoneTransfer(zone: string, serial: number | undefined): ZoneTransfer | 'unready' | undefined {
    if (zone === 'empty.') return 'unready';
    if (zone !== 'example.') return undefined;
    const all = function* (this: Source) {
      yield soa;
      yield* this.records;
      yield soa;
    };
    return { serial: 7, records: serial === 7 ? [soa] : all.call(this) };
  }
}

const passed: Next = () => reply({ answer: ['next. 1 IN A 192.0.2.9'] });

const start = async (text: string, options: TestBlockOptions = {}) => {
  const source = new Source();
  const made = setup(transfer, text, { zones: ['.'], ...options });
  made.block.chain = [...made.handlers, source];
  await made.block.run('start');
  const ask = async (name: string, type: string, question: QuestionOptions = {}, serials: number[] = []) => {
    const asked = query(name, type, { transport: 'tcp', ...question }).withMessage((message) => ({
      ...message,
      authority: serials.map((serial) => rr(SOA.replace(' 7 ', ` ${serial} `))),
    }));
    const outcome = await made.ask(asked, passed);
    if (!(outcome instanceof Transfer)) return summary(outcome);
    return [...outcome.messages].map((message) => texts(message.answer));
  };
  return { ...made, source, ask };
};

const whole = [[SOA, 'example. 60 IN NS ns.', 'a.example. 60 IN A 192.0.2.1', SOA]];
const next = summary(passed(query('x.')) as Outcome);
const refused = { rcode: 'REFUSED', flags: '' };
const ALL = 'transfer {\nto *\n}';

describe('transfer', () => {
  it.each([
    { name: 'a zone', type: 'AXFR', want: whole },
    { name: 'a zone to who has an older one', type: 'IXFR', serials: [6], want: whole },
    {
      name: 'the serial to who has the zone',
      type: 'IXFR',
      serials: [7],
      want: { rcode: 'NOERROR', flags: '', answer: [SOA] },
    },
    { name: 'IXFR without a serial', type: 'IXFR', want: { rcode: 'SERVFAIL', flags: '' } },
    { name: 'IXFR with two', type: 'IXFR', serials: [1, 2], want: { rcode: 'SERVFAIL', flags: '' } },
    { name: 'over UDP', type: 'AXFR', transport: 'udp' as const, want: refused },
    { name: 'a zone that has no content yet', qname: 'empty.', type: 'AXFR', want: { rcode: 'SERVFAIL', flags: '' } },
    { name: 'a name within the zone', qname: 'a.example.', type: 'AXFR', want: next },
    { name: 'another question', type: 'SOA', want: next },
    {
      name: 'the client that is named',
      text: 'transfer {\nto 192.0.2.1 192.0.2.7:5300\n}',
      type: 'AXFR',
      remote: '192.0.2.7',
      want: whole,
    },
    {
      name: 'an IPv6 client',
      text: 'transfer {\nto [2001:db8:0::1]:53\n}',
      type: 'AXFR',
      remote: '2001:db8::1',
      want: whole,
    },
    { name: 'another client', text: 'transfer {\nto 192.0.2.1\n}', type: 'AXFR', remote: '192.0.2.9', want: refused },
    { name: 'another zone than the rule has', text: 'transfer other {\nto *\n}', type: 'AXFR', want: next },
    {
      name: 'the rule with the longest zone',
      text: 'transfer {\nto *\n}\ntransfer example {\nto 192.0.2.1\n}',
      type: 'AXFR',
      want: refused,
    },
  ])('$name', async ({ text = ALL, qname = 'example.', type, serials, transport, remote, want }) => {
    const { ask } = await start(text);
    expect(await ask(qname, type, { transport: transport ?? 'tcp', remote }, serials)).toEqual(want);
  });

  it('says what went out, once it is out', async () => {
    const { ask, block } = await start(ALL);
    await ask('Example.', 'AXFR');
    await ask('example.', 'IXFR', {}, [7]);
    expect(block.log.lines).toEqual([
      '[INFO] plugin/transfer: Outgoing transfer of 4 records of zone "Example." to 127.0.0.1 for 7 SOA serial',
      '[INFO] plugin/transfer: Outgoing noop, incremental transfer for up to date zone "example." to 127.0.0.1 for 7 SOA serial',
    ]);
  });

  it('says nothing of a transfer that broke off', async () => {
    const { block, handlers } = await start(ALL);
    const outcome = handlers[0]!.handle(query('example.', 'AXFR', { transport: 'tcp' }), passed) as Transfer;
    const messages = outcome.messages[Symbol.iterator]();
    messages.next();
    messages.return?.();
    expect(block.log.lines).toEqual([]);
  });

  it('keeps each message within what one can hold', async () => {
    const { ask, source } = await start(ALL);
    source.records = Array.from({ length: 4000 }, (_, i) => rr(`h${i}.example. 60 IN TXT "${'x'.repeat(200)}"`));
    source.records.push(rr(`big.example. 60 IN TYPE65280 \\# 65000 ${'00'.repeat(65_000)}`));
    const messages = (await ask('example.', 'AXFR')) as string[][];
    expect(messages.flat().length).toBe(4003);
    const sizes = messages.map((list) => list.map((text) => rr(text).rdata.length + 30).reduce((a, b) => a + b, 0));
    expect(Math.max(...sizes)).toBeLessThan(65_500);
    expect(messages.length).toBeLessThan(20);
  });

  it.each([
    { text: 'transfer', error: "Corefile:2: transfer: 'to' is required" },
    { text: 'transfer {\nto\n}', error: 'Corefile:3: transfer: to: got no argument' },
    {
      text: 'transfer {\nto x\n}',
      error: "Corefile:3: transfer: to: got 'x', allowed: IP:PORT, [IPV6]:PORT, IP alone for port 53",
    },
    {
      text: 'transfer {\nto *\nsource x\n}',
      error: "Corefile:4: transfer: source: got 'x', allowed: an IPv4 or IPv6 address",
    },
    {
      text: 'transfer {\nto *\nsource ::1\nsource ::1\n}',
      error: 'Corefile:5: transfer: source: got it a second time, allowed: once',
    },
    {
      text: 'transfer {\nfrom *\n}',
      error: "Corefile:3: transfer: unknown option 'from'; allowed: to, source, notify_key",
    },
  ])('refuses $text', ({ text, error }) => expect(() => setup(transfer, text)).toThrow(error));
});

describe('NOTIFY', () => {
  const began = async (text: string, rcode: number | 'silence' | 'a header alone') => {
    const network = new FakeNetwork();
    const { block, handlers } = await start(text, { network });
    network.clock = block.clock;
    const seen: { from: string; message: ReturnType<typeof decodeMessage> }[] = [];
    for (const port of [53, 5300]) {
      const socket = await network.bindUdp({ address: '192.0.2.1', port }, (bytes, from) => {
        const message = decodeMessage(bytes);
        seen.push({ from: from.address, message });
        if (rcode === 'silence') return;
        const answer = encodeMessage({ ...message, flags: message.flags | Flag.QR, rcode: Number(rcode) || 0 });
        socket.send(answer, rcode === 'a header alone' ? 12 : answer.length, from);
      });
    }
    const notify = (zone: string): void => (handlers[0] as unknown as { notify(zone: string): void }).notify(zone);
    return { block, seen, notify, network };
  };

  it('goes to all servers that are named, once where it is taken', async () => {
    const { block, seen, notify, network } = await began('transfer example {\nto * 192.0.2.1 192.0.2.1:5300\n}', 0);
    notify('example.');
    await block.clock.advanceAsync(10_000);
    expect(seen.map(({ message }) => [(message.flags >> 11) & 15, message.flags & Flag.AA, message.question])).toEqual(
      Array.from({ length: 2 }, () => [Opcode.NOTIFY, Flag.AA, [{ name: 'example.', type: 6, class: 1 }]]),
    );
    expect([block.log.lines, network.udpSockets]).toEqual([[], 2]);
  });

  it('is taken by a header that says so', async () => {
    const { block, seen, notify } = await began('transfer example {\nto 192.0.2.1\n}', 'a header alone');
    notify('example.');
    await block.clock.advanceAsync(10_000);
    expect([seen.length, block.log.lines]).toEqual([1, []]);
  });

  it('says nothing of zones without a rule', async () => {
    const { block, seen, notify } = await began('transfer example {\nto 192.0.2.1\n}', 0);
    notify('elsewhere.');
    await block.clock.advanceAsync(10_000);
    expect(seen).toEqual([]);
  });

  it.each([
    { name: 'nobody answers', rcode: 'silence' as const, fault: 'i/o timeout' },
    { name: 'it is refused', rcode: 5, fault: 'rcode was "REFUSED"' },
  ])('is tried three times where $name', async ({ rcode, fault }) => {
    const { block, seen, notify } = await began('transfer {\nto 192.0.2.1\n}', rcode);
    notify('example.');
    await block.clock.advanceAsync(10_000);
    expect(seen.length).toBe(3);
    expect(block.log.lines).toEqual([
      `[WARNING] plugin/transfer: notify for zone "example." was not accepted by "192.0.2.1:53": ${fault}`,
    ]);
  });

  it('waits 2 seconds for each answer, as in CoreDNS', async () => {
    const { block, seen, notify } = await began('transfer {\nto 192.0.2.1\n}', 'silence');
    notify('example.');
    const counts: number[][] = [];
    for (const time of [1990, 20, 1980, 20, 1980, 20]) {
      await block.clock.advanceAsync(time);
      counts.push([seen.length, block.log.lines.length]);
    }
    expect(counts).toEqual([[1, 0], [2, 0], [2, 0], [3, 0], [3, 0], [3, 1]]); // prettier-ignore
  });

  it('ends with the configuration', async () => {
    const { block, seen, notify, network } = await began('transfer {\nto 192.0.2.1\n}', 'silence');
    notify('example.');
    await block.clock.advanceAsync(500);
    await block.run('stop');
    await block.clock.advanceAsync(10_000);
    expect([seen.length, network.udpSockets, block.log.lines]).toEqual([1, 2, []]);
  });

  it('is sent from the source address', async () => {
    const { block, seen, notify } = await began('transfer {\nto 192.0.2.1\nsource 192.0.2.77\n}', 0);
    notify('example.');
    await block.clock.advanceAsync(1000);
    expect(seen.map(({ from }) => from)).toEqual(['192.0.2.77']);
  });
});

it('a transfer is not shown to handlers that change replies', () =>
  expect(new Transfer([]).head).toBeInstanceOf(Reply));
