/** Readers for data whose shape nobody vouches for: parsed JSON or YAML. None of them throws. */

export type RawObject = Readonly<Record<string, unknown>>;

const NOTHING: RawObject = {};

/** The member as an object; an empty one when it is anything else. */
export function objectAt(value: unknown, key: string): RawObject {
  return asObject(asObject(value)[key]);
}

export function asObject(value: unknown): RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawObject) : NOTHING;
}

export function arrayAt(value: unknown, key: string): readonly unknown[] {
  const member = asObject(value)[key];
  return Array.isArray(member) ? (member as unknown[]) : [];
}

/** The member as text; empty when it is missing or no text. */
export function textAt(value: unknown, key: string): string {
  const member = asObject(value)[key];
  return typeof member === 'string' ? member : '';
}

/** true or false when the member says so, undefined when it is missing or anything else. */
export function flagAt(value: unknown, key: string): boolean | undefined {
  const member = asObject(value)[key];
  return typeof member === 'boolean' ? member : undefined;
}

/** A port number from 1 to 65535; undefined for anything else. */
export function portAt(value: unknown, key: string): number | undefined {
  const member = asObject(value)[key];
  return typeof member === 'number' && Number.isInteger(member) && member >= 1 && member <= 65535 ? member : undefined;
}

/** The members whose values are text, or undefined when there is none. */
export function textMapAt(value: unknown, key: string): Record<string, string> | undefined {
  const entries = Object.entries(objectAt(value, key)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
