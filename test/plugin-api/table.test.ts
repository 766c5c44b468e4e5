import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Reply, ReplyLease, type LeaseHolder } from '../../src/chain/index.js';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import type { HandleFunction } from '../../src/plugin-api/contract.js';
import { tableMetrics } from '../../src/plugin-api/table-metrics.js';
import { Metrics } from '../../src/metrics/metrics.js';
import type { PluginTable, TableOptions } from '../../src/plugin-api/table-options.js';
import { setup, type TestBlock } from '../support/block.js';
import { query, reply } from '../support/dns.js';
import { Folder } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());

type Entries = Record<string, string>;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A plugin with one table, which answers with what stands in it and asks further on for all else. */
function make(
  options: Partial<TableOptions<string>> & { source: () => Entries | Promise<Entries> | undefined },
  handle?: (table: PluginTable<string>) => HandleFunction,
) {
  let table!: PluginTable<string>;
  const { source, ...more } = options;
  const made = setup(
    adaptPlugin({
      name: 'names',
      api: 1,
      dependsOn: 'question',
      setup(block) {
        table = block.table<string>({ load: () => source(), ...more });
        return (
          handle?.(table) ??
          ((asked, next) => {
            const data = table.get(asked.name);
            return data === undefined ? next() : { answers: [{ name: asked.name, type: 'A', ttl: 60, data }] };
          })
        );
      },
    }),
    'names',
  );
  return { ...made, table };
}

const behind = reply({ answer: ['x.example. 300 IN A 192.0.2.9'] });

/** Asks and holds the answer, as the table that all threads share does. */
async function held(
  ask: ReturnType<typeof make>['ask'],
  name: string,
  inner?: ReplyLease,
): Promise<{ text: string; withdrawn: boolean; lease: ReplyLease; holder: LeaseHolder } | undefined> {
  const outcome = await ask(query(name), () => behind.withLease(inner));
  if (!(outcome instanceof Reply) || outcome.lease === undefined) return undefined;
  const state = {
    text: String(outcome.answer[0]?.name),
    withdrawn: false,
    lease: outcome.lease,
    holder: { withdraw: () => void (state.withdrawn = true) },
  };
  outcome.lease.hold(state.holder);
  return state;
}

const metrics = async (block: TestBlock): Promise<string[]> =>
  (await block.metrics.text()).split('\n').filter((line) => line.startsWith('coredns_names_'));

describe('a table', () => {
  it('compares names in lower case and finds the nearest above', async () => {
    const { block, table } = make({ source: () => ({ 'WWW.Example.': '1', org: '2', 'a\\.b.test': '3' }) });
    expect(table.loaded).toBe(false);
    await block.run('start');
    expect([
      table.loaded,
      table.size,
      table.get('www.EXAMPLE'),
      table.has('example'),
      table.get('a\\.b.test.'),
    ]).toEqual([true, 3, '1', false, '3']);
    expect(table.closest('a.b.org')).toEqual({ name: 'org', value: '2' });
    expect(table.closest('b.test')).toBeUndefined();
    expect([...table.entries().keys()]).toEqual(['www.example', 'org', 'a\\.b.test']);
  });

  const kinds: [string, () => unknown][] = [
    ['a map', () => new Map([['a', '1']])],
    ['a list', () => [['a', '1']]],
    ['an object', () => ({ a: '1' })],
    [
      'a generator',
      function* () {
        yield ['a', '1'];
      },
    ],
    [
      'a stream',
      async function* () {
        yield ['a', '1'];
      },
    ],
    ['a promise', async () => ({ a: '1' })],
  ];
  it.each(kinds)('is filled from %s', async (_, source) => {
    const { block, table } = make({ source: source as () => Entries });
    await block.run('start');
    expect([...table.entries()]).toEqual([['a', '1']]);
  });

  it('loads on a schedule, keeps what it has where that fails, and says so once', async () => {
    const loads: (Entries | Error | undefined)[] = [
      { a: '1' },
      new Error('no route'),
      new Error('no route'),
      undefined,
      { a: '2' },
    ];
    const { block, table } = make({
      every: 1000,
      source: () => {
        const next = loads.shift();
        if (next instanceof Error) throw next;
        return next;
      },
    });
    await block.run('start');
    for (const want of ['1', '1', '1', '2']) {
      await block.clock.advanceAsync(1000);
      expect(table.get('a')).toBe(want);
    }
    expect(block.log.lines).toEqual(['[WARNING] plugin/names: table names: no route; it keeps its 1 entries']);
    await block.clock.advanceAsync(500);
    expect(await metrics(block)).toEqual([
      'coredns_names_table_age_seconds{table="names",zones="."} 0.5',
      'coredns_names_table_entries{table="names",zones="."} 1',
      'coredns_names_table_errors_total{table="names",zones="."} 2',
    ]);
    block.lifetime.end(new Error('over'));
    await block.clock.advanceAsync(5000);
    expect(block.clock.pending).toBe(0);
    expect(await metrics(block)).toEqual(['coredns_names_table_errors_total{table="names",zones="."} 2']);
  });

  const bad: [string, () => unknown, string][] = [
    ['text', () => 'text', 'load: expected a Map, a list of [name, value], or an object'],
    ['a list of texts', () => ['a'], 'load: expected entries [name, value], with a text for a name'],
    ['numbers for names', () => [[1, '1']], 'load: expected entries [name, value]'],
  ];
  it.each(bad)('refuses %s', async (_, source, text) => {
    const { block } = make({ source: source as () => Entries });
    await block.run('start');
    expect(block.log.lines[0]).toContain(text);
  });

  it('gives up a load that takes too long', async () => {
    const { block, table } = make({ timeout: 100, source: () => new Promise(() => undefined) });
    const started = block.run('start');
    await block.clock.advanceAsync(100);
    await started;
    expect(block.log.lines).toEqual([
      '[WARNING] plugin/names: table names: TimeoutError: no end within 100 ms; it keeps its 0 entries',
    ]);
    expect(table.loaded).toBe(false);
  });

  it('loads once more for those who ask during a load', async () => {
    const done: ((entries: Entries) => void)[] = [];
    const { block, table } = make({ source: () => new Promise((resolve) => done.push(resolve)) });
    const first = block.run('start');
    await settle();
    const second = table.reload();
    done[0]!({ a: '1' });
    await settle();
    done[1]!({ a: '2' });
    await Promise.all([first, second]);
    expect([done.length, table.get('a')]).toEqual([2, '2']);
  });

  it('loads when a watched file changes', async () => {
    let entries: Entries = { a: '1' };
    const mtimes: Record<string, number> = { '/list': 1 };
    const { block, table } = (() => {
      let made!: PluginTable<string>;
      const result = setup(
        adaptPlugin({
          name: 'names',
          api: 1,
          setup: (one) => {
            made = one.table<string>({ watch: ['/list'], load: () => entries });
          },
        }),
        'names',
        { files: { '/list': '' }, mtimes },
      );
      return { ...result, table: made };
    })();
    await block.run('start');
    entries = { a: '2' };
    await block.clock.advanceAsync(4000);
    expect(table.get('a')).toBe('1');
    mtimes['/list'] = 2;
    await block.clock.advanceAsync(2000);
    expect(table.get('a')).toBe('2');
  });

  it('keeps the last good one on disk, for a start without a source', async () => {
    const keep = path.join(folder.path, 'kept.json');
    const first = make({ keep, source: () => ({ a: '1' }) });
    await first.block.run('start');
    expect(existsSync(keep)).toBe(true);
    const failing = (): never => {
      throw new Error('no route');
    };
    const second = make({ keep, required: true, source: failing });
    await second.block.run('start');
    expect([second.table.get('a'), second.table.loaded]).toEqual(['1', true]);
    expect(second.block.log.lines.at(-1)).toBe(`[INFO] plugin/names: table names: took 1 entries from ${keep}`);
    expect(statSync(keep).mode & 0o777).toBe(0o600);
    const kept = readFileSync(keep, 'utf8');
    for (const other of [kept.slice(0, -5), kept.replace('table 1', 'table 2'), kept.replace('"entries"', '"rows"')]) {
      writeFileSync(keep, other);
      await expect(make({ keep, required: true, source: failing }).block.run('start')).rejects.toThrow(
        /plugin\/names: .*table names: the first load failed: .*no route/,
      );
    }
  });

  it.each([
    ['no load', { load: undefined }, 'table names: load: expected a function'],
    ['a period that is too short', { every: 10 }, 'table names: every: got 10, allowed: at least 100 ms'],
  ])('refuses %s', (_, options, text) =>
    expect(() => make({ source: () => ({}), ...(options as object) })).toThrow(text),
  );
});

describe('shared answers of a table', () => {
  it('are taken back when their entry changes, and only those', async () => {
    let entries: Entries = { 'a.example': '192.0.2.1', 'b.example': '192.0.2.2' };
    const { block, ask, table } = make({ source: () => entries });
    await block.run('start');
    const answers = {
      a: await held(ask, 'a.example.'),
      b: await held(ask, 'b.example.'),
      missing: await held(ask, 'c.example.', new ReplyLease(Infinity)),
      other: await held(ask, 'd.example.', new ReplyLease(Infinity)),
    };
    entries = { 'a.example': '192.0.2.1', 'b.example': '192.0.2.3', 'c.example': '192.0.2.4' };
    await table.reload();
    expect(Object.fromEntries(Object.entries(answers).map(([name, one]) => [name, one?.withdrawn]))).toEqual({
      a: false,
      b: true,
      missing: true,
      other: false,
    });
  });

  it('end with the answer that was passed on, and keep nothing once they are let go', async () => {
    const inner = new ReplyLease(Infinity);
    const { block, ask } = make({ source: () => ({}) });
    await block.run('start');
    const [first, second] = [await held(ask, 'a.example.', inner), await held(ask, 'a.example.', inner)];
    second!.lease.release(second!.holder);
    inner.revoke();
    expect([first!.withdrawn, second!.withdrawn, second!.lease.revoked]).toEqual([true, false, true]);
  });

  it('are none where an entry changed before they could be kept', async () => {
    let entries: Entries = {};
    const { block, ask, table } = make({ source: () => entries });
    await block.run('start');
    const outcome = (await ask(query('a.example.'), () => behind.withLease(new ReplyLease(Infinity)))) as Reply;
    const other = (await ask(query('b.example.'), () => behind.withLease(new ReplyLease(Infinity)))) as Reply;
    entries = { 'a.example': '192.0.2.1' };
    await table.reload();
    expect([outcome.lease!.revoked, other.lease!.revoked]).toEqual([true, false]);
  });

  it('depend on all entries where all were looked at', async () => {
    let entries: Entries = { a: '1' };
    const { block, ask, table } = make({ source: () => entries }, (one) => () => ({
      answers: [],
      ...(one.size > 1 && { rcode: 'NXDOMAIN' as const }),
    }));
    await block.run('start');
    const answer = await held(ask, 'x.example.');
    entries = { a: '1', b: '2' };
    await table.reload();
    expect(answer!.withdrawn).toBe(true);
  });
});

describe('metrics of a table around a reload', () => {
  const labels = '{table="names",zones="."}';

  it.each([
    { name: 'the old one goes: those of the new one stay', goes: 0, want: { entries: 2, age: 20 } },
    { name: 'the new one does not come to serve: those of the old one', goes: 1, want: { entries: 1, age: 10 } },
  ])('$name', async ({ goes, want }) => {
    const metrics = new Metrics();
    const tables = [1, 2].map((entries) => {
      const made = tableMetrics(metrics, 'names', 'names', ['.']);
      made.size(entries);
      made.age(() => 10 * entries);
      return made;
    });
    expect(await metrics.text()).toContain(`coredns_names_table_entries${labels} 2\n`);
    tables[goes]!.close();
    const text = await metrics.text();
    expect(text).toContain(`coredns_names_table_entries${labels} ${want.entries}\n`);
    expect(text).toContain(`coredns_names_table_age_seconds${labels} ${want.age}\n`);
    tables[1 - goes]!.close();
    expect(await metrics.text()).not.toContain(`coredns_names_table_entries${labels}`);
  });
});
