import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/authority/journal.js';
import { ServedZone } from '../../src/authority/index.js';
import { seededRandom } from '../../src/lib/random.js';
import { encodeName, formatRr } from '../../src/wire/index.js';
import { ZoneData, changed, differences, type ZoneChange } from '../../src/zone/index.js';
import { rrs, texts } from '../support/dns.js';

const soa = (serial: number): string => `example. 60 IN SOA ns.example. host.example. ${serial} 2 3 4 5`;
const A = (name: string, n = 1, ttl = 60): string => `${name}.example. ${ttl} IN A 192.0.2.${n}`;
const NS = 'example. 60 IN NS ns.example.';
/** What stays as it is. */
const SAME = [NS, ...Array.from({ length: 20 }, (_, i) => `same${i}.example. 60 IN A 192.0.2.9`)];

const zone = (serial: number, ...records: string[]): ZoneData => {
  const made = new ZoneData('example.');
  for (const { name, type, ttl, rdata } of rrs(soa(serial), ...records))
    made.add(encodeName(name), type, ttl, rdata, rdata.length);
  return made.seal();
};

const finish = <T>(steps: Generator<void, T, void>): T => {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
};
const shown = ({ before, deleted, after, added }: ZoneChange): string[][] =>
  [[before], deleted, [after], added].map((records) => texts(records));
const contents = (of: ZoneData): string[] => [of.apex.soa, ...of.others()].map((one) => formatRr(one)).sort();

describe('differences', () => {
  it.each([
    { name: 'nothing', before: [NS, A('a')], after: [NS, A('a')], gone: [], came: [] },
    { name: 'a name that comes', before: [], after: [A('a')], gone: [], came: [A('a')] },
    { name: 'a name that goes', before: [A('a'), A('b')], after: [A('b')], gone: [A('a')], came: [] },
    {
      name: 'one of several records',
      before: [A('a', 1), A('a', 2)],
      after: [A('a', 2), A('a', 3)],
      gone: [A('a', 1)],
      came: [A('a', 3)],
    },
    { name: 'a TTL', before: [A('a')], after: [A('a', 1, 61)], gone: [A('a')], came: [A('a', 1, 61)] },
    {
      name: 'the order, which counts for nothing',
      before: [A('a', 1), A('a', 2)],
      after: [A('a', 2), A('a', 1)],
      gone: [],
      came: [],
    },
    {
      name: 'a name server of the zone',
      before: [NS],
      after: [NS.replace('ns.', 'n2.')],
      gone: [NS],
      came: [NS.replace('ns.', 'n2.')],
    },
    {
      name: 'a name between others that gets records',
      before: [A('x.a')],
      after: [A('x.a'), A('a')],
      gone: [],
      came: [A('a')],
    },
    {
      name: 'a name that stays between others',
      before: [A('x.a'), A('a')],
      after: [A('x.a')],
      gone: [A('a')],
      came: [],
    },
  ])('$name', ({ before, after, gone, came }) =>
    expect(shown(finish(differences(zone(1, ...before), zone(2, ...after))))).toEqual([[soa(1)], gone, [soa(2)], came]),
  );

  it('lead from any zone to any other', () => {
    const random = seededRandom(7);
    const some = (): string[] =>
      Array.from({ length: random.uint32() % 60 }, () => A(`n${random.uint32() % 20}`, random.uint32() % 4)).filter(
        (one, at, all) => all.indexOf(one) === at,
      );
    for (let round = 0; round < 200; round++) {
      const [before, after] = [zone(1, NS, ...some()), zone(2, NS, ...some())];
      const made = finish(changed(before, [finish(differences(before, after))]));
      expect(contents(made)).toEqual(contents(after));
    }
  });
});

describe('a journal', () => {
  /** A zone that was served with these contents, one serial after the other. */
  const served = async (journal: Journal, ...contents: string[][]): Promise<ServedZone> => {
    const made = new ServedZone('example.');
    made.journal = journal;
    contents.forEach((records, i) => made.replace(zone(i + 1, ...SAME, ...records)));
    await journal.settled();
    return made;
  };
  const given = (from: ServedZone, serial: number | undefined): string[] => {
    const found = from.transfer(serial);
    return found === 'unready' ? [] : texts([...found.records]);
  };
  const whole = (serial: number, ...records: string[]): string[] => [soa(serial), ...SAME, ...records, soa(serial)];

  it('gives what has changed since a serial, and all of the zone for others', async () => {
    const made = await served(new Journal(), [A('a')], [A('b')], [A('b'), A('c')]);
    expect(given(made, 3)).toEqual([soa(3)]);
    expect(given(made, 2)).toEqual([soa(3), soa(2), soa(3), A('c'), soa(3)]);
    expect(given(made, 1)).toEqual([soa(3), soa(1), A('a'), soa(2), A('b'), soa(2), soa(3), A('c'), soa(3)]);
    expect(given(made, 0)).toEqual(whole(3, A('b'), A('c')));
    expect(given(made, undefined)).toEqual(whole(3, A('b'), A('c')));
    expect(given(made, 7)).toEqual([soa(3)]);
  });

  it('gives up the oldest changes where they come to more than there may be', async () => {
    const made = await served(new Journal(6), [A('a')], [A('b')], [A('c')], [A('d')]);
    expect(given(made, 3)).toEqual([soa(4), soa(3), A('c'), soa(4), A('d'), soa(4)]);
    expect(given(made, 2)).toEqual(whole(4, A('d')));
  });

  it('gives up changes that are longer than the zone', async () => {
    const many = Array.from({ length: 30 }, (_, i) => A(`m${i}`));
    const made = await served(new Journal(), many, []);
    expect(given(made, 1)).toEqual(whole(2));
  });

  it('starts anew where a serial goes back', async () => {
    const journal = new Journal();
    const made = await served(journal, [A('a')], [A('b')]);
    made.replace(zone(1, ...SAME, A('c')));
    made.replace(zone(2, ...SAME, A('d')));
    await journal.settled();
    expect(given(made, 1)).toEqual([soa(2), soa(1), A('c'), soa(2), A('d'), soa(2)]);
    made.replace(zone(1, ...SAME));
    await journal.settled();
    expect(given(made, 0)).toEqual(whole(1));
  });

  it('gives all of the zone while it is still compared', () => {
    const made = new ServedZone('example.');
    made.journal = new Journal();
    made.replace(zone(1, ...SAME));
    made.replace(zone(2, ...SAME, A('a')));
    expect(given(made, 1)).toEqual(whole(2, A('a')));
  });

  it('ends with its zone', async () => {
    const journal = new Journal();
    const made = await served(journal, []);
    journal.end();
    made.replace(zone(2, NS, ...Array.from({ length: 5000 }, (_, i) => A(`m${i}`))));
    await journal.settled();
    expect(given(made, 1)).toHaveLength(5003);
  });

  it('takes changes that are known already', async () => {
    const journal = new Journal();
    const made = await served(journal, [A('a')]);
    const [before] = rrs(soa(1));
    const [after] = rrs(soa(2));
    made.replace(zone(2, ...SAME), [{ before: before!, after: after!, deleted: rrs(A('a')), added: [] }]);
    await journal.settled();
    expect(given(made, 1)).toEqual([soa(2), soa(1), A('a'), soa(2), soa(2)]);
  });
});
