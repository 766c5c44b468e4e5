import type { LabelSelector } from '../../../kube/objects/label-selector.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { labelsOf } from '../../cluster/cluster-api.js';
import type { Resource } from '../../cluster/resources.js';
import type { Lab } from '../../lab.js';
import { CommandError } from '../../session/command.js';
import { withGroup } from '../target/kinds.js';
import { nameIn, namespaceIn } from './metadata.js';
import { objectsOf } from './objects.js';

interface Selection {
  /** undefined for all, and for kinds that belong to none. */
  readonly namespace: string | undefined;
  /** All where it is empty. */
  readonly names: readonly string[];
  readonly selector: LabelSelector;
}

/** The objects of a kind that a command means. */
export const objectsMeant = (
  { kind }: Pick<Resource, 'kind'>,
  { namespace, names, selector }: Selection,
  lab: Lab,
): RawObject[] =>
  objectsOf(kind, lab).filter(
    (object) =>
      (namespace === undefined || namespaceIn(object) === namespace) &&
      (names.length === 0 || names.includes(nameIn(object))) &&
      selector.matches(labelsOf(object)),
  );

/** Throws a CommandError for the first name that none of the objects has. */
export function requireAll(resource: Resource, names: readonly string[], found: readonly RawObject[]): void {
  const missing = names.find((name) => !found.some((object) => nameIn(object) === name));
  if (missing !== undefined)
    throw new CommandError(`Error from server (NotFound): ${withGroup(resource)} "${missing}" not found`);
}
