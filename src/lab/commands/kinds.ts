import { RESOURCES, resourceByWord } from '../cluster/resources.js';
import type { Resource } from '../cluster/resources.js';
import { CommandError } from '../session/command.js';
import type { Options } from '../session/options.js';

/** The kind that a word means. Throws a CommandError that lists the kinds there are. */
export function kindNamed(word: string): Resource {
  const resource = resourceByWord(word);
  if (!resource) throw new CommandError(`error: the server doesn't have a resource type "${word}"; it has ${RESOURCES.map(({ plural }) => plural).join(', ')}, nodes, endpoints, ciliumnodes, ciliumendpoints`);
  return resource;
}

export const namespaceOf = (options: Options): string => options.get('--namespace') ?? 'default';
