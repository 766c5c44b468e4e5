import { effect, signal } from '@preact/signals';
import type { ClusterView, LookupAnswer } from '../lab/web/api.js';
import { addressText, frameAt, readAddress, stepOf } from './address.js';
import { keep, read } from './kept.js';
import { chosen, libc, name, podName, types } from './lookup/choice.js';
import { askChosen } from './lookup/form.js';
import { frame, frames, goTo, past, playing, show, story } from './player.js';

const store = (): Storage => sessionStorage;
const keyOf = (topology: string): string => `nodens-past ${topology}`;

/** Why what the address names is not shown; empty where it is. */
export const notice = signal('');

const typesOf = (answer: LookupAnswer): string =>
  [...new Set(answer.steps.flatMap(({ queries }) => queries.map(({ type }) => type)))].sort().join();

/**
 * Brings back what a reload or a sent address names, and keeps the address as the page stands from then on. The same
 * tab has its past lookups; elsewhere the lookup is made again.
 */
export function restore(view: ClusterView): void {
  const address = readAddress(location.search);
  past.value = read<LookupAnswer[]>(store, keyOf(view.name)) ?? [];
  if (address.topology !== '' && address.topology !== view.name)
    notice.value =
      `This address is of the topology ${address.topology}, and this lab runs ${view.name}. ` +
      `Start the other one: nodens lab up -topology ${address.topology}`;
  else if (address.name !== '') {
    [name.value, chosen.value, types.value, libc.value] = [address.name, address.pod, address.types, address.libc];
    const known = past.value.find(
      (one) =>
        one.asked === address.name &&
        one.profile === address.libc &&
        podName(one.pod) === address.pod &&
        typesOf(one) === address.types,
    );
    if (known) {
      show(known);
      goTo(frameAt(frames.value, address.step));
    } else void askChosen(address.step);
  }
  effect(() => keep(store, keyOf(view.name), past.value));
  effect(() => {
    if (!story.value || !frame.value || playing.value) return;
    const { pod, asked, profile } = story.value;
    const text = addressText({
      topology: view.name,
      pod: podName(pod),
      name: asked,
      types: typesOf(story.value),
      libc: profile,
      step: stepOf(frame.value),
    });
    notice.value = '';
    history.replaceState(undefined, '', `${location.pathname}${text}`);
  });
}
