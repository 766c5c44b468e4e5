import path from 'node:path';
import type { GoRegExp } from '../../lib/go-regexp.js';
import { fqdn, isName, lowerName, type Name } from '../../wire/index.js';

/** Which zone a file holds, by its name. */
export interface OriginRule {
  /** Matches anywhere in the file's name, the directory left aside. */
  readonly pattern: GoRegExp;
  /** What the origin is made of: text, or the number or name of a group of the pattern. */
  readonly template: readonly (string | { readonly group: string })[];
}

/** Takes a template apart: `{1}` and `${1}` stand for the first group, `{name}` for the one of that name. */
export function parseTemplate(text: string): OriginRule['template'] {
  return [...text.matchAll(/\$?\{(\w+)\}|\$(\w+)|\$\$|[^${]+|[${]/g)].map(([found, inBraces, bare]) => {
    const group = inBraces ?? bare;
    if (group !== undefined) return { group };
    return found === '$$' ? '$' : found;
  });
}

/** The zone of a file; undefined for a file that holds none, empty where its name makes none. */
export function originOf({ pattern, template }: OriginRule, file: string): Name | undefined {
  const groups = pattern.exec(path.basename(file));
  if (groups === undefined) return undefined;
  const byName = (name: string): string =>
    /^\d+$/.test(name) ? (groups[Number(name)] ?? '') : (groups[pattern.groupNames.indexOf(name) + 1] ?? '');
  const text = template.map((part) => (typeof part === 'string' ? part : byName(part.group))).join('');
  const name = fqdn(text);
  return text === '' || !isName(name) ? '' : lowerName(name);
}
