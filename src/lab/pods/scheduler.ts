import { NodensError } from '../../lib/errors.js';
import { flagAt, objectAt, textMapAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';

/** Whether new pods keep off a node. */
export const isCordoned = (node: ApiObject | undefined): boolean =>
  flagAt(objectAt(node?.raw, 'spec'), 'unschedulable') === true;

/** Whether a node is the one that a nodeSelector names, if it names one. */
export function fits({ raw }: ApiObject, node: string): boolean {
  const spec = objectAt(raw, 'spec');
  const podSpec: RawObject = spec['template'] === undefined ? spec : objectAt(spec['template'], 'spec');
  const wanted = textMapAt(podSpec, 'nodeSelector')?.['kubernetes.io/hostname'];
  return wanted === undefined || wanted === node;
}

/**
 * The node with the fewest pods of the workload, then with the fewest pods at all, then the first. Throws a
 * NodensError where none fits.
 */
export function chooseNode(
  workload: ApiObject,
  { nodes, api }: { readonly nodes: readonly string[]; readonly api: ClusterApi },
): string {
  const [own, all] = [api.pods.perNode(workload), api.pods.perNode()];
  const count = (map: ReadonlyMap<string, number>, node: string): number => map.get(node) ?? 0;
  const candidates = nodes.filter((node) => fits(workload, node) && !isCordoned(api.get('Node', '', node)));
  const [best] = candidates.sort((a, b) => count(own, a) - count(own, b) || count(all, a) - count(all, b));
  if (best === undefined)
    throw new NodensError(
      'NODENS_LAB_API',
      `${workload.kind} ${workload.namespace}/${workload.name}: no node fits its nodeSelector; there are ` +
        nodes.map((node) => (isCordoned(api.get('Node', '', node)) ? `${node} (cordoned)` : node)).join(', '),
    );
  return best;
}
