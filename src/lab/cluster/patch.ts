import { isDeepStrictEqual } from 'node:util';
import type { RawObject } from '../../kube/objects/raw.js';
import { ClusterApiError } from './cluster-api.js';

type ObjectMembers = Record<string, unknown>;

const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** JSON Merge Patch (RFC 7386): null takes a member away, lists are put in place as a whole. */
export function mergePatch(target: unknown, change: unknown): unknown {
  if (!isObject(change)) return change;
  const result: ObjectMembers = { ...(isObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/**
 * By what members of a list are told apart, by the list's name, as the kinds of Kubernetes declare it
 * (`x-kubernetes-patch-merge-key`); the first that all of them have.
 */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  addresses: ['type'],
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  ephemeralContainers: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  ownerReferences: ['uid'],
  ports: ['containerPort', 'port'],
  secrets: ['name'],
  taints: ['key'],
  topologySpreadConstraints: ['topologyKey'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
};
const SETS: readonly string[] = ['finalizers'];

/** By what the members of a list are told apart; undefined for a list that is one value. */
export const mergeKeyOf = (list: string, members: readonly unknown[]): string | undefined =>
  (Object.hasOwn(MERGE_KEYS, list) ? MERGE_KEYS[list]! : []).find((key) =>
    members.every((member) => isObject(member) && member[key] !== undefined),
  );

const ORDER = '$setElementOrder/';
const FROM_SET = '$deleteFromPrimitiveList/';
const DIRECTIVES = ['$patch', '$retainKeys'];

/**
 * Strategic merge patch, with its directives
 * (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md):
 * as a merge patch, but lists whose members have a name are merged by it.
 */
export function strategicPatch(target: unknown, change: unknown): unknown {
  if (!isObject(change)) return change;
  if (change['$patch'] === 'replace') return plain(change);
  const retained = change['$retainKeys'];
  const result: ObjectMembers = Object.fromEntries(
    Object.entries(isObject(target) ? target : {}).filter(([key]) => !isList(retained) || retained.includes(key)),
  );
  for (const [key, value] of Object.entries(change)) {
    if (DIRECTIVES.includes(key) || key.startsWith(ORDER)) continue;
    if (key.startsWith(FROM_SET)) {
      const list = key.slice(FROM_SET.length);
      const left = result[list];
      if (isList(left) && isList(value)) result[list] = left.filter((member) => !value.includes(member));
    } else if (value === null || (isObject(value) && value['$patch'] === 'delete')) delete result[key];
    else result[key] = isList(value) ? mergedList(key, result[key], value) : strategicPatch(result[key], value);
  }
  for (const [key, order] of Object.entries(change))
    if (key.startsWith(ORDER) && isList(order)) putInOrder(result, key.slice(ORDER.length), order);
  return result;
}

function mergedList(name: string, target: unknown, change: readonly unknown[]): readonly unknown[] {
  const old = isList(target) ? target : [];
  if (SETS.includes(name)) return [...new Set([...old, ...change])];
  const members = change.filter((member) => !isObject(member) || member['$patch'] !== 'replace');
  const key = mergeKeyOf(name, [...members, ...old]);
  if (key === undefined || members.length < change.length) return members.map(plain);
  const result = [...old];
  for (const member of members as readonly RawObject[]) {
    const at = result.findIndex((one) => (one as RawObject)[key] === member[key]);
    if (member['$patch'] === 'delete') result.splice(at < 0 ? result.length : at, 1);
    else if (at < 0) result.push(plain(member));
    else result[at] = strategicPatch(result[at], member);
  }
  return result;
}

/** ObjectMembers that an order names stand as it says; the others stay behind them. */
function putInOrder(holder: ObjectMembers, list: string, order: readonly unknown[]): void {
  const members = holder[list];
  if (!isList(members)) return;
  const key = mergeKeyOf(list, [...members, ...order]);
  const place = (member: unknown): number => {
    const at = order.findIndex((one) =>
      key === undefined ? one === member : (one as RawObject)[key] === (member as RawObject)[key],
    );
    return at < 0 ? order.length : at;
  };
  holder[list] = [...members].sort((a, b) => place(a) - place(b));
}

/** A value without directives. */
function plain(value: unknown): unknown {
  if (isList(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !key.startsWith('$') && member !== null)
      .map(([key, member]) => [key, plain(member)]),
  );
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

const OPERATIONS = ['add', 'replace', 'remove', 'test', 'move', 'copy'];
const ALLOWED = `{"op": ${OPERATIONS.map((name) => `"${name}"`).join('|')}, "path": "/...", "value": ...}`;

/** JSON Patch (RFC 6902). Throws a ClusterApiError for one that does not fit the object. */
export function jsonPatch(object: unknown, operations: unknown): unknown {
  if (!isList(operations))
    throw new ClusterApiError(
      'a patch of type json is a list of operations: [{"op":"replace","path":"/spec/x","value":1}]',
    );
  let result = structuredClone(object);
  for (const operation of operations) {
    const { op, path, from } = (isObject(operation) ? operation : {}) as unknown as Partial<Operation>;
    const places = op === 'move' || op === 'copy' ? [path, from] : [path];
    if (!OPERATIONS.includes(op ?? '') || !places.every((place) => place === '' || place?.startsWith('/')))
      throw new ClusterApiError(`got ${JSON.stringify(operation)}, allowed: ${ALLOWED}`);
    result = operated(result, operation as Operation);
  }
  return result;
}

function operated(root: unknown, { op, path, from = '', value }: Operation): unknown {
  if (op === 'test') {
    if (!isDeepStrictEqual(at(root, path), value)) throw new ClusterApiError(`test: ${path} is not what was said`);
    return root;
  }
  if (op === 'copy') return put(root, path, structuredClone(at(root, from)), false);
  if (op === 'move') {
    const moved = at(root, from);
    return put(take(root, from), path, moved, false);
  }
  return op === 'remove' ? take(root, path) : put(root, path, value, op === 'replace');
}

const keysOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

function at(root: unknown, path: string): unknown {
  const found = keysOf(path).reduce<unknown>((value, key) => (value as ObjectMembers | undefined)?.[key], root);
  if (found === undefined) throw new ClusterApiError(`there is nothing at ${path}`);
  return found;
}

/** What holds the member that a path names, and the member's own key. */
function holderOf(root: unknown, path: string): { readonly holder: ObjectMembers | unknown[]; readonly key: string } {
  const keys = keysOf(path);
  const key = keys.pop() ?? '';
  const holder = keys.reduce<unknown>((value, one) => (value as ObjectMembers | undefined)?.[one], root);
  if (typeof holder !== 'object' || holder === null || key === '__proto__')
    throw new ClusterApiError(`there is nothing at ${path}`);
  return { holder: holder as ObjectMembers | unknown[], key };
}

function put(root: unknown, path: string, value: unknown, replaces: boolean): unknown {
  if (path === '') return value;
  const { holder, key } = holderOf(root, path);
  if (!isList(holder)) holder[key] = value;
  else holder.splice(key === '-' ? holder.length : Number(key), replaces ? 1 : 0, value);
  return root;
}

function take(root: unknown, path: string): unknown {
  at(root, path);
  const { holder, key } = holderOf(root, path);
  if (isList(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return root;
}
