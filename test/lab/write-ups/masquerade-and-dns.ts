import { instead, LOGGED } from './step.js';
import type { Step } from './step.js';

const KEEP = 'kubectl -n kube-system rollout restart ds/cilium';

/** Masquerading, CoreDNS, the node cache and the redirect: a write-up from its first line to its last. */
export const MASQUERADE_AND_DNS: readonly Step[] = [
  {
    line: 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent -- cilium status | grep Masquerading',
    has: /Masquerading: +BPF +\[eth0, eth1\] +172\.20\.0\.0\/16/,
  },
  { line: 'kubens kube-system', has: 'Active namespace is "kube-system".' },
  {
    line: 'k get cm cilium-config -oyaml | grep ipv4-native-routing-cidr',
    has: 'ipv4-native-routing-cidr: 172.20.0.0/16',
  },
  { line: 'kubens default' },
  instead('k exec -it curl-pod -- curl -s www.naver.com', 'curl: (6) Could not resolve host: www.naver.com', 6),
  { line: 'k exec -it curl-pod -- curl -s 192.168.10.200', has: '<h1>Web Server : router</h1>' },
  {
    line:
      'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set ipMasqAgent.enabled=true ' +
      "--set ipMasqAgent.config.nonMasqueradeCIDRs='{10.10.1.0/24,10.10.2.0/24}' --version 1.17.6",
    has: 'REVISION: 2',
  },
  {
    ...instead(
      "helm upgrade cilium cilium/cilium -n kube-system --reuse-values --set bpf.masquerade=false --set ipMasqAgent.enabled=true --set ipMasqAgent.config.nonMasqueradeCIDRs='{172.20.0.0/16,10.10.0.0/16,192.168.0.0/16}'",
      'bpf.masquerade: got "false", allowed: true',
      1,
    ),
  },
  { line: 'kubectl exec -it curl-pod -- cat /etc/resolv.conf', has: /nameserver 10\.96\.0\.10\noptions ndots:5/ },
  {
    line: 'cat /var/lib/kubelet/config.yaml | grep cluster -A1',
    has: 'clusterDNS:\n- 10.96.0.10\nclusterDomain: cluster.local\n',
  },
  { line: 'k get svc -n kube-system |grep kube-dns', has: /^kube-dns +ClusterIP +10\.96\.0\.10/ },
  { line: 'kc describe cm -n kube-system coredns', has: 'disable denial cluster.local' },
  { line: 'k exec -it curl-pod -- nslookup webpod', has: 'Name:\twebpod.default.svc.cluster.local' },
  { line: 'k exec -it curl-pod -- nslookup google.com', has: 'Name:\tgoogle.com' },
  {
    line: 'wget https://github.com/kubernetes/kubernetes/raw/master/cluster/addons/dns/nodelocaldns/nodelocaldns.yaml',
    has: 'nodelocaldns.yaml',
  },
  { line: 'kubedns=`kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}`' },
  { line: "domain='cluster.local' ## default 값" },
  { line: "localdns='169.254.20.10' ## default 값" },
  { line: 'echo $kubedns $domain $localdns', has: '10.96.0.10 cluster.local 169.254.20.10\n' },
  {
    line: 'sed -i "s/__PILLAR__LOCAL__DNS__/$localdns/g; s/__PILLAR__DNS__DOMAIN__/$domain/g; s/__PILLAR__DNS__SERVER__/$kubedns/g" nodelocaldns.yaml',
  },
  { line: 'kubectl apply -f nodelocaldns.yaml', has: 'daemonset.apps/node-local-dns created' },
  {
    line: 'k get pod -n kube-system -l k8s-app=node-local-dns -owide',
    has: /(node-local-dns-\w+ +1\/1 +Running[^\n]*\n){2}/,
  },
  { line: 'kc describe cm -n kube-system node-local-dns', has: 'bind 169.254.20.10' },
  {
    line: 'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set localRedirectPolicy=true --version 1.17.6',
    has: 'REVISION: 3',
  },
  // This topology shows its agents only.
  instead(
    'kubectl rollout restart deploy cilium-operator -n kube-system',
    'deployments.apps "cilium-operator" not found',
    1,
  ),
  { line: 'kubectl rollout restart ds cilium -n kube-system', has: 'daemonset.apps/cilium restarted' },
  {
    line: 'wget https://raw.githubusercontent.com/cilium/cilium/1.17.6/examples/kubernetes-local-redirect/node-local-dns.yaml',
  },
  { line: 'kubedns=$(kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP})' },
  { line: 'sed -i "s/__PILLAR__DNS__SERVER__/$kubedns/g;" node-local-dns.yaml' },
  { line: 'kubectl apply -f node-local-dns.yaml', has: 'daemonset.apps/node-local-dns configured' },
  {
    line: 'wget https://raw.githubusercontent.com/cilium/cilium/1.17.6/examples/kubernetes-local-redirect/node-local-dns-lrp.yaml',
  },
  { line: 'cat node-local-dns-lrp.yaml | yq', has: '"kind": "CiliumLocalRedirectPolicy"' },
  { line: 'kubectl apply -f node-local-dns-lrp.yaml', has: 'nodelocaldns created' },
  { line: 'k get CiliumLocalRedirectPolicy -n kube-system', has: /^nodelocaldns/m },
  {
    line: 'k exec -it -n kube-system ds/cilium -c cilium-agent -- cilium-dbg lrp list',
    has: /kube-system +nodelocaldns +clusterIP \+ \S+|kube-system +nodelocaldns/,
  },
  {
    line: 'k exec -it -n kube-system ds/cilium -c cilium-agent -- cilium-dbg service list | grep LocalRedirect',
    has: '10.96.0.10:53/UDP',
  },
  // The write-up's Corefile writes its queries; the one that is fetched does not.
  { line: LOGGED, has: 'edited' },
  { line: 'kubectl rollout restart ds node-local-dns -n kube-system', has: 'restarted' },
  { line: 'k exec -it curl-pod -- nslookup www.google.com', has: 'Name:\twww.google.com' },
  { line: 'kubectl -n kube-system logs -l k8s-app=node-local-dns --tail=20', has: 'www.google.com.' },
  { line: KEEP, has: 'restarted' },
];
