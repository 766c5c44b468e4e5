import { describe, expect, it } from 'vitest';
import { dnstap } from '../../../src/plugins/dnstap/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

describe('dnstap', () => {
  it.each([
    'dnstap /tmp/x.sock',
    'dnstap unix:///tmp/x.sock full',
    'dnstap tcp://127.0.0.1:6000 full 1024 2048',
    'dnstap tls://[::1]:6000 {\nidentity me\nversion 1\nextra "{/a/b}"\nskipverify\n}',
    'dnstap listen /tmp/x.sock full',
    'dnstap listen tcp://127.0.0.1:0',
    'dnstap tcp://127.0.0.1:65535',
  ])('%s', (text) => expect(setup(dnstap, text)).toBeDefined());

  it.each([
    { queue: '', most: 10_000 },
    { queue: 'full 1 2', most: 20_000 },
  ])('keeps $most messages for a reader that is not there: $queue', async ({ queue, most }) => {
    const { block, ask } = setup(dnstap, `dnstap tcp://127.0.0.1:1 ${queue}`);
    await block.run('start');
    const asked = query('a.');
    const next = reply();
    // Two for each query.
    for (let i = 0; i < most / 2; i++) void ask(asked, () => next);
    const dropped = async () =>
      Number(/^coredns_dnstap_dropped_total\{.*\} (\d+)$/m.exec(await block.metrics.text())![1]);
    expect(await dropped()).toBe(0);
    void ask(asked, () => next);
    expect(await dropped()).toBe(2);
    await block.run('stop');
  });

  it('looks for its reader from the start to the end', async () => {
    const { block } = setup(dnstap, 'dnstap tcp://127.0.0.1:1');
    await block.clock.advanceAsync(60_000);
    expect(block.log.lines).toEqual([]);
    await block.run('start');
    await block.clock.advanceAsync(0);
    expect(block.log.lines[0]).toContain('no connection to the reader: no network in this test');
    expect(block.clock.pending).toBeGreaterThan(0);
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it.each([
    { text: 'dnstap', error: 'Corefile:2: dnstap:' },
    { text: 'dnstap listen', error: 'Corefile:2: dnstap:' },
    { text: 'dnstap unix://', error: "Corefile:2: dnstap: SOCKET: got 'unix://', allowed: a path, unix://PATH" },
    { text: 'dnstap http://x:1', error: "Corefile:2: dnstap: SOCKET: got 'http://x:1', allowed: a path" },
    { text: 'dnstap tcp://x', error: "Corefile:2: dnstap: SOCKET: got 'tcp://x'" },
    { text: 'dnstap tcp://x:65536', error: "Corefile:2: dnstap: SOCKET: got 'tcp://x:65536'" },
    { text: 'dnstap /x some', error: "Corefile:2: dnstap: got 'some', allowed: full" },
    { text: 'dnstap /x full 0', error: "Corefile:2: dnstap: WRITEBUFFER: got '0'" },
    { text: 'dnstap /x full 1025', error: "Corefile:2: dnstap: WRITEBUFFER: got '1025'" },
    { text: 'dnstap /x full 1 4097', error: "Corefile:2: dnstap: QUEUE: got '4097'" },
    { text: 'dnstap listen /x full 1', error: 'Corefile:2: dnstap:' },
    { text: 'dnstap /x {\nidentity\n}', error: 'Corefile:3: dnstap: identity:' },
    { text: 'dnstap /x {\ntls a b\n}', error: "Corefile:3: dnstap: unknown option 'tls'" },
    { text: 'dnstap listen tls://127.0.0.1:1', error: 'Corefile:2: dnstap: tls:// needs a certificate' },
    { text: 'dnstap listen tls://127.0.0.1:1 {\ntls a b\n}', error: 'Corefile:3: dnstap: tls: file a cannot be read' },
    { text: 'dnstap listen tls://127.0.0.1:1 {\ntls a b c d\n}', error: 'Corefile:3: dnstap: tls: got 4 arguments' },
    {
      text: 'dnstap listen tls://127.0.0.1:1 {\ntls junk rubbish\n}',
      error: 'Corefile:3: dnstap: tls: certificate junk with key rubbish cannot be used',
    },
  ])('refuses $text', ({ text, error }) =>
    expect(() => setup(dnstap, text, { files: { junk: 'junk', rubbish: 'rubbish' } })).toThrow(error),
  );
});
