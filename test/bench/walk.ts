import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLog } from '../../src/lib/log.js';
import { Server } from '../../src/server/server.js';
import { Rcode } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { FakeApi, type Manifest } from '../support/fake-api.js';

/** The kubelet's usual bound is 110; 250 is what large nodes are set to. */
const PODS = 250;
const ROUNDS = 20_000;
const WARM_UP = 2000;
const NODE = 'node-1';

/** What the walk of search lists takes on a node. */
export interface Walk {
  readonly pods: number;
  /** Of the heap, buffers included, in kB: all that node and autopath add to a server. */
  readonly memory: number;
  /** Time of the first query of a lookup outside the cluster, walked and from the cache, in microseconds. */
  readonly walked: number;
  /** Of five such queries, as a pod's own steps send them for one type. */
  readonly own: number;
}

/** Pod 12: of the namespace that is asked for, with ndots 5. */
const ASKER = '10.244.0.14';
const address = (i: number): string => `10.244.${i >> 8}.${i & 255}`;

/** A pod as clusters have them: labels, annotations, containers with variables and volumes. */
const pod = (i: number): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `service-${i % 40}-6d4cf56db6-x${String(i).padStart(4, '0')}`,
    namespace: `team-${i % 12}`,
    uid: `0d9f3ad2-0000-4000-8000-${String(i).padStart(12, '0')}`,
    labels: {
      'app.kubernetes.io/name': `service-${i % 40}`,
      'app.kubernetes.io/instance': `release-${i % 40}`,
      'pod-template-hash': `6d4cf56db${i % 40}`,
      team: `team-${i % 12}`,
    },
    annotations: { 'prometheus.io/scrape': 'true', checksum: 'a'.repeat(64) },
  },
  spec: {
    nodeName: NODE,
    dnsPolicy: 'ClusterFirst',
    ...(i % 10 === 0 && { dnsConfig: { options: [{ name: 'ndots', value: '2' }] } }),
    containers: ['main', 'proxy'].map((name) => ({
      name,
      image: `registry.example/${name}:1.${i}`,
      env: Array.from({ length: 20 }, (_, k) => ({ name: `VARIABLE_${k}`, value: `value of ${i}` })),
      volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets' }],
    })),
  },
  status: { phase: 'Running', podIP: address(i + 2), podIPs: [{ ip: address(i + 2) }] },
});

const corefile = (node: string): string => `. {
    ${node}
    cache 30
    template ANY ANY cluster.local corp.test {
        rcode NXDOMAIN
        authority "{{ .Zone }} 60 IN SOA a. b. 1 2 3 4 60"
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
    template ANY ANY {
        authority ". 60 IN SOA a. b. 1 2 3 4 60"
    }
}
`;

/** Measures in this process; only where `walk` is asked for by name. */
export async function measureWalk(only: RegExp): Promise<Walk | undefined> {
  if (!only.test('walk') || only.source === '(?:)') return undefined;
  const api = await new FakeApi().start();
  for (let i = 0; i < PODS; i++) api.apply(pod(i));
  try {
    // What the first server loads and compiles is not of the walk.
    await (await serve('', api)).server.stop();
    const plain = await serve('', api);
    const walking = await serve(`node cluster.local {\n name ${NODE}\n endpoint ${api.url}\n }\n autopath @node`, api);
    const own = ['team-0.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', 'corp.test.', ''];
    const names = own.map((domain) => `www.outside.test.${domain}`);
    const walked = await timeOf(walking.server, names.slice(0, 1));
    const steps = await timeOf(plain.server, names);
    await Promise.all([plain.server.stop(), walking.server.stop()]);
    return { pods: PODS, memory: (walking.memory - plain.memory) / 1000, walked, own: steps };
  } finally {
    await api.stop();
  }
}

/** A server, and what the heap has grown by since before it was made, in bytes. */
async function serve(node: string, api: FakeApi): Promise<{ readonly server: Server; readonly memory: number }> {
  const before = heap();
  const server = await Server.create({ corefile: corefile(node), log: silentLog() });
  if (node !== '') {
    while (!(await server.runtime.metrics.text()).includes(`known_pods{node="${NODE}"} ${PODS}\n`))
      await new Promise((resolve) => setTimeout(resolve, 20));
    if (api.watching('Pod') === 0) await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // Every pod has asked once: the lists of all are made.
  for (let i = 0; i < PODS; i++)
    await ask(server, `www.outside.test.team-${i % 12}.svc.cluster.local.`, address(i + 2));
  return { server, memory: heap() - before };
}

async function ask(server: Server, name: string, from: string): Promise<number> {
  const answer = await server.exchange(query(name).bytes, { remote: { address: from, port: 4000 } });
  return answer![3]! & 0x0f;
}

/** Of the names together, in microseconds. */
async function timeOf(server: Server, names: readonly string[]): Promise<number> {
  const round = async (): Promise<number> => {
    let rcode: number = Rcode.SERVFAIL;
    for (const name of names) rcode = await ask(server, name, ASKER);
    return rcode;
  };
  for (let i = 0; i < WARM_UP; i++)
    if ((await round()) !== Rcode.NOERROR) throw new Error(`${names.join(' ')}: no answer`);
  const start = process.cpuUsage();
  for (let i = 0; i < ROUNDS / names.length; i++) await round();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / (ROUNDS / names.length);
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const walkText = ({ pods, memory, walked, own }: Walk): string =>
  [
    `walk: ${pods} pods on the node take ${memory.toFixed(0)} kB`,
    `a walked query costs ${walked.toFixed(1)} us, the five of a pod's own steps ${own.toFixed(1)} us, without sockets`,
  ].join('\n');
