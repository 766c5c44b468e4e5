import { useSignal } from '@preact/signals';
import type { PodView } from '../../lab/web/api.js';
import { asker, askers, chosen, podName } from './choice.js';

/** Pods that a list to choose from holds; of more, a part of the name is typed. */
const LISTED = 40;
/** Proposals for what was typed. */
const PROPOSED = 50;

/** Which pod asks: a list by namespace, or a field with proposals where there are too many for a list. */
export function PodField() {
  const pods = askers.value;
  if (pods.length > LISTED) return <PodInput pods={pods} />;
  const namespaces = [...new Set(pods.map(({ namespace }) => namespace))].sort();
  const value = asker.value ? podName(asker.value) : '';
  return (
    <select name="pod" value={value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
      {asker.value === undefined && <option value="">{chosen.value} (not there)</option>}
      {namespaces.map((namespace) => (
        <optgroup key={namespace} label={namespace}>
          {pods
            .filter((pod) => pod.namespace === namespace)
            .map((pod) => (
              <option key={pod.id} value={podName(pod)}>
                {namespace === 'default' ? pod.name : podName(pod)}
              </option>
            ))}
        </optgroup>
      ))}
    </select>
  );
}

function PodInput({ pods }: { readonly pods: readonly PodView[] }) {
  /** What is being typed; undefined while the field is left alone. */
  const typed = useSignal<string | undefined>(undefined);
  const text = typed.value ?? (asker.value ? podName(asker.value) : chosen.value);
  const near = pods.filter((pod) => podName(pod).includes(text)).slice(0, PROPOSED);
  return (
    <>
      <input
        name="pod"
        list="pods"
        value={text}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => (typed.value = chosen.value = event.currentTarget.value)}
        onBlur={() => (typed.value = undefined)}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={asker.value === undefined || undefined}
      />
      <datalist id="pods">
        {near.map((pod) => (
          <option key={pod.id} value={podName(pod)} />
        ))}
      </datalist>
    </>
  );
}
