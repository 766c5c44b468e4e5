import { beforeAll, describe, expect, it } from 'vitest';
import { kubeletResolvConf } from '../../../src/resolver/conf/kubelet.js';
import type { LookupStory, ProfileName } from '../../../src/resolver/index.js';
import { namespace, pod, service, slice } from '../../support/kube.js';
import { DNS, podsWorld, type PodsWorld } from './pods-world.js';

const HOST = 'search corp.test\nnameserver 192.0.2.53\n';
const headless = { clusterIP: 'None', clusterIPs: ['None'] };
const many = Array.from({ length: 40 }, (_, i) => `many IN A 192.0.2.${i + 1}`).join('\n');
const ZONE = `$ORIGIN test.
$TTL 300
@ IN SOA ns hostmaster 1 2 3 4 60
@ IN NS ns
ns IN A 192.0.2.53
www IN A 192.0.2.1
www IN AAAA 2001:db8::1
four IN A 192.0.2.4
six IN AAAA 2001:db8::6
alias IN CNAME www
loose IN CNAME nowhere
text IN TXT "no address"
deep.a.b.c.d.e IN A 192.0.2.7
wiki.eu.corp IN A 192.0.2.8
intranet.corp IN A 192.0.2.9
${many}
`;
const OBJECTS = [
  namespace('default'),
  namespace('prod'),
  service('web'),
  service('web', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, { namespace: 'prod' }),
  service('db', headless),
  slice('db', [], { endpoints: [{ addresses: ['10.244.0.7'], hostname: 'db-0', conditions: { ready: true } }] }),
  ...[5, 2, 1].map((ndots) =>
    pod(`client-${ndots}`, `10.244.0.${ndots}`, {}, { spec: { dnsConfig: { options: [{ name: 'ndots', value: String(ndots) }] } } }),
  ),
]; // prettier-ignore

const corefile = (walk: string): string => `
cluster.local {
    ${walk}
    cache 30
    kubernetes cluster.local {
        pods insecure
    }
}
test {
    cache 30
    file /db.test
}
odd.test {
    template IN AAAA {
        answer "{{ .Name }} 60 IN AAAA 2001:db8::7"
    }
    template ANY ANY {
        rcode NXDOMAIN
        authority "odd.test 60 IN SOA ns.odd.test hostmaster.odd.test 1 2 3 4 60"
    }
}
half.test {
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.7"
    }
    template ANY ANY {
        rcode SERVFAIL
    }
}
broken.test {
    template ANY ANY {
        rcode SERVFAIL
    }
}
. {
    template ANY ANY {
        rcode NXDOMAIN
        authority ". 60 IN SOA a. b. 1 2 3 4 60"
    }
}
`;

/** With the addresses that every resolver finds, and whether two queries are enough for them with ndots 5. */
const NAMES = [
  { name: 'www.test', walked: true, found: '192.0.2.1 2001:db8::1' },
  { name: 'WWW.Test', walked: true, found: '192.0.2.1 2001:db8::1' },
  { name: 'four.test', walked: true, found: '192.0.2.4' },
  { name: 'six.test', walked: true, found: '2001:db8::6' },
  { name: 'alias.test', walked: true, found: '192.0.2.1 2001:db8::1' },
  { name: 'loose.test', walked: false, found: '' },
  { name: 'text.test', walked: false, found: '' },
  { name: 'missing.test', walked: false, found: '' },
  { name: 'broken.test', walked: false, found: '' },
  { name: 'www.test.', walked: false, found: '192.0.2.1 2001:db8::1' },
  { name: 'deep.a.b.c.d.e.test', walked: false, found: '192.0.2.7' },
  { name: 'wiki.eu', walked: true, found: '192.0.2.8' },
  { name: 'intranet', walked: false, found: '192.0.2.9' },
  { name: 'web', walked: false, found: '10.96.0.1' },
  { name: 'web.prod', walked: true, found: '10.96.0.2' },
  { name: 'web.prod.svc', walked: true, found: '10.96.0.2' },
  { name: 'web.prod.svc.cluster.local', walked: true, found: '10.96.0.2' },
  { name: 'gone.default.svc.cluster.local', walked: false, found: '' },
  { name: 'prod', walked: false, found: '' },
  { name: 'db-0.db', walked: false, found: '10.244.0.7' },
  { name: 'db-9.db', walked: false, found: '' },
  { name: 'db-9.db.default.svc.cluster.local', walked: false, found: '' },
];
/** Those that not all resolvers find the same addresses for. */
const UNEQUAL = ['many.test', 'half.test', 'odd.test', '10-244-0-5.default.pod.cluster.local'];
const LIBCS: readonly ProfileName[] = ['glibc', 'musl', 'go'];
const NDOTS = [5, 2, 1];

const confOf = (ndots: number): string =>
  kubeletResolvConf({
    dnsPolicy: 'ClusterFirst',
    hostNetwork: false,
    hostResolvConf: HOST,
    clusterDNS: [DNS],
    clusterDomain: 'cluster.local',
    namespace: 'default',
    dnsConfig: { options: [{ name: 'ndots', value: String(ndots) }] },
  }).text;
const result = ({ addresses, canonical, error }: LookupStory): unknown => ({
  addresses: [...addresses].sort(),
  canonical: canonical?.toLowerCase(),
  error,
});

describe('autopath @node', () => {
  let plain: PodsWorld;
  let walking: PodsWorld;
  beforeAll(async () => {
    const files = { '/etc/resolv.conf': HOST, '/db.test': ZONE };
    plain = await podsWorld(corefile(''), OBJECTS, files);
    walking = await podsWorld(corefile('node\n    autopath @node'), OBJECTS, files);
  });

  for (const profile of LIBCS)
    for (const ndots of NDOTS)
      describe(`${profile}, ndots ${ndots}`, () => {
        const both = async (name: string): Promise<[LookupStory, LookupStory]> => {
          const [address, conf] = [`10.244.0.${ndots}`, confOf(ndots)];
          const without = await plain.lookup(address, conf, profile, name);
          return [without, await walking.lookup(address, conf, profile, name)];
        };

        it.each(NAMES)('$name', async ({ name, walked, found }) => {
          const [without, walk] = await both(name);
          if (profile !== 'musl' || ndots === 5) expect([...without.addresses].sort().join(' ')).toBe(found);
          expect(result(walk)).toEqual(result(without));
          expect(walk.queries.length).toBeLessThanOrEqual(without.queries.length);
          if (walked && ndots === 5) expect(walk.queries).toHaveLength(2);
        });

        it.each(UNEQUAL)('%s', async (name) => {
          const [without, walk] = await both(name);
          expect(result(walk)).toEqual(result(without));
        });
      });

  it('makes two queries of the ten of a glibc pod', async () => {
    const queries = async (world: PodsWorld): Promise<number> =>
      (await world.lookup('10.244.0.5', confOf(5), 'glibc', 'www.test')).queries.length;
    expect([await queries(plain), await queries(walking)]).toEqual([10, 2]);
  });
});
