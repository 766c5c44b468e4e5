import { describe, expect, it } from 'vitest';
import { changed, differences, inSteps, type ZoneChange, type ZoneData } from '../../src/zone/index.js';
import { formatRr, parseRr } from '../../src/wire/index.js';
import { load, recordsOf } from './zone.js';

/** A zone of a serial, with these lines. */
const zone = (serial: number, ...lines: string[]): ZoneData =>
  load({
    db: [
      '$ORIGIN example.',
      `@ 60 IN SOA ns.example. admin.example. ${serial} 1 2 3 60`,
      '@ 60 IN NS ns',
      ...lines,
    ].join('\n'),
  }).zone;
/** What steps come to, and how often queries are answered between them. */
function run<T>(steps: Generator<void, T, void>): { value: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done === true) return { value, pauses };
  }
}
const texts = (records: ZoneChange['added']): string[] =>
  records.map((rr) => formatRr(rr).replaceAll('\t', ' ')).sort();
const between = (a: ZoneData, b: ZoneData): ZoneChange => run(differences(a, b)).value;

const OLD = zone(
  1,
  'a 60 IN A 192.0.2.1',
  'a 60 IN A 192.0.2.2',
  'gone 60 IN TXT x',
  'same 60 IN A 192.0.2.3',
  'x.deep 60 IN TXT y',
);
const NEW = zone(
  2,
  'a 60 IN A 192.0.2.1',
  'a 60 IN A 192.0.2.9',
  'new 60 IN TXT x',
  'SAME 60 IN A 192.0.2.3',
  'deep 60 IN TXT y',
  '@ 60 IN NS ns2',
);

describe('what leads from one zone to another', () => {
  it('are the records that only one has', () => {
    const { before, after, deleted, added } = between(OLD, NEW);
    expect([before.rdata, after.rdata].map((rdata) => rdata.at(-17))).toEqual([1, 2]);
    expect(texts(deleted)).toEqual([
      'a.example. 60 IN A 192.0.2.2',
      'gone.example. 60 IN TXT "x"',
      'x.deep.example. 60 IN TXT "y"',
    ]);
    expect(texts(added)).toEqual([
      'a.example. 60 IN A 192.0.2.9',
      'deep.example. 60 IN TXT "y"',
      'example. 60 IN NS ns2.example.',
      'new.example. 60 IN TXT "x"',
    ]);
  });

  it('is a record that goes and one that comes, where a TTL changes', () => {
    const { deleted, added } = between(zone(1, 'a 60 IN A 192.0.2.1'), zone(2, 'a 61 IN A 192.0.2.1'));
    expect([texts(deleted), texts(added)]).toEqual([
      ['a.example. 60 IN A 192.0.2.1'],
      ['a.example. 61 IN A 192.0.2.1'],
    ]);
  });

  it('is nothing of names as long as they may be that stay as they are', () => {
    const long = [63, 63, 63, 50].map((length) => 'x'.repeat(length)).join('.');
    const { deleted, added } = between(zone(1, `${long} 60 IN A 192.0.2.1`), zone(2, `${long} 60 IN A 192.0.2.1`));
    expect([deleted, added]).toEqual([[], []]);
  });

  it('are records of other lengths, where one begins with the other', () => {
    const { deleted, added } = between(zone(1, 'a 60 IN TYPE65280 \\# 1 00'), zone(2, 'a 60 IN TYPE65280 \\# 2 0000'));
    expect([texts(deleted), texts(added)]).toEqual([
      ['a.example. 60 IN TYPE65280 \\# 1 00'],
      ['a.example. 60 IN TYPE65280 \\# 2 0000'],
    ]);
  });

  it('is nothing between equal zones, and made with pauses', () => {
    const names = Array.from({ length: 2100 }, (_, i) => `n${i} 60 IN A 192.0.2.1`);
    const { value, pauses } = run(differences(zone(1, ...names), zone(2, ...names)));
    expect([value.added, value.deleted, pauses]).toEqual([[], [], 2]);
  });
});

describe('a zone with changes put in', () => {
  it('is the zone that they lead to', () => {
    const made = run(changed(OLD, [between(OLD, NEW)])).value;
    expect(
      recordsOf(made)
        .sort()
        .map((line) => line.toLowerCase()),
    ).toEqual(
      recordsOf(NEW)
        .sort()
        .map((line) => line.toLowerCase()),
    );
    expect(made.serial).toBe(2);
    expect(OLD.serial).toBe(1);
  });

  it('is that of several in a row: what one adds another may delete', () => {
    const back = zone(
      3,
      'a 60 IN A 192.0.2.1',
      'a 60 IN A 192.0.2.2',
      'gone 60 IN TXT x',
      'same 60 IN A 192.0.2.3',
      'x.deep 60 IN TXT y',
    );
    const made = run(changed(OLD, [between(OLD, NEW), between(NEW, back)])).value;
    expect(recordsOf(made).sort()).toEqual(recordsOf(back).sort());
  });

  it('is a copy without any, made with pauses', () => {
    const large = zone(1, ...Array.from({ length: 1100 }, (_, i) => `n${i} 60 IN A 192.0.2.1`));
    const { value, pauses } = run(changed(large, []));
    expect([recordsOf(value), pauses]).toEqual([recordsOf(large), 1]);
  });

  const change = (more: Partial<ZoneChange>): ZoneChange => ({
    before: OLD.apex.soa,
    after: NEW.apex.soa,
    deleted: [],
    added: [],
    ...more,
  });
  it.each([
    { name: 'start elsewhere', changes: [change({ before: NEW.apex.soa })], want: 'changes do not start at serial 1' },
    {
      name: 'go on elsewhere',
      changes: [change({}), change({})],
      want: 'changes do not start at serial 2',
    },
    {
      name: 'delete what is not there',
      changes: [change({ deleted: [parseRr('a.example. 60 IN A 192.0.2.7')] })],
      want: 'a record of a.example. is deleted that is not there',
    },
    {
      name: 'add what is there',
      changes: [change({ added: [parseRr('A.example. 60 IN A 192.0.2.2')] })],
      want: 'a record of a.example. is added that is there already',
    },
  ])('is refused where they $name', ({ changes, want }) => expect(() => run(changed(OLD, changes))).toThrow(want));
});

describe('work in steps', () => {
  function* steps(log: string[]): Generator<void, string, void> {
    log.push('one');
    yield;
    log.push('two');
    return 'done';
  }

  it('lets others go on between them', async () => {
    const log: string[] = [];
    setImmediate(() => log.push('other'));
    expect(await inSteps(steps(log), new AbortController().signal)).toBe('done');
    expect(log).toEqual(['one', 'other', 'two']);
  });

  it('ends between them where nobody wants it any more', async () => {
    const [log, ended] = [[] as string[], new AbortController()];
    const done = inSteps(steps(log), ended.signal);
    ended.abort(new Error('no longer'));
    await expect(done).rejects.toThrow('no longer');
    expect(log).toEqual(['one']);
  });
});
