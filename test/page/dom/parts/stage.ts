import { createRef, h } from 'preact';
import { describe, expect, it } from 'vitest';
import { Stage } from '../../../../src/page/lookup/stage.js';
import * as player from '../../../../src/page/player.js';
import { button, click, doing, find, mount, press, textOf, textsOf } from '../browser.js';
import { query, story, translation, visit } from '../given.js';

export function stageParts(): void {
  describe('the stage', () => {
    const staged = (one = story()) => {
      player.show(one);
      return mount(h(Stage, { story: one, root: createRef() }));
    };

    const place = () => [player.index.value, player.playing.value] as const;

    it('is not there without a moment', () =>
      expect(mount(h(Stage, { story: story(), root: createRef() })).querySelector('.stage')).toBeNull());

    it('says where it is', async () => {
      const root = staged();
      const said = () => [
        textOf(find(root, '.place')),
        textOf(find(root, 'h3')),
        ...['value', 'max'].map((name) => find(root, 'progress').getAttribute(name)),
      ];
      expect(said()).toEqual(['1 / 14', 'curl-pod looks up google.com', '0', '13']);
      expect(textOf(find(root, '.stage > p'))).toBe(player.frame.value!.text);
      expect(textOf(find(root, '[aria-live]'))).toBe(`${player.frame.value!.title}. ${player.frame.value!.text}`);
      await doing(() => player.goTo(7));
      expect(said()).toEqual(['8 / 14', 'Query 3 of 4 · A google.com. (the name as it stands)', '7', '13']);
      await doing(() => player.play());
      expect(textOf(find(root, '[aria-live]'))).toBe('');
    });

    it.each([
      { name: 'the first hop', at: 1, tags: ['service*', 'miss', 'reply'], past: 0, says: 'A answered NXDOMAIN' },
      { name: 'the second', at: 2, tags: ['service', 'miss*', 'reply'], past: 1, says: 'A answered NXDOMAIN' },
      { name: 'the reply', at: 3, tags: ['service', 'miss', 'reply*'], past: 2, says: 'A answered NXDOMAIN' },
      {
        name: 'the first of the second query',
        at: 4,
        tags: ['service*', 'miss', 'reply'],
        past: 0,
        says: 'AAAA answered NXDOMAIN',
      },
      {
        name: 'the second of a later name',
        at: 8,
        tags: ['service', 'hit*', 'reply'],
        past: 1,
        says: 'A answered NOERROR',
      },
      { name: 'the last query', at: 12, tags: ['service', 'miss', 'reply*'], past: 2, says: 'AAAA answered timeout' },
    ])('shows the hops of the query it is at: $name', ({ at, tags, past, says }) => {
      player.show(story());
      player.goTo(at);
      const root = mount(h(Stage, { story: player.story.value!, root: createRef() }));
      const items = [...root.querySelectorAll<HTMLElement>('.hops li')];
      expect(items.map((item) => `${textOf(find(item, '.tag'))}${item.dataset.now ? '*' : ''}`)).toEqual(tags);
      expect(items.filter(({ dataset }) => dataset.past)).toHaveLength(past);
      expect(textOf(items.at(-1))).toBe(`reply ${says}`);
    });

    it.each([
      { name: 'a hit', hop: visit({ cache: 'hit', text: 'hit of coredns' }), want: 'hit of coredns' },
      { name: 'a miss', hop: visit({ text: 'miss at coredns' }), want: 'miss at coredns' },
      { name: 'a server without a cache', hop: visit({ cache: 'none', text: 'asked' }), want: 'server asked' },
      { name: 'a redirect', hop: translation({ redirect: true, text: 'to the cache' }), want: 'redirect to the cache' },
      {
        name: 'an address of nobody',
        hop: translation({ at: undefined, text: '192.0.2.1' }),
        want: 'direct 192.0.2.1',
      },
      { name: 'a service', hop: translation({ text: 'service kube-dns' }), want: 'service kube-dns' },
    ])('tells a hop by its tag: $name', ({ hop, want }) => {
      const one = story({
        steps: [{ name: 'a.', why: 'x', queries: [query('A', 'NOERROR', { hops: [{ ...hop, depth: 2 }] })] }],
      });
      player.show(one);
      player.goTo(1);
      const item = find(mount(h(Stage, { story: one, root: createRef() })), '.hops li');
      expect([textOf(item), item.style.getPropertyValue('--depth')]).toEqual([want, '2']);
    });

    const reasons = [
      { code: 'dropped', text: 'packets are dropped', advice: 'look at the policy' },
      { code: 'busy', text: 'it is busy', advice: 'look at the policy' },
    ] as const;
    it('says at a reply and at the end why, each advice once, and at the end what it cost', () => {
      const one = story({
        reasons,
        steps: [{ name: 'a.', why: 'x', queries: [query('A', 'timeout', { reasons: [reasons[0]] })] }],
      });
      player.show(one);
      const seen = [0, 1, 3, 4].map((at) => {
        player.goTo(at);
        const root = mount(h(Stage, { story: one, root: createRef() }));
        return [textsOf(root, '.reasons li'), textsOf(root, '.cost div'), textOf(root.querySelector('.stage > p'))];
      });
      expect(seen.slice(1)).toEqual([
        [[], [], seen[1]![2]],
        [['Why: packets are dropped.', 'Try: look at the policy.'], [], seen[2]![2]],
        [
          ['Why: packets are dropped.', 'Why: it is busy.', 'Try: look at the policy.'],
          ['queries4', 'packets8', 'sockets2', 'visits5', 'ms7.5'],
          'google.com has 192.0.2.1',
        ],
      ]);
      expect([seen[0]![0], seen[0]![1]]).toEqual([[], []]);
    });

    it.each([
      { key: 'ArrowRight', from: 4, want: [5, false] },
      { key: 'ArrowLeft', from: 4, want: [3, false] },
      { key: 'ArrowDown', from: 4, want: [9, false] },
      { key: 'ArrowUp', from: 4, want: [3, false] },
      { key: 'Home', from: 4, want: [0, false] },
      { key: 'End', from: 4, want: [13, false] },
      { key: ' ', from: 4, want: [4, true] },
      { key: 'x', from: 4, want: [4, false], own: true },
    ])('goes by key: "$key"', async ({ key, from, want, own = false }) => {
      const root = staged();
      await doing(() => player.goTo(from));
      expect(await press(find(root, '.stage'), key)).toBe(own);
      expect(place()).toEqual(want);
    });

    it('pauses by the space bar, but leaves it to a button that has the focus', async () => {
      const root = staged();
      await doing(() => player.play());
      expect(await press(button(root, 'Pause'), ' ')).toBe(true);
      expect(place()).toEqual([0, true]);
      await press(find(root, '.stage'), ' ');
      expect(place()).toEqual([0, false]);
      expect(await press(button(root, 'Play'), 'ArrowRight')).toBe(false);
      expect(place()).toEqual([1, false]);
    });

    it('goes by its buttons, as far as there is a way', async () => {
      const root = staged();
      const disabled = () => [...root.querySelectorAll('button')].map((one) => one.disabled);
      const seen: unknown[] = [disabled()];
      for (const name of ['Step forward', 'Last step', 'Step back', 'First step']) {
        await click(button(root, name));
        seen.push([name, place()[0], disabled()]);
      }
      const all = [false, false, false, false, false];
      expect(seen).toEqual([
        [true, true, false, false, false],
        ['Step forward', 1, all],
        ['Last step', 13, [false, false, false, true, true]],
        ['Step back', 12, all],
        ['First step', 0, [true, true, false, false, false]],
      ]);
      await click(button(root, 'Play'));
      expect([place(), textOf(button(root, 'Pause'))]).toEqual([[0, true], '❚❚']);
      await click(button(root, 'Pause'));
      expect([place(), textOf(button(root, 'Play'))]).toEqual([[0, false], '▶ Play']);
    });

    it('can be gone to by keyboard', () => {
      const one = story();
      player.show(one);
      const root = createRef<HTMLDivElement>();
      mount(h(Stage, { story: one, root }));
      expect(root.current!.tabIndex).toBe(0);
    });
  });
}
