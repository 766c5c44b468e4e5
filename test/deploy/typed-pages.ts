/** What the task page of Kubernetes on NodeLocal DNSCache has typed, after the manifest was saved. */
const ASK = 'kubedns=`kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}`';
const CHOOSE = ['domain=cluster.local', 'localdns=169.254.20.10'];
const sed = (server: string, more = ''): string =>
  `sed -i "s/__PILLAR__LOCAL__DNS__/$localdns/g; s/__PILLAR__DNS__DOMAIN__/$domain/g; ${server}${more}" nodelocaldns.yaml`;
const CLUSTER = '; s/__PILLAR__CLUSTER__DNS__/$kubedns/g';
const page = (fill: string): string[] => [ASK, ...CHOOSE, fill, 'kubectl create -f nodelocaldns.yaml'];

/** By the mode of kube-proxy. */
export const KUBERNETES_PAGE = {
  iptables: page(sed('s/__PILLAR__DNS__SERVER__/$kubedns/g')),
  ipvs: page(sed('s/,__PILLAR__DNS__SERVER__//g', CLUSTER)),
  /** As the page was before. */
  ipvsBefore: page(sed('s/__PILLAR__DNS__SERVER__//g', CLUSTER)),
} as const;
/** How the page ends what it began. */
export const KUBERNETES_PAGE_END = 'kubectl delete -f nodelocaldns.yaml';

/** What Cilium's page on local redirect policies has typed for a node-local DNS cache, after both files were saved. */
export const CILIUM_PAGE = [
  'kubedns=$(kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}) && sed -i "s/__PILLAR__DNS__SERVER__/$kubedns/g;" node-local-dns.yaml',
  'kubectl apply -f node-local-dns.yaml',
  'kubectl apply -f node-local-dns-lrp.yaml',
];
