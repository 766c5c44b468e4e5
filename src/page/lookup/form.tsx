import { useState } from 'preact/hooks';
import type { ClusterView } from '../../lab/web/api.js';
import { ask, busy, problem } from '../player.js';

const TYPES = { both: ['A', 'AAAA'], A: ['A'], AAAA: ['AAAA'] } as const;
const LIBCS = ['glibc', 'musl', 'go', 'bind', 'busybox'];
/** Names that show what a search list does; the first is looked up by whoever presses the button at once. */
const EXAMPLES = ['google.com', 'google.com.', 'webpod', 'kubernetes.default', 'example.org', 'nosuch.example'];

/** Which pod looks up which name. */
export function LookupForm({ view, onAsked }: { readonly view: ClusterView; readonly onAsked: () => void }) {
  const pods = view.pods.filter((pod) => pod.state === 'Running');
  const client = pods.find((pod) => pod.kind === 'idle' && !pod.hostNetwork) ?? pods[0];
  const [chosen, choose] = useState('');
  const [name, setName] = useState('google.com');
  const [types, setTypes] = useState<keyof typeof TYPES>('both');
  const [libc, setLibc] = useState('glibc');
  const pod = pods.some(({ namespace, name: own }) => `${namespace}/${own}` === chosen)
    ? chosen
    : client
      ? `${client.namespace}/${client.name}`
      : '';
  const submit = (event: Event): void => {
    event.preventDefault();
    void ask({ pod, name, types: TYPES[types], libc }).then(onAsked);
  };
  return (
    <form class="lookup-form" onSubmit={submit}>
      <label class="wide">
        Name
        <input
          name="name"
          list="names"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
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
        <select name="pod" value={pod} onChange={(event) => choose(event.currentTarget.value)}>
          {pods.map(({ id, namespace, name: own }) => (
            <option key={id} value={`${namespace}/${own}`}>
              {namespace === 'default' ? own : `${namespace}/${own}`}
            </option>
          ))}
        </select>
      </label>
      <label>
        Type
        <select
          name="types"
          value={types}
          onChange={(event) => setTypes(event.currentTarget.value as keyof typeof TYPES)}
        >
          <option value="both">A, AAAA</option>
          <option value="A">A</option>
          <option value="AAAA">AAAA</option>
        </select>
      </label>
      <label>
        As
        <select name="libc" value={libc} onChange={(event) => setLibc(event.currentTarget.value)}>
          {LIBCS.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="go" disabled={busy.value || pod === ''}>
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
