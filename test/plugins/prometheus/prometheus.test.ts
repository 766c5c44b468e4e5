import { gunzipSync } from 'node:zlib';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  DROP,
  Query,
  QueryContext,
  Reply,
  type Handler,
  type Outcome,
  type CountsHits,
} from '../../../src/chain/index.js';
import { prometheus } from '../../../src/plugins/prometheus/setup.js';
import { setup, type TestBlock, type TestBlockOptions, httpRequest } from '../../support/block.js';
import { query, reply, type QuestionOptions } from '../../support/dns.js';
import { collectGarbage } from '../../support/garbage.js';

const SERVER = 'server="dns://127.0.0.1:53",view=""';
const answer = reply({ answer: ['www.example.org. 300 IN A 192.0.2.1'] });

/** Lines of a scrape that begin with one of `names`, without the prefix. */
async function scrape(block: TestBlock, ...names: string[]): Promise<string[]> {
  const lines = (await block.metrics.text()).split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .filter((line) => names.some((name) => line.startsWith(`coredns_${name}`)))
    .map((line) => line.slice('coredns_'.length));
}

const handler = (name: string, more: object = {}): Handler => ({ name, handle: (asked, next) => next(asked), ...more });

function started(
  text = 'prometheus 127.0.0.1:0',
  options: TestBlockOptions = {},
  after: readonly Handler[] = [handler('forward')],
): ReturnType<typeof setup> {
  const made = setup(prometheus, text, options);
  made.block.chain = [...made.handlers, ...after];
  return made;
}

const OBSERVES = { role: 'observes' } as const;

describe('prometheus', () => {
  const counted: {
    name: string;
    qname?: string;
    type?: string;
    options?: QuestionOptions;
    outcome?: Outcome;
    zones?: string[];
    metric: string;
    want: string[];
  }[] = [
    {
      name: 'a query over UDP',
      metric: 'dns_requests_total',
      want: [`dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="A",view')},zone="."} 1`],
    },
    {
      name: 'a query over TCP and IPv6',
      options: { transport: 'tcp', remote: '::1' },
      metric: 'dns_requests_total',
      want: [`dns_requests_total{family="2",proto="tcp",${SERVER.replace(',view', ',type="A",view')},zone="."} 1`],
    },
    {
      name: 'a type by its name',
      type: 'HTTPS',
      metric: 'dns_requests_total',
      want: [`dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="HTTPS",view')},zone="."} 1`],
    },
    {
      name: 'a rare type as other',
      type: 'HINFO',
      metric: 'dns_requests_total',
      want: [`dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="other",view')},zone="."} 1`],
    },
    {
      name: 'a type above 255 as other',
      type: 'CAA',
      metric: 'dns_requests_total',
      want: [`dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="other",view')},zone="."} 1`],
    },
    { name: 'no DO bit', options: { edns: 1232 }, metric: 'dns_do', want: [] },
    {
      name: 'a DO bit',
      options: { edns: 1232, do: true },
      metric: 'dns_do',
      want: [`dns_do_requests_total{${SERVER},zone="."} 1`],
    },
    {
      name: 'the size of the query',
      metric: 'dns_request_size_bytes_sum',
      want: [`dns_request_size_bytes_sum{proto="udp",${SERVER},zone="."} 33`],
    },
    {
      name: 'the size of the reply',
      metric: 'dns_response_size_bytes_sum',
      want: [`dns_response_size_bytes_sum{proto="udp",${SERVER},zone="."} 64`],
    },
    {
      name: 'no size where there is no answer',
      outcome: Reply.failure(2),
      metric: 'dns_response_size_bytes_sum',
      want: [`dns_response_size_bytes_sum{proto="udp",${SERVER},zone="."} 0`],
    },
    {
      name: 'the rcode',
      outcome: reply({ rcode: 3 }),
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="forward",rcode="NXDOMAIN",${SERVER},zone="."} 1`],
    },
    {
      name: 'the rcode of no answer, made by nobody',
      outcome: Reply.failure(2),
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="",rcode="SERVFAIL",${SERVER},zone="."} 1`],
    },
    {
      name: 'silence',
      outcome: DROP,
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="",rcode="NOERROR",${SERVER},zone="."} 1`],
    },
    {
      name: 'the only zone',
      zones: ['example.org.'],
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="forward",rcode="NOERROR",${SERVER},zone="example.org."} 1`],
    },
    {
      name: 'the longest of several zones',
      zones: ['org.', 'www.example.org.', 'example.org.'],
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="forward",rcode="NOERROR",${SERVER},zone="www.example.org."} 1`],
    },
    {
      name: 'the root for a name in none of several zones',
      zones: ['net.', 'com.'],
      metric: 'dns_responses',
      want: [`dns_responses_total{plugin="forward",rcode="NOERROR",${SERVER},zone="."} 1`],
    },
  ];
  it.each(counted)('counts $name', async ({ qname, type, options, outcome, zones, metric, want }) => {
    for (const wait of [false, true]) {
      const { ask, block } = started(undefined, zones ? { zones } : {});
      const reply = outcome ?? answer;
      const got = ask(query(qname ?? 'www.example.org.', type, options), () => (wait ? Promise.resolve(reply) : reply));
      expect(got instanceof Promise).toBe(wait);
      expect(await got).toBe(reply);
      expect(await scrape(block, metric)).toEqual(want);
    }
  });

  it('passes by what no client asks', () => expect(started().handlers[0]!.keepsRecord).toBe(true));

  it('adds up', async () => {
    const { ask, block } = started();
    for (const type of ['A', 'A', 'MX', 'A'])
      void ask(query('www.example.org.', type), () => (type === 'A' ? answer : reply()));
    expect(await scrape(block, 'dns_requests', 'dns_responses')).toEqual([
      `dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="A",view')},zone="."} 3`,
      `dns_requests_total{family="1",proto="udp",${SERVER.replace(',view', ',type="MX",view')},zone="."} 1`,
      `dns_responses_total{plugin="forward",rcode="NOERROR",${SERVER},zone="."} 4`,
    ]);
  });

  it('measures the time from arrival to reply', async () => {
    const { ask, block } = started();
    void ask(query('a.', 'A', { received: block.clock.monotonic() - 3 }), () => answer);
    const lines = await scrape(block, 'dns_request_duration_seconds');
    const counts = lines.map((line) => [
      /le="([^"]+)"/.exec(line)?.[1] ?? /_(sum|count)\{/.exec(line)![1],
      line.split(' ')[1],
    ]);
    expect(counts).toEqual([
      ['0.00025', '0'],
      ['0.0005', '0'],
      ['0.001', '0'],
      ['0.002', '0'],
      ['0.004', '1'],
      ['0.008', '1'],
      ['0.016', '1'],
      ['0.032', '1'],
      ['0.064', '1'],
      ['0.128', '1'],
      ['0.256', '1'],
      ['0.512', '1'],
      ['1.024', '1'],
      ['2.048', '1'],
      ['4.096', '1'],
      ['8.192', '1'],
      ['+Inf', '1'],
      ['sum', '0.003'],
      ['count', '1'],
    ]);
  });

  it('has the size bounds of the reference', async () => {
    const { ask, block } = started();
    void ask(query('a.'), () => answer);
    const bounds = (await scrape(block, 'dns_response_size_bytes_bucket')).map((line) => /le="([^"]+)"/.exec(line)![1]);
    expect(bounds).toEqual([
      '0',
      '100',
      '200',
      '300',
      '400',
      '511',
      '1023',
      '2047',
      '4095',
      '8291',
      '16000',
      '32000',
      '48000',
      '64000',
      '+Inf',
    ]);
  });

  it('counts each listening address by itself', async () => {
    const { ask, block } = started();
    const server = { index: 1, label: 'dns://[::1]:53', scheme: 'dns', address: '::1', port: 53 };
    const first = query('a.');
    void ask(first, () => answer);
    void ask(new Query(first.bytes, new QueryContext({ ...first.client, server }, 0)), () => answer);
    expect(await scrape(block, 'dns_responses')).toEqual([
      `dns_responses_total{plugin="forward",rcode="NOERROR",${SERVER},zone="."} 1`,
      'dns_responses_total{plugin="forward",rcode="NOERROR",server="dns://[::1]:53",view="",zone="."} 1',
    ]);
  });

  it.each([
    {
      name: 'errors before all that answers',
      chain: [handler('errors', OBSERVES), handler('cache', { role: 'wraps' }), handler('forward', { waits: true })],
      want: 'errors',
    },
    { name: 'the cache', chain: [handler('cache', { role: 'wraps' }), handler('kubernetes')], want: 'cache' },
    { name: 'forward alone', chain: [handler('forward', { waits: true })], want: 'forward' },
    { name: 'no one in an empty chain', chain: [], want: '' },
  ])('names as writer the plugin right behind it: $name', async ({ chain, want }) => {
    const writer = async (outcome: Outcome | Promise<Outcome>): Promise<string | undefined> => {
      const { ask, block } = started(undefined, {}, chain);
      await ask(query('a.'), () => outcome);
      return /plugin="([^"]*)"/.exec((await scrape(block, 'dns_responses'))[0]!)?.[1];
    };
    expect(await writer(answer)).toBe(want);
    expect(await writer(Promise.resolve(answer))).toBe(want);
  });

  it('leaves faults to the server, uncounted', async () => {
    const { ask, block } = started();
    expect(() =>
      ask(query('a.'), () => {
        throw new Error('bug');
      }),
    ).toThrow('bug');
    await expect(ask(query('a.'), () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
    expect(await scrape(block, 'dns_')).toEqual([]);
  });

  it('shows what there is before the first query', async () => {
    const { block } = started(undefined, { zones: ['example.org.', '.'] }, [handler('errors'), handler('forward')]);
    await block.run('serving');
    const enabled = (name: string, zone: string): string => `plugin_enabled{name="${name}",${SERVER},zone="${zone}"} 1`;
    expect(await scrape(block, '')).toEqual([
      `build_info{goversion="node${process.versions.node}",revision="",version="0.0.0"} 1`,
      'panics_total 0',
      ...['errors', 'forward', 'prometheus'].flatMap((name) =>
        ['.', 'example.org.'].map((zone) => enabled(name, zone)),
      ),
    ]);
  });

  it('forgets the plugins of the configuration before', async () => {
    const { block } = started();
    block.metrics
      .gauge(
        '',
        'plugin_enabled',
        'A metric that indicates whether a plugin is enabled on per server and zone basis.',
        ['server', 'zone', 'view', 'name'],
      )
      .with({ name: 'old' })
      .set(1);
    await block.run('serving');
    expect((await scrape(block, 'plugin_enabled')).map((line) => /name="(\w+)"/.exec(line)![1])).toEqual([
      'forward',
      'prometheus',
    ]);
  });

  it('names and explains its metrics as the reference does', async () => {
    const { ask, block } = started();
    await block.run('serving');
    void ask(query('a.', 'A', { edns: 1232, do: true }), () => answer);
    const help = (await block.metrics.text()).split('\n').filter((line) => line.startsWith('#'));
    expect(help).toEqual([
      "# HELP coredns_build_info A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.",
      '# TYPE coredns_build_info gauge',
      '# HELP coredns_dns_do_requests_total Counter of DNS requests with DO bit set per zone.',
      '# TYPE coredns_dns_do_requests_total counter',
      '# HELP coredns_dns_request_duration_seconds Histogram of the time (in seconds) each request took per zone.',
      '# TYPE coredns_dns_request_duration_seconds histogram',
      '# HELP coredns_dns_request_size_bytes Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
      '# TYPE coredns_dns_request_size_bytes histogram',
      '# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.',
      '# TYPE coredns_dns_requests_total counter',
      '# HELP coredns_dns_response_size_bytes Size of the returned response in bytes.',
      '# TYPE coredns_dns_response_size_bytes histogram',
      '# HELP coredns_dns_responses_total Counter of response status codes.',
      '# TYPE coredns_dns_responses_total counter',
      '# HELP coredns_panics_total A metrics that counts the number of panics.',
      '# TYPE coredns_panics_total counter',
      '# HELP coredns_plugin_enabled A metric that indicates whether a plugin is enabled on per server and zone basis.',
      '# TYPE coredns_plugin_enabled gauge',
    ]);
  });

  it.each([
    { name: 'by itself', text: 'prometheus', address: '127.0.0.1', port: 9153 },
    { name: 'at an address', text: 'prometheus 169.254.20.10:9253', address: '169.254.20.10', port: 9253 },
    { name: 'at a port on all addresses', text: 'prometheus :9253', address: '', port: 9253 },
    { name: 'at an IPv6 address', text: 'prometheus [2001:DB8::1]:9253', address: '2001:db8::1', port: 9253 },
    { name: 'at a link-local address', text: 'prometheus [fe80::1%eth0]:9253', address: 'fe80::1%eth0', port: 9253 },
  ])('serves /metrics $name', async ({ text, address, port }) => {
    const { block } = started(text);
    expect(block.routes).toMatchObject([{ address, port, path: '/metrics', owner: 'prometheus' }]);
    const { headers, body } = await block.routes[0]!.answer(httpRequest());
    expect(headers).toMatchObject({ 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(body).toContain('coredns_panics_total 0\n');
    expect(body).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(body).toMatch(/\n$/);
  });

  it.each([
    { takes: 'gzip', gzip: true },
    { takes: 'deflate, GZIP;q=0.5', gzip: true },
    { takes: 'gzip;q=0, deflate', gzip: false },
    { takes: 'identity', gzip: false },
  ])('compresses for a client that says $takes: $gzip', async ({ takes, gzip }) => {
    const answer = await started('prometheus').block.routes[0]!.answer(
      httpRequest({ headers: { 'accept-encoding': takes } }),
    );
    expect(answer.headers?.['content-encoding']).toBe(gzip ? 'gzip' : undefined);
    const text = gzip ? gunzipSync(answer.body as Uint8Array).toString() : answer.body;
    expect(text).toContain('coredns_panics_total 0\n');
  });

  it('counts queries that were answered without it as if it had seen them', async () => {
    const seen = started();
    const told = started();
    const received = seen.block.clock.monotonic();
    const plain = query('www.example.org.', 'A', { received });
    const edns = query('www.example.org.', 'A', { edns: 1232, received });
    const counts = (world: ReturnType<typeof started>): Promise<string> =>
      world.block.metrics.text().then((text) =>
        text
          .split('\n')
          .filter((line) => line.startsWith('coredns_dns_') && !line.includes('duration_seconds_sum'))
          .join('\n'),
      );
    for (const asked of [plain, plain, edns]) await seen.ask(asked, () => answer);
    (told.handlers[0] as unknown as CountsHits).hitCounter(plain, answer)(2, 1);
    expect(await counts(told)).toBe(await counts(seen));
    expect(await counts(told)).toContain('coredns_dns_requests_total');
  });

  it('keeps nothing of a query that others like it are counted by', async () => {
    const { handlers } = started();
    const made = (() => {
      const asked = query('www.example.org.', 'A');
      return {
        asked: new WeakRef(asked),
        hitCounter: (handlers[0] as unknown as CountsHits).hitCounter(asked, answer),
      };
    })();
    await setImmediate();
    collectGarbage();
    made.hitCounter(1, 0);
    expect(made.asked.deref()).toBeUndefined();
  });

  it.each([
    {
      name: 'a host without port',
      text: 'prometheus localhost',
      error: "Corefile:2: prometheus: address: got 'localhost', allowed: HOST:PORT",
    },
    {
      name: 'a host name',
      text: 'prometheus metrics.example:9153',
      error:
        "Corefile:2: prometheus: address: got 'metrics.example:9153', allowed: IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses",
    },
    {
      name: 'a bad port',
      text: 'prometheus :99999',
      error: "Corefile:2: prometheus: address: got ':99999', allowed: HOST:PORT",
    },
    {
      name: 'two addresses',
      text: 'prometheus :1 :2',
      error:
        "Corefile:2: prometheus: got 2 arguments (':1' ':2'), allowed: 0 to 1 arguments; usage: prometheus [ADDRESS]",
    },
    {
      name: 'a second time',
      text: 'prometheus :1\nprometheus :2',
      error:
        'Corefile:3: prometheus: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(prometheus, text)).toThrow(error);
  });
});
