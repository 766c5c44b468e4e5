import { FlagError } from '../../lib/go-flags.js';
import { NodeCacheFlagError, parseNodeCacheFlags, type NodeCacheOptions } from '../../nodelocal/flags.js';
import type { JudgedCorefile } from './blocks.js';
import type { RuleOver } from './finding.js';
import type { ClusterObject, PodOwner } from './objects.js';

/** A Corefile of a ConfigMap, and the pods that mount it where they are known. */
export interface ClusterCorefile {
  readonly config: ClusterObject;
  readonly judged: JudgedCorefile | undefined;
  readonly workload: PodOwner | undefined;
}

/** The objects of a folder of manifests. */
export interface JudgedCluster {
  readonly objects: readonly ClusterObject[];
  readonly workloads: readonly PodOwner[];
  readonly corefiles: readonly ClusterCorefile[];
}

/** A rule over the objects of a cluster. */
export type ClusterRule = RuleOver<JudgedCluster>;

export const ofKind = ({ objects }: JudgedCluster, kind: string): ClusterObject[] =>
  objects.filter((object) => object.kind === kind);

/** Stand-ins for what an installer fills in. */
const PILLARS: readonly [string, string][] = [
  ['__PILLAR__LOCAL__DNS__', '169.254.20.10'],
  ['__PILLAR__DNS__SERVER__', '192.0.2.11'],
  ['__PILLAR__DNS__DOMAIN__', 'cluster.local'],
];
const CLUSTER_DNS = '192.0.2.10';

export const filledIn = (text: string): string =>
  PILLARS.reduce((filled, [pillar, value]) => filled.replaceAll(pillar, value), text);

/** The stand-in for the address of the service that a node cache asks. */
export const isUpstreamService = (ip: string): boolean => ip === CLUSTER_DNS;

/** A node cache's settings, or why its arguments are refused; undefined for pods that run none. */
export function nodeCacheOptions(workload: PodOwner): NodeCacheOptions | Error | undefined {
  const { nodeCache } = workload;
  if (nodeCache === undefined) return undefined;
  const first = nodeCache.words.findIndex((word) => word.startsWith('-'));
  try {
    return parseNodeCacheFlags(nodeCache.words.slice(first).map(filledIn));
  } catch (error) {
    if (error instanceof FlagError || error instanceof NodeCacheFlagError) return error;
    throw error;
  }
}
