import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LAB_FOLDER } from '../../../src/lab/topology/load.js';
import type { Step } from './step.js';

const [WEBPOD, SERVICE, CURL_POD, CLIENT_POD] = readFileSync(
  path.join(LAB_FOLDER, 'manifests/kind-webpod.yaml'),
  'utf8',
).split('\n---\n');
const apply = (...objects: readonly (string | undefined)[]): string =>
  `cat << EOF | kubectl apply -f -\n${objects.join('\n---\n')}\nEOF`;
const onWorker = (line: string): string => `ssh kind-worker ${line}`;
const curl = (address: string): Step => ({
  line: `kubectl exec client-pod -- curl -s http://${address}`,
  has: /^Hostname: webpod-697b545f57-/,
});

/** Packets between pods of one node and of two, on native routing: a write-up from first line to last, on kind. */
export const NATIVE_ROUTING: readonly Step[] = [
  {
    line: `helm install cilium cilium/cilium --version 1.17.6 --namespace kube-system \\
--set k8sServiceHost=auto --set ipam.mode="kubernetes" \\
--set k8s.requireIPv4PodCIDR=true --set ipv4NativeRoutingCIDR=10.244.0.0/16 \\
--set routingMode=native --set autoDirectNodeRoutes=true --set endpointRoutes.enabled=true \\
--set kubeProxyReplacement=true --set bpf.masquerade=true --set installNoConntrackIptablesRules=true \\
--set endpointHealthChecking.enabled=false --set healthChecking=false \\
--set hubble.enabled=true --set hubble.relay.enabled=true --set hubble.ui.enabled=true \\
--set hubble.ui.service.type=NodePort --set hubble.ui.service.nodePort=30003 \\
--set prometheus.enabled=true --set operator.prometheus.enabled=true --set hubble.metrics.enableOpenMetrics=true \\
--set hubble.metrics.enabled="{dns,drop,tcp,flow,port-distribution,icmp,httpV2:exemplars=true;labelsContext=source_ip\\,source_namespace\\,source_workload\\,destination_ip\\,destination_namespace\\,destination_workload\\,traffic_direction}" \\
--set operator.replicas=1 --set debug.enabled=true`,
    has: 'STATUS: deployed',
  },
  { line: apply(WEBPOD, SERVICE), has: 'deployment.apps/webpod created\nservice/webpod created' },
  { line: apply(CURL_POD), has: 'pod/curl-pod created' },
  { line: apply(CLIENT_POD), has: 'pod/client-pod created' },
  curl('10.244.1.182'),
  {
    line: 'hubble observe --pod client-pod --protocol tcp',
    has: /to-endpoint FORWARDED \(TCP Flags: SYN\)[^]*ACK, FIN/,
  },
  {
    line: onWorker('cilium bpf endpoint list'),
    has: /^10\.244\.1\.71:0 +id=2543 +sec_id=30542 flags=0x0000 ifindex=11 +mac=DA:15:43:39:36:5E nodemac=32:17:55:23:39:08/m,
  },
  { line: onWorker('ip a'), has: 'lxc93b551d233cf' },
  { line: onWorker('tcpdump -i lxc93b551d233cf &') },
  { line: onWorker('tcpdump -i lxc49626b6ed5ee &') },
  { line: 'kubectl exec client-pod -- tcpdump -i eth0 &' },
  { line: onWorker('tcpdump -i eth0 tcp &') },
  curl('10.244.1.182'),
  // On the node's device: nothing.
  {
    line: 'fg',
    has: /^ssh kind-worker tcpdump -i eth0 tcp\n(tcpdump: [^\n]*\n)?(listening on [^\n]*\n)?[^>]*$/,
    stop: 1,
  },
  {
    line: 'fg',
    has: /client-pod\.\d+ > 10-244-1-182\.webpod\.\S+\.http: Flags \[S\][^]*10-244-1-182\S+ > client-pod\S+ Flags \[S\.\]/,
    stop: 1,
  },
  {
    line: 'fg',
    has: /^(?![^]* > 10\.244\.1\.182)[^]*10\.244\.1\.182\.http > 10\.244\.1\.71\.\d+: Flags \[S\.\]/,
    stop: 1,
  },
  {
    line: 'fg',
    has: /^(?![^]* > 10\.244\.1\.71)[^]*10\.244\.1\.71\.\d+ > 10\.244\.1\.182\.http: Flags \[S\]/,
    stop: 1,
  },
  { line: onWorker('tcpdump -i lxc93b551d233cf &') },
  { line: onWorker('tcpdump -i eth0 tcp &') },
  // The service picks one of two web servers.
  {
    line: `for i in 1 2 3 4 5 6; do kubectl exec client-pod -- curl -s http://10.96.92.233; done`,
    has: /tdbfg[^]*x9kfw|x9kfw[^]*tdbfg/,
  },
  { line: 'fg', has: /10\.244\.1\.71\.\d+ > 10\.244\.3\.135/, stop: 1 },
  { line: 'fg', has: /10\.244\.1\.71\.\d+ > 10\.244\.1\.182\.http: Flags \[S\]/, stop: 1 },
  { line: onWorker('cilium monitor --from 2543 &') },
  curl('10.244.1.182'),
  {
    line: 'fg',
    has: /-> endpoint 2543 flow 0x[\da-f]+ , identity 32693->30542 state reply ifindex lxc93b551d233cf orig-ip 10\.244\.1\.182: 10\.244\.1\.182:80 -> 10\.244\.1\.71:\d+ tcp SYN, ACK/,
    stop: 1,
  },
  { line: onWorker('cilium monitor --to 359 &') },
  curl('10.244.1.182'),
  {
    line: 'fg',
    has: /-> endpoint 359 flow 0x[\da-f]+ , identity 30542->32693 state new ifindex lxc49626b6ed5ee orig-ip 10\.244\.1\.71: 10\.244\.1\.71:\d+ -> 10\.244\.1\.182:80 tcp SYN/,
    stop: 1,
  },
  { line: onWorker('cilium bpf nat flush') },
  { line: onWorker('cilium bpf nat list') },
  curl('10.96.92.233'),
  { line: onWorker('cilium bpf nat list') },
  { line: onWorker('cilium bpf ct flush global') },
  { line: onWorker('cilium bpf ct list global') },
  curl('10.96.92.233'),
  {
    line: onWorker('cilium bpf ct list global'),
    has: /TCP OUT 10\.244\.1\.71:\d+ -> 10\.244\.(1\.182|3\.135):80 .*RevNAT=0/,
  },
  { line: 'ssh kind-worker2 tcpdump -i eth0 dst 10.244.3.135 &' },
  curl('10.244.3.135'),
  { line: 'fg', has: /IP 10\.244\.1\.71\.\d+ > 10\.244\.3\.135\.http: Flags \[S\]/, stop: 1 },
];
