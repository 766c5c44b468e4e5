import { shown } from './data-fields.js';
import { PLUGIN_API, type Plugin } from './contract.js';

const KEYS = [
  'name',
  'api',
  'about',
  'at',
  'needs',
  'dependsOn',
  'clientNetworks',
  'role',
  'options',
  'example',
  'setup',
];
const DEPENDS = ['question', 'client', 'query'];
const ROLES = ['answers', 'wraps', 'observes'];
const TYPES = 'integer number seconds percent duration text file url ip network name zones choice flag'.split(' ');

const EXPECTED = 'export default { name, api: 1, setup(block, options) { return (query, next) => ... } }';

/** What keeps a module's default export from being a plugin, in words; undefined where it is one. */
export function whatIsWrong(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return `it exports ${value === undefined ? 'nothing as default' : shown(value)}, expected: ${EXPECTED}`;
  const plugin = value as Record<keyof Plugin, unknown>;
  const { name, api } = plugin;
  if (typeof plugin.setup !== 'function' && name === undefined)
    return `it exports an object without name and setup, expected: ${EXPECTED}`;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_-]{0,62}$/.test(name))
    return `name: got ${shown(name)}, expected: lower-case letters, digits, - and _, beginning with a letter`;
  if (api !== PLUGIN_API)
    return `${name} wants version ${shown(api)} of the interface, expected: api: ${PLUGIN_API}${newer(api)}`;
  if (typeof plugin.setup !== 'function') return `${name}: setup: got ${shown(plugin.setup)}, expected: a function`;
  const unknown = Object.keys(plugin).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `${name}: got '${unknown}', expected: ${KEYS.join(', ')}`;
  return (
    wrongWord(name, 'dependsOn', plugin.dependsOn, DEPENDS) ??
    wrongWord(name, 'role', plugin.role, ROLES) ??
    wrongPlace(name, plugin.at) ??
    wrongNeeds(name, plugin.needs) ??
    wrongOptions(name, plugin.options)
  );
}

const newer = (api: unknown): string =>
  typeof api === 'number' && api > PLUGIN_API ? '; it is written for a newer nodens' : '';

const wrongWord = (name: string, key: string, value: unknown, allowed: readonly string[]): string | undefined =>
  value === undefined || allowed.includes(value as string)
    ? undefined
    : `${name}: ${key}: got ${shown(value)}, expected: ${allowed.join(', ')}`;

function wrongPlace(name: string, at: unknown): string | undefined {
  if (at === undefined) return undefined;
  const sides = typeof at === 'object' && at !== null ? Object.entries(at) : [];
  const isPlace = ([side, other]: [string, unknown]): boolean =>
    ['before', 'after'].includes(side) && typeof other === 'string';
  return sides.length === 1 && sides.every(isPlace)
    ? undefined
    : `${name}: at: got ${shown(at)}, expected: { before: 'NAME' } or { after: 'NAME' }`;
}

const wrongNeeds = (name: string, needs: unknown): string | undefined =>
  needs === undefined || (Array.isArray(needs) && needs.every((one) => typeof one === 'string'))
    ? undefined
    : `${name}: needs: got ${shown(needs)}, expected: a list of directives' names`;

function wrongOptions(name: string, options: unknown): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null)
    return `${name}: options: got ${shown(options)}, expected: an object`;
  const entries = Object.entries(options as Record<string, { type?: unknown } | undefined>);
  const wrong = entries.find(([, option]) => !TYPES.includes(option?.type as string));
  return wrong && `${name}: options.${wrong[0]}.type: got ${shown(wrong[1]?.type)}, expected: ${TYPES.join(', ')}`;
}
