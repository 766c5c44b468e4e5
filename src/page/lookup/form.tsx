import { ask, busy, problem } from '../player.js';
import type { LookupRequest } from '../../lab/web/api.js';
import { asker, chosen, libc, name, podName, types } from './choice.js';
import { PodField } from './pod-field.js';

const TYPES = ['A,AAAA', 'A', 'AAAA'];
const LIBCS = ['glibc', 'musl', 'go', 'bind', 'busybox'];
/** Names that show what a search list does; the first is looked up by whoever presses the button at once. */
const EXAMPLES = ['google.com', 'google.com.', 'webpod', 'kubernetes.default', 'example.org', 'nosuch.example'];

/** Asks for what the form holds. @param step as for {@link ask} */
export async function askChosen(step?: string): Promise<void> {
  const pod = asker.value;
  if (!pod) {
    problem.value = `There is no running pod "${chosen.value}" in this lab: choose another.`;
    return;
  }
  const wanted = types.value.split(',') as LookupRequest['types'];
  await ask({ pod: podName(pod), name: name.value, types: wanted, libc: libc.value }, step);
}

/** Which pod looks up which name. */
export function LookupForm({ onAsked }: { readonly onAsked: () => void }) {
  const submit = (event: Event): void => {
    event.preventDefault();
    void askChosen().then(() => problem.value === '' && onAsked());
  };
  return (
    <form class="lookup-form" onSubmit={submit}>
      <label class="wide">
        Name
        <input
          name="name"
          list="names"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          required
        />
        <datalist id="names">
          {EXAMPLES.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label class="wide">
        Pod
        <PodField />
      </label>
      <label>
        Type
        <select name="types" value={types.value} onChange={(event) => (types.value = event.currentTarget.value)}>
          {TYPES.map((one) => (
            <option key={one} value={one}>
              {one.replace(',', ', ')}
            </option>
          ))}
        </select>
      </label>
      <label>
        As
        <select name="libc" value={libc.value} onChange={(event) => (libc.value = event.currentTarget.value)}>
          {LIBCS.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="go" disabled={busy.value}>
        {busy.value ? 'Asking …' : 'Look up'}
      </button>
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </form>
  );
}
