import { Reply, type Handler, type Next, type Outcome, type Query } from '../../../src/chain/index.js';
import { Intake } from '../../../src/kube/intake/intake.js';
import { MemorySource } from '../../../src/kube/memory-source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { kubernetesOver } from '../../../src/plugins/kubernetes/setup.js';
import { finishReply } from '../../../src/chain/index.js';
import { decodeMessage } from '../../../src/wire/index.js';
import { setup, type TestBlock, type TestBlockOptions } from '../../support/block.js';
import { query, reply, texts, type QuestionOptions } from '../../support/dns.js';
import type { Manifest } from '../../support/fake-api.js';
import { RecordedLog } from '../../support/kube.js';

export const SOA =
  'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1753833600 7200 1800 86400 5';

export interface ClusterOf {
  readonly source: MemorySource;
  readonly store: KubeStore;
  readonly block: TestBlock;
  readonly handler: Handler;
  ask(name: string, type?: string, options?: QuestionOptions): Promise<Outcome>;
  /** As `RCODE record, record`, additional records after a `+`; `next` for what was asked further on. */
  told(name: string, type?: string, options?: QuestionOptions): Promise<string>;
}

export interface ClusterOfOptions extends TestBlockOptions {
  /** What stands in the directive's braces. */
  readonly options?: string;
  readonly args?: string;
  /** Who answers what is asked further on; without it the reply's rcode is REFUSED. */
  readonly next?: Next;
}

/** The plugin over objects in memory, as the directive in a Corefile makes it. */
export async function clusterOf(
  manifests: readonly Manifest[],
  { options = '', args = 'cluster.local in-addr.arpa ip6.arpa', next, ...block }: ClusterOfOptions = {},
): Promise<ClusterOf> {
  const store = new KubeStore();
  const source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() }));
  for (const manifest of manifests) source.apply(manifest);
  const made = setup(
    kubernetesOver(() => ({ store, source })),
    `kubernetes ${args} {\n${options}\n}`,
    block,
  );
  await made.block.run('start');
  const ask = async (name: string, type = 'A', question: QuestionOptions = {}): Promise<Outcome> =>
    made.ask(query(name, type, question), next ?? ((): Outcome => reply({ rcode: 5 })));
  return {
    source,
    store,
    block: made.block,
    handler: made.handlers[0]!,
    ask,
    told: async (name, type, question) => line(await ask(name, type, question), query(name, type, question)),
  };
}

function line(outcome: Outcome, asked: Query): string {
  if (!(outcome instanceof Reply)) return 'dropped';
  const { answer, authority, additional } = decodeMessage(finishReply(asked, outcome, 0));
  const rcode = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'][outcome.rcode]!;
  const data = [...answer, ...authority].map((record) => texts([record])[0]!).join(', ');
  return [
    rcode,
    ...(data === '' ? [] : [data]),
    ...(additional.length === 0 ? [] : ['+', texts(additional).join(', ')]),
  ].join(' ');
}
