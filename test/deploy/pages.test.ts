import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.js';
import { parseNodeCacheFlags, type NodeCacheOptions } from '../../src/nodelocal/flags.js';
import { renderCorefile } from '../../src/nodelocal/corefile-template.js';
import { networkPlan } from '../../src/nodelocal/plan.js';
import { Server } from '../../src/server/server.js';
import { at, containerOf, noKubectl, type KubeObject } from './addon.js';
import { ADDON, CILIUM, addonManifest, redirectPolicy, type AddonOptions } from './addon-manifest.js';
import { ApiStub } from './api-stub.js';
import { CILIUM_PAGE, KUBERNETES_PAGE } from './typed-pages.js';
import { typeIn } from '../support/typed-shell.js';

const OUR_IMAGE = 'nodens:0.1.0';
const NAMESPACE = '/namespaces/kube-system';
const KUBE_DNS = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kube-dns', namespace: 'kube-system' },
  spec: { clusterIP: '10.96.0.10' },
};

if (noKubectl) console.log('test/deploy/pages: kubectl is not installed (Debian: kubernetes-client); skipped');

describe.skipIf(noKubectl)('pages that are followed with the image changed', () => {
  let dir: string;
  let api: ApiStub;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-pages-'));
    api = new ApiStub(new Map([[`/api/v1${NAMESPACE}/services/kube-dns`, KUBE_DNS]]));
    await api.start(path.join(dir, 'kubeconfig'));
  });

  afterEach(() => {
    api.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const type = (...lines: string[]): Promise<string> => typeIn(dir, ...lines);

  const save = (name: string, options: AddonOptions): void =>
    writeFileSync(path.join(dir, name), addonManifest({ ...options, image: OUR_IMAGE }));
  const created = (kind: string): KubeObject => {
    const found = api.written.map(({ body }) => body as KubeObject).find((object) => object.kind === kind);
    return found ?? expect.unreachable(`no ${kind} among ${api.written.map((one) => one.path).join(', ')}`);
  };
  const flags = (): NodeCacheOptions => parseNodeCacheFlags(containerOf(created('DaemonSet')).args);

  /** Starts what the pod would start from what was created, on the loopback interface; the zones that it serves. */
  async function served(): Promise<string[]> {
    const { localIps, dnsPort, prometheusAddress: prometheus } = flags();
    const { text, warnings } = renderCorefile(created('ConfigMap').data!.Corefile!, {
      ...{ localIps, dnsPort, prometheus },
      clusterDns: '127.0.0.1:1',
      domain: 'cluster.local',
      kubeDns: { stubDomains: new Map(), upstreamNameservers: ['127.0.0.1:1'] },
    });
    expect([text.includes('__'), warnings.filter((line) => !line.includes('TCP upstream'))]).toEqual([false, []]);
    // What no interface of this machine has, and ports that others may have.
    const corefile = text
      .replace(/:53 \{/g, ':0 {')
      .replace(/^( *bind) .*$/gm, '$1 127.0.0.1')
      .replace(/^( *forward \.) [\d.:]+/gm, '$1 127.0.0.1:1')
      .replace(/^( *prometheus).*$/gm, '$1 127.0.0.1:0')
      .replace(/^( *health).*$/gm, '$1 127.0.0.1:0')
      .replace(/^ *loop\n/gm, '');
    const server = await Server.create({ corefile, log: silentLog() });
    await server.listen();
    const zones = server.banner().map((line) => line.replace(/:\d+( on .*)?$/, ''));
    await server.stop();
    return zones.sort();
  }

  const ZONES = ['.', 'cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'];

  it.each([
    {
      name: 'kube-proxy in mode iptables',
      typed: KUBERNETES_PAGE.iptables,
      localIps: ['169.254.20.10', '10.96.0.10'],
      rules: 24,
      bind: 'bind 169.254.20.10 10.96.0.10',
    },
    {
      name: 'kube-proxy in mode IPVS',
      typed: KUBERNETES_PAGE.ipvs,
      localIps: ['169.254.20.10'],
      rules: 12,
      bind: 'bind 169.254.20.10 __PILLAR__DNS__SERVER__',
    },
    {
      name: 'kube-proxy in mode IPVS, as the page was before',
      typed: KUBERNETES_PAGE.ipvsBefore,
      localIps: ['169.254.20.10'],
      rules: 12,
      bind: 'bind 169.254.20.10 ',
    },
  ])("Kubernetes' task page: $name", async ({ typed, localIps, rules, bind }) => {
    save('nodelocaldns.yaml', ADDON);
    expect(await type(...typed)).toContain('daemonset.apps/node-local-dns created');
    expect(api.written.map(({ method, path: to }) => `${method} ${to}`)).toEqual([
      `POST /api/v1${NAMESPACE}/serviceaccounts`,
      `POST /api/v1${NAMESPACE}/services`,
      `POST /api/v1${NAMESPACE}/configmaps`,
      `POST /apis/apps/v1${NAMESPACE}/daemonsets`,
      `POST /api/v1${NAMESPACE}/services`,
    ]);
    const plan = networkPlan(flags());
    expect([flags().localIps, plan.link?.addresses.length, plan.rules.length]).toEqual([
      localIps,
      localIps.length,
      rules,
    ]);
    expect(created('ConfigMap').data!.Corefile).toContain(bind);
    expect(containerOf(created('DaemonSet')).image).toBe(OUR_IMAGE);
    expect(await served()).toEqual(ZONES);
  });

  it("Cilium's page on local redirect policies", async () => {
    save('node-local-dns.yaml', CILIUM);
    writeFileSync(path.join(dir, 'node-local-dns-lrp.yaml'), redirectPolicy());
    const said = await type(...CILIUM_PAGE);
    expect(said).toContain('ciliumlocalredirectpolicy.cilium.io/nodelocaldns created');
    expect(networkPlan(flags())).toEqual({ link: undefined, rules: [] });
    expect(at(created('DaemonSet'), 'spec.template.metadata.labels')).toEqual(
      at(created('CiliumLocalRedirectPolicy'), 'spec.redirectBackend.localEndpointSelector.matchLabels'),
    );
    expect(await served()).toEqual(ZONES);
  });
});

describe.skipIf(noKubectl)('what the page says to type beside a CoreDNS that is there', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../deploy/README.md'), 'utf8');
  const typed = [...page.matchAll(/`(kubectl -n kube-system set image (\S+?)\/(\S+) .*?)`/g)];

  it('is there for CoreDNS and for NodeLocal DNSCache', () =>
    expect(typed.map(([, , kind, name]) => `${kind} ${name}`)).toEqual([
      'deployment coredns',
      'daemonset node-local-dns',
    ]));

  it.each(typed.map(([, command = '', kind = '', name = '']) => ({ command, kind, name })))(
    '$command changes the image and nothing else',
    async ({ command, kind, name }) => {
      const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-image-'));
      const where = `/apis/apps/v1${NAMESPACE}/${kind}s/${name}`;
      const containers = [{ name: kind === 'daemonset' ? 'node-cache' : 'coredns', image: 'theirs', args: ['-conf'] }];
      const api = new ApiStub(
        new Map([
          [
            where,
            {
              apiVersion: 'apps/v1',
              kind: kind === 'daemonset' ? 'DaemonSet' : 'Deployment',
              metadata: { name, namespace: 'kube-system' },
              spec: { selector: {}, template: { metadata: {}, spec: { containers } } },
            },
          ],
        ]),
      );
      await api.start(path.join(dir, 'kubeconfig'));
      const shell = spawn('sh', ['-ec', command], {
        env: { PATH: process.env.PATH, HOME: dir, KUBECONFIG: path.join(dir, 'kubeconfig') },
        stdio: 'ignore',
      });
      const code = await new Promise((resolve) => shell.once('close', resolve));
      api.stop();
      rmSync(dir, { recursive: true, force: true });
      expect(code).toBe(0);
      expect(api.written.map(({ method, path: to }) => `${method} ${to}`)).toEqual([`PATCH ${where}`]);
      expect(at(api.written[0]!.body, 'spec.template.spec.containers')).toEqual([
        { name: containers[0]!.name, image: OUR_IMAGE },
      ]);
    },
  );
});
