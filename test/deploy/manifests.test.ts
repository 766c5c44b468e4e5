import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { FLAGS } from '../../src/cli/flags.js';
import { parseCorefile } from '../../src/corefile/index.js';
import { parseFlags } from '../../src/lib/go-flags.js';
import { renderCorefile } from '../../src/nodelocal/corefile-template.js';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import { networkPlan } from '../../src/nodelocal/plan.js';
import { Server } from '../../src/server/server.js';
import { VERSION } from '../../src/lib/package-folder.js';
import { TestLog } from '../support/block.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

interface Container {
  name: string;
  image: string;
  args: string[];
  ports?: { name: string; containerPort: number; protocol: string }[];
  livenessProbe: { httpGet: { host?: string; path: string; port: number }; failureThreshold: number };
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext: { capabilities: { drop: string[]; add?: string[] }; readOnlyRootFilesystem: boolean };
}

interface PodSpec {
  serviceAccountName: string;
  hostNetwork?: boolean;
  dnsPolicy: string;
  containers: [Container];
  volumes: { name: string; configMap?: { name: string; items?: { key: string; path: string }[] } }[];
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile: { type: string } };
  nodeSelector: Record<string, string>;
  topologySpreadConstraints?: { topologyKey: string; labelSelector: { matchLabels: Record<string, string> } }[];
}

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Record<string, string>;
  rules?: unknown[];
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
  spec?: {
    selector?: Record<string, unknown>;
    replicas?: number;
    maxUnavailable?: number;
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    ports?: { name: string; port: number; protocol: string }[];
    clusterIP?: string;
    redirectFrontend?: { serviceMatcher: { serviceName: string; namespace: string } };
    redirectBackend?: {
      localEndpointSelector: { matchLabels: Record<string, string> };
      toPorts: { port: string; name: string; protocol: string }[];
    };
  };
}

const FILLED = {
  __PILLAR__LOCAL__DNS__: '169.254.20.10',
  __PILLAR__DNS__SERVER__: '10.96.0.10',
  __PILLAR__DNS__DOMAIN__: 'cluster.local',
  __PILLAR__NODE__NETWORK__: '127.0.0.0/8',
};

/** A file's manifests, with its variables filled in as the page says. */
function manifests(file: string): Manifest[] {
  const text = Object.entries(FILLED).reduce(
    (filled, [variable, value]) => filled.replaceAll(variable, value),
    read(`deploy/${file}.yaml`),
  );
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

const FILES = ['cluster-dns', 'node-local-dns', 'node-local-dns-lrp'];
const only = (all: Manifest[], kind: string, name?: string): Manifest => {
  const found = all.filter(
    (manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
};
const workload = (all: Manifest[]): Manifest =>
  all.find((manifest) => manifest.kind === 'Deployment' || manifest.kind === 'DaemonSet')!;
const podOf = (all: Manifest[]): PodSpec => workload(all).spec!.template!.spec;
const labelsOf = (all: Manifest[]): Record<string, string> => workload(all).spec!.template!.metadata.labels;
const nodeCacheFlags = (file: string) => {
  const [command, ...args] = podOf(manifests(file)).containers[0].args;
  expect(command).toBe('node-cache');
  return parseNodeCacheFlags(args);
};

describe.each(FILES)('%s.yaml', (file) => {
  const all = manifests(file);
  const pod = podOf(all);
  const [container] = pod.containers;

  it('is all in namespace kube-system, but for what belongs to the whole cluster', () => {
    expect(all.filter(({ metadata }) => metadata.namespace !== 'kube-system').map(({ kind }) => kind)).toEqual(
      file === 'cluster-dns' ? ['ClusterRole', 'ClusterRoleBinding'] : [],
    );
  });

  it('selects the pods that it makes', () => {
    expect(labelsOf(all)).toMatchObject(workload(all).spec!.selector!.matchLabels as Record<string, string>);
  });

  it('runs the image of this version', () => expect(container.image).toBe(`nodens:${VERSION}`));

  it('runs under an account that it makes', () =>
    expect(only(all, 'ServiceAccount').metadata.name).toBe(pod.serviceAccountName));

  it('asks the node for its own resolvers', () => expect(pod.dnsPolicy).toBe('Default'));

  it('mounts volumes that are there, made from a ConfigMap of its own', () => {
    expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
    const config = pod.volumes.find(({ name }) => name === 'config')!.configMap!;
    expect(only(all, 'ConfigMap').metadata.name).toBe(config.name);
    for (const { key } of config.items ?? []) expect(only(all, 'ConfigMap').data).toHaveProperty(key);
  });

  it('gives no more rights than needed', () => {
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    if (file === 'node-local-dns')
      expect(container.securityContext.capabilities.add).toEqual(['NET_ADMIN', 'NET_BIND_SERVICE']);
    else {
      expect(container.securityContext.capabilities.add).toBeUndefined();
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65534 });
    }
  });

  it('has the profile of system calls and the nodes that are usual', () => {
    expect([pod.securityContext?.seccompProfile, pod.nodeSelector]).toEqual([
      { type: 'RuntimeDefault' },
      { 'kubernetes.io/os': 'linux' },
    ]);
  });

  it('takes no port of the node', () => {
    const ports = container.ports ?? [];
    expect(pod.hostNetwork ? ports : ports.filter((port) => 'hostPort' in port)).toEqual([]);
  });

  it('is started anew after five probes that failed', () => expect(container.livenessProbe.failureThreshold).toBe(5));

  it('probes the health that its Corefile serves', () => {
    const { host, path: at, port } = container.livenessProbe.httpGet;
    const [, address = '', asked = '8080'] = /^\s*health(?: +([\d.]+)?:(\d+))?/m.exec(
      only(all, 'ConfigMap').data!.Corefile!,
    )!;
    expect([host ?? '', at, String(port)]).toEqual([address, '/health', asked]);
  });

  it('starts from its Corefile, and answers', async () => {
    const template = only(all, 'ConfigMap').data!.Corefile!;
    const values = {
      localIps: ['127.0.0.1'],
      dnsPort: 53,
      clusterDns: '127.0.0.1:1',
      domain: 'cluster.local',
      prometheus: ':9253',
      kubeDns: { stubDomains: new Map(), upstreamNameservers: ['127.0.0.1:1'] },
    };
    const { text } = renderCorefile(template, values);
    expect(text).not.toContain('PILLAR');
    const server = await Server.create({ corefile: onLoopback(text), log: new TestLog() });
    await server.listen();
    const zones = server.banner().map((line) => line.replace(/:\d+( on .*)?$/, ''));
    const answer = await server.inject({ name: 'webpod.default.svc.cluster.local.', type: 1 });
    await server.stop();
    expect(zones).toEqual(file === 'cluster-dns' ? ['.'] : ['.', 'cluster.local.', 'in-addr.arpa.', 'ip6.arpa.']);
    // The node caches have nobody to ask here.
    expect([answer?.rcode, answer?.answer.length]).toEqual(file === 'cluster-dns' ? [0, 1] : [2, 0]);
  });
});

/**
 * A Corefile at drawn ports of the loopback interface, with manifests in place of an API to ask and without probes
 * that nobody would answer.
 */
const onLoopback = (text: string): string =>
  text
    .replace(/:53 \{/g, ':0 {')
    .replace(/^ *bind .*\n/gm, '')
    .replace(/:0 \{\n/g, ':0 {\n    bind 127.0.0.1\n')
    .replace(/^( *prometheus).*$/gm, '$1 127.0.0.1:0')
    .replace(/^( *(?:health|ready))[^{\n]*/gm, '$1 127.0.0.1:0 ')
    .replace(/lameduck 5s/, '')
    .replace(
      /(kubernetes [^{]*\{)/,
      `$1\n        manifests ${path.resolve(import.meta.dirname, '../../corefiles/cluster')}`,
    )
    .replace(/^ *(?:loop|reload)\n/gm, '')
    .replace('/etc/resolv.conf', '127.0.0.1:1');

describe('cluster-dns.yaml', () => {
  const all = manifests('cluster-dns');

  it('takes arguments that the server takes', () => {
    const { values, rest } = parseFlags(podOf(all).containers[0].args, FLAGS);
    const mount = podOf(all).containers[0].volumeMounts.find(({ name }) => name === 'config')!;
    expect([values.conf, rest]).toEqual([`${mount.mountPath}/Corefile`, []]);
  });

  it('is what pods have as their resolver', () => {
    const service = only(all, 'Service', 'kube-dns');
    expect(service.spec!.clusterIP).toBe('10.96.0.10');
    expect(labelsOf(all)).toMatchObject(service.spec!.selector!);
    const ports = podOf(all).containers[0].ports!.map(({ name, containerPort, protocol }) => ({
      name,
      port: containerPort,
      protocol,
    }));
    expect(service.spec!.ports).toEqual(ports);
  });

  it('leaves the number of pods to others, spreads them, and takes one at a time', () => {
    const { spec } = workload(all);
    const budget = only(all, 'PodDisruptionBudget').spec!;
    expect([spec!.replicas, budget.maxUnavailable]).toEqual([undefined, 1]);
    expect(labelsOf(all)).toMatchObject(budget.selector!.matchLabels as Record<string, string>);
    const spread = podOf(all).topologySpreadConstraints!;
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    for (const { labelSelector } of spread) expect(labelsOf(all)).toMatchObject(labelSelector.matchLabels);
  });

  it('may read what the kubernetes plugin reads', () => {
    expect(only(all, 'ClusterRole').rules).toEqual([
      { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ]);
    const binding = only(all, 'ClusterRoleBinding');
    expect(binding.roleRef).toMatchObject({ kind: 'ClusterRole', name: only(all, 'ClusterRole').metadata.name });
    expect(binding.subjects).toEqual([
      { kind: 'ServiceAccount', name: podOf(all).serviceAccountName, namespace: 'kube-system' },
    ]);
  });

  it("serves the cluster's domain and reverse zones, those of others included", () => {
    const { blocks } = parseCorefile(
      { name: 'Corefile', text: only(all, 'ConfigMap').data!.Corefile! },
      { env: {}, cwd: '/', readFile: () => '', glob: () => [] },
    );
    const kubernetes = blocks[0]!.directives.find(({ name }) => name === 'kubernetes')!;
    expect(kubernetes.args).toEqual(['cluster.local', 'in-addr.arpa', 'ip6.arpa']);
  });
});

describe.each(['node-local-dns', 'node-local-dns-lrp'])('%s.yaml', (file) => {
  const all = manifests(file);
  const flags = nodeCacheFlags(file);
  const { volumeMounts } = podOf(all).containers[0];
  const mountOf = (name: string) => volumeMounts.find((mount) => mount.name === name)!;

  it('renders from its ConfigMap to where it may write', () => {
    const item = podOf(all).volumes.find(({ name }) => name === 'config')!.configMap!.items![0]!;
    expect(flags.baseCorefile).toBe(`${mountOf('config').mountPath}/${item.path}`);
    expect(path.dirname(flags.corefile)).toBe(mountOf('run').mountPath);
    expect(mountOf('run').readOnly).toBeUndefined();
  });

  it('asks a service for the cluster DNS that it makes, which leads to the cluster DNS', () => {
    const upstream = only(all, 'Service', flags.upstreamService);
    expect(labelsOf(manifests('cluster-dns'))).toMatchObject(upstream.spec!.selector!);
    expect(upstream.spec!.ports!.map(({ port, protocol }) => [port, protocol])).toEqual([
      [53, 'UDP'],
      [53, 'TCP'],
    ]);
  });

  it('serves at the local address and that of kube-dns', () =>
    expect(flags.localIps).toEqual(['169.254.20.10', '10.96.0.10']));

  it('shows the ports that it listens at, where they are its own', () => {
    const ports = podOf(all).containers[0].ports?.map(({ name, containerPort }) => [name, containerPort]);
    const listened = [
      ['dns', flags.dnsPort],
      ['dns-tcp', flags.dnsPort],
      ['metrics', 9253],
      ['setup-metrics', flags.metricsAddress.port],
    ];
    expect(ports).toEqual(file === 'node-local-dns' ? undefined : listened);
  });
});

describe('node-local-dns.yaml', () => {
  it('sets up a link and rules on the node', () => {
    const plan = networkPlan(nodeCacheFlags('node-local-dns'));
    expect([
      podOf(manifests('node-local-dns')).hostNetwork,
      plan.link?.name,
      plan.rules.length,
      nodeCacheFlags('node-local-dns').skipTeardown,
    ]).toEqual([true, 'nodelocaldns', 24, false]);
  });

  it('shares the lock of xtables with the node', () => {
    expect(podOf(manifests('node-local-dns')).volumes).toContainEqual({
      name: 'xtables-lock',
      hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' },
    });
  });
});

describe('node-local-dns-lrp.yaml', () => {
  const all = manifests('node-local-dns-lrp');

  it('changes nothing on the node', () => {
    const flags = nodeCacheFlags('node-local-dns-lrp');
    expect([podOf(all).hostNetwork, networkPlan(flags), flags.skipTeardown]).toEqual([
      undefined,
      { link: undefined, rules: [] },
      true,
    ]);
  });

  it('is led to by the policy: same namespace, service, labels, and ports by name', () => {
    const { metadata, spec } = only(all, 'CiliumLocalRedirectPolicy');
    const kubeDns = only(manifests('cluster-dns'), 'Service', 'kube-dns');
    expect(spec!.redirectFrontend!.serviceMatcher).toEqual({
      serviceName: kubeDns.metadata.name,
      namespace: metadata.namespace,
    });
    expect(labelsOf(all)).toMatchObject(spec!.redirectBackend!.localEndpointSelector.matchLabels);
    for (const { port, name, protocol } of spec!.redirectBackend!.toPorts) {
      expect(podOf(all).containers[0].ports).toContainEqual({ name, containerPort: Number(port), protocol });
      expect(kubeDns.spec!.ports).toContainEqual({ name, port: Number(port), protocol });
    }
  });
});

describe('Dockerfile', () => {
  const text = read('deploy/Dockerfile');
  const { bin, engines, files } = JSON.parse(read('package.json')) as {
    bin: { nodens: string };
    engines: { node: string };
    files: string[];
  };

  it('sees what the package is built from, and nothing else', () => {
    const [comment, all, ...allowed] = read('.dockerignore').trim().split('\n');
    expect([comment?.startsWith('#'), all]).toEqual([true, '*']);
    const seen = allowed.map((line) => line.replace(/^!/, ''));
    expect(seen.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
    // What compiling makes is made in the image.
    const packed = files.map((name) => name.split('/')[0]!).filter((name) => !/^!?dist$/.test(name));
    expect(seen.sort()).toEqual(
      [
        ...new Set([
          ...packed,
          ...['LICENSE', 'src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
        ]),
      ].sort(),
    );
  });

  it('has the pages that commands name, as the package has', () => {
    const [, named = ''] = /^function program\(.*\n.*\n {2}for \(const name of \[(.*)\]\)$/m.exec(
      read('scripts/image.mjs'),
    )!;
    expect([named.split(', ').includes("'docs'"), files.includes('docs'), files.includes('!dist/docs')]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('ends with the program that the package has', () => {
    expect(text.trimEnd().endsWith(`ENTRYPOINT ["/nodens/${bin.nodens}"]`)).toBe(true);
  });

  it('brings the tools that the node cache runs', () => {
    const [image = ''] = /^FROM \S+ AS system\n(?:.+\n)+/m.exec(text)!;
    expect(/apt-get install -y --no-install-recommends (.*)/.exec(image)![1]!.split(' ')).toEqual(
      expect.arrayContaining(['iproute2', 'iptables', 'nftables']),
    );
  });

  it('is for every platform that its base images are for: it names none', () => {
    expect(text.replace(/^#.*$/gm, '')).not.toMatch(/amd64|arm64|x86|aarch64|--platform/);
    expect(read('scripts/image.mjs')).not.toMatch(/amd64|arm64|x86|x64|aarch64/);
  });

  it('has the Node that the package asks for', () => {
    expect(engines.node.startsWith(`>=${/^ARG BUILD_IMAGE=node:(\d+)-/m.exec(text)![1]}.`)).toBe(true);
  });

  it('is tagged with this version in what says how to build it', () => {
    for (const file of ['deploy/Dockerfile', 'deploy/README.md'])
      expect(new Set(read(file).match(/nodens:\d+\.\d+\.\d+/g))).toEqual(new Set([`nodens:${VERSION}`]));
  });
});

describe('README.md', () => {
  it('names each file beside it', () => {
    for (const name of [...FILES.map((file) => `${file}.yaml`), 'Dockerfile', 'compose/'])
      expect(read('deploy/README.md')).toContain(`| \`${name}\` |`);
  });

  it('fills in all variables that a file leaves open', () => {
    const commands = [...read('deploy/README.md').matchAll(/^\$ sed '(.*)' (deploy\/\S+) \|/gm)];
    expect(commands.map(([, , file]) => file)).toEqual(['deploy/cluster-dns.yaml', 'deploy/node-local-dns.yaml']);
    for (const [, script = '', file = ''] of commands) {
      const open = new Set(read(file).match(/__PILLAR__\w+?__(?:DNS|SERVER|DOMAIN|SERVERS|NETWORK)__(?!\w)/g));
      const filled = new Set(script.match(/__PILLAR__\w+__/g));
      expect([...open].filter((variable) => !filled.has(variable)).sort()).toEqual(
        file.includes('node-local') ? ['__PILLAR__CLUSTER__DNS__', '__PILLAR__UPSTREAM__SERVERS__'] : [],
      );
    }
  });
});
