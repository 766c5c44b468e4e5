import { describe, expect, it, vi } from 'vitest';
import { Metadata, Reply, type Next, type Outcome, type Query } from '../../../src/chain/index.js';
import { file } from '../../../src/plugins/file/setup.js';
import { Opcode, Rcode, Type } from '../../../src/wire/index.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { query, reply, summary, type QuestionOptions } from '../../support/dns.js';

const HEAD = (serial = 1): string => `$TTL 60\n@ SOA ns host ${serial} 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n`;
const SOA = 'example. 60 IN SOA ns.example. host.example. 1 2 3 4 5';
const NS = 'example. 60 IN NS ns.example.';

const start = async (text: string, options: TestBlockOptions = {}) => {
  const made = setup(file, text, { zones: ['example.'], ...options });
  await made.block.run('start');
  const ask = async (name: string, type = 'A', question: QuestionOptions = {}, next?: Next) =>
    summary(await made.ask(query(name, type, question), next));
  return { ...made, ask };
};

const serve = (zone: string, options: TestBlockOptions = {}, more = '') =>
  start(`file /db {\n${more}\n}`, { files: { '/db': HEAD() + zone }, ...options });

const DO = { edns: 1232, do: true };
const nothing = (rcode: string): object => ({ rcode, flags: 'aa', authority: [SOA] });
const found = (...answer: string[]): object => ({ rcode: 'NOERROR', flags: 'aa', answer, authority: [NS] });

describe('answers', () => {
  const zone = [
    'a A 192.0.2.1',
    'mx MX 1 A.example.',
    'mx MX 2 a',
    'svc SVCB 1 a',
    '*.w MX 1 a',
    '*.c CNAME a',
    'x.y.deep A 192.0.2.9',
    '*.deep A 192.0.2.8',
    'x.ent.star A 192.0.2.1',
    '*.star TXT s',
    'hole.*.empty A 192.0.2.1',
    'cut NS ns.cut',
    'cut NS ns.elsewhere.',
    'ns.cut A 192.0.2.2',
    'ns.cut AAAA 2001:db8::2',
    'into CNAME www.cut',
    'old DNAME new',
    `long DNAME ${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}`,
    'self DNAME self',
    'SRV SRV 0 0 1 A',
    'unknown TYPE4711 \\# 1 AB',
  ].join('\n');
  const srv = 'SRV.example. 60 IN SRV 0 0 1 A.example.';
  const address = 'a.example. 60 IN A 192.0.2.1';
  const referral = {
    authority: ['cut.example. 60 IN NS ns.cut.example.', 'cut.example. 60 IN NS ns.elsewhere.'],
    additional: ['ns.cut.example. 60 IN A 192.0.2.2', 'ns.cut.example. 60 IN AAAA 2001:db8::2'],
  };
  it.each([
    { name: 'a name', qname: 'A.Example.', want: found(address) },
    { name: 'another type', qname: 'a.example.', type: 'TXT', want: nothing('NOERROR') },
    { name: 'no name', qname: 'b.example.', want: nothing('NXDOMAIN') },
    { name: 'the serial', qname: 'example.', type: 'SOA', want: found(SOA) },
    {
      name: 'the name servers and their addresses',
      qname: 'example.',
      type: 'NS',
      want: { rcode: 'NOERROR', flags: 'aa', answer: [NS], additional: ['ns.example. 60 IN A 192.0.2.53'] },
    },
    { name: 'the zone itself without records', qname: 'example.', want: nothing('NOERROR') },
    {
      name: 'targets, each once',
      qname: 'mx.example.',
      type: 'MX',
      want: {
        ...found('mx.example. 60 IN MX 1 a.example.', 'mx.example. 60 IN MX 2 a.example.'),
        additional: [address],
      },
    },
    {
      name: 'targets of SVCB',
      qname: 'svc.example.',
      type: 'SVCB',
      want: { ...found('svc.example. 60 IN SVCB 1 a.example.'), additional: [address] },
    },
    {
      name: 'SRV as it is spelt',
      qname: 'srv.example.',
      type: 'SRV',
      want: { ...found(srv), additional: [address] },
    },
    {
      name: 'an unknown type',
      qname: 'unknown.example.',
      type: 'TYPE4711',
      want: found('unknown.example. 60 IN TYPE4711 \\# 1 AB'),
    },
    {
      name: 'a wildcard',
      qname: 'x.w.example.',
      type: 'MX',
      want: { ...found('x.w.example. 60 IN MX 1 a.example.'), additional: [address] },
    },
    { name: 'a wildcard without the type', qname: 'x.w.example.', want: nothing('NOERROR') },
    { name: 'a wildcard alias', qname: 'x.c.example.', want: found('x.c.example. 60 IN CNAME a.example.', address) },
    {
      name: 'a wildcard in itself',
      qname: '*.w.example.',
      type: 'MX',
      want: { ...found('*.w.example. 60 IN MX 1 a.example.'), additional: [address] },
    },
    { name: 'a name between others', qname: 'deep.example.', want: nothing('NOERROR') },
    { name: 'a closer name than the wildcard', qname: 'z.y.deep.example.', want: nothing('NXDOMAIN') },
    {
      name: 'no closer name than the wildcard',
      qname: 'z.z.deep.example.',
      want: found('z.z.deep.example. 60 IN A 192.0.2.8'),
    },
    {
      name: 'a name between others beside a wildcard, as CoreDNS',
      qname: 'ent.star.example.',
      type: 'TXT',
      want: found('ent.star.example. 60 IN TXT "s"'),
    },
    { name: 'below such a name', qname: 'y.ent.star.example.', type: 'TXT', want: nothing('NXDOMAIN') },
    { name: 'a wildcard that only lies between others', qname: 'x.empty.example.', want: nothing('NOERROR') },
    { name: 'a delegation', qname: 'cut.example.', want: { rcode: 'NOERROR', flags: '', ...referral } },
    { name: 'below a delegation', qname: 'ns.cut.example.', want: { rcode: 'NOERROR', flags: '', ...referral } },
    { name: 'DS of a delegation', qname: 'cut.example.', type: 'DS', want: nothing('NOERROR') },
    {
      name: 'DS below a delegation',
      qname: 'x.cut.example.',
      type: 'DS',
      want: { rcode: 'NOERROR', flags: '', ...referral },
    },
    {
      name: 'an alias into a delegation',
      qname: 'into.example.',
      want: { rcode: 'NOERROR', flags: 'aa', answer: ['into.example. 60 IN CNAME www.cut.example.'], ...referral },
    },
    { name: 'a redirection that leads to itself', qname: 'x.self.example.', want: { rcode: 'SERVFAIL', flags: '' } },
    {
      name: 'a redirection to a name that is too long',
      qname: `${'d'.repeat(60)}.e.f.long.example.`,
      want: {
        rcode: 'YXDOMAIN',
        flags: 'aa',
        answer: [`long.example. 60 IN DNAME ${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.`],
        authority: [NS],
      },
    },
    {
      name: 'the alias of a redirection',
      qname: 'x.old.example.',
      type: 'CNAME',
      want: found('old.example. 60 IN DNAME new.example.', 'x.old.example. 60 IN CNAME x.new.example.'),
    },
    { name: 'a transfer', qname: 'example.', type: 'AXFR', want: { rcode: 'REFUSED', flags: '' } },
  ])('$name', async ({ qname, type, want }) => {
    const { ask } = await serve(zone);
    expect(await ask(qname, type)).toEqual(want);
    // The second answer is the one that was kept.
    expect(await ask(qname, type)).toEqual(want);
  });

  it.each([
    {
      name: 'is found',
      answer: reply({ answer: ['www.elsewhere. 5 IN A 192.0.2.7'] }),
      want: { ...found('out.example. 60 IN CNAME www.elsewhere.', 'www.elsewhere. 5 IN A 192.0.2.7') },
    },
    {
      name: 'is not found',
      answer: Reply.empty(Rcode.NXDOMAIN),
      want: { ...nothing('NXDOMAIN'), answer: ['out.example. 60 IN CNAME www.elsewhere.'] },
    },
    {
      name: 'has no such record',
      answer: Reply.empty(Rcode.NOERROR),
      want: { ...nothing('NOERROR'), answer: ['out.example. 60 IN CNAME www.elsewhere.'] },
    },
    {
      name: 'fails',
      answer: Reply.empty(Rcode.SERVFAIL),
      want: { ...found('out.example. 60 IN CNAME www.elsewhere.'), rcode: 'SERVFAIL' },
    },
    { name: 'is refused', answer: Reply.empty(Rcode.REFUSED), want: found('out.example. 60 IN CNAME www.elsewhere.') },
  ])('an alias that leaves the zone and $name', async ({ answer, want }) => {
    const asked: Query[] = [];
    const later: Next = (q) => Promise.resolve((asked.push(q), answer));
    const { ask, handlers } = await serve('out CNAME www.elsewhere.', { ask: later });
    expect(await ask('out.example.')).toEqual(want);
    expect(asked.map(({ name, type }) => [name, type])).toEqual([['www.elsewhere.', Type.A]]);
    const made = (await handlers[0]!.handle(query('out.example.'), later)) as Reply;
    expect(made.lease).toBeUndefined();
  });

  it('ends where names lead to each other through the server', async () => {
    const made: ReturnType<typeof setup> = setup(file, 'file /db', {
      zones: ['example.'],
      files: { '/db': `${HEAD()}*.loop CNAME a.b.loop\n` },
      ask: (asked) => made.ask(asked),
    });
    await made.block.run('start');
    const { rcode, answer } = summary(await made.ask(query('x.loop.example.'))) as { rcode: string; answer: string[] };
    expect([rcode, answer.length]).toEqual(['SERVFAIL', 9]);
  });
});

describe('a signed zone', () => {
  const sig = (type: string, labels = 2): string =>
    `RRSIG ${type} 13 ${labels} 60 20300101000000 20200101000000 1 example. AAAA`;
  const zone = [
    `@ ${sig('SOA', 1)}`,
    `@ ${sig('NS', 1)}`,
    `@ NSEC a NS SOA`,
    `@ ${sig('NSEC', 1)}`,
    'a A 192.0.2.1',
    `a ${sig('A')}`,
    'a NSEC cut A',
    `a ${sig('NSEC')}`,
    'cut NS ns.elsewhere.',
    'cut DS 1 13 2 AB',
    `cut ${sig('DS')}`,
    'cut NSEC x.mid NS DS',
    'x.mid A 192.0.2.3',
    'x.mid NSEC *.w A',
    '*.w A 192.0.2.2',
    `*.w ${sig('A')}`,
    '*.w NSEC @ A',
  ].join('\n');
  const by = (owner: string, type: string, labels = 2): string =>
    `${owner} 60 IN RRSIG ${type} 13 ${labels} 60 20300101000000 20200101000000 1 example. AAAA`;
  const soa = [SOA, by('example.', 'SOA', 1)];
  const ns = [NS, by('example.', 'NS', 1)];
  const nsec = (owner: string, rest: string): string => `${owner} 60 IN NSEC ${rest}`;
  it.each([
    {
      name: 'data',
      qname: 'a.example.',
      want: { answer: ['a.example. 60 IN A 192.0.2.1', by('a.example.', 'A')], authority: ns },
    },
    {
      name: 'no data',
      qname: 'a.example.',
      type: 'TXT',
      want: { authority: [...soa, nsec('a.example.', 'cut.example. A'), by('a.example.', 'NSEC')] },
    },
    {
      name: 'no data at the head',
      qname: 'example.',
      want: { authority: [...soa, nsec('example.', 'a.example. NS SOA'), by('example.', 'NSEC', 1)] },
    },
    {
      name: 'no name',
      qname: 'b.example.',
      rcode: 'NXDOMAIN',
      want: {
        authority: [
          ...soa,
          nsec('a.example.', 'cut.example. A'),
          by('a.example.', 'NSEC'),
          nsec('example.', 'a.example. NS SOA'),
          by('example.', 'NSEC', 1),
        ],
      },
    },
    {
      name: 'a name between others',
      qname: 'mid.example.',
      want: { authority: [...soa, nsec('cut.example.', 'x.mid.example. NS DS')] },
    },
    {
      name: 'a wildcard',
      qname: 'z.w.example.',
      want: {
        answer: ['z.w.example. 60 IN A 192.0.2.2', by('z.w.example.', 'A')],
        authority: [...ns, nsec('*.w.example.', 'example. A')],
      },
    },
    {
      name: 'a wildcard without the type',
      qname: 'z.w.example.',
      type: 'TXT',
      want: { authority: [...soa, nsec('*.w.example.', 'example. A')] },
    },
    {
      name: 'a delegation',
      qname: 'x.cut.example.',
      flags: '',
      want: {
        authority: ['cut.example. 60 IN NS ns.elsewhere.', 'cut.example. 60 IN DS 1 13 2 AB', by('cut.example.', 'DS')],
      },
    },
    {
      name: 'DS',
      qname: 'cut.example.',
      type: 'DS',
      want: { answer: ['cut.example. 60 IN DS 1 13 2 AB', by('cut.example.', 'DS')], authority: ns },
    },
    {
      name: 'signatures',
      qname: 'a.example.',
      type: 'RRSIG',
      want: { answer: [by('a.example.', 'A'), by('a.example.', 'NSEC')], authority: ns },
    },
  ])('$name', async ({ qname, type, rcode = 'NOERROR', flags = 'aa', want }) => {
    const { ask } = await serve(zone);
    expect(await ask(qname, type)).toMatchObject({ rcode });
    expect(await ask(qname, type, DO)).toEqual({ rcode, flags, ...want });
  });

  it('tells signatures to nobody else', async () => {
    const { ask } = await serve(zone);
    await ask('a.example.', 'A', DO);
    expect(await ask('a.example.')).toEqual(found('a.example. 60 IN A 192.0.2.1'));
  });
});

describe('what else is asked', () => {
  const next: Next = () => reply({ answer: ['next. 1 IN A 192.0.2.99'] });
  const passed = summary(next(query('x.')) as Outcome);
  it.each([
    { name: 'fallthrough for a name that is not there', more: 'fallthrough', qname: 'b.example.', want: passed },
    { name: 'fallthrough for a name between others', more: 'fallthrough', qname: 'c.example.', want: passed },
    {
      name: 'fallthrough leaves data of other types',
      more: 'fallthrough',
      qname: 'a.example.',
      type: 'TXT',
      want: nothing('NOERROR'),
    },
    { name: 'fallthrough for this zone', more: 'fallthrough example.', qname: 'b.example.', want: passed },
    {
      name: 'fallthrough for another zone',
      more: 'fallthrough example.net',
      qname: 'b.example.',
      want: nothing('NXDOMAIN'),
    },
    { name: 'no fallthrough', more: '', qname: 'b.example.', want: nothing('NXDOMAIN') },
    { name: 'a name outside', more: '', qname: 'elsewhere.', want: passed },
  ])('$name', async ({ more, qname, type, want }) => {
    const { block, handlers, ask } = await serve('a A 192.0.2.1\nb.c A 192.0.2.2', {}, more);
    block.chain = [...handlers, { name: 'next', handle: next }];
    await block.run('start');
    expect(await ask(qname, type, {}, next)).toEqual(want);
  });

  it('sets zone/wildcard where labels are collected', async () => {
    const { handlers } = await serve('*.w A 192.0.2.1');
    const label = (): string | undefined => {
      const asked = query('x.w.example.', 'A');
      asked.context.metadata = new Metadata(asked, new Map());
      void handlers[0]!.handle(asked, next);
      return asked.context.metadata.get('zone/wildcard');
    };
    expect([label(), label()]).toEqual(['*.w.example.', '*.w.example.']);
  });

  it('refuses names outside where no handler stands behind it', async () =>
    expect(await (await serve('')).ask('elsewhere.')).toEqual({ rcode: 'REFUSED', flags: '' }));

  it('leaves a NOTIFY unanswered', async () => {
    const made = setup(file, 'file /db', { zones: ['example.'], files: { '/db': HEAD() } });
    await made.block.run('start');
    const notify = query('example.', 'SOA').withMessage((message) => ({ ...message, flags: Opcode.NOTIFY << 11 }));
    expect(summary(await made.ask(notify))).toBe('drop');
  });
});

describe('a changing file', () => {
  const MINUTE = 60_000;
  const began = async (more = '', zone = 'a A 192.0.2.1') => {
    const files: Record<string, string> = { '/db': HEAD() + zone };
    const mtimes: Record<string, number> = { '/db': 1 };
    const made = await start(`file /db {\n${more}\n}`, { files, mtimes });
    const write = (path: string, text: string): void => {
      files[path] = text;
      mtimes[path] = (mtimes[path] ?? 0) + 1;
    };
    const address = async (name = 'a.example.'): Promise<string | undefined> =>
      ((await made.ask(name)) as { answer?: string[] }).answer?.[0]?.split(' ').at(-1);
    const pass = (time: number): Promise<void> => made.block.clock.advanceAsync(time);
    return { ...made, files, write, address, pass };
  };

  it('is read again when its serial is another', async () => {
    const { write, address, pass, block } = await began();
    write('/db', `${HEAD(2)}a A 192.0.2.2`);
    await pass(MINUTE - 1);
    expect(await address()).toBe('192.0.2.1');
    await pass(1);
    expect(await address()).toBe('192.0.2.2');
    expect(block.log.lines).toEqual([
      '[INFO] plugin/file: Successfully reloaded zone "example." in "/db" with 2 SOA serial',
    ]);
  });

  it('takes back what was made of the zone before', async () => {
    const { write, pass, ask: _, handlers } = await began('reload 1s');
    const made = handlers[0]!.handle(query('a.example.'), () => reply()) as Reply;
    expect([made.lease?.until, made.lease?.revoked]).toEqual([Infinity, false]);
    write('/db', HEAD(2));
    await pass(1000);
    expect(made.lease?.revoked).toBe(true);
  });

  it.each([
    { name: 'its serial is the same', more: 'reload 1s', text: `${HEAD()}a A 192.0.2.2`, want: '192.0.2.1' },
    {
      name: 'its serial is the same but its time counts',
      more: 'reload 1s\nreload_by_mtime',
      text: `${HEAD()}a A 192.0.2.2`,
      want: '192.0.2.2',
    },
    { name: 'nobody looks', more: 'reload 0', text: `${HEAD(2)}a A 192.0.2.2`, want: '192.0.2.1' },
    { name: 'it is faulty', more: 'reload 1s', text: `${HEAD(2)}a A x`, want: '192.0.2.1' },
    { name: 'it is empty', more: 'reload 1s', text: '', want: '192.0.2.1' },
  ])('another file: $name', async ({ more, text, want }) => {
    const { write, address, pass } = await began(more);
    write('/db', text);
    await pass(5000);
    expect(await address()).toBe(want);
  });

  it('says once what is wrong with it, and takes it when it is mended', async () => {
    const { write, address, pass, block } = await began('reload 1s');
    write('/db', `${HEAD(2)}a A x`);
    await pass(5000);
    expect(block.log.lines).toEqual([
      `[ERROR] plugin/file: Parsing zone "example.": /db:5: expected an IPv4 address, got 'x'`,
    ]);
    write('/db', `${HEAD(2)}a A 192.0.2.2`);
    await pass(1000);
    expect(await address()).toBe('192.0.2.2');
  });

  it('goes on with what it said when it goes away', async () => {
    const { files, address, pass, block } = await began('reload 1s');
    delete files['/db'];
    await pass(5000);
    expect(await address()).toBe('192.0.2.1');
    expect(block.log.lines).toEqual([
      `[ERROR] plugin/file: Failed to open zone "example." in "/db": ENOENT: no such file or directory, open '/db'`,
    ]);
  });

  it('says that a serial went back', async () => {
    const { write, address, pass, block } = await began('reload 1s', '');
    write('/db', `${HEAD(0xffffffff)}a A 192.0.2.2`);
    await pass(1000);
    expect(await address()).toBe('192.0.2.2');
    expect(block.log.lines[0]).toBe(
      '[WARNING] plugin/file: Serial of zone "example." went back from 1 to 4294967295: secondaries keep what they have',
    );
  });

  it('is read again when an included file has another serial', async () => {
    const files: Record<string, string> = {
      '/db': '$TTL 60\n$INCLUDE head\na A 192.0.2.1\n',
      '/head': '@ SOA ns host 1 2 3 4 5\n',
    };
    const mtimes: Record<string, number> = {};
    const { ask, block } = await start('file /db {\nreload 1s\n}', { files, mtimes });
    files['/head'] = '@ SOA ns host 7 2 3 4 5\n';
    mtimes['/head'] = 5;
    await block.clock.advanceAsync(1000);
    expect(await ask('example.', 'SOA')).toMatchObject({ answer: [SOA.replace('host.example. 1', 'host.example. 7')] });
  });

  it('is not taken while it is being written', async () => {
    const { write, address, pass, block } = await began('reload 1s');
    const half = `${HEAD(2)}${'x A 192.0.2.3\n'.repeat(3000)}`;
    write('/db', half);
    block.clock.advance(1000);
    // The rest comes between two slices.
    write('/db', `${half}a A 192.0.2.2\n`);
    await vi.waitFor(() =>
      expect(block.log.lines).toEqual([
        '[DEBUG] plugin/file: Zone "example." in "/db" changed while it was read: looking again',
      ]),
    );
    expect(await address()).toBe('192.0.2.1');
    await pass(1000);
    await vi.waitFor(async () => expect(await address()).toBe('192.0.2.2'));
  });

  it('answers SERVFAIL until it comes', async () => {
    const files: Record<string, string> = {};
    const { ask, block } = await start('file /db {\nreload 1s\n}', { files });
    expect(await ask('a.example.')).toEqual({ rcode: 'SERVFAIL', flags: '' });
    expect(block.log.lines).toEqual([
      `[WARNING] plugin/file: Failed to open "/db": ENOENT: no such file or directory, open '/db'; trying again in 1s`,
    ]);
    files['/db'] = `${HEAD()}a A 192.0.2.1`;
    await block.clock.advanceAsync(1000);
    expect(await ask('a.example.')).toEqual(found('a.example. 60 IN A 192.0.2.1'));
  });

  it('is not looked at any more when the configuration has ended', async () => {
    const { block } = await began('reload 1s');
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });
});

describe('Corefile', () => {
  const files = {
    '/db': HEAD(),
    '/bad': 'x',
    '/zones/db': HEAD(),
    db: `${HEAD()}a A 192.0.2.4`,
    '/more': `${HEAD()}a A 192.0.2.5`,
  };
  it.each([
    {
      text: 'file',
      error: 'Corefile:2: file: got no argument, allowed: at least 1 argument; usage: file DBFILE [ZONES...]',
    },
    {
      text: 'file /db {\nreload\n}',
      error: 'Corefile:3: file: reload: got no argument, allowed: 1 argument; usage: reload DURATION',
    },
    {
      text: 'file /db {\nreload 5\n}',
      error: "Corefile:3: file: reload: got '5', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      text: 'file /db {\nreload_by_mtime x\n}',
      error: "Corefile:3: file: reload_by_mtime: got 1 argument ('x'), allowed: no argument",
    },
    {
      text: 'file /db {\nreolad 5s\n}',
      error:
        "Corefile:3: file: unknown option 'reolad'; allowed: reload, reload_by_mtime, fallthrough; did you mean 'reload'?",
    },
    {
      text: 'file /bad',
      error: 'Corefile:2: file: /bad:1: expected TTL, class or record type, got the end of the line',
    },
    { text: 'file /gone {\nreload 0\n}', error: "Corefile:2: file: ENOENT: no such file or directory, open '/gone'" },
  ])('refuses $text', ({ text, error }) => expect(start(text, { files })).rejects.toThrow(error));

  it('takes upstream and says nothing', async () =>
    expect((await start('file /db {\nupstream 1.2.3.4\n}', { files })).block.log.lines).toEqual([]));

  it('serves several zones of one file and several files', async () => {
    const { ask } = await start('file db example. example.net\nfile /more example.org', { files });
    expect([await ask('a.example.'), await ask('a.example.net.'), await ask('a.example.org.')]).toMatchObject([
      { answer: ['a.example. 60 IN A 192.0.2.4'] },
      { answer: ['a.example.net. 60 IN A 192.0.2.4'] },
      { answer: ['a.example.org. 60 IN A 192.0.2.5'] },
    ]);
  });
});
