import { isDeepStrictEqual } from 'node:util';
import { asObject } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { mergeKeyOf } from '../cluster/patch.js';

/**
 * A member of an object as `managedFields` names it, from the root: `f:NAME` for a member, `k:{"name":"x"}` for one of a
 * list whose members have names; joined to one text, so that sets of them can be compared.
 */
export type FieldPath = string;

const JOINT = '\0';
/** What belongs to the server, or names the object: nobody manages it. */
const NOBODYS = ['f:apiVersion', 'f:kind', 'f:status'].concat(
  [
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'generation',
    'managedFields',
    'generateName',
  ].map((name) => `f:metadata${JOINT}f:${name}`),
);

const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How one member of a list is named; ports of one number differ by protocol. */
function elementOf(list: string, key: string, member: unknown): string {
  const { [key]: value, protocol = 'TCP' } = asObject(member);
  return `k:${JSON.stringify({ [key]: value, ...(list === 'ports' && { protocol }) })}`;
}

interface Element {
  readonly name: string;
  readonly member: unknown;
}

/** Members of a list by name; undefined for a list that is one value. */
function elementsOf(list: string, members: readonly unknown[]): readonly Element[] | undefined {
  const key = mergeKeyOf(list, members);
  return key === undefined ? undefined : members.map((member) => ({ name: elementOf(list, key, member), member }));
}

/** The fields of an object that somebody can manage, with their values. */
export function fieldsOf(object: unknown): ReadonlyMap<FieldPath, unknown> {
  const fields = new Map<FieldPath, unknown>();
  const walk = (value: unknown, name: string, path: readonly string[]): void => {
    const joined = path.join(JOINT);
    if (NOBODYS.includes(joined)) return;
    const elements = Array.isArray(value) && value.length > 0 ? elementsOf(name, value) : undefined;
    if (isObject(value) && Object.keys(value).length > 0)
      for (const [key, member] of Object.entries(value)) walk(member, key, [...path, `f:${key}`]);
    else if (elements)
      for (const element of elements) {
        fields.set([...path, element.name].join(JOINT), undefined);
        walk(element.member, '', [...path, element.name]);
      }
    else if (path.length > 0) fields.set(joined, value);
  };
  walk(object, '', []);
  return fields;
}

/** Fields of `next` that are not as in `before`. */
export const changedFields = (
  before: ReadonlyMap<FieldPath, unknown>,
  next: ReadonlyMap<FieldPath, unknown>,
): FieldPath[] =>
  [...next]
    .filter(([path, value]) => !before.has(path) || !isDeepStrictEqual(before.get(path), value))
    .map(([path]) => path);

/** As `managedFields` has them (FieldsV1). */
export function fieldsV1(paths: Iterable<FieldPath>): RawObject {
  const root: Record<string, unknown> = {};
  for (const path of paths) {
    let at = root;
    for (const segment of path.split(JOINT)) at = (at[segment] ??= {}) as Record<string, unknown>;
    if (path.split(JOINT).at(-1)!.startsWith('k:')) at['.'] = {};
  }
  return root;
}

/** As messages name a field: `.spec.replicas`, `.spec.ports[port=80]`. */
export const shownField = (path: FieldPath): string =>
  path
    .split(JOINT)
    .map((segment) =>
      segment.startsWith('f:')
        ? `.${segment.slice(2)}`
        : `[${Object.entries(JSON.parse(segment.slice(2)) as RawObject)
            .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
            .join(',')}]`,
    )
    .join('');

/** Puts what a configuration says into an object: lists are merged by their members' names. */
export function withFields(target: unknown, config: unknown, list = ''): unknown {
  if (isObject(config)) {
    const result: Record<string, unknown> = { ...(isObject(target) ? target : {}) };
    for (const [key, value] of Object.entries(config)) result[key] = withFields(result[key], value, key);
    return result;
  }
  const wanted = Array.isArray(config) ? elementsOf(list, config) : undefined;
  const there = wanted && Array.isArray(target) ? elementsOf(list, target) : undefined;
  if (!wanted || !there) return config;
  const merged = there.map(({ name, member }) => {
    const same = wanted.find((element) => element.name === name);
    return same ? withFields(member, same.member) : member;
  });
  return [
    ...merged,
    ...wanted.filter(({ name }) => !there.some((one) => one.name === name)).map(({ member }) => member),
  ];
}

/** An object without these fields. */
export function withoutFields(object: unknown, paths: readonly FieldPath[]): unknown {
  const result = structuredClone(object);
  // What is in a member goes before the member.
  for (const path of [...paths].sort((a, b) => b.length - a.length)) drop(result, path.split(JOINT));
  return result;
}

function drop(root: unknown, segments: readonly string[]): void {
  let at = root;
  let name = '';
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment.startsWith('f:')) {
      name = segment.slice(2);
      if (last) delete (at as Record<string, unknown> | undefined)?.[name];
      at = asObject(at)[name];
    } else {
      const members = Array.isArray(at) ? (at as unknown[]) : [];
      const index = (elementsOf(name, members) ?? []).findIndex((element) => element.name === segment);
      if (last && index >= 0) members.splice(index, 1);
      at = members[index];
    }
    if (typeof at !== 'object' || at === null) return;
  }
}
