import type { RawObject } from '../../kube/objects/raw.js';

/** Members that say nothing where they are empty: programs write them all the same. */
const SILENT_WHEN_EMPTY: readonly string[] = ['resources', 'strategy', 'updateStrategy'];

const isObject = (value: unknown): value is RawObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * An object as the API server keeps it: one that says the same is the same, whoever wrote it. Members that say nothing
 * are left out, and ports of containers have their protocol.
 */
export const admitted = (raw: RawObject): RawObject => cleaned(raw, '') as RawObject;

function cleaned(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((member) => cleaned(member, name));
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(
    ([key, member]) =>
      member !== null && !(SILENT_WHEN_EMPTY.includes(key) && isObject(member) && Object.keys(member).length === 0),
  );
  const kept = Object.fromEntries(members.map(([key, member]) => [key, cleaned(member, key)]));
  return name === 'ports' && kept['containerPort'] !== undefined ? { protocol: 'TCP', ...kept } : kept;
}
