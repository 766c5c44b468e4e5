import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainLookup } from '../../../src/lab/explain/explain-lookup.js';
import type { LookupChoice } from '../../../src/lab/explain/explain-lookup.js';
import type { Explanation, Hop } from '../../../src/lab/explain/explanation.js';
import { drivenLab, topologyWith } from '../lab.js';
import type { Driven } from '../lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

const explain = (name: string, choice: Partial<LookupChoice> = {}, pod = 'curl-pod'): Promise<Explanation> =>
  driven.drive(
    explainLookup(driven.lab, driven.lab.kubelet.get('default', pod)!, name, { profile: 'glibc', ...choice }),
  );
const hopsOf = (story: Explanation, step: number): readonly Hop[] => story.steps[step]!.queries[0]!.hops;
const short = ({ kind, depth, at, redirect, cache, plugin, result }: Hop): string =>
  [kind, depth, at, redirect ? 'redirect' : '', cache, plugin, result]
    .filter((word) => word !== '' && word !== undefined)
    .join(' ')
    .replace(/-[a-z0-9]{5}(?= |$)/, '');

describe('without a node cache', () => {
  it('a name outside takes both types through the search list', async () => {
    const story = await explain('google.com');
    expect(story).toMatchObject({
      found: true,
      ndots: 5,
      servers: ['10.96.0.10'],
      outcome: 'google.com has 142.250.196.110, 2404:6800:4004:825::200e',
      cost: { queries: 10, packets: 20 },
    });
    expect(story.steps.map(({ name, why }) => `${name} ${why}`)).toEqual([
      'google.com.default.svc.cluster.local. search default.svc.cluster.local',
      'google.com.svc.cluster.local. search svc.cluster.local',
      'google.com.cluster.local. search cluster.local',
      'google.com.Davolink. search Davolink',
      'google.com. the name as it stands',
    ]);
    expect(hopsOf(story, 0).map(short)).toEqual([
      'translation 0 service/kube-system/kube-dns',
      'visit 0 pod/kube-system/coredns-674b8bbfcf disabled kubernetes NXDOMAIN',
    ]);
    // Both types ask at once; each is told with the visits of its own.
    for (const { queries } of story.steps)
      for (const { hops } of queries)
        expect(hops.filter(({ kind, depth }) => kind === 'visit' && depth === 0)).toHaveLength(1);
  });

  it('a server asks upstream, and from which node', async () => {
    const story = await explain('www.google.com.');
    expect(story.steps).toHaveLength(1);
    expect(hopsOf(story, 0).map(short)).toEqual([
      'translation 0 service/kube-system/kube-dns',
      'visit 0 pod/kube-system/coredns-674b8bbfcf miss forward NOERROR',
      expect.stringMatching(/^visit 1 host\/resolver(-w1)? none hosts NOERROR$/),
    ]);
  });

  it.each([
    { name: 'one type', choice: { types: ['AAAA'] as const }, types: 'AAAA' },
    { name: 'the types that the pod has addresses of', choice: { addrConfig: true }, types: 'A' },
  ])('$name alone', async ({ choice, types }) => {
    const { steps } = await explain('webpod', choice);
    expect([...new Set(steps.flatMap(({ queries }) => queries.map(({ type }) => type)))].join()).toBe(types);
  });

  it("what is not found is told with the library's words", async () => {
    expect(await explain('nosuch.example.')).toMatchObject({
      found: false,
      addresses: [],
      outcome: 'EAI_NONAME: Name or service not known',
    });
  });

  it('what others ask meanwhile is no part of it', async () => {
    const { lab, session } = driven;
    const other = session.run('kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local', {
      write: () => undefined,
    });
    const story = await explainBeside(lab, other);
    expect(story.cost).toMatchObject({ queries: 2, visits: 2 });
  });
});

const explainBeside = (lab: Driven['lab'], other: Promise<unknown>): Promise<Explanation> =>
  driven.drive(
    Promise.all([
      explainLookup(lab, lab.kubelet.get('default', 'webpod-556878d5d7-r4dmh')!, 'webpod', { profile: 'glibc' }),
      other,
    ]).then(([story]) => story),
  );

describe('behind a redirect policy', () => {
  beforeAll(async () => {
    for (const file of ['node-local-dns-lrp', 'lrp'])
      expect((await driven.run(`kubectl apply -f ../manifests/${file}.yaml`)).code).toBe(0);
  });

  it("the node cache is on the way, and asks the cluster's DNS by its other service", async () => {
    const story = await explain('cloudflare.com');
    expect(hopsOf(story, 0).map(short)).toEqual([
      'translation 0 service/kube-system/kube-dns redirect',
      'visit 0 pod/kube-system/node-local-dns miss forward NXDOMAIN',
      'translation 1 service/kube-system/kube-dns-upstream',
      'visit 1 pod/kube-system/coredns-674b8bbfcf disabled kubernetes NXDOMAIN',
    ]);
    expect(hopsOf(story, 4).map(short)).toEqual([
      'translation 0 service/kube-system/kube-dns redirect',
      'visit 0 pod/kube-system/node-local-dns miss forward NOERROR',
      'visit 1 host/resolver none hosts NOERROR',
    ]);
  });

  it('the second time it hits, over connections and translations that are older than the lookup', async () => {
    const story = await explain('cloudflare.com');
    expect(story.steps.flatMap(({ queries }) => queries).every(({ hops }) => hops.at(-1)!.cache === 'hit')).toBe(true);
    const fresh = await explain('other.cloudflare.com');
    expect(hopsOf(fresh, 0).map(short)[2]).toBe('translation 1 service/kube-system/kube-dns-upstream');
  });
});

describe('a server that takes its time', () => {
  it('each query that is sent again has a visit of its own', async () => {
    const slow = await drivenLab(
      {},
      topologyWith('two-nodes', [
        ['corefile: world, upstream: true, delay: 4', 'corefile: world, upstream: true, delay: 3000'],
      ]),
    );
    const pod = slow.lab.kubelet.list().find(({ name }) => name.startsWith('coredns'))!;
    const story = await slow.drive(explainLookup(slow.lab, pod, 'google.com.', { profile: 'musl', types: ['A'] }));
    const [{ queries }] = story.steps as [Explanation['steps'][number]];
    expect(queries.length).toBeGreaterThan(1);
    expect(story.cost.visits).toBe(queries.length);
    await slow.end();
  });
});

describe('watching servers', () => {
  it('is done by several at once, each until it ends', async () => {
    const { lab } = driven;
    const first = lab.tracer.watch();
    const left: string[] = [];
    const stop = lab.tracer.follow(({ name, rcode }) => left.push(`${name} ${rcode}`));
    const second = lab.tracer.watch();
    await explain('kubernetes.default.svc.cluster.local.', { types: ['A'] });
    const seen = second();
    expect(seen.map(({ name }) => name)).toContain('kubernetes.default.svc.cluster.local.');
    await explain('kube-dns.kube-system.svc.cluster.local.', { types: ['A'] });
    expect(first().length).toBeGreaterThan(seen.length);
    stop();
    const told = left.length;
    expect(left).toContain('kube-dns.kube-system.svc.cluster.local. NOERROR');
    await explain('webpod', { types: ['A'] });
    expect(left).toHaveLength(told);
  });
});
