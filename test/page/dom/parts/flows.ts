import { h } from 'preact';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FlowView } from '../../../../src/lab/web/api.js';
import { Flows } from '../../../../src/page/flows.js';
import * as player from '../../../../src/page/player.js';
import { flows, flowsLeft } from '../../../../src/page/state.js';
import { button, click, doing, enter, find, mount, textOf, textsOf } from '../browser.js';
import { CORE, CURL, DNS, story } from '../given.js';

let seq = 0;
const flow = (more: Partial<FlowView> = {}): FlowView => ({
  seq: seq++,
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  node: 'one',
  source: { ip: '10.0.0.7', port: 40000, name: 'default/curl-pod', part: CURL },
  destination: { ip: '10.0.1.5', port: 53, name: 'kube-system/coredns', part: CORE },
  protocol: 'udp',
  point: 'to-endpoint',
  verdict: 'FORWARDED',
  summary: 'UDP',
  ...more,
});
/** The query of the third query of the story, at its end. */
const google = (more: Partial<FlowView> = {}): FlowView =>
  flow({ time: 1000, dns: { name: 'google.com.', type: 'A' }, ...more });

export function flowParts(): void {
  describe('the list of flows', () => {
    beforeEach(() => (seq = 0));
    const shown = () => mount(h(Flows, {}));
    const rows = (root: HTMLElement) => [...root.querySelectorAll<HTMLElement>('tbody tr')];
    const names = (root: HTMLElement) => rows(root).map((row) => textsOf(row, 'td')[2]);

    it('has the newest first: when, who, what, where, and what became of it', () => {
      flows.value = [
        flow(),
        flow({
          reply: true,
          verdict: 'DROPPED',
          summary: 'ICMP',
          source: { ip: '1.1.1.1', port: 0, name: 'one' },
          dns: { name: 'a.', type: 'A', result: 'NXDOMAIN' },
        }),
        flow({ dns: { name: 'a.', type: 'AAAA' } }),
      ];
      const root = shown();
      expect(rows(root).map((row) => textsOf(row, 'td'))).toEqual([
        [
          '03:04:05.678',
          'default/curl-pod:40000 → kube-system/coredns:53',
          'UDP AAAA a.',
          'to-endpoint one',
          'FORWARDED',
          '',
        ],
        ['03:04:05.678', 'one ⇐ kube-system/coredns:53', 'ICMP A a. NXDOMAIN', 'to-endpoint one', 'DROPPED', ''],
        ['03:04:05.678', 'default/curl-pod:40000 → kube-system/coredns:53', 'UDP', 'to-endpoint one', 'FORWARDED', ''],
      ]);
      expect(rows(root).map(({ dataset }) => dataset.verdict)).toEqual(['FORWARDED', 'DROPPED', 'FORWARDED']);
      expect([textsOf(root, '.note'), find(root, '.scroll').tabIndex]).toEqual([[], 0]);
    });

    it.each([
      { name: 'nothing', list: [], left: 0, want: ["Nothing yet: look a name up, or ask a pod's port with dig."] },
      { name: 'too many at once', list: [flow()], left: 1, want: ['1 more came too fast to be listed.'] },
    ])('says of $name', ({ list, left, want }) => {
      [flows.value, flowsLeft.value] = [list, left];
      expect(textsOf(shown(), '.note')).toEqual(want);
    });

    it('draws the last hundred', () => {
      flows.value = Array.from({ length: 120 }, (_, i) => flow({ summary: `packet ${i}` }));
      const root = shown();
      expect([rows(root).length, names(root)[0], names(root).at(-1)]).toEqual([100, 'packet 119', 'packet 20']);
    });

    it.each([
      { name: 'a verdict', verdict: 'DROPPED', words: '', want: ['two'] },
      { name: 'a word', verdict: '', words: 'google', want: ['one A google.com. NOERROR'] },
      {
        name: 'words in any case, all of them',
        verdict: '',
        words: '  NoError  CURL-pod ',
        want: ['one A google.com. NOERROR'],
      },
      { name: 'words that no flow has together', verdict: '', words: 'noerror dropped', want: [] },
      { name: 'a word and a verdict', verdict: 'DROPPED', words: 'google', want: [] },
      { name: 'spaces alone', verdict: '', words: '  ', want: ['two', 'one A google.com. NOERROR'] },
    ])('is filtered by $name', async ({ verdict, words, want }) => {
      flows.value = [
        flow({ summary: 'one', dns: { name: 'google.com.', type: 'A', result: 'NOERROR' } }),
        flow({ summary: 'two', verdict: 'DROPPED' }),
      ];
      const root = shown();
      await enter(find<HTMLInputElement>(root, '[type=search]'), words);
      await enter(find<HTMLSelectElement>(root, 'select'), verdict);
      expect([names(root), textsOf(root, '.note')]).toEqual([want, want.length === 0 ? ['No flow matches.'] : []]);
    });

    it('stands still while it is held, and can be cleared', async () => {
      flows.value = [flow({ summary: 'one' })];
      flowsLeft.value = 5;
      const root = shown();
      const pressed = () => find(root, '[aria-pressed]').getAttribute('aria-pressed');
      expect(pressed()).toBe('false');
      await click(button(root, 'Hold'));
      await doing(() => (flows.value = [...flows.value, flow({ summary: 'two' })]));
      expect([names(root), pressed()]).toEqual([['one'], 'true']);
      await click(button(root, 'Go on'));
      expect([names(root), pressed()]).toEqual([['two', 'one'], 'false']);
      await click(button(root, 'Hold'));
      await click(button(root, 'Clear'));
      expect([names(root), flows.value, flowsLeft.value, pressed()]).toEqual([[], [], 0, 'false']);
      expect(textsOf(root, '.note')).toHaveLength(1);
    });

    it('leads to the step of the lookup that a packet belongs to, and marks it there', async () => {
      player.show(story());
      flows.value = [
        google({ destination: { ip: '10.96.0.10', port: 53, name: 'kube-dns', part: DNS } }),
        google(),
        flow({ summary: 'other' }),
      ];
      const root = shown();
      const marks = () => rows(root).map(({ dataset }) => [dataset.ofQuery, dataset.now]);
      const steps = () => rows(root).map((row) => textsOf(row, 'td').at(-1));
      expect(steps()).toEqual(['', '3.2', '3.1']);
      expect(marks()).toEqual([
        [undefined, undefined],
        [undefined, undefined],
        [undefined, undefined],
      ]);
      await click(button(root, 'show step 3.2 of the lookup'));
      expect([player.frame.value!.query, player.frame.value!.hop]).toEqual([2, 1]);
      expect(marks()).toEqual([
        [undefined, undefined],
        ['true', 'true'],
        ['true', undefined],
      ]);
      expect(textOf(find(root, 'thead'))).toContain('Step');
    });
  });
}
