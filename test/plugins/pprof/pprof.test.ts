import { Session } from 'node:inspector/promises';
import { createHistogram } from 'node:perf_hooks';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../src/chain/index.js';
import { LoopDelay, delayText } from '../../../src/plugins/pprof/figures.js';
import { cpuProfile, heapProfile } from '../../../src/plugins/pprof/profile.js';
import { pprof } from '../../../src/plugins/pprof/setup.js';
import { httpRequest, setup } from '../../support/block.js';

const frame = (functionName: string, lineNumber = 0) => ({
  functionName,
  lineNumber,
  url: 'file:///a.js',
  scriptId: '1',
  columnNumber: 0,
});

/** What a profile says of itself, and how its locations and functions are numbered. */
function facts(bytes: Uint8Array) {
  const {
    timeNanos,
    durationNanos,
    period,
    periodType,
    stringTable,
    location,
    function: functions,
  } = Profile.decode(bytes);
  return {
    times: [timeNanos, durationNanos, period].map(Number),
    per: stringTable.strings[Number(periodType?.type)],
    locations: location.map(({ id }) => Number(id)),
    functions: functions.map(({ id, startLine }) => [Number(id), Number(startLine)]),
  };
}

/** Each sample as its stack, innermost function first, and its values. */
function samples(bytes: Uint8Array): [string[], number[]][] {
  const { sample, location, function: functions, stringTable } = Profile.decode(bytes);
  return sample.map(({ locationId, value }) => [
    locationId.map((id) => {
      const { line } = location.find((each) => Number(each.id) === Number(id))!;
      const made = functions.find((each) => Number(each.id) === Number(line[0]!.functionId))!;
      return `${stringTable.strings[Number(made.name)]}:${Number(line[0]!.line)}`;
    }),
    value.map(Number),
  ]);
}

describe('profiles', () => {
  it('of the CPU: a sample for each stack, with its time; none for waiting', () => {
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 5] },
        { id: 2, callFrame: frame('main', 9), children: [3] },
        { id: 3, callFrame: frame('', 19) },
        { id: 5, callFrame: frame('(idle)') },
      ],
      startTime: 1000,
      endTime: 3000,
      samples: [3, 3, 5, 2],
      timeDeltas: [100, 200, 1000, 50],
    };
    expect(samples(cpuProfile(profile, 0))).toEqual([
      [
        ['(anonymous):20', 'main:10'],
        [2, 300_000],
      ],
      [['main:10'], [1, 50_000]],
    ]);
    expect(facts(cpuProfile(profile, 5))).toEqual({
      times: [5_000_000, 2_000_000, 500_000],
      per: 'cpu',
      locations: [1, 2],
      functions: [
        [1, 20],
        [2, 10],
      ],
    });
  });

  it('of the CPU, without samples or their times', () => {
    const nodes = [{ id: 1, callFrame: frame('main', 9) }];
    const times = { startTime: 0, endTime: 2000 };
    expect(facts(cpuProfile({ nodes, ...times }, 0)).times).toEqual([0, 2_000_000, 0]);
    expect(samples(cpuProfile({ nodes, ...times, samples: [1] }, 0))).toEqual([[['main:10'], [1, 0]]]);
    const back = { nodes, ...times, samples: [1, 1], timeDeltas: [-5, 50] };
    expect(samples(cpuProfile(back, 0))).toEqual([[['main:10'], [2, 50_000]]]);
  });

  it('of the heap: what each stack has allocated', () => {
    const leaf = { callFrame: frame('leaf', 1), selfSize: 96, id: 3, children: [] };
    const main = { callFrame: frame('main', 0), selfSize: 0, id: 2, children: [leaf] };
    const profile = {
      head: { callFrame: frame('(root)'), selfSize: 0, id: 1, children: [main] },
      samples: [
        { size: 32, nodeId: 3, ordinal: 1 },
        { size: 64, nodeId: 3, ordinal: 2 },
      ],
    };
    expect(samples(heapProfile(profile, 0, 1000, 512))).toEqual([
      [
        ['leaf:2', 'main:1'],
        [2, 96],
      ],
    ]);
    expect(facts(heapProfile(profile, 3, 1000, 512))).toMatchObject({
      times: [3_000_000, 1_000_000_000, 512],
      per: 'inuse_space',
    });
  });

  it('of this very process', async () => {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    for (let i = 0, until = process.cpuUsage().user + 50_000; process.cpuUsage().user < until; i++) Math.sqrt(i);
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    expect(samples(cpuProfile(profile, 0)).length).toBeGreaterThan(0);
  });
});

describe('pages', () => {
  const { block } = setup(pprof, 'pprof 127.0.0.1:6053 {\nblock\n}');
  const get = async (path: string, query = '', signal = new AbortController().signal): Promise<HttpAnswer> =>
    block.routes
      .find((route) => route.path === `/debug/pprof${path}`)!
      .answer(httpRequest({ url: `/?${query}`, signal }));

  it('stand at the address', () => {
    expect(block.routes.every(({ address, port }) => address === '127.0.0.1' && port === 6053)).toBe(true);
    expect(setup(pprof, 'pprof').block.routes[0]).toMatchObject({ address: '127.0.0.1', port: 6053 });
  });

  it.each([
    {
      path: '/',
      text: /^\/debug\/pprof\/\n\nprofile {4}where the CPU's time goes; \?seconds=N, 30 by default\nheap .*N, 10 by default;/,
    },
    { path: '/heap', query: 'debug=1', text: /^total_heap_size: \d+\n[^]*\nnew_space: \d+ of \d+\n/ },
    { path: '/block', text: /^count: \d+\nmin ms: \d+\.\d{3}\n/ },
    { path: '/goroutine', text: /^(\w+: \d+\n)*$/ },
    { path: '/cmdline', text: /node/ },
    { path: '/symbol', text: /^num_symbols: 1\n$/ },
  ])('$path?$query', async ({ path, query, text }) => {
    const answer = await get(path, query);
    expect(answer.status ?? 200).toBe(200);
    expect(answer.body).toMatch(text);
  });

  it('count what the event loop waits for, by kind', () => {
    const timers = [1, 2, 3].map(() => setTimeout(() => undefined, 1e6));
    const route = block.routes.find(({ path }) => path.endsWith('/goroutine'))!;
    const { body } = route.answer(httpRequest()) as HttpAnswer;
    const kinds = process.getActiveResourcesInfo();
    timers.forEach(clearTimeout);
    const want = [...new Set(kinds)].sort().map((kind) => `${kind}: ${kinds.filter((one) => one === kind).length}\n`);
    expect(body).toBe(want.join(''));
  });

  it('tell how late the event loop was, in milliseconds', async () => {
    const delays = createHistogram();
    expect(delayText(delays)).toMatch(/^count: 0\n[^]*\nmean ms: 0\.000\n/);
    for (let i = 1; i <= 1000; i++) delays.record(i * 1_000_000);
    const [count, ...times] = delayText(delays)
      .trim()
      .split('\n')
      .map((line) => line.split(': '));
    expect(count).toEqual(['count', '1000']);
    const rounded = times.map(([name, time]) => [name, Math.floor(Number(time))]);
    expect(rounded).toEqual([
      ['min ms', 1],
      ['mean ms', 500],
      ['p50 ms', 500],
      ['p90 ms', 900],
      ['p99 ms', 990],
      ['p99.9 ms', 999],
      ['max ms', 1000],
    ]);
    const measured = async (): Promise<unknown> => (await get('/block')).body;
    await expect.poll(measured, { timeout: 10_000 }).toMatch(/^count: [1-9]/);
  });

  it('measure nothing any more at the end', async () => {
    const delay = new LoopDelay(1);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    delay.stop();
    const before = delay.text();
    for (let i = 0; i < 3; i++) {
      // The event loop is late by more than the time between two looks.
      for (const until = performance.now() + 3; performance.now() < until;);
      await turn();
    }
    expect(delay.text()).toBe(before);
  });

  it('lead from the path without slash to that with one', async () =>
    expect(await get('')).toMatchObject({ status: 302, headers: { location: '/debug/pprof/' } }));

  it.each(['0', '-1', '301', 'x', '1.5'])('refuse %s seconds', async (seconds) =>
    expect(await get('/profile', `seconds=${seconds}`)).toMatchObject({
      status: 400,
      body: `seconds: got '${seconds}', allowed: a whole number from 1 to 300\n`,
    }),
  );

  it.each([
    { path: '/profile', types: ['samples', 'cpu'], times: undefined },
    {
      path: '/heap',
      types: ['inuse_objects', 'inuse_space'],
      times: [1_000_000_000, 512 * 1024],
    },
  ])('$path makes a profile, one at a time', async ({ path, types, times }) => {
    const asked = get(path, 'seconds=1');
    while (block.clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await get(path, 'seconds=1')).toMatchObject({ status: 409 });
    block.clock.advance(1000);
    const answer = await asked;
    expect(answer).toMatchObject({ headers: { 'content-type': 'application/octet-stream' } });
    const made = gunzipSync(answer.body as Uint8Array);
    if (times !== undefined) expect(facts(made).times.slice(1)).toEqual(times);
    const { sampleType, stringTable } = Profile.decode(made);
    expect(sampleType.map(({ type }) => stringTable.strings[Number(type)])).toEqual(types);
  });

  it('end a profile when its client leaves, and make the next one', async () => {
    const client = new AbortController();
    const left = get('/heap', 'seconds=300', client.signal);
    while (block.clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    client.abort(new Error('the client has left'));
    await expect(left).rejects.toThrow('the client has left');
    const next = get('/heap', 'seconds=1');
    while (block.clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    block.clock.advance(1000);
    expect((await next).status).toBeUndefined();
  });

  it('say that the delay is not measured', async () => {
    const route = setup(pprof, 'pprof').block.routes.find(({ path }) => path.endsWith('/block'))!;
    expect(await route.answer(httpRequest())).toMatchObject({
      body: 'switched off: see the option block\n',
    });
    await block.run('stop');
  });
});

describe('pprof', () => {
  it('takes any rate of 31 bits', async () => {
    const { block } = setup(pprof, 'pprof {\nblock 2147483647\n}');
    await block.run('stop');
  });

  it.each([
    { name: 'a second one', text: 'pprof\npprof', error: '3: pprof: got it a second time' },
    { name: 'two addresses', text: 'pprof :1 :2', error: "2: pprof: got 2 arguments (':1' ':2')" },
    { name: 'no address', text: 'pprof nowhere', error: "2: pprof: address: got 'nowhere'" },
    { name: 'another option', text: 'pprof {\nmutex\n}', error: "3: pprof: unknown option 'mutex'; allowed: block" },
    {
      name: 'no number',
      text: 'pprof {\nblock x\n}',
      error: "3: pprof: block: RATE: got 'x', allowed: a whole number",
    },
    { name: 'a negative rate', text: 'pprof {\nblock -1\n}', error: "3: pprof: block: RATE: got '-1'" },
    {
      name: 'too large a rate',
      text: 'pprof {\nblock 2147483648\n}',
      error: "3: pprof: block: RATE: got '2147483648'",
    },
    { name: 'a block in the option', text: 'pprof {\nblock {\n}\n}', error: '3: pprof: block: got a block in { }' },
    { name: 'two rates', text: 'pprof {\nblock 1 2\n}', error: "3: pprof: block: got 2 arguments ('1' '2')" },
  ])('refuses $name', ({ text, error }) => expect(() => setup(pprof, text)).toThrow(`Corefile:${error}`));
});
