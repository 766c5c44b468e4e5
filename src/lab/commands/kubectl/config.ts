import { KUBECTL_TABLE, layOut } from '../../../observe/table.js';
import { MADE_RESOURCES, RESOURCES } from '../../cluster/resources.js';
import { CommandError } from '../../session/command.js';
import type { CommandIo } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { print } from '../text/input.js';

const CONTEXT = 'lab';
const ALLOWED = 'current-context, get-contexts, set-context --current --namespace=NAME, use-context lab, view';

/** `kubectl config`: the one context that there is, and the namespace that commands mean when they name none. */
export function config(args: readonly string[], io: CommandIo): number {
  const options = parseOptions('kubectl config', args, [
    { name: '--namespace', short: '-n', value: true },
    { name: '--current' },
    { name: '--minify' },
    { name: '--output', short: '-o', value: true },
  ]);
  const [action, name] = options.words;
  const { session } = io;
  switch (action) {
    case 'current-context':
      return print(io, [CONTEXT]);
    case 'get-contexts':
      return print(io, [
        'CURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE',
        `*         ${CONTEXT}    ${CONTEXT}       admin      ${session.namespace}`,
      ]);
    case 'use-context':
      if (name !== CONTEXT) throw new CommandError(`error: no context exists with the name: "${name ?? ''}"`);
      return print(io, [`Switched to context "${CONTEXT}".`]);
    case 'set-context': {
      const namespace = options.get('--namespace');
      if (namespace === undefined || (!options.has('--current') && name !== CONTEXT))
        throw new CommandError(`error: kubectl config set-context: allowed: --current --namespace=NAME`);
      session.namespace = namespace;
      return print(io, [`Context "${CONTEXT}" modified.`]);
    }
    case 'view':
      return print(io, [
        options.get('--output')?.startsWith('jsonpath') === true
          ? session.namespace
          : `apiVersion: v1\nkind: Config\ncurrent-context: ${CONTEXT}\ncontexts:\n- name: ${CONTEXT}\n` +
            `  context: { cluster: ${CONTEXT}, namespace: ${session.namespace}, user: admin }`,
      ]);
    default:
      throw new CommandError(`error: kubectl config: got "${action ?? ''}", allowed: ${ALLOWED}`);
  }
}

/** `kubectl api-resources`: the kinds that the lab's API holds. */
export function apiResources(args: readonly string[], io: CommandIo): number {
  const options = parseOptions('kubectl api-resources', args, [
    { name: '--namespaced', value: true },
    { name: '--api-group', value: true },
    { name: '--no-headers' },
    { name: '--namespace', short: '-n', value: true },
  ]);
  const found = [...RESOURCES, ...MADE_RESOURCES]
    .filter(
      ({ namespaced, group }) =>
        (!options.has('--namespaced') || options.get('--namespaced') === String(namespaced)) &&
        (!options.has('--api-group') || options.get('--api-group') === group),
    )
    .map(({ group, plural, short, apiVersion, namespaced, kind }): [string, string[]] => [
      `${group}/${plural}`,
      [plural, short.join(','), apiVersion, String(namespaced), kind],
    ]);
  const rows = new Map(found);
  // By group and name: those of the core group, which has no name, come first.
  const ordered = [...rows.keys()].sort().map((key) => rows.get(key)!);
  const table = options.has('--no-headers')
    ? ordered
    : [['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'], ...ordered];
  return print(io, layOut(table, KUBECTL_TABLE));
}
