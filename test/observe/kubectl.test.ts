import { describe, expect, it } from 'vitest';
import { Ages } from '../../src/observe/kubectl/ages.js';
import { humanDuration } from '../../src/observe/kubectl/human-duration.js';
import { kubectlGet } from '../../src/observe/kubectl/kubectl.js';
import type { KubectlFacts } from '../../src/observe/kubectl/kind.js';
import { dnsLab, machine } from '../datapath/lab.js';

const HOUR = 3_600_000;
const words = (line: string): string => line.trim().replace(/ +/g, ' ');

function cluster() {
  const { world, clock } = dnsLab();
  const ages = new Ages(world, () => clock.now());
  clock.advance(2 * HOUR);
  world.addPod({
    namespace: 'default',
    name: 'webpod-1',
    node: 'k8s-ctr',
    labels: { app: 'webpod' },
    ip: '172.20.1.40',
    ready: false,
  });
  world.setService({
    namespace: 'default',
    name: 'webpod',
    type: 'NodePort',
    clusterIPs: ['10.96.152.212'],
    ports: [{ name: '', port: 80, protocol: 'TCP', nodePort: 30_080 }],
  });
  world.setBackends('default', 'webpod', [{ portName: '', ip: '172.20.1.40', port: 80, protocol: 'TCP' }]);
  clock.advance(97_000);
  const facts: KubectlFacts = {
    ages,
    policies: [{ namespace: 'kube-system', name: 'nodelocaldns' }],
    selector: (_, name) => (name === 'webpod' ? 'app=webpod' : undefined),
  };
  return { world, ages, get: (...args: string[]) => kubectlGet(args, world, facts) };
}

describe('kubectl get', () => {
  it.each([
    {
      args: ['nodes'],
      want: [
        'NAME      STATUS   ROLES           AGE    VERSION',
        'k8s-ctr   Ready    control-plane   121m   v1.33.2',
        'k8s-w1    Ready    <none>          121m   v1.33.2',
      ],
    },
    {
      args: ['no', 'k8s-w1', '-o', 'wide', '--no-headers'],
      want: [
        'k8s-w1   Ready   <none>   121m   v1.33.2   192.168.10.101   <none>   Ubuntu 24.04.2 LTS   6.8.0-53-generic   containerd://1.7.27',
      ],
    },
    {
      args: ['pods'],
      want: [
        'NAME       READY   STATUS    RESTARTS   AGE',
        'curl-pod   1/1     Running   0          121m',
        'webpod-1   0/1     Running   0          97s',
      ],
    },
    {
      args: ['pod', '-l', 'app=webpod', '-owide'],
      want: [
        'NAME       READY   STATUS    RESTARTS   AGE   IP            NODE      NOMINATED NODE   READINESS GATES',
        'webpod-1   0/1     Running   0          97s   172.20.1.40   k8s-ctr   <none>           <none>',
      ],
    },
    {
      args: ['svc', 'webpod', '-o=wide'],
      want: [
        'NAME     TYPE       CLUSTER-IP      EXTERNAL-IP   PORT(S)        AGE   SELECTOR',
        'webpod   NodePort   10.96.152.212   <none>        80:30080/TCP   97s   app=webpod',
      ],
    },
    {
      args: ['svc/kube-dns', '-n', 'kube-system'],
      want: [
        'NAME       TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)                  AGE',
        'kube-dns   ClusterIP   10.96.0.10   <none>        53/UDP,53/TCP,9153/TCP   121m',
      ],
    },
    { args: ['clrp', '-A'], want: ['NAMESPACE     NAME           AGE', 'kube-system   nodelocaldns   121m'] },
    {
      args: ['ciliumnodes', 'k8s-ctr', '--no-headers'],
      want: [/^k8s-ctr {3}172\.20\.1\.\d+ {3}192\.168\.10\.100 {3}121m$/],
    },
    {
      args: ['cep', '-o', 'wide', '-n', 'default'],
      want: [
        'NAME       SECURITY IDENTITY   INGRESS ENFORCEMENT   EGRESS ENFORCEMENT   ENDPOINT STATE   IPV4           IPV6',
        /^curl-pod {3}5580 {59}ready {12}172\.20\.1\.236 {3}$/,
        /^webpod-1 /,
      ],
    },
    {
      args: ['endpointslices', '-l', 'kubernetes.io/service-name=webpod'],
      want: [
        'NAME           ADDRESSTYPE   PORTS   ENDPOINTS     AGE',
        /^webpod-[b-z2-9]{5} {3}IPv4 {10}80 {6}172\.20\.1\.40 {3}97s$/,
      ],
    },
  ])('$args', ({ args, want }) => {
    const { lines, errors, exitCode } = cluster().get(...args);
    expect(lines).toHaveLength(want.length);
    want.forEach((one, i) => (typeof one === 'string' ? expect(lines[i]).toBe(one) : expect(lines[i]).toMatch(one)));
    expect([errors, exitCode]).toEqual([[], 0]);
  });

  it('several kinds, with names that say which; endpoints with their warning', () => {
    const { lines, errors } = cluster().get('svc,ep', 'kube-dns', '-n', 'kube-system');
    expect(errors).toEqual(['Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice']);
    expect(lines).toEqual(
      [
        'NAME               TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)                  AGE',
        'service/kube-dns   ClusterIP   10.96.0.10   <none>        53/UDP,53/TCP,9153/TCP   121m',
        '',
        'NAME                 ENDPOINTS                                               AGE',
        'endpoints/kube-dns   172.20.1.144:53,172.20.1.144:53,172.20.1.144:9153   121m',
      ].map((line) =>
        line.replace(
          'ENDPOINTS                                               AGE',
          'ENDPOINTS                                           AGE',
        ),
      ),
    );
  });

  it('counts what does not fit', () => {
    const { world, get } = cluster();
    world.setBackends(
      'default',
      'webpod',
      ['172.20.1.40', '172.20.0.130', '172.20.0.7', '172.20.1.9'].map((ip) => ({
        portName: '',
        ip,
        port: 80,
        protocol: 'TCP' as const,
      })),
    );
    expect(get('ep', 'webpod', '--no-headers').lines[0]).toBe(
      'webpod   172.20.0.7:80,172.20.0.130:80,172.20.1.9:80 + 1 more...   97s',
    );
    world.setBackends('default', 'webpod', []);
    expect(get('ep', 'webpod', '--no-headers').lines[0]).toBe('webpod   <none>   97s');
    expect(get('endpointslices', '--no-headers').lines[0]).toMatch(/ <unset> {3}<unset> {3}97s$/);
  });

  it('shows namespaces of endpoints where all are listed', () =>
    expect(cluster().get('ep', 'webpod', '-A').lines).toEqual([
      'NAMESPACE   NAME     ENDPOINTS        AGE',
      'default     webpod   172.20.1.40:80   97s',
    ]));

  it('shows nodes that came later, their addresses, and that they are cordoned', () => {
    const { world, ages } = cluster();
    const [eth1] = machine('k8s-w2', 102).slice(-1);
    world.addNode({ name: 'k8s-w2', interfaces: [eth1!], externalIps: ['203.0.113.2', '203.0.113.3'] });
    const cordoned = (name: string): boolean => name === 'k8s-w2';
    expect(kubectlGet(['nodes', '-o', 'wide'], world, { ages, policies: [], cordoned }).lines.map(words)).toEqual([
      'NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME',
      'k8s-ctr Ready control-plane 121m v1.33.2 192.168.10.100 <none> Ubuntu 24.04.2 LTS 6.8.0-53-generic containerd://1.7.27',
      'k8s-w1 Ready <none> 121m v1.33.2 192.168.10.101 <none> Ubuntu 24.04.2 LTS 6.8.0-53-generic containerd://1.7.27',
      'k8s-w2 Ready,SchedulingDisabled <none> 0s v1.33.2 192.168.10.102 203.0.113.2 Ubuntu 24.04.2 LTS 6.8.0-53-generic containerd://1.7.27',
    ]);
  });

  it.each([
    { name: 'never', state: { ready: 1, of: 2 }, want: 'webpod-1 1/2 Running 0 97s' },
    {
      name: 'never, though one ended',
      state: { ready: 0, of: 1, restarts: 0, ended: 28_000 },
      want: 'webpod-1 0/1 Running 0 97s',
    },
    { name: 'at an unknown time', state: { ready: 1, of: 1, restarts: 3 }, want: 'webpod-1 1/1 Running 3 97s' },
    {
      name: 'and when',
      state: { ready: 0, of: 1, status: 'CrashLoopBackOff', restarts: 5, ended: 28_000 },
      want: 'webpod-1 0/1 CrashLoopBackOff 5 (28s ago) 97s',
    },
  ])('shows how often containers restarted: $name', ({ state, want }) => {
    const { world, ages } = cluster();
    const { lines } = kubectlGet(['pod', 'webpod-1'], world, { ages, policies: [], containers: () => state });
    expect(words(lines[1]!)).toBe(want);
  });

  it('says when there is nothing, or not what was named', () => {
    const { get } = cluster();
    expect(get('pods', '-n', 'empty')).toEqual({
      lines: [],
      errors: ['No resources found in empty namespace.'],
      exitCode: 0,
    });
    expect(get('pods', '-A', '-l', 'x=y').errors).toEqual(['No resources found']);
    expect(get('pod', 'nobody')).toEqual({
      lines: [],
      errors: ['Error from server (NotFound): pods "nobody" not found'],
      exitCode: 1,
    });
  });

  it.each([
    { args: [], error: 'kubectl get: You must specify the type of resource to get' },
    {
      args: ['moons'],
      error: 'kubectl get: the server doesn\'t have a resource type "moons": there are node, pod, svc',
    },
    {
      args: ['pods', '-o', 'yaml'],
      error: 'kubectl get: unable to match a printer suitable for the output format "yaml", allowed formats are: wide',
    },
    { args: ['pods', '-n'], error: 'kubectl get: flag needs an argument: -n' },
    { args: ['pods', '--watch'], error: 'kubectl get: unknown flag: --watch' },
    { args: ['pods', '-l', 'a in'], error: 'kubectl get: invalid selector "a in":' },
  ])('refuses $args', ({ args, error }) => expect(() => cluster().get(...args)).toThrow(error));
});

describe('ages', () => {
  it.each([
    { age: -5000, want: '<invalid>' },
    { age: -1001, want: '<invalid>' },
    { age: -1000, want: '0s' },
    { age: -500, want: '0s' },
    { age: 119_999, want: '119s' },
    { age: 120_000, want: '2m' },
    { age: 458_000, want: '7m38s' },
    { age: 599_000, want: '9m59s' },
    { age: 601_000, want: '10m' },
    { age: 130 * 60_000, want: '130m' },
    { age: 179 * 60_000, want: '179m' },
    { age: 180 * 60_000, want: '3h' },
    { age: 6 * HOUR + 17 * 60_000, want: '6h17m' },
    { age: 6 * HOUR + 47 * 60_000, want: '6h47m' },
    { age: 8 * HOUR + 60_000, want: '8h' },
    { age: 8.9 * HOUR, want: '8h' },
    { age: 47.9 * HOUR, want: '47h' },
    { age: 48 * HOUR, want: '2d' },
    { age: 50 * HOUR, want: '2d2h' },
    { age: 191 * HOUR, want: '7d23h' },
    { age: 193 * HOUR, want: '8d' },
    { age: 30 * 24 * HOUR, want: '30d' },
    { age: 729 * 24 * HOUR, want: '729d' },
    { age: 730 * 24 * HOUR, want: '2y' },
    { age: 770 * 24 * HOUR, want: '2y40d' },
    { age: 2919 * 24 * HOUR, want: '7y364d' },
    { age: 2921 * 24 * HOUR, want: '8y' },
    { age: 4000 * 24 * HOUR, want: '10y' },
  ])('$want', ({ age, want }) => expect(humanDuration(age)).toBe(want));

  it('start anew with an object of the same name, and end with the watch', () => {
    const { world, clock } = dnsLab();
    const ages = new Ages(world, () => clock.now());
    const add = (): void => void world.addPod({ namespace: 'default', name: 'a', node: 'k8s-ctr' });
    add();
    clock.advance(1000);
    world.setPodReady('default', 'a', false);
    expect(ages.of('pod', 'default', 'a')).toBe(1000);
    world.removePod('default', 'a');
    add();
    expect(ages.of('pod', 'default', 'a')).toBe(0);
    ages.set('policy', 'default', 'p', clock.now() - 7);
    expect(ages.of('policy', 'default', 'p')).toBe(7);
    ages.close();
    world.removePod('default', 'a');
    clock.advance(5);
    expect(ages.of('pod', 'default', 'a')).toBe(5);
  });
});
