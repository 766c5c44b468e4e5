import { MADE_RESOURCES, RESOURCES, resourceByWord } from '../../cluster/resources.js';
import type { Resource } from '../../cluster/resources.js';
import { meant } from '../missing.js';
import { CommandError } from '../../session/command.js';
import type { Options } from '../../session/options.js';

const NAMES = [...RESOURCES, ...MADE_RESOURCES].map(({ plural }) => plural);

const WORDS = [...NAMES, ...[...RESOURCES, ...MADE_RESOURCES].map(({ kind }) => kind.toLowerCase())];

/** The kind that a word means. Throws a CommandError that lists the kinds there are. */
export function kindNamed(word: string): Resource {
  const resource = resourceByWord(word);
  if (!resource)
    throw new CommandError(
      `error: the server doesn't have a resource type "${word}"${meant(word.toLowerCase(), WORDS)}; it has ${NAMES.join(', ')}`,
    );
  return resource;
}

export const namespaceOf = (options: Options): string => options.get('--namespace') ?? 'default';

/** As messages name a resource: with its group, where it has one. */
export const withGroup = ({ plural, group }: Pick<Resource, 'plural' | 'group'>): string =>
  `${plural}${group === '' ? '' : `.${group}`}`;

/** As messages name one object of a kind: `deployment.apps/coredns`. */
export const shownAs = ({ kind, group }: Pick<Resource, 'kind' | 'group'>, name: string): string =>
  `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
