import { describe, expect, it } from 'vitest';
import { Answering } from '../../src/authority/answer.js';
import type { Outcome, Query } from '../../src/chain/index.js';
import { Reply } from '../../src/chain/index.js';
import { encodeName } from '../../src/wire/index.js';
import { ZoneData } from '../../src/zone/index.js';
import { query, rr, texts } from '../support/dns.js';

/** A zone with denials, and signatures that say what they are over. */
const RECORDS = [
  'z. 9 IN SOA ns.z. host.z. 1 2 3 4 5',
  'z. 9 IN NS ns.z.',
  'z. 9 IN NSEC alias.z. NS SOA RRSIG NSEC',
  'alias.z. 9 IN CNAME nowhere.z.',
  'alias.z. 9 IN NSEC lacking.z. CNAME',
  'lacking.z. 9 IN CNAME ns.z.',
  'lacking.z. 9 IN NSEC a.b.mid.z. CNAME',
  'a.b.mid.z. 9 IN A 192.0.2.1',
  'a.b.mid.z. 9 IN NSEC ns.z. A',
  'ns.z. 9 IN A 192.0.2.53',
  'ns.z. 9 IN NSEC sub.z. A',
  'sub.z. 9 IN NS ns.z.',
  'sub.z. 9 IN NSEC safe.sub2.z. NS',
  'g.sub.z. 9 IN A 192.0.2.54',
  'safe.sub2.z. 9 IN NS ns.z.',
  'safe.sub2.z. 9 IN DS 1 13 2 00',
  'safe.sub2.z. 9 IN NSEC *.w.z. NS DS',
  '*.w.z. 9 IN A 192.0.2.2',
  '*.w.z. 9 IN NSEC *.x.z. A',
  '*.x.z. 9 IN CNAME ns.z.',
  '*.x.z. 9 IN NSEC e.*.y.z. CNAME',
  'e.*.y.z. 9 IN A 192.0.2.3',
  'e.*.y.z. 9 IN NSEC z. A',
];

function signedZone(records = RECORDS): ZoneData {
  const zone = new ZoneData('z.');
  for (const { name, type, ttl, rdata } of records.map(rr)) zone.add(encodeName(name), type, ttl, rdata, rdata.length);
  return zone.seal();
}

/** Owners of the NSEC records, and whether the SOA record is there, in the authority section. */
function denied(name: string, type: string, ask: (asked: Query) => Outcome): string {
  const answer = new Answering(signedZone(), query(name, type, { edns: 1232, do: true }), ask).answer();
  if (answer instanceof Promise) throw new Error('not at once');
  const told = texts(answer.authority).filter((text) => / (NSEC|SOA|DS) /.test(text));
  return told.map((text) => text.replace(/ 9 IN (\S+).*/, ' $1')).join(', ');
}

describe('proofs in signed zones', () => {
  it.each([
    { name: 'no such name', ask: 'no.z.', want: 'z. SOA, a.b.mid.z. NSEC, z. NSEC' },
    { name: 'no such name, beside one that lies between others', ask: 'c.mid.z.', want: 'z. SOA, a.b.mid.z. NSEC, lacking.z. NSEC' },
    { name: 'no such name, behind what a delegation has below it', ask: 'sub1.z.', want: 'z. SOA, sub.z. NSEC, z. NSEC' },
    { name: 'a name between others', ask: 'mid.z.', want: 'z. SOA, lacking.z. NSEC' },
    { name: 'no such type', ask: 'ns.z.', type: 'TXT', want: 'z. SOA, ns.z. NSEC' },
    { name: 'a wildcard', ask: 'q.w.z.', want: '*.w.z. NSEC' },
    { name: 'a wildcard without the type', ask: 'q.w.z.', type: 'TXT', want: 'z. SOA, *.w.z. NSEC' },
    { name: 'a wildcard that is an alias', ask: 'q.x.z.', want: '*.x.z. NSEC' },
    { name: 'a wildcard between others', ask: 'q.y.z.', want: 'z. SOA, e.*.y.z. NSEC, *.x.z. NSEC' },
    { name: 'a delegation without digest', ask: 'pc.sub.z.', want: 'sub.z. NSEC' },
    { name: 'a delegation with digest', ask: 'pc.safe.sub2.z.', want: 'safe.sub2.z. DS' },
    { name: 'no digest', ask: 'sub.z.', type: 'DS', want: 'z. SOA, sub.z. NSEC' },
    { name: 'an alias to no such type', ask: 'lacking.z.', type: 'TXT', want: 'z. SOA, ns.z. NSEC' },
  ])('$name', ({ ask, type, want }) => {
    const nobody = (): never => {
      throw new Error('nobody is asked');
    };
    expect(denied(ask, type ?? 'A', nobody)).toBe(want);
  }); // prettier-ignore

  it('an alias to nothing has what denies its target', () => {
    const own = (asked: Query): Outcome => {
      const { answer, authority } = new Answering(signedZone(), asked, own).answer() as Awaited<ReturnType<Answering['answer']>>;
      return Reply.of(0, 3, { answer, authority });
    };
    expect(denied('alias.z.', 'A', own)).toBe('z. SOA, a.b.mid.z. NSEC, z. NSEC');
    const elsewhere = (): Outcome => Reply.of(0, 3, { authority: [rr('other. 9 IN SOA a. b. 1 2 3 4 5')] });
    expect(denied('alias.z.', 'A', elsewhere)).toBe('z. SOA');
  }); // prettier-ignore

  it('are told to those who ask for them', async () => {
    const { authority } = await new Answering(signedZone(), query('no.z.'), () => Reply.empty(5)).answer();
    expect(texts(authority)).toEqual([RECORDS[0]]);
  });
});
