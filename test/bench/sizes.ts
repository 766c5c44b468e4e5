import { seededRandom, randomBelow } from '../../src/lib/random.js';
import { clusterApi } from './cluster.js';
import { write } from './peer.js';
import { NODENS, PEERS } from './peers.js';
import { OWN, aligned } from './report.js';
import { inTurns, type Contestant } from './turns.js';

/** CPU time of a query where so many names are asked evenly. */
export interface SizeCost {
  readonly scenario: string;
  readonly cost: number;
  /** As a multiple of that with 1,000 names. */
  readonly ratio: number;
  /** Resident at the end, in MB (10^6 bytes). */
  readonly memory: number;
}

const CACHE_SIZES = [1000, 10_000, 100_000, 1_000_000];
const CLUSTER_SIZES = CACHE_SIZES;
/** Beyond as many names of a cluster they are those of pods. */
const SERVICES = 100_000;
/** Times that each name is asked before anything is measured: what was lost the first time, a cache has afterwards. */
const ROUNDS = 2;
/** The bound on memory, so that all answers may be kept: without a container's limit it would be 256 MiB. */
const MEMORY = ['-memory', '4Gi'];
const WARM_UP = 2;
const TURNS = 5;

const random = seededRandom(1);
/** As resolvers spell names against forgers: any letter may be a capital. */
const spelt = (name: string): string =>
  name.replace(/[a-z]/g, (letter) => (randomBelow(random, 2) === 0 ? letter : letter.toUpperCase()));

/** What a query costs by how many names are asked, each size in turns with the smallest. */
export async function measureSizes(
  only: RegExp,
  seconds: number,
  upstream: () => Promise<number>,
  nextPort: () => number,
): Promise<SizeCost[]> {
  const costs: SizeCost[] = [];
  for (const capitals of [false, true]) {
    const ofCache = `sizes: cache${capitals ? ', capitals' : ''}`;
    if (only.test(ofCache)) {
      const to = await upstream();
      const made = CACHE_SIZES.map((names) => cacheOf(names, capitals, to, nextPort()));
      costs.push(...(await compared(ofCache, made, seconds)));
    }
    const ofCluster = `sizes: cluster${capitals ? ', capitals' : ''}`;
    if (only.test(ofCluster)) {
      const apis = await Promise.all(CLUSTER_SIZES.map((names) => clusterApi(Math.min(names, SERVICES))));
      try {
        const made = CLUSTER_SIZES.map((names, i) => clusterOf(names, capitals, apis[i]!.url, nextPort()));
        costs.push(...(await compared(ofCluster, made, seconds)));
      } finally {
        await Promise.all(apis.map((api) => api.stop()));
      }
    }
  }
  return costs;
}

async function compared(scenario: string, contestants: readonly Contestant[], seconds: number): Promise<SizeCost[]> {
  const results = await inTurns(contestants, seconds, TURNS);
  return results.map(({ name, cost, ratio, memory }) => ({ scenario: `${scenario}, ${name}`, cost, ratio, memory }));
}

const questionsOf = (names: readonly string[], capitals: boolean): string[] =>
  // The first is asked until it is right, in the spelling that the bench knows.
  names.map((name, i) => `${capitals && i > 0 ? spelt(name) : name} A`);

function cacheOf(names: number, capitals: boolean, upstream: number, port: number): Contestant {
  const corefile = `.:${port} {\n bind 127.0.0.1\n cache 3600 {\n  success ${names + 1024}\n }\n forward . 127.0.0.1:${upstream}\n}\n`;
  const conf = write(`sizes-${port}`, corefile);
  const all = Array.from({ length: names }, (_, i) => `n${i + 1}.bench.example.org`);
  return {
    name: `${names.toLocaleString('en')} names`,
    port,
    command: { command: NODENS, args: ['-quiet', '-conf', conf, ...MEMORY] },
    questions: questionsOf(all, capitals),
    warmUp: WARM_UP,
    rounds: ROUNDS,
  };
}

function clusterOf(names: number, capitals: boolean, api: string, port: number): Contestant {
  const services = Math.min(names, SERVICES);
  const all = Array.from({ length: names }, (_, i) =>
    i < services
      ? `svc${i}.ns${i % 100}.svc.cluster.local`
      : `10-${i >> 16}-${(i >> 8) & 255}-${i & 255}.default.pod.cluster.local`,
  );
  const { args, ...more } = PEERS.find(({ name }) => name === OWN)!.command({
    kind: 'cluster',
    port,
    upstream: 1,
    api,
  })!;
  return {
    name: `${names.toLocaleString('en')} names`,
    port,
    command: { ...more, args: [...args, ...MEMORY] },
    questions: questionsOf(all, capitals),
    warmUp: WARM_UP,
    rounds: ROUNDS,
    services,
  };
}

export const sizesTable = (costs: readonly SizeCost[]): string =>
  aligned([
    ['names asked evenly', '', 'us', 'times', 'RSS MB'],
    ...costs.map(({ scenario, cost, ratio, memory }) => [
      scenario,
      '',
      cost.toFixed(2),
      ratio.toFixed(2),
      memory.toFixed(0),
    ]),
  ]).join('\n');
