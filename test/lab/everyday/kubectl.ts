import type { EverydayLine } from './line.js';

/** Objects of the cluster, and programs in its pods. */
export const OBJECTS: readonly EverydayLine[] = [
  [
    'kubectl run tmp --rm -it --image=busybox --restart=Never -- nslookup webpod',
    ';; Got recursion not available from 10.96.0.10\nServer:\t\t10.96.0.10',
  ],
  [
    'kubectl run tmp2 --rm -i --image=busybox:1.36 --restart=Never --command -- nslookup kubernetes.default',
    ';; Got recursion not available from 10.96.0.10\n;; Got recursion not available from 10.96.0.10',
  ],
  [
    'kubectl run dnsutils --image=registry.k8s.io/e2e-test-images/agnhost:2.39 -- sleep infinity',
    'pod/dnsutils created',
  ],
  [
    'kubectl get pod dnsutils -o wide',
    'NAME       READY   STATUS    RESTARTS   AGE   IP            NODE     NOMINATED NODE   READINESS GATES\ndnsutils   1/1     Running   0          0s    POD-IP   k8s-w1   <none>           <none>',
  ],
  [
    'kubectl exec dnsutils -- nslookup kubernetes.default',
    ';; Got recursion not available from 10.96.0.10\n;; Got recursion not available from 10.96.0.10',
  ],
  ['kubectl delete pod dnsutils', 'pod "dnsutils" deleted from default namespace'],
  ['kubectl top pod -A', 'error: Metrics API not available', 1],
  ['kubectl top node', 'error: Metrics API not available', 1],
  [
    'kubectl wait --for=condition=Ready pod -l app=webpod --timeout=30s',
    'pod/webpod-NAME condition met\npod/webpod-NAME condition met',
  ],
  [
    'kubectl api-resources | head -5',
    'NAME                          SHORTNAMES     APIVERSION                     NAMESPACED   KIND\ncustomresourcedefinitions     crd,crds       apiextensions.k8s.io/v1        false        CustomResourceDefinition\ndaemonsets                    ds             apps/v1                        true         DaemonSet',
  ],
  ['kubectl api-versions', 'apiextensions.k8s.io/v1\napps/v1\ncilium.io/v2'],
  ['kubectl get crds | grep redirect', 'ciliumlocalredirectpolicies.cilium.io   '],
  ['kubectl config current-context', 'lab'],
  [
    'kubectl config get-contexts',
    'CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n*         lab    lab       admin      default',
  ],
  ['kubectl config set-context --current --namespace=kube-system', 'Context "lab" modified.'],
  ['kubectl get pod -o name | head -3', 'pod/cilium-NAME\npod/cilium-NAME'],
  ['kubectl config set-context --current --namespace=default', 'Context "lab" modified.'],
  ['kubectl config view', 'apiVersion: v1\nkind: Config'],
  ['kubectl auth can-i list pods', 'yes'],
  [
    'kubectl debug -it curl-pod --image=nicolaka/netshoot -- nslookup webpod',
    'Defaulting debug container name to debugger-',
  ],
  ['kubectl rollout history deploy/webpod', 'deployment.apps/webpod \nREVISION  CHANGE-CAUSE'],
  ['kubectl rollout status deploy/webpod', 'deployment "webpod" successfully rolled out'],
  ['kubectl rollout pause deploy/webpod', 'deployment.apps/webpod paused'],
  ['kubectl rollout resume deploy/webpod', 'deployment.apps/webpod resumed'],
  ['kubectl cordon k8s-w1', 'node/k8s-w1 cordoned'],
  [
    'kubectl get nodes',
    'NAME      STATUS                     ROLES           AGE   VERSION\nk8s-ctr   Ready                      control-plane   0s    v1.33.2',
  ],
  ['kubectl uncordon k8s-w1', 'node/k8s-w1 uncordoned'],
  [
    'kubectl drain k8s-w1 --ignore-daemonsets --delete-emptydir-data',
    'node/k8s-w1 cordoned\nWarning: ignoring DaemonSet-managed Pods: kube-system/cilium-NAME',
  ],
  ['kubectl uncordon k8s-w1', 'node/k8s-w1 uncordoned'],
  ['kubectl set image deploy/webpod webpod=traefik/whoami:v1.10', 'deployment.apps/webpod image updated'],
  ['kubectl set env deploy/webpod A=b', 'deployment.apps/webpod env updated'],
  ['kubectl diff -f manifests/webpod.yaml', 'cannot read manifests/webpod.yaml: no such file', 1],
  [
    'kubectl get pods -o custom-columns=NAME:.metadata.name,IP:.status.podIP',
    'NAME                      IP\ncurl-pod                  POD-IP',
  ],
  [
    'kubectl get pods --show-labels',
    'NAME                      READY   STATUS    RESTARTS   AGE   LABELS\ncurl-pod                  1/1     Running   0          5s    app=curl',
  ],
  ["kubectl get pods -o jsonpath='{.items[*].status.podIP}'", 'POD-IP POD-IP POD-IP'],
  [
    'kubectl get all',
    'NAME                          READY   STATUS    RESTARTS   AGE\npod/curl-pod                  1/1     Running   0          5s',
  ],
  [
    'kubectl get all -n kube-system',
    'NAME                           READY   STATUS    RESTARTS   AGE\npod/cilium-NAME               1/1     Running   0          5s',
  ],
  [
    'kubectl get svc -A',
    'NAMESPACE     NAME         TYPE        CLUSTER-IP      EXTERNAL-IP   PORT(S)                  AGE\ndefault       kubernetes   ClusterIP   10.96.0.1       <none>        443/TCP                  5s',
  ],
  ['kubectl get ns', 'NAME          STATUS   AGE\ndefault       Active   5s'],
  ["kubectl get cm -n kube-system coredns -o jsonpath='{.data.Corefile}'", '.:53 {\n    errors'],
  ['kubectl describe node k8s-w1', 'Name:               k8s-w1\nRoles:              <none>'],
  ['kubectl describe svc webpod', 'Name:                     webpod\nNamespace:                default'],
  ['kubectl describe pod curl-pod', 'Name:             curl-pod\nNamespace:        default'],
  [
    'kubectl logs -n kube-system -l k8s-app=kube-dns --tail=5',
    '[INFO] plugin/reload: Running configuration SHA512 = DIGEST\n.:53',
  ],
  [
    'kubectl logs -n kube-system deploy/coredns',
    'Found 2 pods, using pod/coredns-NAME\n[INFO] plugin/reload: Running configuration SHA512 = DIGEST',
  ],
  [
    'kubectl label pod curl-pod x=y',
    'pod/curl-pod: metadata.labels: the labels of a pod that runs cannot be changed here: delete the pod, then apply',
    1,
  ],
  ['kubectl get pod -l x=y', 'No resources found in default namespace.'],
  ['kubectl annotate pod curl-pod note=hello', 'pod/curl-pod annotated'],
  ['kubectl patch svc webpod -p \'{"spec":{"type":"NodePort"}}\'', 'service/webpod patched'],
  ['kubectl expose deploy webpod --name=web2 --port=80', 'service/web2 exposed'],
  ['kubectl create ns test', 'namespace/test created'],
  ['kubectl create deploy nginx --image=nginx -n test', 'deployment.apps/nginx created'],
  ['kubectl scale deploy nginx -n test --replicas=3', 'deployment.apps/nginx scaled'],
  [
    'kubectl get deploy -n test',
    'NAME    READY   UP-TO-DATE   AVAILABLE   AGE\nnginx   3/3     3            3           0s',
  ],
  [
    'kubectl autoscale deploy nginx -n test --max=5',
    'error: kubectl autoscale is not in the lab: nothing in the lab uses CPU that could be measured: kubectl scale deployment NAME --replicas=N',
    1,
  ],
  ['kubectl delete ns test', 'namespace "test" deleted'],
  ['kubectl create configmap a --from-literal=x=y', 'configmap/a created'],
  ['kubectl get cm a -o yaml', 'apiVersion: v1\ndata:'],
  ['kubectl version', 'Client Version: v1.33.2\nKustomize Version: v5.6.0'],
  [
    'kubectl cluster-info',
    'Kubernetes control plane is running at https://192.168.10.100:6443\nCoreDNS is running at https://192.168.10.100:6443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy',
  ],
  [
    'kubectl get endpointslices',
    'NAME           ADDRESSTYPE   PORTS   ENDPOINTS                AGE\nkubernetes     IPv4          6443    192.168.10.100           5s',
  ],
  [
    'kubectl get ep kube-dns -n kube-system',
    'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\nNAME       ENDPOINTS                                                   AGE',
  ],
  ['kubectl cp curl-pod:/etc/resolv.conf /tmp/r.conf', ''],
  [
    'kubectl attach curl-pod',
    'error: kubectl attach is not in the lab: the programs of the lab take no input; their output: kubectl logs POD -f',
    1,
  ],
  ['kubectl proxy', 'error: kubectl proxy is not in the lab: objects as JSON: kubectl get KIND -o json', 1],
  ['kubectl get componentstatuses', 'error: the server doesn\'t have a resource type "componentstatuses"', 1],
  [
    'kubectl taint node k8s-w1 a=b:NoSchedule',
    'error: kubectl taint is not in the lab: the only taint of the lab is that of cordoned nodes: kubectl cordon NODE',
    1,
  ],
  ['kubectl apply -k .', 'kubectl apply: unknown option -k, allowed: -n, --namespace, -f, --filename', 1],
  ['kubectl replace -f x.yaml', 'cannot read x.yaml: no such file', 1],
  [
    'kubectl get po,svc -o wide',
    'NAME                          READY   STATUS    RESTARTS   AGE   IP             NODE      NOMINATED NODE   READINESS GATES\npod/curl-pod                  1/1     Running   0          5s    POD-IP   k8s-ctr   <none>           <none>',
  ],
  ['kubectl get pod nosuch', 'Error from server (NotFound): pods "nosuch" not found', 1],
  ['kubectl get foo', 'error: the server doesn\'t have a resource type "foo"', 1],
  [
    'kubectl exec curl-pod -- env',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOSTNAME=curl-pod',
  ],
  [
    'kubectl exec curl-pod -- ls /',
    'error: exec: "ls": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh',
    127,
  ],
  ['kubectl exec curl-pod -- ss -tnlp', 'State  Recv-Q  Send-Q  Local Address:Port  Peer Address:Port'],
  [
    'kubectl exec curl-pod -- traceroute webpod',
    'error: exec: "traceroute": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh',
    127,
  ],
  [
    "kubectl exec curl-pod -- python3 -c 'print(1)'",
    'error: exec: "python3": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh',
    127,
  ],
  [
    'kubectl exec curl-pod -- ip a',
    '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    link/loopback MAC brd MAC',
  ],
  ['kubectl exec curl-pod -- cat /etc/hosts', '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost'],
  ['kubectl exec curl-pod -- hostname', 'curl-pod'],
  ['kubectl exec curl-pod -- getent hosts webpod', '10.96.152.212   webpod.default.svc.cluster.local'],
  ['kubectl exec curl-pod -- dig +search webpod +short', '10.96.152.212'],
  ['kubectl exec curl-pod -- host webpod', 'webpod.default.svc.cluster.local has address 10.96.152.212'],
  ['kubectl exec curl-pod -- wget -qO- webpod', 'Hostname: webpod-NAME\nIP: 127.0.0.1'],
  ['kubectl exec curl-pod -- nc -vz webpod 80', 'Connection to webpod (10.96.152.212) 80 port [tcp/*] succeeded!'],
  [
    'kubectl exec curl-pod -- time nslookup webpod',
    ';; Got recursion not available from 10.96.0.10\nServer:\t\t10.96.0.10',
  ],
  [
    'kubectl exec curl-pod -c nosuch -- ls',
    'error: exec: "ls": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh',
    127,
  ],
  [
    'kubectl exec nosuch -- ls',
    'Error from server (NotFound): pods "nosuch" not found; namespace default has curl-pod, webpod-NAME, webpod-NAME',
    1,
  ],
];

/** What is rolled out and back, and nodes that are emptied. */
export const ROLLOUTS: readonly EverydayLine[] = [
  ['kubectl port-forward svc/webpod 8080:80 &', ''],
  ['sleep 1; curl -s localhost:8080 | grep -c Hostname', '1'],
  [
    'ss -tln',
    'State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port\nLISTEN  0       4096    127.0.0.1:8080      0.0.0.0:*',
  ],
  ['kill %1', ''],
  ["kubectl get pods -o go-template='{{range .items}}{{.metadata.name}} {{end}}'", 'curl-pod webpod-NAME webpod-NAME'],
  ['kubectl rollout undo deploy/webpod', 'error: no rollout history found for deployment.apps/webpod', 1],
  ['kubectl set image deploy/webpod webpod=traefik/whoami:v1.10', 'deployment.apps/webpod image updated'],
  ['kubectl rollout history deploy/webpod', 'deployment.apps/webpod \nREVISION  CHANGE-CAUSE'],
  ['kubectl rollout undo deploy/webpod', 'deployment.apps/webpod rolled back'],
  ["kubectl get deploy webpod -o jsonpath='{.spec.template.spec.containers[0].image}'", 'traefik/whoami'],
  ['kubectl rollout history deploy/webpod', 'deployment.apps/webpod \nREVISION  CHANGE-CAUSE'],
  ['kubectl rollout pause deploy/webpod', 'deployment.apps/webpod paused'],
  [
    'kubectl rollout restart deploy/webpod',
    "error: can't restart paused deployment (run rollout resume first): webpod",
    1,
  ],
  ['kubectl rollout resume deploy/webpod', 'deployment.apps/webpod resumed'],
  [
    'kubectl drain k8s-w1',
    'node/k8s-w1 cordoned\nerror: unable to drain node "k8s-w1" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): kube-system/cilium-NAME',
    1,
  ],
  [
    'kubectl drain k8s-w1 --ignore-daemonsets',
    'node/k8s-w1 already cordoned\nWarning: ignoring DaemonSet-managed Pods: kube-system/cilium-NAME',
  ],
  ["kubectl get pods -o wide --no-headers | awk '{print $7}' | sort -u", 'k8s-ctr'],
  ['kubectl uncordon k8s-w1', 'node/k8s-w1 uncordoned'],
  ['kubectl describe node k8s-w1 | grep -i unsched', 'Unschedulable:      false'],
];
