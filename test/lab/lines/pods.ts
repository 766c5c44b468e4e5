import type { CommandLine } from '../command-lines.js';

/** Programs in pods, pods for one command, and ports of pods on the node. */
export const POD_LINES: readonly CommandLine[] = [
  [
    `kubectl exec curl-pod -- curl -v -H 'X-A: b' 'webpod/api?x=1'`,
    '*   Trying 10.96.152.212:80...\n* Connected to webpod (10.96.152.212) port 80\n> GET /api?x=1 HTTP/1.1\n> Host: webpod\n> User-Agent: curl/8.14.1\n> Accept: */*\n> X-A: b\n> \n< HTTP/1.1 200 OK\n< Date: Wed, 30 Jul 2025 14:56:15 GMT\n< Content-Length: 219\n< Content-Type: text/plain; charset=utf-8\n< \nHostname: webpod-556878d5d7-r4dmh\nIP: 127.0.0.1\nIP: ::1\nIP: 172.20.0.130\nIP: fe80::303e:e2ff:fed4:797a\nRemoteAddr: 172.20.1.236:55196\nGET /api?x=1 HTTP/1.1\r\nHost: webpod\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\nX-A: b\r\n\r\n',
  ],
  [
    `kubectl exec curl-pod -- curl -s -o /dev/null -w '%{http_code} %{response_code} %{size_download} %{remote_ip}:%{remote_port} %{time_total}\\t.\\n' webpod`,
    '200 200 202 10.96.152.212:80 0.000000\t.\n',
  ],
  [
    `kubectl exec curl-pod -- curl -s -o /dev/null -w '%{nosuch}' webpod`,
    '!curl: -w: got %{nosuch}, allowed: %{http_code}, %{response_code}, %{time_total}, %{size_download}, %{remote_ip}, %{remote_port}\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- curl -si webpod/api | grep -v IP',
    'HTTP/1.1 200 OK\nDate: Wed, 30 Jul 2025 14:56:15 GMT\nContent-Length: 207\nContent-Type: text/plain; charset=utf-8\n\nHostname: webpod-556878d5d7-r4dmh\nRemoteAddr: 172.20.1.236:36413\nGET /api HTTP/1.1\r\nHost: webpod\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n',
  ],
  [
    'kubectl exec curl-pod -- curl -sI webpod',
    'HTTP/1.1 200 OK\nDate: Wed, 30 Jul 2025 14:56:15 GMT\nContent-Length: 203\nContent-Type: text/plain; charset=utf-8\n\n',
  ],
  [
    `kubectl exec curl-pod -- curl webpod extra || echo $?; kubectl exec curl-pod -- curl || echo $?; kubectl exec curl-pod -- curl 'http://['`,
    '!curl: got no URL or several, allowed: one\n1\n!curl: got no URL or several, allowed: one\n1\n!curl: (3) URL rejected: http://[\n!command terminated with exit code 3\n',
    3,
  ],
  [
    `kubectl exec curl-pod -- curl -H 'Accept:text/plain' -s webpod | grep Accept && kubectl exec curl-pod -- curl -H ':x' -s webpod`,
    'Accept: text/plain\r\n!curl: -H: got ":x", allowed: NAME: VALUE\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- curl -O https://example.org/x || echo $?; kubectl exec curl-pod -- curl https://example.org/x',
    `!curl: (7) https://example.org/x: the lab reaches no other machine; it has its own nodelocaldns.yaml of the Kubernetes addon, and node-local-dns.yaml and node-local-dns-lrp.yaml of Cilium's examples, at their usual addresses\n!command terminated with exit code 7\n7\n!curl: (1) Protocol "https" not supported: the lab speaks http\n!command terminated with exit code 1\n`,
    1,
  ],
  [
    'kubectl exec curl-pod -- curl -s https://x.org/nodelocaldns.yaml | head -2 && kubectl exec curl-pod -- curl -s -o - https://x.org/nodelocaldns.yaml | wc -l && curl -sO https://x.org/nodelocaldns.yaml && curl -so n.yaml https://x.org/nodelocaldns.yaml && wc -l n.yaml nodelocaldns.yaml',
    `# NodeLocal DNSCache as the Kubernetes addon installs it: in the node's network, with a link and iptables rules of its own.\napiVersion: v1\n107\n!'nodelocaldns.yaml' saved: the lab's own nodelocaldns.yaml stands for https://x.org/nodelocaldns.yaml\n!'n.yaml' saved: the lab's own nodelocaldns.yaml stands for https://x.org/nodelocaldns.yaml\n214\n`,
  ],
  [
    'kubectl exec curl-pod -- curl -s --connect-timeout 2 10.96.152.212:81 || echo $?; kubectl exec curl-pod -- curl -s 172.20.1.40:81',
    `!curl: (28) Failed to connect to 10.96.152.212 port 81 after 2000 ms: Timeout was reached\n!command terminated with exit code 28\n28\n!curl: (7) Failed to connect to 172.20.1.40 port 81 after 0 ms: Couldn't connect to server\n!command terminated with exit code 7\n`,
    7,
  ],
  [
    'kubectl exec curl-pod -- wget -qO- -T 2 10.96.152.212:81 || echo $?; kubectl exec curl-pod -- wget -qO- webpod/api | grep GET',
    '!curl: (28) Failed to connect to 10.96.152.212 port 81 after 2000 ms: Timeout was reached\n!command terminated with exit code 28\n28\nGET /api HTTP/1.1\r\n',
  ],
  [
    'kubectl exec curl-pod -- wget https://example.org/x || echo $?; kubectl exec curl-pod -- wget webpod a || echo $?; kubectl exec curl-pod -- wget -qO- webpod a || echo $?; wget -q https://x.org/nodelocaldns.yaml && wget -qO w.yaml https://x.org/nodelocaldns.yaml && wc -l w.yaml',
    `!wget: https://example.org/x: the lab reaches no other machine; it has its own nodelocaldns.yaml of the Kubernetes addon, and node-local-dns.yaml and node-local-dns-lrp.yaml of Cilium's examples, at their usual addresses\n4\n!wget: allowed: wget -qO- [-T SECONDS] URL\n1\n!wget: allowed: wget -qO- [-T SECONDS] URL\n1\n!'nodelocaldns.yaml' saved: the lab's own nodelocaldns.yaml stands for https://x.org/nodelocaldns.yaml\n!'w.yaml' saved: the lab's own nodelocaldns.yaml stands for https://x.org/nodelocaldns.yaml\n107\n`,
  ],
  [
    'kubectl exec curl-pod -- nc -zv 172.20.1.40 81 || echo $?; kubectl exec curl-pod -- nc -z webpod 80 81 || echo $?; kubectl exec curl-pod -- nc -z webpod 65535 -w 1',
    'nc: connect to 172.20.1.40 (172.20.1.40) port 81 (tcp) failed: Connection refused\n!command terminated with exit code 1\n1\n!nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP\n1\nnc: connect to webpod (10.96.152.212) port 65535 (tcp) failed: Operation timed out\n!command terminated with exit code 1\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- nc -z webpod 65536 || echo $?; kubectl exec curl-pod -- nc -z webpod 0 || echo $?; kubectl exec curl-pod -- nc -z -w 3600 webpod 80 && kubectl exec curl-pod -- nc -z -w 3601 webpod 80 || echo $?; kubectl exec curl-pod -- nc webpod 80 || echo $?; kubectl exec curl-pod -- nc -z webpod',
    '!nc: port: got "65536", allowed: 1 to 65535\n1\n!nc: port: got "0", allowed: 1 to 65535\n1\nConnection to webpod (10.96.152.212) 80 port [tcp/*] succeeded!\n!nc: -w: got "3601", allowed: 1 to 3600\n1\n!nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP\n1\n!nc: allowed: nc -z [-v] [-w SECONDS] HOST PORT, by TCP\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- ping -c 2 172.20.1.40 && kubectl exec curl-pod -- ping -c 1 -s 100 webpod || echo $?; kubectl exec curl-pod -- ping -c 2 -W 3 172.20.0.99',
    'PING 172.20.1.40 (172.20.1.40) 56(84) bytes of data.\n64 bytes from 172.20.1.40: icmp_seq=1 ttl=63 time=0.000 ms\n64 bytes from 172.20.1.40: icmp_seq=2 ttl=63 time=0.000 ms\n\n--- 172.20.1.40 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1000ms\nrtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms\nPING webpod (10.96.152.212) 100(128) bytes of data.\n\n--- webpod ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 1000ms\n!command terminated with exit code 1\n1\n!note: nothing in this lab has the address 172.20.0.99, so there will be no answer: the lab knows names outside the cluster, but not the machines behind them\nPING 172.20.0.99 (172.20.0.99) 56(84) bytes of data.\n\n--- 172.20.0.99 ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss, time 6000ms\n!command terminated with exit code 1\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- ping -c 1001 172.20.0.99 || echo $?; kubectl exec curl-pod -- ping -s 65508 172.20.0.99 || echo $?; kubectl exec curl-pod -- ping -W 61 172.20.0.99 || echo $?; kubectl exec curl-pod -- ping nosuch || echo $?; kubectl exec curl-pod -- ping || echo $?; kubectl exec curl-pod -- ping -c 1 -s 65507 172.20.1.40 | head -2',
    '!ping: -c: got "1001", allowed: 1 to 1000\n1\n!ping: -s: got "65508", allowed: 0 to 65507\n1\n!ping: -W: got "61", allowed: 1 to 60\n1\n!ping: nosuch: Name or service not known\n!command terminated with exit code 2\n2\n!ping: got no host, allowed: ping [-c COUNT] [-W SECONDS] [-s BYTES] HOST\n1\nPING 172.20.1.40 (172.20.1.40) 65507(65535) bytes of data.\n65515 bytes from 172.20.1.40: icmp_seq=1 ttl=63 time=0.000 ms\n',
  ],
  [
    'timeout 3.5 kubectl exec curl-pod -- ping -W 2 172.20.1.99 || echo $?; timeout 1.5 ping 172.20.1.40',
    '!note: nothing in this lab has the address 172.20.1.99, so there will be no answer: the lab knows names outside the cluster, but not the machines behind them\nPING 172.20.1.99 (172.20.1.99) 56(84) bytes of data.\n\n--- 172.20.1.99 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 3500ms\n124\nPING 172.20.1.40 (172.20.1.40) 56(84) bytes of data.\n64 bytes from 172.20.1.40: icmp_seq=1 ttl=64 time=0.000 ms\n64 bytes from 172.20.1.40: icmp_seq=2 ttl=64 time=0.000 ms\n\n--- 172.20.1.40 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1500ms\nrtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms\n',
    124,
  ],
  [
    'kubectl exec curl-pod -- busybox || echo $?; kubectl exec curl-pod -- busybox ls || echo $?; kubectl exec curl-pod -- busybox nslookup webpod | head -5',
    '!busybox: got "", allowed: nslookup\n1\n!busybox: got "ls", allowed: nslookup\n1\n!command terminated with exit code 1\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\twebpod.default.svc.cluster.local\nAddress: 10.96.152.212\n',
  ],
  [
    'kubectl exec curl-pod -- cat /etc/hostname /nosuch /etc/hostname',
    'curl-pod\ncat: /nosuch: No such file or directory\ncurl-pod\n!command terminated with exit code 1\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- dig +trace webpod || echo $?; kubectl exec curl-pod -- hostname && kubectl exec curl-pod -- /usr/local/bin/hostname && kubectl exec curl-pod hostname && kubectl exec pod/curl-pod -- hostname && kubectl exec deploy/webpod -- hostname',
    '!dig: +trace is not supported: there are no root servers here, only a resolver; allowed: dig [@SERVER] NAME [TYPE]\n1\ncurl-pod\ncurl-pod\ncurl-pod\ncurl-pod\nwebpod-556878d5d7-7p8bn\n',
  ],
  [
    'kubectl exec curl-pod -- time cat /etc/hostname && kubectl exec curl-pod -- time sleep 1.25 && kubectl exec curl-pod -- time',
    'curl-pod\nreal\t0m 0.00s\nuser\t0m 0.00s\nsys\t0m 0.00s\nreal\t0m 1.25s\nuser\t0m 0.00s\nsys\t0m 0.00s\n!time: got no program, allowed: time PROGRAM ARGUMENTS\n',
    1,
  ],
  ['kubectl exec curl-pod -- sh', 'programs run in curl-pod now; exit leaves it\n'],
  [
    'hostname && help && /bin/hostname',
    'curl-pod\nin curl-pod there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh; exit leaves it\ncurl-pod\n',
  ],
  ['exit', ''],
  [
    'hostname && kubectl exec curl-pod -- sh -x || echo $?; kubectl exec curl-pod -- bash -c',
    `k8s-ctr\n!error: sh: got "-x", allowed: sh -c 'COMMAND'\n126\n!error: bash: got "-c", allowed: bash -c 'COMMAND'\n`,
    126,
  ],
  [
    `kubectl exec curl-pod -- sh -c 'echo $1-$2' zero one two && kubectl exec curl-pod -- sh -c 'echo a > /x; cat /x; cat /nosuch; cat < /nosuch' || echo $?; kubectl exec curl-pod -- sh -c 'which curl; which ls; type sh'`,
    'one-two\na\ncat: /nosuch: No such file or directory\n!cannot read /nosuch: no such file\n!command terminated with exit code 1\n1\n/usr/bin/curl\nsh is a shell builtin\n',
  ],
  [
    'kubectl exec curl-pod || echo $?; kubectl exec -- ls || echo $?; kubectl exec svc/webpod -- hostname || echo $?; kubectl exec deploy/nosuch -- hostname || echo $?; kubectl exec -- hostname',
    '!error: you must specify a pod and a command: kubectl exec POD -- COMMAND\n1\n!error: expected POD or TYPE/NAME\n1\n!error: svc/webpod has no pods\n1\n!Error from server (NotFound): deployments.apps "nosuch" not found\n1\n!error: expected POD or TYPE/NAME\n',
    1,
  ],
  [
    'kubectl exec curl-pod -- cilium-dbg version || echo $?; kubectl exec -n kube-system ds/cilium -- cilium policy get && kubectl exec -n kube-system ds/cilium -- cilium-dbg version && kubectl exec -n kube-system deploy/coredns -- cilium-dbg version',
    '!error: exec: "cilium-dbg": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh\n127\n[]\nRevision: 1\nClient: 1.17.6\nDaemon: 1.17.6\n!error: exec: "cilium-dbg": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh\n',
    127,
  ],
  [
    'kubectl exec curl-pod -- wc -c || echo $?; kubectl exec curl-pod -- getent hosts nosuch',
    '!wc: got neither a file nor a pipe, allowed: one of them\n1\n!command terminated with exit code 2\n',
    2,
  ],
  [
    `kubectl run t --image=busybox --port=80 --env A=b=c --labels a=b,d=e --command -- sleep 5 && kubectl get pod t -o jsonpath='{.metadata.labels} {.spec}' && kubectl exec t -- env | grep -c ^A=b=c$`,
    'pod/t created\n{"a":"b","d":"e"} {"containers":[{"image":"busybox","name":"t","command":["sleep","5"],"env":[{"name":"A","value":"b=c"}],"ports":[{"protocol":"TCP","containerPort":80}]}],"nodeName":"k8s-w1"}\n1\n',
  ],
  ['kubectl run one --image=x -it', 'pod/one created\nprograms run in one now; exit leaves it\n'],
  [
    'hostname && kubectl',
    'one\n!error: exec: "kubectl": executable file not found in $PATH; there are nslookup, dig, host, getent, busybox, cat, curl, wget, nc, ping, env, hostname, ip, tcpdump, ss, netstat, sh\n',
    127,
  ],
  ['exit', '', 127],
  [
    'kubectl run u --image=busybox -i --rm -q -- hostname && kubectl run u --image=busybox --attach --rm -- cat /nosuch || echo $?; kubectl get pod u',
    'u\ncat: /nosuch: No such file or directory\npod "u" deleted from default namespace\n1\n!Error from server (NotFound): pods "u" not found\n',
    1,
  ],
  [
    'kubectl run u --image=busybox -t -- hostname && kubectl run u2 --image=busybox -i && kubectl get pods u u2 -o name && kubectl run v hostname --image=b -i --rm',
    'u\npod/u2 created\npod/u\npod/u2\nv\npod "v" deleted from default namespace\n',
  ],
  [
    `kubectl run v --image=b --env A || echo $?; kubectl run v --image=b --env =A || echo $?; kubectl run v --image=b --port 0 || echo $?; kubectl run v --image=b --port 65536 || echo $?; kubectl run v --image=b --port 65535 --overrides '{}' --dry-run=client -o yaml`,
    '!error: invalid env: A, allowed: NAME=VALUE\n1\n!error: invalid env: =A, allowed: NAME=VALUE\n1\n!kubectl run: --port: got "0", allowed: 1 to 65535\n1\n!kubectl run: --port: got "65536", allowed: 1 to 65535\n1\napiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    run: v\n  name: v\n  namespace: default\nspec:\n  containers:\n  - image: b\n    name: v\n    ports:\n    - containerPort: 65535\n',
  ],
  [
    `kubectl run v --image=b --overrides '{"spec":{"nodeName":"k8s-w1","containers":[]}}' --dry-run=client -o yaml && kubectl run v --image=b --rm || echo $?; kubectl run --image=b || echo $?; kubectl run v`,
    'apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    run: v\n  name: v\n  namespace: default\nspec:\n  containers:\n  - image: b\n    name: v\n  nodeName: k8s-w1\n!error: --rm should only be used for attached containers\n1\n!error: kubectl run: allowed: kubectl run NAME --image=IMAGE [--rm -it] [-- COMMAND]\n1\n!error: kubectl run: allowed: kubectl run NAME --image=IMAGE [--rm -it] [-- COMMAND]\n',
    1,
  ],
  [
    'kubectl debug || echo $?; kubectl debug curl-pod || echo $?; kubectl debug node/k8s-w1 --image=b || echo $?; kubectl debug node/k8s-w1 --image=b -- chroot /host hostname && kubectl debug nodes/k8s-w1 --image=b hostname',
    '!error: kubectl debug: allowed: kubectl debug -it POD --image=IMAGE [-- COMMAND], kubectl debug -it node/NODE --image=IMAGE [-- COMMAND]\n1\n!error: kubectl debug: allowed: kubectl debug -it POD --image=IMAGE [-- COMMAND], kubectl debug -it node/NODE --image=IMAGE [-- COMMAND]\n1\n!error: kubectl debug node/k8s-w1: give a command: -- COMMAND\n1\nk8s-w1\nk8s-w1\n',
  ],
  [
    `kubectl debug pod/curl-pod --image=b -q -- hostname 2>&1 | sed 's/-.....\\.$/-NAME/' && kubectl debug -it curl-pod --image=b 2> /dev/null`,
    'Defaulting debug container name to debugger-NAME\ncurl-pod\nprograms run in curl-pod now; exit leaves it\n',
  ],
  ['hostname', 'curl-pod\n'],
  ['exit', ''],
  ['kubectl debug curl-pod --image=b -c d --target=e --profile=general -- hostname 2> /dev/null', 'curl-pod\n'],
  [
    'kubectl port-forward || echo $?; kubectl port-forward curl-pod || echo $?; kubectl port-forward curl-pod 0 || echo $?; kubectl port-forward curl-pod 1:0 || echo $?; kubectl port-forward curl-pod 0:1 || echo $?; kubectl port-forward curl-pod 65536 || echo $?; kubectl port-forward curl-pod 1:65536 || echo $?; kubectl port-forward curl-pod 65536:1 || echo $?; kubectl port-forward curl-pod x',
    '!error: kubectl port-forward: allowed: kubectl port-forward POD|svc/NAME [LOCAL:]PORT...\n1\n!error: kubectl port-forward: allowed: kubectl port-forward POD|svc/NAME [LOCAL:]PORT...\n1\n!error: kubectl port-forward: got "0", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "1:0", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "0:1", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "65536", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "1:65536", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "65536:1", allowed: [LOCAL:]PORT, each 1 to 65535\n1\n!error: kubectl port-forward: got "x", allowed: [LOCAL:]PORT, each 1 to 65535\n',
    1,
  ],
  [
    'kubectl port-forward svc/nosuch 80 || echo $?; kubectl port-forward svc/webpod 81 || echo $?; kubectl port-forward services/kubernetes 443 || echo $?; kubectl port-forward service/kube-dns 80 -n kube-system',
    '!Error from server (NotFound): services "nosuch" not found\n1\n!error: Service webpod does not have a service port 81; it has 80\n1\n!error: service kubernetes has no running pods\n1\n!error: Service kube-dns does not have a service port 80; it has 53, 53, 9153\n',
    1,
  ],
  [
    'timeout 1 kubectl port-forward curl-pod 8080 65535:1 1:65535',
    'Forwarding from 127.0.0.1:8080 -> 8080\nForwarding from 127.0.0.1:65535 -> 1\nForwarding from 127.0.0.1:1 -> 65535\n',
    124,
  ],
  [
    `timeout 9 kubectl port-forward svc/webpod 65535:80 8081:80 --address 127.0.0.1 > said & sleep 1; curl -s localhost:65535 | grep -c Hostname && curl -s localhost:8081/x | grep -E 'GET|Host:' && sleep 9 && cat said && ss -tln && curl -s localhost:8081`,
    `![1] 10026\n1\nGET /x HTTP/1.1\r\nHost: localhost:8081\r\nForwarding from 127.0.0.1:65535 -> 80\nForwarding from 127.0.0.1:8081 -> 80\nHandling connection for 65535\nHandling connection for 8081\nState  Recv-Q  Send-Q  Local Address:Port  Peer Address:Port\n!curl: (7) Failed to connect to localhost port 8081 after 0 ms: Couldn't connect to server\n`,
    7,
  ],
  [
    'timeout 9 kubectl port-forward deploy/webpod 8080:81 > said 2>&1 & sleep 1; curl -s -m 3 localhost:8080 || echo $?; sleep 9 && cat said',
    '![2] 10027\n!curl: (56) Recv failure: Connection reset by peer\n56\nForwarding from 127.0.0.1:8080 -> 81\nHandling connection for 8080\nE an error occurred forwarding 8080 -> 81: connection refused: nobody listens at port 81\n',
  ],
  [
    'timeout 9 kubectl port-forward -n kube-system svc/kube-dns 9153:9153 > said & sleep 1; curl -s localhost:9153/metrics | grep -c ^coredns_build_info && sleep 9 && cat said',
    '![3] 10028\n1\nForwarding from 127.0.0.1:9153 -> 9153\nHandling connection for 9153\n',
  ],
  [
    `kubectl run same --image=traefik/whoami -l app=webpod --overrides '{"spec":{"nodeName":"k8s-ctr"}}' && crash same && timeout 9 kubectl port-forward svc/webpod 8080:80 > said & sleep 1; curl -s localhost:8080 | grep Hostname && sleep 9 && kubectl delete pod same`,
    '![4] 10029\nHostname: webpod-556878d5d7-7p8bn\npod "same" deleted from default namespace\n',
  ],
  [
    'hang webpod-556878d5d7-7p8bn && kubectl exec curl-pod -- curl -s -m 2 172.20.1.40',
    'pod webpod-556878d5d7-7p8bn on k8s-ctr hangs\n!curl: (28) Failed to connect to 172.20.1.40 port 80 after 2000 ms: Timeout was reached\n!command terminated with exit code 28\n',
    28,
  ],
  [
    'crash webpod-556878d5d7-7p8bn && kubectl exec curl-pod -- curl -s -m 2 172.20.1.40',
    `pod webpod-556878d5d7-7p8bn on k8s-ctr crashed\n!curl: (7) Failed to connect to 172.20.1.40 port 80 after 0 ms: Couldn't connect to server\n!command terminated with exit code 7\n`,
    7,
  ],
  [
    'kubectl create ns o && kubectl run pf0 -n o -l t=pf --image=traefik/whoami && kubectl run pf1 -l t=pf --image=traefik/whoami && kubectl run pf2 -l t=pf --image=traefik/whoami && kubectl expose pod pf1 --port 80 --name pf && crash pf1 && timeout 3 kubectl port-forward svc/pf 8080:80 > said & sleep 1; curl -s localhost:8080 | grep Hostname && sleep 3 && kubectl delete ns o && kubectl delete pod pf1 pf2',
    '![5] 10030\nHostname: pf2\nnamespace "o" deleted\npod "pf1" deleted from default namespace\npod "pf2" deleted from default namespace\n',
  ],
  [
    'kubectl cp /curl-pod:/etc/hostname x || echo $?; explain webpod --pod /curl-pod || echo $?; explain webpod --pod default/nosuch || echo $?; kubectl run x --image b --restart Never --image-pull-policy Never --dry-run client',
    '!Error from server (NotFound): pods "curl-pod" not found; namespace  has none\n1\n!Error from server (NotFound): pods "curl-pod" not found; namespace  has none\n1\n!Error from server (NotFound): pods "nosuch" not found; namespace default has curl-pod, one, t, u, u2, webpod-556878d5d7-7p8bn, webpod-556878d5d7-r4dmh\n1\npod/x created (dry run)\n',
  ],
];
