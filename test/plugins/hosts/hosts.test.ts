import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/chain/index.js';
import { hosts } from '../../../src/plugins/hosts/setup.js';
import { TestBlock, directives, setup, type TestBlockOptions } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';
import { exampleUpstream, recordedSets } from '../../support/example-upstream.js';

const start = async (text: string, options: TestBlockOptions = {}) => {
  const made = setup(hosts, text, options);
  await made.block.run('start');
  const ask = (name: string, type = 'A') => summary(made.ask(query(name, type), exampleUpstream) as Outcome);
  return { ...made, ask };
};
const SERVFAIL = { rcode: 'SERVFAIL', flags: '' };
const NODATA = { rcode: 'NOERROR', flags: 'aa' };

describe.each(recordedSets('hosts'))('recorded: $set', ({ block, files, cases }) => {
  it.each(cases)('$qname $type', async ({ qname, type, want }) => {
    expect((await start(block, { files })).ask(qname, type)).toEqual(want);
  });
});

describe('hosts', () => {
  const file =
    '# start\n192.0.2.1 one.example. ONE\n::1 one.example.\n192.0.2.1 two.example # end\n::ffff:192.0.2.9 mapped.example\nfe80::1%eth0 link.example\n\nnonsense two.example\n192.0.2.3\n192.0.2.1 one.example\r\n';
  const rows = [
    {
      name: 'an address, repeated where the file repeats it',
      qname: 'one.example.',
      want: { ...NODATA, answer: ['one.example. 3600 IN A 192.0.2.1', 'one.example. 3600 IN A 192.0.2.1'] },
    },
    { name: 'a name in capitals', qname: 'One.', want: { ...NODATA, answer: ['one. 3600 IN A 192.0.2.1'] } },
    {
      name: 'an IPv6 address',
      qname: 'one.example.',
      type: 'AAAA',
      want: { ...NODATA, answer: ['one.example. 3600 IN AAAA ::1'] },
    },
    { name: 'no address of this family', qname: 'two.example.', type: 'AAAA', want: NODATA },
    { name: 'another type', qname: 'two.example.', type: 'TXT', want: NODATA },
    {
      name: 'a mapped address is IPv4',
      qname: 'mapped.example.',
      want: { ...NODATA, answer: ['mapped.example. 3600 IN A 192.0.2.9'] },
    },
    {
      name: 'a mapped address backwards',
      qname: '9.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: { ...NODATA, answer: ['9.2.0.192.in-addr.arpa. 3600 IN PTR mapped.example.'] },
    },
    {
      name: 'a zone is dropped',
      qname: 'link.example.',
      type: 'AAAA',
      want: { ...NODATA, answer: ['link.example. 3600 IN AAAA fe80::1'] },
    },
    {
      name: 'IPv6 backwards',
      qname: '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.',
      type: 'PTR',
      want: {
        ...NODATA,
        answer: ['1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa. 3600 IN PTR one.example.'],
      },
    },
    { name: 'no entry', qname: 'three.example.', want: SERVFAIL },
    {
      name: 'an address without names goes on',
      qname: '3.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: summary(exampleUpstream(query('3.2.0.192.in-addr.arpa.', 'PTR'))),
    },
  ];
  it.each(rows)('$name', async ({ qname, type, want }) => {
    const { ask } = await start('hosts /h', { files: { '/h': file } });
    expect(ask(qname, type)).toEqual(want);
    // The second answer comes from what the first one encoded.
    expect(ask(qname, type)).toEqual(want);
  });

  const wild =
    '192.0.2.10 *.example.com\n2001:db8::1 *.example.com\n192.0.2.11 a.example.com\n192.0.2.12 *.b.example.com *.\n2001:db8::2 c.example.com\n';
  it.each([
    { name: 'any label', qname: 'apps.example.com.', want: ['apps.example.com. 3600 IN A 192.0.2.10'] },
    { name: 'an entry of its own goes before', qname: 'a.example.com.', want: ['a.example.com. 3600 IN A 192.0.2.11'] },
    { name: 'each family by itself', qname: 'c.example.com.', want: ['c.example.com. 3600 IN A 192.0.2.10'] },
    { name: 'the asterisk itself', qname: '*.example.com.', want: ['*.example.com. 3600 IN A 192.0.2.10'] },
    { name: 'a deeper one', qname: 'x.b.example.com.', want: ['x.b.example.com. 3600 IN A 192.0.2.12'] },
    { name: 'a dot within the label', qname: 'x\\.y.example.com.', want: ['x\\.y.example.com. 3600 IN A 192.0.2.10'] },
    {
      name: 'a dot at the end of the label',
      qname: 'x\\..example.com.',
      want: ['x\\..example.com. 3600 IN A 192.0.2.10'],
    },
    { name: 'not the name above', qname: 'example.com.', want: undefined },
    { name: 'not two labels', qname: 'deep.apps.example.com.', want: undefined },
    { name: 'not a name of one label', qname: 'com.', want: undefined },
  ])('wildcard: $name', async ({ qname, want }) => {
    const { ask } = await start('hosts /h', { files: { '/h': wild } });
    for (let i = 0; i < 2; i++) expect(ask(qname)).toEqual(want === undefined ? SERVFAIL : { ...NODATA, answer: want });
  });

  it.each([
    { name: 'IPv4', line: '192.0.2.10', type: 'A' },
    { name: 'IPv6', line: '2001:db8::1', type: 'AAAA' },
  ])('wildcards of $name alone', async ({ line, type }) => {
    const { ask } = await start('hosts /h', { files: { '/h': `${line} *.example.com\n` } });
    expect(ask('a.example.com.', type)).toEqual({ ...NODATA, answer: [`a.example.com. 3600 IN ${type} ${line}`] });
  });

  it('takes any number of lines of the Corefile', async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255} host${i}.in.the.corefile.example`);
    const { ask } = await start(`hosts /h {\n${lines.join('\n')}\n}`, { files: { '/h': '' } });
    for (const i of [0, 999])
      expect(ask(`host${i}.in.the.corefile.example.`)).toEqual({
        ...NODATA,
        answer: [`host${i}.in.the.corefile.example. 3600 IN A 10.0.${i >> 8}.${i & 255}`],
      });
  });

  it('a wildcard makes its names exist, has no PTR and counts once', async () => {
    const { ask, block } = await start('hosts /h', { files: { '/h': '192.0.2.10 *.example.com\n' } });
    expect(ask('x.example.com.', 'TXT')).toEqual(NODATA);
    expect(ask('10.2.0.192.in-addr.arpa.', 'PTR')).toEqual(
      summary(exampleUpstream(query('10.2.0.192.in-addr.arpa.', 'PTR'))),
    );
    expect(await block.metrics.text()).toContain('coredns_hosts_entries{hostsfile="/h"} 1\n');
  });

  it.each([
    { name: 'another type of a name that exists', text: '', qname: 'one.example.', type: 'TXT', passed: true },
    { name: 'not addresses', text: '', qname: 'one.example.', type: 'AAAA', passed: false },
    { name: 'not outside its zones', text: 'one.example', qname: 'two.example.', type: 'TXT', passed: false },
  ])('fallthrough_unsupported passes on: $name', async ({ text, qname, type, passed }) => {
    const { ask } = await start(`hosts /h {\nfallthrough ${text}\nfallthrough_unsupported\n}`, {
      files: { '/h': file },
    });
    const upstream = summary(exampleUpstream(query(qname, type)));
    if (passed) expect(ask(qname, type)).toEqual(upstream);
    else expect(ask(qname, type)).not.toEqual(upstream);
  });

  it.each([
    {
      name: 'names outside the zones are left out',
      text: 'hosts /h example.net',
      qname: 'one.example.',
      want: summary(exampleUpstream(query('one.example.'))),
    },
    {
      name: 'and not found backwards',
      text: 'hosts /h example.net',
      qname: '1.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: summary(exampleUpstream(query('1.2.0.192.in-addr.arpa.', 'PTR'))),
    },
    {
      name: 'the zones of the block by default',
      text: 'hosts /h',
      zones: ['one.example.'],
      qname: 'two.example.',
      want: summary(exampleUpstream(query('two.example.'))),
    },
    {
      name: 'backwards outside the zones',
      text: 'hosts /h one.example',
      qname: '1.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: {
        ...NODATA,
        answer: [
          '1.2.0.192.in-addr.arpa. 3600 IN PTR one.example.',
          '1.2.0.192.in-addr.arpa. 3600 IN PTR one.example.',
        ],
      },
    },
    {
      name: 'no_reverse',
      text: 'hosts /h {\nno_reverse\n}',
      qname: '1.2.0.192.in-addr.arpa.',
      type: 'PTR',
      want: summary(exampleUpstream(query('1.2.0.192.in-addr.arpa.', 'PTR'))),
    },
    {
      name: 'fallthrough for all zones',
      text: 'hosts /h {\nfallthrough\n}',
      qname: 'www.example.org.',
      want: summary(exampleUpstream(query('www.example.org.'))),
    },
    {
      name: 'fallthrough for another zone',
      text: 'hosts /h {\nfallthrough example.net\n}',
      qname: 'www.example.org.',
      want: SERVFAIL,
    },
    {
      name: 'fallthrough for this zone',
      text: 'hosts /h {\nfallthrough example.org\n}',
      qname: 'www.example.org.',
      want: summary(exampleUpstream(query('www.example.org.'))),
    },
    {
      name: 'fallthrough leaves NODATA alone',
      text: 'hosts /h {\nfallthrough\n}',
      qname: 'two.example.',
      type: 'AAAA',
      want: NODATA,
    },
    {
      name: 'lines of the Corefile come last',
      text: 'hosts /h {\n192.0.2.7 two.example x\nttl 65535\n}',
      qname: 'two.example.',
      want: { ...NODATA, answer: ['two.example. 65535 IN A 192.0.2.1', 'two.example. 65535 IN A 192.0.2.7'] },
    },
  ])('$name', async ({ text, zones, qname, type, want }) => {
    const { ask } = await start(text, { files: { '/h': file }, zones });
    expect(ask(qname, type)).toEqual(want);
  });

  it('reads /etc/hosts when no file is named', async () => {
    const { ask } = await start('hosts', { files: { '/etc/hosts': '127.0.0.1 localhost' } });
    expect(ask('localhost.')).toEqual({ ...NODATA, answer: ['localhost. 3600 IN A 127.0.0.1'] });
  });

  it('answers with a plain value, the same one each time', async () => {
    const { ask } = setup(hosts, 'hosts {\n192.0.2.7 a\n}');
    expect(ask(query('a.'), () => reply())).toBe(ask(query('A.'), () => reply()));
  });
});

describe('a changing file', () => {
  const began = async (text = 'hosts /h') => {
    const files: Record<string, string> = { '/h': '192.0.2.1 a' };
    const mtimes: Record<string, number> = { '/h': 1_500 };
    return { files, mtimes, ...(await start(text, { files, mtimes })) };
  };
  const address = (outcome: unknown): string | undefined =>
    (outcome as { answer?: string[] }).answer?.[0]?.split(' ').at(-1);

  it('is read again when its size changes', async () => {
    const { files, ask, block } = await began();
    files['/h'] = '192.0.2.22 a';
    block.clock.advance(4999);
    expect(address(ask('a.'))).toBe('192.0.2.1');
    block.clock.advance(1);
    expect(address(ask('a.'))).toBe('192.0.2.22');
  });

  it('is read again when its time of change does, and only then', async () => {
    const { files, mtimes, ask, block } = await began('hosts /h {\nreload 1s\n}');
    files['/h'] = '192.0.2.2 a';
    block.clock.advance(1000);
    expect(address(ask('a.'))).toBe('192.0.2.1');
    mtimes['/h'] = 2_500;
    block.clock.advance(1000);
    expect(address(ask('a.'))).toBe('192.0.2.2');
  });

  it('stays in force when it goes away, and counts again when it is back', async () => {
    const { files, ask, block } = await began();
    delete files['/h'];
    block.clock.advance(5000);
    expect(address(ask('a.'))).toBe('192.0.2.1');
    files['/h'] = '192.0.2.33 a';
    block.clock.advance(5000);
    expect(address(ask('a.'))).toBe('192.0.2.33');
  });

  it('is looked at once with reload 0', async () => {
    const { block } = await began('hosts /h {\nreload 0\n}');
    expect(block.clock.pending).toBe(0);
  });

  it('is not looked at after the end', async () => {
    const { block } = await began();
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('is counted', async () => {
    const { files, mtimes, block } = await began('hosts /h {\n::1 b\n}');
    expect(await block.metrics.text()).toContain('coredns_hosts_entries{hostsfile="/h"} 4\n');
    expect(await block.metrics.text()).toContain('coredns_hosts_reload_timestamp_seconds 1.5\n');
    files['/h'] = '192.0.2.1 a b c';
    mtimes['/h'] = 3_000;
    block.clock.advance(5000);
    expect(await block.metrics.text()).toContain('coredns_hosts_entries{hostsfile="/h"} 8\n');
    expect(await block.metrics.text()).toContain('coredns_hosts_reload_timestamp_seconds 3\n');
    expect(block.log.lines).toEqual([
      '[DEBUG] plugin/hosts: Parsed hosts file into 2 entries',
      '[DEBUG] plugin/hosts: Parsed hosts file into 6 entries',
    ]);
  });

  it('is counted without reverse names where there are none', async () => {
    const { block } = await began('hosts /h {\nno_reverse\n}');
    expect(await block.metrics.text()).toContain('coredns_hosts_entries{hostsfile="/h"} 1\n');
  });

  it('that is long loses no name at the ends of slices', async () => {
    const { files, ask, block } = await began();
    const names = Array.from({ length: 3000 }, (_, i) => `host${i}.big.test`);
    files['/h'] = [...names.map((name) => `10.0.0.1 ${name}`), '192.0.2.9 a'].join('\n');
    block.clock.advance(5000);
    while (address(ask('a.')) === '192.0.2.1') await new Promise((resolve) => setImmediate(resolve));
    expect(names.filter((name) => address(ask(`${name}.`)) !== '10.0.0.1')).toEqual([]);
    // And it is looked at again.
    files['/h'] = '192.0.2.33 a';
    block.clock.advance(5000);
    expect(address(ask('a.'))).toBe('192.0.2.33');
  });

  it('that is long is read in slices, and those before it answer meanwhile', async () => {
    const { files, ask, block } = await began();
    const line = (i: number): string => `10.0.${i >> 8}.${i & 255} host${i}.big.test`;
    files['/h'] = [...Array.from({ length: 10_000 }, (_, i) => line(i)), '192.0.2.9 a'].join('\n');
    block.clock.advance(5000);
    let turns = 0;
    for (; address(ask('a.')) === '192.0.2.1'; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns).toBeGreaterThan(10);
    expect(['a.', 'host0.big.test.', 'host9999.big.test.'].map((name) => address(ask(name)))).toEqual([
      '192.0.2.9',
      '10.0.0.0',
      '10.0.39.15',
    ]);
  });

  it('that is long is given up at the end', async () => {
    const { files, block } = await began();
    files['/h'] = Array.from({ length: 5000 }, (_, i) => `192.0.2.1 host${i}.big.test`).join('\n');
    block.clock.advance(5000);
    await block.run('stop');
    await new Promise((resolve) => setImmediate(resolve));
    expect(block.log.lines).toHaveLength(1);
  });

  it('that cannot be read is warned about once', async () => {
    const { block } = setup(hosts, 'hosts /h', { files: { '/h': '' } });
    Object.assign(block.runtime, {
      readBytes: () => {
        throw new Error('EISDIR: illegal operation on a directory, read');
      },
    });
    await block.run('start');
    block.clock.advance(20_000);
    expect(block.log.lines).toEqual([
      '[WARNING] plugin/hosts: Cannot read hosts file /h: EISDIR: illegal operation on a directory, read',
    ]);
  });

  it('that nobody named may be missing', () => expect(setup(hosts, 'hosts').block.log.lines).toEqual([]));

  it('that is missing at the start is warned about', () => {
    expect(setup(hosts, 'hosts /nowhere').block.log.lines).toEqual([
      '[WARNING] plugin/hosts: File does not exist: /nowhere',
    ]);
  });
});

describe('bad text', () => {
  it.each([
    {
      name: 'twice',
      text: 'hosts\nhosts',
      error:
        'Corefile:3: hosts: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
    {
      name: 'ttl 0',
      text: 'hosts {\nttl 0\n}',
      error: "Corefile:3: hosts: ttl: got '0', allowed: whole seconds without a unit from 1 to 65535",
    },
    {
      name: 'ttl too large',
      text: 'hosts {\nttl 65536\n}',
      error: "Corefile:3: hosts: ttl: got '65536', allowed: whole seconds without a unit from 1 to 65535",
    },
    {
      name: 'ttl missing',
      text: 'hosts {\nttl\n}',
      error: 'Corefile:3: hosts: ttl: got no argument, allowed: 1 argument; usage: ttl SECONDS',
    },
    {
      name: 'no_reverse with a word',
      text: 'hosts {\nno_reverse x\n}',
      error: "Corefile:3: hosts: no_reverse: got 1 argument ('x'), allowed: no argument",
    },
    {
      name: 'reload missing',
      text: 'hosts {\nreload\n}',
      error: 'Corefile:3: hosts: reload: got no argument, allowed: 1 argument; usage: reload DURATION',
    },
    {
      name: 'reload without a unit',
      text: 'hosts {\nreload 5\n}',
      error: "Corefile:3: hosts: reload: got '5', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      name: 'reload below zero',
      text: 'hosts {\nreload -5s\n}',
      error: "Corefile:3: hosts: reload: got '-5s', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      name: 'fallthrough to no zone',
      text: 'hosts {\nfallthrough a..b\n}',
      error: "Corefile:3: hosts: fallthrough: got zone 'a..b'",
    },
    {
      name: 'an unknown option',
      text: 'hosts {\nfallthrogh\n}',
      error:
        "Corefile:3: hosts: unknown option 'fallthrogh'; allowed: ttl, no_reverse, reload, fallthrough, fallthrough_unsupported, ADDRESS NAME...; did you mean 'fallthrough'?",
    },
    {
      name: 'fallthrough_unsupported with a word',
      text: 'hosts {\nfallthrough\nfallthrough_unsupported x\n}',
      error: "Corefile:4: hosts: fallthrough_unsupported: got 1 argument ('x'), allowed: no argument",
    },
    {
      name: 'fallthrough_unsupported without fallthrough',
      text: 'hosts {\nfallthrough_unsupported\n}',
      error: 'Corefile:3: hosts: fallthrough_unsupported: got no fallthrough in this hosts, which it extends',
    },
    {
      name: 'an address without a name',
      text: 'hosts {\n192.0.2.1\n}',
      error: 'Corefile:3: hosts: 192.0.2.1: got no argument, allowed: at least 1 argument; usage: 192.0.2.1 NAME...',
    },
    {
      name: 'a block in an option',
      text: 'hosts {\nttl 5 {\n}\n}',
      error: 'Corefile:3: hosts: ttl: got a block in { }, allowed: none',
    },
  ])('$name', ({ text, error }) => {
    expect(() => setup(hosts, text)).toThrow(error);
  });

  it('a file that cannot be looked at', () => {
    const block = new TestBlock();
    Object.assign(block.runtime, {
      fileInfo: () => {
        throw new Error("EACCES: permission denied, stat '/h'");
      },
    });
    expect(() => hosts.setup(directives('hosts /h', 'hosts'), block)).toThrow(
      "Corefile:2: hosts: unable to access hosts file '/h': EACCES: permission denied, stat '/h'",
    );
  });
});
