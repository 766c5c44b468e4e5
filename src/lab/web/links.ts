import { parseCorefile } from '../../corefile/index.js';
import { parseResolvConf } from '../../resolver/index.js';
import type { Lab } from '../lab.js';
import { entityOfPod } from '../explain/explain-lookup.js';
import type { LinkView, EntityId, ServiceView } from './api.js';
import type { Entities } from './entities.js';

const DNS = 53;

/**
 * Which entities may send DNS queries to which: pods to their name servers, services to their pods, servers to their
 * upstreams.
 */
export function linksOf(lab: Lab, parts: Entities, services: readonly ServiceView[]): readonly LinkView[] {
  const links: LinkView[] = [];
  const nameserversOf = nameserverReader();
  for (const pod of lab.kubelet.list()) {
    const { kind } = pod.program;
    const node = pod.model.node;
    const nameservers = nameserversOf(pod.files.read('/etc/resolv.conf') ?? '');
    const corefile = pod.program.corefile?.();
    const targets =
      corefile === undefined
        ? nameservers
        : forwardTargets(corefile).flatMap((target) => (target === '/etc/resolv.conf' ? nameservers : [target]));
    if (kind === 'idle' && pod.model.spec.hostNetwork) continue;
    for (const address of new Set(targets)) {
      const to = parts.of(address, node.name);
      if (to !== undefined && to !== entityOfPod(pod))
        links.push({ from: entityOfPod(pod), to, kind: corefile === undefined ? 'asks' : 'forwards' });
    }
  }
  for (const service of services) {
    if (!service.ports.some((port) => port.startsWith(`${DNS}/`)) && service.backends.length === 0) continue;
    links.push(...service.backends.map((to): LinkView => ({ from: service.id, to, kind: 'backend' })));
    links.push(
      ...service.redirects.flatMap(({ to }) =>
        to.map((one): LinkView => ({ from: service.id, to: one, kind: 'redirect' })),
      ),
    );
  }
  const seen = new Set<EntityId>();
  return links.filter(({ from, to, kind }) => !seen.has(`${from} ${to} ${kind}`) && seen.add(`${from} ${to} ${kind}`));
}

/** Reads a resolv.conf once for all pods that have the same. */
function nameserverReader(): (text: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (text) => {
    const found = known.get(text) ?? parseResolvConf(text).nameservers.map(({ address }) => address);
    known.set(text, found);
    return found;
  };
}

/**
 * Addresses and files that a Corefile forwards to, without ports and schemes; none for a Corefile that cannot be
 * read.
 */
export function forwardTargets(text: string): readonly string[] {
  try {
    const { blocks } = parseCorefile({ name: 'Corefile', text });
    const words = blocks.flatMap(({ directives }) =>
      directives.filter(({ name }) => name === 'forward').flatMap(({ args }) => args.slice(1)),
    );
    return [
      ...new Set(
        words.map((word) =>
          word
            .replace(/^\w+:\/\//, '')
            .replace(/^([\d.]+):\d+$/, '$1')
            .replace(/^\[(.*)\](:\d+)?$/, '$1'),
        ),
      ),
    ];
  } catch {
    return [];
  }
}
