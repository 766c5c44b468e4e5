import { stringify } from 'yaml';

/** What tells the manifests of the addon and of Cilium's page apart. */
export interface AddonOptions {
  readonly image: string;
  readonly domain: string;
  readonly localIp: string;
  /** Addresses that the Corefile binds. */
  readonly bind: string;
  /** Where the Corefile serves health. */
  readonly health: string;
  /** What follows the other arguments. */
  readonly more: readonly string[];
  readonly hostNetwork: boolean;
}

/** The manifest of the addon (kubernetes/kubernetes, of 2026), put together from its fields. */
export const ADDON: AddonOptions = {
  image: 'registry.k8s.io/dns/k8s-dns-node-cache:1.26.4',
  domain: '__PILLAR__DNS__DOMAIN__',
  localIp: '__PILLAR__LOCAL__DNS__',
  bind: '__PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__',
  health: 'health __PILLAR__LOCAL__DNS__:8080',
  more: ['-pidfile', '/tmp/node-cache.pid'],
  hostNetwork: true,
};

/** That of Cilium's page on local redirect policies (cilium/cilium, examples/kubernetes-local-redirect). */
export const CILIUM: AddonOptions = {
  image: 'registry.k8s.io/dns/k8s-dns-node-cache:1.15.16',
  domain: 'cluster.local',
  localIp: '169.254.20.10',
  bind: '0.0.0.0',
  health: 'health',
  more: ['-skipteardown=true', '-setupinterface=false', '-setupiptables=false'],
  hostNetwork: false,
};

const METRICS_PORT = 9253;
const DNS_PORTS = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
];
const toCluster = ['forward . __PILLAR__CLUSTER__DNS__ {', '    force_tcp', '}'];

function corefile({ domain, bind, health }: AddonOptions): string {
  const block = (zone: string, cache: readonly string[], forward: readonly string[], last: readonly string[]): string =>
    [
      `${zone}:53 {`,
      ...['errors', ...cache, 'reload', 'loop', `bind ${bind}`, ...forward, 'prometheus :9253', ...last],
      '}',
      '',
    ].join('\n');
  return [
    block(domain, ['cache {', 'success 9984 30', 'denial 9984 5', '}'], toCluster, [health]),
    block('in-addr.arpa', ['cache 30'], toCluster, []),
    block('ip6.arpa', ['cache 30'], toCluster, []),
    block('.', ['cache 30'], ['forward . __PILLAR__UPSTREAM__SERVERS__'], []),
  ].join('');
}

const named = (kind: string, name: string, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'kube-system', labels: { 'k8s-app': name } },
});

function podSpec(options: AddonOptions): object {
  const { image, localIp, more, hostNetwork } = options;
  const ports = [
    ...DNS_PORTS.map(({ name, port, protocol }) => ({ containerPort: port, name, protocol })),
    { containerPort: METRICS_PORT, name: 'metrics', protocol: 'TCP' },
  ];
  const volumes = [
    { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
    { name: 'kube-dns-config', configMap: { name: 'kube-dns', optional: true } },
    {
      name: 'config-volume',
      configMap: { name: 'node-local-dns', items: [{ key: 'Corefile', path: 'Corefile.base' }] },
    },
  ];
  const mounts = ['/run/xtables.lock', '/etc/kube-dns', '/etc/coredns'];
  return {
    ...(hostNetwork && { hostNetwork }),
    dnsPolicy: 'Default',
    priorityClassName: 'system-node-critical',
    tolerations: [
      { key: 'CriticalAddonsOnly', operator: 'Exists' },
      ...['NoExecute', 'NoSchedule'].map((effect) => ({ effect, operator: 'Exists' })),
    ],
    serviceAccountName: 'node-local-dns',
    containers: [
      {
        name: 'node-cache',
        image,
        resources: { requests: { cpu: '25m', memory: '5Mi' } },
        ports,
        args: [
          ...['-localip', `${localIp},__PILLAR__DNS__SERVER__`, '-conf', '/etc/Corefile'],
          ...['-upstreamsvc', 'kube-dns-upstream', ...more],
        ],
        securityContext: hostNetwork ? { capabilities: { add: ['NET_ADMIN'] } } : { privileged: true },
        livenessProbe: {
          httpGet: { ...(hostNetwork && { host: localIp }), path: '/health', port: 8080 },
          initialDelaySeconds: 60,
          timeoutSeconds: 5,
        },
        volumeMounts: volumes.map(({ name }, i) => ({ name, mountPath: mounts[i] })),
      },
    ],
    volumes,
  };
}

/** The text of a manifest. */
export function addonManifest(options: AddonOptions): string {
  const labels = { 'k8s-app': 'node-local-dns' };
  const annotations = { 'prometheus.io/port': `${METRICS_PORT}`, 'prometheus.io/scrape': 'true' };
  const ports = DNS_PORTS.map((port) => ({ ...port, targetPort: 53 }));
  const metrics = {
    ...named('Service', 'node-local-dns'),
    spec: { clusterIP: 'None', ports: [{ name: 'metrics', port: METRICS_PORT }], selector: labels },
  };
  return [
    named('ServiceAccount', 'node-local-dns'),
    { ...named('Service', 'kube-dns-upstream'), spec: { ports, selector: { 'k8s-app': 'kube-dns' } } },
    { ...named('ConfigMap', 'node-local-dns'), data: { Corefile: corefile(options) } },
    {
      ...named('DaemonSet', 'node-local-dns', 'apps/v1'),
      spec: {
        updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } },
        selector: { matchLabels: labels },
        template: { metadata: { labels, annotations }, spec: podSpec(options) },
      },
    },
    // That of Cilium has none.
    ...(options.hostNetwork ? [metrics] : []),
  ]
    .map((object) => stringify(object))
    .join('---\n');
}

/** The policy of Cilium's page. */
export const redirectPolicy = (): string =>
  stringify({
    ...named('CiliumLocalRedirectPolicy', 'nodelocaldns', 'cilium.io/v2'),
    spec: {
      redirectFrontend: { serviceMatcher: { serviceName: 'kube-dns', namespace: 'kube-system' } },
      redirectBackend: {
        localEndpointSelector: { matchLabels: { 'k8s-app': 'node-local-dns' } },
        toPorts: DNS_PORTS.map(({ port, ...rest }) => ({ port: `${port}`, ...rest })),
      },
    },
  });
