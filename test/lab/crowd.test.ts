import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../src/lab/gateway/gateway.js';
import { objectAt } from '../../src/kube/objects/raw.js';
import { MOST_NODES, PODS_PER_NODE, crowd } from '../../src/lab/topology/crowd.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

it('a small crowd: nodes with a block of addresses each, and a web server beside the pod to ask from', () => {
  const kind = loadTopology('kind');
  const { name, nodes, podPins, servicePins, manifests } = crowd(kind, 3, 52);
  expect({ name, podPins, servicePins }).toEqual({ name: 'kind, 3 nodes', podPins: [], servicePins: [] });
  expect(
    nodes.map(({ name, apiServer, podCidr, interfaces }) => [name, apiServer, podCidr, ...interfaces[0]!.addresses]),
  ).toEqual([
    [kind.nodes[0]!.name, true, '10.244.0.0/24', ...kind.nodes[0]!.interfaces[0]!.addresses],
    ['worker-1', false, '10.244.1.0/24', '172.17.1.1/16'],
    ['worker-2', false, '10.244.2.0/24', '172.17.1.2/16'],
  ]);
  const own = manifests.slice(kind.manifests.length);
  expect(own.map(({ place, raw }) => [place, objectAt(raw, 'spec')['replicas']])).toEqual([
    ['Deployment webpod', 50],
    ['Service webpod', undefined],
    ['Deployment webpod-2', 1],
    ['Service webpod-2', undefined],
    ['Pod curl-pod', undefined],
  ]);
  // As many nodes as there are blocks, and on each what a kubelet takes.
  expect([MOST_NODES, PODS_PER_NODE]).toEqual([250, 110]);
});

describe('a cluster of as many nodes and pods as are asked for', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab({}, crowd(loadTopology('kind'), 12, 301));
  });
  afterAll(() => driven.end());

  it.each([
    { line: 'kubectl get nodes --no-headers | wc -l', text: '12\n' },
    { line: 'kubectl get pods --no-headers | wc -l', text: '301\n' },
    // Six services of fifty pods each, and the API's.
    { line: 'kubectl get svc --no-headers | wc -l', text: '7\n' },
    { line: 'kubectl get pods -owide --no-headers -l app=webpod-6 | wc -l', text: '50\n' },
    { line: 'kubectl exec curl-pod -- curl -s webpod-6 | grep -c Hostname', text: '1\n' },
  ])('$line', async ({ line, text }) => {
    expect((await driven.run(line)).text).toBe(text);
  });

  it('has its pods spread over all nodes', () => {
    const perNode = driven.lab.api.pods.perNode();
    const counts = driven.lab.topology.nodes.map(({ name }) => perNode.get(name) ?? 0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
  });

  it('counts the pods that are there, whatever comes and goes', async () => {
    await driven.run('kubectl scale deploy/webpod --replicas 20');
    await driven.run('kubectl delete pod curl-pod');
    await driven.run('sleep 60');
    const { api } = driven.lab;
    const there = [...api.pods.perNode().values()].reduce((sum, count) => sum + count, 0);
    expect(there).toBe(api.list('Pod').length);
    expect([...api.pods.of({ kind: 'Deployment', namespace: 'default', name: 'webpod' })]).toHaveLength(20);
  });
});

it('gives ports of this machine to so many pods, those that ask first', async () => {
  const driven = await drivenLab({}, crowd(loadTopology('kind'), 3, 320));
  const gateway = new Gateway(driven.lab, { host: new HostNetwork(), port: 0 });
  await gateway.open();
  const pods = gateway.dns().map(({ pod }) => pod);
  gateway.close();
  await driven.end();
  expect(pods).toHaveLength(250);
  expect(pods).toContain('default/curl-pod');
  expect(pods.filter((pod) => pod.startsWith('kube-system/coredns'))).toHaveLength(2);
});
