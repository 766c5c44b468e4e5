import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServerSpan } from '../../../src/lab/trace/tracer.js';
import { Entities } from '../../../src/lab/web/entities.js';
import { drivenLab } from '../lab.js';
import type { Driven } from '../lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

const CURL = 'pod/default/curl-pod';

it.each([
  { name: 'the machine itself', ip: '127.0.0.1', node: 'k8s-ctr', want: undefined },
  { name: 'a pod', ip: '172.20.1.236', node: 'k8s-w1', want: CURL },
  { name: 'a service', ip: '10.96.0.10', node: undefined, want: 'service/kube-system/kube-dns' },
  { name: 'the node that is asked', ip: '192.168.10.101', node: 'k8s-w1', want: 'node/k8s-w1' },
  { name: 'another node on its link', ip: '192.168.10.101', node: 'k8s-ctr', want: 'node/k8s-w1' },
  { name: 'a host on its link', ip: '10.0.2.3', node: 'k8s-ctr', want: 'host/resolver' },
  { name: 'the host of that address on the link of another', ip: '10.0.2.3', node: 'k8s-w1', want: 'host/resolver-w1' },
  { name: 'a host behind another link', ip: '10.10.1.200', node: undefined, want: 'host/router' },
  { name: 'nobody', ip: '203.0.113.9', node: 'k8s-ctr', want: undefined },
])('an address is $name', ({ ip, node, want }) => expect(new Entities(driven.lab).of(ip, node)).toBe(want));

it.each([
  { ip: '172.20.1.236', want: { name: 'default/curl-pod', part: CURL } },
  { ip: '203.0.113.9', want: { name: '203.0.113.9' } },
])('$ip as a peer', ({ ip, want }) =>
  expect(new Entities(driven.lab).peer(ip, 53, 'k8s-ctr')).toEqual({ ip, port: 53, ...want }),
);

const CORE = 'kube-system/coredns-674b8bbfcf-vvgfm';
it.each([
  { name: 'the server itself', server: CORE, from: '127.0.0.1', want: `pod/${CORE}` },
  { name: 'a pod', server: CORE, from: '172.20.1.236', want: CURL },
  // On each node an agent of Cilium runs on its network, which asks nobody: what comes from there is the node's.
  { name: 'a node without a cache', server: CORE, from: '192.168.10.100', want: 'node/k8s-ctr' },
  { name: 'a host', server: CORE, from: '10.0.2.3', want: 'host/resolver' },
  { name: 'nobody that is known', server: CORE, from: '203.0.113.9', want: undefined },
])('who asks a server: $name', ({ server, from, want }) => {
  const visit = {
    server,
    remote: { address: from, port: 40_000 },
    local: { address: '172.20.1.144', port: 53 },
    transport: 'udp',
  } as ServerSpan;
  expect(new Entities(driven.lab).askerOf(visit)).toBe(want);
});
