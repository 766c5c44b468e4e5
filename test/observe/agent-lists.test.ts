import { describe, expect, it } from 'vitest';
import {
  bpfIpcacheList,
  bpfLbList,
  endpointGet,
  identityList,
  ipList,
  nodeList,
} from '../../src/observe/cilium/agent-lists.js';
import { dnsLab } from '../datapath/lab.js';

const { world } = dnsLab();
const NODE = world.node('k8s-ctr');
const words = (lines: readonly string[]): string[] => lines.map((line) => line.trimEnd().replace(/ {2,}/g, ' | '));

describe('lists of the agent', () => {
  it('identities: the reserved ones by number, then those of pods, one label on a line', () =>
    expect(identityList(world)).toEqual([
      'ID      LABELS',
      '1       reserved:host',
      '2       reserved:world',
      '3       reserved:unmanaged',
      '4       reserved:health',
      '5       reserved:init',
      '6       reserved:remote-node',
      '7       reserved:kube-apiserver',
      '8       reserved:ingress',
      '9       reserved:world-ipv4',
      '10      reserved:world-ipv6',
      '5580    k8s:app=curl',
      '        k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default',
      '        k8s:io.cilium.k8s.policy.cluster=default',
      '        k8s:io.cilium.k8s.policy.serviceaccount=default',
      '        k8s:io.kubernetes.pod.namespace=default',
      '28565   k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=kube-system',
      '        k8s:io.cilium.k8s.policy.cluster=default',
      '        k8s:io.cilium.k8s.policy.serviceaccount=coredns',
      '        k8s:io.kubernetes.pod.namespace=kube-system',
      '        k8s:k8s-app=kube-dns',
    ]));

  it('nodes by name', () =>
    expect(words(nodeList(world))).toEqual([
      'Name | IPv4 Address | Endpoint CIDR | Source',
      'default/k8s-ctr | 192.168.10.100 | 172.20.1.0/24 | custom-resource',
      'default/k8s-w1 | 192.168.10.101 | 172.20.0.0/24 | custom-resource',
    ]));

  it('addresses with their identities: the own node is the host, pods have numbers', () =>
    expect(words(ipList(world, NODE))).toEqual([
      'IP | IDENTITY | SOURCE',
      '0.0.0.0/0 | reserved:world | custom-resource',
      '10.0.2.15/32 | reserved:remote-node | custom-resource',
      '192.168.10.101/32 | reserved:remote-node | custom-resource',
      '172.20.0.246/32 | reserved:remote-node | custom-resource',
      '10.0.2.15/32 | reserved:host | custom-resource',
      '192.168.10.100/32 | reserved:host | custom-resource',
      '172.20.1.147/32 | reserved:host | custom-resource',
      '172.20.1.236/32 | 5580 | custom-resource',
      '172.20.1.144/32 | 28565 | custom-resource',
    ]));

  it.each([
    { node: 'k8s-ctr', host: 1, via: '0.0.0.0' },
    { node: 'k8s-w1', host: 7, via: '192.168.10.100' },
  ])('the map of addresses of $node: where the API server runs, and the way to pods', ({ node, host, via }) => {
    const lines = words(bpfIpcacheList(world, world.node(node)));
    expect(lines).toContain(`192.168.10.100/32 | identity=${host} encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>`);
    expect(lines).toContain(`172.20.1.236/32 | identity=5580 encryptkey=0 tunnelendpoint=${via} flags=<none>`);
    expect(lines.filter((line) => /^(127\.|.*:.*\/)/.test(line))).toEqual([]);
  });

  it('the map of services: each with its backends, numbered from 1', () =>
    expect(words(bpfLbList(world, NODE)).slice(0, 5)).toEqual([
      'SERVICE ADDRESS | BACKEND ADDRESS (REVNAT_ID) (SLOT)',
      '10.96.0.10:53/UDP (0) | 0.0.0.0:0 (1) (0) [ClusterIP, non-routable]',
      '10.96.0.10:53/UDP (1) | 172.20.1.144:53/UDP (1) (1)',
      '10.96.0.10:53/TCP (0) | 0.0.0.0:0 (2) (0) [ClusterIP, non-routable]',
      '10.96.0.10:53/TCP (1) | 172.20.1.144:53/TCP (2) (1)',
    ]));

  it('one endpoint, as JSON with two blanks', () => {
    const pod = world.pod('default', 'curl-pod');
    const { id, mac, nodeMac, ifindex } = pod.endpoint!;
    const text = endpointGet(NODE, id)!;
    expect(text.split('\n').slice(0, 3)).toEqual(['[', '  {', `    "id": ${id},`]);
    expect(JSON.parse(text)).toMatchObject([
      {
        status: {
          'external-identifiers': { 'k8s-namespace': 'default', 'k8s-pod-name': 'curl-pod' },
          identity: { id: 5580 },
          networking: { addressing: [{ ipv4: '172.20.1.236' }], 'host-mac': nodeMac, 'interface-index': ifindex, mac },
        },
      },
    ]);
    expect(endpointGet(NODE, 1)).toBeUndefined();
    expect(endpointGet(world.node('k8s-w1'), id)).toBeUndefined();
  });
});
