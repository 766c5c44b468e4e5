import { computed, signal } from '@preact/signals';
import type { PodView } from '../../lab/web/api.js';
import { cluster } from '../state.js';

/** What the form holds. */
export const name = signal('google.com');
/** As `A,AAAA`. */
export const types = signal('A,AAAA');
export const libc = signal('glibc');
/** `namespace/name` as it was chosen or typed; empty before. */
export const chosen = signal('');

export const podName = (pod: Pick<PodView, 'namespace' | 'name'>): string => `${pod.namespace}/${pod.name}`;

/** Pods that can ask. */
export const askers = computed(() => cluster.value?.pods.filter((pod) => pod.state === 'Running') ?? []);

/** The pod that asks: the chosen one, and before one is chosen an idle one with a network of its own. */
export const asker = computed((): PodView | undefined => {
  const pods = askers.value;
  if (chosen.value !== '')
    return pods.find((pod) => podName(pod) === chosen.value || podName(pod) === `default/${chosen.value}`);
  return pods.find((pod) => pod.kind === 'idle' && !pod.hostNetwork) ?? pods[0];
});
