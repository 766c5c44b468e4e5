import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../src/lab/topology/load.js';
import type { Topology } from '../../src/lab/topology/topology.js';
import { fields, maskNumbers, maskPorts, recorded } from '../transcripts/transcript.js';
import { drivenLab, topologyWith } from './lab.js';

/** What is typed for one recording, and how its output and the recording are made comparable. */
interface Row {
  /** File in test/transcripts/data, without its ending. */
  readonly name: string;
  readonly topology: () => Topology;
  /** Typed first: how the cluster comes to the state of the recording. */
  readonly before: readonly string[];
  /** Typed for the recording itself; what these print is compared. */
  readonly typed: readonly string[];
  readonly form: (lines: readonly string[]) => readonly string[];
  /** The part of the recording that these commands print; all of it when left out. */
  readonly part?: (lines: readonly string[]) => readonly string[];
  /** The part of the output that the recording shows. */
  readonly shown?: (lines: readonly string[]) => readonly string[];
}

const twoNodes = (): Topology => loadTopology('two-nodes');
const hostScope = (): Topology => loadTopology('host-scope');
const sameNode = (): Topology => loadTopology('same-node');
const kind = (): Topology => loadTopology('kind');
const GOOGLE_THEN = [
  ['142.250.196.110 google.com', '142.251.222.14 google.com'],
  ['2404:6800:4004:825::200e google.com', '2404:6800:4005:813::200e google.com'],
] as const;

/** Times of captures, and those of flows. */
const noTime = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/^[A-Z][a-z]{2} [ \d]\d [\d:.]+: /, '').replace(/^[\d:.]+ /, ''));
const flows = (lines: readonly string[]): string[] => maskPorts(noTime(lines));
const packets = (lines: readonly string[]): string[] =>
  maskNumbers(maskPorts(noTime(fields(lines))), 'ID', /: (\d+)[+ *N-]/g);
/**
 * Sequence numbers at the start of a connection and clocks of the machines are drawn; relative numbers are compared.
 */
const segments = (lines: readonly string[]): string[] =>
  flows(lines).map((line) => line.replace(/TS val \d+ ecr \d+/, 'TS').replace(/(seq|ack) \d{6,}/g, '$1 N'));
const lookUp = (lines: readonly string[]): string[] =>
  fields(lines).map((line) => line.replace(/^serial = \d+/, 'serial = N'));
/** What ran in the recorded cluster before is in its counters of requests and misses. */
const counters = (lines: readonly string[]): string[] =>
  fields(lines).map((line) => line.replace(/^(coredns_cache_(?:misses|requests)_total.*) \d+$/, '$1 N'));
const exactly = (lines: readonly string[]): readonly string[] => lines;
const trimmed = (lines: readonly string[]): string[] => lines.map((line) => line.trimEnd());
const sorted = (lines: readonly string[]): string[] => [lines[0]!, ...lines.slice(1).sort()];
const monitor = (lines: readonly string[]): string[] =>
  maskNumbers(maskPorts(lines), 'FLOW', /flow (0x[\da-f]+)/).map((line) =>
    line.replace(/PORT\d/, 'PORT').replace(/FLOW\d/, 'FLOW'),
  );

const ONE_DNS = ['kubectl scale deployment -n kube-system coredns --replicas 1', 'sleep 30'];
/**
 * CoreDNS, asked one thing after another, has one socket to its upstream; the server here has several and draws one
 * for each query.
 */
const ONE_SOCKET = [
  'EDITOR="sed -i \'s/max_concurrent 1000/max_idle_conns 1/\'" kubectl edit cm coredns -n kube-system',
  'sleep 60',
  ...ONE_DNS,
];
const METRICS =
  'kubectl exec -it curl-pod -- curl -s kube-dns.kube-system.svc:9153/metrics | grep coredns_cache_ | grep -v ^#';
const AGENT = 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent --';
const RESTART_AGENTS = 'kubectl -n kube-system rollout restart ds/cilium';
const REDIRECT = ['kubectl apply -f ../manifests/node-local-dns-lrp.yaml', 'kubectl apply -f ../manifests/lrp.yaml'];
const IP_MASQ = [
  "helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values --set ipMasqAgent.enabled=true --set ipMasqAgent.config.nonMasqueradeCIDRs='{10.10.1.0/24,10.10.2.0/24}'",
  RESTART_AGENTS,
];

/** The way from Kubernetes' addresses to a pool of Cilium's own. */
const IPAM = [
  { name: 'ipam-1-kubernetes-host-scope', steps: [] },
  {
    name: 'ipam-2-mode-changed-nothing-moves',
    steps: [
      'kubectl apply -f ../manifests/webpod.yaml',
      'kubectl -n kube-system rollout restart deploy/hubble-relay deploy/hubble-ui',
      'kubectl -n kube-system rollout status deploy/hubble-relay',
      'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values --set ipam.mode="cluster-pool" --set ipam.operator.clusterPoolIPv4PodCIDRList={"172.20.0.0/16"} --set ipv4NativeRoutingCIDR=172.20.0.0/16',
      'kubectl -n kube-system rollout restart deploy/cilium-operator',
      RESTART_AGENTS,
    ],
  },
  { name: 'ipam-3-w1-ciliumnode-deleted', steps: ['kubectl delete ciliumnode k8s-w1', RESTART_AGENTS] },
  { name: 'ipam-4-ctr-ciliumnode-deleted', steps: ['kubectl delete ciliumnode k8s-ctr', RESTART_AGENTS, 'sleep 30'] },
  {
    name: 'ipam-5-pods-restarted',
    steps: [
      'kubectl -n kube-system rollout restart deploy/hubble-relay deploy/hubble-ui',
      'kubectl -n cilium-monitoring rollout restart deploy/prometheus deploy/grafana',
      'kubectl rollout restart deploy/webpod',
      'kubectl delete pod curl-pod',
      'kubectl apply -f ../manifests/webpod.yaml',
    ],
  },
];
const MOVED = IPAM.flatMap(({ steps }) => steps);

const capture = (device: string): readonly string[] => [
  `tcpdump -i ${device} &`,
  'kubectl exec client-pod -- curl -s 10.244.1.182 > page',
  'sleep 6',
  'fg',
];
const sameNodePart =
  (which: string) =>
  (lines: readonly string[]): string[] => {
    const from = lines.indexOf(`## lxc of the ${which}`) + 1;
    const to = lines.findIndex((line, i) => i > from && line.startsWith('## '));
    return lines.slice(from, to < 0 ? undefined : to);
  };
const masquerade =
  (part: number) =>
  (lines: readonly string[]): string[] =>
    lines.join('\n').split('\n\n')[part]!.split('\n');
/** The pod of this recording had another address. */
const masqueraded = (): Topology => topologyWith('two-nodes', [['ip: 172.20.1.236', 'ip: 172.20.1.205']]);
const HTTP = 'tcpdump -i eth1 tcp port 80 -nnq &';

/** The blocks probe for loops at the same time: which of these lines comes first is chance. */
function probesSorted(lines: readonly string[]): string[] {
  const probes = lines.filter((line) => line.includes('HINFO')).sort();
  return lines.map((line) => (line.includes('HINFO') ? probes.shift()! : line));
}

/**
 * The log of the node cache: client ports, ids, names of probes, durations and the digest of the Corefile are drawn
 * or measured.
 */
const cacheLog = (lines: readonly string[]): string[] =>
  probesSorted(
    maskPorts(lines).map((line) =>
      line
        .replace(/PORT\d+ - \d+ /, 'PORT - ID ')
        .replace(/:\d+ - \d+ /, ':PORT - ID ')
        .replace(
          /\d+\.\d+(\.cluster\.local)?\. udp (?:5\d|6\d|7\d)/,
          (_, zone: string | undefined) => `RANDOM${zone ?? ''}. udp N`,
        )
        .replace(/false 512" NXDOMAIN (qr,\S+) \d+ (?=[\d.]+s$)/, (text, flags: string) =>
          line.includes('HINFO') ? `false 512" NXDOMAIN ${flags} N ` : text,
        )
        .replace(/[\d.]+s$/, 'TIME')
        .replace(/(?:MD5|SHA512) = [\da-f]+$/, 'DIGEST'),
    ),
  );

/**
 * Times of listings, counters, and what only moved because kube-proxy walks its services in another order each time:
 * lines that went and came.
 */
function rules(lines: readonly string[]): string[] {
  const form = (line: string): string =>
    line.replace(/ on [A-Z][a-z]{2} [A-Z][a-z]{2} .*$/, ' on TIME').replace(/\[\d+:\d+\]/, '[N:N]');
  const [gone, come] = ['< ', '> '].map((sign) =>
    lines.filter((line) => line.startsWith(sign)).map((line) => form(line.slice(2))),
  );
  for (const line of gone!) {
    const at = come!.indexOf(line);
    if (at >= 0) come!.splice(at, 1);
  }
  return come!.sort();
}

const ROWS: readonly Row[] = [
  {
    name: 'resolv.conf',
    topology: twoNodes,
    before: [],
    typed: ['kubectl exec -it curl-pod -- cat /etc/resolv.conf'],
    form: exactly,
  },
  {
    name: 'nslookup-webpod',
    topology: twoNodes,
    before: ONE_DNS,
    typed: ['kubectl exec -it curl-pod -- nslookup webpod'],
    form: lookUp,
  },
  {
    name: 'nslookup-google',
    topology: twoNodes,
    before: ONE_DNS,
    typed: ['kubectl exec -it curl-pod -- nslookup google.com'],
    form: lookUp,
  },
  {
    name: 'nslookup-debug-webpod',
    topology: twoNodes,
    before: ONE_DNS,
    typed: ['kubectl exec -it curl-pod -- nslookup -debug webpod'],
    form: lookUp,
  },
  {
    name: 'nslookup-debug-google',
    topology: () => topologyWith('two-nodes', GOOGLE_THEN),
    before: ONE_DNS,
    typed: ['kubectl exec -it curl-pod -- nslookup -debug google.com'],
    form: lookUp,
  },
  {
    name: 'hubble-webpod',
    topology: twoNodes,
    before: ONE_DNS,
    form: flows,
    typed: [
      'hubble observe -f --port 53 &',
      'ssh k8s-ctr dig connectivity-check.ubuntu.com > answer',
      'kubectl exec curl-pod -- nslookup webpod > answer',
      'fg',
    ],
  },
  {
    name: 'hubble-google',
    topology: twoNodes,
    before: ONE_SOCKET,
    form: flows,
    typed: [
      'hubble observe -f --port 53 &',
      'ssh k8s-ctr dig connectivity-check.ubuntu.com > answer',
      'kubectl exec curl-pod -- nslookup google.com > answer',
      'fg',
    ],
  },
  {
    name: 'tcpdump-webpod',
    topology: twoNodes,
    before: ONE_DNS,
    form: packets,
    typed: ['tcpdump -i any udp port 53 -nn &', 'kubectl exec curl-pod -- nslookup webpod > answer', 'fg'],
  },
  {
    name: 'tcpdump-google',
    topology: twoNodes,
    before: ONE_SOCKET,
    form: packets,
    typed: ['tcpdump -i any udp port 53 -nn &', 'kubectl exec curl-pod -- nslookup google.com > answer', 'fg'],
  },
  { name: 'cache-metrics-before', topology: twoNodes, before: ONE_DNS.slice(0, 1), typed: [METRICS], form: counters },
  {
    name: 'cache-metrics-after-names-in-and-out',
    topology: twoNodes,
    before: [
      ...ONE_DNS.slice(0, 1),
      'kubectl exec curl-pod -- nslookup webpod',
      'kubectl exec curl-pod -- nslookup google.com',
    ],
    typed: [METRICS],
    form: counters,
  },
  {
    name: 'cache-metrics-after-repeat',
    topology: twoNodes,
    form: counters,
    typed: [METRICS],
    before: [
      ...ONE_DNS.slice(0, 1),
      'kubectl exec curl-pod -- nslookup webpod',
      'kubectl exec curl-pod -- nslookup google.com',
      'kubectl exec curl-pod -- nslookup google.com',
    ],
  },
  ...IPAM.map(({ name }, i): Row => ({
    name,
    topology: hostScope,
    before: IPAM.slice(0, i + 1).flatMap(({ steps }) => steps),
    typed: ['kubectl get ciliumendpoints -A'],
    form: fields,
  })),
  { name: 'routes-k8s-ctr', topology: hostScope, before: MOVED, typed: ['ip route'], form: exactly },
  { name: 'routes-k8s-w1', topology: hostScope, before: MOVED, typed: ['ssh k8s-w1 ip route'], form: exactly },
  { name: 'routes-router', topology: hostScope, before: MOVED, typed: ['ssh router ip route'], form: exactly },
  {
    // The recording ends inside the labels of the last pod; the endpoint of the node itself follows it.
    name: 'cilium-endpoint-list',
    topology: hostScope,
    before: ['kubectl apply -f ../manifests/webpod.yaml'],
    typed: [`${AGENT} cilium-dbg endpoint list`],
    form: fields,
    shown: (lines) => lines.slice(0, recorded('cilium-endpoint-list').length),
  },
  {
    name: 'cilium-bpf-endpoint-list',
    topology: sameNode,
    before: [],
    typed: [`${AGENT} cilium bpf endpoint list`],
    form: (lines) => sorted(fields(lines)),
  },
  {
    name: 'cilium-monitor',
    topology: sameNode,
    before: [],
    form: monitor,
    typed: [
      'cilium monitor --from 2543 &',
      'kubectl exec client-pod -- curl -s 10.244.1.182 > page',
      'fg',
      'cilium-dbg monitor --to 359 &',
      'kubectl exec client-pod -- curl -s 10.244.1.182 > page',
      'fg',
    ],
  },
  {
    name: 'tcpdump-same-node',
    topology: sameNode,
    before: [],
    typed: capture('lxc93b551d233cf'),
    form: segments,
    part: sameNodePart('client'),
  },
  // The server's kernel asks for its neighbour too, after the recording had ended.
  {
    name: 'tcpdump-same-node',
    topology: sameNode,
    before: [],
    typed: capture('lxc49626b6ed5ee'),
    form: segments,
    part: sameNodePart('server'),
    shown: (lines) => lines.filter((line) => !line.includes('ARP')),
  },
  // The same in a cluster of three nodes, whose web servers stand behind a service.
  {
    name: 'cilium-monitor',
    topology: kind,
    before: ['kubectl apply -f ../manifests/kind-webpod.yaml'],
    form: monitor,
    typed: [
      'ssh kind-worker cilium monitor --from 2543 &',
      'kubectl exec client-pod -- curl -s 10.244.1.182 > page',
      'fg',
      'ssh kind-worker cilium monitor --to 359 &',
      'kubectl exec client-pod -- curl -s 10.244.1.182 > page',
      'fg',
    ],
  },
  {
    name: 'tcpdump-same-node',
    topology: kind,
    before: ['kubectl apply -f ../manifests/kind-webpod.yaml'],
    typed: ['ssh kind-worker tcpdump -i lxc93b551d233cf &', ...capture('lxc93b551d233cf').slice(1)],
    form: segments,
    part: sameNodePart('client'),
  },
  // The recording began after the SYN had left.
  {
    name: 'tcpdump-masquerade',
    topology: masqueraded,
    before: [],
    typed: [HTTP, 'kubectl exec -it curl-pod -- curl -s 10.10.2.200 > page', 'fg'],
    form: flows,
    part: masquerade(0),
    shown: (lines) => lines.slice(1),
  },
  {
    name: 'tcpdump-masquerade',
    topology: masqueraded,
    before: IP_MASQ,
    typed: [HTTP, 'kubectl exec -it curl-pod -- curl -s --max-time 2 10.10.1.200 > page 2>&1', 'fg'],
    form: flows,
    part: masquerade(1),
  },
  {
    name: 'tcpdump-masquerade',
    topology: masqueraded,
    before: [
      ...IP_MASQ,
      'ssh router ip route add 172.20.1.0/24 via 192.168.10.100',
      'ssh router ip route add 172.20.0.0/24 via 192.168.10.101',
    ],
    typed: [HTTP, 'kubectl exec -it curl-pod -- curl -s 10.10.1.200 > page', 'fg'],
    form: flows,
    part: masquerade(2),
  },
  {
    name: 'ipmasq-list',
    topology: twoNodes,
    before: IP_MASQ,
    typed: ['kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg bpf ipmasq list'],
    form: exactly,
  },
  {
    name: 'cilium-service-list-lrp',
    topology: twoNodes,
    before: REDIRECT,
    typed: ['ssh k8s-w1 cilium-dbg service list | grep LocalRedirect'],
    form: fields,
  },
  {
    // Another cluster: its cluster DNS has no metrics to redirect, and the cache's pod the address that curl-pod has
    // elsewhere.
    name: 'cilium-lrp-list',
    before: REDIRECT,
    typed: [`${AGENT} cilium-dbg lrp list`],
    form: trimmed,
    topology: () =>
      topologyWith('two-nodes', [
        [
          'name: node-local-dns-8xkrt, node: k8s-w1, ip: 172.20.0.211',
          'name: node-local-dns-nnt9r, node: k8s-ctr, ip: 172.20.1.236',
        ],
        ['curl-pod, node: k8s-ctr, ip: 172.20.1.236', 'curl-pod, node: k8s-ctr, ip: 172.20.1.2'],
      ]),
  },
  {
    name: 'iptables-node-local-diff',
    topology: hostScope,
    form: rules,
    before: [...MOVED, ...ONE_DNS],
    typed: [
      'iptables-save > before',
      'kubectl apply -f ../manifests/node-local-dns.yaml > applied',
      'iptables-save > after',
      'diff before after',
    ],
  },
  {
    // curl-pod is on the other node here. The recording shows of the first lookup what --tail left: not its first
    // two steps.
    name: 'node-local-log',
    before: [
      ...REDIRECT,
      'kubectl -n kube-system scale deploy/coredns --replicas 1',
      "EDITOR='sed -i s/9984/9000/' kubectl edit cm -n kube-system node-local-dns",
      'sleep 60',
    ],
    form: cacheLog,
    topology: () =>
      topologyWith('two-nodes', [
        ['curl-pod, node: k8s-ctr, ip: 172.20.1.236', 'curl-pod, node: k8s-w1, ip: 172.20.0.69'],
      ]),
    typed: [
      'kubectl exec -it curl-pod -- nslookup www.google.com > answer',
      'sleep 31',
      'kubectl exec -it curl-pod -- nslookup www.google.com > answer',
      'kubectl -n kube-system logs node-local-dns-8xkrt',
    ],
    shown: (lines) => {
      const log = lines.slice(lines.findIndex((line) => line.endsWith('Reloading')));
      const first = log.findIndex((line) => line.includes('www.google.com.default.svc'));
      return [...log.slice(0, first), ...log.slice(first + 2)];
    },
  },
  {
    // The recording ends before the lookup does, and leaves the probe of the root's block out.
    name: 'node-local-log-2',
    before: REDIRECT,
    form: cacheLog,
    topology: () => topologyWith('two-nodes', [['ip: 172.20.1.236', 'ip: 172.20.1.72']]),
    typed: [
      'kubectl exec -it curl-pod -- nslookup www.google.com > answer',
      'kubectl -n kube-system logs ds/node-local-dns',
    ],
    shown: (lines) => lines.filter((line) => /HINFO IN \S+\.cluster\.local|\.local\. udp/.test(line)),
  },
];

describe('what the lab prints is what was recorded', () => {
  it.each(
    ROWS.map((row, i) => ({
      ...row,
      title: `${row.name}: ${row.typed.at(-1) === 'fg' ? row.typed[0] : row.typed.at(-1)}${ROWS.slice(0, i).some(({ name }) => name === row.name) ? ` (${i})` : ''}`,
    })),
  )('$title', async ({ name, topology, before, typed, form, part = exactly, shown = exactly }) => {
    const driven = await drivenLab({}, topology());
    for (const line of before) {
      const { text, code } = await driven.run(line);
      expect(code, `${line}\n${text}`).toBe(0);
    }
    let output = '';
    for (const line of typed) output += (await driven.run(line)).text;
    await driven.end();
    expect(form(shown(output.replace(/\n$/, '').split('\n')))).toEqual(form(part(recorded(name))));
  });

  it('covers every recording', () => {
    const files = readdirSync(path.resolve(import.meta.dirname, '../transcripts/data'))
      .filter((file) => file.endsWith('.txt'))
      .map((file) => file.replace('.txt', ''));
    expect([...new Set(ROWS.map(({ name }) => name))].sort()).toEqual(files.sort());
  });
});
