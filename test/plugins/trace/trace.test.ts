import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Reply, type Client, type Handler, type Next } from '../../../src/chain/index.js';
import { linkChain } from '../../../src/chain/link.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import { otlp, zipkin } from '../../../src/plugins/trace/formats.js';
import { QueryTracer, type QueryTracerParts } from '../../../src/plugins/trace/handler.js';
import { Reporter } from '../../../src/plugins/trace/reporter.js';
import { trace } from '../../../src/plugins/trace/setup.js';
import type { Span } from '../../../src/plugins/trace/span.js';
import { setup, TestLog } from '../../support/block.js';
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

  it.each([
    { every: 1, traces: 6 },
    { every: 3, traces: 2 },
    { every: 0, traces: 0 },
  ])('is one of $every', ({ every, traces }) => {
    const { ask, spans } = traced([answering], { every });
    for (let i = 0; i < 6; i++) void ask(query('a.'));
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
            attributes: expect.arrayContaining([{ key: 'service.name', value: { stringValue: 'dns' } }]) as unknown,
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
    const sent: { count: number; done: () => void; fail: (error: Error) => void }[] = [];
    const counts: [string, number][] = [];
    const reporter = new Reporter({
      clock: own,
      log,
      most: 4,
      batch: 3,
      interval: 1000,
      counted: (outcome, count) => counts.push([outcome, count]),
      send: (spans) => new Promise((done, fail) => sent.push({ count: spans.length, done, fail })),
    });
    const add = (count: number): void => reporter.add(Array.from({ length: count }, () => ({}) as Span));
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
    add(1);
    own.advance(1000);
    expect(sizes()).toEqual([2, 3, 3, 1, 1]);
  });
});

describe('trace', () => {
  it.each([
    { type: 'otlp', path: '/v1/traces' },
    { type: 'zipkin', path: '/api/v2/spans' },
  ])('brings spans to a $type collector', async ({ type, path }) => {
    const got: { url: string; body: string }[] = [];
    const collector = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        got.push({ url: request.url!, body });
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const server = await running(
      `.:0 {\nbind 127.0.0.1\nmetadata\ntrace ${type} 127.0.0.1:${port} {\nservice mine\n}\nlog . "id {/trace/traceid}"\nwhoami\n}`,
    );
    await server.ask('x.');
    await server.stop();
    collector.close();
    expect(got.map(({ url }) => url)).toEqual([path]);
    for (const part of ['servedns', 'whoami', 'log', 'mine', 'coredns.io/name']) expect(got[0]!.body).toContain(part);
    const id = server.log.find((line) => line.includes('id '))!.split('id ')[1]!;
    expect(got[0]!.body).toContain(id);
  });

  it.each([
    'trace', 'trace localhost:9411', 'trace zipkin http://localhost:9411/zipkin/api/v2/spans', 'trace OTLP localhost:4318',
    'trace otlp {\nevery 100\nservice x\nclient_server false\nzipkin_max_backlog_size 5\nzipkin_max_batch_size 5\nzipkin_max_batch_interval 2s\n}',
  ])('%s', (text) => expect(setup(trace, text)).toBeDefined()); // prettier-ignore

  it.each([
    { text: 'trace a b c', error: 'Corefile:2: trace: got 3 arguments' },
    { text: 'trace jaeger x:1', error: "Corefile:2: trace: ENDPOINT-TYPE: got 'jaeger', allowed: zipkin, otlp" },
    { text: 'trace datadog x:1', error: 'allowed: zipkin, otlp (which the agent of Datadog takes too)' },
    { text: 'trace http://', error: "Corefile:2: trace: ENDPOINT: got 'http://'" },
    { text: 'trace zipkin http://', error: "Corefile:2: trace: ENDPOINT: got 'http://'" },
    { text: 'trace {\nevery -1\n}', error: "Corefile:3: trace: every: got '-1'" },
    { text: 'trace {\nclient_server maybe\n}', error: "Corefile:3: trace: client_server: got 'maybe'" },
    { text: 'trace {\nzipkin_max_batch_size 0\n}', error: "Corefile:3: trace: zipkin_max_batch_size: got '0'" },
    {
      text: 'trace {\ndatadog_analytics_rate 1\n}',
      error: "Corefile:3: trace: unknown option 'datadog_analytics_rate'",
    },
  ])('refuses $text', ({ text, error }) => expect(() => setup(trace, text)).toThrow(error));
});
