import { afterEach, describe, expect, it } from 'vitest';
import { BackOff } from '../../src/lab/pods/back-off.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
const open: Driven[] = [];
const begin = async (...args: Parameters<typeof drivenLab>): Promise<void> => {
  driven = await drivenLab(...args);
  open.push(driven);
};
afterEach(async () => {
  await open.pop()?.end();
});

/** The lines of a command, runs of blanks as one. */
const lines = async (line: string): Promise<string[]> =>
  (await driven.run(line)).text.split('\n').map((one) => one.replace(/ +/g, ' ').trim());
/** READY, STATUS and RESTARTS of pods whose name begins so. */
const state = async (pod: string, namespace: string): Promise<string[]> =>
  (await lines(`kubectl get pods -n ${namespace}`))
    .filter((line) => line.startsWith(pod))
    .map((line) => line.split(' ').slice(1, -1).join(' '));
const events = async (pod: string, namespace: string): Promise<string> =>
  (await lines(`kubectl get events -n ${namespace}`)).filter((line) => line.includes(`pod/${pod}`)).join('\n');

const MOVE = [
  'helm upgrade cilium cilium/cilium -n kube-system --reuse-values --set ipam.mode=cluster-pool ' +
    '--set ipam.operator.clusterPoolIPv4PodCIDRList={"172.20.0.0/16"} --set ipv4NativeRoutingCIDR=172.20.0.0/16',
  'kubectl -n kube-system rollout restart ds/cilium',
  'kubectl delete ciliumnode k8s-w1 k8s-ctr',
  'kubectl -n kube-system rollout restart ds/cilium',
];

it('pods that lost their network with their block of addresses fail their probes', async () => {
  await begin({}, loadTopology('host-scope'));
  expect(await state('hubble', 'kube-system')).toEqual(['1/1 Running 0', '1/1 Running 0']);
  for (const line of MOVE) await driven.run(line);
  await driven.run('sleep 35');
  expect(await state('grafana', 'cilium-monitoring')).toEqual(['0/1 Running 0']);
  // Without probes nothing shows, as in a real cluster.
  expect(await state('prometheus', 'cilium-monitoring')).toEqual(['1/1 Running 0']);
  expect(await state('hubble-relay', 'kube-system')).toEqual(['0/1 Running 0']);
  expect(await state('hubble-ui', 'kube-system')).toEqual([expect.stringMatching(/^0\/1 Running 1 \(\ds ago\)$/)]);
  // The operator has made the cluster DNS anew.
  expect(await state('coredns', 'kube-system')).toEqual(['1/1 Running 0', '1/1 Running 0']);
  await driven.run('sleep 75');
  expect(await state('hubble-ui', 'kube-system')).toEqual([
    expect.stringMatching(/^0\/1 CrashLoopBackOff 3 \(\d+s ago\)$/),
  ]);
  expect((await lines('kubectl get deploy hubble-ui -n kube-system'))[1]).toMatch(/^hubble-ui 0\/1 1 0 /);
  const told = await events('hubble-ui', 'kube-system');
  for (const part of [
    /Warning Unhealthy \S+ Readiness probe failed: Get "http:\/\/10\.244\.0\.80:8081\/": context deadline exceeded/,
    /Normal Killing \S+ Container frontend failed liveness probe, will be restarted/,
    /Warning BackOff \S+ Back-off restarting failed container frontend in pod hubble-ui-\S+_kube-system/,
  ])
    expect(told).toMatch(part);
  await driven.run('kubectl -n kube-system rollout restart deploy/hubble-ui deploy/hubble-relay');
  await driven.run('sleep 15');
  expect(await state('hubble', 'kube-system')).toEqual(['1/1 Running 0', '1/1 Running 0']);
});

const pod = (name: string, image: string, probe: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { containers: [ { name: ${name}, image: ${image}, ` +
  `ports: [ { name: http, containerPort: 80 } ], ${probe} } ] }\n`;

describe('a manifest of a user', () => {
  it.each([
    {
      name: 'a named port',
      image: 'traefik/whoami',
      probe: 'readinessProbe: { httpGet: { port: http } }',
      want: '1/1 Running 0',
      told: /Started container a$/,
    },
    {
      name: 'nobody listens',
      image: 'traefik/whoami',
      probe: 'readinessProbe: { tcpSocket: { port: 81 } }',
      want: '0/1 Running 0',
      told: /Readiness probe failed: dial tcp \S+:81: connect: connection refused$/,
    },
    {
      name: 'an image that the lab does not know',
      image: 'example/shop',
      probe: 'readinessProbe: { httpGet: { port: 9000 } }',
      want: '1/1 Running 0',
      told: /Started container a$/,
    },
    {
      name: 'a delay',
      image: 'traefik/whoami',
      probe: 'readinessProbe: { httpGet: { port: 80 }, initialDelaySeconds: 30 }',
      want: '0/1 Running 0',
      told: /Started container a$/,
    },
  ])('$name', async ({ image, probe, want, told }) => {
    await begin({ 'a.yaml': pod('a', image, probe) });
    await driven.run('kubectl apply -f a.yaml');
    expect(await state('a', 'default')).toEqual([want]);
    expect(await events('a', 'default')).toMatch(told);
  });
});

it('a program that hangs is not ready after three probes, and is started again', async () => {
  await begin({
    'a.yaml': pod('a', 'traefik/whoami', 'livenessProbe: { httpGet: { port: 80 }, periodSeconds: 2 }'),
  });
  await driven.run('kubectl apply -f a.yaml');
  await driven.run('hang a');
  await driven.run('sleep 5');
  expect(await state('a', 'default')).toEqual(['1/1 Running 0']);
  await driven.run('sleep 3');
  expect(await state('a', 'default')).toEqual([expect.stringMatching(/^1\/1 Running 1 \(\ds ago\)$/)]);
  expect((await driven.run('kubectl exec curl-pod -- curl -s -m 1 webpod')).code).toBe(0);
});

it('a server that closes what its probe asks is not ready', async () => {
  await begin();
  await driven.run('EDITOR="sed -i /ready/d" kubectl edit cm coredns -n kube-system');
  await driven.run('sleep 75');
  expect(await state('coredns', 'kube-system')).toEqual(['0/1 Running 0', '0/1 Running 0']);
  expect(await events('coredns', 'kube-system')).toMatch(/Readiness probe failed: Get "http:\/\/\S+:8181\/ready"/);
});

it('the pause before a start doubles up to five minutes, and begins anew after ten', () => {
  const backOff = new BackOff();
  let now = 1_000_000;
  const waits = [0, 0, 0, 0, 0, 0, 0, 600_001].map((ran) => {
    now += ran;
    const wait = backOff.wait(now);
    now += wait;
    backOff.started(now);
    return wait / 1000;
  });
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 0]);
});
