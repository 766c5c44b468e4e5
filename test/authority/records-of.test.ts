import { describe, expect, it } from 'vitest';
import { glue, targetAddresses } from '../../src/authority/records-of.js';
import { encodeName } from '../../src/wire/index.js';
import { ZoneData } from '../../src/zone/index.js';
import { rrs, texts } from '../support/dns.js';

const A = (name: string): string => `${name} 60 IN A 192.0.2.1`;
const AAAA = (name: string): string => `${name} 60 IN AAAA 2001:db8::1`;
const zone = new ZoneData('example.');
for (const { name, type, ttl, rdata } of rrs(
  'example. 60 IN SOA ns.example. host.example. 1 2 3 4 5',
  ...['a.example.', 'ns.sub.example.', 'example.'].flatMap((name) => [A(name), AAAA(name)]),
))
  zone.add(encodeName(name), type, ttl, rdata, rdata.length);
zone.seal();

describe('addresses that are told with an answer', () => {
  it.each([
    { name: 'a mail server', answer: ['example. 60 IN MX 10 A.example.'], want: ['a.example.'] },
    { name: 'a server', answer: ['_s._tcp.example. 60 IN SRV 1 2 53 a.example.'], want: ['a.example.'] },
    { name: 'a service', answer: ['s.example. 60 IN SVCB 1 a.example.'], want: ['a.example.'] },
    { name: 'a web service', answer: ['s.example. 60 IN HTTPS 1 a.example. port=53'], want: ['a.example.'] },
    {
      name: 'each once',
      answer: ['example. 60 IN MX 10 a.example.', 'example. 60 IN MX 20 A.EXAMPLE.'],
      want: ['a.example.'],
    },
    { name: 'the zone itself', answer: ['example. 60 IN MX 10 example.'], want: ['example.'] },
    { name: 'a name elsewhere', answer: ['example. 60 IN MX 10 a.example.org.'], want: [] },
    { name: 'a name that there is not', answer: ['example. 60 IN MX 10 none.example.'], want: [] },
    { name: 'a name without records', answer: ['example. 60 IN MX 10 sub.example.'], want: [] },
    { name: 'other types', answer: ['example. 60 IN NS a.example.', 'x.example. 60 IN CNAME a.example.'], want: [] },
  ])('of $name', ({ answer, want }) =>
    expect(texts(targetAddresses(zone, rrs(...answer), false))).toEqual(want.flatMap((name) => [A(name), AAAA(name)])),
  );

  it.each([
    { name: 'a server below', servers: ['Sub.example. 60 IN NS NS.sub.example.'], want: ['ns.sub.example.'] },
    { name: 'a server beside', servers: ['sub.example. 60 IN NS a.example.'], want: [] },
    { name: 'what is no server', servers: ['example. 60 IN CNAME a.example.'], want: [] },
  ])('as glue, of $name', ({ servers, want }) =>
    expect(texts(glue(zone, rrs(...servers), false))).toEqual(want.flatMap((name) => [A(name), AAAA(name)])),
  );
});
