import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedLab } from '../../lab/kube-api/client.js';
import { KUBECTLS } from './kubectls.js';

const missing = [
  ...(KUBECTLS.length > 0 ? [] : ['kubectl (kubernetes-client)']),
  ...(spawnSync('script', ['--version']).status === 0 ? [] : ['script (bsdutils)']),
];
if (missing.length > 0) console.warn(`skipped: ${missing.join(', ')} is not there`);

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: traefik/whoami, ports: [ { containerPort: 80 } ] } ] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [ { port: 80 } ] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { colour: red }
`;

const LATER = `
apiVersion: v1
kind: Pod
metadata: { name: later }
spec: { containers: [ { name: later, image: busybox } ] }
`;

let served: ServedLab;
let folder: string;
let env: Record<string, string>;

interface Ran {
  readonly text: string;
  readonly code: number | null;
}

interface Running {
  /** Waits until it has said something. */
  says(wanted: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  end(): Promise<Ran>;
  readonly ended: Promise<Ran>;
}

function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { env, cwd: folder });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const ended = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ text, code })));
  return {
    says: async (wanted) => {
      for (;;) {
        const found = wanted.exec(text);
        if (found) return found;
        if (child.exitCode !== null) throw new Error(`it ended without saying ${String(wanted)}: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    type: (typed) => void child.stdin.write(typed),
    end: () => {
      child.kill();
      return ended;
    },
    ended,
  };
}

const kubectl = (line: string): Promise<Ran> => start('sh', ['-c', `kubectl ${line}`]).ended;

beforeAll(async () => {
  if (missing.length > 0) return;
  served = await ServedLab.start();
  folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-kubectl-'));
  writeFileSync(path.join(folder, 'config'), served.kubeconfig);
  writeFileSync(path.join(folder, 'web.yaml'), WEB);
  writeFileSync(path.join(folder, 'later.yaml'), LATER);
  env = { PATH: KUBECTLS[0]!.path, HOME: folder, KUBECONFIG: path.join(folder, 'config') };
});
afterAll(() => {
  if (missing.length > 0) return;
  served.stop();
  rmSync(folder, { recursive: true });
  expect(served.faults).toEqual([]);
});

const POD = 'webpod-556878d5d7-7p8bn';

type Step = readonly [line: string, want: string | RegExp];

/** Types one line after the other. */
async function typed(steps: readonly Step[]): Promise<void> {
  for (const [line, want] of steps) {
    const { text } = await kubectl(line);
    if (typeof want === 'string') expect(text, line).toBe(want);
    else expect(text, line).toMatch(want);
  }
}

async function forwardsAPort(): Promise<void> {
  const forwarding = start('kubectl', ['port-forward', 'svc/webpod', ':80']);
  const [, port] = await forwarding.says(/127\.0\.0\.1:(\d+) -> 80/);
  const text = await new Promise<string>((resolve, reject) => {
    get(`http://127.0.0.1:${port!}/`, (response) => {
      let said = '';
      response.on('data', (chunk) => (said += String(chunk))).on('end', () => resolve(said));
    }).on('error', reject);
  });
  await forwarding.end();
  expect(text).toMatch(/^Hostname: webpod-/);
}

describe.skipIf(missing.length > 0)("a newer kubectl against the lab's API", { timeout: 60_000 }, () => {
  it.each(KUBECTLS.slice(1))('$version asks and changes', async ({ path: newer }) => {
    const { PATH } = env;
    env = { ...env, PATH: newer };
    await typed([
      ['version', /v1\.33\.2/],
      ['get pods', /^curl-pod +1\/1 +Running +0/m],
      ['describe pod curl-pod', /Node: +k8s-ctr\/192\.168\.10\.100/],
      ['exec curl-pod -- hostname', 'curl-pod\n'],
      ['auth can-i create deployments', /^yes$/m],
      ['auth whoami', /Username +admin/],
      ["exec curl-pod -- sh -c 'exit 3'", /exit code 3/],
      ['apply -f web.yaml', 'deployment.apps/web created\nservice/web created\nconfigmap/web created\n'],
      ['apply -f web.yaml', 'deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/web unchanged\n'],
      ['scale deploy web --replicas=3', /scaled/],
      ['rollout status deploy/web', /successfully rolled out\n$/],
      // Sent in protobuf by 1.32.
      ['create deployment made --image=traefik/whoami --port=80', 'deployment.apps/made created\n'],
      ['create service clusterip made --tcp=80', 'service/made created\n'],
      ['delete deploy,svc made', /deployment.apps "made" deleted/],
      ['apply --server-side --field-manager=other -f web.yaml', /serverside-applied/],
      ['delete -f web.yaml', /deployment.apps "web" deleted/],
    ]);
    await forwardsAPort();
    env = { ...env, PATH: PATH! };
  });
});

describe.skipIf(missing.length > 0)(
  `kubectl ${KUBECTLS[0]?.version} against the lab's API`,
  { timeout: 60_000 },
  () => {
    it.each([
      { line: 'version', want: [/v1\.33\.2/] },
      { line: 'api-resources', want: [/deployments +deploy +apps\/v1 +true +Deployment/] },
      { line: 'get pods', want: [/^NAME +READY +STATUS +RESTARTS +AGE$/m, /^curl-pod +1\/1 +Running +0/m] },
      { line: 'get pods -A -o wide', want: [/NOMINATED NODE/, /kube-system +coredns-\S+ +1\/1 .*k8s-w1/] },
      {
        line: 'get svc,ep,deploy,rs,ds,cm,sa,ns,nodes -A',
        want: [/service\/webpod/, /endpoints\/webpod/, /node\/k8s-ctr/],
      },
      { line: 'get ciliumendpoints,ciliumnodes -A', want: [/ciliumendpoint\.cilium\.io\/curl-pod/] },
      { line: 'get svc webpod -o yaml', want: [/^ {2}clusterIP: 10\.96\.152\.212$/m] },
      { line: 'get svc webpod -o json', want: [/"clusterIP": "10\.96\.152\.212"/] },
      { line: "get svc webpod -o jsonpath='{.spec.clusterIP}'", want: [/^10\.96\.152\.212$/] },
      { line: "get svc webpod -o go-template='{{.spec.clusterIP}}'", want: [/^10\.96\.152\.212$/] },
      { line: 'get svc webpod -o custom-columns=IP:.spec.clusterIP', want: [/^IP\n10\.96\.152\.212\n$/] },
      { line: 'get pods -l app=webpod -o name', want: [/^pod\/webpod-556878d5d7-7p8bn\npod\/webpod-\S+\n$/] },
      { line: 'get pods -A --field-selector spec.nodeName=k8s-w1', want: [/coredns/] },
      { line: 'get pods --sort-by=.metadata.name --show-labels', want: [/app=webpod/] },
      { line: 'get --raw /readyz', want: [/^ok$/] },
      { line: 'describe deployment webpod', want: [/NewReplicaSet: +webpod-556878d5d7 \(2\/2 replicas created\)/] },
      { line: `describe pod ${POD}`, want: [/Controlled By: +ReplicaSet\/webpod-556878d5d7/, /Port: +80\/TCP/] },
      { line: `describe pod ${POD}`, want: [/Events:[^]*Normal +Started +\S+ +kubelet +Started container webpod/] },
      { line: 'get events', want: [/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE$/m, /Scheduled +pod\/curl-pod/] },
      { line: 'describe node k8s-ctr', want: [/Non-terminated Pods/] },
      { line: 'describe svc webpod', want: [/Endpoints: +172\.20\.\d\.\d+:80,172\.20\.\d\.\d+:80/] },
      { line: 'logs deploy/coredns -n kube-system --tail=1', want: [/nodens/] },
      { line: 'exec curl-pod -- hostname', want: [/^curl-pod\n$/] },
      { line: 'exec curl-pod -- nslookup webpod', want: [/Address: 10\.96\.152\.212/] },
      { line: 'exec -i curl-pod -- grep wor', input: 'hello\nworld\n', want: [/^world\n$/] },
      { line: "exec curl-pod -- sh -c 'exit 3'", code: 3, want: [/exit code 3/] },
      { line: 'auth can-i create deployments', want: [/^yes$/m] },
      { line: 'auth can-i --list', want: [/^\*\.\* +\[\] +\[\] +\[\*\]$/m] },
      { line: 'get pod none', code: 1, want: [/pods "none" not found/] },
      { line: 'exec none -- ls', code: 1, want: [/pods "none" not found/] },
    ])('$line', async ({ line, code = 0, want, input }) => {
      const running = start('sh', [
        '-c',
        input === undefined ? `kubectl ${line}` : `printf '${input}' | kubectl ${line}`,
      ]);
      const ran = await running.ended;
      for (const part of want) expect(ran.text).toMatch(part);
      expect(ran.code).toBe(code);
    });

    it('keeps a node free of pods, and takes it in again', async () => {
      await typed([
        ['label node k8s-w1 disk=ssd', /node\/k8s-w1 labeled/],
        ['get nodes -l disk=ssd -o name', /^node\/k8s-w1\n$/],
        ['cordon k8s-w1', /node\/k8s-w1 cordoned/],
        ['get node k8s-w1', /Ready,SchedulingDisabled/],
        ['drain k8s-w1 --ignore-daemonsets', /node\/k8s-w1 (drained|evicted|deleted)/],
        ['get pods -l app=webpod -o wide', /^(?![^]*k8s-w1)[^]*webpod-\S+ +1\/1 +Running/],
        ['uncordon k8s-w1', /node\/k8s-w1 uncordoned/],
        ['get node k8s-w1', /k8s-w1 +Ready +<none>/],
        ['get --raw /api/v1/nodes/k8s-w1', /"disk":"ssd"/],
        ['taint node k8s-w1 x=y:NoSchedule', /spec\.unschedulable keeps new pods off a node/],
        ['label node k8s-w1 disk-', /node\/k8s-w1 (labeled|unlabeled)/],
      ]);
    });

    it('applies manifests, and changes what they made in all ways', async () => {
      await typed([
        ['apply -f web.yaml', 'deployment.apps/web created\nservice/web created\nconfigmap/web created\n'],
        ['apply -f web.yaml', 'deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/web unchanged\n'],
        ['rollout status deploy/web', /successfully rolled out\n$/],
        ['scale deploy web --replicas=3', /deployment.apps\/web scaled/],
        ['wait --for=condition=Ready pod -l app=web --timeout=30s', /^(pod\/web-\S+ condition met\n){3}$/],
        ['set image deploy/web web=traefik/whoami:v1.10', /image updated/],
        ['rollout status deploy/web', /successfully rolled out\n$/],
        ['rollout history deploy/web', /1 +<none>\n2 +<none>/],
        ['rollout undo deploy/web', /rolled back/],
        ['rollout status deploy/web', /successfully rolled out\n$/],
        ["get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'", 'traefik/whoami'],
        ['rollout restart deploy/web', /restarted/],
        ['rollout status deploy/web', /successfully rolled out\n$/],
        ['label cm web size=big', /labeled/],
        ['annotate cm web note=read', /annotated/],
        [`patch cm web --type merge -p '{"data":{"size":"7"}}'`, /patched/],
        [`patch cm web --type json -p '[{"op":"replace","path":"/data/colour","value":"blue"}]'`, /patched/],
        ["get cm web -o jsonpath='{.data}'", '{"colour":"blue","size":"7"}'],
        ['apply --server-side --field-manager=other -f web.yaml', /conflict with .* using v1: \.data\.colour/],
        [
          'apply --server-side --field-manager=other --force-conflicts -f web.yaml',
          /configmap\/web serverside-applied/,
        ],
        ["get cm web -o jsonpath='{.data}'", '{"colour":"red","size":"7"}'],
        ['delete -f web.yaml', /deployment.apps "web" deleted/],
        ['wait --for=delete pod -l app=web --timeout=30s', /^$|condition met|no matching resources/],
        ['get cm web', /configmaps "web" not found/],
      ]);
    });

    it('edits an object', async () => {
      env['EDITOR'] = "sed -i 's/ttl 30/ttl 9/'";
      expect((await kubectl('edit cm coredns -n kube-system')).text).toBe('configmap/coredns edited\n');
      expect((await kubectl('get cm coredns -n kube-system -o yaml')).text).toContain('ttl 9');
    });

    it('follows a log', async () => {
      const [coredns] = served.lab.kubelet.list().filter(({ program }) => program.kind === 'dns');
      const following = start('kubectl', ['logs', '-f', coredns!.name, '-n', 'kube-system', '--tail=1']);
      await following.says(/nodens/);
      coredns!.log.write('a line that comes later\n');
      await following.says(/a line that comes later/);
      await following.end();
    });

    it('attaches to what a program writes', async () => {
      const [coredns] = served.lab.kubelet.list().filter(({ program }) => program.kind === 'dns');
      const attached = start('kubectl', ['attach', coredns!.name, '-n', 'kube-system']);
      const ticks = setInterval(() => coredns!.log.write('a line for who is attached\n'), 50);
      await attached.says(/a line for who is attached/);
      clearInterval(ticks);
      await attached.end();
    });

    it('opens a shell on a terminal', async () => {
      const terminal = start('script', ['-qfec', 'kubectl exec -it curl-pod -- sh', '/dev/null']);
      await terminal.says(/curl-pod:~# /);
      terminal.type('getent hosts webpod\r');
      await terminal.says(/10\.96\.152\.212 +webpod\.default\.svc\.cluster\.local/);
      terminal.type('exit\r');
      expect((await terminal.ended).code).toBe(0);
    });

    it('forwards a port', forwardsAPort);

    it('watches', async () => {
      const watching = start('kubectl', ['get', 'pods', '-w']);
      await watching.says(/curl-pod/);
      await kubectl('apply -f later.yaml');
      await watching.says(/later +1\/1 +Running/);
      await watching.end();
    });

    it('deletes a pod, for which its Deployment makes another', async () => {
      expect((await kubectl(`delete pod ${POD}`)).text).toBe(`pod "${POD}" deleted\n`);
      expect((await kubectl('wait --for=condition=Available deploy/webpod --timeout=30s')).code).toBe(0);
      expect((await kubectl('get pods -l app=webpod -o name')).text.split('\n').length).toBe(3);
    });

    it('is refused while the API is away, and goes on when it is back', async () => {
      const watching = start('kubectl', ['get', 'pods', '-w']);
      await watching.says(/curl-pod/);
      served.lab.setApiAway(true);
      await watching.ended;
      const { text, code } = await kubectl('get pods');
      expect(text).toMatch(/^The connection to the server 127\.0\.0\.1:\d+ was refused/);
      expect(code).toBe(1);
      served.lab.setApiAway(false);
      await typed([['get pods', /curl-pod +1\/1 +Running/]]);
    });
  },
);
