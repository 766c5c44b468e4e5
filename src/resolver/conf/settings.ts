import type { Seconds } from '../../lib/units.js';
import type { Ignored, ResolvConfFile, ResolvOption } from './resolv-conf.js';

/** A stub resolver: a C library's getaddrinfo, Go's own, or that of a program that brings its own. */
export type ProfileName = 'glibc' | 'musl' | 'go' | 'bind' | 'busybox';

/** What one resolver makes of a resolv.conf. */
export interface ResolverSettings {
  readonly profile: ProfileName;
  /** Addresses in order, never empty. */
  readonly servers: readonly string[];
  /** Domains in order, without closing dot; the root as `.`. */
  readonly search: readonly string[];
  /** Dots from which on a name is asked as it stands before (or instead of) the search list. */
  readonly ndots: number;
  /** How long one server is waited for (musl, busybox: how long all are). */
  readonly timeout: Seconds;
  readonly attempts: number;
  readonly rotate: boolean;
  /** The AAAA query waits for the A reply. */
  readonly singleRequest: boolean;
  /** As `singleRequest`, each query on a socket of its own. */
  readonly singleRequestReopen: boolean;
  /** TCP from the start. */
  readonly useVc: boolean;
  readonly edns0: boolean;
  /** AD is set in queries (RFC 6840 section 5.7) and kept in answers. */
  readonly trustAd: boolean;
  readonly noTldQuery: boolean;
  readonly noAaaa: boolean;
  readonly ignored: readonly Ignored[];
}

interface Rules {
  /** Numbers: default, least and most. More is cut, less is raised. */
  readonly numbers: Readonly<Record<'ndots' | 'timeout' | 'attempts', readonly [number, number, number]>>;
  readonly options: ReadonlySet<string>;
  /** Bytes from which on a line is not read. */
  readonly longLine: number;
  readonly maxSearch: number;
  /** Used when there is no `nameserver` line. */
  readonly fallback: readonly string[];
}

const FREE = Number.POSITIVE_INFINITY;
const NUMBERS = ['ndots', 'timeout', 'attempts'];
const always = (number: number): [number, number, number] => [number, number, number];

/**
 * resolv.conf(5) for glibc; musl, Go's net package and BIND's libirs as measured. Name servers after the third are
 * ignored by all of them.
 */
const RULES: Readonly<Record<ProfileName, Rules>> = {
  glibc: {
    numbers: { ndots: [1, 0, 15], timeout: [5, 0, 30], attempts: [2, 0, 5] },
    longLine: FREE,
    maxSearch: FREE,
    fallback: ['127.0.0.1'],
    options: new Set([
      ...NUMBERS,
      'rotate',
      'single-request',
      'single-request-reopen',
      'use-vc',
      'edns0',
      'trust-ad',
      'no-tld-query',
      'no-reload',
      'no-aaaa',
      'debug',
    ]),
  },
  musl: {
    numbers: { ndots: [1, 0, 15], timeout: [5, 0, 60], attempts: [2, 0, 10] },
    options: new Set(NUMBERS),
    longLine: 255,
    maxSearch: FREE,
    fallback: ['127.0.0.1'],
  },
  go: {
    numbers: { ndots: [1, 0, 15], timeout: [5, 1, FREE], attempts: [2, 1, FREE] },
    longLine: FREE,
    maxSearch: FREE,
    fallback: ['127.0.0.1', '::1'],
    options: new Set([
      ...NUMBERS,
      'rotate',
      'single-request',
      'single-request-reopen',
      'use-vc',
      'usevc',
      'tcp',
      'trust-ad',
      'no-reload',
    ]),
  },
  bind: {
    numbers: { ndots: [1, 0, 15], timeout: [5, 0, FREE], attempts: [3, 1, FREE] },
    options: new Set(NUMBERS),
    longLine: FREE,
    maxSearch: 8,
    fallback: ['127.0.0.1', '::1'],
  },
  busybox: {
    numbers: { ndots: always(1), timeout: always(5), attempts: always(2) },
    options: new Set(),
    longLine: FREE,
    maxSearch: FREE,
    fallback: ['127.0.0.1'],
  },
};

/** Name servers that are read. */
const MAX_SERVERS = 3;

/** What `profile` makes of the file; everything it passes over is in `ignored`, in order of lines. */
export function settingsFor(profile: ProfileName, file: ResolvConfFile): ResolverSettings {
  const rules = RULES[profile];
  const ignored: Ignored[] = [...file.ignored];
  const readable = (line: number, text: string): boolean => {
    if (file.lineLengths[line - 1]! <= rules.longLine) return true;
    ignored.push({ line, text, reason: `${profile} does not read lines of more than ${rules.longLine} bytes` });
    return false;
  };
  const servers = file.nameservers.filter(({ address, line }) => readable(line, address));
  for (const { address, line } of servers.splice(MAX_SERVERS))
    ignored.push({ line, text: address, reason: `${profile} reads ${MAX_SERVERS} name servers` });
  const options = file.options.filter((option) => readable(option.line, option.name));
  const known = options.filter((option) => rules.options.has(option.name));
  for (const option of options)
    if (!rules.options.has(option.name))
      ignored.push({ line: option.line, text: option.name, reason: `${profile} does not know it` });
  const has = (...names: string[]): boolean => known.some((option) => names.includes(option.name));
  return {
    profile,
    servers: servers.length > 0 ? servers.map(({ address }) => address) : rules.fallback,
    search: searchOf(file, rules, profile, readable, ignored),
    ...numbersOf(known, rules),
    rotate: has('rotate'),
    singleRequest: has('single-request'),
    singleRequestReopen: has('single-request-reopen'),
    useVc: has('use-vc', 'usevc', 'tcp'),
    edns0: has('edns0') || profile === 'go',
    trustAd: has('trust-ad'),
    noTldQuery: has('no-tld-query'),
    noAaaa: has('no-aaaa'),
    ignored: ignored.sort((a, b) => a.line - b.line),
  };
}

function searchOf(
  file: ResolvConfFile,
  rules: Rules,
  profile: ProfileName,
  readable: (line: number, text: string) => boolean,
  ignored: Ignored[],
): string[] {
  const { search } = file;
  if (search === undefined || !readable(search.line, search.text)) return [];
  for (const domain of search.domains.slice(rules.maxSearch))
    ignored.push({ line: search.line, text: domain, reason: `${profile} reads ${rules.maxSearch} search domains` });
  const domains = search.domains
    .slice(0, rules.maxSearch)
    .map((domain) => (domain === '.' ? '.' : domain.replace(/\.$/, '')));
  // Go takes the root for no suffix at all; the name itself is asked anyway.
  return profile === 'go' ? domains.filter((domain) => domain !== '.') : domains;
}

function numbersOf(
  options: readonly ResolvOption[],
  rules: Rules,
): Pick<ResolverSettings, 'ndots' | 'timeout' | 'attempts'> {
  const number = (name: 'ndots' | 'timeout' | 'attempts'): number => {
    const [initial, least, most] = rules.numbers[name];
    return Math.min(most, Math.max(least, options.findLast((option) => option.name === name)?.value ?? initial));
  };
  return { ndots: number('ndots'), timeout: number('timeout'), attempts: number('attempts') };
}
