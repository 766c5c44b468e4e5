import { goRegExp, type GoRegExp } from '../../lib/go-regexp.js';
import { fqdn, lowerName, type Name } from '../../wire/index.js';

export const MATCH_TYPES = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const;
export type MatchType = (typeof MATCH_TYPES)[number];

/** Says whether a name fits, and what takes its place. */
export interface Matcher {
  /** Whether a name, lower-case with closing dot, fits. */
  test(name: Name): boolean;
  /** What a name that fits becomes; undefined for one that does not. */
  replace(name: Name): string | undefined;
}

/**
 * Lower case with closing dot, as all plain texts of rules are read: `zzz` is `zzz.`, and so fits at the end of a
 * label only.
 */
export const normalName = (text: string): Name => lowerName(fqdn(text));

/** @param from normal as `normalName` makes it, a pattern for `regex`; throws a RangeError for a bad pattern */
export function matcher(type: MatchType, from: string, to: string): Matcher {
  if (type === 'regex') return new RegexMatcher(regexFor(from, to), to);
  const test = {
    exact: (name: Name) => name === from,
    prefix: (name: Name) => name.startsWith(from),
    suffix: (name: Name) => name.endsWith(from),
    substring: (name: Name) => name.includes(from),
  }[type];
  const replace = {
    exact: () => to,
    prefix: (name: Name) => to + name.slice(from.length),
    suffix: (name: Name) => name.slice(0, name.length - from.length) + to,
    substring: (name: Name) => name.replaceAll(from, () => to),
  }[type];
  return { test, replace: (name) => (test(name) ? replace(name) : undefined) };
}

/**
 * A pattern that fits anywhere in a name; the whole name becomes the replacement, with `{1}` for the first group and
 * so on.
 */
export class RegexMatcher implements Matcher {
  /** Text, group number, text, group number, ..., text. */
  private readonly parts: readonly string[];

  constructor(
    private readonly pattern: GoRegExp,
    replacement: string,
  ) {
    this.parts = replacement.split(/\{(0|[1-9]\d{0,2})\}/);
  }

  test(name: Name): boolean {
    return this.pattern.test(name);
  }

  replace(name: Name): string | undefined {
    const groups = this.pattern.exec(name);
    return groups && this.parts.map((part, i) => (i % 2 === 0 ? part : (groups[Number(part)] ?? `{${part}}`))).join('');
  }
}

/** The compiled pattern. Throws a RangeError for a bad one, and where `replacement` uses more groups than it has. */
export function regexFor(pattern: string, replacement: string): GoRegExp {
  const compiled = goRegExp(pattern);
  const used = new Set([...replacement.matchAll(/\{(\d{1,3})\}/g)].map(([, group]) => group));
  if (used.size > compiled.groupNames.length)
    throw new RangeError(
      `got '${replacement}', which uses ${used.size} groups, but '${pattern}' has ${compiled.groupNames.length}`,
    );
  return compiled;
}
