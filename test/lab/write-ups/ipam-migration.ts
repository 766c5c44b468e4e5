import { APPLY, instead, LOOP } from './step.js';
import type { Step } from './step.js';

/** From Kubernetes' blocks of addresses to a pool of Cilium's own: a write-up from its first line to its last. */
export const IPAM_MIGRATION: readonly Step[] = [
  instead('vagrant up', 'vagrant: not in the lab: the machines of the lab run already'),
  { line: 'kubectl cluster-info dump | grep -m 2 -E "cluster-cidr|service-cluster-ip-range"', has: '10.244.0.0/16' },
  { line: 'cilium config view | grep ^ipam', has: /^ipam +kubernetes$/m },
  {
    line: `kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.spec.podCIDR}{"\\n"}{end}'`,
    has: 'k8s-ctr\t10.244.0.0/24\nk8s-w1\t10.244.1.0/24\n',
  },
  {
    line: 'k describe pod -n kube-system kube-controller-manager-k8s-ctr',
    has: '--cluster-cidr=10.244.0.0/16',
  },
  { line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2', has: /10\.244\.0\.0\/24[^]*10\.244\.1\.0\/24/ },
  { line: 'kubectl get ciliumendpoints.cilium.io -A', has: /^kube-system +coredns-\S+ +\d+ +ready +10\.244\./m },
  { line: APPLY, has: 'deployment.apps/webpod created' },
  { line: 'kubectl get deploy,svc,ep webpod -owide', has: /deployment\.apps\/webpod +2\/2/ },
  { line: 'kubectl get endpointslices -l app=webpod', has: /^webpod-\S+ +IPv4 +80 +10\.244\./m },
  { line: 'kubectl get ciliumendpoints', has: /^curl-pod +\d+ +ready +10\.244\.0\./m },
  {
    line: 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent -- cilium-dbg endpoint list',
    has: /ENDPOINT +POLICY \(ingress\)/,
  },
  { line: 'kubectl exec -it curl-pod -- curl webpod | grep Hostname', has: /^Hostname: webpod-/ },
  { line: LOOP, has: /(Hostname: webpod-\S+\n){3}/, stop: 3.5 },
  { line: 'cilium hubble port-forward&', has: '' },
  { line: 'hubble status', has: 'Connected Nodes: 2/2' },
  { line: 'hubble observe -f --protocol tcp --to-pod curl-pod &' },
  { line: 'kubectl exec -it curl-pod -- curl webpod | grep Hostname', has: 'Hostname: webpod-' },
  { line: 'fg', has: /default\/curl-pod:\d+ \(ID:\d+\)/, stop: 1 },
  { line: 'hubble observe -f --protocol tcp --from-pod curl-pod', stop: 1 },
  { line: 'hubble observe -f --protocol tcp --pod curl-pod', stop: 1 },
  { line: 'tcpdump -i eth1 tcp port 80 -nn &' },
  { line: LOOP, has: 'Hostname: webpod-', stop: 6.5 },
  { line: 'fg', has: /10\.244\.0\.\d+\.\d+ > 10\.244\.1\.\d+\.80: Flags \[S\]/, stop: 1 },
  { line: 'tcpdump -i eth1 tcp port 80 -w /tmp/http.pcap', has: 'packets captured', stop: 1 },
  { line: 'export DEBIAN_FRONTEND=noninteractive' },
  instead('apt-get install -y termshark', 'apt-get: not in the lab: nothing has to be installed here'),
  instead('termshark -r /tmp/http.pcap', 'termshark: not in the lab: write a capture'),
  {
    line:
      'helm upgrade cilium cilium/cilium --version 1.17.6 --namespace kube-system --reuse-values \\\n' +
      '--set ipam.mode="cluster-pool" --set ipam.operator.clusterPoolIPv4PodCIDRList={"172.20.0.0/16"} ' +
      '--set ipv4NativeRoutingCIDR=172.20.0.0/16',
    has: 'REVISION: 2',
  },
  { line: 'kubectl -n kube-system rollout restart deploy/cilium-operator # 오퍼레이터 재시작 필요', has: 'restarted' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium', has: 'daemonset.apps/cilium restarted' },
  { line: 'cilium config view | grep ^ipam', has: /^ipam +cluster-pool$/m },
  { line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2', has: '10.244.0.0/24' },
  { line: 'kubectl get ciliumendpoints.cilium.io -A', has: '10.244.' },
  { line: 'kubectl delete ciliumnode k8s-w1', has: 'ciliumnode.cilium.io "k8s-w1" deleted' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium' },
  { line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2', has: /172\.20\.0\.0\/24/ },
  { line: 'kubectl delete ciliumnode k8s-ctr' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium' },
  { line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2', has: /172\.20\.1\.0\/24/ },
  {
    line: 'sleep 30; kubectl get ciliumendpoints.cilium.io -A # 파드 IP 변경 확인',
    has: /coredns-\S+ +\d+ +ready +172\.20\./,
  },
  { line: 'kubectl get pod -A -owide | grep 10.244.', has: /webpod-\S+/ },
  {
    line: 'kubectl -n kube-system rollout restart deploy/hubble-relay deploy/hubble-ui',
    has: 'deployment.apps/hubble-ui restarted',
  },
  { line: 'kubectl -n cilium-monitoring rollout restart deploy/prometheus deploy/grafana', has: 'grafana restarted' },
  { line: 'kubectl rollout restart deploy/webpod', has: 'deployment.apps/webpod restarted' },
  { line: 'kubectl delete pod curl-pod', has: 'pod "curl-pod" deleted' },
  { line: 'cilium hubble port-forward&' },
  { line: APPLY, has: 'pod/curl-pod created' },
  { line: 'kubectl get ciliumendpoints.cilium.io -A', has: /curl-pod +\d+ +ready +172\.20\./ },
  { line: LOOP, has: /(Hostname: webpod-\S+\n){2}/, stop: 2.5 },
];
