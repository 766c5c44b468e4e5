import type * as Re2 from 're2js';
import { loadPackage } from './package.js';

/** Loaded with the first pattern: most Corefiles have none, and the package's tables take 8 MB. */
let loaded: typeof Re2 | undefined;
const re2 = (): typeof Re2.RE2JS => (loaded ??= loadPackage('re2js') as typeof Re2).RE2JS;

/**
 * A regular expression in Go's syntax, compiled once. Matching takes time in proportion to the text, whatever the
 * pattern.
 */
export interface GoRegExp {
  /** The pattern as it was written. */
  readonly source: string;
  /** Names of the capturing groups in order, '' for one without a name; the whole match, group 0, is not among them. */
  readonly groupNames: readonly string[];
  /** Whether the pattern matches somewhere in `text`. */
  test(text: string): boolean;
  /** The leftmost match and its groups, '' for a group that took no part; undefined where nothing matches. */
  exec(text: string): readonly string[] | undefined;
}

/**
 * Compiles a pattern as Go's regexp package reads it (https://github.com/google/re2/wiki/Syntax): `(?P<name>...)`,
 * inline flags, `\A`, `\z`, POSIX
 * classes; no backreferences and no looking around. Throws a RangeError that names the pattern and what is wrong with
 * it.
 */
export function goRegExp(text: string): GoRegExp {
  const compiled = compile(text);
  const groupNames = Array.from({ length: compiled.groupCount() }, () => '');
  for (const [name, index] of Object.entries(compiled.namedGroups())) groupNames[index - 1] = name;
  return {
    source: text,
    groupNames,
    test: (subject) => compiled.test(subject),
    exec(subject) {
      const matcher = compiled.matcher(subject);
      if (!matcher.find()) return undefined;
      return Array.from({ length: groupNames.length + 1 }, (_, group) => matcher.group(group) ?? '');
    },
  };
}

/** Longest pattern, in bytes; CoreDNS takes no longer ones. */
const MAX_PATTERN = 10_000;

function compile(text: string): Re2.RE2JS {
  const length = Buffer.byteLength(text);
  if (length > MAX_PATTERN)
    throw new RangeError(`got a regular expression of ${length} bytes, allowed: at most ${MAX_PATTERN}`);
  try {
    return re2().compile(text);
  } catch (error) {
    throw new RangeError(`got regular expression '${text}', ${(error as Error).message}`, { cause: error });
  }
}
