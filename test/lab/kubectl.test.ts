import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());
const SET_CONTEXT = 'error: kubectl config set-context: allowed: --current --namespace=NAME\n';
const run = async (line: string): Promise<string> => (await driven.run(line)).text;

describe('kubectl get', () => {
  it('-o yaml prints an object by name, with what the API server adds', async () => {
    expect((await run('kubectl get svc webpod -o yaml')).replace(/(resourceVersion|uid): .*/g, '$1: X'))
      .toBe(`apiVersion: v1
kind: Service
metadata:
  creationTimestamp: "2025-07-30T14:56:15Z"
  labels:
    app: webpod
  name: webpod
  namespace: default
  resourceVersion: X
  uid: X
spec:
  clusterIP: 10.96.152.212
  clusterIPs:
  - 10.96.152.212
  internalTrafficPolicy: Cluster
  ipFamilies:
  - IPv4
  ipFamilyPolicy: SingleStack
  ports:
  - port: 80
    protocol: TCP
    targetPort: 80
  selector:
    app: webpod
  sessionAffinity: None
  type: ClusterIP
status:
  loadBalancer: {}
`);
  });

  it.each([
    {
      line: `kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.spec.podCIDR}{"\\n"}{end}'`,
      want: 'k8s-ctr\t172.20.1.0/24\nk8s-w1\t172.20.0.0/24\n',
    },
    { line: "kubectl get svc -A -o jsonpath='{.items[*].metadata.name}'", want: 'kubernetes webpod kube-dns\n' },
    {
      line: 'kubectl get svc kube-dns -n kube-system -o jsonpath=\'{.spec.ports[?(@.name=="metrics")].port}\'',
      want: '9153\n',
    },
    {
      line: "kubectl get svc kube-dns -n kube-system -o jsonpath='{.spec.ports[1].name} {.spec.ports[-1].port}'",
      want: 'dns-tcp 9153\n',
    },
    { line: "kubectl get node k8s-ctr -o jsonpath='{.metadata.labels.kubernetes\\.io/hostname}'", want: 'k8s-ctr\n' },
    { line: 'kubectl get node k8s-ctr -o jsonpath="{.metadata[\'name\']}"', want: 'k8s-ctr\n' },
    {
      line: 'kubectl get svc,cm -n kube-system -o name',
      want: 'service/kube-dns\nconfigmap/cilium-config\nconfigmap/coredns\n',
    },
    { line: 'kubectl get deploy/webpod -o name', want: 'deployment.apps/webpod\n' },
    {
      line: 'kubectl get pods -A --field-selector spec.nodeName=k8s-w1,metadata.namespace!=kube-system -o custom-columns=NAME:.metadata.name,IP:status.podIP',
      want: 'NAME                      IP\nwebpod-556878d5d7-r4dmh   172.20.0.130\n',
    },
    {
      line: "kubectl get pods --no-headers --sort-by=.status.podIP | awk '{print $1}'",
      want: 'webpod-556878d5d7-r4dmh\ncurl-pod\nwebpod-556878d5d7-7p8bn\n',
    },
    { line: 'kubectl get pods --field-selector spec.nodeName=k8s-w1 --no-headers | wc -l', want: '1\n' },
    {
      line: 'kubectl get svc webpod --show-labels',
      want: 'NAME     TYPE        CLUSTER-IP      EXTERNAL-IP   PORT(S)   AGE   LABELS\nwebpod   ClusterIP   10.96.152.212   <none>        80/TCP    0s    app=webpod\n',
    },
    {
      line: 'kubectl get svc -l app=webpod --no-headers',
      want: 'webpod   ClusterIP   10.96.152.212   <none>   80/TCP   0s\n',
    },
    {
      line: 'kubectl get deploy webpod -o wide',
      want: 'NAME     READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES           SELECTOR\nwebpod   2/2     2            2           0s    webpod       traefik/whoami   app=webpod\n',
    },
    {
      line: 'kubectl get rs',
      want: 'NAME                DESIRED   CURRENT   READY   AGE\nwebpod-556878d5d7   2         2         2       0s\n',
    },
    {
      line: 'kubectl get endpointslices -l app=webpod -o jsonpath={.items[0].endpoints[0].targetRef.name}',
      want: 'webpod-556878d5d7-7p8bn\n',
    },
    { line: 'kubectl get ep webpod -o jsonpath={.subsets[0].addresses[*].ip}', want: '172.20.1.40 172.20.0.130\n' },
    {
      line: 'kubectl get ciliumnode -o json | grep podCIDRs -A2',
      want: '                    "podCIDRs": [\n                        "172.20.1.0/24"\n                    ],\n--\n                    "podCIDRs": [\n                        "172.20.0.0/24"\n                    ],\n',
    },
    { line: 'kubectl get cep curl-pod -o jsonpath={.status.identity.id}', want: '5580\n' },
    {
      line: 'kubectl get cm cilium-config -n kube-system -oyaml | grep ipv4-native',
      want: '  ipv4-native-routing-cidr: 172.20.0.0/16\n',
    },
    { line: 'kubectl get pod nosuch --ignore-not-found', want: '' },
    {
      line: 'kubectl cluster-info dump | grep -m 2 -E "cluster-cidr|service-cluster-ip-range"',
      want: '                            "--service-cluster-ip-range=10.96.0.0/16",\n                            "--cluster-cidr=172.20.0.0/16",\n',
    },
  ])('$line', async ({ line, want }) => expect((await run(line)).replace(/(?<= )\d+s(?= |\n)/g, '0s')).toBe(want));

  it('all: five kinds', async () =>
    expect((await run('kubectl get all')).match(/^(pod|service|deployment\.apps|replicaset\.apps)\/\S+/gm)).toEqual([
      'pod/curl-pod',
      'pod/webpod-556878d5d7-7p8bn',
      'pod/webpod-556878d5d7-r4dmh',
      'service/kubernetes',
      'service/webpod',
      'deployment.apps/webpod',
      'replicaset.apps/webpod-556878d5d7',
    ]));

  it('-w prints rows that change', async () => {
    await run('kubectl get pods -w &');
    await run('kubectl run seen --image=nicolaka/netshoot');
    await run('kubectl delete pod seen');
    const rows = (await run('fg')).split('\n').filter((line) => line.startsWith('seen'));
    expect(rows.map((row) => row.split(/\s+/).slice(0, 3).join(' '))).toContain('seen 1/1 Running');
  });

  it.each([
    { line: 'kubectl get', text: 'error: You must specify the type of resource to get' },
    { line: 'kubectl get pod x -o name', text: 'Error from server (NotFound): pods "x" not found' },
    { line: 'kubectl get deploy x', text: 'Error from server (NotFound): deployments.apps "x" not found' },
    { line: 'kubectl get pods -o yaml -w', text: 'error: -w is for tables here' },
    { line: 'kubectl get pods -w', text: 'kubectl get -w would never end here' },
    {
      line: 'kubectl get pods -o jsonpath={.items[}',
      text: 'error: error parsing jsonpath {.items[}: got "["; allowed: {.a.b}',
    },
    { line: "kubectl get pods -o jsonpath='{range .items[*]}x'", text: '{range} without {end}' },
    { line: 'kubectl get pods -o jsonpath={end}', text: '{end} without {range}' },
    { line: "kubectl get pods -o jsonpath='{.a'", text: 'a brace is not closed' },
    { line: 'kubectl get pods -o jsonpath={.items[?(x)]}', text: 'got "x"' },
    { line: 'kubectl get pods -o custom-columns=A', text: 'error: custom-columns: got "A", allowed: HEADER:.path,...' },
    {
      line: 'kubectl get pods --field-selector x',
      text: 'error: --field-selector: got "x", allowed: FIELD=VALUE or FIELD!=VALUE',
    },
  ])('refuses $line', async ({ line, text }) => {
    const ran = await driven.run(line);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(1);
  });
});

describe('kubectl describe', () => {
  /** Identifiers of containers are drawn from names and times. */
  const form = (text: string): string =>
    text.replace(/(containerd:\/\/|sha256:)[\da-f]+/g, '$1ID').replace(/(Wed|Thu), .*? \+0000/g, 'TIME');

  it('a pod', async () =>
    expect(form(await run('kubectl describe pod -n kube-system coredns-674b8bbfcf-vvgfm')))
      .toBe(`Name:             coredns-674b8bbfcf-vvgfm
Namespace:        kube-system
Priority:         0
Service Account:  coredns
Node:             k8s-ctr/192.168.10.100
Start Time:       TIME
Labels:           k8s-app=kube-dns
                  pod-template-hash=674b8bbfcf
Annotations:      <none>
Status:           Running
IP:               172.20.1.144
IPs:
  IP:           172.20.1.144
Controlled By:  ReplicaSet/coredns-674b8bbfcf
Containers:
  coredns:
    Container ID:  containerd://ID
    Image:         registry.k8s.io/coredns/coredns:v1.12.0
    Image ID:      registry.k8s.io/coredns/coredns@sha256:ID
    Ports:         53/UDP, 53/TCP, 9153/TCP
    Host Ports:    0/UDP, 0/TCP, 0/TCP
    Args:
      -conf
      /etc/coredns/Corefile
    State:          Running
      Started:      TIME
    Ready:          True
    Restart Count:  0
    Liveness:       http-get http://:8080/health delay=60s timeout=5s period=10s #success=1 #failure=5
    Readiness:      http-get http://:8181/ready delay=0s timeout=1s period=10s #success=1 #failure=3
    Environment:    <none>
    Mounts:
      /etc/coredns from config-volume (ro)
Conditions:
  Type                        Status
  PodReadyToStartContainers   True 
  Initialized                 True 
  Ready                       True 
  ContainersReady             True 
  PodScheduled                True 
Volumes:
  config-volume:
    Type:        ConfigMap (a volume populated by a ConfigMap)
    Name:        coredns
    Optional:    false
QoS Class:       BestEffort
Node-Selectors:  <none>
Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                 node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type    Reason     Age  From               Message
  ----    ------     ---  ----               -------
  Normal  Scheduled  0s   default-scheduler  Successfully assigned kube-system/coredns-674b8bbfcf-vvgfm to k8s-ctr
  Normal  Pulled     0s   kubelet            Container image "registry.k8s.io/coredns/coredns:v1.12.0" already present on machine
  Normal  Created    0s   kubelet            Created container: coredns
  Normal  Started    0s   kubelet            Started container coredns
`));

  it('a service', async () =>
    expect(await run('kubectl describe svc webpod')).toBe(`Name:                     webpod
Namespace:                default
Labels:                   app=webpod
Annotations:              <none>
Selector:                 app=webpod
Type:                     ClusterIP
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       10.96.152.212
IPs:                      10.96.152.212
Port:                     <unset>  80/TCP
TargetPort:               80/TCP
Endpoints:                172.20.1.40:80,172.20.0.130:80
Session Affinity:         None
Internal Traffic Policy:  Cluster
Events:                   <none>
`));

  it('a Deployment', async () =>
    expect(form(await run('kubectl describe deploy webpod'))).toBe(`Name:                   webpod
Namespace:              default
CreationTimestamp:      TIME
Labels:                 <none>
Annotations:            <none>
Selector:               app=webpod
Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable
StrategyType:           RollingUpdate
MinReadySeconds:        0
RollingUpdateStrategy:  25% max unavailable, 25% max surge
Pod Template:
  Labels:  app=webpod
  Containers:
   webpod:
    Image:         traefik/whoami
    Port:          80/TCP
    Host Port:     0/TCP
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Available      True    MinimumReplicasAvailable
  Progressing    True    NewReplicaSetAvailable
OldReplicaSets:  <none>
NewReplicaSet:   webpod-556878d5d7 (2/2 replicas created)
Events:
  Type    Reason             Age  From                   Message
  ----    ------             ---  ----                   -------
  Normal  ScalingReplicaSet  0s   deployment-controller  Scaled up replica set webpod-556878d5d7 from 0 to 2
`));

  it('a DaemonSet', async () =>
    expect(await run('kubectl describe ds cilium -n kube-system')).toBe(`Name:           cilium
Namespace:      kube-system
Selector:       k8s-app=cilium
Node-Selector:  <none>
Labels:         k8s-app=cilium
Annotations:    <none>
Desired Number of Nodes Scheduled: 2
Current Number of Nodes Scheduled: 2
Number of Nodes Scheduled with Up-to-date Pods: 2
Number of Nodes Scheduled with Available Pods: 2
Number of Nodes Misscheduled: 0
Pods Status:  2 Running / 0 Waiting / 0 Succeeded / 0 Failed
Pod Template:
  Labels:           k8s-app=cilium
  Service Account:  cilium
  Containers:
   cilium-agent:
    Image:         quay.io/cilium/cilium:v1.17.6
    Port:          <none>
    Host Port:     <none>
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
Events:
  Type    Reason            Age  From                  Message
  ----    ------            ---  ----                  -------
  Normal  SuccessfulCreate  0s   daemonset-controller  Created pod: cilium-5fc6j
  Normal  SuccessfulCreate  0s   daemonset-controller  Created pod: cilium-nbmtj
`));

  it('a ConfigMap', async () => {
    await run('kubectl create cm two --from-literal=b=2 --from-literal=a=1');
    expect(await run('kubectl describe cm two')).toBe(
      'Name:         two\nNamespace:    default\nLabels:       <none>\nAnnotations:  <none>\n\nData\n====\na:\n----\n1\n\nb:\n----\n2\n\n\nBinaryData\n====\n\nEvents:  <none>\n',
    );
  });

  it('an EndpointSlice', async () =>
    expect(await run('kubectl describe endpointslice kubernetes')).toBe(`Name:         kubernetes
Namespace:    default
Labels:       kubernetes.io/service-name=kubernetes
Annotations:  <none>
AddressType:  IPv4
Ports:
  Name   Port  Protocol
  ----   ----  --------
  https  6443  TCP
Endpoints:
  - Addresses:  192.168.10.100
    Conditions:
      Ready:   true
    Hostname:  <unset>
    NodeName:  <unset>
    Zone:      <unset>
Events:        <none>
`));

  it('a local redirect policy', async () => {
    await run('kubectl apply -f ../manifests/lrp.yaml');
    expect(
      form(await run('kubectl describe clrp nodelocaldns -n kube-system')).replace(
        /(Creation Timestamp|Resource Version|UID): .*/g,
        '$1: X',
      ),
    ).toBe(`Name:         nodelocaldns
Namespace:    kube-system
Labels:       <none>
Annotations:  <none>
API Version:  cilium.io/v2
Kind:         CiliumLocalRedirectPolicy
Metadata:
  Creation Timestamp: X
  Resource Version: X
  UID: X
Spec:
  Redirect Backend:
    Local Endpoint Selector:
      Match Labels:
        k8s-app:  node-local-dns
    To Ports:
      Name:      dns
      Port:      53
      Protocol:  UDP
      Name:      dns-tcp
      Port:      53
      Protocol:  TCP
  Redirect Frontend:
    Service Matcher:
      Namespace:     kube-system
      Service Name:  kube-dns
Events:              <none>
`);
  });

  it('a node, with its pods', async () => {
    const text = form(await run('kubectl describe node k8s-w1'));
    expect(text).toMatch(/^Name: {15}k8s-w1\nRoles: {14}<none>\nLabels: {13}beta\.kubernetes\.io\/arch=amd64\n/);
    expect(text).toContain(
      'Ready                True    TIME   TIME   KubeletReady                 kubelet is posting ready status\nAddresses:\n  InternalIP:  192.168.10.101\n  Hostname:    k8s-w1\n',
    );
    expect(text).toMatch(
      /Non-terminated Pods: {10}\(\d in total\)\n {2}Namespace +Name +CPU Requests[\s\S]*\n {2}default +webpod-556878d5d7-r4dmh +0 \(0%\)/,
    );
    expect(await run('kubectl describe node k8s-ctr')).toContain('Roles:              control-plane\n');
  });

  it.each([
    {
      name: 'names that are cut short',
      line: 'kubectl describe pod webpod',
      text: /^Name: +webpod-556878d5d7-7p8bn\n[\s\S]*\n\n\nName: +webpod-556878d5d7-r4dmh\n/,
    },
    {
      name: 'a selector',
      line: 'kubectl describe pod -n kube-system -l k8s-app=kube-dns | grep -i volumes -A5',
      text: /^Volumes:\n {2}config-volume:\n {4}Type: {8}ConfigMap/,
    },
    {
      name: 'Endpoints',
      line: 'kubectl describe ep webpod',
      text: /Subsets:\n {2}Addresses: {10}172\.20\.1\.40,172\.20\.0\.130\n {2}NotReadyAddresses: {2}<none>\n {2}Ports:\n/,
    },
    {
      name: 'a namespace',
      line: 'kubectl describe ns default',
      text: /Status: +Active\n\nNo resource quota\.\n\nNo LimitRange resource\.\n$/,
    },
    {
      name: 'a CiliumNode',
      line: 'kubectl describe cn k8s-w1',
      text: /Ipam:\n {4}Pod CID Rs:\n {6}172\.20\.0\.0\/24\n|Pod CIDRs:\n {6}172\.20\.0\.0\/24\n/,
    },
    {
      name: 'an ExternalName',
      line: 'cat <<E | kubectl apply -f - && kubectl describe svc out\napiVersion: v1\nkind: Service\nmetadata: { name: out }\nspec: { type: ExternalName, externalName: google.com }\nE',
      text: /Type: +ExternalName\nIP Families: +<none>\nIP: +\nIPs: +<none>\nExternal Name: +google\.com\n/,
    },
    {
      name: 'a pod that crashed',
      line: 'crash webpod-556878d5d7-r4dmh && kubectl describe pod webpod-556878d5d7-r4dmh && restart webpod-556878d5d7-r4dmh',
      text: / {4}State: {10}Waiting\n {6}Reason: {7}CrashLoopBackOff\n {4}Last State: {5}Terminated\n {6}Reason: {7}Error\n {6}Exit Code: {4}137\n/,
    },
  ])('$name', async ({ line, text }) => expect(await run(line)).toMatch(text));

  it.each([
    { line: 'kubectl describe pod nosuch', text: 'Error from server (NotFound): pods "nosuch" not found' },
    { line: 'kubectl describe rs', text: 'allowed: kubectl describe deployment NAME' },
    { line: 'kubectl describe jobs', text: `the server doesn't have a resource type "jobs"` },
  ])('refuses $line', async ({ line, text }) =>
    expect(await driven.run(line)).toMatchObject({ code: 1, text: expect.stringContaining(text) }),
  );
});

describe('kubectl edit', () => {
  const seen: string[] = [];
  afterEach(() => void seen.splice(0));
  /** Edits with somebody who saves one text after the other. */
  const edit = async (
    line: string,
    ...saves: ((text: string) => string)[]
  ): Promise<{ text: string; code: number }> => {
    let text = '';
    const code = await driven.drive(
      driven.session.run(line, {
        write: (part) => (text += part),
        edit: async (shown) => {
          seen.push(shown);
          return saves.shift()!(shown);
        },
      }),
    );
    return { text, code };
  };

  it('shows the object below a word of advice, and applies what is saved', async () => {
    expect(await edit('kubectl edit deploy webpod', (text) => text.replace('replicas: 2', 'replicas: 3'))).toEqual({
      text: 'deployment.apps/webpod edited\n',
      code: 0,
    });
    expect(seen[0]).toMatch(
      /^# Please edit the object below\. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit\.[\s\S]*\n#\napiVersion: apps\/v1\nkind: Deployment\n/,
    );
    expect(await run('kubectl get deploy webpod -o jsonpath={.spec.replicas}')).toBe('3\n');
  });

  it.each([
    { name: 'nothing changed', saves: [(text: string) => text], text: 'Edit cancelled, no changes made.\n', code: 0 },
    {
      name: 'an empty file',
      saves: [() => '# only remarks\n'],
      text: 'Edit cancelled, saved file was empty.\n',
      code: 0,
    },
    {
      name: 'a mistake that is mended',
      saves: [
        (text: string) => text.replace('10.96.152.212', '10.96.0.10'),
        (text: string) => text.replaceAll('10.96.0.10', '10.96.152.212').replace('port: 80', 'port: 81'),
      ],
      text: 'service/webpod edited\n',
      code: 0,
    },
    {
      name: 'a mistake that stays',
      saves: [(text: string) => text.replace('10.96.152.212', '10.96.0.10'), (text: string) => text],
      text: 'error: Edit cancelled, no valid changes were saved.\nservices "webpod" was not valid:\n* spec.clusterIP: Invalid value: "10.96.0.10": field is immutable (it is 10.96.152.212)\n',
      code: 1,
    },
    {
      name: 'another name',
      saves: [(text: string) => text.replace('name: webpod\n', 'name: other\n'), (text: string) => text],
      text: '* kind, metadata.name and metadata.namespace may not be changed, and the file holds one object\n',
      code: 1,
    },
    {
      name: 'no YAML',
      saves: [(text: string) => text.replace('spec:', 'spec: ]'), (text: string) => text],
      text: 'The edited file had a syntax error: the edited file:',
      code: 1,
    },
  ])('$name', async ({ saves, text, code }) => {
    const ran = await edit('kubectl edit svc webpod', ...saves);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
    if (saves.length > 1)
      expect(seen[1]).toMatch(/^#[\s\S]*\n# (services "webpod" was not valid:|The edited file had a syntax error)/);
  });

  it('is told of an editor that fails', async () => {
    expect(await run('EDITOR=cat-x kubectl edit svc webpod')).toContain('cat-x: command not found');
    expect(await run('EDITOR="grep nothing-here" kubectl edit svc webpod')).toContain(
      'error: there was a problem with the editor "grep nothing-here"',
    );
  });

  it.each([
    { line: 'kubectl edit svc webpod', text: 'error: there is no editor here; name a program: EDITOR=' },
    { line: 'kubectl edit svc', text: 'error: kubectl edit needs one object' },
    { line: 'kubectl edit svc nosuch', text: 'Error from server (NotFound): services "nosuch" not found' },
    { line: 'kubectl edit node k8s-w1', text: 'error: node/k8s-w1 is made by the cluster and cannot be changed here' },
    {
      line: 'kubectl edit cm cilium-config -n kube-system',
      text: "cannot be changed here: helm upgrade --set changes Cilium's settings",
    },
    { line: 'kubectl edit svc webpod -o json', text: 'error: --output: got "json", allowed: yaml' },
  ])('refuses $line', async ({ line, text }) =>
    expect(await driven.run(line)).toMatchObject({ code: 1, text: expect.stringContaining(text) }),
  );

  it('a Corefile that is edited is served', async () => {
    await run('EDITOR="sed -i \'s/ttl 30/ttl 9/\'" kubectl edit cm coredns -n kube-system');
    await run('sleep 60');
    expect(await run('kubectl exec curl-pod -- dig +noall +answer webpod.default.svc.cluster.local')).toMatch(
      /\t?9 IN\tA/,
    );
  });
});

describe('kubectl changes objects', () => {
  it.each([
    { line: `kubectl patch deploy webpod -p '{"spec":{"replicas":1}}'`, text: 'deployment.apps/webpod patched\n' },
    {
      line: `kubectl patch deploy webpod -p '{"spec":{"replicas":1}}'`,
      text: 'deployment.apps/webpod patched (no change)\n',
    },
    {
      line: `kubectl patch svc webpod --type json -p '[{"op":"replace","path":"/spec/ports/0/port","value":82}]' && kubectl get svc webpod -o jsonpath={.spec.ports[0].port}`,
      text: 'service/webpod patched\n82\n',
    },
    {
      line: `kubectl patch svc kube-dns -n kube-system -p '{"spec":{"ports":[{"name":"scrape","port":9153}]}}' && kubectl get svc kube-dns -n kube-system -o jsonpath={.spec.ports[*].name}`,
      text: 'service/kube-dns patched\ndns dns-tcp scrape\n',
    },
    {
      line: `kubectl patch cm two --type merge -p '{"data":{"a":null}}' && kubectl get cm two -o jsonpath={.data}`,
      text: 'configmap/two patched\n{"b":"2"}\n',
    },
    {
      line: `kubectl create cm made --from-literal=k=v --dry-run=client -o yaml`,
      text: 'apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  name: made\n  namespace: default\n',
    },
    { line: 'kubectl config current-context', text: 'lab\n' },
    { line: 'kubectl config use-context lab', text: 'Switched to context "lab".\n' },
    { line: 'kubectl config set-context lab --namespace=default', text: 'Context "lab" modified.\n' },
    { line: 'kubectl config set-context --current --namespace=default', text: 'Context "lab" modified.\n' },
    { line: "kubectl config view --minify -o jsonpath='{..namespace}'", text: 'default\n' },
    { line: `kubectl create cm made --from-literal=k=v --dry-run=client`, text: 'configmap/made created (dry run)\n' },
    {
      line: 'echo text > file && kubectl create cm filed --from-file=file --from-file=other=file --dry-run=client -o yaml | kubectl apply -f - && kubectl get cm filed -o jsonpath={.data}',
      text: 'configmap/filed created\n{"file":"text\\n","other":"text\\n"}\n',
    },
    {
      line: 'kubectl create ns lab && kubectl create deployment web --image=nginx -n lab --replicas=2 && kubectl expose deployment web -n lab --port=80 --name=front',
      text: 'namespace/lab created\ndeployment.apps/web created\nservice/front exposed\n',
    },
    { line: 'kubectl exec curl-pod -- curl -s front.lab | grep -c "^Hostname: web-"', text: '1\n' },
    {
      line: 'kubectl label svc webpod tier=front && kubectl get svc -l tier=front -o name && kubectl label svc webpod tier-',
      text: 'service/webpod labeled\nservice/webpod\nservice/webpod unlabeled\n',
    },
    {
      line: 'kubectl annotate svc webpod note=x && kubectl annotate svc webpod note=y --overwrite',
      text: 'service/webpod annotated\nservice/webpod annotated\n',
    },
    {
      line: "kubectl get svc webpod -o yaml > w && sed -i 's/port: 82/port: 80/' w && kubectl replace -f w && kubectl get svc webpod -o jsonpath={.spec.ports[0].port}",
      text: 'service/webpod replaced\n80\n',
    },
    {
      line: 'cat <<EOF | kubectl apply -n lab -f -\napiVersion: v1\nkind: Pod\nmetadata: { name: there }\nspec: { containers: [] }\nEOF',
      text: 'pod/there created\n',
    },
    {
      line: 'kubectl get pod there -n lab -o name && kubectl delete -n lab pod there',
      text: 'pod/there\npod "there" deleted from lab namespace\n',
    },
    {
      line: 'kubectl delete ns lab && kubectl get all -n lab',
      text: 'namespace "lab" deleted\nNo resources found in lab namespace.\n',
    },
    {
      line: 'kubectl run one --image=x -l t=1 && kubectl delete pods -l t=1 && kubectl delete pods -l t=1',
      text: 'pod/one created\npod "one" deleted from default namespace\nNo resources found\n',
    },
  ])('$line', async ({ line, text }) => expect(await run(line)).toBe(text));

  it.each([
    {
      line: 'kubectl delete ns kube-system',
      text: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    },
    { line: 'kubectl delete nodes --all', text: 'node/k8s-ctr is made by the cluster and cannot be changed here' },
    {
      line: 'kubectl apply -f https://example.org/x.yaml',
      text: 'error: https://example.org/x.yaml: the lab reaches no other machine; it has its own nodelocaldns.yaml',
    },
    { line: 'kubectl apply -f ../manifests', text: 'cannot read ../manifests: it is a directory, allowed: a file' },
    { line: 'kubectl patch svc webpod', text: 'error: must specify -p PATCH' },
    { line: "kubectl patch svc webpod -p '{'", text: 'error: unable to parse "{"' },
    {
      line: 'kubectl patch svc webpod --type x -p {}',
      text: 'error: --type: got "x", allowed: strategic, merge, json',
    },
    { line: 'kubectl patch svc webpod --type json -p {}', text: 'error: a patch of type json is a list of operations' },
    {
      line: `kubectl patch svc webpod --type json -p '[{"op":"move"}]'`,
      text: 'allowed: {"op": "add"|"replace"|"remove"',
    },
    { line: 'kubectl config use-context x', text: 'error: no context exists with the name: "x"\n' },
    { line: 'kubectl config use-context', text: 'error: no context exists with the name: ""\n' },
    { line: 'kubectl config set-context lab', text: SET_CONTEXT },
    { line: 'kubectl config set-context x --namespace=a', text: SET_CONTEXT },
    { line: 'kubectl config set-context --namespace=a', text: SET_CONTEXT },
    { line: 'kubectl create', text: 'error: kubectl create: allowed: -f FILE, configmap NAME' },
    {
      line: 'kubectl create job x',
      text: 'error: kubectl create: got "job", allowed: configmap, namespace, deployment',
    },
    { line: 'kubectl create deploy x', text: 'error: required flag(s) "image" not set' },
    { line: 'kubectl create cm x --from-literal=k', text: 'error: invalid literal source k, expected key=value' },
    {
      line: 'kubectl create cm two --from-literal=k=v',
      text: 'Error from server (AlreadyExists): configmaps "two" already exists',
    },
    {
      line: 'kubectl create cm x --dry-run=maybe',
      text: 'error: --dry-run: got "maybe", allowed: client, server, none',
    },
    { line: 'kubectl run x', text: 'error: kubectl run: allowed: kubectl run NAME --image=IMAGE' },
    {
      line: 'kubectl expose deploy webpod',
      text: 'error: kubectl expose: allowed: kubectl expose deployment NAME --port=1-65535',
    },
    { line: 'kubectl expose deploy nosuch --port=80', text: 'deployments "nosuch" not found' },
    { line: 'kubectl replace -f w2', text: 'cannot read w2: no such file' },
    { line: 'kubectl apply -f -', text: 'error: -f - reads a pipe or a here-document, and there is neither' },
    {
      line: 'kubectl label svc webpod',
      text: 'error: kubectl label: allowed: kubectl label KIND NAME KEY=VALUE... or KEY-',
    },
    {
      line: 'kubectl annotate svc webpod note=z',
      text: "error: 'note' already has a value (y), and --overwrite is false",
    },
    { line: 'kubectl label pod curl-pod x=y', text: 'the labels of a pod that runs cannot be changed here' },
    {
      line: `kubectl patch pod curl-pod -p '{"spec":{"dnsPolicy":"Default"}}'`,
      text: 'pod updates may not change fields other than annotations here',
    },
    { line: 'kubectl delete node k8s-w1', text: 'node/k8s-w1 is made by the cluster and cannot be changed here' },
  ])('refuses $line', async ({ line, text }) =>
    expect(await driven.run(line)).toMatchObject({ code: 1, text: expect.stringContaining(text) }),
  );
});
