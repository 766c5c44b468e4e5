import { describe, expect, it } from 'vitest';
import { EACH_CLIENT, Zones, type Handler } from '../../src/chain/index.js';
import { parseIp } from '../../src/lib/cidr.js';
import { isEncrypted, protocolOf, type TlsFacts, type Transport } from '../../src/chain/client.js';
import { providesChanges, providesUpstreams, takesChanges } from '../../src/chain/changes.js';
import { handsOver } from '../../src/chain/handed-over.js';
import { QuerySeries, ZonedSeries } from '../../src/chain/query-metrics.js';
import { padded, paddingFor } from '../../src/chain/padding.js';
import { Trail } from '../../src/chain/trail.js';
import { notifyServers } from '../../src/chain/transfer.js';
import { NOBODY, writersOf } from '../../src/chain/writers.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { countExtendedErrors } from '../../src/server/extended-errors.js';
import { query } from '../support/dns.js';

describe('padding', () => {
  it.each([
    { length: 0, want: 468 },
    { length: 464, want: 4 },
    { length: 465, want: 471 },
    { length: 468, want: 468 },
    { length: 932, want: 4 },
  ])('of $length bytes is $want, to a multiple of 468 (RFC 8467)', ({ length, want }) =>
    expect(paddingFor(length)).toBe(want),
  );

  const OPT = { udpSize: 1232, version: 0, do: false, options: undefined };
  const hex = (options: Uint8Array | undefined): string | undefined => options && Buffer.from(options).toString('hex');
  it.each([
    { name: 'an option of zeros', growth: 6, want: '000c00020000' },
    { name: 'an option without any', growth: 4, want: '000c0000' },
    { name: 'nothing where an option does not fit', growth: 3, want: undefined },
  ])('is $name', ({ growth, want }) => expect(hex(padded(OPT, growth).options)).toBe(want));

  it('stands behind other options', () => {
    const options = Buffer.from('00030000', 'hex');
    expect(hex(padded({ ...OPT, options }, 4).options)).toBe('00030000000c0000');
  });
});

describe('what is said of a client', () => {
  const CERTAIN = { version: 'TLSv1.3', serverName: undefined, subject: undefined };
  it.each<{ transport: Transport; tls?: TlsFacts; want: [string, boolean] }>([
    { transport: 'udp', want: ['udp', false] },
    { transport: 'tcp', want: ['tcp', false] },
    { transport: 'tls', tls: CERTAIN, want: ['tcp', true] },
    { transport: 'https', tls: CERTAIN, want: ['tcp', true] },
    { transport: 'quic', tls: CERTAIN, want: ['udp', true] },
    { transport: 'grpc', tls: CERTAIN, want: ['tcp', true] },
    { transport: 'grpc', want: ['tcp', false] },
  ])('over $transport: $want', ({ transport, tls, want }) => {
    const { client } = query('a.');
    expect([protocolOf(transport), isEncrypted({ ...client, transport, tls })]).toEqual(want);
  });
});

describe('the writer of replies', () => {
  const named = (names: readonly string[]): Handler[] =>
    names.map((name) => ({ name, handle: (asked, next) => next(asked) }));
  it.each([
    { names: ['errors', 'prometheus', 'cache', 'forward'], want: 'cache' },
    { names: ['prometheus'], want: '' },
    { names: ['cache', 'forward'], want: 'cache' },
    { names: [], want: '' },
  ])('of $names is $want', ({ names, want }) =>
    expect(writersOf(named(names))).toEqual({ atOnce: want, waited: want }),
  );

  it('is nobody without a chain', () => expect(NOBODY).toEqual({ atOnce: '', waited: '' }));
});

it('each client by itself is all bits of its address', () => {
  const bits = (ip: string): number => parseIp(ip)!.length * 8;
  expect(EACH_CLIENT).toEqual({ ipv4: bits('192.0.2.1'), ipv6: bits('2001:db8::1') });
});

it('a trail takes 64 notes', () => {
  const trail = new Trail();
  for (let i = 0; i < 70; i++) trail.note({ kind: 'reason', plugin: 'p', reason: 'busy', text: String(i) });
  expect(trail.notes).toHaveLength(64);
  expect(trail.notes.at(-1)).toMatchObject({ text: '63' });
});

it('servers are told of changes by the handlers that do so', () => {
  const told: string[] = [];
  const handlers = [{}, { notify: (zone: string) => void told.push(zone) }, { notify: 'no' }];
  notifyServers({ handlers: () => handlers }, 'a.');
  expect(told).toEqual(['a.']);
});

describe('extended errors', () => {
  const option = (code: number, hex: string) => ({ code, data: Buffer.from(hex, 'hex') });
  it.each([
    { name: 'one', options: [option(15, '0016')], code: '22' },
    { name: 'one above 255, with a text', options: [option(15, '010161')], code: '257' },
    { name: 'one behind another option', options: [option(3, '0016'), option(15, '0003')], code: '3' },
    { name: 'one that is cut short', options: [option(15, '00')], code: undefined },
    { name: 'another option', options: [option(3, '0016')], code: undefined },
    { name: 'no OPT record', options: undefined, code: undefined },
    { name: 'a client without EDNS', options: [option(15, '0016')], edns: false, code: undefined },
  ])('are counted: $name', async ({ options, edns = true, code }) => {
    const metrics = new Metrics();
    const count = countExtendedErrors(metrics);
    const asked = query('a.', 'A', edns ? { edns: 1232 } : {});
    count(asked, { edns: options && { udpSize: 1232, version: 0, do: false, options } } as never);
    const name = 'coredns_dns_extended_errors_total';
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
    const { label } = asked.client.server;
    expect(lines).toEqual(code === undefined ? [] : [`${name}{code="${code}",server="${label}"} 1`]);
  });
});

describe('what a handler can do beside answering', () => {
  it.each([
    { name: 'followChanges', can: providesChanges },
    { name: 'namesChanged', can: takesChanges },
    { name: 'upstreams', can: providesUpstreams },
    { name: 'handOver', can: handsOver },
  ])('is told by a function $name', ({ name, can }) =>
    expect([{ [name]: () => undefined }, { [name]: 'text' }, {}].map((one) => can(one))).toEqual([true, false, false]),
  );
});

describe('metrics of queries', () => {
  const IPV6 = '2001:db8::1';
  const made = (): { series: QuerySeries; lines: (metric: string) => Promise<string[]> } => {
    const metrics = new Metrics();
    const series = new QuerySeries(metrics, 's', '.', '', { atOnce: 'cache', waited: 'forward' });
    const lines = async (metric: string): Promise<string[]> =>
      (await metrics.text())
        .split('\n')
        .filter((line) => line.startsWith(`coredns_dns_${metric}{`))
        .map((line) => line.replace(/,?(server|view|zone)="[^"]*"/g, '').slice('coredns_dns_'.length));
    return { series, lines };
  };

  it('tell protocol, family and type of each, and the sizes by protocol', async () => {
    const { series, lines } = made();
    series.count(query('a.', 'A'), 0.01, 0, 50, 'nobody');
    series.count(query('a.', 'AAAA', { remote: IPV6 }), 0.01, 0, 70, 'nobody');
    series.count(query('a.', 'A', { transport: 'tcp' }), 0.01, 0, 90, 'nobody');
    for (const type of ['ANY', 'TYPE256', 'TYPE65280']) series.count(query('a.', type), 0.01, 0, 0, 'nobody');
    series.count(query('a.', 'CAA', { transport: 'tcp', remote: IPV6, edns: 1232, do: true }), 0.01, 0, 110, 'nobody');
    expect(await lines('requests_total')).toEqual([
      'requests_total{family="1",proto="tcp",type="A"} 1',
      'requests_total{family="1",proto="udp",type="A"} 1',
      'requests_total{family="1",proto="udp",type="ANY"} 1',
      'requests_total{family="1",proto="udp",type="other"} 2',
      'requests_total{family="2",proto="tcp",type="other"} 1',
      'requests_total{family="2",proto="udp",type="AAAA"} 1',
    ]);
    expect(await lines('response_size_bytes_sum')).toEqual([
      'response_size_bytes_sum{proto="tcp"} 200',
      'response_size_bytes_sum{proto="udp"} 120',
    ]);
    expect(await lines('request_size_bytes_sum')).toEqual([
      'request_size_bytes_sum{proto="tcp"} 49',
      'request_size_bytes_sum{proto="udp"} 95',
    ]);
    expect(await lines('do_requests_total')).toEqual(['do_requests_total{} 1']);
  });

  it('tell who replied', async () => {
    const { series, lines } = made();
    for (const writer of ['nobody', 'atOnce', 'waited'] as const) series.count(query('a.'), 0.01, 3, 50, writer);
    expect(await lines('responses_total')).toEqual([
      'responses_total{plugin="",rcode="NXDOMAIN"} 1',
      'responses_total{plugin="cache",rcode="NXDOMAIN"} 1',
      'responses_total{plugin="forward",rcode="NXDOMAIN"} 1',
    ]);
  });

  it('count those that were answered without the chain, each with the size that it had', async () => {
    const { series, lines } = made();
    const counter = series.hitCounter(query('a.', 'A', { edns: 1232, do: true }), 0, 60, 'atOnce');
    counter(1, 0);
    expect(await lines('request_size_bytes_sum')).toEqual(['request_size_bytes_sum{proto="udp"} 19']);
    counter(0, 1);
    counter(2, 3);
    expect(await lines('request_size_bytes_sum')).toEqual(['request_size_bytes_sum{proto="udp"} 177']);
    expect(await lines('request_size_bytes_count')).toEqual(['request_size_bytes_count{proto="udp"} 7']);
    expect(await lines('response_size_bytes_sum')).toEqual(['response_size_bytes_sum{proto="udp"} 420']);
    for (const metric of ['requests_total', 'do_requests_total', 'responses_total'])
      expect((await lines(metric)).map((line) => line.split(' ')[1])).toEqual(['7']);
  });

  it('have one counter for all queries that count alike, and others for all else', () => {
    const { series } = made();
    const of = (type: string, options = {}, rcode = 0, size = 60, writer: 'atOnce' | 'waited' = 'atOnce') =>
      series.hitCounter(query('a.', type, options), rcode, size, writer);
    const first = of('A');
    expect(of('A', { id: 7 })).toBe(first);
    const others = [
      ...[of('AAAA'), of('A', { edns: 1232, do: true }), of('A', { transport: 'tcp' }), of('A', { remote: IPV6 })],
      ...[of('A', {}, 3), of('A', {}, 0, 61), of('A', {}, 0, 60, 'waited')],
    ];
    expect(new Set([first, ...others]).size).toBe(8);
  });

  it('have a counter of its own for each kind of query', () => {
    const { series } = made();
    const types = ['A', 'AAAA', 'CNAME', 'DNSKEY', 'DS', 'MX', 'NSEC3', 'NSEC', 'NS', 'PTR', 'RRSIG', 'SOA', 'SRV'];
    const kinds = [...types, 'TXT', 'HTTPS', 'IXFR', 'AXFR', 'ANY', 'CAA'].flatMap((type) =>
      (['udp', 'tcp'] as const).flatMap((transport) =>
        ['192.0.2.1', IPV6].flatMap((remote) => [false, true].map((signed) => ({ type, transport, remote, signed }))),
      ),
    );
    const counters = kinds.flatMap(({ type, transport, remote, signed }) =>
      (['nobody', 'atOnce', 'waited'] as const).map((writer) =>
        series.hitCounter(query('a.', type, { transport, remote, edns: 1232, do: signed }), 0, 60, writer),
      ),
    );
    expect(new Set(counters).size).toBe(19 * 2 * 2 * 2 * 3);
  });

  it('count sizes in the buckets that dashboards for CoreDNS know', async () => {
    const { series, lines } = made();
    series.count(query('a.'), 0.01, 0, 0, 'nobody');
    const buckets = ['0', '100', '200', '300', '400', '511', '1023', '2047', '4095', '8291', '16000', '32000'];
    const bounds = (await lines('response_size_bytes_bucket')).map((line) => /le="([^"]*)"/.exec(line)?.[1]);
    expect(bounds).toEqual([...buckets, '48000', '64000', '+Inf']);
  });

  it.each([
    { name: 'one zone', zones: ['example.'], more: undefined, of: 'a.example.', want: 'example.' },
    {
      name: 'several zones',
      zones: ['example.', 'b.example.'],
      more: undefined,
      of: 'a.b.example.',
      want: 'b.example.',
    },
    { name: 'a zone of a handler', zones: ['example.'], more: 'c.example.', of: 'a.c.example.', want: 'c.example.' },
    { name: 'none of a handler', zones: ['example.'], more: 'c.example.', of: 'a.example.', want: 'example.' },
    {
      name: 'a shorter one of a handler',
      zones: ['c.example.'],
      more: 'example.',
      of: 'a.c.example.',
      want: 'c.example.',
    },
  ])('stand for the zone of the question: $name', async ({ zones, more, of, want }) => {
    const metrics = new Metrics();
    const sources = more === undefined ? [] : [{ countedZones: new Zones([more]) }];
    const series = new ZonedSeries(metrics, 's', zones, '', NOBODY, sources);
    series.of(query(of)).count(query(of), 0.01, 0, 50, 'nobody');
    expect(await metrics.text()).toMatch(
      new RegExp(`^coredns_dns_requests_total\\{[^}]*zone="${want.replaceAll('.', '\\.')}"[^}]*\\} 1$`, 'm'),
    );
  });
});
