import { useSignal } from '@preact/signals';
import type { ClusterView } from '../lab/web/api.js';
import { runLine } from './console.js';
import { commandsFor } from './node-cache-mode.js';
import type { ChosenMode } from './node-cache-mode.js';

const LABELS: Readonly<Record<ChosenMode, string>> = {
  none: 'none',
  iptables: 'iptables',
  redirect: 'redirect policy',
};

/** Switches NodeLocal DNSCache on and off, by commands that the console shows. */
export function NodeCacheSwitch({ view }: { readonly view: ClusterView }) {
  const busy = useSignal<ChosenMode | undefined>(undefined);
  const choose = async (wanted: ChosenMode): Promise<void> => {
    busy.value = wanted;
    for (const line of commandsFor(view.nodeCache, wanted)) if ((await runLine(line)) !== 0) break;
    busy.value = undefined;
  };
  const current = busy.value ?? view.nodeCache;
  return (
    <fieldset class="switch" disabled={busy.value !== undefined} aria-busy={busy.value !== undefined}>
      <legend>Node cache</legend>
      {(Object.keys(LABELS) as ChosenMode[]).map((mode) => (
        <label key={mode} data-on={current === mode || undefined}>
          <input
            type="radio"
            name="node-cache"
            value={mode}
            checked={current === mode}
            onChange={() => void choose(mode)}
          />
          {LABELS[mode]}
        </label>
      ))}
    </fieldset>
  );
}
