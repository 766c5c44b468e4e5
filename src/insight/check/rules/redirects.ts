import { asObject, arrayAt, objectAt, textAt } from '../../../kube/objects/raw.js';
import { parsePolicy } from '../../../lrp/parse.js';
import { LrpError, type LocalRedirectPolicy, type PortInfo } from '../../../lrp/policy.js';
import { selects } from '../../../lrp/selector.js';
import { nodeCacheOptions, ofKind, type ClusterRule, type JudgedCluster } from '../cluster.js';
import type { Spot } from '../finding.js';
import type { ClusterObject, MemberPath, PodOwner } from '../objects.js';

const KIND = 'CiliumLocalRedirectPolicy';
const BACKEND = ['spec', 'redirectBackend'] as const;

/** The policies that are accepted, each with the pods that it leads to. */
function* policies(
  cluster: JudgedCluster,
): Iterable<{ object: ClusterObject; policy: LocalRedirectPolicy; backends: readonly PodOwner[] }> {
  for (const object of ofKind(cluster, KIND)) {
    try {
      const policy = parsePolicy(object.raw);
      const backends = cluster.workloads.filter(
        ({ object: { namespace }, labels }) => namespace === policy.namespace && selects(policy.selector, labels),
      );
      yield { object, policy, backends };
    } catch (error) {
      if (!(error instanceof LrpError)) throw error;
    }
  }
}

/** The way that a text such as `spec.redirectBackend.toPorts[0].port` names. */
const pathOf = (text: string): MemberPath =>
  [...text.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));

const service = (cluster: JudgedCluster, policy: LocalRedirectPolicy): ClusterObject | undefined => {
  const { frontend } = policy;
  if (frontend.kind !== 'service') return undefined;
  return ofKind(cluster, 'Service').find(
    ({ name, namespace }) => name === frontend.name && namespace === frontend.namespace,
  );
};

const refused: ClusterRule = {
  name: 'redirect-refused',
  severity: 'fault',
  means: 'Cilium does not accept the CiliumLocalRedirectPolicy: nothing is redirected.',
  todo: 'Correct the field that the message names.',
  *find(cluster) {
    for (const object of ofKind(cluster, KIND)) {
      try {
        parsePolicy(object.raw);
      } catch (error) {
        if (!(error instanceof LrpError)) throw error;
        yield { at: object.at(...pathOf(error.path)), text: error.message };
      }
    }
  },
};

const selectsNothing: ClusterRule = {
  name: 'redirect-selects-nothing',
  severity: 'warning',
  means: 'The labels that the policy looks for are on no pod of its namespace: queries go to the service as before.',
  todo: 'Give the pods of the node cache the labels, in the namespace of the policy.',
  *find(cluster) {
    if (cluster.workloads.length === 0) return;
    for (const { object, policy, backends } of policies(cluster))
      if (backends.length === 0) {
        const wanted = policy.selector.map(({ key, values }) => `${key}=${values.join('|')}`).join(', ');
        yield {
          at: object.at(...BACKEND, 'localEndpointSelector'),
          text: `no pod of namespace ${policy.namespace} has ${wanted}`,
        };
      }
  },
};

const hostNetwork: ClusterRule = {
  name: 'redirect-to-host',
  severity: 'warning',
  means: "Cilium redirects to pods with a network of their own only; these share their node's.",
  todo: 'Take hostNetwork out of the pods, and -setupinterface and -setupiptables with it.',
  *find(cluster) {
    for (const { backends } of policies(cluster))
      for (const workload of backends)
        if (workload.hostNetwork) yield { at: workload.at('hostNetwork'), text: 'hostNetwork in a pod that is led to' };
  },
};

const declares = (workload: PodOwner, wanted: PortInfo, named: boolean): boolean =>
  workload.containers.some(({ ports }) =>
    ports.some(
      ({ name, port, protocol }) =>
        port === wanted.port && protocol === wanted.protocol && (!named || name.toLowerCase() === wanted.name),
    ),
  );

const portText = ({ port, protocol, name }: PortInfo, named: boolean): string =>
  `${port}/${protocol}${named ? ` named ${name}` : ''}`;

const portUndeclared: ClusterRule = {
  name: 'redirect-port-undeclared',
  severity: 'warning',
  means: 'The pod does not declare the port that the policy leads to, by number, protocol and name: it gets nothing.',
  todo: 'Declare the port in the container, with the name of the policy.',
  *find(cluster) {
    for (const { object, policy, backends } of policies(cluster)) {
      const named = policy.backendPorts.length > 1;
      for (const workload of backends)
        for (const [i, port] of policy.backendPorts.entries())
          if (!declares(workload, port, named))
            yield {
              at: object.at(...BACKEND, 'toPorts', i),
              text: `${workload.object.kind} ${workload.object.name} declares no port ${portText(port, named)}`,
            };
    }
  },
};

/** Names of the ports that are led away: the service's, or the policy's own for an address. */
function frontendNames(cluster: JudgedCluster, policy: LocalRedirectPolicy): readonly string[] {
  const { frontend } = policy;
  if (frontend.kind === 'address') return frontend.ports.map(({ name }) => name);
  const ports = arrayAt(objectAt(service(cluster, policy)?.raw, 'spec'), 'ports');
  const listed = ports.filter(
    (port) =>
      frontend.ports.length === 0 || frontend.ports.some(({ port: number }) => number === asObject(port)['port']),
  );
  return listed.map((port) => textAt(port, 'name').toLowerCase());
}

const namesDiffer: ClusterRule = {
  name: 'redirect-port-names',
  severity: 'warning',
  means: 'With several ports each finds its backend by its name: a name that the policy lacks is not redirected.',
  todo: "Name the policy's backend ports as the ports of the service.",
  *find(cluster) {
    for (const { object, policy } of policies(cluster)) {
      if (policy.backendPorts.length < 2) continue;
      for (const name of frontendNames(cluster, policy))
        if (!/metrics/.test(name) && !policy.backendPorts.some((port) => port.name === name))
          yield { at: object.at(...BACKEND, 'toPorts'), text: `no backend port is named ${name || '""'}` };
    }
  },
};

const oneProtocol: ClusterRule = {
  name: 'redirect-one-protocol',
  severity: 'warning',
  means: 'DNS needs UDP and TCP: what is not redirected goes another way, past the cache.',
  todo: 'List port 53 with both protocols, each with a name.',
  *find(cluster) {
    for (const { object, policy } of policies(cluster)) {
      const missing = ['UDP', 'TCP'].find(
        (protocol) => !policy.backendPorts.some((port) => port.protocol === protocol),
      );
      if (missing !== undefined) yield { at: object.at(...BACKEND, 'toPorts'), text: `no backend port for ${missing}` };
    }
  },
};

const headless: ClusterRule = {
  name: 'redirect-of-headless',
  severity: 'warning',
  means: 'A service without an address of its own cannot be redirected.',
  todo: 'Name the service that pods have as nameserver.',
  *find(cluster) {
    for (const { object, policy } of policies(cluster)) {
      if (textAt(objectAt(service(cluster, policy)?.raw, 'spec'), 'clusterIP') === 'None')
        yield {
          at: object.at('spec', 'redirectFrontend', 'serviceMatcher', 'serviceName'),
          text: 'the service has clusterIP None',
        };
    }
  },
};

const withSetup: ClusterRule = {
  name: 'redirect-and-rules',
  severity: 'warning',
  means:
    'The node cache makes a link and rules of its own, which a pod behind a redirect has no use and no rights for.',
  todo: 'Add -setupinterface=false and -setupiptables=false to its arguments.',
  *find(cluster): Iterable<Spot> {
    for (const { backends } of policies(cluster))
      for (const workload of backends) {
        const options = nodeCacheOptions(workload);
        if (options === undefined || options instanceof Error) continue;
        if (options.setupInterface || options.setupRules)
          yield {
            at: workload.object.at(...workload.nodeCache!.path, 'args'),
            text: `${options.setupInterface ? 'setupinterface' : 'setupiptables'} is on`,
          };
      }
  },
};

/** Addresses that pods of each node are led away from; undefined where some are not known. */
export function redirectedAddresses(cluster: JudgedCluster): readonly string[] | undefined {
  const found: string[] = [];
  for (const { policy } of policies(cluster)) {
    if (policy.frontend.kind === 'address') found.push(policy.frontend.ip);
    else {
      const ip = textAt(objectAt(service(cluster, policy)?.raw, 'spec'), 'clusterIP');
      if (ip === '' || ip === 'None') return undefined;
      found.push(ip);
    }
  }
  for (const workload of cluster.workloads) {
    const options = nodeCacheOptions(workload);
    if (options === undefined || options instanceof Error || !workload.hostNetwork) continue;
    if (workload.nodeCache!.words.some((word) => word.includes('__PILLAR__'))) return undefined;
    found.push(...options.localIps);
  }
  return found;
}

export const REDIRECTS: readonly ClusterRule[] = [
  refused,
  selectsNothing,
  hostNetwork,
  portUndeclared,
  namesDiffer,
  oneProtocol,
  headless,
  withSetup,
];
