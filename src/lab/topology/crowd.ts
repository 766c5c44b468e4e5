import type { ManifestObject } from '../../kube/manifests/parse.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { LabNode, Topology } from './topology.js';

/** What a cluster of any size has at most: an address block for each node, and the pods that a kubelet takes. */
export const MOST_NODES = 250;
export const PODS_PER_NODE = 110;
/** Pods behind one service. */
const REPLICAS = 50;

/**
 * A cluster of `nodes` nodes (1 to 250) and `pods` pods beside those of its own (1 to 110 for each node), with the
 * settings, the servers and the world of `like`: web servers, 50 behind each service, and one pod to ask from.
 */
export function crowd(like: Topology, nodes: number, pods: number): Topology {
  const servers = pods - 1;
  const services = Array.from({ length: Math.ceil(servers / REPLICAS) }, (_, i) =>
    webServers(i === 0 ? 'webpod' : `webpod-${i + 1}`, Math.min(REPLICAS, servers - i * REPLICAS)),
  );
  return {
    ...like,
    name: `${like.name}, ${nodes} nodes`,
    nodes: Array.from({ length: nodes }, (_, i) => node(like.nodes[0]!, i)),
    podPins: [],
    servicePins: [],
    manifests: [...like.manifests, ...services.flat(), pod('curl-pod')],
  };
}

function node(like: LabNode, i: number): LabNode {
  const [first] = like.interfaces;
  const { routerIp: _router, hostEndpointId: _endpoint, internalIp: _internal, ...rest } = like;
  return {
    ...rest,
    name: i === 0 ? like.name : `worker-${i}`,
    apiServer: i === 0,
    podCidr: `10.244.${i}.0/24`,
    // The first keeps the address at which the API is; the second address of the network is its gateway.
    interfaces: i === 0 ? like.interfaces : [{ ...first!, addresses: [`172.17.1.${i}/16`] }],
  };
}

const manifest = (kind: string, apiVersion: string, name: string, spec: RawObject): ManifestObject => ({
  kind,
  place: `${kind} ${name}`,
  raw: { apiVersion, kind, metadata: { name, namespace: 'default', labels: { app: name } }, spec },
});

const webServers = (name: string, replicas: number): readonly ManifestObject[] => [
  manifest('Deployment', 'apps/v1', name, {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'webpod', image: 'traefik/whoami', ports: [{ containerPort: 80 }] }] },
    },
  }),
  manifest('Service', 'v1', name, { selector: { app: name }, ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }] }),
];

const pod = (name: string): ManifestObject =>
  manifest('Pod', 'v1', name, { containers: [{ name: 'curl', image: 'nicolaka/netshoot' }] });
