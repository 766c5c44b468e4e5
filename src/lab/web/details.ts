import type { HttpPort } from './ports.js';
import type { Lab } from '../lab.js';
import { statusWord } from '../pods/pod-status.js';
import type { PartDetails, EntityId } from './api.js';

/** Log lines that are shown. */
const LOG_LINES = 40;

type Texts = PartDetails['texts'];
const block = (title: string, text: string | undefined): Texts =>
  text === undefined || text === '' ? [] : [{ title, text }];

/**
 * A part looked at closely; undefined when there is none of the name. @param urls what the real machine can read over
 * HTTP
 */
export function detailsOf(lab: Lab, id: EntityId, urls: readonly HttpPort[]): PartDetails | undefined {
  const [kind = '', first = '', second = ''] = id.split('/');
  if (kind === 'pod') return podDetails(lab, id, first, second, urls);
  if (kind === 'host') return hostDetails(lab, id, first);
  if (kind === 'node') return nodeDetails(lab, id, first);
  return kind === 'service' ? serviceDetails(lab, id, first, second) : undefined;
}

function podDetails(
  lab: Lab,
  id: EntityId,
  namespace: string,
  name: string,
  urls: readonly HttpPort[],
): PartDetails | undefined {
  const pod = lab.kubelet.get(namespace, name);
  if (!pod) return undefined;
  const { model, restarts, program } = pod;
  return {
    id,
    facts: [
      ['pod', `${namespace}/${name}`],
      ['address', model.ip],
      ['node', model.spec.node],
      ['state', statusWord(pod)],
      ['restarts', String(restarts)],
      ['program', program.kind],
    ],
    texts: [
      ...block('/etc/resolv.conf', pod.files.read('/etc/resolv.conf')),
      ...block('Corefile', program.corefile?.()),
      ...block(`Log, last ${LOG_LINES} lines`, pod.log.tail(LOG_LINES).join('\n')),
    ],
    links: urls
      .filter((one) => one.pod === `${namespace}/${name}`)
      .map(({ url }) => ({ title: new URL(url).pathname.replace(/^.*(:\d+\/)/, '$1'), url: new URL(url).pathname })),
  };
}

function hostDetails(lab: Lab, id: EntityId, name: string): PartDetails | undefined {
  const host = lab.hosts.list().find((one) => one.name === name);
  if (!host) return undefined;
  return {
    id,
    facts: [
      ['host outside', name],
      ['addresses', host.model.netns.addresses.join(', ')],
    ],
    links: [],
    texts: [
      ...block('Corefile', host.corefile),
      ...block(`Log, last ${LOG_LINES} lines`, host.log.tail(LOG_LINES).join('\n')),
    ],
  };
}

function nodeDetails(lab: Lab, id: EntityId, name: string): PartDetails | undefined {
  const node = lab.world.cluster.nodes.get(name);
  if (!node) return undefined;
  const redirects = node
    .redirectList()
    .map(
      ({ ip, port, protocol, redirect, backends }) =>
        `${ip}:${port}/${protocol} -> ${backends.map((one) => `${one.ip}:${one.port}`).join(', ') || 'nobody'} (${redirect?.policy})`,
    );
  return {
    id,
    facts: [
      ['node', name],
      ['addresses', node.netns.addresses.join(', ')],
    ],
    links: [],
    texts: [
      ...block('/etc/resolv.conf', lab.topology.nodes.find((one) => one.name === name)?.resolvConf),
      ...block('Redirects', redirects.join('\n')),
      ...block(
        'Devices',
        node.netns.interfaces
          .map((device) => `${device.name} ${device.addresses.map(({ ip }) => ip).join(' ')}`.trimEnd())
          .join('\n'),
      ),
    ],
  };
}

function serviceDetails(lab: Lab, id: EntityId, namespace: string, name: string): PartDetails | undefined {
  const { services } = lab.world;
  const spec = services.get(namespace, name);
  if (!spec) return undefined;
  const lines = services
    .frontendsOf(namespace, name)
    .map(
      ({ ip, port, protocol, backends }) =>
        `${ip}:${port}/${protocol} -> ${backends.map((one) => `${one.ip}:${one.port}`).join(', ') || 'nobody'}`,
    );
  return {
    id,
    facts: [
      ['service', `${namespace}/${name}`],
      ['address', spec.clusterIPs.join(', ')],
    ],
    links: [],
    texts: block('Translation', lines.join('\n')),
  };
}
