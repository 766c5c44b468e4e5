import { encodeQuery, packet, pcap } from './capture-writer.js';
import type { DifferenceClass } from '../../../src/insight/compare/difference.js';

const NAMES = 500;
const ADDRESS = (i: number): string => `192.0.2.${(i % 250) + 1}`;

/** Records of one name in the old and the new zone; `-` for none. */
interface PlantedDifference {
  readonly name: string;
  readonly type: string;
  readonly kind: DifferenceClass;
  readonly old: string;
  readonly new: string;
}

const records = (kind: DifferenceClass, type: string, ...rows: readonly (readonly [string, string, string])[]) =>
  rows.map(([name, old, fresh]) => ({ name: `${name}.x.test.`, type, kind, old, new: fresh }));

/** Twenty questions that the two servers answer otherwise. */
export const PLANTED_DIFFERENCES: readonly PlantedDifference[] = [
  ...records(
    'records',
    'A',
    ['r1', 'A 192.0.2.1', 'A 192.0.2.9'],
    ['r2', 'A 192.0.2.1', 'A 192.0.2.1;A 192.0.2.2'],
    ['r3', 'A 192.0.2.1;A 192.0.2.3', 'A 192.0.2.3'],
  ),
  ...records('records', 'AAAA', ['r4', 'AAAA 2001:db8::1', 'AAAA 2001:db8::2']),
  ...records('records', 'MX', ['r5', 'MX 10 mail.x.test.', 'MX 20 mail.x.test.']),
  ...records('records', 'TXT', ['r6', 'TXT "a"', 'TXT "b"']),
  ...records('records', 'CNAME', ['r7', 'CNAME n1.x.test.', 'CNAME n2.x.test.']),
  ...records(
    'rcode',
    'A',
    ['c1', 'A 192.0.2.1', '-'],
    ['c2', '-', 'A 192.0.2.1'],
    ['c3', 'A 192.0.2.1', '-'],
    ['c4', '-', 'A 192.0.2.1'],
  ),
  ...records(
    'ttl',
    'A',
    ['t1', '300 A 192.0.2.1', '60 A 192.0.2.1'],
    ['t2', '30 A 192.0.2.1', '3600 A 192.0.2.1'],
    ['t3', '60 A 192.0.2.1', '66 A 192.0.2.1'],
  ),
  ...records(
    'order',
    'A',
    ['o1', 'A 192.0.2.1;A 192.0.2.2', 'A 192.0.2.2;A 192.0.2.1'],
    ['o2', 'A 192.0.2.5;A 192.0.2.6;A 192.0.2.7', 'A 192.0.2.7;A 192.0.2.5;A 192.0.2.6'],
  ),
  { name: 'a.flags.test.', type: 'A', kind: 'flags', old: '', new: '' },
  { name: 'b.flags.test.', type: 'A', kind: 'flags', old: '', new: '' },
  { name: 'a.silent.test.', type: 'A', kind: 'answer', old: '', new: '' },
  { name: 'a.refused.test.', type: 'A', kind: 'rcode', old: '', new: '' },
];

/** The zone x.test as the old or the new server has it. */
export function zone(side: 'old' | 'new'): string {
  const common = Array.from(
    { length: NAMES },
    (_, i) => `n${i} A ${ADDRESS(i)}\nn${i} AAAA 2001:db8::${(i + 1).toString(16)}`,
  );
  const own = PLANTED_DIFFERENCES.flatMap(({ name, ...sides }) =>
    sides[side] === '' || sides[side] === '-' ? [] : sides[side].split(';').map((record) => `${name} ${record}`),
  );
  return [
    '$TTL 300',
    '@ SOA ns hostmaster 1 3600 600 86400 30',
    '@ NS ns',
    'ns A 192.0.2.1',
    'mail A 192.0.2.1',
    ...common,
    ...own,
    '',
  ].join('\n');
}

/** A Corefile that serves a zone file, beside blocks of which the new server's have one directive more. */
export function corefileFor(side: 'old' | 'new', zoneFile: string, port = 0): string {
  const more = (text: string): string => (side === 'new' ? `    ${text}\n` : '');
  const block = (name: string, directives: string): string =>
    `${name}:${port} {\n    bind 127.0.0.1\n${directives}    template IN A {\n        answer "{{ .Name }} 60 IN A 192.0.2.80"\n    }\n}\n`;
  return [
    `x.test:${port} {\n    bind 127.0.0.1\n    cache\n    file ${zoneFile}\n}\n`,
    block('flags.test', more('header {\n        response clear aa\n    }')),
    block('silent.test', more('acl {\n        drop\n    }')),
    block('refused.test', more('acl {\n        block\n    }')),
  ].join('');
}

/** A capture of `count` queries: each planted question, as often as others, among names that are the same. */
export function capture(count: number): Buffer {
  const questions = [
    ...PLANTED_DIFFERENCES.map(({ name, type }) => [name, type] as const),
    ...Array.from({ length: NAMES }, (_, i) => [`n${i}.x.test.`, i % 3 === 0 ? 'AAAA' : 'A'] as const),
    ['nosuch.x.test.', 'A'] as const,
    ['elsewhere.test.', 'A'] as const,
  ].map(([name, type], i) => encodeQuery(name, type, i % 2 === 0 ? { edns: 1232 } : {}));
  return pcap(
    Array.from({ length: count }, (_, i) => ({
      at: i / 20,
      bytes: packet(questions[i % questions.length]!, { clientPort: 1024 + (i % 60_000) }),
    })),
  );
}
