import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { kubernetes } from '../../../src/plugins/kubernetes/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, summary } from '../../support/dns.js';
import { exampleUpstream } from '../../support/example-upstream.js';

interface Case {
  qname: string;
  type: string;
  want: { rcode: string; flags: string; answer?: string[]; authority?: string[]; additional?: string[] };
}

// What CoreDNS answered over the objects in corefiles/cluster, with `cache 30` before the plugin, which gives all
// records TTL 30, and an upstream behind it.
// SOA serials are set to 0: they tell the time of the recording.
const cases = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Case[];
const FOLDER = path.resolve(import.meta.dirname, '../../../corefiles/cluster');

const upstream = (asked: Query): Outcome =>
  asked.name.endsWith('arpa.')
    ? reply({ rcode: 3, authority: ['arpa. 900 IN SOA ns1.arpa. hostmaster.arpa. 2025073000 1800 900 604800 900'] })
    : exampleUpstream(asked);

const { block, ask } = setup(
  kubernetes,
  `kubernetes cluster.local in-addr.arpa ip6.arpa {\n manifests ${FOLDER}\n pods insecure\n fallthrough in-addr.arpa ip6.arpa\n ttl 30\n}`,
  { ask: upstream },
);

beforeAll(() => block.run('start'));
afterAll(() => block.run('stop'));

const normal = (text: string): string => text.replace(/^(\S+) \d+ /, '$1 30 ').replace(/( IN SOA \S+ \S+) \d+/, '$1 0');

describe('recorded answers', () => {
  it.each(cases)('$qname $type', async ({ qname, type, want }) => {
    const asked = query(qname, type);
    for (let times = 0; times < 2; times++) {
      const outcome = await ask(asked, upstream);
      if (!(outcome instanceof Reply)) throw new Error('no reply');
      const { answer, authority, additional } = outcome.messageFor(asked);
      const got = summary(outcome.withSections({ answer, authority, additional })) as Case['want'];
      for (const section of ['answer', 'authority', 'additional'] as const) {
        expect(got[section]?.map(normal).sort()).toEqual(want[section]?.map(normal).sort());
      }
      expect({ rcode: got.rcode, flags: got.flags }).toEqual({ rcode: want.rcode, flags: want.flags });
    }
  });
});
