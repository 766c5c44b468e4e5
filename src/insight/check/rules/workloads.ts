import { asObject, arrayAt, objectAt, textAt } from '../../../kube/objects/raw.js';
import type { Directive } from '../../../corefile/index.js';
import { isLoopback } from '../blocks.js';
import { nodeCacheOptions, type ClusterCorefile, type ClusterRule, type JudgedCluster } from '../cluster.js';
import type { ContainerView, PodOwner } from '../objects.js';

/** The Corefiles whose pods are known, and that can be read. */
function* mounted({ corefiles }: JudgedCluster): Iterable<{
  readonly workload: PodOwner;
  readonly judged: NonNullable<ClusterCorefile['judged']>;
}> {
  for (const { judged, workload } of corefiles)
    if (judged !== undefined && workload !== undefined) yield { judged, workload };
}

const badFlags: ClusterRule = {
  name: 'node-cache-flags',
  severity: 'fault',
  means: 'The node cache does not start with these arguments.',
  todo: 'Correct the flag that the message names.',
  *find({ workloads }) {
    for (const workload of workloads) {
      const options = nodeCacheOptions(workload);
      if (!(options instanceof Error)) continue;
      const path = workload.nodeCache!.path;
      const [, value] = /"([^"]+)"|-(\w+)$/.exec(options.message) ?? [];
      const args = arrayAt(workload.nodeCache!.raw, 'args').map(String);
      const i = value === undefined ? -1 : args.findIndex((arg) => arg.includes(value));
      yield { at: workload.object.at(...path, 'args', ...(i < 0 ? [] : [i])), text: options.message };
    }
  },
};

const dnsPolicy: ClusterRule = {
  name: 'dns-policy-loop',
  severity: 'warning',
  means: 'The resolv.conf of the pod names the cluster DNS: what the server forwards there comes back to it.',
  todo: "Write 'dnsPolicy: Default', so that the pod has the resolvers of its node.",
  *find(cluster) {
    for (const { judged, workload } of mounted(cluster)) {
      const policy = textAt(workload.pod, 'dnsPolicy') || 'ClusterFirst';
      const toCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !workload.hostNetwork);
      const forwards = judged.blocks.some((block) =>
        block.all('forward').some(({ args }) => args.includes('/etc/resolv.conf')),
      );
      if (toCluster && forwards)
        yield { at: workload.at('dnsPolicy'), text: `dnsPolicy ${policy}, and a block forwards to /etc/resolv.conf` };
    }
  },
};

/** HTTP probes of a container, with the way to each. */
function* probes(container: ContainerView): Iterable<{ kind: string; http: unknown; port: number }> {
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const http = objectAt(objectAt(container.raw, kind), 'httpGet');
    const wanted = asObject(http)['port'];
    const port = container.ports.find(({ name }) => name === wanted)?.port ?? Number(wanted);
    if (textAt(http, 'path') !== '') yield { kind, http, port };
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { health: 8080, ready: 8181 };

/** Where the endpoint of `health` or `ready` listens: `host` is empty for all addresses. */
function endpointOf(directive: Directive): { host: string; port: number } {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(directive.args[0] ?? '') ?? [];
  return { host: host.replace(/[[\]]/g, ''), port: port === undefined ? DEFAULT_PORTS[directive.name]! : Number(port) };
}

const probeUnserved: ClusterRule = {
  name: 'probe-unserved',
  severity: 'warning',
  means: 'The kubelet asks for something that the Corefile does not serve: the pod is killed or never ready.',
  todo: "Add 'health' or 'ready' to the Corefile, or correct path and port of the probe.",
  *find(cluster) {
    for (const { judged, workload } of mounted(cluster))
      for (const container of workload.containers)
        for (const { kind, http, port } of probes(container)) {
          const name = textAt(http, 'path').slice(1);
          if (DEFAULT_PORTS[name] === undefined) continue;
          const serving = judged.blocks.flatMap((block) => block.all(name)).map(endpointOf);
          const at = workload.object.at(...container.path, kind, 'httpGet', 'port');
          if (serving.length === 0) yield { at, text: `${kind} asks for /${name}, and no block has ${name}` };
          else if (!serving.some((one) => one.port === port))
            yield { at, text: `${kind} asks at port ${port}, ${name} listens at ${serving[0]!.port}` };
          else if (serving.every(({ host }) => isLoopback(host)) && textAt(http, 'host') === '')
            yield { at, text: `${kind} comes from the node, ${name} listens at ${serving[0]!.host} only` };
        }
  },
};

const localIp: ClusterRule = {
  name: 'local-ip-not-held',
  severity: 'warning',
  means: 'A block binds to an address that the node cache is not told to hold: it cannot listen there.',
  todo: 'Name the same addresses in -localip and in bind.',
  *find(cluster) {
    for (const { judged, workload } of mounted(cluster)) {
      const options = nodeCacheOptions(workload);
      if (options === undefined || options instanceof Error || !options.setupInterface) continue;
      for (const block of judged.blocks) {
        const stranger = block.listen.find((ip) => !options.localIps.includes(ip) && !/^(0\.0\.0\.0|::)$/.test(ip));
        const bind = block.first('bind');
        if (stranger !== undefined && bind !== undefined && !isLoopback(stranger))
          yield { at: bind, text: `${stranger} is none of -localip=${options.localIps.join(',')}` };
      }
    }
  },
};

const oneReplica: ClusterRule = {
  name: 'single-replica',
  severity: 'hint',
  means: 'While the only pod is replaced or its node is down, no name is resolved.',
  todo: 'Run two at least, on different nodes.',
  *find(cluster) {
    for (const { judged, workload } of mounted(cluster)) {
      const { object } = workload;
      const replicas = asObject(objectAt(object.raw, 'spec'))['replicas'] ?? 1;
      if (object.kind === 'Deployment' && judged.role === 'server' && replicas === 1)
        yield { at: object.at('spec', 'replicas'), text: `Deployment ${object.name} has one replica` };
    }
  },
};

const notReady: ClusterRule = {
  name: 'readiness-missing',
  severity: 'hint',
  means: 'Queries are led to a pod that does not serve yet, or no longer.',
  todo: 'Add a readinessProbe for /ready, or /health for a node cache.',
  *find(cluster) {
    for (const { workload } of mounted(cluster))
      for (const container of workload.containers)
        if (container.ports.some(({ port }) => port === 53) && !workload.hostNetwork)
          if (!('readinessProbe' in asObject(container.raw)))
            yield { at: workload.object.at(...container.path), text: 'no readinessProbe' };
  },
};

export const WORKLOAD_RULES: readonly ClusterRule[] = [
  badFlags,
  dnsPolicy,
  probeUnserved,
  localIp,
  oneReplica,
  notReady,
];
