import { describe, expect, it } from 'vitest';
import { Reply, type Next, type Outcome, type Query } from '../../../src/chain/index.js';
import { file } from '../../../src/plugins/file/setup.js';
import { root } from '../../../src/plugins/root/setup.js';
import { Flag } from '../../../src/wire/index.js';
import { TestBlock, directives, setup } from '../../support/block.js';
import { query, summary } from '../../support/dns.js';

const HEAD = '$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n';

describe('root', () => {
  const files = { '/zones': '', '/zones/db': `${HEAD}a A 192.0.2.1`, '/db': HEAD };
  const rooted = async (text: string) => {
    const block = new TestBlock({ files, zones: ['example.'] });
    root.setup(directives(text, 'root'), block);
    const handler = file.setup(directives(text, 'file'), block) as { handle(q: Query, next: Next): Outcome };
    await block.run('start');
    return { block, summary: summary(handler.handle(query('a.example.'), () => Reply.empty(0, Flag.AA))) };
  };

  it('is where relative paths start', async () =>
    expect((await rooted('root /zones\nfile db')).summary).toEqual({
      rcode: 'NOERROR',
      flags: 'aa',
      answer: ['a.example. 60 IN A 192.0.2.1'],
      authority: ['example. 60 IN NS ns.example.'],
    }));
  it('leaves absolute paths alone', async () =>
    expect((await rooted('root /zones\nfile /db')).summary).toEqual({
      rcode: 'NXDOMAIN',
      flags: 'aa',
      authority: ['example. 60 IN SOA ns.example. host.example. 1 2 3 4 5'],
    }));
  it('may come later', async () =>
    expect((await rooted('root /gone\nfile /db')).block.log.lines).toEqual([
      '[WARNING] plugin/root: Root path does not exist: /gone',
    ]));
  it('may not be what nobody may look at', () => {
    const block = new TestBlock();
    block.runtime.fileInfo = () => {
      throw new Error('EACCES: permission denied');
    };
    expect(() => root.setup(directives('root /secret', 'root'), block)).toThrow(
      "Corefile:2: root: unable to access root path '/secret': EACCES: permission denied",
    );
    expect(block.settings.root).toBeUndefined();
  });
  it.each([
    { text: 'root', error: 'Corefile:2: root: got no argument, allowed: 1 argument; usage: root PATH' },
    { text: 'root a b', error: "Corefile:2: root: got 2 arguments ('a' 'b'), allowed: 1 argument; usage: root PATH" },
    { text: 'root a\nroot b', error: 'Corefile:3: root: got it a second time' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(root, text)).toThrow(error));
});
