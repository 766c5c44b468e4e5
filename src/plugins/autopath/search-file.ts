import { fqdn, isName, lowerName } from '../../wire/index.js';
import type { SearchPath } from './handler.js';

/**
 * The search path in a file like resolv.conf(5), with '.' at its end. The last `search` or `domain` line counts; a file
 * without any has no path. Throws an Error for text that is no domain name.
 */
export function readSearchPath(text: string): SearchPath {
  let domains: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'search') domains = rest;
    else if (word === 'domain' && rest.length > 0) domains = rest.slice(0, 1);
  }
  const path = domains.map((domain) => {
    const name = lowerName(fqdn(domain));
    if (!isName(name)) throw new Error(`search: got '${domain}', allowed: a domain name`);
    return name;
  });
  return path.length === 0 ? [] : [...path, '.'];
}
