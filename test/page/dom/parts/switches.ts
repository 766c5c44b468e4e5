import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import type { ClusterView } from '../../../../src/lab/web/api.js';
import { Faults } from '../../../../src/page/faults.js';
import { NodeCacheSwitch } from '../../../../src/page/node-cache-switch.js';
import { asked, button, click, doing, enter, find, lab, lines, mount, textOf, textsOf, until } from '../browser.js';
import { CACHE, CORE, CURL, pod, view } from '../given.js';

const linesAsked = (): readonly string[] => asked.map(([, , body]) => (body as { line: string }).line);
const isDone = (root: HTMLElement): boolean => !find<HTMLFieldSetElement>(root, 'fieldset').disabled;
/** Until its commands have ended. */
const settled = (root: HTMLElement): Promise<void> => until(() => isDone(root));

export function switchParts(): void {
  describe('faults at a click', () => {
    const core = (more = {}) => pod(CORE, { kind: 'dns', workload: 'coredns-674b8bbfcf', node: 'two', ...more });
    const shown = (more: Partial<ClusterView>) => mount(h(Faults, { view: view(more) }));
    const named = '-n kube-system coredns-674b8bbfcf-abcde';

    it.each([
      {
        name: 'a server that is well',
        more: {},
        want: [
          ['Crash', `crash ${named}`],
          ['Hang', `hang ${named}`],
          ['Drop packets', `drop ${named}`],
        ],
      },
      {
        name: 'one that crashed',
        more: { state: 'Crashed' },
        want: [
          ['Restart', `restart ${named}`],
          ['Drop packets', `drop ${named}`],
        ],
      },
      {
        name: 'one that hangs, and whose packets are dropped',
        more: { faults: ['hangs', 'drops packets'] as const },
        want: [
          ['Restart', `restart ${named}`],
          ['Let packets pass', `drop --off ${named}`],
        ],
      },
    ])('of $name', async ({ more, want }) => {
      lab.answers = () => lines('{"code":0}\n');
      const root = shown({ pods: [pod(CURL), core(more)] });
      const seen: (readonly string[])[] = [];
      for (const name of textsOf(root, 'button').slice(0, -1)) {
        await click(button(root, name));
        await settled(root);
        seen.push([name, linesAsked().at(-1)!]);
      }
      expect(seen).toEqual(want);
    });

    it('are of the server that is chosen: DNS servers, and node caches', async () => {
      lab.answers = () => lines('{"code":0}\n');
      const root = shown({ pods: [pod(CURL), core(), pod(CACHE, { kind: 'node-cache' })] });
      expect(textsOf(root, 'option')).toEqual(['coredns-abcde on two', 'node-local-dns-fghij on one']);
      expect(find<HTMLSelectElement>(root, 'select').value).toBe(CORE);
      await enter(find<HTMLSelectElement>(root, 'select'), CACHE);
      await click(button(root, 'Crash'));
      expect(linesAsked()).toEqual(['crash -n kube-system node-local-dns-fghij']);
    });

    it('wait for the command', async () => {
      let end = (_response: Response): void => {};
      lab.answers = () => new Promise((resolve) => (end = resolve));
      const root = shown({});
      const set = find<HTMLFieldSetElement>(root, 'fieldset');
      expect(set.disabled).toBe(false);
      await click(button(root, 'Crash'));
      expect(set.disabled).toBe(true);
      await doing(() => end(lines('{"code":0}\n')));
      await settled(root);
    });

    it.each([
      { apiAway: false, name: 'API away', want: 'api-server away' },
      { apiAway: true, name: 'API back', want: 'api-server back' },
    ])('of the API server: $name, without a DNS server too', async ({ apiAway, name, want }) => {
      lab.answers = () => lines('{"code":0}\n');
      const root = shown({ apiAway, pods: [] });
      expect([textsOf(root, 'button'), root.querySelector('select')]).toEqual([[name], null]);
      await click(button(root, name));
      expect(linesAsked()).toEqual([want]);
    });

    it.each([
      { name: 'nothing', more: {}, want: '' },
      {
        name: 'all there is',
        more: {
          apiAway: true,
          pods: [core({ state: 'Crashed', faults: ['drops packets'] }), pod(CURL, { faults: ['hangs'] })],
        },
        want: 'Now: coredns-abcde crashed and drops packets, curl-pod hangs, the API server is away.',
      },
    ])('are told: $name', ({ more, want }) => expect(textOf(find(shown(more), '[role=status]'))).toBe(want));
  });

  describe('the switch of the node cache', () => {
    const shown = (mode: ClusterView['nodeCache']) => mount(h(NodeCacheSwitch, { view: view({ nodeCache: mode }) }));
    const state = (root: HTMLElement) =>
      [...root.querySelectorAll('label')].map((label) => [
        textOf(label),
        label.dataset.on,
        find<HTMLInputElement>(label, 'input').checked,
      ]);
    const choose = (root: HTMLElement, value: string): Promise<void> =>
      doing(() => find(root, `[value=${value}]`).dispatchEvent(new Event('change', { bubbles: true })));

    it('stands at what the cluster has', () => {
      const root = shown('iptables');
      expect(state(root)).toEqual([
        ['none', undefined, false],
        ['iptables', 'true', true],
        ['redirect policy', undefined, false],
      ]);
      expect(state(shown('idle')).map(([, on]) => on)).toEqual([undefined, undefined, undefined]);
      expect(find(root, 'fieldset').getAttribute('aria-busy')).not.toBe('true');
    });

    it('gives the commands one after the other, and stands at what was chosen meanwhile', async () => {
      const ends: ((response: Response) => void)[] = [];
      lab.answers = () => new Promise((resolve) => ends.push(resolve));
      const root = shown('none');
      const set = find<HTMLFieldSetElement>(root, 'fieldset');
      await choose(root, 'redirect');
      expect([linesAsked(), set.disabled, set.getAttribute('aria-busy'), state(root)[2]!.slice(1)]).toEqual([
        ['kubectl apply -f manifests/node-local-dns-lrp.yaml'],
        true,
        'true',
        ['true', true],
      ]);
      await doing(() => ends[0]!(lines('{"code":0}\n')));
      await until(() => ends.length === 2);
      expect([linesAsked().slice(1), set.disabled]).toEqual([['kubectl apply -f manifests/lrp.yaml'], true]);
      await doing(() => ends[1]!(lines('{"code":0}\n')));
      await settled(root);
      expect([set.disabled, state(root)[2]![1]]).toEqual([false, undefined]);
    });

    it('stops at a command that fails', async () => {
      lab.answers = () => lines('{"code":1}\n');
      const root = shown('none');
      await choose(root, 'redirect');
      await settled(root);
      expect([linesAsked().length, find<HTMLFieldSetElement>(root, 'fieldset').disabled]).toEqual([1, false]);
    });
  });

  describe('the theme', () => {
    /** As a page that is opened. */
    const opened = async (kept?: string) => {
      vi.resetModules();
      if (kept !== undefined) localStorage.setItem('nodens-theme', kept);
      const changed: (() => void)[] = [];
      vi.stubGlobal('matchMedia', (query: string) => ({
        addEventListener: (name: string, listener: () => void) =>
          query === '(prefers-color-scheme: dark)' && name === 'change' && changed.push(listener),
      }));
      const theme = await import('../../../../src/page/theme.js');
      const { ThemeSwitch } = await import('../../../../src/page/theme-switch.js');
      theme.followTheme();
      const root = mount(h(ThemeSwitch, {}));
      return { theme, root, changed };
    };
    const shown = () => [document.documentElement.dataset.theme, localStorage.getItem('nodens-theme')];
    const checked = (root: HTMLElement) => [
      find<HTMLInputElement>(root, ':checked').value,
      ...textsOf(root, '[data-on=true]'),
    ];

    it.each([
      { name: 'the machine’s at first', kept: undefined, want: 'auto' },
      { name: 'what was chosen last', kept: '"dark"', want: 'dark' },
      { name: 'the machine’s where something else was kept', kept: '"pink"', want: 'auto' },
      { name: 'the machine’s where what was kept cannot be read', kept: '{', want: 'auto' },
    ])('is $name', async ({ kept, want }) => {
      const { root } = await opened(kept);
      expect([shown(), checked(root)]).toEqual([
        [want, `"${want}"`],
        [want, want],
      ]);
    });

    it('is chosen by a switch, kept, and what is drawn is drawn again', async () => {
      const { theme, root } = await opened();
      const before = theme.repainted.value;
      expect(before).toBeGreaterThan(0);
      await doing(() => find(root, '[value=light]').dispatchEvent(new Event('change', { bubbles: true })));
      expect([shown(), checked(root), theme.repainted.value]).toEqual([
        ['light', '"light"'],
        ['light', 'light'],
        before + 1,
      ]);
    });

    it('follows the machine: what is drawn is drawn again', async () => {
      const { theme, changed } = await opened();
      const before = theme.repainted.value;
      changed.forEach((listener) => listener());
      expect([changed.length, theme.repainted.value]).toEqual([1, before + 1]);
    });

    it('works where the browser keeps nothing', async () => {
      vi.stubGlobal('localStorage', undefined);
      const { root } = await opened();
      await doing(() => find(root, '[value=dark]').dispatchEvent(new Event('change', { bubbles: true })));
      expect([document.documentElement.dataset.theme, checked(root)[0]]).toEqual(['dark', 'dark']);
    });

    it('knows what colour a property stands for', async () => {
      const { theme, root } = await opened();
      root.style.setProperty('--line', 'rgb(1, 2, 3)');
      root.style.outlineColor = 'red';
      expect([theme.colourOf('--line', root), root.style.outlineColor]).toEqual(['rgb(1, 2, 3)', 'red']);
    });
  });
}
