import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Reply, ReplyLease, Transfer, type CountsHits, type Outcome } from '../../../src/chain/index.js';
import { dnssec } from '../../../src/plugins/dnssec/setup.js';
import { Type, echoOwners } from '../../../src/wire/index.js';
import { setup } from '../../support/block.js';
import { SERVER, query, reply, texts, type QuestionOptions } from '../../support/dns.js';

const KEYS = path.resolve(import.meta.dirname, '../../dnssec/keys');
const NAMES = ['ecdsa-ksk', 'ecdsa-zsk', 'ed25519', 'rsa'];
const files = Object.fromEntries(
  NAMES.flatMap((name) => ['key', 'private'].map((kind) => `${name}.${kind}`)).map((name) => [
    name,
    readFileSync(path.join(KEYS, name), 'utf8'),
  ]),
);
const SPLIT = 'dnssec example.org {\nkey file ecdsa-ksk ecdsa-zsk\n}';
const ONE = 'dnssec example.org {\nkey file ed25519.key\n}';
const SOA = 'example.org. 300 IN SOA ns.example.org. host.example.org. 1 2 3 4 300';
const A = 'www.example.org. 60 IN A 192.0.2.80';
const NO_NAME = reply({ rcode: 3, authority: [SOA] });
const DO: QuestionOptions = { edns: 1232, do: true };

/** The record as rows write it: of a signature, its type, labels, TTLs, key and signer. */
const short = (text: string): string =>
  text.replace(/RRSIG (\S+) (\d+) (\d+) (\d+) \d+ \d+ (\d+) (\S+) .*/, 'RRSIG $1 $2 $3 $4 $5 $6').replace(' IN', '');

function asked(outcome: Outcome | Promise<Outcome>): Record<string, unknown> {
  if (!(outcome instanceof Reply)) throw new Error('no reply at once');
  const sections = (['answer', 'authority', 'additional'] as const)
    .map((name) => [name, texts(outcome[name]).map(short)] as const)
    .filter(([, list]) => list.length > 0);
  return { rcode: outcome.rcode, ...Object.fromEntries(sections) };
}

const ZSK = '13 3 3600 51621 example.org.';
const ANYWHERE = 'A HINFO TXT AAAA LOC SRV CERT SSHFP RRSIG NSEC TLSA HIP OPENPGPKEY SPF';
const without = (type: string): string => ANYWHERE.replace(new RegExp(`\\b${type} `), '');

describe('dnssec', () => {
  it('signs records of its zone in all sections, set by set', () => {
    const original = reply({
      answer: [A, A.replace('80', '81')],
      authority: ['example.org. 3600 IN NS ns.example.net.'],
      additional: ['ns.example.net. 5 IN A 192.0.2.53'],
    });
    expect(asked(setup(dnssec, SPLIT, { files }).ask(query('www.example.org.', 'A', DO), () => original))).toEqual({
      rcode: 0,
      answer: [
        'www.example.org. 60 A 192.0.2.80',
        'www.example.org. 60 A 192.0.2.81',
        `www.example.org. 60 RRSIG A ${ZSK}`,
      ],
      authority: ['example.org. 3600 NS ns.example.net.', 'example.org. 3600 RRSIG NS 13 2 3600 51621 example.org.'],
      additional: ['ns.example.net. 5 A 192.0.2.53'],
    });
  });

  const SOA_TOLD = ['example.org. 300 SOA ns.example.org. host.example.org. 1 2 3 4 300'];
  const soa = [...SOA_TOLD, 'example.org. 300 RRSIG SOA 13 2 3600 51621 example.org.'];
  const denied = (name: string, next: string, types: string, labels = 3): string[] => [
    `${name} 300 RRSIG NSEC 13 ${labels} 3600 51621 example.org.`,
    `${name} 300 NSEC ${next} ${types}`,
  ];
  it.each([
    { name: 'a name that does not exist', ask: ['no.example.org.', 'A'], original: NO_NAME, authority: [...soa, ...denied('no.example.org.', '\\000.no.example.org.', without('A'))] },
    { name: 'a name spelt in another way', ask: ['NO.example.org.', 'A'], original: NO_NAME, authority: [...soa, ...denied('NO.example.org.', '\\000.no.example.org.', without('A'))] },
    { name: 'a type that does not exist', ask: ['www.example.org.', 'AAAA'], original: reply({ authority: [SOA] }), authority: [...soa, ...denied('www.example.org.', '\\000.www.example.org.', without('AAAA'))] },
    { name: 'a type that is never told', ask: ['www.example.org.', 'MX'], original: reply({ authority: [SOA] }), authority: [...soa, ...denied('www.example.org.', '\\000.www.example.org.', ANYWHERE)] },
    { name: 'a type at the apex', ask: ['example.org.', 'TXT'], original: reply({ authority: [SOA] }), authority: [...soa, ...denied('example.org.', '\\000.example.org.', 'A NS SOA HINFO MX AAAA LOC SRV CERT SSHFP RRSIG NSEC DNSKEY TLSA HIP OPENPGPKEY SPF', 2)] },
    { name: 'a digest of keys', ask: ['sub.example.org.', 'DS'], original: reply({ authority: [SOA] }), authority: [...soa, ...denied('sub.example.org.', '\\000.sub.example.org.', `A NS${ANYWHERE.slice(1)}`)] },
    { name: 'an NSEC record, which is then there', ask: ['www.example.org.', 'NSEC'], original: NO_NAME, answer: denied('www.example.org.', '\\000.www.example.org.', ANYWHERE) },
    { name: 'a name with its own proof', ask: ['no.example.org.', 'A'], original: reply({ rcode: 3, authority: [SOA, 'example.org. 300 IN NSEC www.example.org. A'] }), rcode: 3, authority: [...SOA_TOLD, 'example.org. 300 NSEC www.example.org. A'] },
    { name: 'a name without SOA record', ask: ['no.example.org.', 'A'], original: reply({ rcode: 3 }), rcode: 3 },
    { name: 'a delegation without DS record', ask: ['pc.sub.example.org.', 'A'], original: reply({ authority: ['sub.example.org. 300 IN NS ns.sub.example.org.'] }), authority: ['sub.example.org. 300 NS ns.sub.example.org.', ...denied('sub.example.org.', 'sub\\000.example.org.', `A NS${ANYWHERE.slice(1)}`)] },
    { name: 'a delegation with DS record', ask: ['pc.sub.example.org.', 'A'], original: reply({ authority: ['sub.example.org. 300 IN NS ns.sub.example.org.', 'sub.example.org. 300 IN DS 1 13 2 00'] }), authority: ['sub.example.org. 300 NS ns.sub.example.org.', 'sub.example.org. 300 DS 1 13 2 00', 'sub.example.org. 300 RRSIG DS 13 3 3600 51621 example.org.'] },
    { name: 'a failure', ask: ['www.example.org.', 'A'], original: reply({ rcode: 2 }), rcode: 2 },
  ])('answers for $name', ({ ask: [name, type], original, rcode, answer, authority }) => {
    const got = asked(setup(dnssec, SPLIT, { files }).ask(query(name!, type, DO), () => original));
    expect(got).toEqual({ rcode: rcode ?? 0, ...(answer && { answer }), ...(authority && { authority }) });
  }); // prettier-ignore

  it('leaves further types open, but for the one that was asked for', () => {
    const { ask } = setup(dnssec, SPLIT.replace('key', 'types MX HTTPS\nkey'), { files });
    const types = (type: string): unknown =>
      (asked(ask(query('www.example.org.', type, DO), () => NO_NAME)).authority as string[]).at(-1)!.split(' ').slice(4);
    expect(types('AAAA')).toEqual(without('AAAA').replace('TXT', 'MX TXT').replace('OPENPGPKEY', 'OPENPGPKEY HTTPS').split(' '));
    expect(types('MX')).toEqual(ANYWHERE.replace('OPENPGPKEY', 'OPENPGPKEY HTTPS').split(' '));
  }); // prettier-ignore

  it.each([
    { name: 'queries without DO', options: { edns: 1232 } },
    { name: 'other zones', qname: 'www.example.net.' },
    { name: 'transfers', original: new Transfer([]) as Outcome },
    { name: 'what nobody answered', original: Reply.failure(2) },
    { name: 'names of other zones', original: reply({ answer: ['www.example.net. 5 IN A 192.0.2.1'] }) },
  ])('leaves $name', ({ qname, options, original }) => {
    const before = original ?? reply({ answer: [A] });
    const { ask } = setup(dnssec, SPLIT, { files });
    expect(ask(query(qname ?? 'www.example.org.', 'A', options ?? DO), () => before)).toBe(before);
  });

  it('gives its keys, signed by those that sign keys', () => {
    const { ask } = setup(dnssec, SPLIT, { files });
    const keys = (options: QuestionOptions): string[] =>
      (asked(ask(query('Example.org.', 'DNSKEY', options))).answer as string[]).map((text) =>
        text.replace(/ 3 13 .*/, ''),
      );
    expect(keys(DO)).toEqual([
      'Example.org. 3600 DNSKEY 257',
      'Example.org. 3600 DNSKEY 256',
      'Example.org. 3600 RRSIG DNSKEY 13 2 3600 40892 example.org.',
    ]);
    expect(keys({})).toEqual(['Example.org. 3600 DNSKEY 257', 'Example.org. 3600 DNSKEY 256']);
  });

  it('signs with all keys where there is one kind of them', () => {
    const text = 'dnssec example.org {\nkey file ed25519\nkey file rsa.private\n}';
    const { ask } = setup(dnssec, text, { files });
    expect(asked(ask(query('www.example.org.', 'A', DO), () => reply({ answer: [A] }))).answer).toEqual([
      'www.example.org. 60 A 192.0.2.80',
      'www.example.org. 60 RRSIG A 15 3 3600 8003 example.org.',
      'www.example.org. 60 RRSIG A 8 3 3600 11591 example.org.',
    ]);
  });

  it('does not repeat a signature that is there', () => {
    const { ask } = setup(dnssec, ONE, { files });
    const once = ask(query('www.example.org.', 'A', DO), () => reply({ answer: [A] })) as Reply;
    const twice = ask(query('www.example.org.', 'A', DO), () => Reply.of(0, 0, { answer: once.answer })) as Reply;
    expect(texts(twice.answer)).toEqual(texts(once.answer));
  });

  it('keeps signatures for six days, whatever the TTL', async () => {
    const { ask, block } = setup(dnssec, ONE, { files });
    const sign = (ttl = 60): string => {
      const original = reply({ answer: [A.replace('60', String(ttl))] });
      return texts((ask(query('www.example.org.', 'A', DO), () => original) as Reply).answer)[1]!;
    };
    const count = async (): Promise<number[]> => {
      const text = await block.metrics.text();
      return ['hits_total', 'misses_total', 'entries'].map((name) =>
        Number(new RegExp(`^coredns_dnssec_cache_${name}\\{server="${SERVER.label}".*\\} (.*)$`, 'm').exec(text)![1]),
      );
    };
    const first = sign();
    expect(first).toMatch(/^www.example.org. 60 IN RRSIG A 15 3 3600 20250807000000 20250729210000 8003 example.org. /);
    expect(sign(5)).toBe(first.replace(' 60 ', ' 5 '));
    expect(await count()).toEqual([1, 1, 1]);
    block.clock.advance(6 * 86_400_000 - 1);
    expect(sign()).toBe(first);
    block.clock.advance(1);
    expect(sign()).not.toBe(first);
    expect(await count()).toEqual([2, 2, 1]);
  });

  it('forgets signatures that are too old, and the oldest of too many', async () => {
    const { ask, block } = setup(dnssec, ONE.replace('key', 'cache_capacity 7\nkey'), { files });
    await block.run('start');
    const entries = async (): Promise<string> => /cache_entries.* (\d+)/.exec(await block.metrics.text())![1]!;
    for (let i = 0; i < 1100; i++) await ask(query(`n${i}.example.org.`, 'A', DO), () => NO_NAME);
    expect(await entries()).toBe('1024');
    block.clock.advance(7 * 86_400_000);
    await ask(query('www.example.org.', 'A', DO), () => reply({ answer: [A] }));
    expect(await entries()).toBe('1');
    block.lifetime.end(new Error('over'));
    expect(block.clock.pending).toBe(0);
  });

  it('forgets signatures from the moment on from which they would be made again', async () => {
    const { ask, block } = setup(dnssec, ONE, { files });
    await block.run('start');
    const entries: unknown[] = [];
    for (const [name, wait] of Object.entries({ a: 0, b: 6 * 86_400_000 - 1, c: 1 })) {
      block.clock.advance(wait);
      await ask(query(`${name}.example.org.`, 'A', DO), () => reply({ answer: [A.replace('www', name)] }));
      entries.push(/cache_entries.* (\d+)/.exec(await block.metrics.text())![1]);
    }
    // That of `a` goes, as that of `c` comes.
    expect(entries).toEqual(['1', '2', '2']);
    block.lifetime.end(new Error('over'));
  });

  it('signs a reply that comes again once, for as long as it stands', () => {
    const { ask, block, handlers } = setup(dnssec, ONE, { files });
    const lease = new ReplyLease(Infinity);
    const original = reply({ answer: [A] }).withLease(lease);
    const one = ask(query('www.example.org.', 'A', DO), () => original) as Reply;
    expect(ask(query('www.example.org.', 'A', DO), () => original)).toBe(one);
    expect(one.lease!.until).toBe(block.clock.monotonic() + 6 * 86_400_000);
    let withdrawn = 0;
    const holder = { withdraw: () => withdrawn++ };
    one.lease!.hold(holder);
    one.lease!.release(holder);
    one.lease!.hold(holder);
    lease.revoke();
    expect([withdrawn, one.lease!.revoked]).toEqual([1, true]);
    expect(handlers[0]).toMatchObject({ dependsOn: 'question', role: 'wraps' });
  });

  it('counts hits of answers that others give again', async () => {
    const { ask, block, handlers } = setup(dnssec, ONE, { files });
    const asking = query('no.example.org.', 'A', DO);
    const signed = ask(asking, () => NO_NAME) as Reply;
    const counting = handlers[0] as unknown as CountsHits;
    counting.hitCounter(asking, signed)(0, 10);
    counting.hitCounter(query('no.example.org.'), NO_NAME)(10, 0);
    expect(await block.metrics.text()).toContain(`cache_hits_total{server="${SERVER.label}"} 20\n`);
  });

  it('takes over the letter case where the answer does', () => {
    const { ask } = setup(dnssec, ONE, { files });
    const { records } = reply({ answer: [A] });
    const original = Reply.ofRecords(0, 0, echoOwners(records, 'www.example.org.'));
    const signed = ask(query('WWW.example.org.', 'A', DO), () => original) as Reply;
    expect(signed.messageFor(query('WWW.example.org.')).answer.map(({ name, type }) => [name, type])).toEqual([
      ['WWW.example.org.', Type.A],
      ['WWW.example.org.', Type.RRSIG],
    ]);
  });

  it('signs nothing without keys, as CoreDNS starts with none', () => {
    const { handlers, block } = setup(dnssec, 'dnssec');
    expect(handlers).toEqual([]);
    expect(block.log.lines).toEqual(['[WARNING] plugin/dnssec: Corefile:2: no key: nothing is signed']);
  });

  it.each([
    { text: 'dnssec\ndnssec', error: 'Corefile:3: dnssec: got it a second time in this server block, allowed: once; the first stands at Corefile:2' },
    { text: 'dnssec {\nkey\n}', error: 'Corefile:3: dnssec: key: got no argument, allowed: at least 2 arguments; usage: key file KEY...' },
    { text: 'dnssec {\nkey file\n}', error: "Corefile:3: dnssec: key: got 1 argument ('file'), allowed: at least 2 arguments; usage: key file KEY..." },
    { text: 'dnssec {\nkey aws_secretsmanager k\n}', error: "Corefile:3: dnssec: key: got 'aws_secretsmanager', allowed: file; keys of 'aws_secretsmanager' have to be put into files first" },
    { text: 'dnssec {\nkey file nosuch\n}', error: "Corefile:3: dnssec: key: ENOENT: no such file or directory, open 'nosuch.key'" },
    { text: 'dnssec example.net example.com {\nkey file ed25519\n}', error: 'Corefile:3: dnssec: key: key example.org. (keyid: 8003) can not sign any of the zones example.net., example.com.' },
    { text: 'dnssec {\ncache_capacity many\n}', error: "Corefile:3: dnssec: cache_capacity: got 'many', allowed: a whole number from 0 to 10000000" },
    { text: 'dnssec {\nnsec3\n}', error: "Corefile:3: dnssec: unknown option 'nsec3'; allowed: key, cache_capacity, types" },
    { text: 'dnssec {\ntypes\n}', error: 'Corefile:3: dnssec: types: got no argument' },
    { text: 'dnssec {\ntypes MX NS\n}', error: "Corefile:3: dnssec: types: got 'NS', allowed: a record type, but for NS, SOA, CNAME, DNAME and DS" },
    ...['TYPE0', 'TYPE128', 'TYPE255'].map((type) => ({ text: `dnssec {\ntypes ${type}\n}`, error: `Corefile:3: dnssec: types: got '${type}'` })),
    { text: 'dnssec {\ntypes AXFR\n}', error: "Corefile:3: dnssec: types: got 'AXFR'" },
  ])('refuses $text', ({ text, error }) => expect(() => setup(dnssec, text, { files })).toThrow(error)); // prettier-ignore

  it('signs zones below the name of a key, and looks for keys where root says', () => {
    const at = Object.fromEntries(Object.entries(files).map(([name, text]) => [`keys/${name}`, text]));
    const { block, ask } = setup(dnssec, 'dnssec a.example.org {\nkey file keys/ed25519\n}', { files: at });
    expect(block.log.lines).toEqual([]);
    const signed = ask(query('x.a.example.org.', 'A', DO), () =>
      reply({ rcode: 3, authority: [SOA.replace('e', 'a.e')] }),
    );
    expect((asked(signed).authority as string[])[1]).toBe('a.example.org. 300 RRSIG SOA 15 3 3600 8003 a.example.org.');
  });
});
