import { describe, expect, it } from 'vitest';
import { ZoneData } from '../../src/zone/index.js';
import { NamePath } from '../../src/zone/name-path.js';
import { Tree } from '../../src/zone/tree.js';
import { encodeName } from '../../src/wire/index.js';
import { load } from './zone.js';

const SOA = 'a.example. 60 IN SOA ns.a.example. admin.a.example. 1 2 3 4 60';

describe('a name that is read from its end', () => {
  it('has the letters A to Z in lower case, and no other octet changed (RFC 4343)', () => {
    const label = Buffer.from([0x40, 0x41, 0x5a, 0x5b, 0x60, 0x61, 0x7a, 0x7b, 0x7f, 0x80, 0xc1, 0xff]);
    const path = new NamePath().load(Buffer.concat([Buffer.of(label.length), label, Buffer.of(0)]), 0);
    expect([...path.bytes.subarray(1, path.length - 1)]).toEqual([
      ...[0x40, 0x61, 0x7a, 0x5b, 0x60, 0x61, 0x7a, 0x7b, 0x7f, 0x80, 0xc1, 0xff],
    ]);
    expect([path.count, path.length]).toEqual([1, label.length + 2]);
  });

  it('has its last label first', () => {
    const path = new NamePath().load(encodeName('www.Example.org.'), 0);
    const labels = [0, 1, 2].map((index) => {
      const at = path.label(index);
      return Buffer.from(path.bytes.subarray(at + 1, at + 1 + path.bytes[at]!)).toString();
    });
    expect(labels).toEqual(['org', 'example', 'www']);
  });
});

describe('names as a tree', () => {
  it('know which have others below', () => {
    const tree = new Tree();
    const leaf = tree.ensure(new NamePath().load(encodeName('a.b.c.'), 0));
    const middle = tree.parent(leaf);
    expect([leaf, middle, tree.parent(middle)].map((node) => tree.hasBelow(node))).toEqual([false, true, true]);
    expect([tree.name(leaf), tree.name(middle), tree.size]).toEqual(['a.b.c.', 'b.c.', 4]);
  });
});

describe('a zone', () => {
  it('has no records before it has its SOA', () => {
    expect(new ZoneData('a.example.').size).toBe(0);
    expect(load({ db: `${SOA}\nb.a.example. 60 IN A 192.0.2.1` }, 'a.example.').zone.size).toBe(2);
  });

  it.each(['example.', '.', 'xa.example.', 'b.example.', 'a.example.org.'])('does not hold %s', (name) => {
    const { warnings, zone } = load({ db: `${SOA}\n${name} 60 IN A 192.0.2.1` }, 'a.example.');
    expect([warnings, zone.strays]).toEqual([['db:2: a name outside zone a.example.'], 1]);
  });
});
