import { CURL_POD, instead, LOGGED, LOOP, WEBPOD } from './step.js';
import type { Step } from './step.js';

const ADDON = 'https://github.com/kubernetes/kubernetes/raw/master/cluster/addons/dns/nodelocaldns/nodelocaldns.yaml';
const EXAMPLES = 'https://raw.githubusercontent.com/cilium/cilium/1.17.6/examples/kubernetes-local-redirect';
const BLOCKS = 'kubectl get ciliumnode -o json | grep podCIDRs -A2';
const ENDPOINTS = 'kubectl get ciliumendpoints.cilium.io -A';
const AGENTS = 'kubectl -n kube-system rollout restart ds/cilium';
const CACHE =
  'kubectl exec -it curl-pod -- curl kube-dns.kube-system.svc:9153/metrics | grep coredns_cache_ | grep -v ^#';
const HOSTNAME = 'kubectl exec -it curl-pod -- curl -s webpod | grep Hostname';
const VALUES = `autoDirectNodeRoutes: true
bpf:
  masquerade: true
debug:
  enabled: true
endpointHealthChecking:
  enabled: false
endpointRoutes:
  enabled: true
healthChecking: false
hubble:
  enabled: true
  metrics:
    enableOpenMetrics: true
    enabled:
    - dns
    - drop
    - tcp
    - flow
    - port-distribution
    - icmp
    - httpV2:exemplars=true;labelsContext=source_ip,source_namespace,source_workload,destination_ip,destination_namespace,destination_workload,traffic_direction
  relay:
    enabled: true
  ui:
    enabled: true
    service:
      nodePort: 30003
      type: NodePort
installNoConntrackIptablesRules: true
ipam:
  mode: cluster-pool
  operator:
    clusterPoolIPv4PodCIDRList:
    - "172.20.0.0/16"
ipv4NativeRoutingCIDR: 172.20.0.0/16
k8s:
  requireIPv4PodCIDR: true
k8sServiceHost: 192.168.10.100
k8sServicePort: 6443
kubeProxyReplacement: true
operator:
  prometheus:
    enabled: true
  replicas: 1
prometheus:
  enabled: true
routingMode: native`;

/** The machines, the cluster and the sample application. */
const CLUSTER: readonly Step[] = [
  instead(
    'curl -O https://raw.githubusercontent.com/gasida/vagrant-lab/refs/heads/main/cilium-study/3w/Vagrantfile',
    'curl: ',
    7,
  ),
  instead('vagrant up', 'vagrant: not in the lab: the machines of the lab run already'),
  instead('vagrant ssh k8s-ctr', 'a command on another node: ssh NODE COMMAND'),
  { line: "sshpass -p 'vagrant' ssh -o StrictHostKeyChecking=no vagrant@k8s-w1 hostname", has: /^k8s-w1\n$/ },
  {
    line: 'kubectl cluster-info dump | grep -m 2 -E "cluster-cidr|service-cluster-ip-range"',
    has: '"--service-cluster-ip-range=10.96.0.0/16",',
  },
  { line: 'kubectl get node -owide', has: /^k8s-w1 +Ready +<none> +\S+ +v1\.33\.2 +192\.168\.10\.101/m },
  {
    line: `kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.spec.podCIDR}{"\\n"}{end}'`,
    has: 'k8s-ctr\t10.244.0.0/24\nk8s-w1\t10.244.1.0/24\n',
  },
  { line: BLOCKS, has: /10\.244\.0\.0\/24[^]*10\.244\.1\.0\/24/ },
  { line: 'cilium config view | grep ^ipam', has: /^ipam +kubernetes$/m },
  {
    line: 'kubectl get ciliumendpoints -A',
    has: /^kube-system +coredns-674b8bbfcf-9pxvx +28565 +ready +10\.244\.0\.199/m,
  },
  instead(
    'wget https://github.com/derailed/k9s/releases/latest/download/k9s_linux_amd64.deb -O /tmp/k9s_linux_amd64.deb',
    'wget: ',
    4,
  ),
  instead('apt install /tmp/k9s_linux_amd64.deb', 'apt: not in the lab: nothing has to be installed here'),
  instead('k9s', 'k9s: not in the lab: there is no screen of its own here'),
  { line: 'kc describe pod -n kube-system kube-controller-manager-k8s-ctr', has: '--cluster-cidr=10.244.0.0/16' },
  { line: WEBPOD, has: 'deployment.apps/webpod created\nservice/webpod created' },
  { line: CURL_POD, has: 'pod/curl-pod created' },
  { line: 'kubectl get deploy,svc,ep webpod -owide', has: /deployment\.apps\/webpod +2\/2/ },
  { line: 'kubectl get endpointslices -l app=webpod', has: /^webpod-\S+ +IPv4 +80 +10\.244\./m },
  {
    line: 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent -- cilium-dbg endpoint list',
    has: /ENDPOINT +POLICY \(ingress\)/,
  },
  { line: 'kubectl exec -it curl-pod -- curl webpod | grep Hostname', has: /^Hostname: webpod-697b545f57-/m },
  { line: LOOP, has: /(Hostname: webpod-\S+\n){3}/, stop: 3.5 },
  { line: "NODEIP=$(ip -4 addr show eth1 | grep -oP '(?<=inet\\s)\\d+(\\.\\d+){3}')" },
  { line: 'echo -e "http://$NODEIP:30003"', has: /^http:\/\/192\.168\.10\.100:30003\n$/ },
  { line: `${LOOP} > /tmp/loop.txt &` },
  { line: 'cilium hubble port-forward&' },
  {
    line: 'hubble observe -f --protocol tcp --pod curl-pod',
    has: /default\/curl-pod:\d+ \(ID:5580\) -> default\/webpod-\S+ \(ID:12497\) to-(network|endpoint) FORWARDED \(TCP Flags: SYN\)/,
    stop: 3,
  },
  { line: 'k get svc', has: /^webpod +ClusterIP +10\.96\./m },
  { line: 'tcpdump -i eth1 tcp port 80 -nn', has: /10\.244\.0\.27\.\d+ > 10\.244\.1\.96\.80: Flags \[S\]/, stop: 6 },
  { line: 'tcpdump -i eth1 tcp port 80 -w /tmp/http.pcap', has: 'packets captured', stop: 3 },
  instead('termshark -r /tmp/http.pcap', 'termshark: not in the lab: write a capture'),
];

/** Addresses: from Kubernetes' blocks to a pool of Cilium's own. */
const ADDRESSES: readonly Step[] = [
  { line: LOOP, has: 'Hostname: webpod-', stop: 2.5 },
  {
    line:
      'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set ipam.mode="cluster-pool" ' +
      '--set ipam.operator.clusterPoolIPv4PodCIDRList={"172.20.0.0/16"} --set ipv4NativeRoutingCIDR=172.20.0.0/16',
    has: 'REVISION: 2',
  },
  { line: 'helm get values cilium -n kube-system > clean-values.yaml' },
  { line: `cat > final-values.yaml << EOF\n${VALUES}\nEOF` },
  { line: 'helm upgrade cilium cilium/cilium --namespace kube-system -f final-values.yaml', has: 'REVISION: 3' },
  { line: 'kubectl -n kube-system rollout restart deploy/cilium-operator', has: 'cilium-operator restarted' },
  { line: AGENTS, has: 'daemonset.apps/cilium restarted' },
  instead('k9s', 'kubectl get pods -A -w'),
  { line: 'cilium config view | grep ^ipam', has: /^ipam +cluster-pool$/m },
  { line: BLOCKS, has: '10.244.0.0/24' },
  { line: ENDPOINTS, has: '10.244.' },
  { line: BLOCKS, has: '10.244.1.0/24' },
  { line: 'kubectl get ciliumnode', has: /^k8s-w1 /m },
  { line: 'kubectl delete ciliumnode k8s-w1', has: 'ciliumnode.cilium.io "k8s-w1" deleted' },
  { line: AGENTS },
  { line: BLOCKS, has: '172.20.0.0/24' },
  { line: ENDPOINTS },
  { line: 'kubectl delete ciliumnode k8s-ctr', has: 'ciliumnode.cilium.io "k8s-ctr" deleted' },
  { line: AGENTS },
  { line: BLOCKS, has: '172.20.1.0/24' },
  // The operator makes the cluster DNS anew, whose pods no agent manages any more.
  { line: `sleep 60; ${ENDPOINTS}`, has: /coredns-674b8bbfcf-vvgfm +28565 +ready +172\.20\.1\.144/ },
  { line: 'ip -c route', has: '172.20.0.0/24 via 192.168.10.101 dev eth1 proto kernel' },
  {
    line: "sshpass -p 'vagrant' ssh vagrant@k8s-w1 ip -c route",
    has: '172.20.0.186 dev lxc80130454cb70 proto kernel scope link',
  },
  { line: 'kubectl get pod -A -owide | grep 10.244.', has: /hubble-relay-\S+[^\n]* 10\.244\.0\.122 / },
  {
    line: 'kubectl -n kube-system rollout restart deploy/hubble-relay deploy/hubble-ui',
    has: 'deployment.apps/hubble-relay restarted\ndeployment.apps/hubble-ui restarted',
  },
  {
    line: 'kubectl -n cilium-monitoring rollout restart deploy/prometheus deploy/grafana',
    has: 'deployment.apps/prometheus restarted\ndeployment.apps/grafana restarted',
  },
  { line: 'kubectl rollout restart deploy/webpod', has: 'deployment.apps/webpod restarted' },
  { line: 'kubectl delete pod curl-pod', has: 'pod "curl-pod" deleted' },
  { line: CURL_POD, has: 'pod/curl-pod created' },
  { line: ENDPOINTS, has: /^default +curl-pod +5580 +ready +172\.20\.1\.236/m },
  { line: 'k get pod -A', has: /^default +webpod-556878d5d7-7p8bn +1\/1 +Running/m },
  { line: LOOP, has: /(Hostname: webpod-556878d5d7-\S+\n){3}/, stop: 4.5 },
  { line: 'cilium hubble port-forward&' },
  { line: 'ss -tnlp | grep 4245', code: 1 },
  // The first job of the lab's shell has this number too.
  { line: 'kill -9 10026', has: '[1]+  Killed' },
  { line: 'cilium hubble port-forward&' },
  { line: 'hubble status', has: 'Connected Nodes: 2/2' },
];

/** Routing between nodes, and masquerading towards the outside. */
const ROUTING: readonly Step[] = [
  { line: 'kubectl get pod -owide', has: /^curl-pod +1\/1 +Running +0 +\S+ +172\.20\.1\.236 +k8s-ctr/m },
  {
    line:
      "export WEBPODIP1=$(kubectl get -l app=webpod pods --field-selector spec.nodeName=k8s-ctr -o jsonpath='{.items[0].status.podIP}')\n" +
      "export WEBPODIP2=$(kubectl get -l app=webpod pods --field-selector spec.nodeName=k8s-w1 -o jsonpath='{.items[0].status.podIP}')\n" +
      'echo $WEBPODIP1 $WEBPODIP2',
    has: /^172\.20\.1\.40 172\.20\.0\.130\n$/,
  },
  { line: 'kubectl exec -it curl-pod -- ping $WEBPODIP2', has: /icmp_seq=2 ttl=62[^]* 0% packet loss/, stop: 2.5 },
  { line: 'ip -c route', has: '172.20.1.236 dev lxcd63c3c1415ff proto kernel scope link' },
  {
    line: "sshpass -p 'vagrant' ssh vagrant@k8s-w1 ip -c route",
    has: '172.20.1.0/24 via 192.168.10.100 dev eth1 proto kernel',
  },
  { line: 'kubectl exec -it curl-pod -- ping $WEBPODIP2 > /tmp/ping.txt &' },
  {
    line: 'hubble observe -f --pod curl-pod',
    has: /default\/curl-pod \(ID:5580\) -> default\/webpod-556878d5d7-r4dmh \(ID:12497\) to-network FORWARDED \(ICMPv4 EchoRequest\)/,
    stop: 7,
  },
  { line: 'tcpdump -i eth1 icmp', has: /IP 172\.20\.1\.236 > 172\.20\.0\.130: ICMP echo request/, stop: 2 },
  { line: 'k get pod -owide', has: /^webpod-556878d5d7-r4dmh +1\/1 +Running +0 +\S+ +172\.20\.0\.130 +k8s-w1/m },
  { line: 'tcpdump -i eth1 icmp -w /tmp/icmp.pcap', has: 'packets captured', stop: 2 },
  instead('termshark -r /tmp/icmp.pcap', 'termshark: not in the lab'),
  {
    line: 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent -- cilium status | grep Masquerading',
    has: /Masquerading: +BPF +\[eth0, eth1\] +172\.20\.0\.0\/16/,
  },
  { line: 'cilium config view | grep ipv4-native-routing-cidr', has: '172.20.0.0/16' },
  { line: 'tcpdump -i eth1 icmp -nn', has: /172\.20\.1\.236 > 172\.20\.0\.130: ICMP echo request/, stop: 2 },
  { line: 'kubectl exec -it curl-pod -- ping 192.168.10.101 > /tmp/ping-node.txt &' },
  { line: 'tcpdump -i eth1 icmp -nn', has: /172\.20\.1\.236 > 192\.168\.10\.101: ICMP echo request/, stop: 2 },
  { line: HOSTNAME, has: 'Hostname: webpod-556878d5d7-' },
  { line: HOSTNAME, has: 'Hostname: webpod-556878d5d7-' },
  { line: 'ssh router tcpdump -i eth1 icmp -nn', stop: 1 },
  { line: 'kubectl exec -it curl-pod -- ping 192.168.10.101', has: 'ttl=63', stop: 1.5 },
  { line: 'k get pod -owide', has: '172.20.1.236' },
  { line: 'kubectl exec -it curl-pod -- ping 192.168.10.200', has: /icmp_seq=1/, stop: 1.5 },
  { line: 'kubectl exec -it curl-pod -- ping 192.168.10.200 > /tmp/ping-router.txt &' },
  { line: 'hubble observe -f --pod curl-pod', has: '192.168.10.200', stop: 7 },
  { line: 'kubectl exec -it curl-pod -- curl -s webpod', has: 'Hostname: webpod-' },
  { line: 'kubectl exec -it curl-pod -- curl -s 192.168.10.200', has: '<h1>Web Server : router</h1>' },
  { line: 'ssh router ip -br -c -4 addr', has: /^loop1 +\S+ +10\.10\.1\.200\/24/m },
  { line: 'ssh router ip -c a', has: 'inet 10.10.2.200/24' },
  { line: 'ip -c route | grep static', has: /^10\.10\.0\.0\/16 via 192\.168\.10\.200 dev eth1 proto static/ },
  { line: 'kubectl exec -it curl-pod -- curl -s 10.10.1.200', has: '<h1>Web Server : router</h1>' },
  { line: 'kubectl exec -it curl-pod -- curl -s 10.10.2.200', has: '<h1>Web Server : router</h1>' },
  {
    line:
      'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set ipMasqAgent.enabled=true ' +
      "--set ipMasqAgent.config.nonMasqueradeCIDRs='{10.10.1.0/24,10.10.2.0/24}'",
    has: 'REVISION: 4',
  },
  { line: 'kubectl get cm -n kube-system ip-masq-agent -o yaml | yq', has: '10.10.1.0/24' },
  { line: 'kubectl get cm -n kube-system', has: /^ip-masq-agent +1 /m },
  { line: 'cilium config view | grep -i ip-masq', has: /enable-ip-masq-agent +true/ },
  { line: 'kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg bpf ipmasq list', has: '10.10.1.0/24' },
  { line: 'k get pod -owide', has: '172.20.1.236' },
  { line: 'ssh router ip -c route', has: /^10\.10\.1\.0\/24 dev loop1/m },
  { line: 'ip -c route', has: '172.20.1.236 dev lxcd63c3c1415ff' },
  { line: 'ssh router ip route add 172.20.1.0/24 via 192.168.10.100' },
  { line: 'ssh router ip route add 172.20.0.0/24 via 192.168.10.101' },
  { line: 'ssh router ip -c route | grep 172.20', has: '172.20.0.0/24 via 192.168.10.101 dev eth1' },
  { line: 'kubectl exec -it curl-pod -- curl -s 10.10.1.200', has: '<h1>Web Server : router</h1>' },
  { line: 'kubectl exec -it curl-pod -- curl -s 10.10.2.200', has: '<h1>Web Server : router</h1>' },
];

/** CoreDNS: who asks it, what is written, and what is kept. */
const CLUSTER_DNS: readonly Step[] = [
  { line: 'kubectl exec -it curl-pod -- cat /etc/resolv.conf', has: /nameserver 10\.96\.0\.10\noptions ndots:5/ },
  { line: 'cat /var/lib/kubelet/config.yaml | grep cluster -A1', has: 'clusterDNS:\n- 10.96.0.10\n' },
  { line: 'kubectl get svc,ep -n kube-system kube-dns', has: /endpoints\/kube-dns +172\.20\./ },
  {
    line: 'kubectl get pod -n kube-system -l k8s-app=kube-dns',
    has: /(coredns-674b8bbfcf-\w+ +1\/1 +Running[^\n]*\n){2}/,
  },
  { line: 'kc describe pod -n kube-system -l k8s-app=kube-dns', has: 'config-volume:' },
  { line: 'kc describe cm -n kube-system coredns', has: 'kubernetes cluster.local in-addr.arpa ip6.arpa {' },
  { line: 'cat /etc/resolv.conf', has: 'nameserver 127.0.0.53' },
  { line: 'resolvectl', has: 'resolv.conf mode: stub' },
  { line: 'kubectl get pod -owide', has: '172.20.1.236' },
  { line: 'kubectl get pod -n kube-system -l k8s-app=kube-dns -owide', has: '172.20.0.186' },
  {
    line: 'kubectl scale deployment -n kube-system coredns --replicas 1',
    has: 'deployment.apps/coredns scaled',
  },
  {
    line: 'sleep 10; kubectl get pod -n kube-system -l k8s-app=kube-dns -owide',
    has: /^NAME[^\n]*\ncoredns-674b8bbfcf-\w+ +1\/1[^\n]*\n$/,
  },
  { line: CACHE, has: 'coredns_cache_entries' },
  { line: 'kubectl exec -it curl-pod -- nslookup webpod', has: 'Name:\twebpod.default.svc.cluster.local' },
  { line: 'kubectl exec -it curl-pod -- nslookup -debug webpod', has: 'webpod.default.svc.cluster.local' },
  {
    line: 'kubectl exec -it curl-pod -- nslookup -debug google.com',
    has: /NXDOMAIN[^]*Non-authoritative answer:\nName:\tgoogle\.com\n/,
    code: 1,
  },
  { line: CACHE, has: /coredns_cache_misses_total\S* \d/ },
  {
    line: 'kubectl -n kube-system logs -l k8s-app=kube-dns -f',
    has: 'plugin/reload: Running configuration SHA512 = 1b226df79860026c6a52e67daa10d7f0d57ec5b023288ec00c5e05f93523c894',
    stop: 1,
  },
  instead('k9s', 'k9s: not in the lab'),
  { line: 'kubectl exec -it curl-pod -- nslookup webpod', has: '10.96.152.212' },
  { line: 'hubble observe -f --port 53 &' },
  { line: 'tcpdump -i any udp port 53 -nn &' },
  { line: 'kubectl exec -it curl-pod -- nslookup google.com', has: 'Name:\tgoogle.com' },
  { line: 'fg', has: /A\? google\.com\.default\.svc\.cluster\.local\. \(54\)/, stop: 1 },
  { line: 'fg', has: /default\/curl-pod:\d+ \(ID:5580\) -> kube-system\/coredns-\S+:53 \(ID:28565\)/, stop: 1 },
  { line: CACHE, has: /coredns_cache_hits_total\{[^}]*type="(success|denial)"\S* \d|coredns_cache_entries/ },
];

/** The node cache: the rules it adds, and the redirect that brings pods of Cilium to it. */
const NODE_CACHE: readonly Step[] = [
  { line: 'iptables-save | tee before.txt', has: '*nat' },
  { line: `wget ${ADDON}`, has: "'nodelocaldns.yaml' saved" },
  {
    line:
      'kubedns=`kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP}`\n' +
      "domain='cluster.local'\nlocaldns='169.254.20.10'\necho $kubedns $domain $localdns",
    has: /^10\.96\.0\.10 cluster\.local 169\.254\.20\.10\n$/,
  },
  {
    line: 'sed -i "s/__PILLAR__LOCAL__DNS__/$localdns/g; s/__PILLAR__DNS__DOMAIN__/$domain/g; s/__PILLAR__DNS__SERVER__/$kubedns/g" nodelocaldns.yaml',
  },
  {
    line: 'kubectl apply -f nodelocaldns.yaml',
    has: 'serviceaccount/node-local-dns created\nservice/kube-dns-upstream created\nconfigmap/node-local-dns created\ndaemonset.apps/node-local-dns created\nservice/node-local-dns created',
  },
  {
    line: 'kubectl get pod -n kube-system -l k8s-app=node-local-dns -owide',
    has: /(node-local-dns-\w+ +1\/1 +Running[^\n]*\n){2}/,
  },
  { line: LOGGED, has: 'configmap/node-local-dns edited' },
  { line: 'kubectl -n kube-system rollout restart ds node-local-dns', has: 'daemonset.apps/node-local-dns restarted' },
  { line: 'kubectl describe cm -n kube-system node-local-dns', has: /log\n +errors[^]*ip6\.arpa:53 \{/ },
  { line: 'iptables-save | tee after.txt', has: 'NodeLocal DNS Cache' },
  { line: 'diff before.txt after.txt', has: /^> -A .*NodeLocal DNS Cache/m, code: 1 },
  { line: 'kubectl exec -it curl-pod -- cat /etc/resolv.conf', has: 'nameserver 10.96.0.10' },
  {
    line: 'kubectl -n kube-system logs -l k8s-app=kube-dns -f',
    has: 'plugin/reload: Running configuration SHA512 = 1b226df79860026c6a52e67daa10d7f0d57ec5b023288ec00c5e05f93523c894',
    stop: 1,
  },
  { line: 'kubectl -n kube-system logs -l k8s-app=node-local-dns -f', has: ':53 on 169.254.20.10', stop: 1 },
  { line: 'kubectl delete pod curl-pod', has: 'pod "curl-pod" deleted' },
  { line: CURL_POD.replace('<<EOF', '<< EOF'), has: 'pod/curl-pod created' },
  {
    line: 'helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values \\\n--set localRedirectPolicy=true',
    has: 'REVISION: 5',
  },
  { line: 'kubectl rollout restart deploy cilium-operator -n kube-system', has: 'restarted' },
  { line: 'kubectl rollout restart ds cilium -n kube-system', has: 'restarted' },
  { line: `wget ${EXAMPLES}/node-local-dns.yaml`, has: "'node-local-dns.yaml' saved" },
  {
    line:
      'kubedns=$(kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.clusterIP})\n' +
      'sed -i "s/__PILLAR__DNS__SERVER__/$kubedns/g;" node-local-dns.yaml',
  },
  instead('vi -d nodelocaldns.yaml node-local-dns.yaml', 'vi: not in the lab'),
  {
    line: 'kubectl apply -f node-local-dns.yaml',
    has: /configmap\/node-local-dns configured\ndaemonset\.apps\/node-local-dns configured/,
  },
  { line: 'k get cm -n kube-system', has: /^node-local-dns +1 /m },
  instead('k9s', 'k9s: not in the lab'),
  { line: LOGGED, has: 'configmap/node-local-dns edited' },
  { line: 'kubectl describe cm -n kube-system node-local-dns', has: /log\n +errors[^]*bind 0\.0\.0\.0/ },
  { line: `wget ${EXAMPLES}/node-local-dns-lrp.yaml` },
  { line: 'cat node-local-dns-lrp.yaml | yq', has: '"kind": "CiliumLocalRedirectPolicy"' },
  {
    line: `kubectl apply -f ${EXAMPLES}/node-local-dns-lrp.yaml`,
    has: 'ciliumlocalredirectpolicy.cilium.io/nodelocaldns created',
  },
  { line: 'kubectl get CiliumLocalRedirectPolicy -A', has: /^kube-system +nodelocaldns/m },
  {
    line: 'kubectl exec -it -n kube-system ds/cilium -c cilium-agent -- cilium-dbg service list | grep LocalRedirect',
    has: /10\.96\.0\.10:53\/UDP +LocalRedirect +1 => 172\.20\.\d+\.\d+:53\/UDP \(active\)/,
  },
  // Until the servers see their new Corefile.
  { line: 'sleep 90; kubectl -n kube-system logs -l k8s-app=node-local-dns -f &' },
  {
    line: 'kubectl exec -it curl-pod -- nslookup www.google.com',
    has: 'Name:\twww.google.com\nAddress: 142.250.196.100',
  },
  { line: 'fg', has: 'www.google.com.', stop: 1 },
];

/** A week of Cilium's networking, from the machines to the redirect: the longest write-up, from first line to last. */
export const ONE_WEEK: readonly Step[] = [...CLUSTER, ...ADDRESSES, ...ROUTING, ...CLUSTER_DNS, ...NODE_CACHE];
