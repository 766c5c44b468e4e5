import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/lib/random.js';
import {
  Type,
  decodeMessage,
  encodeMessage,
  formatRr,
  lowerName,
  rcodeName,
  rdataLayout,
  type Rr,
} from '../../../src/wire/index.js';
import { DebianServer, isInstalled } from '../../support/debian-server.js';
import { running, type Running } from '../../support/running.js';
import { askAll, untilServed, type Asked } from './ask.js';
import { EVERY_TYPE, LINES, ORIGIN, partsOf, textFor } from './zone-text.js';

const RECORDS = LINES.slice(1).map((line) => partsOf(line));
const types = [...new Set(RECORDS.map(({ type }) => type))];

/** Those of messages and questions, and those that make a zone one with NSEC3, which CoreDNS does not serve. */
const NOT_IN_ZONES = 'OPT NXNAME TKEY TSIG IXFR AXFR MAILB MAILA ANY NSEC3 NSEC3PARAM'.split(' ');

it('has a record of every type', () =>
  expect(types.filter((type) => !type.startsWith('TYPE')).sort()).toEqual(
    Object.keys(Type)
      .filter((type) => !NOT_IN_ZONES.includes(type))
      .sort(),
  ));

/** Questions for names of the zone, names that only a wildcard makes, names of nothing, and names of a delegation. */
function questions(count: number): Asked[] {
  const random = seededRandom(1982);
  const pick = <T>(list: readonly T[]): T => list[random.uint32() % list.length]!;
  const full = (owner: string): string => (owner === '@' ? ORIGIN : `${owner}.${ORIGIN}`);
  const further =
    'x.wild y.x.wild x.alias nothing x.a two.three three x.sub y.x.sub x.here.wild x.dname y.x.dname www.dname';
  const names = further.split(' ');
  return Array.from({ length: count }, (_, i) => {
    if (i < RECORDS.length) return { name: full(RECORDS[i]!.owner), type: RECORDS[i]!.type };
    const name = full(random.uint32() % 3 === 0 ? pick(names) : pick(RECORDS).owner);
    return { name: random.uint32() % 4 === 0 ? name.toUpperCase() : name, type: pick(types) };
  });
}

const ALL = questions(1000);

interface Peer {
  readonly name: string;
  readonly program: string;
  /** Types that it does not read by their names, as Debian 12 has it. */
  readonly generic: string;
  /** Types that it does not have in a zone. */
  readonly without: string;
  /** Questions that it answers in another way than CoreDNS and NSD. */
  readonly apart: (asked: Asked) => boolean;
  readonly start: (text: string) => Promise<DebianServer>;
}

const PEERS: readonly Peer[] = [
  {
    name: 'NSD',
    program: 'nsd',
    generic:
      'NSAP-PTR GPOS EID NIMLOC ATMA A6 SINK HIP NINFO RKEY TALINK DSYNC HHIT BRID UINFO UID GID UNSPEC DOA AMTRELAY ' +
      'RESINFO WALLET CLA IPN TA',
    without: '',
    apart: () => false,
    start: (text) =>
      DebianServer.nsd(ORIGIN, text, {
        server: ['  minimal-responses: yes', '  tcp-query-count: 0'],
        zone: ['  provide-xfr: 127.0.0.1 NOKEY'],
      }),
  },
  {
    name: 'BIND',
    program: 'named',
    generic: 'ATMA DOA DSYNC HHIT BRID CLA IPN',
    without: 'MD MF',
    // It has them stand beside an alias, and gives the SOA record no time where it was asked for in vain.
    apart: ({ name, type }) => ['KEY', 'SIG', 'NXT', 'SOA', 'RRSIG', 'NSEC'].includes(type) || /^m[df]\./i.test(name),
    start: (text) => DebianServer.named(ORIGIN, text),
  },
];

const block = (...lines: string[]): string =>
  `${ORIGIN}:0 {\n${['bind 127.0.0.1', 'minimal', ...lines, 'transfer {', 'to *', '}'].join('\n')}\n}\n`;
const from = (port: number): string => block('secondary {', `transfer from 127.0.0.1:${port}`, '}');

let file: Running;
let secondary: Running;
beforeAll(async () => {
  file = await running(block(`file ${EVERY_TYPE}`));
  secondary = await running(from(file.port));
  await untilServed(secondary.port, ORIGIN);
});
afterAll(() => Promise.all([file.stop(), secondary.stop()]));

it('is answered by a secondary of ours to the byte', async () => {
  const [own, copy] = await Promise.all([askAll(file.port, ALL), askAll(secondary.port, ALL)]);
  ALL.forEach(({ name, type }, i) => expect(copy[i], `${name} ${type}`).toEqual(own[i]));
});

describe.each(PEERS)('beside $name', ({ program, generic, without, apart, start }) => {
  const there = isInstalled(program);
  it.skipIf(!there)(
    `1,000 answers are the same${there ? '' : ` (not tried: there is no program "${program}")`}`,
    async () => {
      const leftOut = new Set(without.split(' '));
      const peer = await start(textFor(new Set(generic.split(' ')), leftOut));
      const copy = await running(from(peer.port));
      try {
        await untilServed(copy.port, ORIGIN);
        const asked = questions(1300)
          .filter((one) => !leftOut.has(one.type) && !apart(one))
          .slice(0, 1000);
        expect(asked.length).toBe(1000);
        const [theirs, own, copied] = (await Promise.all(
          [peer, file, copy].map(({ port }) => askAll(port, asked)),
        )) as [Buffer[], Buffer[], Buffer[]];
        const told = (answers: Buffer[]): string[] =>
          asked.flatMap(({ name, type }, i) =>
            normal(theirs[i]!).equals(normal(answers[i]!))
              ? []
              : [`${name} ${type}: theirs ${shown(theirs[i]!)}, ours ${shown(answers[i]!)}`],
          );
        expect(told(own)).toEqual([]);
        expect(told(copied)).toEqual([]);
      } finally {
        await Promise.all([peer.stop(), copy.stop()]);
      }
    },
  );
});

/**
 * A message in the form in which two servers' answers are compared, byte by byte. What is left out differs by design:
 *
 * - Names are in lower case (RFC 4343): NSD writes names as the question spells them, CoreDNS as the zone does.
 * - Names are compressed in one way: CoreDNS compresses only what would not fit otherwise (RFC 1035 section 4.1.4).
 * - The additional section counts in referrals, where it holds the glue; else addresses in it are a courtesy.
 * - Behind an alias whose target lacks the type, CoreDNS puts no SOA record (RFC 2308 section 2.2 asks for it).
 * - The records of a set are in canonical order: BIND keeps them sorted, and their order says nothing.
 */
function normal(bytes: Buffer): Buffer {
  const message = decodeMessage(bytes);
  const { answer, authority, additional } = message;
  const referral = answer.length === 0 && authority.some(({ type }) => type === Type.NS);
  const alias = answer.at(-1)?.type === Type.CNAME;
  return encodeMessage(
    {
      ...message,
      question: message.question.map((one) => ({ ...one, name: lowerName(one.name) })),
      answer: inSets(answer),
      authority: alias ? authority.filter(({ type }) => type !== Type.SOA) : inSets(authority),
      additional: referral ? inSets([...additional].sort((a, b) => a.type - b.type)) : [],
    },
    true,
  );
}

/** Records in lower case, those of one name and type side by side in canonical order. */
function inSets(records: readonly Rr[]): Rr[] {
  const lowered = records.map((record) => ({ ...record, name: lowerName(record.name), rdata: lowerData(record) }));
  const keys = [...new Set(lowered.map(({ name, type }) => `${name} ${type}`))];
  return keys.flatMap((key) =>
    lowered.filter(({ name, type }) => `${name} ${type}` === key).sort((a, b) => Buffer.compare(a.rdata, b.rdata)),
  );
}

/** Data whose names may be compressed, and so be spelt as in the question (RFC 3597 section 4). */
function lowerData({ type, rdata }: Rr): Uint8Array {
  const layout = rdataLayout(type);
  if (layout?.compress !== true) return rdata;
  return rdata.map((octet, at) => (at >= layout.skip && octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet));
}

function shown(bytes: Buffer): string {
  const { flags, rcode, answer, authority, additional } = decodeMessage(bytes);
  const list = [answer, authority, additional].map((records) => records.map((one) => formatRr(one)).join(' | '));
  return `${flags.toString(16)} ${rcodeName(rcode)} ${list.join(' // ')}`.replaceAll('\t', ' ');
}
