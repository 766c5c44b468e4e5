import { parseIp } from '../../lib/cidr.js';
import { NodensError } from '../../lib/errors.js';

/**
 * A resolv.conf that cannot be used. The message starts with the line: `resolv.conf:2: nameserver:
 * ...`.
 */
export class ResolvConfError extends NodensError {
  override readonly name = 'ResolvConfError';

  constructor(
    readonly line: number,
    field: string,
    text: string,
  ) {
    super('NODENS_RESOLV_CONF', `resolv.conf:${line}: ${field}: ${text}`, { place: { file: 'resolv.conf', line } });
  }
}

/** One word of an `options` line: `ndots:5` has the name `ndots` and the value 5, `rotate` has no value. */
export interface ResolvOption {
  readonly name: string;
  readonly value: number | undefined;
  readonly line: number;
}

/** A line that no resolver reads, or not the one in question. */
export interface Ignored {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** What a resolv.conf says, before any resolver's limits (resolv.conf(5)). */
export interface ResolvConfFile {
  readonly nameservers: readonly { readonly address: string; readonly line: number }[];
  /** The last `search` or `domain` line; with its text, as its length counts for some. */
  readonly search: { readonly domains: readonly string[]; readonly line: number; readonly text: string } | undefined;
  readonly options: readonly ResolvOption[];
  readonly ignored: readonly Ignored[];
  /** Length of each line in bytes, without its end. */
  readonly lineLengths: readonly number[];
}

const VALUED = new Set(['ndots', 'timeout', 'attempts']);
const PLAIN = new Set([
  'debug',
  'rotate',
  'no-check-names',
  'inet6',
  'ip6-bytestring',
  'ip6-dotint',
  'no-ip6-dotint',
  'edns0',
  'single-request',
  'single-request-reopen',
  'no-tld-query',
  'use-vc',
  'usevc',
  'tcp',
  'no-reload',
  'trust-ad',
  'no-aaaa',
]);

/**
 * Reads a resolv.conf. Comments start with `#` or `;`. Throws a ResolvConfError for a name server that is no address,
 * a search domain that is no name,
 * and a number that is none; words that no resolver knows are listed in `ignored`.
 */
export function parseResolvConf(text: string): ResolvConfFile {
  const nameservers: { address: string; line: number }[] = [];
  const options: ResolvOption[] = [];
  const ignored: Ignored[] = [];
  let search: ResolvConfFile['search'];
  const lines = text.split('\n');
  lines.forEach((raw, index) => {
    const line = index + 1;
    if (/^\s*([#;]|$)/.test(raw)) return;
    const [keyword, ...words] = raw.trim().split(/\s+/) as [string, ...string[]];
    switch (keyword) {
      case 'nameserver':
        nameservers.push({ address: nameserver(words, line), line });
        break;
      case 'search':
      case 'domain':
        search = {
          domains: words.map((word) => searchDomain(keyword, word, line)),
          line,
          text: raw.trim().slice(keyword.length).trim(),
        };
        if (words.length === 0) throw new ResolvConfError(line, keyword, 'expected a domain, got nothing');
        break;
      case 'options':
        for (const word of words) readOption(word, line, options, ignored);
        break;
      case 'sortlist':
        ignored.push({ line, text: raw.trim(), reason: 'sortlist orders addresses of old calls only' });
        break;
      default:
        ignored.push({ line, text: raw.trim(), reason: `no resolver knows '${keyword}'` });
    }
  });
  return { nameservers, search, options, ignored, lineLengths: lines.map((line) => Buffer.byteLength(line)) };
}

function nameserver(words: readonly string[], line: number): string {
  const [address] = words;
  if (address === undefined)
    throw new ResolvConfError(line, 'nameserver', 'expected an IPv4 or IPv6 address, got nothing');
  const bare = address.replace(/%[^%]+$/, '');
  if (parseIp(bare) === undefined)
    throw new ResolvConfError(line, 'nameserver', `expected an IPv4 or IPv6 address, got '${address}'`);
  return bare;
}

function searchDomain(keyword: string, domain: string, line: number): string {
  const labels = domain.replace(/\.$/, '').split('.');
  const bad = domain !== '.' && labels.find((label) => label === '' || label.length > 63);
  if (bad !== false && bad !== undefined)
    throw new ResolvConfError(
      line,
      keyword,
      `'${domain}' is no domain: ${bad === '' ? 'an empty label' : `label '${bad}' has more than 63 characters`}`,
    );
  if (domain.length > 254)
    throw new ResolvConfError(line, keyword, `a domain of ${domain.length} characters, at most 254 are allowed`);
  return domain;
}

function readOption(word: string, line: number, options: ResolvOption[], ignored: Ignored[]): void {
  const [name, value] = word.split(/:(.*)/s) as [string, string | undefined];
  if (VALUED.has(name)) {
    if (value === undefined || !/^\d{1,9}$/.test(value))
      throw new ResolvConfError(line, `options ${name}`, `expected a number after the colon, got '${word}'`);
    options.push({ name, value: Number(value), line });
  } else if (PLAIN.has(name) && value === undefined) options.push({ name, value: undefined, line });
  else ignored.push({ line, text: word, reason: `no resolver knows the option '${word}'` });
}
