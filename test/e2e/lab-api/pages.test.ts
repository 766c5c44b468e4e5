import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noKubectl } from '../../deploy/addon.js';
import { ADDON, CILIUM, addonManifest, redirectPolicy } from '../../deploy/addon-manifest.js';
import { CILIUM_PAGE, KUBERNETES_PAGE, KUBERNETES_PAGE_END } from '../../deploy/typed-pages.js';
import { ServedLab } from '../../lab/kube-api/client.js';
import { typeIn } from '../../support/typed-shell.js';

if (noKubectl) console.log('test/e2e/lab-api/pages: kubectl is not installed (Debian: kubernetes-client); skipped');

const IMAGE = 'nodens:0.1.0';
const PODS = 'kubectl -n kube-system get pods -l k8s-app=node-local-dns -o wide --no-headers';
const READY = 'kubectl -n kube-system rollout status ds/node-local-dns --timeout=60s';

describe.skipIf(noKubectl)('pages that are followed in a cluster with the image changed', { timeout: 120_000 }, () => {
  let served: ServedLab;
  let dir: string;
  beforeEach(async () => {
    served = await ServedLab.start();
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-pages-'));
    writeFileSync(path.join(dir, 'kubeconfig'), served.kubeconfig);
  });
  afterEach(() => {
    served.stop();
    rmSync(dir, { recursive: true });
    expect(served.faults).toEqual([]);
  });

  const type = (...lines: string[]): Promise<string> => typeIn(dir, ...lines);

  const inPod = (command: string): string => `kubectl exec curl-pod -- ${command}`;
  /** Queries that the cache of curl-pod's node has been asked, by its metrics. */
  async function asked(at: string): Promise<number> {
    const metrics = await type(inPod(`curl -s ${at}:9253/metrics`));
    const counts = metrics.matchAll(/^coredns_dns_requests_total\S*zone="cluster.local."\S* (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  it("Kubernetes' task page, from its first line to its last", async () => {
    writeFileSync(path.join(dir, 'nodelocaldns.yaml'), addonManifest({ ...ADDON, image: IMAGE }));
    expect(await type(...KUBERNETES_PAGE.iptables)).toContain('daemonset.apps/node-local-dns created');
    expect(await type(READY)).toContain('successfully rolled out');
    expect(await type(PODS)).toMatch(/^(node-local-dns-\w+ +1\/1 +Running [^\n]*\n){2}$/);
    // Pods may ask either address.
    for (const address of ['169.254.20.10', '10.96.0.10'])
      expect(await type(inPod(`dig +short @${address} webpod.default.svc.cluster.local`))).toBe('10.96.152.212\n');
    expect(await asked('192.168.10.100')).toBeGreaterThan(0);
    expect(await type(KUBERNETES_PAGE_END)).toContain('daemonset.apps "node-local-dns" deleted');
    await type('kubectl -n kube-system wait --for=delete pod -l k8s-app=node-local-dns --timeout=60s');
    expect(await type(inPod('nslookup webpod'))).toContain('Address: 10.96.152.212');
  });

  it("Cilium's page on local redirect policies", async () => {
    expect(await type('kubectl -n kube-system get pods -l k8s-app=cilium')).toMatch(/cilium-\w+ +1\/1 +Running/);
    expect(await type('kubectl get crds')).toMatch(/^ciliumlocalredirectpolicies\.cilium\.io +20\S+Z$/m);
    writeFileSync(path.join(dir, 'node-local-dns.yaml'), addonManifest({ ...CILIUM, image: IMAGE }));
    writeFileSync(path.join(dir, 'node-local-dns-lrp.yaml'), redirectPolicy());
    expect(await type(...CILIUM_PAGE)).toContain('ciliumlocalredirectpolicy.cilium.io/nodelocaldns created');
    expect(await type(READY)).toContain('successfully rolled out');
    expect(await type('kubectl -n kube-system get ciliumlocalredirectpolicies')).toMatch(/^nodelocaldns /m);
    const services = await type('kubectl exec -n kube-system ds/cilium -- cilium-dbg service list');
    const [, pod = ''] = /10\.96\.0\.10:53\/UDP +LocalRedirect +1 => ([\d.]+):53\/UDP/.exec(services)!;
    expect(await type(PODS)).toContain(` ${pod} `);
    // What the page says to look at: the count grows with what pods ask.
    const before = await asked(pod);
    expect(await type(inPod('nslookup webpod'))).toContain('Address: 10.96.152.212');
    expect(await asked(pod)).toBeGreaterThan(before);
  });
});
