import type { CommandLine } from '../command-lines.js';

/** What kubectl changes, and what it refuses to change. */
export const CHANGE_LINES: readonly CommandLine[] = [
  [
    `kubectl cordon || echo $?; kubectl cordon node/k8s-w1 nodes/k8s-ctr && kubectl get nodes && kubectl get node k8s-w1 -o jsonpath='{.spec}' && kubectl describe node k8s-w1 | grep -A1 Taints`,
    '!error: kubectl cordon needs a node: kubectl cordon NODE\n1\nnode/k8s-w1 cordoned\nnode/k8s-ctr cordoned\nNAME      STATUS                     ROLES           AGE   VERSION\nk8s-ctr   Ready,SchedulingDisabled   control-plane   0s    v1.33.2\nk8s-w1    Ready,SchedulingDisabled   <none>          0s    v1.33.2\n{"podCIDR":"172.20.0.0/24","podCIDRs":["172.20.0.0/24"],"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule","timeAdded":"2025-07-30T14:56:15Z"}],"unschedulable":true}\nTaints:             node.kubernetes.io/unschedulable:NoSchedule\nUnschedulable:      true\n',
  ],
  [
    'kubectl cordon nosuch || echo $?; kubectl uncordon k8s-w1 k8s-ctr k8s-ctr',
    '!Error from server (NotFound): nodes "nosuch" not found\n1\nnode/k8s-w1 uncordoned\nnode/k8s-ctr uncordoned\nnode/k8s-ctr already uncordoned\n',
  ],
  [
    `kubectl run alone --image=b --overrides='{"spec":{"nodeName":"k8s-w1"}}' && kubectl drain k8s-w1 --ignore-daemonsets`,
    'pod/alone created\nnode/k8s-w1 cordoned\n!error: unable to drain node "k8s-w1" due to error: cannot delete Pods that declare no controller (use --force to override): default/alone\n',
    1,
  ],
  [
    'kubectl drain || echo $?; kubectl drain k8s-w1 k8s-ctr || echo $?; kubectl drain k8s-w1 --ignore-daemonsets --force --delete-emptydir-data --grace-period=0 --timeout=5s',
    '!error: kubectl drain needs one node: kubectl drain NODE --ignore-daemonsets\n1\n!error: kubectl drain needs one node: kubectl drain NODE --ignore-daemonsets\n1\nnode/k8s-w1 already cordoned\n!Warning: ignoring DaemonSet-managed Pods: kube-system/cilium-nbmtj\nevicting pod default/alone\nevicting pod default/webpod-556878d5d7-r4dmh\nevicting pod kube-system/coredns-674b8bbfcf-gbnm8\npod/alone evicted\npod/webpod-556878d5d7-r4dmh evicted\npod/coredns-674b8bbfcf-gbnm8 evicted\nnode/k8s-w1 drained\n',
  ],
  [
    'kubectl uncordon k8s-w1 && kubectl drain k8s-ctr || echo $?; kubectl uncordon k8s-ctr && kubectl get pods -o name',
    'node/k8s-w1 uncordoned\nnode/k8s-ctr cordoned\n!error: unable to drain node "k8s-ctr" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): kube-system/cilium-5fc6j\n1\nnode/k8s-ctr uncordoned\npod/curl-pod\npod/webpod-556878d5d7-7p8bn\npod/webpod-556878d5d7-bq4rz\n',
  ],
  [
    'kubectl create deployment d --image=reg.io:5000/a/web:1.2 --port=80 --dry-run=client -o yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    app: d\n  name: d\n  namespace: default\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: d\n  template:\n    metadata:\n      labels:\n        app: d\n    spec:\n      containers:\n      - image: reg.io:5000/a/web:1.2\n        name: web\n        ports:\n        - containerPort: 80\n',
  ],
  [
    'kubectl create cm x --from-literal==v --dry-run=client || echo $?; kubectl create cm x --from-literal=a=b=c --from-file=/etc/hostname --from-file=k=/etc/hostname --dry-run=server -o yaml',
    '!error: invalid literal source =v, expected key=value\n1\napiVersion: v1\ndata:\n  a: b=c\n  hostname: |\n    k8s-ctr\n  k: |\n    k8s-ctr\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: default\n',
  ],
  [
    'kubectl create ns made --dry-run=none && kubectl create ns made || echo $?; kubectl create ns made x || echo $?; kubectl create deploy d --image=b -o json',
    'namespace/made created\n!Error from server (AlreadyExists): namespaces "made" already exists\n1\n!error: kubectl create: allowed: -f FILE, configmap NAME --from-file=[KEY=]FILE --from-literal=KEY=VALUE, namespace NAME, deployment NAME --image=IMAGE\n1\n!error: --output: got "json", allowed: yaml\n',
    1,
  ],
  [
    'kubectl create deploy d --image=b@sha256:1 --replicas=0 -n made && kubectl create cm c -n made && kubectl get deploy,cm -n made && kubectl delete ns made && kubectl get deploy,cm,pods -A -o name',
    'deployment.apps/d created\nconfigmap/c created\nNAME                READY   UP-TO-DATE   AVAILABLE   AGE\ndeployment.apps/d   0/0     0            0           0s\n\nNAME          DATA   AGE\nconfigmap/c   0      0s\nnamespace "made" deleted\ndeployment.apps/webpod\ndeployment.apps/coredns\nconfigmap/cilium-config\nconfigmap/coredns\npod/curl-pod\npod/webpod-556878d5d7-7p8bn\npod/webpod-556878d5d7-bq4rz\npod/cilium-5fc6j\npod/cilium-nbmtj\npod/coredns-674b8bbfcf-pdmv6\npod/coredns-674b8bbfcf-vvgfm\n',
  ],
  [
    'kubectl expose deploy webpod --port=0 || echo $?; kubectl expose deploy webpod --port=65536 || echo $?; kubectl expose deploy webpod --port=1.5 || echo $?; kubectl expose',
    '!error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535 [--target-port=N] [--name=SERVICE] [--cluster-ip=None]\n1\n!error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535 [--target-port=N] [--name=SERVICE] [--cluster-ip=None]\n1\n!error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535 [--target-port=N] [--name=SERVICE] [--cluster-ip=None]\n1\n!error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535 [--target-port=N] [--name=SERVICE] [--cluster-ip=None]\n',
    1,
  ],
  [
    'kubectl expose deploy webpod --port=65535 --name p1 && kubectl expose deploy/webpod --port=1 --name p2 --cluster-ip=None && kubectl get svc p1 p2 --no-headers && kubectl delete svc p1 p2',
    'service/p1 exposed\nservice/p2 exposed\np1    ClusterIP   10.96.189.227   <none>   65535/TCP   0s\np2    ClusterIP   None            <none>   1/TCP       0s\nservice "p1" deleted from default namespace\nservice "p2" deleted from default namespace\n',
  ],
  [
    'kubectl expose pod curl-pod --port=80 --name p3 -o yaml --dry-run=client && kubectl expose svc kubernetes --port=80 --name p4 || echo $?; kubectl expose deploy nosuch --port=1',
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: p3\n  namespace: default\nspec:\n  ports:\n  - port: 80\n    protocol: TCP\n    targetPort: 80\n  selector:\n    app: curl\n!error: cannot expose a Service without labels, allowed: deployments, daemonsets, pods, services\n1\n!Error from server (NotFound): deployments "nosuch" not found\n',
    1,
  ],
  [
    'kubectl delete ns default || echo $?; kubectl delete ns kube-system || echo $?; kubectl delete ciliumnode || echo $?; kubectl delete ciliumnode nosuch || echo $?; kubectl delete pods --all -n nosuch',
    '!Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n1\n!Error from server (Forbidden): namespaces "kube-system" is forbidden: this namespace may not be deleted\n1\n!error: resource(s) were provided, but no name was specified\n1\n!Error from server (NotFound): ciliumnodes.cilium.io "nosuch" not found\n1\n!No resources found\n',
  ],
  [
    'kubectl apply || echo $?; kubectl apply -f x y || echo $?; kubectl replace -f x y || echo $?; kubectl replace',
    '!error: must specify -f FILE\n1\n!error: must specify -f FILE\n1\n!error: must specify -f FILE\n1\n!error: must specify -f FILE\n',
    1,
  ],
  [
    'kubectl scale deploy webpod --replicas=51 || echo $?; kubectl scale deploy webpod || echo $?; kubectl scale ds cilium -n kube-system --replicas=1',
    '!kubectl scale: --replicas: got "51", allowed: 0 to 50\n1\n!kubectl scale: --replicas: got "", allowed: 0 to 50\n1\n!error: cannot scale a DaemonSet, allowed: deployments\n',
    1,
  ],
  [
    'kubectl scale deploy/webpod --replicas=0 && kubectl get deploy,rs && kubectl get deploy webpod -o jsonpath={.status} && kubectl get rs -o jsonpath={.items[*].status}',
    'deployment.apps/webpod scaled\nNAME                     READY   UP-TO-DATE   AVAILABLE   AGE\ndeployment.apps/webpod   0/0     0            0           5s\n\nNAME                                DESIRED   CURRENT   READY   AGE\nreplicaset.apps/webpod-556878d5d7   0         0         0       5s\n{"availableReplicas":0,"readyReplicas":0,"replicas":0,"updatedReplicas":0,"conditions":[{"type":"Available","status":"True","reason":"MinimumReplicasAvailable"},{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}]}\n{"availableReplicas":0,"fullyLabeledReplicas":0,"readyReplicas":0,"replicas":0}\n',
  ],
  [
    'kubectl describe deploy webpod | tail -12',
    'Conditions:\n  Type           Status  Reason\n  ----           ------  ------\n  Available      True    MinimumReplicasAvailable\n  Progressing    True    NewReplicaSetAvailable\nOldReplicaSets:  <none>\nNewReplicaSet:   webpod-556878d5d7 (0/0 replicas created)\nEvents:\n  Type    Reason             Age  From                   Message\n  ----    ------             ---  ----                   -------\n  Normal  ScalingReplicaSet  5s   deployment-controller  Scaled up replica set webpod-556878d5d7 from 0 to 2\n  Normal  ScalingReplicaSet  0s   deployment-controller  Scaled down replica set webpod-556878d5d7 from 2 to 0\n',
  ],
  [
    'kubectl scale deploy/webpod --replicas=2 && kubectl get deploy --no-headers',
    'deployment.apps/webpod scaled\nwebpod   2/2   2     2     5s\n',
  ],
  [
    'kubectl scale deploy/webpod --replicas=50 && kubectl scale deploy/webpod --replicas=2 && kubectl get pods --no-headers | wc -l',
    'deployment.apps/webpod scaled\ndeployment.apps/webpod scaled\n3\n',
  ],
  [
    'kubectl describe ds cilium -n kube-system | head -14',
    'Name:           cilium\nNamespace:      kube-system\nSelector:       k8s-app=cilium\nNode-Selector:  <none>\nLabels:         k8s-app=cilium\nAnnotations:    <none>\nDesired Number of Nodes Scheduled: 2\nCurrent Number of Nodes Scheduled: 2\nNumber of Nodes Scheduled with Up-to-date Pods: 2\nNumber of Nodes Scheduled with Available Pods: 2\nNumber of Nodes Misscheduled: 0\nPods Status:  2 Running / 0 Waiting / 0 Succeeded / 0 Failed\nPod Template:\n  Labels:           k8s-app=cilium\n',
  ],
  [
    'kubectl rollout || echo $?; kubectl rollout restart || echo $?; kubectl rollout restart svc/webpod',
    '!error: kubectl rollout: got "", allowed: restart, status, history, undo, pause, resume\n1\n!error: kubectl rollout needs a kind and a name\n1\n!error: cannot roll out a Service, allowed: deployments, daemonsets\n',
    1,
  ],
  [
    'kubectl rollout status deploy/webpod ds/cilium || echo $?; kubectl rollout history ds/cilium -n kube-system && kubectl rollout pause ds/cilium -n kube-system || echo $?; kubectl rollout undo deploy/webpod',
    'deployment "webpod" successfully rolled out\n!Error from server (NotFound): daemonsets.apps "cilium" not found\n1\ndaemonset.apps/cilium \nREVISION  CHANGE-CAUSE\n1         <none>\n\n!error: daemonsets.apps "cilium" pausing is not supported\n1\n!error: no rollout history found for deployment.apps/webpod\n',
    1,
  ],
  [
    'kubectl set || echo $?; kubectl set image deploy/webpod || echo $?; kubectl set resources deploy/webpod a=b || echo $?; kubectl set image svc/webpod a=b || echo $?; kubectl set image deploy/webpod nosuch=b',
    '!error: kubectl set: allowed: kubectl set image KIND/NAME CONTAINER=IMAGE..., kubectl set env KIND/NAME NAME=VALUE... or NAME-\n1\n!error: kubectl set: allowed: kubectl set image KIND/NAME CONTAINER=IMAGE..., kubectl set env KIND/NAME NAME=VALUE... or NAME-\n1\n!error: kubectl set: allowed: kubectl set image KIND/NAME CONTAINER=IMAGE..., kubectl set env KIND/NAME NAME=VALUE... or NAME-\n1\n!error: service/webpod has no template of pods\n1\n!error: unable to find container named "nosuch" in deployment.apps/webpod\n',
    1,
  ],
  [
    `kubectl set image deploy/webpod '*=nginx:2' && kubectl get deploy webpod -o jsonpath={.spec.template.spec.containers[*].image}`,
    'deployment.apps/webpod image updated\nnginx:2\n',
  ],
  [
    'kubectl set env deploy webpod A=b=c && kubectl set env deploy webpod D=e A- && kubectl get deploy webpod -o jsonpath={.spec.template.spec.containers[*].env}',
    'deployment.apps/webpod env updated\ndeployment.apps/webpod env updated\n[{"name":"D","value":"e"}]\n',
  ],
  [
    'kubectl rollout undo deploy/webpod --to-revision=1 && kubectl rollout history deploy/webpod && kubectl rollout undo deploy/webpod && kubectl rollout undo deploy/webpod --to-revision=77',
    'deployment.apps/webpod rolled back\ndeployment.apps/webpod \nREVISION  CHANGE-CAUSE\n2         <none>\n3         <none>\n4         <none>\n5         <none>\n\ndeployment.apps/webpod rolled back\n!error: unable to find specified revision 77 in history; there are 2, 3, 5, 6\n',
    1,
  ],
  [
    'kubectl rollout history deploy/webpod --revision=1000001 || echo $?; kubectl rollout history deploy/webpod --revision=3 && kubectl rollout history deploy/webpod --revision=77',
    '!kubectl rollout: --revision: got "1000001", allowed: 0 to 1000000\n1\ndeployment.apps/webpod with revision #3\nPod Template:\n  Labels:\tapp=webpod\n  Containers:\n   webpod:\n    Image:\tnginx:2\n    Environment:\n      A:\tb=c\n!error: unable to find specified revision 77 in history; there are 2, 3, 5, 6\n',
    1,
  ],
  [
    'kubectl rollout pause deploy/webpod && kubectl get deploy webpod -o jsonpath={.spec.paused} && kubectl rollout pause deploy/webpod || echo $?; kubectl rollout resume deploy/webpod && kubectl rollout resume deploy/webpod || echo $?; kubectl get deploy webpod -o jsonpath={.spec.paused}',
    'deployment.apps/webpod paused\ntrue\n!error: deployments.apps "webpod" is already paused\n1\ndeployment.apps/webpod resumed\n!error: deployments.apps "webpod" is not paused\n1\n',
  ],
  [
    'kubectl rollout restart deploy webpod && kubectl get rs && kubectl rollout restart ds/cilium -n kube-system && kubectl get ds -A --no-headers && kubectl rollout undo ds/cilium -n kube-system',
    'deployment.apps/webpod restarted\nNAME                DESIRED   CURRENT   READY   AGE\nwebpod-556878d5d7   0         0         0       5s\nwebpod-bkq5rxqhsm   0         0         0       0s\nwebpod-jr7d7zzdwl   0         0         0       0s\nwebpod-pw87gg44xs   0         0         0       0s\nwebpod-tp6ls2p64s   2         2         2       0s\ndaemonset.apps/cilium restarted\nkube-system   cilium   2     2     2     2     2     <none>   5s\ndaemonset.apps/cilium rolled back\n',
  ],
  [
    `kubectl label svc webpod a=b c=d && kubectl label svc/webpod a=c || echo $?; kubectl label svc/webpod a=c --overwrite && kubectl label svc/webpod a- c- && kubectl annotate svc webpod n=1 m=x=y && kubectl get svc webpod -o jsonpath='{.metadata.annotations} {.metadata.labels}' && kubectl annotate svc webpod n- m-`,
    `service/webpod labeled\n!error: 'a' already has a value (b), and --overwrite is false\n1\nservice/webpod labeled\nservice/webpod unlabeled\nservice/webpod annotated\n{"n":"1","m":"x=y"} {"app":"webpod"}\nservice/webpod annotated\n`,
  ],
  [
    `kubectl label svc || echo $?; kubectl label svc webpod || echo $?; kubectl label svc webpod a || echo $?; kubectl label svc webpod 'a b=c'`,
    '!error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-\n1\n!error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-\n1\n!error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-\n1\n!error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-\n',
    1,
  ],
  [
    `kubectl patch svc webpod -p '{"metadata":{"labels":{"x":"y"}}}' && kubectl patch svc/webpod -p '{"metadata":{"labels":{"x":"y"}}}' && kubectl patch svc/webpod --type=merge -p '{"metadata":{"labels":{"x":null}}}' && kubectl patch svc -p '{}' || echo $?; kubectl patch svc webpod --type json -p '[{"op":"remove","path":"/nosuch"}]'`,
    'service/webpod patched\nservice/webpod patched (no change)\nservice/webpod patched\n!error: kubectl patch needs an object: kubectl patch KIND NAME -p PATCH\n1\n!error: there is nothing at /nosuch\n',
    1,
  ],
  [
    'kubectl edit svc webpod -o json || echo $?; kubectl edit svc || echo $?; kubectl edit svc webpod x || echo $?; kubectl edit svc/webpod x || echo $?; kubectl edit svc nosuch',
    '!error: --output: got "json", allowed: yaml\n1\n!error: kubectl edit needs one object: kubectl edit KIND NAME\n1\n!error: kubectl edit needs one object: kubectl edit KIND NAME\n1\n!error: kubectl edit needs one object: kubectl edit KIND NAME\n1\n!Error from server (NotFound): services "nosuch" not found\n',
    1,
  ],
  [
    `EDITOR='sed -i s/nosuch/x/' kubectl edit svc webpod; echo $?; EDITOR='sed -i d' kubectl edit svc webpod; echo $?; EDITOR=false kubectl edit svc webpod || echo $?; EDITOR='sed -i s/ClusterIP/Cluster/' kubectl edit svc webpod`,
    '!Edit cancelled, no changes made.\n0\n!Edit cancelled, saved file was empty.\n0\n!error: there was a problem with the editor "false"\n1\n!error: Edit cancelled, no valid changes were saved.\nservices "webpod" was not valid:\n* invalid Service default/webpod\n',
    1,
  ],
  [
    `EDITOR='sed -i s/app:.webpod/app:\\ web/' kubectl edit svc/webpod && kubectl get ep webpod --no-headers 2> /dev/null && EDITOR='sed -i s/app:.web/app:\\ webpod/' KUBE_EDITOR='sed -i s/app:.web/app:\\ webpod/' kubectl edit svc webpod && kubectl get svc webpod -o wide --no-headers`,
    'service/webpod edited\nwebpod   <none>   5s\nservice/webpod edited\nwebpod   ClusterIP   10.96.152.212   <none>   80/TCP   5s    app=webpod\n',
  ],
  [
    `EDITOR='sed -i s/name:.webpod/name:\\ other/' kubectl edit svc webpod || echo $?; EDITOR='sed -i s/kind:.Service/kind:/' kubectl edit svc webpod`,
    '!error: Edit cancelled, no valid changes were saved.\nservices "webpod" was not valid:\n* kind, metadata.name and metadata.namespace may not be changed, and the file holds one object\n1\n!error: Edit cancelled, no valid changes were saved.\nThe edited file had a syntax error: the edited file:1:1: an object without kind\n',
    1,
  ],
  [
    'kubectl create deployment d --image b --replicas 2 --port 80 --namespace x --dry-run client --output yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    app: d\n  name: d\n  namespace: x\nspec:\n  replicas: 2\n  selector:\n    matchLabels:\n      app: d\n  template:\n    metadata:\n      labels:\n        app: d\n    spec:\n      containers:\n      - image: b\n        name: b\n        ports:\n        - containerPort: 80\n',
  ],
  [
    'kubectl create cm x --from-literal a=b --from-file k=/etc/hostname --dry-run client -o yaml && kubectl expose deploy webpod --port 1 --target-port 2 --name n --cluster-ip None --dry-run client -o yaml',
    'apiVersion: v1\ndata:\n  a: b\n  k: |\n    k8s-ctr\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: default\napiVersion: v1\nkind: Service\nmetadata:\n  name: "n"\n  namespace: default\nspec:\n  clusterIP: None\n  ports:\n  - port: 1\n    protocol: TCP\n    targetPort: 2\n  selector:\n    app: webpod\n',
  ],
  [
    'kubectl run x --image b --labels a=b --restart Never --port 1 --env A=b --image-pull-policy Never --overrides {} --dry-run client -o yaml',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    a: b\n  name: x\n  namespace: default\nspec:\n  containers:\n  - env:\n    - name: A\n      value: b\n    image: b\n    name: x\n    ports:\n    - containerPort: 1\n',
  ],
  [
    'kubectl debug curl-pod --image b --target c --container d --profile p --namespace default hostname 2> /dev/null && kubectl exec --namespace default --container c curl-pod -- hostname && kubectl cp --container c --namespace default /etc/hostname curl-pod:/x',
    'curl-pod\ncurl-pod\n',
  ],
  [
    'kubectl get pods --namespace kube-system --selector k8s-app=kube-dns --field-selector spec.nodeName=k8s-ctr --output name --sort-by .metadata.name && kubectl logs --namespace default --tail 1 --since 1h --container x curl-pod && kubectl logs --selector app=nosuch',
    'pod/coredns-674b8bbfcf-pdmv6\npod/coredns-674b8bbfcf-vvgfm\n!No resources found in default namespace.\n',
  ],
  [
    'kubectl api-resources --namespaced false --api-group cilium.io --namespace x --no-headers && kubectl auth can-i list pods --as x --namespace y && kubectl config view --output yaml | head -1 && kubectl diff --filename x --namespace y',
    'ciliumnodes   cn,ciliumn   cilium.io/v2   false   CiliumNode\nyes\napiVersion: v1\n!cannot read x: no such file\n',
    1,
  ],
  [
    'kubectl drain k8s-w1 --grace-period 0 --timeout 5s --namespace x || echo $?; kubectl uncordon k8s-w1 --namespace x && kubectl rollout history deploy/webpod --revision 5 && kubectl rollout undo deploy/webpod --to-revision 5 && kubectl rollout status deploy/webpod --timeout 5s',
    'node/k8s-w1 cordoned\n!error: unable to drain node "k8s-w1" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): kube-system/cilium-g88cz\n1\nnode/k8s-w1 uncordoned\ndeployment.apps/webpod with revision #5\nPod Template:\n  Labels:\tapp=webpod\n  Containers:\n   webpod:\n    Image:\ttraefik/whoami\ndeployment.apps/webpod rolled back\ndeployment "webpod" successfully rolled out\n',
  ],
  [
    `kubectl patch svc webpod --type merge --patch '{"metadata":{"labels":{"z":"1"}}}' --namespace default && kubectl edit svc webpod --output json || echo $?; kubectl delete svc --selector z=1 --grace-period 0 --namespace default && kubectl wait --for condition=Ready --timeout 1s --selector app=curl pod --namespace default`,
    'service/webpod patched\n!error: --output: got "json", allowed: yaml\n1\nservice "webpod" deleted from default namespace\npod/curl-pod condition met\n',
  ],
  [
    'kubectl set image a=b || echo $?; kubectl set env deploy/webpod D=e && kubectl set env deploy/webpod D=f D2=g && kubectl get deploy webpod -o jsonpath={.spec.template.spec.containers[*].env} && kubectl set image deploy/webpod webpod=c:1 --namespace default',
    '!error: kubectl set needs a kind and a name\n1\ndeployment.apps/webpod env updated\ndeployment.apps/webpod env updated\n[{"name":"D","value":"f"},{"name":"D2","value":"g"}]\ndeployment.apps/webpod image updated\n',
  ],
  [
    'kubectl wait || echo $?; kubectl wait pod || echo $?; kubectl wait pod x || echo $?; kubectl wait pod -l app=nosuch || echo $?; kubectl wait pod --for=delete || echo $?; kubectl wait pod/nosuch --for=delete && kubectl wait pod --all --for=jsonpath={.status.podIP} --timeout=0s && kubectl wait pod curl-pod --for=condition=ready=true && kubectl wait pod curl-pod --for=jsonpath={.spec.nodeName}=x --timeout=1s || echo $?; kubectl wait pods -A -l k8s-app=kube-dns --for=condition=Ready && kubectl wait pod/curl-pod --for=condition=Ready --timeout=-1s',
    `!error: the server doesn't have a resource type ""; it has namespaces, services, pods, configmaps, serviceaccounts, events, endpointslices, deployments, daemonsets, clusterroles, clusterrolebindings, ciliumlocalredirectpolicies, nodes, endpoints, replicasets, ciliumnodes, customresourcedefinitions, ciliumendpoints\n1\n!error: resource(s) were provided, but no name was specified\n1\n!error: --for: got "", allowed: delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]\n1\n!error: --for: got "", allowed: delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]\n1\n!error: resource(s) were provided, but no name was specified\n1\npod/curl-pod condition met\npod/webpod-7gb6mz4hnn-2r97w condition met\npod/webpod-7gb6mz4hnn-2vzll condition met\npod/curl-pod condition met\n!error: timed out waiting for the condition on pods/curl-pod\n1\npod/coredns-674b8bbfcf-pdmv6 condition met\npod/coredns-674b8bbfcf-vvgfm condition met\n!error: --timeout: got "-1s", allowed: a duration such as 60s or 1m30s\n`,
    1,
  ],
  [
    `EDITOR='sed -i -e s/type:.ClusterX/type:\\ NodePort/ -e s/type:.ClusterIP/type:\\ ClusterX/' kubectl edit svc kubernetes && kubectl get svc kubernetes -o jsonpath={.spec.type}`,
    'service/kubernetes edited\nNodePort\n',
  ],
  [
    `printf 'apiVersion: v1\\nkind: Pod\\nmetadata: { name: bare }\\nspec: { containers: [] }\\n' > bare.yaml && kubectl apply -f bare.yaml && kubectl get cep bare -o jsonpath={.metadata} && kubectl describe pod bare | head -12 && kubectl delete -f bare.yaml && kubectl delete -f bare.yaml || echo $?; kubectl create -f bare.yaml && kubectl replace -f bare.yaml && kubectl replace --force -f bare.yaml -n default && kubectl delete pod bare --grace-period=0`,
    'pod/bare created\n{"name":"bare","namespace":"default","creationTimestamp":"2025-07-30T14:56:21Z","resourceVersion":"1","uid":"e6d43eec-4203-4a52-a69d-7529cefdd21f"}\nName:             bare\nNamespace:        default\nPriority:         0\nService Account:  default\nNode:             k8s-w1/192.168.10.101\nStart Time:       Wed, 30 Jul 2025 14:56:21 +0000\nLabels:           <none>\nAnnotations:      <none>\nStatus:           Running\nIP:               172.20.0.108\nIPs:\n  IP:  172.20.0.108\npod "bare" deleted from default namespace\n!Error from server (NotFound): pods "bare" not found\n1\npod/bare created\npod/bare replaced\npod/bare replaced\npod "bare" deleted from default namespace\n',
  ],
  [
    `timeout 2 kubectl get pods -w --no-headers > seen & kubectl run w --image=b; kubectl delete pod w && sleep 2 && awk '{ print $1, $2, $3 }' seen`,
    '![1] 10026\npod/w created\npod "w" deleted from default namespace\ncurl-pod 1/1 Running\nw 1/1 Running\nwebpod-7gb6mz4hnn-2r97w 1/1 Running\nwebpod-7gb6mz4hnn-2vzll 1/1 Running\nw 0/1 Terminating\n',
  ],
  [
    `kubectl expose deploy webpod --port 80 && crash deploy/webpod > crashed && kubectl get ep webpod -o jsonpath={.subsets[*].notReadyAddresses[*].ip} | wc -w && kubectl get deploy,rs --no-headers | awk '{ print $1, $2, $3, $4 }' && kubectl get deploy webpod -o jsonpath={.status.conditions}`,
    'service/webpod exposed\n1\ndeployment.apps/webpod 1/2 2 1\n   \nreplicaset.apps/webpod-556878d5d7 0 0 0\nreplicaset.apps/webpod-7gb6mz4hnn 2 2 1\nreplicaset.apps/webpod-bkq5rxqhsm 0 0 0\nreplicaset.apps/webpod-fqh5hs8ssm 0 0 0\nreplicaset.apps/webpod-jr7d7zzdwl 0 0 0\nreplicaset.apps/webpod-pw87gg44xs 0 0 0\nreplicaset.apps/webpod-t9fzzxsf45 0 0 0\nreplicaset.apps/webpod-tp6ls2p64s 0 0 0\n[{"type":"Available","status":"False","reason":"MinimumReplicasUnavailable"},{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}]\n',
  ],
  [
    `printf 'apiVersion: v1\\nkind: Service\\nmetadata: { name: out }\\nspec: { type: ExternalName, externalName: a.example.org }\\n' | kubectl apply -f - && kubectl get svc out -o jsonpath={.spec} && kubectl describe svc out && kubectl get svc out --no-headers`,
    'service/out created\n{"sessionAffinity":"None","type":"ExternalName","externalName":"a.example.org"}\nName:              out\nNamespace:         default\nLabels:            <none>\nAnnotations:       <none>\nSelector:          <none>\nType:              ExternalName\nIP Families:       <none>\nIP:                \nIPs:               <none>\nExternal Name:     a.example.org\nSession Affinity:  None\nEvents:            <none>\nout   ExternalName   <none>   <none>   <none>   0s\n',
  ],
  [
    `printf 'apiVersion: apps/v1\\nkind: Deployment\\nmetadata: { name: re }\\nspec: { replicas: 1, strategy: { type: Recreate }, selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } }, spec: { containers: [ { name: c, image: i } ] } } }\\n' | kubectl apply -f - && kubectl get deploy re -o jsonpath={.spec.strategy} && kubectl describe deploy re | head -13 && kubectl delete deploy re && kubectl delete cn k8s-w1 && kubectl get cn --no-headers`,
    'deployment.apps/re created\n{"type":"Recreate"}\nName:               re\nNamespace:          default\nCreationTimestamp:  Wed, 30 Jul 2025 14:56:23 +0000\nLabels:             <none>\nAnnotations:        <none>\nSelector:           a=b\nReplicas:           1 desired | 1 updated | 1 total | 1 available | 0 unavailable\nStrategyType:       Recreate\nMinReadySeconds:    0\nPod Template:\n  Labels:  a=b\n  Containers:\n   c:\ndeployment.apps "re" deleted from default namespace\nciliumnode.cilium.io "k8s-w1" deleted\nk8s-ctr   172.20.1.246   192.168.10.100   8s\n',
  ],
  [
    `kubectl patch svc kubernetes -p '{'`,
    '!error: unable to parse "{": Flow map must end with a } at line 1, column 2:\n',
    1,
  ],
  [
    'kubectl drain nodes/k8s-w1 --ignore-daemonsets && kubectl get pods -A --field-selector spec.nodeName=k8s-w1 -o name; kubectl uncordon k8s-w1',
    'node/k8s-w1 cordoned\n!Warning: ignoring DaemonSet-managed Pods: kube-system/cilium-g88cz\nevicting pod default/webpod-7gb6mz4hnn-2vzll\npod/webpod-7gb6mz4hnn-2vzll evicted\nnode/k8s-w1 drained\npod/cilium-g88cz\nnode/k8s-w1 uncordoned\n',
  ],
  [
    'kubectl delete ds -n kube-system --all && kubectl drain k8s-w1 && kubectl drain k8s-w1 --ignore-daemonsets',
    'daemonset.apps "cilium" deleted from kube-system namespace\nnode/k8s-w1 cordoned\nnode/k8s-w1 drained\nnode/k8s-w1 already cordoned\nnode/k8s-w1 drained\n',
  ],
];
