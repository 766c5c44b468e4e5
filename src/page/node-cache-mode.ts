import type { NodeCacheMode } from '../lab/web/api.js';

/** What can be chosen. */
export type ChosenMode = Exclude<NodeCacheMode, 'idle'>;

const MANIFESTS: Readonly<Record<ChosenMode, readonly string[]>> = {
  none: [],
  iptables: ['manifests/node-local-dns.yaml'],
  redirect: ['manifests/node-local-dns-lrp.yaml', 'manifests/lrp.yaml'],
};

/** The commands that lead from one way of caching on nodes to another. */
export function commandsFor(from: NodeCacheMode, to: ChosenMode): readonly string[] {
  const there = from === 'idle' ? ['manifests/node-local-dns-lrp.yaml'] : MANIFESTS[from];
  const wanted = MANIFESTS[to];
  return [
    ...[...there]
      .reverse()
      .filter((file) => !wanted.includes(file))
      .map((file) => `kubectl delete -f ${file}`),
    ...wanted.filter((file) => !there.includes(file)).map((file) => `kubectl apply -f ${file}`),
  ];
}
