/**
 * A line, what it writes and its exit code where that is not 0; what goes to standard error begins with `!`.
 */
export type CommandLine = readonly [line: string, text: string, code?: number];

/** Lines of one session on the cluster of two nodes, one after the other. */
export const COMMAND_LINES: readonly CommandLine[] = [
  [
    'kubectl',
    `kubectl controls the lab's cluster. There are:\n  get, describe, apply, delete, edit, patch, replace, label, annotate, create, run, debug, expose, scale, rollout, set, diff, cp, port-forward, cordon, uncordon, drain, auth, api-versions, top, explain, attach, proxy, autoscale, taint, certificate, logs, exec, wait, config, api-resources, cluster-info, version\n`,
  ],
  [
    'kubectl rollout history deploy/webpod --revision 1',
    'deployment.apps/webpod with revision #1\nPod Template:\n  Labels:\tapp=webpod\n  Containers:\n   webpod:\n    Image:\ttraefik/whoami\n',
  ],
  ['kubectl set image deploy/webpod webpod=nginx:1', 'deployment.apps/webpod image updated\n'],
  [
    'kubectl set env deploy/webpod A=1 B=2; kubectl set env deploy/webpod A- C=3',
    'deployment.apps/webpod env updated\ndeployment.apps/webpod env updated\n',
  ],
  [
    'kubectl rollout history deploy/webpod --revision=4',
    'deployment.apps/webpod with revision #4\nPod Template:\n  Labels:\tapp=webpod\n  Containers:\n   webpod:\n    Image:\tnginx:1\n    Environment:\n      B:\t2\n    \n      C:\t3\n',
  ],
  [
    'kubectl rollout history deploy webpod',
    'deployment.apps/webpod \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n3         <none>\n4         <none>\n\n',
  ],
  [
    `kubectl rollout undo deploy/webpod --to-revision=1; kubectl get deploy webpod -o jsonpath='{.spec.template.spec.containers[0].image}'`,
    'deployment.apps/webpod rolled back\ntraefik/whoami\n',
  ],
  ['kubectl rollout undo deploy/webpod --to-revision=5', 'deployment.apps/webpod rolled back\n'],
  [
    'kubectl rollout undo deploy/webpod --to-revision=99',
    '!error: unable to find specified revision 99 in history; there are 2, 3, 4, 5, 6\n',
    1,
  ],
  ['kubectl rollout undo ds/cilium -n kube-system', '!error: no rollout history found for daemonset.apps/cilium\n', 1],
  [
    'kubectl rollout pause deploy/webpod; kubectl rollout restart deploy/webpod',
    `deployment.apps/webpod paused\n!error: can't restart paused deployment (run rollout resume first): webpod\n`,
    1,
  ],
  ['kubectl rollout pause deploy/webpod', '!error: deployments.apps "webpod" is already paused\n', 1],
  [
    'kubectl rollout resume deploy/webpod; kubectl rollout resume deploy/webpod',
    'deployment.apps/webpod resumed\n!error: deployments.apps "webpod" is not paused\n',
    1,
  ],
  ['kubectl rollout status ds/cilium -n kube-system', 'daemon set "cilium" successfully rolled out\n'],
  [
    'kubectl set image deploy/webpod nosuch=x',
    '!error: unable to find container named "nosuch" in deployment.apps/webpod\n',
    1,
  ],
  [
    `printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: c1\\ndata:\\n  a: b\\n' > c1.yaml; kubectl create -f c1.yaml`,
    'configmap/c1 created\n',
  ],
  ['kubectl create -f c1.yaml', '!Error from server (AlreadyExists): configmaps "c1" already exists\n', 1],
  [
    'kubectl replace --force -f c1.yaml; kubectl get cm c1',
    'configmap/c1 replaced\nNAME   DATA   AGE\nc1     1      0s\n',
  ],
  ['kubectl replace -f c1.yaml -n default', 'configmap/c1 replaced\n'],
  ['kubectl replace', '!error: must specify -f FILE\n', 1],
  [
    'kubectl create configmap',
    '!error: kubectl create: allowed: -f FILE, configmap NAME --from-file=[KEY=]FILE --from-literal=KEY=VALUE, namespace NAME, deployment NAME --image=IMAGE\n',
    1,
  ],
  [
    'kubectl get cm/c1 cm/kube-root-ca.crt -o name',
    '!Error from server (NotFound): configmaps "kube-root-ca.crt" not found\n',
    1,
  ],
  ['kubectl get', '!error: You must specify the type of resource to get: pods, svc, ep, nodes, ..., or all\n', 1],
  ['kubectl get pod -o yaml -w', '!error: -w is for tables here: leave -o out, or take -o wide\n', 1],
  [
    'kubectl get pods --field-selector=x',
    '!error: --field-selector: got "x", allowed: FIELD=VALUE or FIELD!=VALUE, such as spec.nodeName=k8s-ctr\n',
    1,
  ],
  [
    'kubectl cp c1.yaml curl-pod:/tmp/c1; kubectl exec curl-pod -- cat /tmp/c1 | head -1; kubectl cp curl-pod:/tmp/c1 c2.yaml; head -1 c2.yaml',
    'apiVersion: v1\napiVersion: v1\n',
  ],
  ['kubectl cp curl-pod:/nosuch x', '!error: curl-pod:/nosuch: no such file or directory\n', 1],
  ['kubectl cp a b', '!error: kubectl cp: allowed: kubectl cp [NAMESPACE/]POD:FILE FILE, or FILE POD:FILE\n', 1],
  ['kubectl describe pod nosuch', '!Error from server (NotFound): pods "nosuch" not found\n', 1],
  ['kubectl describe cm -n kube-node-lease', '!No resources found in kube-node-lease namespace.\n'],
  [`kubectl wait pod/curl-pod --for=jsonpath='{.status.podIP}'`, 'pod/curl-pod condition met\n'],
  [
    'kubectl wait pod/curl-pod --for=x',
    '!error: --for: got "x", allowed: delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]\n',
    1,
  ],
  [
    'kubectl wait pod/curl-pod --for=condition=Ready --timeout=x',
    '!error: --timeout: got "x", allowed: a duration such as 60s or 1m30s\n',
    1,
  ],
  [
    'kubectl wait pod/curl-pod --for=condition=Ready=false --timeout=2s',
    '!error: timed out waiting for the condition on pods/curl-pod\n',
    1,
  ],
  [
    'kubectl api-resources --api-group=cilium.io --no-headers --namespaced=false',
    'ciliumnodes   cn,ciliumn   cilium.io/v2   false   CiliumNode\n',
  ],
  [
    'kubectl get --raw /version; kubectl get --raw /healthz',
    '{\n  "major": "1",\n  "minor": "33",\n  "gitVersion": "v1.33.2"\n}\nok\n',
  ],
  [
    'kubectl get --raw /apis/apps/v1/namespaces/default/daemonsets',
    '{"kind":"DaemonSetList","apiVersion":"apps/v1","metadata":{"resourceVersion":""},"items":[]}\n',
  ],
  [
    'kubectl get --raw /api/v1/deployments',
    '!Error from server (NotFound): the server could not find the requested resource: got /api/v1/deployments, allowed: /healthz, /livez, /readyz, /version, /api/v1/KIND, /api/v1/namespaces/NAMESPACE/KIND/NAME, /apis/GROUP/VERSION/...\n',
    1,
  ],
  ['kubectl exec curl-pod -- curl -sI webpod | head -1', 'HTTP/1.1 200 OK\n'],
  ['kubectl exec curl-pod -- curl -s -H nocolon webpod', '!curl: -H: got "nocolon", allowed: NAME: VALUE\n', 1],
  [
    'kubectl exec curl-pod -- curl -m 0 webpod',
    '!curl: --max-time: got "0", allowed: a number of seconds above 0\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- curl -o file webpod',
    '!curl: -o: got "file", allowed: /dev/null; put > FILE at the end of the line\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- curl ftp://webpod',
    '!curl: (1) Protocol "ftp" not supported: the lab speaks http\n!command terminated with exit code 1\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- curl -s nosuch.default.svc.cluster.local.',
    '!curl: (6) Could not resolve host: nosuch.default.svc.cluster.local.\n!command terminated with exit code 6\n',
    6,
  ],
  [
    'kubectl exec curl-pod -- curl -s -m 3 webpod:81',
    '!curl: (28) Failed to connect to webpod port 81 after 3000 ms: Timeout was reached\n!command terminated with exit code 28\n',
    28,
  ],
  [
    'kubectl exec curl-pod -- nc -zv nosuch 80',
    'nc: getaddrinfo for host "nosuch" port 80: Name or service not known\n!command terminated with exit code 1\n',
    1,
  ],
  [
    `kubectl exec curl-pod -- nc -zv webpod 80 | sed 's/([0-9.]*)/(IP)/'`,
    'Connection to webpod (IP) 80 port [tcp/*] succeeded!\n',
  ],
  [
    'kubectl exec curl-pod -- nc -zv -w 2 10.96.0.10 81',
    'nc: connect to 10.96.0.10 (10.96.0.10) port 81 (tcp) failed: Operation timed out\n!command terminated with exit code 1\n',
    1,
  ],
  ['kubectl exec curl-pod -- nc -uz webpod 80', '!nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP\n', 1],
  [
    'kubectl exec curl-pod -- ping -c 1 fd00::1',
    '!note: nothing in this lab has the address fd00::1, so there will be no answer: the lab knows names outside the cluster, but not the machines behind them\nPING fd00::1 (fd00::1) 56(84) bytes of data.\n!ping: ENETUNREACH: pod/default/curl-pod has no route to fd00::1\n\n--- fd00::1 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 1000ms\n!command terminated with exit code 1\n',
    1,
  ],
  [
    'cat /etc/hosts',
    '127.0.0.1 localhost\n127.0.1.1 k8s-ctr\n::1 ip6-localhost ip6-loopback\n192.168.10.100 k8s-ctr\n192.168.10.101 k8s-w1\n',
  ],
  [
    'head -3 /etc/resolv.conf; tail -2 /etc/resolv.conf',
    '# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\n# Do not edit.\n#\noptions edns0 trust-ad\nsearch Davolink\n',
  ],
  ['cat /run/systemd/resolve/resolv.conf', 'nameserver 10.0.2.3\nsearch Davolink\n'],
  ['grep -A1 clusterDNS /var/lib/kubelet/config.yaml', 'clusterDNS:\n- 10.96.0.10\n'],
  [
    'kubectl cluster-info; kubectl cluster-info dump | head -3; kubectl cluster-info x',
    'Kubernetes control plane is running at https://192.168.10.100:6443\nCoreDNS is running at https://192.168.10.100:6443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n                            "--service-cluster-ip-range=10.96.0.0/16",\n                            "--cluster-cidr=172.20.0.0/16",\n!error: kubectl cluster-info: got "x", allowed: dump\n',
    1,
  ],
  [
    'helm upgrade cilium cilium/cilium -n kube-system --reuse-values --set x',
    '!Error: --set: got "x", allowed: NAME=VALUE\n',
    1,
  ],
  ['helm get values cilium -n kube-system | head -3', 'USER-SUPPLIED VALUES:\nautoDirectNodeRoutes: true\nbpf:\n'],
  [
    `printf '3\\n1\\n2\\n' > n; sort -o x n; sort -rn n; head -c 2 n; tail -n 1 n; wc n; wc -l n n`,
    '!sort: unknown option -o, allowed: -u, -n, -r, -k\n3\n2\n1\n!head: unknown option -c, allowed: -n\n2\n      3       3       6\n6\n',
  ],
  ['tail -c 2 n; tail -n +2 n; head -n -1 n; head -2 n n', '!tail: unknown option -c, allowed: -n\n1\n2\n3\n1\n3\n1\n'],
  [
    'uniq -c n; cut -c1 n; tr -d 1 < n | wc -c; nl n; tac n',
    '      1 3\n      1 1\n      1 2\n!cut: unknown option -c1, allowed: -d, -f\n5\n     1\t3\n     2\t1\n     3\t2\n2\n1\n3\n',
  ],
  [
    `printf 'a b\\nc d\\n' > w; sed -n '1p;$p' w; sed '1,2s/ /-/' w; sed -e 's/a/x/' -e 's/b/y/g' w; sed '2i z' w; sed '1a z' w; sed '$d' w; sed 's/\\(a\\) b/\\1/2' w; sed '/c/c q' w; sed -n '/a/,/c/p' w; sed y/ab/xy/ w`,
    'a b\nc d\na-b\nc-d\nx y\nc d\na b\nz\nc d\na b\nz\nc d\na b\n!sed: got "s/\\(a\\) b/\\1/2", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\na b\nq\na b\nc d\n!sed: got "y/ab/xy/", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n',
    1,
  ],
  [
    `grep -c a w; grep -l a w n; grep -L a w n; grep -m1 . w; grep -nv a w; grep -r a w; grep -h a w n; grep -H a w; grep -e a -e c w; grep -x 'a b' w; grep -q zz w`,
    '1\n!grep: unknown option -l, allowed: -v, -i, -c, -o, -n, -q, -w, -x, -E, -F, -P, -s, -A, -B, -C, -m, -e, --color\n!grep: unknown option -L, allowed: -v, -i, -c, -o, -n, -q, -w, -x, -E, -F, -P, -s, -A, -B, -C, -m, -e, --color\na b\n2:c d\n!grep: unknown option -r, allowed: -v, -i, -c, -o, -n, -q, -w, -x, -E, -F, -P, -s, -A, -B, -C, -m, -e, --color\n!grep: options: -v, -i, -c, -o, -n, -q, -w, -x, -E, -F, -P, -s, -A, -B, -C, -m, -e, --color\n!grep: unknown option -H, allowed: -v, -i, -c, -o, -n, -q, -w, -x, -E, -F, -P, -s, -A, -B, -C, -m, -e, --color\nc d\na b\n',
    1,
  ],
  [
    'diff n w; diff -u n n; cmp n w',
    '1,3c1,2\n< 3\n< 1\n< 2\n---\n> a b\n> c d\n!cmp: command not found; did you mean cp?\n',
    127,
  ],
  [
    `kubectl run t1 --image=busybox --restart=Never --labels=a=b --port 80 --env X=1; kubectl get pod t1 -o jsonpath='{.metadata.labels}{.spec.containers[0].ports}{.spec.containers[0].env}{.spec.restartPolicy}'`,
    'pod/t1 created\n{"a":"b"}[{"protocol":"TCP","containerPort":80}][{"name":"X","value":"1"}]\n',
  ],
  [
    'kubectl run t2 --image=busybox --dry-run=client -o yaml -- sleep 5',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    run: t2\n  name: t2\n  namespace: default\nspec:\n  containers:\n  - args:\n    - sleep\n    - "5"\n    image: busybox\n    name: t2\n',
  ],
  ['kubectl top nodes; kubectl top pods', '!error: Metrics API not available\n!error: Metrics API not available\n', 1],
  [
    'kubectl label pod t1 c=d; kubectl label pod t1 c=e; kubectl label pod t1 c=e --overwrite; kubectl label pod t1 c-; kubectl annotate pod t1 x=y; kubectl label pod t1',
    '!pod/t1: metadata.labels: the labels of a pod that runs cannot be changed here: delete the pod, then apply\n!pod/t1: metadata.labels: the labels of a pod that runs cannot be changed here: delete the pod, then apply\n!pod/t1: metadata.labels: the labels of a pod that runs cannot be changed here: delete the pod, then apply\npod/t1 unlabeled\npod/t1 annotated\n!error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-\n',
    1,
  ],
  [
    'kubectl scale deploy webpod --replicas 3; kubectl scale deploy webpod --replicas -1; kubectl scale deploy webpod --replicas=2 --current-replicas=5',
    'deployment.apps/webpod scaled\n!kubectl scale: --replicas: got "-1", allowed: 0 to 50\n!kubectl scale: unknown option --current-replicas, allowed: -n, --namespace, --replicas\n',
    1,
  ],
  [
    `kubectl expose deploy webpod --name e1 --port 8080 --target-port 80; kubectl get svc e1 -o jsonpath='{.spec.ports}{.spec.selector}'; kubectl expose deploy webpod --port 1`,
    'service/e1 exposed\n[{"protocol":"TCP","targetPort":80,"port":8080}]{"app":"webpod"}\n!Error from server (AlreadyExists): services "webpod" already exists\n',
    1,
  ],
  [
    'kubectl taint node k8s-w1 a=b:NoSchedule; kubectl taint node k8s-w1 a-; kubectl cordon k8s-w1; kubectl cordon k8s-w1; kubectl uncordon k8s-w1',
    '!error: kubectl taint is not in the lab: the only taint of the lab is that of cordoned nodes: kubectl cordon NODE\n!error: kubectl taint is not in the lab: the only taint of the lab is that of cordoned nodes: kubectl cordon NODE\nnode/k8s-w1 cordoned\nnode/k8s-w1 already cordoned\nnode/k8s-w1 uncordoned\n',
  ],
  [
    'kubectl delete pod t1 --force; kubectl delete cm c1 nosuch; kubectl delete cm --all --dry-run=client; kubectl delete -f c1.yaml --ignore-not-found; kubectl delete',
    'pod "t1" deleted from default namespace\nconfigmap "c1" deleted from default namespace\n!Error from server (NotFound): configmaps "nosuch" not found\n!kubectl delete: unknown option --dry-run, allowed: -n, --namespace, -l, --selector, -f, --filename, --force, --grace-period, --all\n!kubectl delete: unknown option --ignore-not-found, allowed: -n, --namespace, -l, --selector, -f, --filename, --force, --grace-period, --all\n!error: kubectl delete needs a kind and a name\n',
    1,
  ],
  [
    'kubectl explain pod.spec.dnsPolicy; kubectl explain nosuch; kubectl explain pod.nosuch',
    '!error: kubectl explain is not in the lab: the lab holds no documentation of fields; a field as it is: kubectl get KIND NAME -o yaml\n!error: kubectl explain is not in the lab: the lab holds no documentation of fields; a field as it is: kubectl get KIND NAME -o yaml\n!error: kubectl explain is not in the lab: the lab holds no documentation of fields; a field as it is: kubectl get KIND NAME -o yaml\n',
    1,
  ],
];
