import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import { Details } from '../../../../src/page/details.js';
import { selected } from '../../../../src/page/state.js';
import { asked, button, click, doing, find, json, lab, mount, textOf, textsOf, unmount } from '../browser.js';
import { CORE, CURL } from '../given.js';

const PART = {
  id: CORE,
  facts: [
    ['node', 'two'],
    ['address', '10.0.1.5'],
  ],
  texts: [{ title: 'Corefile', text: '.:53 {\n}\n' }],
  links: [{ title: 'metrics', url: 'http://127.0.0.1:1/metrics' }],
};

export function detailsParts(): void {
  describe('details of a part', () => {
    const opened = async (id = CORE) => {
      vi.useFakeTimers();
      const root = mount(h(Details, {}));
      const dialog = find<HTMLDialogElement>(root, 'dialog');
      await doing(() => (selected.value = id));
      return { root, dialog };
    };

    it('are asked for when it is chosen, and shown', async () => {
      lab.answers = () => json(PART);
      const { root, dialog } = await opened();
      expect(asked).toEqual([['GET', `/api/part?id=${encodeURIComponent(CORE)}`, undefined]]);
      expect([dialog.open, textOf(find(root, 'h2'))]).toEqual([true, 'kube-system/coredns-674b8bbfcf-abcde']);
      expect([textsOf(root, 'dl > div'), textOf(find(root, 'h3'))]).toEqual([
        ['nodetwo', 'address10.0.1.5'],
        'Corefile',
      ]);
      const pre = find(root, 'pre');
      expect([pre.textContent, pre.tabIndex]).toEqual(['.:53 {\n}\n', 0]);
      const link = find<HTMLAnchorElement>(root, '.links a');
      expect([textOf(link), link.href]).toEqual(['metrics', 'http://127.0.0.1:1/metrics']);
    });

    it('are not there before one is chosen', () => {
      const root = mount(h(Details, {}));
      expect([asked, find<HTMLDialogElement>(root, 'dialog').open, textOf(find(root, 'h2'))]).toEqual([[], false, '']);
    });

    it('have no row of links where there are none', async () => {
      lab.answers = () => json({ ...PART, links: [] });
      expect((await opened()).root.querySelector('.links')).toBeNull();
    });

    it('are asked for again every two seconds, until they are closed', async () => {
      lab.answers = () => json({ ...PART, facts: [['asked', `${asked.length}`]] });
      const { root, dialog } = await opened();
      await doing(() => vi.advanceTimersByTime(1999));
      expect(asked).toHaveLength(1);
      await doing(() => vi.advanceTimersByTime(1));
      expect(textsOf(root, 'dd')).toEqual(['2']);
      await click(button(root, 'Close'));
      expect([dialog.open, selected.value]).toEqual([false, undefined]);
      await doing(() => vi.advanceTimersByTime(10_000));
      expect([asked.length, vi.getTimerCount()]).toEqual([2, 0]);
    });

    it('close at a click beside them, and not at one on them', async () => {
      lab.answers = () => json(PART);
      const { root, dialog } = await opened();
      await click(find(root, 'pre'));
      expect(dialog.open).toBe(true);
      await click(dialog);
      expect(dialog.open).toBe(false);
    });

    it('tell why there are none, until there are some', async () => {
      lab.answers = () => json({ error: 'there is no such part' }, 404);
      const { root } = await opened();
      expect(textOf(find(root, '[role=alert]'))).toBe('there is no such part');
      lab.answers = () => json(PART);
      await doing(() => vi.advanceTimersByTime(2000));
      expect([root.querySelector('[role=alert]'), textsOf(root, 'h3')]).toEqual([null, ['Corefile']]);
    });

    it('of another part take their place; what comes late of the first is not shown', async () => {
      const showModal = vi.spyOn(HTMLDialogElement.prototype, 'showModal');
      const signals: (AbortSignal | null | undefined)[] = [];
      lab.answers = (_asked, signal) => (signals.push(signal), json(PART));
      const { root } = await opened();
      expect([textsOf(root, 'h3'), signals[0]!.aborted]).toEqual([['Corefile'], false]);
      lab.answers = (_asked, signal) =>
        new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(new Error('aborted'))));
      await doing(() => (selected.value = CURL));
      expect([textsOf(root, 'h3'), signals[0]!.aborted, textOf(find(root, 'h2'))]).toEqual([
        [],
        true,
        'default/curl-pod',
      ]);
      await doing(() => (selected.value = undefined));
      expect([root.querySelector('[role=alert]'), showModal.mock.calls.length]).toEqual([null, 1]);
    });

    it('are not asked for any more when the page goes', async () => {
      lab.answers = () => json(PART);
      await opened();
      unmount();
      expect(vi.getTimerCount()).toBe(0);
    });
  });
}
