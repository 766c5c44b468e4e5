import { useSignal } from '@preact/signals';
import type { ClusterView, NodeCacheMode } from '../lab/web/api.js';
import { runLine } from './console.js';

type Wanted = Exclude<NodeCacheMode, 'idle'>;

const MANIFESTS: Readonly<Record<Wanted, readonly string[]>> = { none: [], iptables: ['manifests/node-local-dns.yaml'], redirect: ['manifests/node-local-dns-lrp.yaml', 'manifests/lrp.yaml'] };
const LABELS: Readonly<Record<Wanted, string>> = { none: 'none', iptables: 'iptables', redirect: 'redirect policy' };

/** The commands that lead from one way of caching on nodes to another. */
export function commandsFor(from: NodeCacheMode, to: Wanted): readonly string[] {
  const there = from === 'idle' ? ['manifests/node-local-dns-lrp.yaml'] : MANIFESTS[from];
  const wanted = MANIFESTS[to];
  return [
    ...[...there].reverse().filter((file) => !wanted.includes(file)).map((file) => `kubectl delete -f ${file}`),
    ...wanted.filter((file) => !there.includes(file)).map((file) => `kubectl apply -f ${file}`),
  ];
}

/** Switches NodeLocal DNSCache on and off, by commands that the console shows. */
export function NodeCacheSwitch({ view }: { readonly view: ClusterView }) {
  const busy = useSignal<Wanted | undefined>(undefined);
  const choose = async (wanted: Wanted): Promise<void> => {
    busy.value = wanted;
    for (const line of commandsFor(view.nodeCache, wanted)) if ((await runLine(line)) !== 0) break;
    busy.value = undefined;
  };
  const current = busy.value ?? view.nodeCache;
  return (
    <fieldset class="switch" disabled={busy.value !== undefined} aria-busy={busy.value !== undefined}>
      <legend>Node cache</legend>
      {(Object.keys(MANIFESTS) as Wanted[]).map((mode) => (
        <label key={mode} data-on={current === mode || undefined}><input type="radio" name="node-cache" value={mode} checked={current === mode} onChange={() => void choose(mode)} />{LABELS[mode]}</label>
      ))}
    </fieldset>
  );
}
