import { asObject, arrayAt, objectAt, textAt, textMapAt } from '../../../kube/objects/raw.js';
import { hasOption, upstreamsOf } from '../blocks.js';
import { isUpstreamService, nodeCacheOptions, ofKind, type ClusterRule, type JudgedCluster } from '../cluster.js';
import type { ClusterObject, PodOwner } from '../objects.js';

const portsOf = (service: ClusterObject): readonly unknown[] => arrayAt(objectAt(service.raw, 'spec'), 'ports');

const hasPort = (service: ClusterObject, protocol: string): boolean =>
  portsOf(service).some((port) => asObject(port)['port'] === 53 && (textAt(port, 'protocol') || 'TCP') === protocol);

/** What a service leads to, of the folder. */
function backendsOf({ workloads }: JudgedCluster, service: ClusterObject): PodOwner[] {
  const selector = Object.entries(textMapAt(objectAt(service.raw, 'spec'), 'selector') ?? {});
  return workloads.filter(
    ({ labels, object }) =>
      selector.length > 0 &&
      object.namespace === service.namespace &&
      selector.every(([key, value]) => labels[key] === value),
  );
}

/** The services of the folder that a Corefile forwards to. */
function* askedServices(cluster: JudgedCluster) {
  const services = ofKind(cluster, 'Service');
  for (const { judged, workload } of cluster.corefiles) {
    if (judged === undefined) continue;
    const options = workload && nodeCacheOptions(workload);
    const named = options === undefined || options instanceof Error ? undefined : options.upstreamService;
    for (const block of judged.blocks)
      for (const forward of block.all('forward'))
        for (const { ip, text } of upstreamsOf(forward)) {
          const service = services.find(
            (one) =>
              textAt(objectAt(one.raw, 'spec'), 'clusterIP') === ip || (isUpstreamService(ip) && one.name === named),
          );
          if (service !== undefined) yield { block, forward, service, workload, text };
        }
  }
}

const oneProtocol: ClusterRule = {
  name: 'service-one-protocol',
  severity: 'warning',
  means: 'Answers that do not fit into a datagram are asked for again over TCP, which the service does not take.',
  todo: 'Add port 53 with the other protocol.',
  *find(cluster) {
    for (const service of ofKind(cluster, 'Service'))
      for (const [has, lacks] of [
        ['UDP', 'TCP'],
        ['TCP', 'UDP'],
      ] as const)
        if (hasPort(service, has) && !hasPort(service, lacks))
          yield { at: service.at('spec', 'ports'), text: `service ${service.name} has port 53 for ${has} alone` };
  },
};

const portUnmatched: ClusterRule = {
  name: 'service-port-unmatched',
  severity: 'warning',
  means: 'A port of the service leads to a name that no container declares: queries to it are refused.',
  todo: 'Name the port in the container, or write its number in targetPort.',
  *find(cluster) {
    for (const service of ofKind(cluster, 'Service'))
      for (const [i, port] of portsOf(service).entries()) {
        const target = asObject(port)['targetPort'];
        const backends = backendsOf(cluster, service);
        if (typeof target !== 'string' || backends.length === 0) continue;
        if (!backends.some(({ containers }) => containers.some(({ ports }) => ports.some((p) => p.name === target))))
          yield { at: service.at('spec', 'ports', i, 'targetPort'), text: `no container has a port named ${target}` };
      }
  },
};

const forcedTcp: ClusterRule = {
  name: 'force-tcp-unstable',
  severity: 'warning',
  means: 'Connections stay with one backend: where that goes, or takes no TCP, queries wait until they time out.',
  todo: 'Give the service TCP and at least two backends, or leave force_tcp out.',
  *find(cluster) {
    for (const { forward, service } of askedServices(cluster)) {
      if (!hasOption(forward, 'force_tcp')) continue;
      const [option] = forward.options!.filter(({ name }) => name === 'force_tcp');
      const [alone] = backendsOf(cluster, service).filter(
        ({ object }) => object.kind === 'Deployment' && (asObject(objectAt(object.raw, 'spec'))['replicas'] ?? 1) === 1,
      );
      if (!hasPort(service, 'TCP')) yield { at: option!, text: `service ${service.name} has no port 53 for TCP` };
      else if (alone !== undefined)
        yield { at: option!, text: `service ${service.name} has one backend, of ${alone.object.name}` };
    }
  },
};

const serviceLoop: ClusterRule = {
  name: 'service-loop',
  severity: 'warning',
  means: 'The server forwards to a service that leads back to itself: queries go round until they time out.',
  todo: 'Forward to the resolvers of the node, or to a service of other pods.',
  *find(cluster) {
    for (const { forward, service, workload, text } of askedServices(cluster))
      if (workload !== undefined && backendsOf(cluster, service).includes(workload))
        yield { at: forward, text: `${text} is service ${service.name}, which leads to ${workload.object.name}` };
  },
};

export const SERVICES: readonly ClusterRule[] = [oneProtocol, portUnmatched, forcedTcp, serviceLoop];
