import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import { Matrix } from '../../../../src/page/lookup/matrix.js';
import { Past } from '../../../../src/page/lookup/past.js';
import { Share } from '../../../../src/page/lookup/share.js';
import * as player from '../../../../src/page/player.js';
import { button, click, doing, find, mount, textOf, textsOf } from '../browser.js';
import { query, story } from '../given.js';

export function toldParts(): void {
  describe('the table of queries', () => {
    const shown = (one = story()) => {
      player.show(one);
      return mount(h(Matrix, { story: one }));
    };
    const cells = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>('.query')];

    it('has a row a name and a column a type, with results and times', () => {
      const root = shown();
      expect(textsOf(root, 'thead th')).toEqual(['Step', 'A', 'AAAA']);
      expect(textsOf(root, 'tbody th')).toEqual([
        'google.com.default.svc.cluster.local. search default.svc.cluster.local',
        'google.com. the name as it stands',
      ]);
      expect(cells(root).map((cell) => [textOf(cell), cell.dataset.tone])).toEqual([
        ['Query 1, A: NXDOMAIN1.3 ms', 'plain'],
        ['Query 2, AAAA: NXDOMAIN1.3 ms', 'plain'],
        ['Query 3, A: NOERRORhit 1.3 ms', 'good'],
        ['Query 4, AAAA: timeout1.3 ms', 'bad'],
      ]);
      expect([...root.querySelectorAll('tbody tr')].map((row) => textsOf(row, 'td').length)).toEqual([2, 2]);
      expect(textOf(find(root, '.why'))).toBe(
        'google.com has 1 dot, fewer than ndots (5): the search domain comes first.',
      );
    });

    const one = (result: string) => [{ name: 'a.', why: 'x', queries: [query('A', result)] }];
    it.each([
      { name: 'many', more: {}, want: '4 queries = 2 names tried × A and AAAA; 3 found nothing' },
      {
        name: 'one, and nothing wasted',
        more: { cost: { ...story().cost, queries: 1 }, steps: one('NOERROR') },
        want: '1 query = 1 name tried × A',
      },
      {
        name: 'one that found nothing',
        more: { cost: { ...story().cost, queries: 1 }, steps: one('NODATA') },
        want: '1 query = 1 name tried × A; 1 found nothing',
      },
    ])('sums up: $name', ({ more, want }) => expect(textOf(find(shown(story(more)), '.sum'))).toBe(want));

    it('lights what was reached, marks what is shown, and a click goes there', async () => {
      const root = shown();
      const state = () => cells(root).map(({ dataset }) => (dataset.current ? 'here' : dataset.lit ? 'lit' : 'dark'));
      const rows = () => [...root.querySelectorAll<HTMLElement>('tbody tr')].map(({ dataset }) => dataset.current);
      expect([state(), rows()]).toEqual([
        ['dark', 'dark', 'dark', 'dark'],
        [undefined, undefined],
      ]);
      await click(cells(root)[2]!);
      expect([state(), rows()]).toEqual([
        ['lit', 'lit', 'here', 'dark'],
        [undefined, 'true'],
      ]);
      expect([player.frame.value!.query, player.frame.value!.hop]).toEqual([2, 0]);
      expect(cells(root)[2]!.dataset.lit).toBe('true');
      await click(cells(root)[0]!);
      expect([state(), rows()]).toEqual([
        ['here', 'dark', 'dark', 'dark'],
        ['true', undefined],
      ]);
    });
  });

  describe('past lookups', () => {
    it('are not told before there is one', () => expect(mount(h(Past, {})).querySelector('table')).toBeNull());

    it('tell what each cost, beside the one that is shown', async () => {
      const CACHED = { nodeCache: 'redirect', profile: 'musl' } as const;
      const [shown, quicker, slower] = [
        story(),
        story({ asked: 'a.', cost: { ...story().cost, time: 5 }, nodeCache: 'idle', steps: [] }),
        story({ asked: 'b.', cost: { queries: 1, packets: 2, sockets: 1, visits: 3, time: 9.25 }, ...CACHED }),
      ];
      player.past.value = [slower, quicker, shown];
      player.show(shown);
      const root = mount(h(Past, {}));
      const rows = () => [...root.querySelectorAll<HTMLElement>('tbody tr')];
      expect(rows().map((row) => textsOf(row, 'th, td'))).toEqual([
        ['b.redirect policy · curl-pod · musl · warm', '1', '2', '1', '3', '9.3+1.8'],
        ['a.node cache unused · curl-pod · glibc · cold', '4', '8', '0', '5', '5.0−2.5'],
        ['google.comno node cache · curl-pod · glibc · warm', '4', '8', '1', '5', '7.5'],
      ]);
      expect(rows().map(({ dataset }) => dataset.current)).toEqual([undefined, undefined, 'true']);
      const meters = [...root.querySelectorAll('meter')];
      expect(meters.map((meter) => ['min', 'max', 'value'].map((name) => meter.getAttribute(name)))).toEqual([
        ['0', '9.25', '9.25'],
        ['0', '9.25', '5'],
        ['0', '9.25', '7.5'],
      ]);
      await click(button(root, 'show the lookup of a. again'));
      expect(player.story.value).toBe(quicker);
      expect(rows().map((row) => textOf(row.querySelector('.time small')))).toEqual(['+4.3', '', '+2.5']);
    });

    it('that took as long are told with a plus', () => {
      player.past.value = [story({ asked: 'a.' }), story()];
      player.show(player.past.value[1]!);
      expect(textsOf(mount(h(Past, {})), '.time small')).toEqual(['+0.0']);
    });

    it('are not compared with nothing', () => {
      player.past.value = [story()];
      expect(textsOf(mount(h(Past, {})), 'td.time')).toEqual(['7.5']);
    });
  });

  describe('sharing', () => {
    it.each([
      { name: 'Copy link', works: true, text: location.href, said: 'link copied' },
      { name: 'Copy text', works: true, text: 'google.com as text', said: 'text copied' },
      { name: 'Copy text', works: false, text: 'google.com as text', said: 'the browser does not let the page copy' },
    ])('$name: $said, for a while', async ({ name, works, text, said }) => {
      vi.useFakeTimers();
      const writeText = vi.fn(async () => (works ? undefined : Promise.reject(new Error('no'))));
      vi.stubGlobal('navigator', { clipboard: { writeText } });
      const root = mount(h(Share, { story: story() }));
      await click(button(root, name));
      expect(writeText).toHaveBeenCalledWith(text);
      expect(textOf(find(root, '[role=status]'))).toBe(said);
      await doing(() => vi.advanceTimersByTime(2499));
      expect(textOf(find(root, '[role=status]'))).toBe(said);
      await doing(() => vi.advanceTimersByTime(1));
      expect(textOf(find(root, '[role=status]'))).toBe('');
    });

    it('a word stays until its own time is over', async () => {
      vi.useFakeTimers();
      vi.stubGlobal('navigator', { clipboard: { writeText: async () => undefined } });
      const root = mount(h(Share, { story: story() }));
      await click(button(root, 'Copy link'));
      await doing(() => vi.advanceTimersByTime(2000));
      await click(button(root, 'Copy text'));
      await doing(() => vi.advanceTimersByTime(600));
      expect(textOf(find(root, '[role=status]'))).toBe('text copied');
    });

    it('shows the text, and saves all lookups as a file', async () => {
      vi.useFakeTimers();
      const blobs: Blob[] = [];
      const revoked: string[] = [];
      vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => `blob:${blobs.push(blob as Blob)}`);
      vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => void revoked.push(url));
      const clicked: string[][] = [];
      vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
        clicked.push([this.href, this.download]);
      });
      const [one, other] = [story(), story({ asked: 'a.' })];
      player.past.value = [one, other];
      const root = mount(h(Share, { story: one }));
      expect([textOf(find(root, 'pre')), find(root, 'pre').tabIndex]).toEqual(['google.com as text', 0]);
      await click(button(root, 'Save as JSON'));
      expect(clicked).toEqual([['blob:1', 'lookup-google.com.json']]);
      const text = await blobs[0]!.text();
      expect([JSON.parse(text), text.split('\n')[1], text.endsWith('}\n')]).toEqual([
        { topology: 'two-nodes', lookup: one, past: [one, other] },
        '  "topology": "two-nodes",',
        true,
      ]);
      expect(blobs[0]!.type).toBe('application/json');
      vi.advanceTimersByTime(59_999);
      expect(revoked).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(revoked).toEqual(['blob:1']);
    });
  });
}
