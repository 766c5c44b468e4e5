import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GeoDatabase } from '../../../src/plugins/geoip/database.js';
import type { GeoIp } from '../../../src/plugins/geoip/handler.js';
import { geoip } from '../../../src/plugins/geoip/setup.js';
import { setup } from '../../support/block.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';

// Made by MaxMind's own writer: see make-databases.pl.
const bytes = (name: string): Buffer => readFileSync(path.join(import.meta.dirname, name));
const files = {
  '/city.mmdb': bytes('city.mmdb'),
  '/asn.mmdb': bytes('asn.mmdb'),
  '/domain.mmdb': bytes('domain.mmdb'),
};

/** The labels that are not empty. */
function labels(text: string, options: QuestionOptions): Record<string, string> {
  const [handler] = setup(geoip, text, { files }).handlers as [GeoIp];
  const asked = query('a.', 'A', options);
  return Object.fromEntries(
    Object.entries(handler.metadata())
      .map(([label, value]): [string, string] => [label.replace('geoip/', ''), value(asked, label) ?? ''])
      .filter(([, value]) => value !== ''),
  );
}

/** Why bytes are no database; empty where they are. */
function problem(bytes: Buffer): string {
  try {
    new GeoDatabase(bytes);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const CAMBRIDGE = {
  'city/name': 'Cambridge',
  'country/code': 'GB',
  'country/name': 'United Kingdom',
  'country/is_in_european_union': 'false',
  'continent/code': 'EU',
  'continent/name': 'Europe',
  latitude: '52.2242',
  longitude: '0.1315',
  timezone: 'Europe/London',
  postalcode: 'CB4',
  'subdivisions/code': 'ENG,CAM',
};
const NOWHERE = { 'country/is_in_european_union': 'false' };
const FRANCE = { 'country/code': 'FR', 'country/name': 'France', 'country/is_in_european_union': 'true' };
const subnet = (...data: number[]): QuestionOptions => ({
  remote: '81.2.69.142',
  edns: 1232,
  options: [{ code: 8, data: Buffer.of(...data) }],
});

describe('geoip', () => {
  it.each([
    { name: 'a client', options: { remote: '81.2.69.142' }, want: CAMBRIDGE },
    { name: 'a client over IPv6', options: { remote: '2001:db8:44:1::7' }, want: CAMBRIDGE },
    { name: 'IPv4 in the form of IPv6', options: { remote: '::ffff:81.2.69.142' }, want: CAMBRIDGE },
    { name: 'a country without a city', options: { remote: '192.0.2.200' }, want: FRANCE },
    { name: 'an address that is not in there', options: { remote: '198.51.100.1' }, want: NOWHERE },
    { name: 'a source that is no address', options: { remote: 'nowhere' }, want: {} },
    { name: 'a subnet, not asked for', options: subnet(0, 1, 24, 0, 192, 0, 2), want: CAMBRIDGE },
  ])('knows $name', ({ options, want }) => expect(labels('geoip /city.mmdb', options)).toEqual(want));

  it.each([
    { name: 'an IPv4 subnet', data: [0, 1, 24, 0, 192, 0, 2], want: FRANCE },
    { name: 'a whole IPv4 address', data: [0, 1, 32, 0, 192, 0, 2, 200], want: FRANCE },
    { name: 'an IPv6 subnet', data: [0, 2, 48, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0x44], want: CAMBRIDGE },
    { name: 'no address at all', data: [0, 1, 0, 0], want: NOWHERE },
    { name: 'an option cut short: the client counts', data: [0, 1, 24], want: CAMBRIDGE },
    { name: 'another family: the client counts', data: [0, 3, 8, 0, 10], want: CAMBRIDGE },
    { name: 'too long an address: the client counts', data: [0, 1, 32, 0, 192, 0, 2, 1, 1], want: CAMBRIDGE },
  ])('edns-subnet: $name', ({ data, want }) =>
    expect(labels('geoip /city.mmdb {\nedns-subnet\n}', subnet(...data))).toEqual(want),
  );

  it.each([
    { remote: '81.2.69.142', want: { 'asn/number': '12345', 'asn/org': 'Test ASN Organization' } },
    { remote: '10.1.2.3', want: { 'asn/number': '0', 'asn/org': 'Not routed' } },
    { remote: '192.0.2.1', want: { 'asn/number': '0' } },
  ])('network of $remote', ({ remote, want }) => expect(labels('geoip /asn.mmdb', { remote })).toEqual(want));

  it('hands queries on', () => {
    const next = reply();
    expect(setup(geoip, 'geoip /asn.mmdb', { files }).ask(query('a.'), () => next)).toBe(next);
  });

  it('says where data is damaged, and knows nothing then', () => {
    const damaged = Buffer.from(files['/city.mmdb']);
    const start = damaged.indexOf('Cambridge') - 200;
    damaged.fill(0xff, Math.max(0, start), start + 260);
    const { block, handlers } = setup(geoip, 'geoip /city.mmdb', { files: { '/city.mmdb': damaged } });
    const value = (handlers[0] as GeoIp).metadata()['geoip/city/name']!(
      query('a.', 'A', { remote: '81.2.69.142' }),
      '',
    );
    expect(value).toBeUndefined();
    expect(block.log.lines[0]).toMatch(/^\[DEBUG\] plugin\/geoip: looking up 81\.2\.69\.142: /);
  });

  it('takes no database whose length is not all there, at any length', () => {
    const whole = files['/city.mmdb'];
    for (let length = 0; length < whole.length - 40; length += 7)
      expect(() => new GeoDatabase(whole.subarray(0, length)), String(length)).toThrow();
  });

  it.each([
    { version: 4, want: '' },
    { version: 5, want: 'it is for IP version 5, allowed: 4 and 6' },
  ])('a database for IP version $version: $want', ({ version, want }) => {
    const other = Buffer.from(files['/city.mmdb']);
    // The value stands after the key, as a number of one byte.
    other[other.lastIndexOf('ip_version') + 'ip_version'.length + 1] = version;
    expect(problem(other)).toBe(want);
  });

  it('takes no database whose data has no room', () => {
    const whole = files['/city.mmdb'];
    const end = whole.subarray(whole.lastIndexOf('MaxMind.com') - 3);
    const least = Number(/needs more than (\d+)/.exec(problem(Buffer.concat([whole.subarray(0, 100), end])))![1]);
    const ofLength = (length: number): Buffer => Buffer.concat([whole.subarray(0, length - end.length), end]);
    expect(problem(ofLength(least))).toBe(`it has ${least} bytes and needs more than ${least}: it is cut short`);
    expect(problem(ofLength(least + 1))).toBe('');
    // The tree ends 16 zeros before what is said of 81.2.69.142.
    expect(whole.subarray(least - 16, least)).toEqual(Buffer.alloc(16));
  });

  it.each([
    { name: 'no file', text: 'geoip', error: '2: geoip: got no argument' },
    { name: 'two files', text: 'geoip /a /b', error: "2: geoip: got 2 arguments ('/a' '/b')" },
    { name: 'a missing file', text: 'geoip /nosuch', error: "2: geoip: cannot use '/nosuch': ENOENT: no such file" },
    { name: 'a second database', text: 'geoip /asn.mmdb\ngeoip /city.mmdb', error: '3: geoip: got a second database, allowed: one; the first stands at Corefile:2' }, // prettier-ignore
    { name: 'another option', text: 'geoip /asn.mmdb {\nsubnet\n}', error: "3: geoip: unknown option 'subnet'" },
    { name: 'another type', text: 'geoip /domain.mmdb', error: "2: geoip: cannot use '/domain.mmdb': a database of type 'GeoIP2-Domain', allowed" }, // prettier-ignore
    { name: 'what is no database', text: 'geoip /text', error: "2: geoip: cannot use '/text': it is no MaxMind database, or its end is missing" }, // prettier-ignore
    { name: 'a file without its end', text: 'geoip /half', error: "2: geoip: cannot use '/half': it is no MaxMind database, or its end" }, // prettier-ignore
    { name: 'a file without its middle', text: 'geoip /gap', error: "2: geoip: cannot use '/gap': it has" },
    { name: 'an empty file', text: 'geoip /empty', error: "2: geoip: cannot use '/empty': it is no MaxMind database" },
  ])('refuses $name', ({ text, error }) => {
    const city = files['/city.mmdb'];
    const metadataStart = city.lastIndexOf('MaxMind.com') - 3;
    const odd = {
      '/text': Buffer.from('this is no database\n'.repeat(100)),
      '/half': city.subarray(0, city.length / 2),
      '/gap': Buffer.concat([city.subarray(0, 100), city.subarray(metadataStart)]),
      '/empty': Buffer.alloc(0),
    };
    expect(() => setup(geoip, text, { files: { ...files, ...odd } })).toThrow(`Corefile:${error}`);
  });
});
