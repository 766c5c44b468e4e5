import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Metadata, type ProvidesMetadata, type ProvidesSearchLists } from '../../../src/chain/index.js';
import { Intake } from '../../../src/kube/intake/intake.js';
import { MemorySource } from '../../../src/kube/memory-source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { FollowedPods, openPods } from '../../../src/plugins/node/pods.js';
import { node, nodeOver } from '../../../src/plugins/node/setup.js';
import { TestBlock, setup, type TestBlockOptions } from '../../support/block.js';
import { query } from '../../support/dns.js';
import { Server } from '../../../src/server/server.js';
import { FakeApi, type Manifest } from '../../support/fake-api.js';
import { RecordedLog, pod } from '../../support/kube.js';

const HOST = 'nameserver 192.0.2.53\nsearch old.test\nsearch corp.test EU.corp.test. kube-system.svc.cluster.local\n';
const OWN = ['default.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', 'corp.test.', 'eu.corp.test.'];
const ENV = { env: { NODE_NAME: 'node-1' }, files: { '/etc/resolv.conf': HOST } };

async function over(objects: readonly Manifest[], text = 'node', options: TestBlockOptions = ENV) {
  const store = new KubeStore();
  const source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() }));
  source.start(store, new AbortController().signal);
  for (const object of objects) source.apply(object);
  const { block, handlers } = setup(nodeOver(store), text, options);
  await block.run('start');
  return { source, block, handler: handlers[0] as unknown as ProvidesMetadata & ProvidesSearchLists };
}

const from = (remote: string) => query('a.test.', 'A', { remote });
const IP = '10.244.0.5';
const configured = (dnsConfig: unknown, rest: Record<string, unknown> = {}): Manifest =>
  pod('a', IP, {}, { spec: { dnsConfig, ...rest } });
const option = (name: string, value?: string): unknown => ({
  options: [{ name, ...(value !== undefined && { value }) }],
});

describe('search lists', () => {
  it.each([
    { name: 'a pod', pods: [pod('a', IP)], want: { domains: OWN, ndots: 5 } },
    { name: 'a second address', pods: [pod('a', '10.244.0.9', {}, { status: { podIPs: [{ ip: '10.244.0.9' }, { ip: IP }] } })], want: { domains: OWN, ndots: 5 } },
    { name: 'another namespace', pods: [pod('a', IP, {}, { metadata: { namespace: 'prod' } })], want: { domains: ['prod.svc.cluster.local.', ...OWN.slice(1)], ndots: 5 } },
    { name: 'ndots', pods: [configured(option('ndots', '2'))], want: { domains: OWN, ndots: 2 } },
    { name: 'ndots that resolvers cut', pods: [configured(option('ndots', '99'))], want: { domains: OWN, ndots: 15 } },
    { name: 'ndots that is no number', pods: [configured(option('ndots', 'x'))], want: undefined },
    { name: 'ndots without a number', pods: [configured(option('ndots'))], want: undefined },
    { name: 'further domains', pods: [configured({ searches: ['Corp.test', 'b.test'] })], want: { domains: [...OWN, 'b.test.'], ndots: 5 } },
    { name: 'domains of its own, the namespace first', pods: [configured({ searches: ['default.svc.cluster.local', 'b.test'] }, { dnsPolicy: 'None' })], want: { domains: [OWN[0], 'b.test.'], ndots: 1 } },
    { name: 'domains of its own, another first', pods: [configured({ searches: ['b.test'] }, { dnsPolicy: 'None' })], want: undefined },
    { name: 'no domains', pods: [configured({}, { dnsPolicy: 'None' })], want: undefined },
    { name: "the host's configuration", pods: [configured({}, { dnsPolicy: 'Default' })], want: undefined },
    { name: 'the network of the host', pods: [pod('a', IP, {}, { spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } })], want: undefined },
    { name: 'the address of the host beside a pod on its network', pods: [pod('a', IP), pod('b', IP, {}, { spec: { hostNetwork: true } })], want: undefined },
    { name: 'another node', pods: [pod('a', IP, {}, { spec: { nodeName: 'node-2' } })], want: undefined },
    { name: 'a pod that has ended', pods: [pod('a', IP, {}, { status: { phase: 'Succeeded' } })], want: undefined },
    { name: 'a pod beside one that has ended', pods: [pod('b', IP, {}, { status: { phase: 'Failed' } }), pod('a', IP)], want: { domains: OWN, ndots: 5 } },
    { name: 'a pod that is being deleted', pods: [pod('a', IP, {}, { metadata: { deletionTimestamp: '2026-11-20T00:00:00Z' } })], want: undefined },
    { name: 'an address that two pods claim', pods: [pod('a', IP), pod('b', IP)], want: undefined },
    { name: 'nobody', pods: [], want: undefined },
  ])('$name', async ({ pods, want }) => {
    const { handler } = await over(pods);
    expect(handler.searchList(from(IP))).toEqual(want);
  }); // prettier-ignore

  it.each([
    { name: 'a domain in the directive', text: 'node k8s.example', zones: ['.'], first: 'default.svc.k8s.example.' },
    { name: 'the domain of the block', text: 'node', zones: ['10.in-addr.arpa.', 'k8s.example.'], first: 'default.svc.k8s.example.' },
    { name: 'a block for the root', text: 'node', zones: ['.'], first: OWN[0] },
  ])('with $name', async ({ text, zones, first }) => {
    const { handler } = await over([pod('a', IP)], text, { ...ENV, zones });
    expect(handler.searchList(from(IP))?.domains[0]).toBe(first);
  }); // prettier-ignore

  it.each([
    { name: 'another file', text: 'node {\n resolv_conf /kubelet\n}', last: 'file.test.' },
    { name: 'the domain of a host without any', text: 'node {\n resolv_conf /none\n}', last: '.' },
  ])('end with that of $name', async ({ text, last }) => {
    const files = { '/kubelet': 'search file.test\n', '/none': 'search .\n' };
    const { handler } = await over([pod('a', IP)], text, { ...ENV, files });
    expect(handler.searchList(from(IP))?.domains.at(-1)).toBe(last);
  });

  it('follow what the API tells', async () => {
    const { handler, source } = await over([pod('a', IP)]);
    const first = (): string | undefined => handler.searchList(from(IP))?.domains[0];
    source.delete('Pod', 'default', 'a');
    expect(first()).toBeUndefined();
    source.apply(pod('b', IP, {}, { metadata: { namespace: 'prod' } }));
    expect(first()).toBe('prod.svc.cluster.local.');
  });
});

describe('names of clients', () => {
  const APP = 'app.kubernetes.io/name';
  it.each([
    { name: 'a pod', remote: IP, want: ['prod', 'a', 'web', undefined] },
    { name: 'a pod, IPv4 within IPv6', remote: `::ffff:${IP}`, want: ['prod', 'a', 'web', undefined] },
    { name: 'nobody', remote: '10.244.0.6', want: [undefined, undefined, undefined, undefined] },
  ])('$name', async ({ remote, want }) => {
    const { handler } = await over([pod('a', IP, { [APP]: 'web' }, { metadata: { namespace: 'prod' } })]);
    const labels = new Metadata(from(remote), new Map(Object.entries(handler.metadata())));
    const asked = ['client-namespace', 'client-pod-name', `client-label/${APP}`, 'client-label/other'];
    expect(asked.map((label) => labels.get(`kubernetes/${label}`))).toEqual(want);
  });

  it('stay while a pod is being deleted', async () => {
    const { handler } = await over([pod('a', IP, {}, { metadata: { deletionTimestamp: '2026-11-20T00:00:00Z' } })]);
    expect(handler.metadata()['kubernetes/client-pod-name']!(from(IP), '')).toBe('a');
  });
});

describe('with an API', () => {
  it('watches the pods of its node only, once for all blocks, and goes on with that over a reload', async () => {
    const api = await new FakeApi().start();
    try {
      api.apply(pod('a', IP));
      const corefile = ['a.test', 'b.test'].map((zone) => `${zone} {\n node cluster.local {\n name node-1\n endpoint ${api.url}\n }\n}\n`).join('');
      const server = await Server.create({ corefile });
      const known = async (): Promise<boolean> => (await server.runtime.metrics.text()).includes('known_pods{node="node-1"} 1');
      await expect.poll(known, { timeout: 5000 }).toBe(true);
      expect(await server.reload()).toBe(true);
      expect(await known()).toBe(true);
      await server.stop();
      const selectors = new Set(api.requests.map(({ kind, query: asked }) => `${kind} ${asked['fieldSelector']}`));
      expect([...selectors]).toEqual(['Pod spec.nodeName=node-1,status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown']);
      const purposes = api.requests.map(({ purpose }) => purpose);
      expect(purposes).toEqual([...new Set(purposes)]);
    } finally {
      await api.stop();
    }
  }); // prettier-ignore
});

describe('the directive', () => {
  it('keeps of pods what is asked of them: their node, labels and DNS settings', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'nodens-pods-'));
    const file = path.join(folder, 'pods.json');
    const [block, log] = [new TestBlock(), new RecordedLog()];
    const labelled = pod(
      'a',
      IP,
      {},
      { metadata: { labels: { app: 'web' } }, spec: { dnsConfig: option('ndots', '2') } },
    );
    writeFileSync(file, JSON.stringify(labelled));
    try {
      const followed = openPods({ kind: 'manifests', paths: [file] }, 'node-1', block.runtime, log);
      followed.acquire(log);
      await expect.poll(() => log.lines).toContain('info 1 pods of node node-1');
      expect(followed.pods.at(IP)).toMatchObject({
        node: 'node-1',
        labels: { app: 'web' },
        dns: { options: [{ name: 'ndots', value: '2' }] },
      });
      followed.release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('counts the pods', async () => {
    const { block, source } = await over([pod('a', IP), pod('b', '10.244.0.6', {}, { spec: { nodeName: 'node-2' } })]);
    expect(await block.metrics.text()).toContain('coredns_node_known_pods{node="node-1"} 1\n');
    source.apply(pod('c', '10.244.0.7'));
    expect(await block.metrics.text()).toContain('coredns_node_known_pods{node="node-1"} 2\n');
    source.apply(pod('c', '10.244.0.7', {}, { status: { phase: 'Failed' } }));
    expect(await block.metrics.text()).toContain('coredns_node_known_pods{node="node-1"} 1\n');
    await block.run('stop');
    source.apply(pod('d', '10.244.0.8'));
    expect(await block.metrics.text()).toContain('coredns_node_known_pods{node="node-1"} 1\n');
  });

  it('follows the pods once, as long as some block has a use for them', async () => {
    const [block, log] = [new TestBlock(), new RecordedLog()];
    const source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log }));
    let [starts, ends] = [0, 0];
    const counted = {
      hasSynced: true,
      synced: source.synced,
      start: (...where: Parameters<typeof source.start>) => {
        starts++;
        source.start(...where);
      },
    };
    const followed = new FollowedPods(new KubeStore(), counted, 'node-1', block.runtime, () => ends++);
    source.apply(pod('a', IP));
    for (let i = 0; i < 3; i++) followed.acquire(log);
    await source.synced;
    await Promise.resolve();
    expect([starts, log.lines]).toEqual([1, ['info 1 pods of node node-1']]);
    followed.release();
    followed.release();
    source.apply(pod('b', '10.244.0.6'));
    expect([ends, followed.pods.count]).toEqual([0, 2]);
    followed.release();
    source.apply(pod('c', '10.244.0.7'));
    expect([ends, followed.pods.count]).toEqual([1, 2]);
  });

  it.each([
    { name: 'no node', text: 'node', options: {}, error: "got node name '', allowed: the name of a node, by the option name or in NODE_NAME" },
    { name: 'a selector in place of a name', text: 'node {\n name a,metadata.name=b\n}', error: "got node name 'a,metadata.name=b'" },
    { name: 'two domains', text: 'node a b', error: 'allowed: 0 to 1 arguments' },
    { name: 'an option that is none', text: 'node {\n zzz\n}', error: "unknown option 'zzz'; allowed: endpoint, tls, kubeconfig, manifests, name, resolv_conf" },
    { name: 'a missing file', text: 'node {\n resolv_conf /nosuch\n}', error: "cannot use '/nosuch': ENOENT" },
    { name: 'no way to the API', text: 'node', error: 'KUBERNETES_SERVICE_HOST' },
  ])('refuses $name', ({ text, error, options }) => {
    expect(() => setup(node, text, options ?? ENV)).toThrow(error);
  }); // prettier-ignore
});
