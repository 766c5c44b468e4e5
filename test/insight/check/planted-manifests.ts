/** A fault put into manifests, and how `check` is to name it: `FILE:LINE RULE`. */
export interface PlantedManifests {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly want: readonly string[];
}

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: node-local-dns, namespace: kube-system}
data:
  Corefile: |
    cluster.local:53 {
        errors
        cache 30
        reload
        loop
        bind 169.254.20.10
        forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
        }
        health
    }
    .:53 {
        errors
        cache 30
        reload
        loop
        bind 169.254.20.10
        forward . /etc/resolv.conf
    }
`;

const DAEMONSET = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  template:
    metadata:
      labels: {k8s-app: node-local-dns}
    spec:
      hostNetwork: true
      dnsPolicy: Default
      containers:
        - name: node-cache
          args: [-localip=169.254.20.10, -upstreamsvc=kube-dns-upstream]
          ports:
            - {name: dns, containerPort: 53, protocol: UDP}
            - {name: dns-tcp, containerPort: 53, protocol: TCP}
          livenessProbe:
            httpGet: {path: /health, port: 8080}
      volumes:
        - name: config
          configMap: {name: node-local-dns}
`;

/** The same behind a redirect. */
const REDIRECTED = DAEMONSET.replace('      hostNetwork: true\n', '').replace(
  '-localip=169.254.20.10,',
  '-localip=169.254.20.10, -setupinterface=false, -setupiptables=false,',
);

const POLICY = `apiVersion: cilium.io/v2
kind: CiliumLocalRedirectPolicy
metadata: {name: nodelocaldns, namespace: kube-system}
spec:
  redirectFrontend:
    serviceMatcher:
      serviceName: kube-dns
      namespace: kube-system
  redirectBackend:
    localEndpointSelector:
      matchLabels: {k8s-app: node-local-dns}
    toPorts:
      - {port: '53', name: dns, protocol: UDP}
      - {port: '53', name: dns-tcp, protocol: TCP}
`;

/** A policy that leads the other protocol alone. */
export const redirectWithout = (protocol: string): string =>
  POLICY.replace(new RegExp(`.*protocol: ${protocol}}\\n`), '');

const BY_ADDRESS = POLICY.replace(
  /serviceMatcher:[^]*?redirectBackend/,
  `addressMatcher:
      ip: 10.96.0.10
      toPorts:
        - {port: '53', name: dns, protocol: UDP}
        - {port: '53', name: dns-tcp, protocol: TCP}
  redirectBackend`,
);

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports:
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53, protocol: TCP}
`;

const KUBELET = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDNS:
  - 10.96.0.10
clusterDomain: cluster.local
`;

const SERVER = `apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        errors
        health {
            lameduck 5s
        }
        ready
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            fallthrough in-addr.arpa ip6.arpa
        }
        forward . /etc/resolv.conf
        cache 30
        loop
        reload
    }
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  replicas: 2
  template:
    metadata:
      labels: {k8s-app: kube-dns}
    spec:
      dnsPolicy: Default
      containers:
        - name: coredns
          ports:
            - {name: dns, containerPort: 53, protocol: UDP}
            - {name: dns-tcp, containerPort: 53, protocol: TCP}
          livenessProbe:
            httpGet: {path: /health, port: 8080}
          readinessProbe:
            httpGet: {path: /ready, port: 8181}
      volumes:
        - name: config
          configMap: {name: coredns}
`;

const UPSTREAM = SERVICE.replace('name: kube-dns,', 'name: kube-dns-upstream,').replace('10.96.0.10', '10.96.0.11');

export const PLANTED_MANIFESTS: readonly PlantedManifests[] = [
  {
    name: 'nothing, for a cache on the host',
    files: { 'a.yaml': CONFIG, 'b.yaml': DAEMONSET, 'c.yaml': SERVER },
    want: [],
  },
  {
    name: 'nothing, for a cache behind a redirect',
    files: {
      'a.yaml': CONFIG,
      'b.yaml': REDIRECTED,
      'c.yaml': POLICY,
      'd.yaml': SERVICE,
      'e.yaml': KUBELET,
      'f.yaml': SERVER,
      'g.yaml': UPSTREAM,
    },
    want: [],
  },
  { name: 'no YAML', files: { 'a.yaml': 'kind: ConfigMap\ndata: {a: [}\n' }, want: ['a.yaml:2 manifest'] },
  {
    name: 'a fault in a Corefile within',
    files: { 'a.yaml': CONFIG.replace('        loop\n', '        lop\n') },
    want: ['a.yaml:10 corefile'],
  },
  {
    name: 'a fault in a Corefile that is quoted, as kubectl prints one with spaces at the end of a line',
    files: {
      'a.yaml': 'kind: ConfigMap\nmetadata: {name: a}\ndata:\n  Corefile: ".:53 {\\n  errors \\n  lop\\n}\\n"\n',
    },
    want: ['a.yaml:4 corefile'],
  },
  {
    name: 'a fault in a Corefile in JSON',
    files: {
      'a.json': JSON.stringify(
        { kind: 'ConfigMap', metadata: { name: 'a' }, data: { Corefile: '.:53 {\n  erratic\n}\n' } },
        undefined,
        2,
      ),
    },
    want: ['a.json:7 erratic-answers'],
  },
  {
    name: 'a fault in what is imported from beside it',
    files: {
      'a.yaml': CONFIG.replace('        loop\n', '        loop\n        import custom/*.override\n').replace(
        'name: node-local-dns,',
        'name: coredns,',
      ),
      'b.yaml':
        'kind: ConfigMap\nmetadata: {name: coredns-custom, namespace: kube-system}\ndata:\n  x.override: |\n    debug\n',
    },
    want: ['b.yaml:5 debug-on'],
  },
  {
    name: 'a policy that is refused',
    files: { 'c.yaml': POLICY.replace("port: '53', name: dns,", "port: '530000', name: dns,") },
    want: ['c.yaml:13 redirect-refused'],
  },
  {
    name: 'a label that no pod has',
    files: { 'b.yaml': REDIRECTED, 'c.yaml': POLICY.replace('{k8s-app: node-local-dns}', '{k8s-app: nodelocaldns}') },
    want: ['c.yaml:11 redirect-selects-nothing'],
  },
  {
    name: 'pods in another namespace',
    files: { 'b.yaml': REDIRECTED.replace('namespace: kube-system', 'namespace: dns'), 'c.yaml': POLICY },
    want: ['c.yaml:11 redirect-selects-nothing'],
  },
  {
    name: 'a redirect to pods of the host network, with rules of their own',
    files: { 'b.yaml': DAEMONSET, 'c.yaml': POLICY },
    want: ['b.yaml:9 redirect-to-host', 'b.yaml:13 redirect-and-rules'],
  },
  {
    name: 'a port that the pod does not declare by that name',
    files: { 'b.yaml': REDIRECTED.replace('name: dns-tcp', 'name: tcp'), 'c.yaml': POLICY },
    want: ['c.yaml:14 redirect-port-undeclared'],
  },
  {
    name: 'a port that the pod declares for UDP alone',
    files: { 'b.yaml': REDIRECTED.replace(/ *- {name: dns-tcp.*\n/, ''), 'c.yaml': POLICY },
    want: ['c.yaml:14 redirect-port-undeclared'],
  },
  {
    name: 'a port that the pod declares with another number',
    files: {
      'b.yaml': REDIRECTED.replace('name: dns-tcp, containerPort: 53', 'name: dns-tcp, containerPort: 5353'),
      'c.yaml': POLICY,
    },
    want: ['c.yaml:14 redirect-port-undeclared'],
  },
  {
    name: 'nothing, for a redirect to pods that are no node cache',
    files: { 'b.yaml': REDIRECTED.replace(/args: .*/, 'args: [-conf, /etc/Corefile]'), 'c.yaml': POLICY },
    want: [],
  },
  {
    name: 'flags that are refused, behind a redirect',
    files: { 'b.yaml': REDIRECTED.replace('-localip=169.254.20.10', '-localip=169.254.20'), 'c.yaml': POLICY },
    want: ['b.yaml:12 node-cache-flags'],
  },
  {
    name: 'a port that the service names otherwise',
    files: { 'c.yaml': POLICY, 'd.yaml': SERVICE.replace('name: dns-tcp', 'name: tcp') },
    want: ['c.yaml:13 redirect-port-names'],
  },
  {
    name: 'a redirect of UDP alone',
    files: { 'c.yaml': POLICY.replace("      - {port: '53', name: dns-tcp, protocol: TCP}\n", '') },
    want: ['c.yaml:13 redirect-one-protocol'],
  },
  {
    name: 'a redirect of UDP alone, to a port of any name',
    files: {
      'b.yaml': REDIRECTED.replace('name: dns,', 'name: other,'),
      'c.yaml': POLICY.replace("      - {port: '53', name: dns-tcp, protocol: TCP}\n", ''),
    },
    want: ['c.yaml:13 redirect-one-protocol'],
  },
  {
    name: 'a cache behind a redirect that makes rules, and no link',
    files: { 'b.yaml': REDIRECTED.replace(' -setupiptables=false,', ''), 'c.yaml': POLICY },
    want: ['b.yaml:12 redirect-and-rules'],
  },
  {
    name: 'a cache behind a redirect that makes a link, and no rules',
    files: { 'b.yaml': REDIRECTED.replace(' -setupinterface=false,', ''), 'c.yaml': POLICY },
    want: ['b.yaml:12 redirect-and-rules'],
  },
  {
    name: 'nothing, for the nameserver that a policy redirects by its address',
    files: { 'c.yaml': BY_ADDRESS, 'e.yaml': KUBELET },
    want: [],
  },
  {
    name: 'a nameserver that the policy does not redirect by its address',
    files: { 'c.yaml': BY_ADDRESS, 'e.yaml': KUBELET.replace('10.96.0.10', '10.96.0.99') },
    want: ['e.yaml:4 cluster-dns-not-redirected'],
  },
  {
    name: 'what a comment silences, in a manifest and in what a ConfigMap holds',
    files: {
      'c.yaml': `# check: off-in-file redirect-one-protocol\n${POLICY.replace("      - {port: '53', name: dns-tcp, protocol: TCP}\n", '')}`,
      'e.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubelet-config}\ndata:\n  kubelet: |\n${KUBELET.replace('- 10.96.0.10', '- 10.96.0.1\n  - 10.96.0.2\n  - 10.96.0.3\n  # check: off cluster-dns-too-many\n  - 10.96.0.4').replace(/^/gm, '    ').trimEnd()}\n`,
    },
    want: [],
  },
  {
    name: 'nothing, for three nameservers',
    files: { 'e.yaml': KUBELET.replace('- 10.96.0.10\n', '- 10.96.0.1\n  - 10.96.0.2\n  - 10.96.0.3\n') },
    want: [],
  },
  {
    name: 'nothing, for a domain and a server that has none of the cluster',
    files: { 'e.yaml': KUBELET, 'f.yaml': SERVER.replace(/ {8}kubernetes[^}]*}\n/, '') },
    want: [],
  },
  {
    name: 'a redirect of a headless service',
    files: { 'c.yaml': POLICY, 'd.yaml': SERVICE.replace('10.96.0.10', 'None') },
    want: ['c.yaml:7 redirect-of-headless'],
  },
  {
    name: 'a nameserver that is no address',
    files: { 'e.yaml': KUBELET.replace('10.96.0.10', 'kube-dns') },
    want: ['e.yaml:4 cluster-dns-invalid'],
  },
  {
    name: 'four nameservers',
    files: {
      'e.yaml': KUBELET.replace('- 10.96.0.10\n', '- 10.96.0.1\n  - 10.96.0.2\n  - 10.96.0.3\n  - 10.96.0.4\n'),
    },
    want: ['e.yaml:7 cluster-dns-too-many'],
  },
  {
    name: 'a nameserver that the policy does not redirect',
    files: { 'c.yaml': POLICY, 'd.yaml': SERVICE, 'e.yaml': KUBELET.replace('10.96.0.10', '10.96.0.99') },
    want: ['e.yaml:4 cluster-dns-not-redirected'],
  },
  {
    name: 'a nameserver that the node cache does not hold',
    files: { 'b.yaml': DAEMONSET, 'e.yaml': KUBELET },
    want: ['e.yaml:4 cluster-dns-not-redirected'],
  },
  {
    name: 'a domain that nobody serves, in the ConfigMap of kubeadm',
    files: {
      'e.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubelet-config}\ndata:\n  kubelet: |\n${KUBELET.replace('cluster.local', 'corp.local').replace(/^/gm, '    ').trimEnd()}\n`,
      'f.yaml': SERVER,
    },
    want: ['e.yaml:10 cluster-domain-unserved'],
  },
  {
    name: 'ndots of 8',
    files: {
      'f.yaml': SERVER.replace(
        '      dnsPolicy: Default\n',
        '      dnsPolicy: Default\n      dnsConfig:\n        options:\n          - {name: ndots, value: "8"}\n',
      ),
    },
    want: ['f.yaml:33 ndots-high'],
  },
  {
    name: 'ndots of 5, and another option of 8',
    files: {
      'f.yaml': SERVER.replace(
        '      dnsPolicy: Default\n',
        '      dnsPolicy: Default\n      dnsConfig:\n        options:\n          - {name: ndots, value: "5"}\n          - {name: timeout, value: "8"}\n',
      ),
    },
    want: [],
  },
  {
    name: 'flags that are refused, in a line of their own',
    files: { 'b.yaml': DAEMONSET.replace('args: [-localip=169.254.20.10', 'args: [\n            -localip=169.254.20') },
    want: ['b.yaml:14 node-cache-flags'],
  },
  {
    name: 'flags that are refused',
    files: { 'b.yaml': DAEMONSET.replace('-localip=169.254.20.10', '-localip=169.254.20') },
    want: ['b.yaml:13 node-cache-flags'],
  },
  {
    name: 'a server that asks itself by its resolv.conf',
    files: { 'f.yaml': SERVER.replace('      dnsPolicy: Default\n', '') },
    want: ['f.yaml:30 dns-policy-loop'],
  },
  {
    name: 'a probe for what is not served',
    files: { 'f.yaml': SERVER.replace('        ready\n', '') },
    want: ['f.yaml:38 probe-unserved'],
  },
  {
    name: 'a probe at another port',
    files: { 'f.yaml': SERVER.replace('port: 8181', 'port: 8080') },
    want: ['f.yaml:39 probe-unserved'],
  },
  {
    name: 'a probe of what only the pod itself reaches',
    files: { 'f.yaml': SERVER.replace('        health {', '        health 127.0.0.1:8080 {') },
    want: ['f.yaml:37 probe-unserved'],
  },
  {
    name: 'an address that the node cache does not hold',
    files: { 'a.yaml': CONFIG.replace('bind 169.254.20.10', 'bind 169.254.20.11'), 'b.yaml': DAEMONSET },
    want: ['a.yaml:11 local-ip-not-held'],
  },
  {
    name: 'a lame duck longer than the grace of its pod',
    files: { 'f.yaml': SERVER.replace('      dnsPolicy', '      terminationGracePeriodSeconds: 5\n      dnsPolicy') },
    want: ['f.yaml:9 lameduck-too-long'],
  },
  {
    name: 'nothing, for a lame duck shorter than the grace of its pod',
    files: { 'f.yaml': SERVER.replace('      dnsPolicy', '      terminationGracePeriodSeconds: 6\n      dnsPolicy') },
    want: [],
  },
  {
    name: 'a service without TCP',
    files: { 'd.yaml': SERVICE.replace('    - {name: dns-tcp, port: 53, protocol: TCP}\n', '') },
    want: ['d.yaml:8 service-one-protocol'],
  },
  {
    name: 'a port that no container names',
    files: {
      'd.yaml': SERVICE.replace('port: 53, protocol: UDP', 'port: 53, targetPort: domain, protocol: UDP'),
      'f.yaml': SERVER,
    },
    want: ['d.yaml:8 service-port-unmatched'],
  },
  {
    name: 'nothing, for a port of a service whose backends are not of its choice',
    files: {
      'd.yaml': SERVICE.replace('port: 53, protocol: UDP', 'port: 53, targetPort: domain, protocol: UDP').replace(
        / *selector.*\n/,
        '',
      ),
      'f.yaml': SERVER,
    },
    want: [],
  },
  {
    name: 'force_tcp to a service with one backend',
    files: {
      'a.yaml': CONFIG,
      'b.yaml': DAEMONSET,
      'f.yaml': SERVER.replace('replicas: 2', 'replicas: 1'),
      'g.yaml': UPSTREAM,
    },
    want: ['a.yaml:13 force-tcp-unstable'],
  },
  {
    name: 'force_tcp to a service with as many backends as nobody says',
    files: {
      'a.yaml': CONFIG,
      'b.yaml': DAEMONSET,
      'f.yaml': SERVER.replace('  replicas: 2\n', ''),
      'g.yaml': UPSTREAM,
    },
    want: ['a.yaml:13 force-tcp-unstable'],
  },
  {
    name: 'force_tcp to a service without TCP',
    files: {
      'a.yaml': CONFIG,
      'b.yaml': DAEMONSET,
      'g.yaml': UPSTREAM.replace('    - {name: dns-tcp, port: 53, protocol: TCP}\n', ''),
    },
    want: ['a.yaml:13 force-tcp-unstable', 'g.yaml:8 service-one-protocol'],
  },
  {
    name: 'a server that forwards to its own service',
    files: { 'd.yaml': SERVICE, 'f.yaml': SERVER.replace('/etc/resolv.conf', '10.96.0.10') },
    want: ['f.yaml:15 service-loop'],
  },
  {
    name: 'a variable that was forgotten',
    files: { 'a.yaml': CONFIG.replace('cluster.local:53', '__PILLAR__DNS__DOMAIN__:53') },
    want: ['a.yaml:6 pillar-left'],
  },
];

/** What the findings of a rule say, beside its name. */
export const TOLD: readonly {
  rule: string;
  name: string;
  files: Readonly<Record<string, string>>;
  want: readonly string[];
}[] = [
  {
    rule: 'health-checks-off',
    name: 'two upstreams',
    files: { Corefile: '.:53 {\n forward . 10.0.0.53 10.0.0.54 {\n max_fails 0\n }\n}\n' },
    want: ['2 upstreams, and none is ever taken for down'],
  },
  {
    rule: 'health-checks-off',
    name: 'a single upstream, which is asked in any case',
    files: { Corefile: '.:53 {\n forward . 10.0.0.53 {\n max_fails 0\n }\n}\n' },
    want: [],
  },
  {
    rule: 'bufsize-fragments',
    name: 'a size of two packets',
    files: { Corefile: '.:53 {\n bufsize 4096\n forward . 10.0.0.53\n}\n' },
    want: ['4096 bytes in one datagram'],
  },
  {
    rule: 'block-without-answers',
    name: 'a block of two zones',
    files: { Corefile: 'example.org:53 example.net:53 {\n errors\n}\n' },
    want: ["nothing in the block of 'example.org:53' answers"],
  },
  {
    rule: 'plugin-never-asked',
    name: 'a template for all types of a class that nobody asks for',
    files: { Corefile: '.:53 {\n template CH ANY {\n rcode REFUSED\n }\n forward . 10.0.0.53\n}\n' },
    want: [],
  },
  {
    rule: 'autopath-without-pods',
    name: 'no kubernetes',
    files: { Corefile: '.:53 {\n autopath @kubernetes\n forward . 10.0.0.53\n}\n' },
    want: ['there is no kubernetes in the block'],
  },
  {
    rule: 'autopath-without-pods',
    name: 'pods as they are where nothing is said',
    files: { Corefile: '.:53 {\n autopath @kubernetes\n kubernetes cluster.local\n}\n' },
    want: ['pods is disabled'],
  },
  {
    rule: 'cluster-dns-too-many',
    name: 'what kubeadm keeps for the kubelet',
    files: {
      'e.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubelet-config}\ndata:\n  kubelet: |\n    kind: KubeletConfiguration\n    clusterDNS: [10.96.0.10, 10.96.0.11, 10.96.0.12, 10.96.0.13]\n`,
    },
    want: ['4 addresses in clusterDNS'],
  },
  {
    rule: 'cluster-dns-too-many',
    name: 'another object with such a text',
    files: {
      'e.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: kubelet-config}\ndata:\n  kubelet: |\n    kind: KubeletConfiguration\n    clusterDNS: [10.96.0.10, 10.96.0.11, 10.96.0.12, 10.96.0.13]\n`,
    },
    want: [],
  },
  {
    rule: 'ndots-high',
    name: 'two searches of its own',
    files: {
      'f.yaml': SERVER.replace(
        '      dnsPolicy: Default\n',
        '      dnsPolicy: Default\n      dnsConfig:\n        searches: [a.example, b.example]\n        options: [{name: ndots, value: "6"}]\n',
      ),
    },
    want: ['ndots 6: a name outside the cluster costs 12 queries in place of 2'],
  },
  {
    rule: 'ndots-cost',
    name: 'a domain of the cluster',
    files: { 'e.yaml': KUBELET, 'f.yaml': SERVER },
    want: ['a name outside the cluster costs 8 queries in place of 2'],
  },
  {
    rule: 'ndots-cost',
    name: 'a server with autopath',
    files: { 'e.yaml': KUBELET, 'f.yaml': SERVER.replace('        loop\n', '        autopath @kubernetes\n') },
    want: [],
  },
  {
    rule: 'ndots-cost',
    name: 'no domain',
    files: { 'e.yaml': KUBELET.replace(/clusterDomain.*\n/, ''), 'f.yaml': SERVER },
    want: [],
  },
  {
    rule: 'node-cache-unbound',
    name: 'a block without bind',
    files: { Corefile: '.:53 {\n forward . __PILLAR__UPSTREAM__SERVERS__\n}\n' },
    want: ["'.:53' has no bind"],
  },
  {
    rule: 'unknown-rule',
    name: 'a name that is nearly right',
    files: { Corefile: '# check: off no-lop\n.:53 {\n whoami\n}\n' },
    want: ["there is no rule 'no-lop'; is 'no-loop' meant?"],
  },
  {
    rule: 'unknown-rule',
    name: 'a name that is like no other',
    files: { Corefile: '# check: off everything-there-is\n.:53 {\n whoami\n}\n' },
    want: ["there is no rule 'everything-there-is'"],
  },
  {
    rule: 'cluster-dns-too-many',
    name: 'five',
    files: {
      'e.yaml': KUBELET.replace('- 10.96.0.10', '- 10.96.0.1\n  - 10.96.0.2\n  - 10.96.0.3\n  - 10.96.0.4\n  - ::5'),
    },
    want: ['5 addresses in clusterDNS'],
  },
  {
    rule: 'lameduck-too-long',
    name: 'as long as the grace',
    files: { 'f.yaml': SERVER.replace('      dnsPolicy', '      terminationGracePeriodSeconds: 5\n      dnsPolicy') },
    want: ['lameduck 5s, and the pod has 5s to end'],
  },
];

/** Hints, which tell what works and could be better. */
export const HINTED_MANIFESTS: readonly PlantedManifests[] = [
  { name: 'two replicas', files: { 'f.yaml': SERVER }, want: [] },
  {
    name: 'one replica',
    files: { 'f.yaml': SERVER.replace('replicas: 2', 'replicas: 1') },
    want: ['f.yaml:25 single-replica'],
  },
  {
    name: 'no number of replicas',
    files: { 'f.yaml': SERVER.replace('  replicas: 2\n', '') },
    want: ['f.yaml:25 single-replica'],
  },
  {
    name: 'one of each node',
    files: { 'f.yaml': SERVER.replace('kind: Deployment', 'kind: DaemonSet').replace('replicas: 2', 'replicas: 1') },
    want: [],
  },
  {
    name: 'no probe of readiness',
    files: { 'f.yaml': SERVER.replace(/ {10}readinessProbe:\n.*\n/, '') },
    want: ['f.yaml:32 readiness-missing'],
  },
];
