import { readFileSync } from 'node:fs';
import type { Outcome, Query, Reply } from '../../src/chain/index.js';
import { reply } from './dns.js';

/**
 * An upstream that answers by rule, with the names and records that the recorded answers in test/plugins were made
 * with.
 */
export function exampleUpstream(query: Query): Outcome {
  const { name, typeName: type } = query;
  const soa = (zone: string, ttl = 900): string =>
    `${zone} ${ttl} IN SOA ns1.${zone === '.' ? '' : zone} hostmaster.${zone === '.' ? '' : zone} 2025073000 1800 900 604800 ${ttl}`;
  const web = (a: string, aaaa: string, zone: string, ttl?: number): Reply => {
    if (type === 'A') return reply({ answer: [`${name} 300 IN A ${a}`] });
    return type === 'AAAA'
      ? reply({ answer: [`${name} 300 IN AAAA ${aaaa}`] })
      : reply({ authority: [soa(zone, ttl)] });
  };
  switch (name) {
    case 'www.example.org.':
      return web('93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946', 'example.org.');
    case 'google.com.':
      return web('142.250.196.110', '2404:6800:4004:825::200e', 'google.com.', 60);
    case 'alias.example.org.':
      return reply({
        answer: [
          `${name} 120 IN CNAME www.example.org.`,
          ...(type === 'A' ? ['www.example.org. 300 IN A 93.184.216.34'] : []),
        ],
      });
    case 'mail.example.org.':
      return reply({ answer: [`${name} 300 IN MX 10 mx1.example.org.`, `${name} 300 IN MX 20 mx2.example.org.`] });
    case 'many.example.org.':
      return reply({ answer: Array.from({ length: 80 }, (_, i) => `${name} 300 IN A 192.0.2.${i + 1}`) });
    case 'nodata.example.org.':
      return reply({ authority: [soa('example.org.')] });
    case 'fail.example.org.':
      return reply({ rcode: 2 });
    default:
      return reply({ rcode: 3, authority: [soa(name.split('.').slice(-2).join('.') || '.')] });
  }
}

/** One recorded set: the inside of a server block, the files it reads, and what was answered. */
export interface RecordedSet {
  set: string;
  block: string;
  files: Record<string, string>;
  cases: {
    qname: string;
    type: string;
    want: { rcode: string; flags: string; answer?: string[]; authority?: string[]; additional?: string[] };
  }[];
}

/** The recorded sets of a plugin's test folder. */
export function recordedSets(plugin: string): RecordedSet[] {
  return JSON.parse(
    readFileSync(new URL(`../plugins/${plugin}/recorded.json`, import.meta.url), 'utf8'),
  ) as RecordedSet[];
}
