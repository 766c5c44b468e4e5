import { RESOURCES } from '../../cluster/resources.js';
import type { Lab } from '../../lab.js';

/** Owners go first, so that nothing is created again. */
const ORDER = ['Deployment', 'DaemonSet', 'Pod'];

/** Whether a cluster cannot do without a namespace. */
export const isLasting = (namespace: string): boolean => namespace === 'default' || namespace === 'kube-system';

/** Deletes all that is in a namespace. */
export async function emptyNamespace(namespace: string, lab: Lab): Promise<void> {
  const kinds = [...ORDER, ...RESOURCES.map(({ kind }) => kind).filter((kind) => !ORDER.includes(kind))];
  for (const kind of kinds)
    for (const { name } of lab.api.list(kind, namespace)) await lab.remove(kind, namespace, name);
}
