import { asObject, objectAt, textAt } from '../../../../kube/objects/raw.js';
import type { RawObject } from '../../../../kube/objects/raw.js';
import { dataOf } from '../../../pods/pod-files.js';
import { Sheet } from './sheet.js';

export function describeConfigMap(configMap: RawObject): string {
  const sheet = new Sheet();
  sheet.head(configMap);
  const held = dataOf(configMap);
  const data = Object.keys(held)
    .sort()
    .map((key) => `${key}:\n----\n${held[key]!}\n\n`)
    .join('');
  // What the ConfigMap holds is not brought into columns.
  return `${sheet.text()}\nData\n====\n${data}\nBinaryData\n====\n\nEvents:  <none>\n`;
}

const ACRONYMS = ['API', 'URL', 'UID', 'OSB', 'GUID'];

/** `matchLabels` as `Match Labels`; keys with signs other than letters and dashes stay as they are. */
function labelOf(key: string): string {
  if (!/^[A-Za-z-]+$/.test(key)) return key;
  return (key.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|-+/g) ?? [key])
    .map((part) =>
      ACRONYMS.includes(part.toUpperCase()) ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1),
    )
    .join(' ');
}

/** An object of a kind that kubectl has no words of its own for: everything that it holds, by name. */
export function describeAny(object: RawObject): string {
  const sheet = new Sheet();
  sheet.add(0, 'Name:', textAt(objectAt(object, 'metadata'), 'name'));
  sheet.add(0, 'Namespace:', textAt(objectAt(object, 'metadata'), 'namespace'));
  sheet.labels(object);
  const { metadata, ...rest } = object;
  const {
    name: _name,
    namespace: _namespace,
    labels: _labels,
    annotations: _annotations,
    managedFields: _fields,
    ...more
  } = asObject(metadata);
  members(sheet, 0, { ...rest, metadata: more });
  sheet.events();
  return sheet.text();
}

function members(sheet: Sheet, level: number, object: RawObject): void {
  for (const key of Object.keys(object).sort()) {
    const value = object[key];
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) {
      sheet.add(level, `${labelOf(key)}:`);
      for (const item of value as unknown[]) {
        if (typeof item === 'object' && item !== null) members(sheet, level + 1, asObject(item));
        else sheet.add(level + 1, String(item));
      }
    } else if (typeof value === 'object') {
      sheet.add(level, `${labelOf(key)}:`);
      members(sheet, level + 1, asObject(value));
    } else sheet.add(level, `${labelOf(key)}:`, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

export function describeNamespace(namespace: RawObject): string {
  const sheet = new Sheet();
  sheet.head(namespace);
  sheet.add(0, 'Status:', 'Active');
  return `${sheet.text()}\nNo resource quota.\n\nNo LimitRange resource.\n`;
}
