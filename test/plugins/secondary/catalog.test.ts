import { describe, expect, it } from 'vitest';
import { DROP, Query, type NotifiesServers } from '../../../src/chain/index.js';
import { secondary } from '../../../src/plugins/secondary/setup.js';
import { Opcode, encodeMessage } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { context, query, summary } from '../../support/dns.js';
import { FakeNetwork } from '../../support/fake-network.js';
import { FakePrimary, messages } from './primary.js';

const PRIMARY = { address: '192.0.2.51', port: 53 };

/** Zones by name, each with its serial and its records. */
type Held = Record<string, { serial: number; records: string[] }>;

const catalog = (serial: number, records: string[], version = '2'): Held[string] => ({
  serial,
  records: ['@ NS invalid.', `version TXT "${version}"`, ...records],
});
const member = (serial: number): Held[string] => ({ serial, records: ['@ NS ns', `www A 192.0.2.${serial}`] });

const start = async (held: Held, text: string, zones = ['cat.', 'dog.']) => {
  const network = new FakeNetwork();
  const made = setup(secondary, text, { zones, network });
  const { block } = made;
  const { clock } = block;
  network.clock = clock;
  const primary = new FakePrimary(network, PRIMARY, ({ zone, type }) => {
    const found = held[zone];
    if (found === undefined) return [{ rcode: 9 }];
    const soa = `${zone} 60 IN SOA ns. host. ${found.serial} 100 10 1000 5`;
    if (type === 'SOA') return messages([soa]);
    const records = found.records.map((record) => {
      const [owner = '', ...rest] = record.split(' ');
      return `${owner === '@' ? zone : `${owner}.${zone}`} 60 IN ${rest.join(' ')}`;
    });
    return messages([soa, ...records, soa]);
  });
  block.chain = [...made.handlers];
  const started = block.run('start');
  await clock.advanceAsync(1000);
  await started;
  const ask = async (name: string): Promise<unknown> => {
    const { rcode, answer } = summary(await made.ask(query(name))) as { rcode: string; answer?: string[] };
    return answer ?? rcode;
  };
  const notify = async (zone: string) => {
    const none = { answer: [], authority: [], additional: [] };
    const question = [{ name: zone, type: 6, class: 1 }];
    const bytes = encodeMessage({ id: 1, flags: Opcode.NOTIFY << 11, rcode: 0, question, ...none });
    const outcome = await made.ask(new Query(bytes, context({ remote: PRIMARY.address })));
    await clock.advanceAsync(100);
    return outcome;
  };
  return { ...made, held, primary, clock, ask, notify };
};

const CAT = 'secondary cat {\ntransfer from 192.0.2.51\ncatalog\n}';
const BOTH = 'secondary cat dog {\ntransfer from 192.0.2.51\ncatalog\n}';
const www = (zone: string, n: number): string[] => [`www.${zone} 60 IN A 192.0.2.${n}`];

describe('catalog zones', () => {
  it('tells other servers of the catalog and of its members, once it answers', async () => {
    const held = { 'cat.': catalog(1, ['1.zones PTR a.']), 'a.': member(1) };
    const { block, handlers, notify } = await start(held, CAT);
    const told: string[] = [];
    const listener: NotifiesServers = { notify: (zone) => void told.push(zone) };
    block.chain = [...handlers, { name: 'listener', handle: () => DROP, ...listener }];
    await block.run('serving');
    expect(told.sort()).toEqual(['a.', 'cat.']);
    held['cat.'] = catalog(2, ['1.zones PTR a.']);
    await notify('cat.');
    expect(told).toEqual(['a.', 'cat.', 'cat.']);
  });

  it('joins the parts of a text', async () => {
    const { ask } = await start({ 'cat.': catalog(1, ['1.zones PTR a.'], '" "2'), 'a.': member(1) }, CAT);
    expect(await ask('www.a.')).toEqual(www('a.', 1));
  });

  it('serves what a catalog lists, and no longer what it lists no more', async () => {
    const held = {
      'cat.': catalog(1, ['1.zones PTR a.', '2.zones PTR B.test.']),
      'a.': member(1),
      'b.test.': member(2),
    };
    const { ask, notify, block } = await start(held, CAT);
    expect([await ask('www.a.'), await ask('www.b.test.')]).toEqual([www('a.', 1), www('b.test.', 2)]);
    Object.assign(held, { 'cat.': catalog(2, ['2.zones PTR b.test.', '3.zones PTR c.']), 'c.': member(3) });
    await notify('cat.');
    expect([await ask('www.a.'), await ask('www.b.test.')]).toEqual(['REFUSED', www('b.test.', 2)]);
    expect(await ask('www.c.')).toEqual(www('c.', 3));
    held['b.test.'] = member(9);
    expect(await notify('b.test.')).not.toBe(DROP);
    expect(await ask('www.b.test.')).toEqual(www('b.test.', 9));
    const lines = block.log.lines.filter((line) => line.includes('atalog'));
    expect(lines.map((line) => line.replace('[INFO] plugin/secondary: ', ''))).toEqual([
      'Added catalog member zone a. from catalog cat.',
      'Added catalog member zone b.test. from catalog cat.',
      'Parsed catalog zone cat. with 2 member zones',
      'Added catalog member zone c. from catalog cat.',
      'Removed catalog member zone a. from catalog cat.',
      'Parsed catalog zone cat. with 2 member zones',
    ]);
    held['cat.'] = catalog(3, ['1.zones PTR a.', '2.zones PTR b.test.']);
    await notify('cat.');
    expect([await ask('www.a.'), await ask('www.c.')]).toEqual([www('a.', 1), 'REFUSED']);
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('takes members within some names only, where they are given', async () => {
    const held = {
      'cat.': catalog(1, ['1.zones PTR a.test.', '2.zones PTR b.']),
      'a.test.': member(1),
      'b.': member(2),
    };
    const { ask, block } = await start(held, CAT.replace('catalog', 'catalog test'));
    expect([await ask('www.a.test.'), await ask('www.b.')]).toEqual([www('a.test.', 1), 'REFUSED']);
    expect(block.log.lines).toContain(
      '[WARNING] plugin/secondary: Skipped 1 member zones from catalog cat.: outside configured member zones',
    );
  });

  it('starts a zone anew under another id', async () => {
    const held: Held = { 'cat.': catalog(1, ['1.zones PTR a.']), 'a.': member(5) };
    const { ask, notify } = await start(held, CAT);
    Object.assign(held, { 'cat.': catalog(2, ['2.zones PTR a.']), 'a.': member(3) });
    await notify('cat.');
    expect(await ask('www.a.')).toEqual(www('a.', 3));
  });

  it.each([
    {
      name: 'and keeps it under the same id',
      id: '1',
      coo: ['coo.1.zones PTR dog.'],
      want: www('a.', 5),
      owner: 'dog.',
    },
    {
      name: 'and starts it anew under another',
      id: '2',
      coo: ['coo.1.zones PTR dog.'],
      want: 'SERVFAIL',
      owner: 'dog.',
    },
    {
      name: 'not by another property of the member',
      id: '1',
      coo: ['group.1.zones PTR dog.'],
      want: www('a.', 5),
      owner: 'cat.',
    },
    { name: 'not without the leave of its owner', id: '1', coo: [], want: www('a.', 5), owner: 'cat.' },
  ])('takes a zone over from another catalog, $name', async ({ id, coo, want, owner }) => {
    const held: Held = { 'cat.': catalog(1, ['1.zones PTR a.', ...coo]), 'dog.': catalog(1, []), 'a.': member(5) };
    const { ask, notify, block } = await start(held, BOTH);
    delete held['a.'];
    held['dog.'] = catalog(2, [`${id}.zones PTR a.`]);
    await notify('dog.');
    expect(await ask('www.a.')).toEqual(want);
    const says = owner === 'dog.' ? 'Migrated catalog member zone a.' : 'Skipping catalog member zone a. from dog.';
    expect(block.log.lines.some((line) => line.includes(says))).toBe(true);
    // Now the first owner has nothing to say of it any more, or still has.
    held['cat.'] = catalog(2, []);
    await notify('cat.');
    expect(await ask('www.a.')).toEqual(owner === 'dog.' ? want : 'REFUSED');
  });

  it('leaves zones of the Corefile alone', async () => {
    const held = { 'cat.': catalog(1, ['1.zones PTR own.']), 'own.': member(1) };
    const { ask, block } = await start(held, `${CAT}\nsecondary own {\ntransfer from 192.0.2.51\n}`);
    expect(await ask('www.own.')).toEqual(www('own.', 1));
    expect(block.log.lines).toContain(
      '[WARNING] plugin/secondary: Skipping catalog member zone own. from cat.: zone already exists',
    );
  });

  const refused = (name: string, records: string[], says: string, version?: string) => ({
    name,
    records,
    says,
    version,
  });
  it.each([
    refused('another version', [], "has version '1', allowed: 2", '1'),
    refused('two versions', ['version TXT "2"'], 'must have exactly one version TXT record'),
    refused('two zones for an id', ['1.zones PTR a.', '1.zones PTR b.'], 'has more than one PTR record for member 1'),
    refused('a zone twice', ['1.zones PTR a.', '2.zones PTR A.'], 'lists a. twice, as 1 and 2'),
    refused(
      'two new owners',
      ['1.zones PTR a.', 'coo.1.zones PTR x.', 'coo.1.zones PTR y.'],
      'has more than one coo PTR record for member 1',
    ),
  ])('keeps its members where the catalog has $name', async ({ records, says, version }) => {
    const held: Held = { 'cat.': catalog(1, ['9.zones PTR z.']), 'z.': member(1) };
    const { ask, notify, block } = await start(held, CAT);
    held['cat.'] = catalog(2, records, version);
    await notify('cat.');
    expect(await ask('www.z.')).toEqual(www('z.', 1));
    expect(block.log.lines.at(-1)).toContain(`catalog zone cat. ${says}`);
    expect(await ask('version.cat.')).toEqual('NOERROR');
  });

  it('refuses a catalog without name servers', async () => {
    const { ask, block } = await start({ 'cat.': { serial: 1, records: ['version TXT "2"'] } }, CAT);
    expect(await ask('cat.')).toBe('SERVFAIL');
    expect(block.log.lines[0]).toContain('catalog zone cat. has no NS record');
  });
});
