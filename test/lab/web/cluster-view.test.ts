import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterView, PartDetails, PodView } from '../../../src/lab/web/api.js';
import { clusterView, nodeCacheOf } from '../../../src/lab/web/cluster-view.js';
import { detailsOf } from '../../../src/lab/web/details.js';
import { drivenLab } from '../lab.js';
import type { Driven } from '../lab.js';

const CORE = 'pod/kube-system/coredns-674b8bbfcf-vvgfm';
const OTHER = 'pod/kube-system/coredns-674b8bbfcf-gbnm8';
const DNS = 'service/kube-system/kube-dns';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());
const view = (): ClusterView =>
  clusterView(driven.lab, [
    { pod: 'default/webpod', port: 5300 },
    { pod: 'default/curl-pod', port: 5301 },
  ]);
const podOf = (id: string): PodView | undefined => view().pods.find((pod) => pod.id === id);
const details = (id: string, urls: Parameters<typeof detailsOf>[2] = []): PartDetails | undefined =>
  detailsOf(driven.lab, id, urls);

describe('the cluster as it begins', () => {
  it('has its pods by name, each with its node, its workload and what it runs', () =>
    expect(
      view().pods.map(({ name, workload, node, ip, hostNetwork, kind, state, ready, restarts, faults, port }) =>
        [name, workload, node, ip, hostNetwork, kind, state, ready, restarts, ...faults, port].join(' ').trim(),
      ),
    ).toEqual([
      'cilium-5fc6j cilium k8s-ctr 192.168.10.100 true idle Running true 0',
      'cilium-nbmtj cilium k8s-w1 192.168.10.101 true idle Running true 0',
      'coredns-674b8bbfcf-gbnm8 coredns k8s-w1 172.20.0.186 false dns Running true 0',
      'coredns-674b8bbfcf-vvgfm coredns k8s-ctr 172.20.1.144 false dns Running true 0',
      'curl-pod curl-pod k8s-ctr 172.20.1.236 false idle Running true 0 5301',
      'webpod-556878d5d7-7p8bn webpod k8s-ctr 172.20.1.40 false web Running true 0',
      'webpod-556878d5d7-r4dmh webpod k8s-w1 172.20.0.130 false web Running true 0',
    ]));

  it('has hosts outside beside the node whose link they alone are on', () =>
    expect(view().hosts).toEqual([
      { id: 'host/resolver', name: 'resolver', addresses: ['10.0.2.3'], dns: true, node: 'k8s-ctr' },
      { id: 'host/resolver-w1', name: 'resolver-w1', addresses: ['10.0.2.3'], dns: true, node: 'k8s-w1' },
      {
        id: 'host/router',
        name: 'router',
        addresses: ['10.0.2.15', '192.168.10.200', '10.10.1.200', '10.10.2.200'],
        dns: false,
      },
    ]));

  it('has its services with their ports and their pods', () =>
    expect(
      view().services.map(({ id, ips, ports, backends, redirects }) => [id, ips, ports, backends, redirects]),
    ).toEqual([
      ['service/default/kubernetes', ['10.96.0.1'], ['443/TCP'], ['node/k8s-ctr'], []],
      [
        'service/default/webpod',
        ['10.96.152.212'],
        ['80/TCP'],
        ['pod/default/webpod-556878d5d7-7p8bn', 'pod/default/webpod-556878d5d7-r4dmh'],
        [],
      ],
      [DNS, ['10.96.0.10'], ['53/UDP', '53/TCP', '9153/TCP'], [OTHER, CORE], []],
    ]));

  it('has who asks whom: pods the service, servers what they forward to, each once; the nodes’ agents ask nobody', () =>
    expect(
      view()
        .links.map(({ from, to, kind }) => `${from} ${kind} ${to}`)
        .sort(),
    ).toEqual([
      `pod/default/curl-pod asks ${DNS}`,
      `pod/default/webpod-556878d5d7-7p8bn asks ${DNS}`,
      `pod/default/webpod-556878d5d7-r4dmh asks ${DNS}`,
      `${OTHER} forwards host/resolver-w1`,
      `${CORE} forwards host/resolver`,
      'service/default/kubernetes backend node/k8s-ctr',
      'service/default/webpod backend pod/default/webpod-556878d5d7-7p8bn',
      'service/default/webpod backend pod/default/webpod-556878d5d7-r4dmh',
      `${DNS} backend ${OTHER}`,
      `${DNS} backend ${CORE}`,
    ]));

  it('has its settings', () => {
    const { name, domain, dns, nodes, nodeCache, apiAway } = view();
    expect({ name, domain, dns, nodeCache, apiAway, nodes: nodes.map(({ id, ip }) => `${id} ${ip}`) }).toEqual({
      name: 'two-nodes',
      domain: 'cluster.local',
      dns: '10.96.0.10',
      nodeCache: 'none',
      apiAway: false,
      nodes: ['node/k8s-ctr 192.168.10.100', 'node/k8s-w1 192.168.10.101'],
    });
  });
});

describe('a part looked at closely', () => {
  it('a pod: its facts, its files and what it serves over HTTP', () => {
    const urls = [
      { pod: 'kube-system/coredns-674b8bbfcf-vvgfm', url: 'http://127.0.0.1:8053/pods/x/:9153/metrics' },
      { pod: 'kube-system/coredns-674b8bbfcf-gbnm8', url: 'http://127.0.0.1:8053/pods/y/:9153/metrics' },
    ];
    const { id, facts, texts, links } = details(CORE, urls)!;
    expect([id, facts, links]).toEqual([
      CORE,
      [
        ['pod', 'kube-system/coredns-674b8bbfcf-vvgfm'],
        ['address', '172.20.1.144'],
        ['node', 'k8s-ctr'],
        ['state', 'Running'],
        ['restarts', '0'],
        ['program', 'dns'],
      ],
      [{ title: ':9153/metrics', url: '/pods/x/:9153/metrics' }],
    ]);
    expect(texts.map(({ title }) => title)).toEqual(['/etc/resolv.conf', 'Corefile', 'Log, last 40 lines']);
    expect(texts[2]!.text).toMatch(/\n\.:53\nnodens-/);
  });

  it('a pod that has nothing to say has no log, and of others the newest 40 lines', () => {
    const { log } = driven.lab.kubelet.get('default', 'curl-pod')!;
    const titles = (): string[] => details('pod/default/curl-pod')!.texts.map(({ title }) => title);
    expect(titles()).toEqual(['/etc/resolv.conf']);
    for (let i = 1; i <= 41; i++) log.write(`line ${i}\n`);
    expect(titles()).toEqual(['/etc/resolv.conf', 'Log, last 40 lines']);
    const lines = details('pod/default/curl-pod')!.texts[1]!.text.split('\n');
    expect([lines[0], lines.at(-1), lines.length]).toEqual(['line 2', 'line 41', 40]);
  });

  it('a host: its addresses and its Corefile, where it has one', () => {
    expect(details('host/resolver')).toMatchObject({
      id: 'host/resolver',
      facts: [
        ['host outside', 'resolver'],
        ['addresses', '10.0.2.3'],
      ],
      texts: [{ title: 'Corefile', text: expect.stringContaining('recursive') as string }],
      links: [],
    });
    expect(details('host/router')!.texts).toEqual([]);
  });

  it('a node: its devices', () => {
    const { facts, texts } = details('node/k8s-w1')!;
    expect(facts).toEqual([
      ['node', 'k8s-w1'],
      ['addresses', '10.0.2.15, 192.168.10.101, 172.20.0.147'],
    ]);
    expect(texts.map(({ title }) => title)).toEqual(['/etc/resolv.conf', 'Devices']);
    expect(texts[0]!.text).toBe('nameserver 10.0.2.3\nsearch Davolink\n');
    expect(texts[1]!.text.split('\n').slice(0, 5)).toEqual([
      'lo 127.0.0.1',
      'eth0 10.0.2.15',
      'eth1 192.168.10.101',
      'cilium_net',
      'cilium_host 172.20.0.147',
    ]);
  });

  it('a service: what it leads to', () =>
    expect(details('service/default/webpod')).toEqual({
      id: 'service/default/webpod',
      facts: [
        ['service', 'default/webpod'],
        ['address', '10.96.152.212'],
      ],
      links: [],
      texts: [{ title: 'Translation', text: '10.96.152.212:80/TCP -> 172.20.1.40:80, 172.20.0.130:80' }],
    }));

  it.each(['pod/default/none', 'host/none', 'node/none', 'service/default/none', 'other/default/webpod', ''])(
    '"%s" is none',
    (id) => expect(details(id)).toBeUndefined(),
  );
});

describe('what changes is seen', () => {
  it.each([
    {
      line: 'hang -n kube-system coredns-674b8bbfcf-vvgfm',
      undo: 'restart -n kube-system coredns-674b8bbfcf-vvgfm',
      faults: ['hangs'],
    },
    {
      line: 'drop -n kube-system coredns-674b8bbfcf-vvgfm',
      undo: 'drop --off -n kube-system coredns-674b8bbfcf-vvgfm',
      faults: ['drops packets'],
    },
  ])('$line', async ({ line, undo, faults }) => {
    await driven.run(line);
    expect([podOf(CORE)!.faults, podOf(OTHER)!.faults]).toEqual([faults, []]);
    await driven.run(undo);
    expect(podOf(CORE)!.faults).toEqual([]);
  });

  it('a service that nobody serves', async () => {
    await driven.run('kubectl scale deploy/webpod --replicas 0; sleep 5');
    expect(details('service/default/webpod')!.texts[0]!.text).toBe('10.96.152.212:80/TCP -> nobody');
    expect(view().services.find(({ name }) => name === 'webpod')!.backends).toEqual([]);
    await driven.run('kubectl scale deploy/webpod --replicas 2; sleep 5');
  });

  it('the ways of caching on nodes, with their redirects', async () => {
    const modes = [nodeCacheOf(driven.lab)];
    const after = async (line: string): Promise<void> => {
      await driven.run(`${line}; sleep 10`);
      modes.push(nodeCacheOf(driven.lab));
    };
    await after('kubectl apply -f ../manifests/node-local-dns.yaml');
    const links = view().links.filter(({ from }) => from.includes('node-local-dns'));
    expect(links.map(({ kind, to }) => `${kind} ${to}`)).toEqual(
      expect.arrayContaining(['forwards service/kube-system/kube-dns-upstream', 'forwards host/resolver']),
    );
    await after('kubectl delete -f ../manifests/node-local-dns.yaml');
    await after('kubectl apply -f ../manifests/node-local-dns-lrp.yaml');
    expect(details('node/k8s-w1')!.texts.map(({ title }) => title)).not.toContain('Redirects');
    await after('kubectl apply -f ../manifests/lrp.yaml');
    expect(modes).toEqual(['none', 'iptables', 'none', 'idle', 'redirect']);

    const { redirects } = view().services.find(({ id }) => id === DNS)!;
    const cacheOn = (node: string): PodView =>
      view().pods.find((pod) => pod.kind === 'node-cache' && pod.node === node)!;
    expect(redirects).toEqual(
      ['k8s-ctr', 'k8s-w1'].map((node) => ({ node, policy: 'kube-system/nodelocaldns', to: [cacheOn(node).id] })),
    );
    expect(view().links.filter(({ kind }) => kind === 'redirect')).toEqual(
      ['k8s-ctr', 'k8s-w1'].map((node) => ({ from: DNS, to: cacheOn(node).id, kind: 'redirect' })),
    );
    expect(
      details('node/k8s-w1')!
        .texts.find(({ title }) => title === 'Redirects')!
        .text.split('\n'),
    ).toEqual(
      ['UDP', 'TCP'].map(
        (protocol) => `10.96.0.10:53/${protocol} -> ${cacheOn('k8s-w1').ip}:53 (kube-system/nodelocaldns)`,
      ),
    );
  });
});
