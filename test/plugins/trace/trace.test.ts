import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, type Client, type Handler, type Next } from '../../../src/chain/index.js';
import { HANDLER_CHANNEL, linkChain } from '../../../src/chain/link.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import { otlp, zipkin } from '../../../src/plugins/trace/formats.js';
import { QueryTracer, type QueryTracerParts } from '../../../src/plugins/trace/handler.js';
import { Reporter } from '../../../src/plugins/trace/reporter.js';
import { trace } from '../../../src/plugins/trace/setup.js';
import type { Span } from '../../../src/plugins/trace/span.js';
import { setup, TestLog, type TestBlock } from '../../support/block.js';
import { query } from '../../support/dns.js';
import { running } from '../../support/running.js';

const clock = new ManualClock();
const handler = (name: string, handle: Handler['handle']): Handler => ({ name, handle });
const after = (time: number, next: () => ReturnType<Next>): ReturnType<Next> => {
  clock.advance(time);
  return next();
};

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** A chain of a tracer and others, and the spans that were reported. */
function traced(others: readonly Handler[], parts: Partial<QueryTracerParts> = {}): { ask: Next; spans: Span[][] } {
  const spans: Span[][] = [];
  const report = (all: readonly Span[]): void => void spans.push([...all]);
  const tracer = new QueryTracer({ clock, random: seededRandom(1), every: 1, clientServer: false, report, ...parts });
  ends.push(tracer.watch());
  return { ask: linkChain([tracer, ...others]), spans };
}
const passing = handler('passing', (asked, next) => after(2, () => next(asked)));
const answering = handler('answering', () => after(5, () => Reply.empty(0)));
const shape = (spans: readonly Span[]): unknown[] =>
  spans.map(({ name, duration, parent, error }) => ({
    name,
    duration,
    within: spans.find(({ id }) => id === parent)?.name,
    ...(error !== undefined && { error }),
  }));

describe('a query that is traced', () => {
  it('has a span, and within it one for each plugin', () => {
    const { ask, spans } = traced([passing, answering]);
    const begun = clock.now();
    void ask(query('www.example.', 'A'));
    expect(shape(spans[0]!)).toEqual([
      { name: 'answering', duration: 5, within: 'passing' },
      { name: 'passing', duration: 7, within: 'servedns' },
      { name: 'servedns', duration: 7, within: undefined },
    ]);
    const root = spans[0]!.at(-1)!;
    expect(root).toMatchObject({
      start: begun,
      root: true,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(root.tags).toEqual({
      'coredns.io/name': 'www.example.',
      'coredns.io/type': 'A',
      'coredns.io/proto': 'udp',
      'coredns.io/remote': '127.0.0.1',
      'coredns.io/rcode': 'NOERROR',
    });
    expect(new Set(spans[0]!.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans[0]!.map((span) => [span.root, span.shared])).toEqual([
      [false, false],
      [false, false],
      [true, false],
    ]);
  });

  it('has a span for each time that a plugin is asked, within the one that asks', () => {
    const twice = handler('twice', (asked, next) => {
      void next(asked);
      return next(asked);
    });
    const { ask, spans } = traced([twice, passing, answering]);
    void ask(query('a.'));
    const within = ['answering in passing', 'passing in twice'];
    expect(shape(spans[0]!).map((span) => Object.values(span as object))).toEqual(
      [...within, ...within, 'twice in servedns', 'servedns in undefined'].map((text) => {
        const [name, parent] = text.split(' in ');
        return [name, expect.any(Number), parent === 'undefined' ? undefined : parent];
      }),
    );
  });

  it('has ids of 16 hexadecimal digits, each of its own', () => {
    const { ask, spans } = traced([answering]);
    for (let i = 0; i < 50; i++) void ask(query('a.'));
    const ids = spans.flat().map(({ id }) => id);
    expect(ids.filter((id) => !/^[0-9a-f]{16}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(100);
  });

  it('is traced again when it is asked again', () => {
    const { ask, spans } = traced([answering]);
    const asked = query('a.');
    void ask(asked);
    void ask(asked);
    expect(spans).toHaveLength(2);
  });

  it('may be waited for, with others meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const slow = handler('slow', () => new Promise((resolve) => waiting.push(() => resolve(Reply.empty(0)))));
    const { ask, spans } = traced([passing, slow]);
    const both = [ask(query('a.')), ask(query('b.'))].map((outcome) => Promise.resolve(outcome));
    clock.advance(10);
    waiting.reverse().forEach((answer) => answer());
    await Promise.all(both);
    expect(spans).toHaveLength(2);
    for (const each of spans)
      expect(shape(each).map((span) => (span as { within: string }).within)).toEqual([
        'passing',
        'servedns',
        undefined,
      ]);
  });

  it('tells what went wrong', () => {
    const { ask, spans } = traced([
      handler('failing', () => {
        throw new Error('broken');
      }),
    ]);
    expect(() => ask(query('a.'))).toThrow('broken');
    expect(spans[0]!.map(({ error }) => error)).toEqual(['broken', 'broken']);
  });

  it('tells what went wrong later', async () => {
    const { ask, spans } = traced([handler('failing', () => Promise.reject(new Error('broken')))]);
    await expect(ask(query('a.'))).rejects.toThrow('broken');
    expect(spans[0]!.map(({ error }) => error)).toEqual(['broken', 'broken']);
  });

  it.each([
    { every: 1, asks: 6, traces: 6 },
    { every: 3, asks: 6, traces: 2 },
    { every: 3, asks: 2, traces: 0 },
    { every: 0, asks: 6, traces: 0 },
  ])('is one of $every: of $asks, $traces', ({ every, asks, traces }) => {
    const { ask, spans } = traced([answering], { every });
    for (let i = 0; i < asks; i++) void ask(query('a.'));
    expect(spans).toHaveLength(traces);
  });

  const W3C = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  const B3 = { 'x-b3-traceid': 'c'.repeat(16), 'x-b3-spanid': 'd'.repeat(16) };
  it.each([
    { name: 'W3C', headers: W3C, clientServer: false, want: { traceId: 'a'.repeat(32), parent: 'b'.repeat(16) } },
    {
      name: 'B3',
      headers: B3,
      clientServer: false,
      want: { traceId: '0'.repeat(16) + 'c'.repeat(16), parent: 'd'.repeat(16) },
    },
    { name: 'the same span', headers: B3, clientServer: true, want: { id: 'd'.repeat(16), shared: true } },
    {
      name: 'no span of it',
      headers: { 'x-b3-traceid': 'c'.repeat(16) },
      clientServer: true,
      want: { parent: undefined, shared: false, traceId: expect.not.stringContaining('c'.repeat(16)) as string },
    },
    {
      name: 'nonsense',
      headers: { traceparent: 'x', 'x-b3-traceid': 'y' },
      clientServer: true,
      want: { parent: undefined, shared: false },
    },
  ])('belongs to the trace that its request names: $name', ({ headers, clientServer, want }) => {
    const { ask, spans } = traced([answering], { clientServer });
    const asked = query('a.');
    const client: Client = { ...asked.client, http: { method: 'GET', url: '/', headers } };
    Object.assign(asked.context, { client });
    void ask(asked);
    expect(spans[0]!.at(-1)).toMatchObject(want);
  });
});

describe('spans', () => {
  const spans: Span[] = [
    {
      traceId: 'a'.repeat(32),
      id: 'b'.repeat(16),
      parent: undefined,
      shared: false,
      name: 'servedns',
      root: true,
      start: 1_750_000_000_123.25,
      duration: 1.5,
      tags: { x: 'y' },
      error: 'broken',
    },
    {
      traceId: 'a'.repeat(32),
      id: 'c'.repeat(16),
      parent: 'b'.repeat(16),
      shared: true,
      name: 'cache',
      root: false,
      start: 1_750_000_000_124,
      duration: 0,
      tags: {},
      error: undefined,
    },
  ];
  const reporting = { service: 'dns', endpoint: { address: '127.0.0.1', port: 53 }, version: '1' };

  it('in the format of Zipkin', () => {
    const localEndpoint = { serviceName: 'dns', ipv4: '127.0.0.1', port: 53 };
    expect(zipkin(spans, reporting)).toEqual([
      {
        traceId: 'a'.repeat(32),
        id: 'b'.repeat(16),
        kind: 'SERVER',
        name: 'servedns',
        timestamp: 1_750_000_000_123_250,
        duration: 1500,
        localEndpoint,
        tags: { x: 'y', error: 'broken' },
      },
      {
        traceId: 'a'.repeat(32),
        id: 'c'.repeat(16),
        parentId: 'b'.repeat(16),
        shared: true,
        name: 'cache',
        timestamp: 1_750_000_000_124_000,
        duration: 1,
        localEndpoint,
        tags: {},
      },
    ]);
  });

  it('in the format of OTLP', () => {
    expect(otlp(spans, reporting)).toMatchObject({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'dns' } },
              { key: 'service.version', value: { stringValue: '1' } },
              { key: 'server.address', value: { stringValue: '127.0.0.1' } },
              { key: 'server.port', value: { stringValue: '53' } },
            ],
          },
          scopeSpans: [
            {
              spans: [
                {
                  spanId: 'b'.repeat(16),
                  name: 'servedns',
                  kind: 2,
                  startTimeUnixNano: '1750000000123250000',
                  endTimeUnixNano: '1750000000124750000',
                  attributes: [{ key: 'x', value: { stringValue: 'y' } }],
                  status: { code: 2, message: 'broken' },
                },
                { spanId: 'c'.repeat(16), parentSpanId: 'b'.repeat(16), name: 'cache', kind: 1 },
              ],
            },
          ],
        },
      ],
    });
  });

  it('without an address where the server listens at more than one', () => {
    const many = { ...reporting, endpoint: undefined };
    expect(zipkin(spans, many)).toMatchObject([{}, { localEndpoint: { serviceName: 'dns' } }]);
    expect(JSON.stringify(otlp(spans, many))).not.toContain('server.');
  });

  it.each([
    { name: 'that cannot be sent are dropped', fails: true, adds: 4, want: { sent: 0, dropped: 4 } },
    { name: 'are sent by batches', fails: false, adds: 5, want: { sent: 5, dropped: 0 } },
    { name: 'beyond the backlog go, the oldest first', fails: false, adds: 30, want: { sent: 11, dropped: 19 } },
  ])('$name', async ({ fails, adds, want }) => {
    const counts = { sent: 0, dropped: 0 };
    const own = new ManualClock();
    let release = (): void => undefined;
    const busy = new Promise<void>((resolve) => (release = resolve));
    const reporter = new Reporter({
      clock: own, log: new TestLog(), most: 10, batch: 1, interval: 1000,
      counted: (outcome, count) => (counts[outcome] += count),
      send: () => (fails ? Promise.reject(new Error('refused')) : busy),
    }); // prettier-ignore
    for (let i = 0; i < adds; i++) reporter.add([spans[0]!]);
    release();
    for (let i = 0; i < 100; i++) await Promise.resolve();
    expect(counts).toEqual(want);
  });
});

describe('what waits for a collector', () => {
  it('goes by the batch at once, and after a while what is less, a batch at a time', async () => {
    const own = new ManualClock();
    const log = new TestLog();
    const sent: { count: number; names: string; done: () => void; fail: (error: Error) => void }[] = [];
    const counts: [string, number][] = [];
    const reporter = new Reporter({
      clock: own,
      log,
      most: 4,
      batch: 3,
      interval: 1000,
      counted: (outcome, count) => counts.push([outcome, count]),
      send: (spans) => {
        const names = spans.map(({ name }) => name).join('');
        return new Promise((done, fail) => sent.push({ count: spans.length, names, done, fail }));
      },
    });
    let added = 0;
    const add = (count: number): void =>
      reporter.add(Array.from({ length: count }, () => ({ name: String(added++) }) as Span));
    const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const sizes = (): number[] => sent.map(({ count }) => count);
    add(1);
    own.advance(999);
    add(1);
    expect(sizes()).toEqual([]);
    own.advance(1);
    expect(sizes()).toEqual([2]);
    sent[0]!.done();
    await settled();
    add(1);
    expect(own.pending).toBe(1);
    add(2);
    expect([sizes(), own.pending]).toEqual([[2, 3], 0]);
    // Nothing is sent meanwhile: it waits, as far as there is room.
    add(4);
    expect([sizes(), counts]).toEqual([[2, 3], [['sent', 2]]]);
    add(1);
    expect(counts.slice(1)).toEqual([['dropped', 1]]);
    sent[1]!.fail(new Error('refused'));
    await settled();
    expect(log.lines).toEqual(['[DEBUG] 3 spans not sent: refused']);
    for (const at of [2, 3]) {
      sent[at]!.done();
      await settled();
    }
    expect(sizes()).toEqual([2, 3, 3, 1]);
    expect(sent.map(({ names }) => names)).toEqual(['01', '234', '678', '9']);
    add(1);
    own.advance(1000);
    expect(sizes()).toEqual([2, 3, 3, 1, 1]);
  });
});

/** What takes spans: its port, what it got, and when its first connection is closed by the one who brings them. */
async function collector(
  status = 202,
): Promise<{ port: number; got: { url: string; body: string }[]; closed: Promise<unknown> }> {
  const got: { url: string; body: string }[] = [];
  const server = http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      got.push({ url: request.url!, body });
      response.writeHead(status).end();
    });
  });
  ends.push(() => void server.close());
  const closed = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, got, closed };
}

/** The plugin before one that answers, so that each query gives two spans. */
async function configured(...text: string[]) {
  const { block, handlers } = setup(trace, text.join('\n'));
  await block.run('start');
  ends.push(() => void block.run('stop'));
  const next = linkChain([...handlers, answering]);
  return { block, ask: (count: number) => Array.from({ length: count }, () => void next(query('a.'))) };
}
const lines = async (block: TestBlock): Promise<readonly string[]> =>
  (await block.metrics.text()).split('\n').filter((line) => /^coredns_trace_spans_total/.test(line));

describe('trace', () => {
  it.each([
    { name: 'by 100 or every second', options: [], fits: 49, time: 1000 },
    { name: 'by the batch that is said', options: ['zipkin_max_batch_size 1'], fits: 0, time: 1000 },
    { name: 'in the time that is said', options: ['zipkin_max_batch_interval 1ms'], fits: 49, time: 1 },
  ])('brings spans $name', async ({ options, fits, time }) => {
    const { block, ask } = await configured('trace 127.0.0.1:1 {', ...options, '}');
    ask(fits);
    if (fits > 0) block.clock.advance(time - 1);
    expect(block.clock.pending).toBe(fits > 0 ? 1 : 0);
    ask(1);
    expect(block.clock.pending).toBe(0);
  });

  it('waits no longer than a second for others', async () => {
    const { block, ask } = await configured('trace 127.0.0.1:1');
    ask(1);
    block.clock.advance(999);
    expect(block.clock.pending).toBe(1);
    block.clock.advance(1);
    expect(block.clock.pending).toBe(0);
  });

  it.each([
    { name: '1000', options: [], asks: 551, dropped: 2 },
    {
      name: 'as many as is said',
      options: ['zipkin_max_backlog_size 1', 'zipkin_max_batch_size 1'],
      asks: 1,
      dropped: 1,
    },
  ])('keeps $name while the collector is busy', async ({ options, asks, dropped }) => {
    const { block, ask } = await configured('trace 127.0.0.1:1 {', ...options, '}');
    ask(asks);
    expect(await lines(block)).toEqual([`coredns_trace_spans_total{outcome="dropped"} ${dropped}`]);
  });

  it.each([
    { status: 200, outcome: 'sent', log: [] },
    { status: 299, outcome: 'sent', log: [] },
    { status: 300, outcome: 'dropped', log: [expect.stringContaining('answers with status 300') as string] },
  ])('counts what a collector takes: status $status', async ({ status, outcome, log }) => {
    const { port } = await collector(status);
    const { block, ask } = await configured(`trace 127.0.0.1:${port}`);
    ask(1);
    await block.run('stop');
    expect(await lines(block)).toEqual([`coredns_trace_spans_total{outcome="${outcome}"} 2`]);
    expect(block.log.lines).toEqual(log);
  });

  it('passes by what no client asks', () => expect(setup(trace, 'trace').handlers[0]!.keepsRecord).toBe(true));

  it('watches nothing where no query is traced', async () => {
    await configured('trace {', 'every 0', '}');
    expect(channel(HANDLER_CHANNEL).hasSubscribers).toBe(false);
    await configured('trace');
    expect(channel(HANDLER_CHANNEL).hasSubscribers).toBe(true);
  });

  it.each([
    { option: 'service x', shared: false },
    { option: 'client_server', shared: true },
    { option: 'client_server true', shared: true },
    { option: 'client_server false', shared: false },
  ])('$option: takes the span of who asks for its own: $shared', async ({ option, shared }) => {
    const { port, got } = await collector();
    const { block, handlers } = setup(trace, `trace 127.0.0.1:${port} {\n${option}\n}`);
    const headers = { 'x-b3-traceid': 'c'.repeat(16), 'x-b3-spanid': 'd'.repeat(16) };
    const asked = query('a.');
    Object.assign(asked.context, { client: { ...asked.client, http: { method: 'GET', url: '/', headers } } });
    void linkChain([...handlers, answering])(asked);
    await block.run('stop');
    expect(JSON.parse(got[0]!.body)).toMatchObject([
      shared ? { shared, id: 'd'.repeat(16) } : { parentId: 'd'.repeat(16) },
    ]);
  });

  it.each([
    { type: 'otlp', path: '/v1/traces' },
    { type: 'zipkin', path: '/api/v2/spans' },
  ])('brings spans to a $type collector', async ({ type, path }) => {
    const { port, got, closed } = await collector();
    const server = await running(
      `.:0 {\nbind 127.0.0.1\nmetadata\ntrace ${type} 127.0.0.1:${port} {\nservice mine\n}\nlog . "id {/trace/traceid}"\nwhoami\n}`,
    );
    await server.ask('x.');
    await server.stop();
    await closed;
    expect(got.map(({ url }) => url)).toEqual([path]);
    for (const part of ['servedns', 'whoami', 'log', 'mine', 'coredns.io/name']) expect(got[0]!.body).toContain(part);
    const id = server.log.find((line) => line.includes('id '))!.split('id ')[1]!;
    expect(got[0]!.body).toContain(id);
  });

  it.each([
    'trace', 'trace localhost:9411', 'trace zipkin http://localhost:9411/zipkin/api/v2/spans', 'trace OTLP localhost:4318',
    'trace otlp {\nevery 100\nservice x\nclient_server false\nzipkin_max_backlog_size 5\nzipkin_max_batch_size 5\nzipkin_max_batch_interval 2s\n}',
    'trace {\nevery 2147483647\nzipkin_max_batch_interval 1h\n}',
  ])('%s', (text) => expect(setup(trace, text)).toBeDefined()); // prettier-ignore

  it.each([
    { text: 'trace a b c', error: 'Corefile:2: trace: got 3 arguments' },
    { text: 'trace jaeger x:1', error: "Corefile:2: trace: ENDPOINT-TYPE: got 'jaeger', allowed: zipkin, otlp" },
    { text: 'trace datadog x:1', error: 'allowed: zipkin, otlp (which the agent of Datadog takes too)' },
    { text: 'trace http://', error: "Corefile:2: trace: ENDPOINT: got 'http://'" },
    { text: 'trace zipkin http://', error: "Corefile:2: trace: ENDPOINT: got 'http://'" },
    { text: 'trace {\nevery -1\n}', error: "Corefile:3: trace: every: got '-1'" },
    { text: 'trace {\nclient_server maybe\n}', error: "Corefile:3: trace: client_server: got 'maybe'" },
    { text: 'trace {\nclient_server true false\n}', error: 'Corefile:3: trace: client_server: got 2 arguments' },
    { text: 'trace {\nzipkin_max_batch_interval 3601s\n}', error: "zipkin_max_batch_interval: got '3601s'" },
    { text: 'trace {\nevery 2147483648\n}', error: "Corefile:3: trace: every: got '2147483648'" },
    { text: 'trace {\nzipkin_max_batch_size 0\n}', error: "Corefile:3: trace: zipkin_max_batch_size: got '0'" },
    {
      text: 'trace {\ndatadog_analytics_rate 1\n}',
      error: "Corefile:3: trace: unknown option 'datadog_analytics_rate'",
    },
  ])('refuses $text', ({ text, error }) => expect(() => setup(trace, text)).toThrow(error));
});
