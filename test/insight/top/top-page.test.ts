import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { topText } from '../../../src/insight/top/top-page.js';
import { TopScreen, type Effect } from '../../../src/insight/top/top-screen.js';
import { exampleReport } from './example.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/TOP.md'), 'utf8');

it('the example of docs/TOP.md prints what the page shows', () => {
  const shown = /^```console\n\$ nodens top -rows 4\n([\s\S]*?)^```$/m.exec(page)?.[1];
  expect(topText(exampleReport(), 4)).toBe(shown);
});

it('shows what a server of before does not tell as nothing', () => {
  const row = { key: 'A', rate: 1, error: 0, share: 1 };
  const [types, told] = [row, { ...row, nxdomain: 0, time: 0 }].map((one) =>
    topText({ ...exampleReport(), types: [one] }, 1),
  );
  expect(types).toBe(told);
});

it.each([
  { rate: 0.004, want: '0.00' },
  { rate: 9.994, want: '9.99' },
  { rate: 9.995, want: '10.0' },
  { rate: 99.94, want: '99.9' },
  { rate: 99.95, want: '100' },
  { rate: 12_345.6, want: '12346' },
])('shows three digits of a rate, or those before the point: $want', ({ rate, want }) => {
  const row = { key: 'A', rate, error: 0, share: 1, nxdomain: 0, time: 0 };
  expect(topText({ ...exampleReport(), types: [row] }, 1).split(/\s+/)).toContain(want);
});

it('finds clients by their pods', () => {
  expect(exampleReport({ filter: 'cart' }).clients.map(({ key, pod }) => [key, pod])).toEqual([
    ['10.244.1.7', 'shop/cart-0'],
  ]);
});

describe('a terminal', () => {
  const screen = (): TopScreen => new TopScreen('unix:/run/nodens.sock', { sort: 'rate', filter: '' });
  const press = (shown: TopScreen, ...texts: string[]): Effect[] =>
    texts.map((text) =>
      shown.press({ name: { '\r': 'return', '\x7f': 'backspace', '\x1b': 'escape' }[text], text, ctrl: false }),
    );
  const lines = (shown: TopScreen, fault?: string, width = 80, height = 24): string[] =>
    shown.lines(exampleReport(), fault, width, height);

  it('shows all lists, as far as there is room', () => {
    const shown = lines(screen());
    expect(shown.length).toBeLessThanOrEqual(24);
    expect(shown.filter((line) => /^(CLIENT|NAME|TYPE|END|SEARCH|UPSTREAM)/.test(line))).toHaveLength(6);
    expect(shown.at(-1)).toContain('q quit');
  });

  it.each([
    [80, 24],
    [40, 10],
    [20, 5],
  ])('never writes beyond %i columns and %i lines', (width, height) => {
    for (const key of ['a', '1', '2', '6']) {
      const shown = screen();
      press(shown, key);
      const all = lines(shown, 'it is gone', width, height);
      expect(all.length).toBeLessThanOrEqual(height);
      for (const line of all) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('shows one list', () => {
    const shown = screen();
    expect(press(shown, '2')).toEqual(['draw']);
    expect(lines(shown).filter((line) => /^(CLIENT|NAME|TYPE)/.test(line))).toEqual([expect.stringMatching(/^NAME/)]);
    expect(press(shown, '9')).toEqual(['draw']);
    expect(lines(shown).filter((line) => /^(CLIENT|NAME|TYPE)/.test(line))).toHaveLength(1);
    expect(press(shown, 'a')).toEqual(['draw']);
    expect(lines(shown).filter((line) => /^(CLIENT|NAME|TYPE)/.test(line))).toHaveLength(3);
  });

  it('pauses, and asks again', () => {
    const shown = screen();
    expect(press(shown, ' ')).toEqual(['draw']);
    expect([shown.paused, lines(shown)[0]]).toEqual([true, expect.stringContaining('PAUSED')]);
    expect(press(shown, 'p')).toEqual(['ask']);
    expect(shown.paused).toBe(false);
  });

  it('sorts by one thing after the other', () => {
    const shown = screen();
    const sorts = ['s', 's', 's'].map((key) => press(shown, key) && shown.wish.sort);
    expect(sorts).toEqual(['time', 'nxdomain', 'rate']);
  });

  it('filters by what is typed, and keeps what there was for who thinks better of it', () => {
    const shown = screen();
    press(shown, '/', 'C', 'x', '\x7f', 'a', 'q');
    expect(lines(shown).at(-1)).toBe('filter: Caq_');
    expect(press(shown, '\r')).toEqual(['ask']);
    expect([shown.wish.filter, lines(shown).at(-1)]).toEqual(['caq', expect.stringContaining('q quit')]);
    press(shown, '/', 'x', '\x1b');
    expect(shown.wish.filter).toBe('caq');
  });

  it('takes no keys that write nothing into a filter', () => {
    const shown = screen();
    press(shown, '/', 'a', ' ', '\x1b[A', '\t', '');
    expect(lines(shown).at(-1)).toBe('filter: a_');
  });

  it('ends', () => {
    expect(press(screen(), 'q')).toEqual(['quit']);
    expect(screen().press({ name: 'c', text: '\x03', ctrl: true })).toBe('quit');
    expect(screen().press({ name: 'c', text: 'c', ctrl: false })).toBe('draw');
    expect(screen().press({ name: 'x', text: '\x18', ctrl: true })).toBe('draw');
  });

  it('says what keeps it from new figures, and shows the old ones', () => {
    const [first, second] = lines(screen(), 'no answer');
    expect(first).toContain('no answer');
    expect(second).toContain('queries a second');
  });
});
