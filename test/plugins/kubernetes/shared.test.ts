import { describe, expect, it } from 'vitest';
import { finishReply, type Reply } from '../../../src/chain/index.js';
import { SharedAnswerCache } from '../../../src/fastpath/shared-answer-cache.js';
import { sharedNow } from '../../../src/fastpath/shared-clock.js';
import { randomBelow, seededRandom } from '../../../src/lib/random.js';
import { Answers } from '../../../src/plugins/kubernetes/answers.js';
import { Zone } from '../../../src/plugins/kubernetes/zone.js';
import { query } from '../../support/dns.js';
import { namespace, pod, service, slice } from '../../support/kube.js';
import { keyOf, table } from '../../support/shared-answer.js';
import { clusterOf, type ClusterOf, type ClusterOfOptions } from './cluster-of.js';

const S = 'default.svc.cluster.local.';
const HEADER_WORD = 4;

/** A cluster whose answers threads share. */
interface Sharing {
  readonly cluster: ClusterOf;
  readonly answers: SharedAnswerCache;
  /** Asks the chain, whose reply the threads get. */
  readonly ask: (name: string, type?: string) => Promise<void>;
  /** What the threads say by themselves, and what the chain does, behind id and flags. */
  readonly both: (name: string, type?: string) => Promise<{ threads: string | undefined; chain: string }>;
}

async function sharing(options?: ClusterOfOptions): Promise<Sharing> {
  const cluster = await clusterOf(
    [
      namespace('default'),
      namespace('other'),
      service('web', { clusterIPs: ['10.96.0.1', 'fd00::1'] }),
      slice('web', ['10.0.0.1']),
      pod('a', '10.0.0.1'),
      pod('b', '10.0.0.2'),
    ],
    options,
  );
  const shared = table(64);
  const answers = new SharedAnswerCache(shared, cluster.block.clock);
  const replyTo = async (name: string, type: string): Promise<Reply> => (await cluster.ask(name, type)) as Reply;
  return {
    cluster,
    answers,
    ask: async (name, type = 'A') => answers.offer(query(name, type), await replyTo(name, type), 0, () => []),
    both: async (name, type = 'A') => {
      const asked = query(name, type);
      const { bytes, questionEnd } = asked;
      const chain = finishReply(asked, await replyTo(name, type), 0).subarray(HEADER_WORD);
      const now = sharedNow();
      const key = keyOf(asked);
      const slot = shared.find(key, now);
      if (slot < 0) return { threads: undefined, chain: chain.toString('latin1') };
      const given = Buffer.alloc(1024);
      const length = shared.copy(slot, given, 0, bytes, 12, questionEnd, now, key.hasCapitals);
      return {
        threads: given.subarray(HEADER_WORD, length).toString('latin1'),
        chain: chain.toString('latin1'),
      };
    },
  };
}

const podName = (i: number): string => `10-${i >> 16}-${(i >> 8) & 255}-${i & 255}.default.pod.cluster.local.`;

describe('names of pods, more of them than are kept encoded', () => {
  it('stay with the threads until their namespace goes', async () => {
    const { cluster, answers, ask, both } = await sharing({ options: 'pods insecure' });
    const names = 16_384 + 100;
    for (let i = 0; i < names; i++) await ask(podName(i));
    expect(answers.size).toBe(names);
    for (const i of [0, names - 1]) {
      const { threads, chain } = await both(podName(i));
      expect(threads).toBe(chain);
    }
    cluster.source.delete('Namespace', '', 'other');
    cluster.source.delete('Pod', 'default', 'a');
    expect(answers.size).toBe(names);
    cluster.source.delete('Namespace', '', 'default');
    // So many leave the table later, and are given no more at once.
    for (const i of [0, 1000, names - 1]) expect((await both(podName(i))).threads).toBeUndefined();
  });
});

describe('what was promised of a name ends', () => {
  const POD = '10-0-0-1.default.pod.cluster.local.';
  const PORT = `_http._tcp.web.${S}`;
  const ENDPOINT = `10-0-0-1.web.${S}`;
  type Change = (cluster: ClusterOf) => void;
  const goes =
    (kind: 'Namespace' | 'Pod' | 'Service' | 'EndpointSlice', name: string): Change =>
    ({ source }) =>
      source.delete(kind, kind === 'Namespace' ? '' : 'default', name);
  it.each<{ name: string; options?: string; of: string; change: Change; ends: boolean }>([
    { name: 'a pod that goes', of: POD, change: goes('Pod', 'a'), ends: true },
    { name: 'another pod', of: POD, change: goes('Pod', 'b'), ends: false },
    {
      name: 'a pod with its address in another namespace',
      of: POD,
      change: ({ source }) => source.apply(pod('c', '10.0.0.1', {}, { metadata: { namespace: 'other' } })),
      ends: false,
    },
    { name: "the pod's namespace", of: POD, change: goes('Namespace', 'default'), ends: true },
    { name: 'another namespace', of: POD, change: goes('Namespace', 'other'), ends: false },
    { name: 'a namespace that comes', of: POD, change: ({ source }) => source.apply(namespace('new')), ends: false },
    { name: 'a pod, with pods insecure', options: 'pods insecure', of: POD, change: goes('Pod', 'a'), ends: false },
    { name: 'the service of a port', of: PORT, change: goes('Service', 'web'), ends: true },
    { name: 'the slice of an endpoint', of: ENDPOINT, change: goes('EndpointSlice', 'web-a'), ends: true },
    { name: 'the namespace of a port', of: PORT, change: goes('Namespace', 'default'), ends: true },
    { name: 'another namespace than that of a port', of: PORT, change: goes('Namespace', 'other'), ends: false },
  ])('$name: $ends', async ({ options = 'pods verified', of, change, ends }) => {
    const { cluster, answers, ask, both } = await sharing({ options });
    await ask(of);
    expect(answers.size).toBe(1);
    change(cluster);
    expect(answers.size).toBe(ends ? 0 : 1);
    // What the chain says afterwards is new, and may be shared again.
    const { threads, chain } = await both(of);
    expect(threads).toBe(ends ? undefined : chain);
    await ask(of);
    const after = await both(of);
    expect(after.threads ?? after.chain).toBe(after.chain);
  });
});

describe('what was promised of all addresses of a namespace', () => {
  it.each([
    { name: 'ends with a service, where the namespace is there for what is in it', implied: true, gone: 'Service' },
    { name: 'ends with a pod, where the namespace is there for what is in it', implied: true, gone: 'Pod' },
    { name: 'stays, where the namespace is an object', implied: false, gone: 'Service' },
  ] as const)('$name', async ({ implied, gone }) => {
    const { cluster } = await sharing();
    const answers = new Answers(['cluster.local.'], implied);
    const unfollow = answers.follow(cluster.store);
    const zone = new Zone('cluster.local.', 5, { serial: 0 });
    const ended = ['default', 'other'].map((within) => {
      const { leases } = answers.keepOther(`10-0-0-9.${within}.pod.cluster.local.`, zone, within, 'namespace');
      return (): boolean => leases!.ended;
    });
    cluster.source.delete(gone, 'default', gone === 'Service' ? 'web' : 'a');
    expect(ended.map((asked) => asked())).toEqual([implied, false]);
    expect(answers.other('10-0-0-9.default.pod.cluster.local.') === undefined).toBe(implied);
    expect(answers.other('10-0-0-9.other.pod.cluster.local.')).toBeDefined();
    unfollow();
  });
});

describe('a name in another spelling', () => {
  const random = seededRandom(18);
  const spelt = (name: string): string =>
    name.replace(/[a-z]/g, (letter) => (randomBelow(random, 2) === 0 ? letter : letter.toUpperCase()));
  const ALL = ['lower case', 'spelt'];
  it.each([
    { name: `web.${S}`, type: 'A', found: ALL },
    { name: `web.${S}`, type: 'AAAA', found: ALL },
    { name: `_http._tcp.web.${S}`, type: 'A', found: ALL },
    { name: `10-0-0-1.web.${S}`, type: 'A', found: ALL },
    { name: '10-0-0-1.default.pod.cluster.local.', type: 'A', found: ALL },
    { name: '1.0.96.10.in-addr.arpa.', type: 'PTR', found: ALL },
    // These repeat how the question spells the zone.
    { name: `web.${S}`, type: 'SRV', found: ['lower case'] },
    { name: `web.${S}`, type: 'TXT', found: ['lower case'] },
    { name: `nosuch.${S}`, type: 'A', found: ['lower case'] },
  ])('$name $type is given by the threads in $found, as the chain gives it', async ({ name, type, found }) => {
    const { ask, both } = await sharing({ options: 'pods insecure' });
    await ask(name, type);
    const given = async (asked: string): Promise<boolean> => {
      const { threads, chain } = await both(asked, type);
      expect(threads ?? chain).toBe(chain);
      return threads !== undefined;
    };
    expect(await given(name)).toBe(true);
    for (let i = 0; i < 20; i++) expect(await given(spelt(name))).toBe(found.includes('spelt'));
  });

  it('is shared whoever asked first', async () => {
    const { ask, both } = await sharing();
    // A label without a capital could not tell by itself.
    await ask(`wEb.default.svc.cluster.local.`);
    const { threads, chain } = await both(`Web.DEFAULT.sVc.cluster.local.`);
    expect(threads).toBe(chain);
  });
});
