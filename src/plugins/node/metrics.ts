import type { Metrics, Value } from '../../metrics/metrics.js';

/** How many pods of the node are known. */
export const podCount = (metrics: Metrics, node: string): Value =>
  metrics.gauge('node', 'known_pods', 'Number of pods that run on the node.', ['node']).with({ node });
