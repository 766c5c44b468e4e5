import { describe, expect, it } from 'vitest';
import { DROP, Metadata, Reply, type NotedHit, type Outcome, type Query } from '../../../src/chain/index.js';
import type { Log } from '../../../src/plugins/log/handler.js';
import { log } from '../../../src/plugins/log/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';
import recorded from './recorded.json' with { type: 'json' };

const soa = (zone: string): string =>
  `${zone} 900 IN SOA ns1.${zone} hostmaster.${zone} 2025073000 1800 900 604800 900`;
const edns = { udpSize: 1232, version: 0, do: true, options: [] };
const a = (name: string, address = '93.184.216.34'): string => `${name} 300 IN A ${address}`;
const many = Array.from({ length: 80 }, (_, i) => a('many.example.org.', `192.0.2.${i + 1}`));

/** The queries of a recorded set, and what the upstream said to them. */
const SETS: { name: keyof typeof recorded; text: string; asked: [Query, Reply][] }[] = [
  {
    name: 'log',
    text: 'log',
    asked: [
      [query('www.example.org.'), reply({ answer: [a('www.example.org.')] })],
      [
        query('www.example.org.', 'AAAA', { edns: 1232, do: true }),
        reply({ answer: ['www.example.org. 300 IN AAAA 2606:2800:220:1:248:1893:25c8:1946'] }).withEdns(edns),
      ],
      [query('nosuch.example.org.'), reply({ rcode: 3, authority: [soa('org.')] })],
      [query('many.example.org.', 'A', { transport: 'tcp' }), reply({ answer: many })],
      [query('fail.example.org.'), reply({ rcode: 2 })],
      [query('WWW.EXAMPLE.org.', 'TXT'), reply({ authority: [soa('example.org.')] })],
    ],
  },
  {
    name: 'log-class-format',
    text: 'log example.org "{remote}:{port} {>id} {type} {class} {name} {proto} {size} {>do} {>bufsize} {rcode} {>rflags} {rsize} {>opcode} {local}" {\n class denial error\n}',
    asked: [
      [query('www.example.org.', 'A', { id: 11 }), reply({ answer: [a('www.example.org.')] })],
      [query('nosuch.example.org.', 'A', { id: 12 }), reply({ rcode: 3, authority: [soa('org.')] })],
      [query('nodata.example.org.', 'A', { id: 13 }), reply({ authority: [soa('example.org.')] })],
      [query('fail.example.org.', 'A', { id: 14 }), reply({ rcode: 2 })],
      [query('google.com.', 'A', { id: 15 }), reply({ answer: [a('google.com.')] })],
    ],
  },
];

const ALL_PLACEHOLDERS =
  '{type} {name} {class} {proto} {size} {remote} {port} {local} {>id} {>opcode} {>do} {>bufsize} {rcode} {>rflags} {rsize} {duration} {/a/b} {x}';

describe('log', () => {
  it.each(SETS)('writes the lines that were recorded: $name', ({ name, text, asked }) => {
    const { ask, block } = setup(log, text);
    for (const [asking, answer] of asked) void ask(asking, () => answer);
    const lines = block.log.lines.map((line) =>
      line
        .replace('127.0.0.1:40212', 'CLIENT')
        .replace('CLIENT - 4660', 'CLIENT - ID')
        .replace(/ [\d.]+s$/, ' DURs'),
    );
    expect(lines).toEqual(recorded[name]);
  });

  const outcomes: { name: string; outcome: Outcome; tail: string }[] = [
    { name: 'a reply', outcome: reply({ answer: [a('a.')] }), tail: 'NOERROR qr,rd,ra 36 0.25s' },
    { name: 'an error of a plugin', outcome: Reply.failure(2, new Error('no')), tail: 'SERVFAIL qr,rd 19 0.25s' },
    { name: 'a refusal of a plugin', outcome: Reply.failure(5), tail: 'REFUSED qr,rd 19 0.25s' },
    { name: 'no answer', outcome: Reply.failure(3), tail: '- - 0 0.25s' },
    { name: 'silence', outcome: DROP, tail: '- - 0 0.25s' },
  ];
  it.each(outcomes)('passes $name on after its line, at once and later', async ({ outcome, tail }) => {
    for (const wait of [false, true]) {
      const { ask, block } = setup(log, 'log');
      const got = ask(query('a.', 'A', { received: block.clock.monotonic() }), () => {
        block.clock.advance(250);
        return wait ? Promise.resolve(outcome) : outcome;
      });
      expect(got instanceof Promise).toBe(wait);
      expect(await got).toBe(outcome);
      expect(block.log.lines).toEqual([`[INFO] 127.0.0.1:40212 - 4660 "A IN a. udp 19 false 512" ${tail}`]);
    }
  });

  it.each([
    { name: 'everything, given nothing', text: 'log', lines: ['a.example.org.', 'b.example.org.', 'example.com.'] },
    { name: 'names below one', text: 'log Example.org', lines: ['a.example.org.', 'b.example.org.'] },
    { name: 'names below several', text: 'log a.example.org example.com', lines: ['a.example.org.', 'example.com.'] },
    {
      name: 'a format for several names',
      text: 'log a.example.org example.com "{name}"',
      lines: ['a.example.org.', 'example.com.'],
    },
    { name: 'a format alone', text: 'log {combined}', lines: ['a.example.org.', 'b.example.org.', 'example.com.'] },
    {
      name: 'the first rule that fits',
      text: 'log a.example.org {\n class error\n}\nlog example.org',
      lines: ['b.example.org.'],
    },
    { name: 'one class', text: 'log {\n class denial\n}', lines: ['b.example.org.'] },
    {
      name: 'several classes',
      text: 'log {\n class denial\n class success\n}',
      lines: ['a.example.org.', 'b.example.org.'],
    },
    {
      name: 'class all with others',
      text: 'log {\n class denial all\n}',
      lines: ['a.example.org.', 'b.example.org.', 'example.com.'],
    },
    { name: 'class error for what is not answered', text: 'log {\n class error\n}', lines: ['example.com.'] },
    { name: 'an empty block', text: 'log {\n}', lines: ['a.example.org.', 'b.example.org.', 'example.com.'] },
  ])('writes $name', ({ text, lines }) => {
    const { ask, block } = setup(log, text);
    void ask(query('A.example.org.'), () => reply({ answer: [a('a.example.org.')] }));
    void ask(query('b.example.org.'), () => reply({ rcode: 3, authority: [soa('example.org.')] }));
    void ask(query('example.com.'), () => Reply.failure(2));
    expect(block.log.lines.map((line) => /[a-z.]+\.(org|com)\./.exec(line)?.[0])).toEqual(lines);
  });

  it('puts the shortcuts into a longer format', () => {
    const { ask, block } = setup(log, 'log . "asked: {combined}!"');
    void ask(query('a.', 'A', { received: block.clock.monotonic() }), () => reply());
    expect(block.log.lines).toEqual([
      '[INFO] asked: 127.0.0.1:40212 - 4660 "A IN a. udp 19 false 512" NOERROR qr,rd,ra 19 0s "0"!',
    ]);
  });

  it.each([
    { name: 'a class that is not logged', text: 'log . {\n class error\n}', noted: false },
    { name: 'a class that is logged', text: 'log . {\n class success\n}', noted: true },
    { name: 'a zone that is not logged', text: 'log example.com {\n class success\n}', noted: false },
    { name: 'all classes', text: 'log', noted: true },
    { name: 'a signed answer, whose class time changes', text: 'log . {\n class error\n}', signed: true, each: true },
    { name: 'a signed answer of any class', text: 'log', signed: true, noted: true },
  ])('of a shared reply of $name is told: $noted', ({ text, signed = false, each = false, noted }) => {
    const { handlers } = setup(log, text);
    const handler = handlers[0] as Log;
    const asked = query('a.example.org.', 'A', signed ? { edns: 1232, do: true } : {});
    expect(handler.seesEach(asked)).toBe(each);
    if (!each) expect(handler.hitNoter(asked, reply({ answer: [a('a.example.org.')] })) !== undefined).toBe(noted);
  });

  const hit = (id: number, change: Partial<NotedHit> = {}): NotedHit => ({
    ...{ id, queryFlags: 0x0100, size: 31, maxSize: 512, elapsed: 0.25, remote: { address: '192.0.2.7', port: 53 } },
    ...change,
  });

  /** The lines of queries with shared replies, and those that their like get which reach the handler. */
  it.each([
    { name: 'the common format', text: 'log' },
    { name: 'the combined format', text: 'log . {combined}' },
    { name: 'a format of all placeholders', text: `log . "${ALL_PLACEHOLDERS}"` },
    { name: 'a format of text alone', text: 'log . "one {more} query{}"' },
  ])('writes the same line for a shared reply: $name', ({ text }) => {
    for (const options of [{}, { rd: false }, { cd: true }, { edns: 1232 }, { edns: 4096, do: true, cd: true }]) {
      for (const answer of [reply({ answer: [a('a.example.org.')] }), reply({ rcode: 3, authority: [soa('org.')] })]) {
        const { handlers, ask, block } = setup(log, text);
        const first = query('a.example.org.', 'A', { ...options, id: 1 });
        const tell = (handlers[0] as Log).hitNoter(first, answer)!;
        const remote = { address: '2001:db8::7', port: 40_212 };
        const received = block.clock.monotonic();
        const again = query('A.example.ORG.', 'A', { ...options, id: 65_535, remote: remote.address, received });
        void ask(again, () => {
          block.clock.advance(3);
          return answer;
        });
        const { id, queryFlags, size, maxSize } = again;
        tell({ id, queryFlags, size, maxSize, remote, elapsed: 3 });
        void ask(again, () => answer);
        expect(block.log.lines[1]).toBe(block.log.lines[0]);
      }
    }
  });

  it.each(['log', 'log . {\nclass all\n}'])('says what a reply is where metadata is collected: %s', async (text) => {
    const asked = query('a.example.org.');
    asked.context.metadata = new Metadata(asked, new Map());
    await setup(log, text).ask(asked, () => reply({ rcode: 3, authority: [soa('org.')] }));
    expect(['log/type', 'log/class'].map((label) => asked.context.metadata!.get(label))).toEqual([
      'NXDOMAIN',
      'denial',
    ]);
  });

  it('writes lines of shared replies together, in order, and before any that comes later', async () => {
    const { handlers, ask, block } = setup(log, 'log . "{>id} {remote}"');
    const together: string[] = [];
    Object.assign(block.log, { batch: { head: '> ', write: (lines: string) => together.push(lines) } });
    const tell = (handlers[0] as Log).hitNoter(query('a.example.org.'), reply())!;
    tell(hit(1));
    tell(hit(2, { remote: { address: '::1', port: 1 } }));
    expect(together).toEqual([]);
    void ask(query('b.example.org.', 'A', { id: 3 }), () => reply());
    expect(together).toEqual(['> 1 192.0.2.7\n> 2 [::1]\n']);
    expect(block.log.lines).toEqual(['[INFO] 3 127.0.0.1']);
    tell(hit(4));
    await Promise.resolve();
    expect(together[1]).toBe('> 4 192.0.2.7\n');
    for (let id = 0; id < 600; id++) tell(hit(id));
    expect(together.slice(2).map((lines) => lines.split('\n').length - 1)).toEqual([256, 256]);
  });

  it('shows what could steer a terminal in lines of shared replies, where it can be in them', () => {
    const { handlers, ask, block } = setup(log, 'log . "bell \u0007, \u00fc, {>id}, {remote}"');
    const tell = (handlers[0] as Log).hitNoter(query('a.example.org.'), reply())!;
    tell(hit(1, { remote: { address: 'fe80::1%\u001b', port: 1 } }));
    void ask(query('b.example.org.', 'A', { id: 3 }), () => reply());
    expect(block.log.lines[0]).toBe('[INFO] bell \\x07, \u00fc, 1, [fe80::1%\\x1b]');
  });

  it('keeps what only the query can tell from being shared', () => {
    const { handlers, block } = setup(log, 'log');
    const asked = query('a.example.org.');
    expect((handlers[0] as Log).seesEach(asked)).toBe(false);
    Object.assign(block.log, { infoWith: () => undefined });
    expect((handlers[0] as Log).seesEach(asked)).toBe(true);
  });

  it('need not be asked each time', () => {
    const { handlers } = setup(log, 'log');
    expect(handlers[0]).toMatchObject({ name: 'log', role: 'observes', dependsOn: 'question' });
  });

  it.each([
    {
      name: 'an unknown class',
      text: 'log . {\n class nosuch\n}',
      error: "Corefile:3: log: class: got 'nosuch', allowed: success, denial, error, all",
    },
    {
      name: 'class without a word',
      text: 'log {\n class\n}',
      error:
        'Corefile:3: log: class: got no argument, allowed: at least 1 argument; usage: class success|denial|error|all...',
    },
    {
      name: 'a block behind class',
      text: 'log {\n class all {\n }\n}',
      error: 'Corefile:3: log: class: got a block in { }, allowed: none',
    },
    {
      name: 'another option',
      text: 'log {\n classes all\n}',
      error: "Corefile:3: log: unknown option 'classes'; allowed: class",
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(log, text)).toThrow(error);
  });
});
