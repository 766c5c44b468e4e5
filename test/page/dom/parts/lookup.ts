import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import * as choice from '../../../../src/page/lookup/choice.js';
import { LookupForm } from '../../../../src/page/lookup/form.js';
import { PodField } from '../../../../src/page/lookup/pod-field.js';
import * as player from '../../../../src/page/player.js';
import { cluster } from '../../../../src/page/state.js';
import { asked, button, doing, enter, find, json, lab, mount, submit, textOf, textsOf } from '../browser.js';
import { pod, story, view } from '../given.js';

export function lookupParts(): void {
  describe('the pod that asks', () => {
    const POD = pod('pod/kube-system/a');
    it.each([
      { name: 'an idle one before one is chosen', pods: [pod('pod/x/web', { kind: 'web' }), POD], want: POD.id },
      {
        name: 'not one in the network of its node',
        pods: [pod('pod/x/agent', { hostNetwork: true }), POD],
        want: POD.id,
      },
      { name: 'any where none is idle', pods: [pod('pod/x/web', { kind: 'web' })], want: 'pod/x/web' },
      { name: 'one that runs', pods: [pod('pod/x/b', { state: 'Crashed' }), POD], want: POD.id },
      { name: 'the chosen one', chosen: 'kube-system/a', pods: [pod('pod/x/b'), POD], want: POD.id },
      {
        name: 'one of default by its name alone',
        chosen: 'b',
        pods: [POD, pod('pod/default/b')],
        want: 'pod/default/b',
      },
      { name: 'not one of elsewhere by its name alone', chosen: 'a', pods: [POD], want: undefined },
      { name: 'nobody where there is no pod', pods: [], want: undefined },
    ])('is $name', ({ chosen = '', pods, want }) => {
      choice.chosen.value = chosen;
      cluster.value = view({ pods });
      expect(choice.asker.value?.id).toBe(want);
    });

    it('can be nobody before the cluster is known', () => {
      cluster.value = undefined;
      expect([choice.askers.value, choice.asker.value]).toEqual([[], undefined]);
    });
  });

  describe('the form', () => {
    const form = (onAsked = vi.fn()) => ({ root: mount(h(LookupForm, { onAsked })), onAsked });

    it('asks what it holds, as the chosen pod, and says that it was asked', async () => {
      lab.answers = () => json(story());
      const { root, onAsked } = form();
      await enter(find(root, '[name=name]'), 'webpod');
      await enter(find(root, '[name=types]'), 'AAAA');
      await enter(find(root, '[name=libc]'), 'musl');
      await enter(find(root, '[name=pod]'), 'default/webpod-66bb7d4c8b-x2x3x');
      expect(await submit(find(root, 'form'))).toBe(false);
      expect(asked).toEqual([
        [
          'POST',
          '/api/lookup',
          { pod: 'default/webpod-66bb7d4c8b-x2x3x', name: 'webpod', types: ['AAAA'], libc: 'musl' },
        ],
      ]);
      expect([player.story.value?.asked, onAsked.mock.calls.length]).toEqual(['google.com', 1]);
      expect([root.querySelector('.problem'), textOf(button(root, 'Look up'))]).toEqual([null, 'Look up']);
    });

    it('asks for both types at first, and waits for the answer', async () => {
      let answer = (_response: Response): void => {};
      lab.answers = () => new Promise((resolve) => (answer = resolve));
      const { root, onAsked } = form();
      await submit(find(root, 'form'));
      expect((asked[0]![2] as { types: unknown }).types).toEqual(['A', 'AAAA']);
      expect([button(root, 'Asking …').disabled, onAsked.mock.calls.length]).toEqual([true, 0]);
      await doing(() => answer(json(story())));
      expect([button(root, 'Look up').disabled, onAsked.mock.calls.length]).toEqual([false, 1]);
    });

    it('says why nothing was asked, or what the lab refused', async () => {
      const { root, onAsked } = form();
      lab.answers = () => json({ error: 'the name is too long' }, 400);
      await submit(find(root, 'form'));
      expect(textOf(find(root, '.problem[role=alert]'))).toBe('the name is too long');
      await doing(() => (choice.chosen.value = 'default/gone'));
      await submit(find(root, 'form'));
      expect(textOf(find(root, '.problem'))).toBe(
        'There is no running pod "default/gone" in this lab: choose another.',
      );
      expect([asked.length, onAsked.mock.calls.length]).toEqual([1, 0]);
    });

    it('proposes names, and leaves what is typed as it is', () => {
      const { root } = form();
      expect(find(root, '[name=name]').spellcheck).toBe(false);
      expect(root.querySelectorAll('#names option')).toHaveLength(6);
      expect(textsOf(root, '[name=types] option')).toEqual(['A, AAAA', 'A', 'AAAA']);
    });
  });

  describe('the list of pods', () => {
    it('has each namespace apart, those of default by their name alone', async () => {
      const root = mount(h(PodField, {}));
      const groups = [...root.querySelectorAll('optgroup')].map((group) => [group.label, ...textsOf(group, 'option')]);
      expect(groups).toEqual([
        ['default', 'curl-pod', 'webpod-66bb7d4c8b-x2x3x'],
        ['kube-system', 'kube-system/agent', 'kube-system/coredns-674b8bbfcf-abcde'],
      ]);
      const list = find<HTMLSelectElement>(root, 'select');
      expect(list.value).toBe('default/curl-pod');
      await enter(list, 'kube-system/agent');
      expect(choice.asker.value?.id).toBe('pod/kube-system/agent');
      await doing(() => (choice.chosen.value = 'default/gone'));
      expect([list.value, textOf(list.querySelector('option'))]).toEqual(['', 'default/gone (not there)']);
    });

    const many = (count: number) => Array.from({ length: count }, (_, i) => pod(`pod/default/pod-${i}`));
    it.each([
      { count: 40, want: 'SELECT' },
      { count: 41, want: 'INPUT' },
    ])('is for $count pods a $want', ({ count, want }) => {
      cluster.value = view({ pods: many(count) });
      expect(find(mount(h(PodField, {})), '[name=pod]').tagName).toBe(want);
    });

    it('is a field with proposals where they are many', async () => {
      cluster.value = view({ pods: many(200) });
      const root = mount(h(PodField, {}));
      const field = find<HTMLInputElement>(root, 'input');
      const proposed = () => [...root.querySelectorAll('option')].map(({ value }) => value);
      expect([field.value, proposed(), field.spellcheck]).toEqual(['default/pod-0', ['default/pod-0'], false]);
      const selectAll = vi.spyOn(field, 'select');
      await doing(() => field.dispatchEvent(new Event('focus')));
      expect(selectAll).toHaveBeenCalledOnce();
      await enter(field, 'pod-19');
      expect([field.value, field.getAttribute('aria-invalid'), proposed().length]).toEqual(['pod-19', null, 11]);
      await doing(() => field.dispatchEvent(new Event('blur')));
      expect(field.value).toBe('default/pod-19');
      await enter(field, 'pod-');
      expect([proposed().length, proposed()[0], field.getAttribute('aria-invalid')]).toEqual([
        50,
        'default/pod-0',
        'true',
      ]);
      await doing(() => field.dispatchEvent(new Event('blur')));
      expect(field.value).toBe('pod-');
    });
  });
}
