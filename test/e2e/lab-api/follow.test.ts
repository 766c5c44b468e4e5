import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer } from '../../../src/index.js';
import type { DnsServer } from '../../../src/index.js';
import type { Service } from '../../../src/kube/objects/objects.js';
import { randomBelow, seededRandom } from '../../../src/lib/random.js';
import { ServedLab } from '../../lab/kube-api/client.js';

const CHANGES = 1000;
const SEED = 20_260;

const WEB = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { clusterIP: 'None', selector: { app: 'webpod' }, ports: [{ port: 80 }] },
};

let served: ServedLab;
let server: DnsServer;
let folder: string;
beforeAll(async () => {
  served = await ServedLab.start();
  folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-follow-'));
  const config = path.join(folder, 'config');
  writeFileSync(config, served.kubeconfig);
  server = await createServer({
    corefile: `.:0 {\n    bind 127.0.0.1\n    kubernetes cluster.local {\n        kubeconfig ${config}\n        pods verified\n    }\n}\n`,
  });
});
afterAll(async () => {
  await server.stop();
  served.stop();
  rmSync(folder, { recursive: true });
  expect(served.faults).toEqual([]);
});

/** One change after another, from a seed: services, slices, namespaces, config maps, pods and how many there are. */
function changes(): () => Promise<unknown> {
  const random = seededRandom(SEED);
  const below = (bound: number): number => randomBelow(random, bound);
  const { lab } = served;
  const apply = (raw: Record<string, unknown>): Promise<unknown> =>
    lab.apply([{ kind: raw['kind'] as string, raw, place: 'test' }]);
  const service = (): Promise<unknown> => {
    const name = `s${below(30)}`;
    const headless = below(3) === 0;
    if (below(3) === 0) return lab.remove('Service', 'default', name);
    const spec = { ports: [{ name: 'a', port: 80 + below(3) }], ...(headless && { clusterIP: 'None' }) };
    const old = lab.api.get('Service', 'default', name);
    // An address cannot be changed, so the old one goes first.
    return (old ? lab.remove('Service', 'default', name) : Promise.resolve()).then(() =>
      apply({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec }),
    );
  };
  const slice = (): Promise<unknown> => {
    const [name, of] = [`e${below(40)}`, `s${below(30)}`];
    if (below(3) === 0) return lab.remove('EndpointSlice', 'default', name);
    const endpoints = Array.from({ length: below(4) }, (_, i) => ({
      addresses: [`172.30.${below(200)}.${i + 1}`],
      conditions: { ready: below(4) > 0 },
    }));
    return apply({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { 'kubernetes.io/service-name': of } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ name: 'a', port: 80, protocol: 'TCP' }],
    });
  };
  const replicas = (): Promise<unknown> => {
    const old = lab.api.get('Deployment', 'default', 'webpod')!;
    const spec = { ...(old.raw['spec'] as object), replicas: below(4) };
    return lab.update({ ...old, raw: { ...old.raw, spec } });
  };
  return () => {
    const kind = below(20);
    if (kind < 10) return service();
    return kind < 18 ? slice() : replicas();
  };
}

/** Addresses that a name has by the model; nothing for one that is not there. */
function addressesOf(service: Service | undefined): readonly string[] {
  if (!service) return [];
  if (!service.headless) return service.clusterIps;
  const slices = served.lab.store.slicesOf(service.namespace, service.name);
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter((one) => one.ready).flatMap((one) => one.addresses));
  return [...new Set(ready)].sort();
}

/** What the follower answers otherwise than the model. */
async function differences(): Promise<string[]> {
  const wrong: string[] = [];
  const names = ['web', 'webpod', ...Array.from({ length: 30 }, (_, i) => `s${i}`)];
  for (const name of names) {
    const service = served.lab.store.service('default', name);
    const reply = await server.inject({ name: `${name}.default.svc.cluster.local`, type: 'A' });
    const got = (reply?.answers ?? []).map((record) => String((record as { data?: unknown }).data)).sort();
    const want = addressesOf(service);
    if (got.join() !== want.join()) wrong.push(`${name}: got ${got.join()}, want ${want.join()}`);
    if ((reply?.rcode === 'NXDOMAIN') !== (service === undefined || (service.headless && want.length === 0)))
      wrong.push(`${name}: ${reply?.rcode ?? 'silence'}`);
  }
  return wrong;
}

it(`the kubernetes plugin follows the lab's API through ${CHANGES} changes, and agrees with the model`, async () => {
  // Its addresses are those of pods.
  await served.lab.apply([{ kind: 'Service', raw: WEB, place: 'test' }]);
  const change = changes();
  for (let i = 1; i <= CHANGES; i++) {
    await change();
    if (i % 250 > 0) continue;
    await expect.poll(differences, { timeout: 20_000, interval: 50 }).toEqual([]);
  }
  expect(served.lab.store.service('default', 'webpod')).toBeDefined();
}, 120_000);
