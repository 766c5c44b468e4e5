import type { CommandLine } from '../command-lines.js';

/** What kubectl shows of the objects of the cluster of two nodes. */
export const OBJECT_LINES: readonly CommandLine[] = [
  [
    `kubectl get svc -A --no-headers --sort-by=.spec.ports[0].port | awk '{print $2}'`,
    'kube-dns\nwebpod\nkubernetes\n',
  ],
  [
    'kubectl get svc -A --sort-by=.spec.ports[0].port -o name',
    'service/kube-dns\nservice/webpod\nservice/kubernetes\n',
  ],
  [
    `kubectl get svc -A --field-selector metadata.namespace=kube-system --no-headers | awk '{print $1, $2}'`,
    'kube-system kube-dns\n',
  ],
  ['kubectl get svc -A --field-selector metadata.namespace==default -o name', 'service/kubernetes\nservice/webpod\n'],
  [
    `kubectl get svc --show-labels --no-headers | awk '{print $1, $NF}'`,
    'kubernetes component=apiserver,provider=kubernetes\nwebpod app=webpod\n',
  ],
  [`kubectl get pods curl-pod nosuch --ignore-not-found --no-headers | awk '{print $1}'`, 'curl-pod\n'],
  [
    'kubectl get pod nosuch --ignore-not-found -o name && kubectl get pod/curl-pod pod/nosuch -o name',
    '!Error from server (NotFound): pods "nosuch" not found\n',
    1,
  ],
  [
    'kubectl get pod curl-pod -o nosuch',
    '!error: unable to match a printer suitable for the output format "nosuch", allowed formats are: wide, yaml, json, name, jsonpath=..., go-template=..., custom-columns=...\n',
    1,
  ],
  [
    'kubectl get svc kubernetes -o custom-columns=NAME:metadata.name,NONE:.x,IP:.spec.clusterIP',
    'NAME         NONE     IP\nkubernetes   <none>   10.96.0.1\n',
  ],
  ['kubectl get svc kubernetes -o custom-columns=NAME:metadata.name --no-headers', 'kubernetes\n'],
  [
    'kubectl get svc kubernetes -o jsonpath=.metadata.name && kubectl get svc kubernetes -o jsonpath=metadata.name',
    'kubernetes\nkubernetes\n',
  ],
  [
    `kubectl get svc kubernetes -o jsonpath='{range .spec.ports[*]}{"p\\t"}{.port}{"\\n"}{end}{"end"}'`,
    'p\t443\nend\n',
  ],
  [
    `kubectl get svc kubernetes -o jsonpath='{.spec.ports[0]'`,
    '!error: error parsing jsonpath {.spec.ports[0]: a brace is not closed; allowed: {.a.b}, {.items[*].metadata.name}, {.items[0]}, {.items[?(@.a=="b")]}, {range .items[*]}...{end}, {"\\n"}\n',
    1,
  ],
  [
    `kubectl get svc kubernetes -o jsonpath='{.spec.ports[?(@.port!=443)].name}x{.spec.ports[?(@.port==443)].name}'`,
    'xhttps\n',
  ],
  [`kubectl get svc -A -o jsonpath="{.items[?(@.metadata.name=='webpod')].spec.ports[*].port}"`, '80\n'],
  [`kubectl get svc kubernetes -o jsonpath='{.*.name}'`, 'kubernetes\n'],
  [
    `timeout 1 kubectl get pods -w --no-headers | awk '{print $1, $3}'`,
    'curl-pod Running\nwebpod-556878d5d7-7p8bn Running\nwebpod-556878d5d7-r4dmh Running\n',
  ],
  ['kubectl get pods --raw /livez && kubectl get --raw /readyz', 'ok\nok\n'],
  [
    'kubectl get --raw /readyz/',
    '!Error from server (NotFound): the server could not find the requested resource: got /readyz/, allowed: /healthz, /livez, /readyz, /version, /api/v1/KIND, /api/v1/namespaces/NAMESPACE/KIND/NAME, /apis/GROUP/VERSION/...\n',
    1,
  ],
  [
    'kubectl get --raw /api/v1/namespaces/default/services/webpod',
    '{"apiVersion":"v1","kind":"Service","metadata":{"name":"webpod","namespace":"default","labels":{"app":"webpod"},"creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1012","uid":"334966f6-b2cb-46a7-ad1a-941d6a0e048f"},"spec":{"clusterIPs":["10.96.152.212"],"internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","sessionAffinity":"None","clusterIP":"10.96.152.212","selector":{"app":"webpod"},"ports":[{"protocol":"TCP","targetPort":80,"port":80}],"type":"ClusterIP"},"status":{"loadBalancer":{}}}\n',
  ],
  [
    'kubectl get --raw /api/v1/namespaces/kube-system/pods/curl-pod',
    '!Error from server (NotFound): pods "curl-pod" not found\n',
    1,
  ],
  [
    'kubectl get --raw /api/v1/namespaces',
    '{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":""},"items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default","labels":{"kubernetes.io/metadata.name":"default"},"creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1001","uid":"cfb214eb-d1ab-4dad-a155-efe7abb0d7f9"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}},{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","labels":{"kubernetes.io/metadata.name":"kube-system"},"creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1002","uid":"2068c27e-052d-4d0e-a2a3-f4772c9721f4"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}]}\n',
  ],
  [
    'kubectl get --raw /apis/apps/v1/namespaces/default/deployments/webpod',
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"webpod","namespace":"default","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1011","uid":"96a1ea4c-6400-495e-a487-9dcbdf013252"},"spec":{"progressDeadlineSeconds":600,"replicas":2,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"webpod"}},"template":{"metadata":{"labels":{"app":"webpod"}},"spec":{"containers":[{"name":"webpod","image":"traefik/whoami","ports":[{"protocol":"TCP","containerPort":80}]}]}},"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"}},"status":{"availableReplicas":2,"readyReplicas":2,"replicas":2,"updatedReplicas":2,"conditions":[{"type":"Available","status":"True","reason":"MinimumReplicasAvailable"},{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}]}}\n',
  ],
  [
    'kubectl get --raw /apis/apps/v1/pods',
    '!Error from server (NotFound): the server could not find the requested resource: got /apis/apps/v1/pods, allowed: /healthz, /livez, /readyz, /version, /api/v1/KIND, /api/v1/namespaces/NAMESPACE/KIND/NAME, /apis/GROUP/VERSION/...\n',
    1,
  ],
  [
    `kubectl get pods -o go-template='{{range .items}}{{.metadata.name}} {{end}}'`,
    'curl-pod webpod-556878d5d7-7p8bn webpod-556878d5d7-r4dmh \n',
  ],
  [
    `kubectl get pods -o go-template='{{range .items'`,
    '!error: error parsing template {{range .items, action without closing }}\n',
    1,
  ],
  [
    `kubectl get pod curl-pod -o template='{{.spec.nodeName}}{{.nosuch}}{{range .status.podIPs}}{{.ip}}{{end}} {{len .metadata.labels}}'`,
    'k8s-ctr<no value>172.20.1.236 1\n',
  ],
  [`kubectl get deploy webpod -o go-template='{{.spec.replicas}} {{.spec.template.spec.nosuch}}'`, '2 <no value>\n'],
  [
    'kubectl get ciliumnode k8s-ctr -o jsonpath={.metadata}',
    '{"name":"k8s-ctr","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1","uid":"b62a7106-9732-4301-a0e7-2fa6658e31f3"}\n',
  ],
  ['kubectl get pod curl-pod -o jsonpath={.metadata.uid}', 'c80d307e-cd4b-4d63-a8ea-1d4ebbbb0ff8\n'],
  [
    'kubectl get ns default -o jsonpath={.metadata}',
    '{"name":"default","labels":{"kubernetes.io/metadata.name":"default"},"creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1001","uid":"cfb214eb-d1ab-4dad-a155-efe7abb0d7f9"}\n',
  ],
  [
    `kubectl get node k8s-ctr -o jsonpath='{.metadata.labels} {.spec} {.status.addresses} {.status.nodeInfo}'`,
    '{"beta.kubernetes.io/arch":"amd64","beta.kubernetes.io/os":"linux","kubernetes.io/arch":"amd64","kubernetes.io/hostname":"k8s-ctr","kubernetes.io/os":"linux","node-role.kubernetes.io/control-plane":""} {"podCIDR":"172.20.1.0/24","podCIDRs":["172.20.1.0/24"]} [{"type":"InternalIP","address":"192.168.10.100"},{"type":"Hostname","address":"k8s-ctr"}] {"kubeletVersion":"v1.33.2","osImage":"Ubuntu 24.04.2 LTS","kernelVersion":"6.8.0-53-generic","containerRuntimeVersion":"containerd://1.7.27","operatingSystem":"linux","architecture":"amd64"}\n',
  ],
  [
    `kubectl get node k8s-w1 -o jsonpath='{.status.conditions[0]} {.status.conditions[*].type} {.status.conditions[*].status}'`,
    '{"type":"NetworkUnavailable","status":"False","reason":"CiliumIsUp","message":"Cilium is running on this node","lastHeartbeatTime":"2025-07-30T14:56:15Z","lastTransitionTime":"2025-07-30T14:56:15Z"} NetworkUnavailable MemoryPressure DiskPressure PIDPressure Ready False False False False True\n',
  ],
  [
    'kubectl get crd && kubectl get crd ciliumlocalredirectpolicies.cilium.io -o yaml',
    'NAME                                    CREATED AT\nciliumendpoints.cilium.io               2025-07-30T14:56:15Z\nciliumlocalredirectpolicies.cilium.io   2025-07-30T14:56:15Z\nciliumnodes.cilium.io                   2025-07-30T14:56:15Z\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  creationTimestamp: "2025-07-30T14:56:15Z"\n  name: ciliumlocalredirectpolicies.cilium.io\n  resourceVersion: "1"\n  uid: d501d10c-a5e9-4221-aa4c-143e2939c7b1\nspec:\n  group: cilium.io\n  names:\n    kind: CiliumLocalRedirectPolicy\n    listKind: CiliumLocalRedirectPolicyList\n    plural: ciliumlocalredirectpolicies\n    shortNames:\n    - clrp\n    singular: ciliumlocalredirectpolicy\n  scope: Namespaced\n  versions:\n  - name: v2\n    served: true\n    storage: true\n',
  ],
  [
    `kubectl get crd -o jsonpath='{.items[*].spec.scope} {.items[0].metadata}'`,
    'Namespaced Namespaced Cluster {"name":"ciliumendpoints.cilium.io","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1","uid":"50b1d245-f802-466f-a59c-e5fe7c44e46f"}\n',
  ],
  [
    'kubectl get cm,sa -A',
    'NAMESPACE     NAME                      DATA   AGE\nkube-system   configmap/cilium-config   17     1s\nkube-system   configmap/coredns         1      1s\n\nNAMESPACE     NAME                     SECRETS   AGE\nkube-system   serviceaccount/coredns   0         1s\n',
  ],
  [
    `kubectl get endpointslices -A -o jsonpath='{.items[*].metadata.name} {.items[1]}'`,
    'kubernetes webpod-wtmqg kube-dns-7ztgn {"addressType":"IPv4","apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","endpoints":[{"addresses":["172.20.1.40"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"k8s-ctr","targetRef":{"kind":"Pod","name":"webpod-556878d5d7-7p8bn","namespace":"default"}},{"addresses":["172.20.0.130"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"k8s-w1","targetRef":{"kind":"Pod","name":"webpod-556878d5d7-r4dmh","namespace":"default"}}],"metadata":{"name":"webpod-wtmqg","namespace":"default","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1012","uid":"660d4947-200a-4872-ac90-cb958aaa2cb4","labels":{"app":"webpod","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"webpod"}},"ports":[{"name":"","port":80,"protocol":"TCP"}]}\n',
  ],
  [
    'kubectl get endpointslices -A',
    'NAMESPACE     NAME             ADDRESSTYPE   PORTS     ENDPOINTS                   AGE\ndefault       kubernetes       IPv4          6443      192.168.10.100              1s\ndefault       webpod-wtmqg     IPv4          80        172.20.0.130,172.20.1.40    1s\nkube-system   kube-dns-7ztgn   IPv4          53,9153   172.20.0.186,172.20.1.144   1s\n',
  ],
  [
    `kubectl get endpoints -A -o jsonpath='{.items[*].metadata.name} {.items[1]} {.items[2].subsets}'`,
    'kubernetes webpod kube-dns {"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"webpod","namespace":"default","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1012","uid":"295b54e8-091f-4dac-abf7-fd9cd2445932","labels":{"app":"webpod"}},"subsets":[{"addresses":[{"ip":"172.20.1.40","nodeName":"k8s-ctr"},{"ip":"172.20.0.130","nodeName":"k8s-w1"}],"ports":[{"port":80,"protocol":"TCP"}]}]} [{"addresses":[{"ip":"172.20.0.186","nodeName":"k8s-w1"},{"ip":"172.20.1.144","nodeName":"k8s-ctr"}],"ports":[{"name":"dns","port":53,"protocol":"UDP"},{"name":"dns-tcp","port":53,"protocol":"TCP"},{"name":"metrics","port":9153,"protocol":"TCP"}]}]\n',
  ],
  [
    `kubectl get cep -A -o jsonpath='{.items[0]}'`,
    '{"apiVersion":"cilium.io/v2","kind":"CiliumEndpoint","metadata":{"name":"curl-pod","namespace":"default","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1","uid":"32f7f4cb-68e9-4bea-ac1e-93e8371c948b","labels":{"app":"curl"}},"status":{"id":2005,"identity":{"id":5580,"labels":["k8s:app=curl","k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default","k8s:io.cilium.k8s.policy.cluster=default","k8s:io.cilium.k8s.policy.serviceaccount=default","k8s:io.kubernetes.pod.namespace=default"]},"networking":{"addressing":[{"ipv4":"172.20.1.236"}],"node":"192.168.10.100"},"state":"ready"}}\n',
  ],
  [
    'kubectl get cep -A && kubectl get cn',
    'NAMESPACE     NAME                       SECURITY IDENTITY   ENDPOINT STATE   IPV4           IPV6\ndefault       curl-pod                   5580                ready            172.20.1.236   \ndefault       webpod-556878d5d7-7p8bn    12497               ready            172.20.1.40    \ndefault       webpod-556878d5d7-r4dmh    12497               ready            172.20.0.130   \nkube-system   coredns-674b8bbfcf-gbnm8   28565               ready            172.20.0.186   \nkube-system   coredns-674b8bbfcf-vvgfm   28565               ready            172.20.1.144   \nNAME      CILIUMINTERNALIP   INTERNALIP       AGE\nk8s-ctr   172.20.1.246       192.168.10.100   1s\nk8s-w1    172.20.0.147       192.168.10.101   1s\n',
  ],
  [
    `kubectl get cn k8s-w1 -o jsonpath='{.spec} {.status.ipam}'`,
    '{"addresses":[{"ip":"192.168.10.101","type":"InternalIP"},{"ip":"172.20.0.147","type":"CiliumInternalIP"}],"bootid":"d76ea144-72ef-4bfb-aa19-77e11ccc3b06","health":{},"ingress":{},"ipam":{"podCIDRs":["172.20.0.0/24"],"pools":{}}} {"operator-status":{},"used":{"172.20.0.130":{"owner":"default/webpod-556878d5d7-r4dmh"},"172.20.0.186":{"owner":"kube-system/coredns-674b8bbfcf-gbnm8"}}}\n',
  ],
  [
    `kubectl get events && kubectl get events -o jsonpath='{.items[0]}'`,
    'LAST SEEN   TYPE     REASON              OBJECT                         MESSAGE\n1s          Normal   ScalingReplicaSet   deployment/webpod              Scaled up replica set webpod-556878d5d7 from 0 to 2\n1s          Normal   SuccessfulCreate    replicaset/webpod-556878d5d7   Created pod: webpod-556878d5d7-7p8bn\n1s          Normal   Scheduled           pod/webpod-556878d5d7-7p8bn    Successfully assigned default/webpod-556878d5d7-7p8bn to k8s-ctr\n1s          Normal   Pulled              pod/webpod-556878d5d7-7p8bn    Container image "traefik/whoami" already present on machine\n1s          Normal   Created             pod/webpod-556878d5d7-7p8bn    Created container: webpod\n1s          Normal   Started             pod/webpod-556878d5d7-7p8bn    Started container webpod\n1s          Normal   SuccessfulCreate    replicaset/webpod-556878d5d7   Created pod: webpod-556878d5d7-r4dmh\n1s          Normal   Scheduled           pod/webpod-556878d5d7-r4dmh    Successfully assigned default/webpod-556878d5d7-r4dmh to k8s-w1\n1s          Normal   Pulled              pod/webpod-556878d5d7-r4dmh    Container image "traefik/whoami" already present on machine\n1s          Normal   Created             pod/webpod-556878d5d7-r4dmh    Created container: webpod\n1s          Normal   Started             pod/webpod-556878d5d7-r4dmh    Started container webpod\n1s          Normal   Scheduled           pod/curl-pod                   Successfully assigned default/curl-pod to k8s-ctr\n1s          Normal   Pulled              pod/curl-pod                   Container image "nicolaka/netshoot" already present on machine\n1s          Normal   Created             pod/curl-pod                   Created container: curl\n1s          Normal   Started             pod/curl-pod                   Started container curl\n{"apiVersion":"v1","kind":"Event","count":1,"eventTime":null,"firstTimestamp":"2025-07-30T14:56:15Z","involvedObject":{"apiVersion":"v1","kind":"Pod","name":"curl-pod","namespace":"default","uid":"c80d307e-cd4b-4d63-a8ea-1d4ebbbb0ff8"},"lastTimestamp":"2025-07-30T14:56:15Z","message":"Successfully assigned default/curl-pod to k8s-ctr","metadata":{"name":"curl-pod.18570f466aead621","namespace":"default","creationTimestamp":"2025-07-30T14:56:15Z","resourceVersion":"1","uid":"7717a5cb-3c5f-4f7c-a637-41b4297a76c4"},"reason":"Scheduled","reportingComponent":"default-scheduler","reportingInstance":"","source":{"component":"default-scheduler"},"type":"Normal"}\n',
  ],
  [
    'kubectl get events -A -o wide --no-headers | head -4',
    'default       1s    Normal   ScalingReplicaSet   deployment/webpod               Scaled up replica set webpod-556878d5d7 from 0 to 2                                                                    deployment-controller   1s    1     webpod.18570f466aead601\ndefault       1s    Normal   SuccessfulCreate    replicaset/webpod-556878d5d7    Created pod: webpod-556878d5d7-7p8bn                                                                                   replicaset-controller   1s    1     webpod-556878d5d7.18570f466aead602\ndefault       1s    Normal   Scheduled           pod/webpod-556878d5d7-7p8bn     Successfully assigned default/webpod-556878d5d7-7p8bn to k8s-ctr                                                       default-scheduler       1s    1     webpod-556878d5d7-7p8bn.18570f466aead603\ndefault       1s    Normal   Pulled              pod/webpod-556878d5d7-7p8bn     Container image "traefik/whoami" already present on machine                            spec.containers{webpod}         kubelet, k8s-ctr        1s    1     webpod-556878d5d7-7p8bn.18570f466aead604\n',
  ],
  [
    `kubectl get events -n kube-system -o jsonpath='{.items[0].involvedObject}'`,
    '{"apiVersion":"v1","kind":"Pod","name":"cilium-5fc6j","namespace":"kube-system","uid":"675e4208-edbe-4c0e-a4fc-dadb7a3bc577"}\n',
  ],
  [
    'kubectl get ds,deploy,rs -A -o wide',
    'NAMESPACE     NAME                    DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE   CONTAINERS     IMAGES                          SELECTOR\nkube-system   daemonset.apps/cilium   2         2         2       2            2           <none>          1s    cilium-agent   quay.io/cilium/cilium:v1.17.6   k8s-app=cilium\n\nNAMESPACE     NAME                      READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES                                    SELECTOR\ndefault       deployment.apps/webpod    2/2     2            2           1s    webpod       traefik/whoami                            app=webpod\nkube-system   deployment.apps/coredns   2/2     2            2           1s    coredns      registry.k8s.io/coredns/coredns:v1.12.0   k8s-app=kube-dns\n\nNAMESPACE     NAME                                 DESIRED   CURRENT   READY   AGE   CONTAINERS   IMAGES                                    SELECTOR\ndefault       replicaset.apps/webpod-556878d5d7    2         2         2       1s    webpod       traefik/whoami                            app=webpod,pod-template-hash=556878d5d7\nkube-system   replicaset.apps/coredns-674b8bbfcf   2         2         2       1s    coredns      registry.k8s.io/coredns/coredns:v1.12.0   k8s-app=kube-dns,pod-template-hash=674b8bbfcf\n',
  ],
  [
    'kubectl get ns,nodes -o wide',
    'NAME                    STATUS   AGE\nnamespace/default       Active   1s\nnamespace/kube-system   Active   1s\n\nNAME           STATUS   ROLES           AGE   VERSION   INTERNAL-IP      EXTERNAL-IP   OS-IMAGE             KERNEL-VERSION     CONTAINER-RUNTIME\nnode/k8s-ctr   Ready    control-plane   1s    v1.33.2   192.168.10.100   <none>        Ubuntu 24.04.2 LTS   6.8.0-53-generic   containerd://1.7.27\nnode/k8s-w1    Ready    <none>          1s    v1.33.2   192.168.10.101   <none>        Ubuntu 24.04.2 LTS   6.8.0-53-generic   containerd://1.7.27\n',
  ],
  [
    'kubectl get rs,ds -A -o yaml',
    'apiVersion: v1\nitems:\n- apiVersion: apps/v1\n  kind: ReplicaSet\n  metadata:\n    annotations:\n      deployment.kubernetes.io/revision: "1"\n    creationTimestamp: "2025-07-30T14:56:15Z"\n    labels:\n      app: webpod\n      pod-template-hash: 556878d5d7\n    name: webpod-556878d5d7\n    namespace: default\n    ownerReferences:\n    - apiVersion: apps/v1\n      blockOwnerDeletion: true\n      controller: true\n      kind: Deployment\n      name: webpod\n      uid: 96a1ea4c-6400-495e-a487-9dcbdf013252\n    resourceVersion: "1011"\n    uid: 1eea5019-a3a8-468e-a781-5adb2674ce49\n  spec:\n    replicas: 2\n    selector:\n      matchLabels:\n        app: webpod\n        pod-template-hash: 556878d5d7\n    template:\n      metadata:\n        labels:\n          app: webpod\n          pod-template-hash: 556878d5d7\n      spec:\n        containers:\n        - image: traefik/whoami\n          name: webpod\n          ports:\n          - containerPort: 80\n            protocol: TCP\n  status:\n    availableReplicas: 2\n    fullyLabeledReplicas: 2\n    readyReplicas: 2\n    replicas: 2\n- apiVersion: apps/v1\n  kind: ReplicaSet\n  metadata:\n    annotations:\n      deployment.kubernetes.io/revision: "1"\n    creationTimestamp: "2025-07-30T14:56:15Z"\n    labels:\n      k8s-app: kube-dns\n      pod-template-hash: 674b8bbfcf\n    name: coredns-674b8bbfcf\n    namespace: kube-system\n    ownerReferences:\n    - apiVersion: apps/v1\n      blockOwnerDeletion: true\n      controller: true\n      kind: Deployment\n      name: coredns\n      uid: 5121d11e-c63c-4b88-a835-df49924411f5\n    resourceVersion: "1010"\n    uid: 4dc664ad-32eb-4560-aca6-6bd5defee102\n  spec:\n    replicas: 2\n    selector:\n      matchLabels:\n        k8s-app: kube-dns\n        pod-template-hash: 674b8bbfcf\n    template:\n      metadata:\n        labels:\n          k8s-app: kube-dns\n          pod-template-hash: 674b8bbfcf\n      spec:\n        containers:\n        - args:\n          - -conf\n          - /etc/coredns/Corefile\n          image: registry.k8s.io/coredns/coredns:v1.12.0\n          livenessProbe:\n            failureThreshold: 5\n            httpGet:\n              path: /health\n              port: 8080\n            initialDelaySeconds: 60\n            timeoutSeconds: 5\n          name: coredns\n          ports:\n          - containerPort: 53\n            name: dns\n            protocol: UDP\n          - containerPort: 53\n            name: dns-tcp\n            protocol: TCP\n          - containerPort: 9153\n            name: metrics\n            protocol: TCP\n          readinessProbe:\n            httpGet:\n              path: /ready\n              port: 8181\n          volumeMounts:\n          - mountPath: /etc/coredns\n            name: config-volume\n            readOnly: true\n        dnsPolicy: Default\n        serviceAccountName: coredns\n        volumes:\n        - configMap:\n            items:\n            - key: Corefile\n              path: Corefile\n            name: coredns\n          name: config-volume\n  status:\n    availableReplicas: 2\n    fullyLabeledReplicas: 2\n    readyReplicas: 2\n    replicas: 2\n- apiVersion: apps/v1\n  kind: DaemonSet\n  metadata:\n    creationTimestamp: "2025-07-30T14:56:15Z"\n    labels:\n      k8s-app: cilium\n    name: cilium\n    namespace: kube-system\n    resourceVersion: "1014"\n    uid: 16a164f0-4ccf-4779-a88b-48e60c867c92\n  spec:\n    revisionHistoryLimit: 10\n    selector:\n      matchLabels:\n        k8s-app: cilium\n    template:\n      metadata:\n        labels:\n          k8s-app: cilium\n      spec:\n        containers:\n        - image: quay.io/cilium/cilium:v1.17.6\n          name: cilium-agent\n        hostNetwork: true\n        serviceAccountName: cilium\n    updateStrategy:\n      rollingUpdate:\n        maxSurge: 0\n        maxUnavailable: 1\n      type: RollingUpdate\n  status:\n    currentNumberScheduled: 2\n    desiredNumberScheduled: 2\n    numberAvailable: 2\n    numberMisscheduled: 0\n    numberReady: 2\n    updatedNumberScheduled: 2\nkind: List\nmetadata:\n  resourceVersion: ""\n',
  ],
  [
    `kubectl get pod -l app=webpod -o jsonpath='{.items[0].metadata.ownerReferences}'`,
    '[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"webpod-556878d5d7","uid":"1eea5019-a3a8-468e-a781-5adb2674ce49"}]\n',
  ],
  [
    'kubectl describe node k8s-w1',
    'Name:               k8s-w1\nRoles:              <none>\nLabels:             beta.kubernetes.io/arch=amd64\n                    beta.kubernetes.io/os=linux\n                    kubernetes.io/arch=amd64\n                    kubernetes.io/hostname=k8s-w1\n                    kubernetes.io/os=linux\nAnnotations:        <none>\nCreationTimestamp:  Wed, 30 Jul 2025 14:56:15 +0000\nTaints:             <none>\nUnschedulable:      false\nLease:\n  HolderIdentity:  k8s-w1\n  AcquireTime:     <unset>\n  RenewTime:       Wed, 30 Jul 2025 14:56:16 +0000\nConditions:\n  Type                 Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message\n  ----                 ------  -----------------                 ------------------                ------                       -------\n  NetworkUnavailable   False   Wed, 30 Jul 2025 14:56:16 +0000   Wed, 30 Jul 2025 14:56:15 +0000   CiliumIsUp                   Cilium is running on this node\n  MemoryPressure       False   Wed, 30 Jul 2025 14:56:16 +0000   Wed, 30 Jul 2025 14:56:15 +0000   KubeletHasSufficientMemory   kubelet has sufficient memory available\n  DiskPressure         False   Wed, 30 Jul 2025 14:56:16 +0000   Wed, 30 Jul 2025 14:56:15 +0000   KubeletHasNoDiskPressure     kubelet has no disk pressure\n  PIDPressure          False   Wed, 30 Jul 2025 14:56:16 +0000   Wed, 30 Jul 2025 14:56:15 +0000   KubeletHasSufficientPID      kubelet has sufficient PID available\n  Ready                True    Wed, 30 Jul 2025 14:56:16 +0000   Wed, 30 Jul 2025 14:56:15 +0000   KubeletReady                 kubelet is posting ready status\nAddresses:\n  InternalIP:  192.168.10.101\n  Hostname:    k8s-w1\nSystem Info:\n  Kernel Version:             6.8.0-53-generic\n  OS Image:                   Ubuntu 24.04.2 LTS\n  Operating System:           linux\n  Architecture:               amd64\n  Container Runtime Version:  containerd://1.7.27\n  Kubelet Version:            v1.33.2\nPodCIDR:                      172.20.0.0/24\nPodCIDRs:                     172.20.0.0/24\nNon-terminated Pods:          (3 in total)\n  Namespace                   Name                        CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age\n  ---------                   ----                        ------------  ----------  ---------------  -------------  ---\n  default                     webpod-556878d5d7-r4dmh     0 (0%)        0 (0%)      0 (0%)           0 (0%)         1s\n  kube-system                 cilium-nbmtj                0 (0%)        0 (0%)      0 (0%)           0 (0%)         1s\n  kube-system                 coredns-674b8bbfcf-gbnm8    0 (0%)        0 (0%)      0 (0%)           0 (0%)         1s\nEvents:                       <none>\n',
  ],
  [
    `kubectl config set-context --current --namespace kube-system && kubectl get deploy --no-headers -o name && kubectl config view --minify -o jsonpath='{..namespace}' && kubectl config view -o yaml`,
    'Context "lab" modified.\ndeployment.apps/coredns\nkube-system\napiVersion: v1\nkind: Config\ncurrent-context: lab\ncontexts:\n- name: lab\n  context: { cluster: lab, namespace: kube-system, user: admin }\n',
  ],
  [
    'kubectl config get-contexts && kubens default && kubens && kubens nosuch',
    'CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n*         lab    lab       admin      kube-system\nContext "lab" modified.\nActive namespace is "default".\ndefault\nkube-system\n!error: no namespace exists with name "nosuch".\n',
    1,
  ],
  [
    'kubectl config || echo $?; kubectl config use-context x || echo $?; kubectl config use-context || echo $?; kubectl config set-context x --namespace=y',
    '!error: kubectl config: got "", allowed: current-context, get-contexts, set-context --current --namespace=NAME, use-context lab, view\n1\n!error: no context exists with the name: "x"\n1\n!error: no context exists with the name: ""\n1\n!error: kubectl config set-context: allowed: --current --namespace=NAME\n',
    1,
  ],
  [
    'kubectl api-resources --namespaced=false --no-headers',
    'namespaces                  ns           v1                             false   Namespace\nnodes                       no           v1                             false   Node\ncustomresourcedefinitions   crd,crds     apiextensions.k8s.io/v1        false   CustomResourceDefinition\nciliumnodes                 cn,ciliumn   cilium.io/v2                   false   CiliumNode\nclusterrolebindings                      rbac.authorization.k8s.io/v1   false   ClusterRoleBinding\nclusterroles                             rbac.authorization.k8s.io/v1   false   ClusterRole\n',
  ],
  [
    `kubectl api-resources --api-group=apps && kubectl api-resources -n x | awk '{print $1}' | head -4`,
    'NAME          SHORTNAMES   APIVERSION   NAMESPACED   KIND\ndaemonsets    ds           apps/v1      true         DaemonSet\ndeployments   deploy       apps/v1      true         Deployment\nreplicasets   rs           apps/v1      true         ReplicaSet\nNAME\nconfigmaps\nendpoints\nevents\n',
  ],
  [
    'kubectl api-versions',
    'apiextensions.k8s.io/v1\napps/v1\ncilium.io/v2\ndiscovery.k8s.io/v1\nrbac.authorization.k8s.io/v1\nv1\n',
  ],
  [
    `kubectl auth || echo $?; kubectl auth can-i list || echo $?; kubectl auth list x y || echo $?; kubectl auth can-i '*' '*' && kubectl auth can-i get pods/log -n default --as me -A --list`,
    '!error: kubectl auth: allowed: whoami, can-i VERB KIND\n1\n!error: kubectl auth: allowed: whoami, can-i VERB KIND\n1\n!error: kubectl auth: allowed: whoami, can-i VERB KIND\n1\nyes\nyes\n',
  ],
  [
    'kubectl auth can-i list nosuch',
    `!error: the server doesn't have a resource type "nosuch"; it has namespaces, services, pods, configmaps, serviceaccounts, events, endpointslices, deployments, daemonsets, clusterroles, clusterrolebindings, ciliumlocalredirectpolicies, nodes, endpoints, replicasets, ciliumnodes, customresourcedefinitions, ciliumendpoints\n`,
    1,
  ],
  ['kubectl auth whoami', 'ATTRIBUTE   VALUE\nUsername    admin\nGroups      [system:masters]\n'],
  [
    'kubectl cp curl-pod:/etc/hostname h && cat h && kubectl cp h default/curl-pod:/tmp/h -c curl && kubectl exec curl-pod -- cat /tmp/h',
    'curl-pod\ncurl-pod\n',
  ],
  [
    'kubectl cp curl-pod:/etc/hostname curl-pod:/x || echo $?; kubectl cp h curl-pod:/x y || echo $?; kubectl cp h || echo $?; kubectl cp h kube-system/curl-pod:/x',
    '!error: kubectl cp: allowed: kubectl cp [NAMESPACE/]POD:FILE FILE, or FILE POD:FILE\n1\n!error: kubectl cp: allowed: kubectl cp [NAMESPACE/]POD:FILE FILE, or FILE POD:FILE\n1\n!error: kubectl cp: allowed: kubectl cp [NAMESPACE/]POD:FILE FILE, or FILE POD:FILE\n1\n!Error from server (NotFound): pods "curl-pod" not found; namespace kube-system has cilium-5fc6j, cilium-nbmtj, coredns-674b8bbfcf-gbnm8, coredns-674b8bbfcf-vvgfm\n',
    1,
  ],
  [
    `kubectl diff || echo $?; kubectl get cm coredns -n kube-system -o yaml > cm.yaml && kubectl diff -f cm.yaml && sed -i 's/errors/log/' cm.yaml && kubectl diff -f cm.yaml`,
    '!error: must specify -f FILE\n1\ndiff -u -N LIVE/v1.ConfigMap.kube-system.coredns MERGED/v1.ConfigMap.kube-system.coredns\n--- LIVE/v1.ConfigMap.kube-system.coredns\n+++ MERGED/v1.ConfigMap.kube-system.coredns\n@@ -1,9 +1,9 @@\n apiVersion: v1\n data:\n   Corefile: |\n     .:53 {\n-        errors\n+        log\n         health {\n            lameduck 5s\n         }\n         ready\n',
    1,
  ],
  [
    `sed -i 's/kube-system/default/' cm.yaml && kubectl diff -n kube-system -f cm.yaml | head -9`,
    'diff -u -N LIVE/v1.ConfigMap.default.coredns MERGED/v1.ConfigMap.default.coredns\n--- LIVE/v1.ConfigMap.default.coredns\n+++ MERGED/v1.ConfigMap.default.coredns\n@@ -0,0 +1,33 @@\n+apiVersion: v1\n+data:\n+  Corefile: |\n+    .:53 {\n+        log\n',
  ],
  [
    'kubectl describe ep webpod',
    'Name:         webpod\nNamespace:    default\nLabels:       app=webpod\nAnnotations:  <none>\nSubsets:\n  Addresses:          172.20.1.40,172.20.0.130\n  NotReadyAddresses:  <none>\n  Ports:\n    Name     Port  Protocol\n    ----     ----  --------\n    <unset>  80    TCP\n\nEvents:  <none>\n',
  ],
  [
    'kubectl describe event curl-pod.18570f466aead621 && kubectl get ep kubernetes -o jsonpath={.subsets}',
    'Name:             curl-pod.18570f466aead621\nNamespace:        default\nLabels:           <none>\nAnnotations:      <none>\nAPI Version:      v1\nCount:            1\nFirst Timestamp:  2025-07-30T14:56:15Z\nInvolved Object:\n  API Version:   v1\n  Kind:          Pod\n  Name:          curl-pod\n  Namespace:     default\n  UID:           c80d307e-cd4b-4d63-a8ea-1d4ebbbb0ff8\nKind:            Event\nLast Timestamp:  2025-07-30T14:56:15Z\nMessage:         Successfully assigned default/curl-pod to k8s-ctr\nMetadata:\n  Creation Timestamp:  2025-07-30T14:56:15Z\n  Resource Version:    1\n  UID:                 7717a5cb-3c5f-4f7c-a637-41b4297a76c4\nReason:                Scheduled\nReporting Component:   default-scheduler\nReporting Instance:    \nSource:\n  Component:  default-scheduler\nType:         Normal\nEvents:       <none>\n[{"addresses":[{"ip":"192.168.10.100"}],"ports":[{"name":"https","port":6443,"protocol":"TCP"}]}]\n',
  ],
  [
    'kubectl get --help | cut -d: -f1 && kubectl version && kubectl cluster-info && kubectl cluster-info dump && help head && help tail',
    'kubectl get\nClient Version: v1.33.2\nKustomize Version: v5.6.0\nServer Version: v1.33.2\nKubernetes control plane is running at https://192.168.10.100:6443\nCoreDNS is running at https://192.168.10.100:6443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n                            "--service-cluster-ip-range=10.96.0.0/16",\n                            "--cluster-cidr=172.20.0.0/16",\nhead [-n COUNT] [FILE...]\n    Prints the first lines, 10 when nothing is said.\ntail [-n COUNT] [FILE...]\n    Prints the last lines, 10 when nothing is said.\n',
  ],
  [
    'kubectl get pods kubernetes --field-selector= -o name || kubectl get svc webpod kubernetes -o name --sort-by=.metadata.name',
    '!Error from server (NotFound): pods "kubernetes" not found\nservice/kubernetes\nservice/webpod\n',
  ],
  [
    'kubectl get nosuch -o name || echo $?; kubectl get pod,nosuch || echo $?; kubectl get ds -A --no-headers && kubectl get deploy -l app=x',
    `!error: the server doesn't have a resource type "nosuch"; it has namespaces, services, pods, configmaps, serviceaccounts, events, endpointslices, deployments, daemonsets, clusterroles, clusterrolebindings, ciliumlocalredirectpolicies, nodes, endpoints, replicasets, ciliumnodes, customresourcedefinitions, ciliumendpoints\n1\n!error: the server doesn't have a resource type "nosuch"; it has namespaces, services, pods, configmaps, serviceaccounts, events, endpointslices, deployments, daemonsets, clusterroles, clusterrolebindings, ciliumlocalredirectpolicies, nodes, endpoints, replicasets, ciliumnodes, customresourcedefinitions, ciliumendpoints\n1\nkube-system   cilium   2     2     2     2     2     <none>   1s\n!No resources found in default namespace.\n`,
  ],
];
