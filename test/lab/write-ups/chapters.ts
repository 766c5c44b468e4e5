import { APPLY } from './step.js';
import type { Step } from './step.js';

const ADDON = 'https://github.com/kubernetes/kubernetes/raw/master/cluster/addons/dns/nodelocaldns/nodelocaldns.yaml';
const EXAMPLES = 'https://raw.githubusercontent.com/cilium/cilium/1.17.6/examples/kubernetes-local-redirect';

/** The change of the address management, from Kubernetes' blocks to a pool of Cilium's own, as it is typed. */
export const ADDRESSES: readonly Step[] = [
  { line: APPLY, has: 'deployment.apps/webpod created' },
  {
    line: 'export WEBPODIP1=$(kubectl get -l app=webpod pods --field-selector spec.nodeName=k8s-ctr -o jsonpath="{.items[0].status.podIP}")',
  },
  { line: 'echo $WEBPODIP1', has: /^10\.244\.0\.\d+$/m },
  {
    line: `kubectl exec -it curl-pod -- sh -c 'while true; do curl -s webpod | grep Hostname; sleep 1; done' | head -3`,
    has: /(Hostname: webpod-\S+\n){3}/,
  },
  { line: 'helm get values cilium -n kube-system > clean-values.yaml; cat clean-values.yaml', has: 'mode: kubernetes' },
  {
    line: 'cat > final-values.yaml << EOF\nautoDirectNodeRoutes: true\nbpf:\n  masquerade: true\nipam:\n  mode: cluster-pool\n  operator:\n    clusterPoolIPv4PodCIDRList:\n    - "172.20.0.0/16"\nipv4NativeRoutingCIDR: 172.20.0.0/16\nkubeProxyReplacement: true\nroutingMode: native\nEOF',
  },
  {
    line: 'helm upgrade cilium cilium/cilium --namespace kube-system -f final-values.yaml',
    has: /REVISION: 2\nTEST SUITE: None/,
  },
  { line: 'kubectl -n kube-system rollout restart deploy/cilium-operator' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium' },
  { line: 'cilium config view | grep ^ipam', has: /^ipam +cluster-pool/ },
  { line: 'kubectl delete ciliumnode k8s-w1' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium' },
  { line: 'kubectl delete ciliumnode k8s-ctr' },
  { line: 'kubectl -n kube-system rollout restart ds/cilium' },
  {
    line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2',
    has: /172\.20\.0\.0\/24[^]*172\.20\.1\.0\/24|172\.20\.1\.0\/24[^]*172\.20\.0\.0\/24/,
  },
  {
    line: 'kubectl -n kube-system rollout restart deploy/hubble-relay deploy/hubble-ui',
    has: 'deployment.apps/hubble-ui restarted',
  },
  { line: 'kubectl -n cilium-monitoring rollout restart deploy/prometheus deploy/grafana' },
  { line: 'kubectl rollout restart deploy/webpod' },
  { line: 'kubectl delete pod curl-pod' },
  { line: APPLY, has: 'pod/curl-pod created' },
  // The operator deletes pods of the cluster DNS that no agent manages.
  { line: 'sleep 60; kubectl get pod -n kube-system -l k8s-app=kube-dns -owide', has: /172\.20\./ },
  // What nobody has restarted keeps its address, which leads nowhere.
  { line: 'kubectl get pod -A -owide | grep 10.244.', has: /^local-path-storage +local-path-provisioner[^\n]*\n$/ },
  { line: 'kubectl exec -it curl-pod -- curl -s webpod | grep Hostname', has: 'Hostname: webpod-' },
];

/** The node cache, from the manifest that is fetched to the redirect. */
export const NODE_CACHE: readonly Step[] = [
  { line: 'iptables-save | tee before.txt' },
  { line: `wget ${ADDON}`, has: "'nodelocaldns.yaml' saved: the lab's own nodelocaldns.yaml" },
  { line: 'grep -c __PILLAR__DNS__SERVER__ nodelocaldns.yaml', has: /^[1-9]/ },
  { line: 'kubedns=`kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}`' },
  { line: "domain='cluster.local' ## default" },
  { line: "localdns='169.254.20.10' ## default" },
  { line: 'echo $kubedns $domain $localdns', has: '10.96.0.10 cluster.local 169.254.20.10' },
  {
    line: 'sed -i "s/__PILLAR__LOCAL__DNS__/$localdns/g; s/__PILLAR__DNS__DOMAIN__/$domain/g; s/__PILLAR__DNS__SERVER__/$kubedns/g" nodelocaldns.yaml',
  },
  {
    line: 'kubectl apply -f nodelocaldns.yaml',
    has: /serviceaccount\/node-local-dns created\nservice\/kube-dns-upstream created\nconfigmap\/node-local-dns created\ndaemonset\.apps\/node-local-dns created\nservice\/node-local-dns created/,
  },
  {
    line: 'kubectl get pod -n kube-system -l k8s-app=node-local-dns -owide',
    has: /(node-local-dns-\w+ +1\/1 +Running[^\n]*\n){2}/,
  },
  { line: 'kubectl describe cm -n kube-system node-local-dns', has: 'ip6.arpa:53 {' },
  {
    line: 'iptables-save | tee after.txt > /dev/null; diff before.txt after.txt | grep -c NodeLocal',
    has: /^[1-9]\d*$/m,
  },
  {
    line: 'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set localRedirectPolicy=true --version 1.17.6',
  },
  {
    line: 'kubectl rollout restart deploy cilium-operator -n kube-system; kubectl rollout restart ds cilium -n kube-system',
  },
  { line: `wget ${EXAMPLES}/node-local-dns.yaml` },
  { line: 'sed -i "s/__PILLAR__DNS__SERVER__/$kubedns/g;" node-local-dns.yaml' },
  { line: 'diff -u nodelocaldns.yaml node-local-dns.yaml | head -20', has: 'node-local-dns.yaml' },
  { line: 'k apply -f node-local-dns.yaml', has: 'daemonset.apps/node-local-dns configured' },
  { line: `curl -sO ${EXAMPLES}/node-local-dns-lrp.yaml; cat node-local-dns-lrp.yaml | yq`, has: 'serviceName' },
  { line: `kubectl apply -f ${EXAMPLES}/node-local-dns-lrp.yaml`, has: 'nodelocaldns created' },
  { line: 'kubectl get CiliumLocalRedirectPolicy -A', has: 'nodelocaldns' },
  { line: 'ssh k8s-w1 cilium-dbg service list | grep LocalRedirect', has: '10.96.0.10:53/UDP' },
  { line: 'kubectl exec -it curl-pod -- nslookup www.google.com', has: '142.250.196.100' },
];
