import { expect, it } from 'vitest';
import { randomBelow, seededRandom, type Random } from '../../../src/lib/random.js';
import { kubeletResolvConf } from '../../../src/resolver/conf/kubelet.js';
import type { ProfileName } from '../../../src/resolver/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { namespace, pod, service } from '../../support/kube.js';
import { DNS, podsWorld } from './pods-world.js';

const HOST = 'search corp.test\n';
const COREFILE = (walk: string): string => `
cluster.local {
    ${walk}
    cache 30
    kubernetes
}
test {
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
    template ANY ANY {
        authority "test. 60 IN SOA a. b. 1 2 3 4 60"
    }
}
. {
    template ANY ANY {
        rcode NXDOMAIN
        authority ". 60 IN SOA a. b. 1 2 3 4 60"
    }
}
`;
const NAMESPACES = ['red', 'blue'];
const OBJECTS = [
  ...NAMESPACES.map((name) => namespace(name)),
  ...NAMESPACES.map((name, i) =>
    service('api', { clusterIP: `10.96.1.${i}`, clusterIPs: [`10.96.1.${i}`] }, { namespace: name }),
  ),
];
/** A name behind the other namespace's domain is one that is asked for as it stands. */
const namesFor = (other: string): string[] => ['www.test', 'x.test', 'api', `api.${other}`, 'x.y', `www.eu.${other}.svc.cluster.local`]; // prettier-ignore

interface Life {
  readonly name: string;
  readonly namespace: string;
  readonly searches: readonly string[];
}

/** What the API tells, as it comes in: in order for one pod, in any order for several. */
class Api {
  private waiting: { readonly of: string; readonly tell: () => void }[] = [];

  constructor(private readonly random: Random) {}

  later(of: string, tell: () => void): void {
    this.waiting.push({ of, tell });
  }

  tellSome(): void {
    for (let count = randomBelow(this.random, 3); count > 0 && this.waiting.length > 0; count--) {
      const { of } = this.waiting[randomBelow(this.random, this.waiting.length)]!;
      const at = this.waiting.findIndex((event) => event.of === of);
      this.waiting.splice(at, 1)[0]!.tell();
    }
  }
}

const manifest = ({ name, namespace: of, searches }: Life, ip: string, deleted = false): Manifest =>
  pod(
    name,
    ip,
    {},
    {
      metadata: { namespace: of, ...(deleted && { deletionTimestamp: '2026-11-20T00:00:00Z' }) },
      spec: { dnsConfig: { searches } },
    },
  );

const confOf = (life: Life): string =>
  kubeletResolvConf({
    dnsPolicy: 'ClusterFirst',
    hostNetwork: false,
    hostResolvConf: HOST,
    clusterDNS: [DNS],
    clusterDomain: 'cluster.local',
    namespace: life.namespace,
    dnsConfig: { searches: life.searches },
  }).text;

it.each([1, 2, 3, 4, 5, 6])(
  'pods that come, go and take over addresses get what their own steps would have led to (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[randomBelow(random, list.length)]!;
    const files = { '/etc/resolv.conf': HOST };
    const plain = await podsWorld(COREFILE(''), OBJECTS, files);
    const walking = await podsWorld(COREFILE('node\n    autopath @node'), OBJECTS, files);
    const api = new Api(random);
    const lives = new Map<string, Life>();
    let count = 0;
    let saved = 0;
    const replace = (ip: string): void => {
      const old = lives.get(ip);
      if (old !== undefined) {
        // Its containers get time to end after this is known; only then is its address free.
        walking.source.apply(manifest(old, ip, true));
        api.later(old.name, () => walking.source.delete('Pod', old.namespace, old.name));
      }
      const life = { name: `pod-${++count}`, namespace: pick(NAMESPACES), searches: pick([[], ['eu.test']]) };
      lives.set(ip, life);
      api.later(life.name, () => {
        if (lives.get(ip) === life) walking.source.apply(manifest(life, ip));
      });
    };
    for (let step = 0; step < 60; step++) {
      const ip = `10.244.0.${2 + randomBelow(random, 3)}`;
      if (!lives.has(ip) || randomBelow(random, 5) === 0) replace(ip);
      api.tellSome();
      const life = lives.get(ip)!;
      const [profile, name] = [
        pick<ProfileName>(['glibc', 'musl', 'go']),
        pick(namesFor(NAMESPACES.find((other) => other !== life.namespace)!)),
      ];
      const without = await plain.lookup(ip, confOf(life), profile, name);
      const walked = await walking.lookup(ip, confOf(life), profile, name);
      expect([name, walked.addresses, walked.error]).toEqual([name, without.addresses, without.error]);
      saved += without.queries.length - walked.queries.length;
    }
    expect(saved).toBeGreaterThan(0);
  },
);
