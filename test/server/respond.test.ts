import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Next } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { Responder } from '../../src/server/respond.js';
import { InFlight } from '../../src/server/in-flight.js';
import { Chain, type Routes } from '../../src/server/routes.js';
import { Flag, Rcode, decodeMessage, encodeMessage, rcodeName, type Message } from '../../src/wire/index.js';
import { SERVER, client, query, rr } from '../support/dns.js';
import { noRoutes } from '../support/routes.js';

interface Asked {
  answer: Message | undefined;
  bytes: Buffer | undefined;
  dropped: boolean;
  panics: unknown[];
  inFlight: InFlight;
}

/** Hands one message to a server with one chain and waits a turn for what it does with it. */
async function ask(
  bytes: Buffer,
  options: { chain?: Next; transport?: 'udp' | 'tcp'; remote?: string } = {},
): Promise<Asked> {
  const inFlight = new InFlight();
  const routes = noRoutes(inFlight);
  routes.add(
    '.',
    new Chain(
      options.chain ?? ((): Reply => Reply.of(Flag.AA, 0, { answer: [rr('www.example.org. 300 IN A 192.0.2.1')] })),
      [],
    ),
  );
  const asked: Asked = { answer: undefined, bytes: undefined, dropped: false, panics: [], inFlight };
  const transport = options.transport ?? 'udp';
  const hooks = { panicked: (error: unknown) => void asked.panics.push(error), overdue: () => undefined };
  new Responder(new ManualClock(), hooks).respond(
    bytes,
    { server: SERVER, routes },
    client({ transport, remote: options.remote, port: 4000 }),
    0,
    {
      prefix: 0,
      send: (answer) => {
        asked.bytes = answer;
        asked.answer = decodeMessage(answer);
      },
      dropped: () => (asked.dropped = true),
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return asked;
}

const plain = query('www.example.org.').bytes;
const header = (change: (bytes: Buffer) => void, bytes: Buffer = plain): Buffer => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};

describe('what the header decides', () => {
  it.each([
    { name: 'no octets', bytes: Buffer.alloc(0) },
    { name: 'a runt', bytes: plain.subarray(0, 11) },
    { name: 'a response', bytes: header((b) => b.writeUInt16BE(0x8100, 2)) },
  ])('$name gets silence', async ({ bytes }) => {
    const { answer, dropped } = await ask(bytes);
    expect(answer).toBeUndefined();
    expect(dropped).toBe(true);
  });

  it.each([
    { name: 'STATUS', bytes: header((b) => b.writeUInt16BE(0x1100, 2)), rcode: 'NOTIMP', opcode: 2 },
    { name: 'UPDATE', bytes: header((b) => b.writeUInt16BE(0x2800, 2)), rcode: 'NOTIMP', opcode: 5 },
    { name: 'no question', bytes: header((b) => b.writeUInt16BE(0, 4)), rcode: 'FORMERR', opcode: 0 },
    { name: 'two questions', bytes: header((b) => b.writeUInt16BE(2, 4)), rcode: 'FORMERR', opcode: 0 },
    { name: '256 questions', bytes: header((b) => b.writeUInt16BE(256, 4)), rcode: 'FORMERR', opcode: 0 },
    { name: 'two answers', bytes: header((b) => b.writeUInt16BE(2, 6)), rcode: 'FORMERR', opcode: 0 },
    { name: 'two authorities', bytes: header((b) => b.writeUInt16BE(2, 8)), rcode: 'FORMERR', opcode: 0 },
    { name: 'three additionals', bytes: header((b) => b.writeUInt16BE(3, 10)), rcode: 'FORMERR', opcode: 0 },
  ])('$name gets $rcode and nothing but a header', async ({ bytes, rcode, opcode }) => {
    const { answer, bytes: sent } = await ask(bytes);
    expect(rcodeName(answer!.rcode)).toBe(rcode);
    expect((answer!.flags >> 11) & 15).toBe(opcode);
    expect(answer!.id).toBe(4660);
    expect(sent).toHaveLength(12);
    expect([4, 6, 8, 10].map((at) => sent!.readUInt16BE(at))).toEqual([0, 0, 0, 0]);
  });
});

describe('a malformed body', () => {
  it.each([
    { name: 'a question cut in its name', bytes: plain.subarray(0, 20), question: 0 },
    { name: 'a question without type', bytes: plain.subarray(0, plain.length - 4), question: 0 },
    {
      name: 'a name that points to itself',
      bytes: Buffer.concat([plain.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
      question: 0,
    },
    { name: 'a label of a reserved type', bytes: header((b) => (b[12] = 0x80)), question: 0 },
    {
      name: 'an OPT record cut short',
      bytes: header((b) => b, query('www.example.org.', 'A', { edns: 1232 }).bytes).subarray(0, -3),
      question: 1,
    },
    {
      name: 'an option that runs past its record',
      bytes: header((b) => b.writeUInt16BE(9, b.length - 2), query('www.example.org.', 'A', { edns: 1232 }).bytes),
      question: 1,
    },
    {
      name: 'an option that runs past the options',
      bytes: query('www.example.org.', 'A', { edns: 1232, options: [{ code: 0, data: Buffer.from([0, 10, 0, 9]) }] })
        .bytes.subarray(0)
        .map((byte, i, { length }) => (i === length - 5 ? 9 : byte)),
      question: 1,
    },
    {
      name: 'a client subnet of an unknown family',
      bytes: query('www.example.org.', 'A', { edns: 1232, options: [{ code: 8, data: Buffer.from([0, 9, 8, 0]) }] })
        .bytes,
      question: 1,
    },
    {
      name: 'an additional record whose data does not fit its type',
      bytes: Buffer.concat([
        header((b) => b.writeUInt16BE(1, 10)),
        Buffer.from('c00c0001000100000000' + '0003' + 'c00002', 'hex'),
      ]),
      question: 1,
    },
  ])('$name gets FORMERR, and no handler sees it', async ({ bytes, question }) => {
    let seen = 0;
    const { answer } = await ask(Buffer.from(bytes), { chain: () => (seen++, Reply.empty(0)) });
    expect(rcodeName(answer!.rcode)).toBe('FORMERR');
    expect(answer!.question).toHaveLength(question);
    expect(seen).toBe(0);
  });

  it.each([
    { name: 'counts of records that are not there', bytes: header((b) => b.writeUInt16BE(2, 10)) },
    { name: 'bytes behind its end', bytes: Buffer.concat([plain, Buffer.alloc(9, 255)]) },
  ])('is taken with $name, as CoreDNS takes it', async ({ bytes }) => {
    const { answer } = await ask(bytes, { chain: (asked) => (asked.withQuestion('b.'), Reply.empty(0)) });
    expect(rcodeName(answer!.rcode)).toBe('NOERROR');
  });
});

describe('EDNS', () => {
  it('answers a version other than 0 with BADVERS and version 0', async () => {
    const { answer } = await ask(
      header((b) => (b[b.length - 5] = 1), query('www.example.org.', 'A', { edns: 1232 }).bytes),
    );
    expect(rcodeName(answer!.rcode)).toBe('BADVERS');
    expect(answer!.edns).toMatchObject({ version: 0 });
  });

  it('answers it with BADVERS without the records of the query, one of IXFR', async () => {
    const { bytes } = query('example.org.', 'IXFR', { edns: 1232 });
    const { length } = bytes;
    const soa = Buffer.from('0000060001000000000016' + '0000' + '00000001'.repeat(5), 'hex');
    const asked = Buffer.concat([bytes.subarray(0, length - 11), soa, bytes.subarray(length - 11)]);
    asked[9] = 1;
    asked[asked.length - 5] = 1;
    const { bytes: sent } = await ask(asked);
    expect([4, 6, 8, 10].map((at) => sent!.readUInt16BE(at))).toEqual([1, 0, 0, 1]);
    expect(sent).toHaveLength(length);
  });

  it('mirrors payload size and DO, and echoes no option', async () => {
    const { answer } = await ask(
      query('www.example.org.', 'A', { edns: 1400, do: true, options: [{ code: 10, data: Buffer.alloc(8) }] }).bytes,
    );
    expect(answer!.edns).toEqual({ udpSize: 1400, version: 0, do: true, options: [] });
  });

  it('sends no OPT record to a client that sent none', async () => {
    const edns = { udpSize: 1232, version: 0, do: false, options: [] };
    const { answer } = await ask(plain, { chain: () => Reply.empty(0).withEdns(edns) });
    expect(answer!.edns).toBeUndefined();
  });

  it('keeps the options of the upstream', async () => {
    const edns = { udpSize: 512, version: 0, do: false, options: [{ code: 15, data: Uint8Array.of(0, 18) }] };
    const { answer } = await ask(query('www.example.org.', 'A', { edns: 1232 }).bytes, {
      chain: () => Reply.empty(2).withEdns(edns),
    });
    expect(answer!.edns).toMatchObject({ udpSize: 1232, options: [{ code: 15 }] });
  });
});

describe('size', () => {
  const many =
    (count: number): Next =>
    () =>
      Reply.of(0, 0, {
        answer: Array.from({ length: count }, (_, i) => rr(`many.example.org. 300 IN A 192.0.2.${(i + 1) % 256}`)),
      });
  it.each([
    { name: 'fits without compression', count: 14, options: {}, size: 34 + 14 * 32, tc: false, kept: 14 },
    { name: 'fits only compressed', count: 20, options: {}, size: 34 + 20 * 16, tc: false, kept: 20 },
    { name: 'is cut', count: 80, options: {}, size: 34 + 29 * 16, tc: true, kept: 29 },
    {
      name: 'is compressed so as not to be fragmented',
      count: 80,
      options: { edns: 4096 },
      size: 34 + 80 * 16 + 11,
      tc: false,
      kept: 80,
    },
    {
      name: 'is cut at 4,096 bytes, though the client takes more',
      count: 300,
      options: { edns: 65_535 },
      size: 34 + 253 * 16 + 11,
      tc: true,
      kept: 253,
    },
    {
      name: 'is written out over TCP',
      count: 80,
      options: { transport: 'tcp' as const },
      size: 34 + 80 * 32,
      tc: false,
      kept: 80,
    },
  ])('$name', async ({ count, options, size, tc, kept }) => {
    const transport = 'transport' in options ? options.transport : 'udp';
    const { answer, bytes } = await ask(query('many.example.org.', 'A', options).bytes, {
      chain: many(count),
      transport,
    });
    expect(bytes).toHaveLength(size);
    expect((answer!.flags & Flag.TC) !== 0).toBe(tc);
    expect(answer!.answer).toHaveLength(kept);
  });
});

describe('the chain', () => {
  it('is asked with the question, and the answer takes id, spelling, RD and CD from the query', async () => {
    const { answer } = await ask(query('WWW.example.ORG.', 'A', { id: 7, cd: true, rd: false }).bytes);
    expect(answer).toMatchObject({ id: 7, question: [{ name: 'WWW.example.ORG.' }] });
    expect(answer!.flags).toBe(Flag.QR | Flag.AA | Flag.CD);
  });

  it('may leave a query unanswered', async () => {
    const { answer, dropped } = await ask(plain, { chain: () => DROP });
    expect([answer, dropped]).toEqual([undefined, true]);
  });

  it.each([
    {
      name: 'throws',
      chain: (): never => {
        throw new Error('fault');
      },
    },
    { name: 'rejects', chain: () => Promise.reject(new Error('fault')) },
  ])('that $name is a panic: SERVFAIL, and the process lives', async ({ chain }) => {
    const { answer, panics, inFlight } = await ask(plain, { chain });
    expect(rcodeName(answer!.rcode)).toBe('SERVFAIL');
    expect(panics).toEqual([new Error('fault')]);
    expect(inFlight.size).toBe(0);
  });

  it('that waits counts as in flight until it has answered', async () => {
    let release: (reply: Reply) => void = () => undefined;
    const asked = await ask(plain, { chain: () => new Promise((resolve) => (release = resolve)) });
    expect([asked.inFlight.size, asked.answer]).toEqual([1, undefined]);
    release(Reply.empty(0));
    await asked.inFlight.settled();
    expect(rcodeName(asked.answer!.rcode)).toBe('NOERROR');
  });
});

describe('a query that waits', () => {
  it('is answered once, also where its handler comes to an end after its time, and told of once', async () => {
    let release: (reply: Reply) => void = () => undefined;
    const inFlight = new InFlight();
    const routes = noRoutes(inFlight);
    routes.add('.', new Chain(() => new Promise((resolve) => (release = resolve)), []));
    const clock = new ManualClock();
    const told: string[] = [];
    const responder = new Responder(
      clock,
      {
        panicked: () => void told.push('panic'),
        overdue: () => void told.push('overdue'),
        waited: (_, outcome) => void told.push(`waited ${rcodeName((outcome as Reply).rcode)}`),
      },
      500,
    );
    const send = (answer: Buffer): void => void told.push(rcodeName(decodeMessage(answer).rcode));
    responder.respond(plain, { server: SERVER, routes }, client({}), 0, { prefix: 0, send });
    clock.advance(1000);
    expect([told, inFlight.size]).toEqual([['overdue', 'waited SERVFAIL', 'SERVFAIL'], 0]);
    release(Reply.empty(0));
    await new Promise((resolve) => setImmediate(resolve));
    expect([told.length, inFlight.size]).toEqual([3, 0]);
  });
});

describe('routes', () => {
  const routesOf = (...zones: string[]): Routes => {
    const routes = noRoutes();
    for (const zone of zones)
      routes.add(zone, new Chain(() => Reply.of(0, 0, { answer: [rr(`zone. 1 IN TXT "${zone}"`)] }), []));
    return routes;
  };
  it.each([
    { zones: ['.'], name: 'a.b.', type: 'A', want: '.' },
    { zones: ['example.org.', 'www.example.org.'], name: 'a.www.example.org.', type: 'A', want: 'www.example.org.' },
    { zones: ['example.org.', 'www.example.org.'], name: 'mail.EXAMPLE.org.', type: 'A', want: 'example.org.' },
    { zones: ['example.org.', 'www.example.org.'], name: 'www.example.org.', type: 'DS', want: 'example.org.' },
    { zones: ['example.org.'], name: 'example.org.', type: 'DS', want: 'example.org.' },
    { zones: ['example.org.', '.'], name: 'badexample.org.', type: 'A', want: '.' },
    { zones: ['example.org.', '.'], name: '.', type: 'NS', want: '.' },
  ])('$name $type goes to $want of $zones', ({ zones, name, type, want }) => {
    const outcome = routesOf(...zones).answer(query(name, type)) as Reply;
    expect(Buffer.from(outcome.answer[0]!.rdata).toString('latin1', 1)).toBe(want);
  });

  it.each([
    { name: 'a zone that is not served', asked: query('example.com.') },
    { name: 'class CH', asked: query('www.example.org.', 'TXT', { class: 3 }) },
  ])('$name is refused', ({ asked }) => {
    const outcome = routesOf('example.org.').answer(asked) as Reply;
    expect([outcome.rcode, outcome.written]).toEqual([Rcode.REFUSED, false]);
  });

  it('take each zone once', () =>
    expect(routesOf('example.org.').add('example.org.', new Chain(() => DROP, []))).toBe(false));
});

it('encodes what it was given to the octet', async () => {
  const { bytes } = await ask(plain);
  expect(bytes!.toString('hex')).toBe(
    encodeMessage({
      id: 4660,
      flags: Flag.QR | Flag.AA | Flag.RD,
      rcode: 0,
      question: [{ name: 'www.example.org.', type: 1, class: 1 }],
      answer: [rr('www.example.org. 300 IN A 192.0.2.1')],
      authority: [],
      additional: [],
    }).toString('hex'),
  );
});
