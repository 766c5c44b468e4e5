import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

const FILES = {
  'bad.yaml': 'apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n spec: {}\n',
  'kind.yaml': '\napiVersion: batch/v1\nkind: Job\nmetadata: { name: x }\n',
  'version.yaml': 'apiVersion: v2\nkind: Service\nmetadata: { name: x }\n',
  'name.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: X_ }\n',
  'namespace.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: x, namespace: nowhere }\n',
  'outside.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: { name: x }\nspec: { clusterIP: 10.0.0.1, ports: [{ port: 80 }] }\n',
  'taken.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: { name: x }\nspec: { clusterIP: 10.96.0.10, ports: [{ port: 80 }] }\n',
  'moved.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: { name: webpod }\nspec: { clusterIP: 10.96.0.11, ports: [{ port: 80 }] }\n',
  'policy.yaml':
    'apiVersion: cilium.io/v2\nkind: CiliumLocalRedirectPolicy\nmetadata: { name: x, namespace: default }\nspec: { redirectFrontend: {} }\n',
  'external.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: { name: search }\nspec: { type: ExternalName, externalName: google.com }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: members }\nspec: { clusterIP: None, selector: { app: webpod }, ports: [{ port: 80 }] }\n',
  'corefile.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: broken }\nspec: { containers: [{ name: c, image: coredns, args: [-conf, /etc/none] }] }\n',
};

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab(FILES);
});
afterAll(() => driven.end());

describe('a line that cannot be carried out', () => {
  it.each([
    { line: 'nosuch', code: 127, text: 'nosuch: command not found; help lists what there is' },
    { line: 'echo "a', code: 1, text: 'unterminated double quote, at ""a"' },
    { line: 'cat < file', code: 1, text: 'cannot read file: no such file' },
    { line: 'echo a |', code: 1, text: "expected command after '|', at the end of the line" },
    { line: 'echo a >', code: 1, text: 'expected redirect target, at the end of the line' },
    { line: 'cat nothere', code: 1, text: 'cannot read nothere: no such file' },
    { line: 'grep x', code: 1, text: 'grep: got neither a file nor a pipe' },
    { line: 'head -n 1 nothere', code: 1, text: 'cannot read nothere' },
    { line: 'echo a | head -n x', code: 1, text: 'head: -n: got "x", allowed: 0 to 1000000' },
    { line: 'fg', code: 1, text: 'fg: no background job' },
    {
      line: 'kubectl top',
      code: 1,
      text: 'error: Metrics API not available',
    },
    { line: 'kubectl edit pod x', code: 1, text: 'Error from server (NotFound): pods "x" not found' },
    { line: 'kubectl get jobs', code: 1, text: 'error: the server doesn\'t have a resource type "jobs"' },
    {
      line: 'kubectl get cm -o custom',
      code: 1,
      text: 'output format "custom", allowed formats are: wide, yaml, json, name, jsonpath=..., go-template=..., custom-columns=...',
    },
    { line: 'kubectl get cm nosuch', code: 1, text: 'configmaps "nosuch" not found' },
    { line: 'kubectl apply', code: 1, text: 'error: must specify -f FILE' },
    { line: 'kubectl apply -f bad.yaml', code: 1, text: 'bad.yaml:5:' },
    {
      line: 'kubectl apply -f kind.yaml',
      code: 1,
      text: 'kind.yaml:2:1: no matches for kind "Job" in version "batch/v1"',
    },
    {
      line: 'kubectl apply -f version.yaml',
      code: 1,
      text: 'version.yaml:1:1: apiVersion: got "v2", allowed for Service: v1',
    },
    { line: 'kubectl apply -f name.yaml', code: 1, text: 'name.yaml:1:1: metadata.name: got "X_"' },
    { line: 'kubectl apply -f namespace.yaml', code: 1, text: 'namespace.yaml:1:1: namespaces "nowhere" not found' },
    {
      line: 'kubectl apply -f outside.yaml',
      code: 1,
      text: 'outside.yaml:1:1: spec.clusterIP: got "10.0.0.1", allowed: an address of 10.96.0.0/16',
    },
    {
      line: 'kubectl apply -f taken.yaml',
      code: 1,
      text: 'taken.yaml:1:1: spec.clusterIP: 10.96.0.10 belongs to kube-system/kube-dns',
    },
    {
      line: 'kubectl apply -f moved.yaml',
      code: 1,
      text: 'moved.yaml:1:1: spec.clusterIP: Invalid value: "10.96.0.11": field is immutable (it is 10.96.152.212)',
    },
    {
      line: 'kubectl apply -f policy.yaml',
      code: 1,
      text: 'policy.yaml:1:1: spec.redirectFrontend: both addressMatcher and serviceMatcher are empty, want one',
    },
    { line: 'kubectl apply -f ../../deploy/node-local-dns-lrp.yaml', code: 1, text: '__PILLAR__' },
    { line: 'kubectl delete pod nosuch', code: 1, text: 'Error from server (NotFound): pods "nosuch" not found' },
    { line: 'kubectl delete ciliumnode nosuch', code: 1, text: 'ciliumnodes.cilium.io "nosuch" not found' },
    {
      line: 'kubectl scale deploy/webpod --replicas x',
      code: 1,
      text: 'kubectl scale: --replicas: got "x", allowed: 0 to 50',
    },
    {
      line: 'kubectl scale ds/cilium -n kube-system --replicas 1',
      code: 1,
      text: 'error: cannot scale a DaemonSet, allowed: deployments',
    },
    {
      line: 'kubectl rollout redo deploy/webpod',
      code: 1,
      text: 'kubectl rollout: got "redo", allowed: restart, status, history, undo, pause, resume',
    },
    { line: 'kubectl logs nosuch', code: 1, text: 'pods "nosuch" not found; namespace default has curl-pod, webpod' },
    { line: 'kubectl logs -f curl-pod', code: 1, text: 'kubectl logs -f would never end here' },
    {
      line: 'kubectl exec curl-pod -- vi',
      code: 127,
      text: 'exec: "vi": executable file not found in $PATH; there are nslookup, dig',
    },
    { line: 'kubectl exec curl-pod', code: 1, text: 'you must specify a pod and a command' },
    { line: 'kubectl exec curl-pod --frob -- ls', code: 1, text: 'kubectl exec: unknown option --frob' },
    { line: 'kubectl describe', code: 1, text: 'error: You must specify the type of resource to describe' },
    { line: 'helm rollback x', code: 1, text: 'helm: got "rollback", allowed: upgrade, install, list, get' },
    {
      line: 'helm upgrade cilium --set routingMode=tunnel',
      code: 1,
      text: 'Error: routingMode: got "tunnel", allowed: native',
    },
    {
      line: 'helm upgrade cilium --set foo=bar',
      code: 1,
      text: 'Error: foo is not supported, allowed: localRedirectPolicy',
    },
    {
      line: 'helm upgrade cilium --set localRedirectPolicy=maybe',
      code: 1,
      text: 'Error: localRedirectPolicy: got "maybe", allowed: true, false',
    },
    {
      line: 'helm upgrade cilium --set ipam.mode=eni',
      code: 1,
      text: 'Error: ipam.mode: got "eni", allowed: kubernetes, cluster-pool',
    },
    {
      line: 'helm upgrade cilium --set ipv4NativeRoutingCIDR=x',
      code: 1,
      text: 'Error: ipv4NativeRoutingCIDR: got "x", allowed: an address block',
    },
    {
      line: 'cilium config set x y',
      code: 1,
      text: 'cilium: got "config set x y", allowed: config view, hubble port-forward',
    },
    { line: 'tcpdump -i eth1 -w file.pcap', code: 1, text: 'tcpdump: -w file.pcap: no files are written from here' },
    {
      line: 'kubectl logs curl-pod --since yesterday',
      code: 1,
      text: 'kubectl logs: --since: got "yesterday", allowed: a duration such as 30s',
    },
    { line: 'kubectl exec -it curl-pod -- sh -x', code: 126, text: 'sh: got "-x", allowed: sh -c \'COMMAND\'' },
    { line: 'cilium-dbg nosuch', code: 1, text: 'cilium-dbg: got "nosuch", allowed: service list' },
    { line: 'hubble list', code: 1, text: 'hubble: got "list", allowed: observe, status' },
    { line: 'hubble observe --frob', code: 1, text: 'unknown option --frob' },
    { line: 'tcpdump -i eth7', code: 1, text: 'eth7: No such device exists' },
    { line: 'tcpdump -i any', code: 1, text: 'tcpdump would never end here: put & at the end' },
    { line: 'ip tunnel', code: 1, text: 'ip: got "tunnel", allowed: ip route, ip route get ADDRESS, ip [-br] addr' },
    { line: 'iptables-save -t foo', code: 1, text: 'iptables-save: -t: got "foo", allowed: raw, mangle, nat, filter' },
    { line: 'conntrack -D', code: 1, text: 'conntrack: unknown option -D, allowed: -L, -C, -S, -F' },
    { line: 'resolvectl query x', code: 1, text: 'resolvectl: got "query x", allowed: resolvectl [status]' },
    { line: 'ssh nowhere ip route', code: 1, text: 'there is no node named nowhere; there are k8s-ctr, k8s-w1' },
    {
      line: 'ssh router kubectl get pods',
      code: 1,
      text: 'ssh router: got "kubectl", allowed on a host outside: ip, tcpdump',
    },
    { line: 'explain', code: 1, text: 'explain: got no name or several' },
    { line: 'explain x --type MX', code: 1, text: 'explain: --type: got "MX", allowed: A, AAAA, SRV, PTR' },
    {
      line: 'explain x --libc dietlibc',
      code: 1,
      text: 'explain: --libc: got "dietlibc", allowed: glibc, musl, go, bind, busybox',
    },
    { line: 'crash', code: 1, text: 'crash: allowed: crash [-n NAMESPACE] POD|TYPE/NAME' },
    { line: 'sleep x', code: 1, text: 'sleep: got "x", allowed: 0 to 86400' },
  ])('$line', async ({ line, code, text }) => {
    const ran = await driven.run(line);
    expect(ran.text).toContain(text);
    expect(ran.code).toBe(code);
  });
});

describe('a line that can', () => {
  it.each([
    { line: 'kubectl get deploy -A', text: /^kube-system +coredns +2\/2 +2 +2/m },
    { line: 'kubectl get cm -n kube-system', text: /^coredns +1 /m },
    { line: 'kubectl get svc webpod -o yaml', text: /clusterIP: 10\.96\.152\.212/ },
    { line: 'kubectl get po -l app=webpod', text: /webpod-556878d5d7-7p8bn +1\/1 +Running/ },
    { line: 'kubectl describe pod curl-pod', text: /^Node: +k8s-ctr\/192\.168\.10\.100$/m },
    {
      line: 'kubectl describe svc kube-dns -n kube-system',
      text: /^Endpoints: +172\.20\.0\.186:53,172\.20\.1\.144:53$/m,
    },
    { line: 'kubectl describe cm coredns -n kube-system | grep ttl', text: /^ +ttl 30$/m },
    { line: 'kubectl -n kube-system logs deploy/coredns', text: /^\.:53$/m },
    {
      line: 'kubectl exec -it curl-pod -- getent ahosts webpod',
      text: /^10\.96\.152\.212 +STREAM webpod\.default\.svc\.cluster\.local/,
    },
    { line: 'kubectl exec curl-pod -- dig +short google.com', text: /^142\.250\.196\.110$/m },
    { line: 'kubectl exec curl-pod -- host google.com', text: /google\.com has address 142\.250\.196\.110/ },
    {
      line: 'kubectl exec curl-pod -- busybox nslookup webpod.default.svc.cluster.local',
      text: /Address: 10\.96\.152\.212/,
    },
    { line: 'kubectl exec curl-pod -- curl -sI webpod', text: /^HTTP\/1\.1 200 OK$/m },
    {
      line: 'kubectl exec curl-pod -- ping -c 1 10.10.1.200',
      text: /1 packets transmitted, 1 received, 0% packet loss/,
    },
    {
      line: 'kubectl -n kube-system exec ds/cilium -- cilium-dbg service list',
      text: /10\.96\.0\.10:53\/UDP +ClusterIP/,
    },
    { line: 'kubectl exec curl-pod -- ip route', text: /default via/ },
    { line: 'cilium config view', text: /^routing-mode +native$/m },
    { line: 'cilium-dbg endpoint list', text: /5580/ },
    { line: 'hubble observe --last 1 --port 53', text: /UDP/ },
    { line: 'resolvectl', text: /DNS Domain: Davolink/ },
    { line: 'conntrack -L', text: /^$|tcp|udp|icmp/ },
    { line: 'ssh k8s-w1 ip route', text: /^172\.20\.1\.0\/24 via 192\.168\.10\.100 dev eth1 proto kernel$/m },
    { line: 'ssh k8s-w1 dig +short google.com', text: /^142\.250\.196\.110$/m },
    { line: 'ssh router ip route', text: /^10\.10\.1\.0\/24 dev loop1/m },
    { line: 'explain -v google.com. --type aaaa', text: /AAAA to [^]*cost: 1 query,/ },
    { line: 'explain webpod --libc musl', text: /webpod\.default\.svc\.cluster\.local/ },
    { line: 'echo b > x', text: /^$/ },
    { line: 'cat x | sort | wc -l', text: /^1$/m },
    { line: 'help explain', text: /^explain NAME/ },
  ])('$line', async ({ line, text }) => {
    const ran = await driven.run(line);
    expect(ran.text).toMatch(text);
    expect(ran.code).toBe(0);
  });

  it('says why a program failed, and goes on', async () => {
    expect((await driven.run('kubectl exec curl-pod -- curl nosuch')).text).toBe(
      'curl: (6) Could not resolve host: nosuch\ncommand terminated with exit code 6\n',
    );
    expect((await driven.run('kubectl exec curl-pod -- curl ftp://webpod')).text).toContain(
      'curl: (1) Protocol "ftp" not supported',
    );
    expect((await driven.run('kubectl exec curl-pod -- curl 172.20.1.40:81')).text).toMatch(
      /^curl: \(7\) Failed to connect to 172\.20\.1\.40 port 81 .* Couldn't connect to server/,
    );
  });

  it('serves what was applied a moment ago', async () => {
    expect((await driven.run('kubectl apply -f external.yaml')).text).toBe(
      'service/search created\nservice/members created\n',
    );
    expect((await driven.run('kubectl exec curl-pod -- dig +short search.default.svc.cluster.local')).text).toContain(
      'google.com.',
    );
    expect(
      (await driven.run('kubectl exec curl-pod -- dig +short members.default.svc.cluster.local')).text
        .trim()
        .split('\n')
        .sort(),
    ).toEqual(['172.20.0.130', '172.20.1.40']);
    expect((await driven.run('kubectl get svc')).text).toMatch(/members +ClusterIP +None[\s\S]*search +ExternalName/);
    expect((await driven.run('kubectl scale deploy/webpod --replicas 3')).code).toBe(0);
    expect(
      (await driven.run('kubectl exec curl-pod -- dig +short members.default.svc.cluster.local')).text
        .trim()
        .split('\n'),
    ).toHaveLength(3);
    expect((await driven.run('kubectl delete svc search members')).text).toBe(
      'service "search" deleted from default namespace\nservice "members" deleted from default namespace\n',
    );
    expect((await driven.run('kubectl exec curl-pod -- nslookup members')).code).toBe(1);
  });

  it('shows a pod whose program does not start, and why', async () => {
    await driven.run('kubectl apply -f corefile.yaml');
    expect((await driven.run('kubectl get pod broken')).text).toMatch(/broken +0\/1 +CrashLoopBackOff +1 /);
    expect((await driven.run('kubectl logs broken')).text).toContain("no such file or directory, open '/etc/none'");
    expect((await driven.run('kubectl exec broken -- env')).text).toContain(
      'cannot exec into a container of pod broken: it is in state CrashLoopBackOff',
    );
  });

  it('takes a pod away in order or at once, and its Deployment makes another', async () => {
    const before = driven.lab.clock.now();
    await driven.run('kubectl -n kube-system delete pod coredns-674b8bbfcf-gbnm8 --force');
    expect(driven.lab.clock.now() - before).toBeLessThan(1000);
    await driven.run('kubectl -n kube-system delete pod coredns-674b8bbfcf-vvgfm');
    // The Corefile's lame duck time.
    expect(driven.lab.clock.now() - before).toBeGreaterThanOrEqual(5000);
    expect((await driven.run('kubectl -n kube-system get pods -l k8s-app=kube-dns | grep -c Running')).text).toBe(
      '2\n',
    );
    expect((await driven.run('kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local')).text).toBe(
      '10.96.152.212\n',
    );
  });

  it('has no redirect policies where Cilium was not told to', async () => {
    await driven.run('helm upgrade cilium --set localRedirectPolicy=false');
    await driven.run('kubectl -n kube-system rollout restart ds/cilium');
    expect((await driven.run('kubectl apply -f ../manifests/lrp.yaml')).text).toContain(
      'no matches for kind "CiliumLocalRedirectPolicy" in version "cilium.io/v2": ensure CRDs are installed first',
    );
  });
});
