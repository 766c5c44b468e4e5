import { describe, expect, it } from 'vitest';
import { DROP, Reply, ReplyLease, type Next, type Outcome } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import type { HandleFunction, Plugin } from '../../src/plugin-api/contract.js';
import { DROP_REPLY } from '../../src/plugin-api/messages.js';
import { setup } from '../support/block.js';
import { query, reply, summary } from '../support/dns.js';
import { PluginServer } from './support.js';

const A = (name: string, data = '192.0.2.1') => ({ name, type: 'A', ttl: 60, data }) as const;
const plugin = (handle: HandleFunction, more: Partial<Plugin> = {}): Plugin => ({
  name: 'names',
  api: 1,
  setup: () => handle,
  ...more,
});
const behind = reply({ answer: ['a.example. 300 IN A 192.0.2.9'], authority: ['example. 300 IN NS ns.example.'] });

/** Asks a plugin of its own by itself; `next` is what stands behind it. */
const ask = async (
  handle: HandleFunction,
  next: Next = () => behind,
  name = 'a.example.',
  type = 'A',
): Promise<unknown> => summary(await setup(adaptPlugin(plugin(handle)), 'names').ask(query(name, type), next));

describe('a reply of a plugin', () => {
  const good: [string, HandleFunction, unknown][] = [
    [
      'of records',
      () => ({ answers: [A('a.example')] }),
      { rcode: 'NOERROR', flags: 'aa', answer: ['a.example. 60 IN A 192.0.2.1'] },
    ],
    ['of an rcode', () => ({ rcode: 'NXDOMAIN' }), { rcode: 'NXDOMAIN', flags: 'aa' }],
    ['of an rcode as a number', () => ({ rcode: 5, flag_aa: false }), { rcode: 'REFUSED', flags: '' }],
    ['with the flags of dns-packet', () => ({ flags: 0x0083 }), { rcode: 'NXDOMAIN', flags: 'ra' }],
    [
      'a packet that dns-packet has decoded',
      () =>
        ({
          id: 1,
          type: 'response',
          flags: 0x0180,
          flag_qr: true,
          flag_rd: true,
          questions: [],
          rcode: 'NOERROR',
          answers: [A('a.example')],
          additionals: [{ type: 'OPT' }],
        }) as never,
      { rcode: 'NOERROR', flags: 'ra', answer: ['a.example. 60 IN A 192.0.2.1'] },
    ],
    ['promised', async () => ({ rcode: 'REFUSED' as const }), { rcode: 'REFUSED', flags: 'aa' }],
    [
      'promised by a library of its own',
      () => ({ then: (done: (value: unknown) => void) => done({ rcode: 'REFUSED' }) }) as never,
      { rcode: 'REFUSED', flags: 'aa' },
    ],
    ['that is none', () => DROP_REPLY, 'drop'],
    ['by the symbol alone', () => Symbol.for('nodens.drop') as never, 'drop'],
    ['from behind', (_, next) => next(), summary(behind)],
    ['from behind, waited for', async (_, next) => await next(), summary(behind)],
    [
      'from behind, with another rcode',
      async (_, next) => ({ ...(await next()), rcode: 'NXDOMAIN' as const }),
      { ...(summary(behind) as object), rcode: 'NXDOMAIN' },
    ],
    [
      'from behind, with one record more',
      async (_, next) => {
        const found = await next();
        return { ...found, flag_aa: true, answers: [...found.answers, A('a.example')] };
      },
      {
        ...(summary(behind) as object),
        flags: 'aa,ra',
        answer: ['a.example. 300 IN A 192.0.2.9', 'a.example. 60 IN A 192.0.2.1'],
      },
    ],
  ];
  it.each(good)('%s', async (_, handle, want) => expect(await ask(handle)).toEqual(want));

  it('keeps EDNS of what it changes, and adds why', async () => {
    const edns = { udpSize: 1232, version: 0, do: false, options: [{ code: 3, data: Buffer.from('id') }] };
    const { ask: asked } = setup(
      adaptPlugin(plugin(async (_, next) => ({ ...(await next()), extendedError: { code: 15, text: 'no' } }))),
      'names',
    );
    const outcome = (await asked(query('a.example.'), () => behind.withEdns(edns))) as Reply;
    expect(outcome.edns?.options.map(({ code, data }) => [code, Buffer.from(data).toString('latin1')])).toEqual([
      [3, 'id'],
      [15, '\0\x0fno'],
    ]);
  });

  it('stays silence where those behind said nothing', async () => {
    expect(
      await ask(
        async (_, next) => ({ ...(await next()), answers: [] }),
        () => DROP,
      ),
    ).toBe('drop');
    expect(
      await ask(
        (_, next) => next(),
        () => Promise.resolve<Outcome>(DROP),
      ),
    ).toBe('drop');
  });

  it('cannot be altered in place', async () => {
    await expect(
      ask(async (_, next) => {
        const found = await next();
        (found.answers as unknown[]).push(A('a.example'));
        return found;
      }),
    ).rejects.toThrow('plugin/names: TypeError: Cannot add property 1, object is not extensible');
  });

  it('may come from another question', async () => {
    const asked: string[] = [];
    const next: Next = (inner) => {
      asked.push(`${inner.name} ${inner.typeName}`);
      return behind;
    };
    await ask((_, nextOne) => nextOne({ name: 'B.example', type: 'AAAA' }), next);
    await ask((_, nextOne) => nextOne({ type: 'HTTPS' }), next, 'A.example.');
    expect(asked).toEqual(['b.example. AAAA', 'a.example. HTTPS']);
    await expect(ask((_, nextOne) => nextOne({ name: 'a..b' }))).rejects.toThrow(
      "plugin/names: NodensError: name: got 'a..b', allowed: a domain name",
    );
  });
});

describe('a query as plugins see it', () => {
  it('says what the message and its way say, and a copy keeps all of it', async () => {
    let seen: unknown;
    const asked = query('WWW.Example.', 'HTTPS', {
      edns: 1232,
      do: true,
      cd: true,
      id: 7,
      remote: '2001:db8::1',
      port: 5,
      transport: 'tcp',
      received: 3,
    });
    await setup(
      adaptPlugin(
        plugin((one) => {
          const { signal, ...rest } = { ...one };
          const label = one.label('geoip/city');
          seen = { ...rest, aborted: signal.aborted, label };
          return { rcode: 'NOERROR' };
        }),
      ),
      'names',
    ).ask(asked);
    expect(seen).toMatchObject({
      name: 'www.example',
      type: 'UNKNOWN_65',
      question: { name: 'WWW.Example', type: 'UNKNOWN_65', class: 'IN' },
      id: 7,
      client: {
        address: '2001:db8::1',
        port: 5,
        family: 6,
        transport: 'tcp',
        server: 'dns://127.0.0.1:53',
        local: { address: '127.0.0.1', port: 53 },
      },
      recursionDesired: true,
      checkingDisabled: true,
      dnssecOk: true,
      received: 3,
      aborted: false,
      label: undefined,
    });
  });
});

describe('questions on behalf of a query', () => {
  it('go eight deep, then there is no answer', async () => {
    const asked: string[] = [];
    const server = await PluginServer.start(
      '. {\n names\n}\n',
      {},
      {
        name: 'names',
        api: 1,
        setup: (block) => async (query) => {
          asked.push(query.name);
          const found = await block.ask(query, { name: `${asked.length}.example` });
          return found ?? { rcode: 'NOTIMP' };
        },
      },
    );
    expect(await server.ask('0.example.')).toBe('NOTIMP');
    // What was asked, and eight more.
    expect(asked).toEqual(Array.from({ length: 9 }, (_, i) => `${i}.example`));
    await server.server.stop();
  });
});

describe('a plugin that fails', () => {
  const serve = (handle: HandleFunction, options = {}): Promise<PluginServer> =>
    PluginServer.start('. {\n names\n}\n', options, plugin(handle));

  const bad: [string, HandleFunction, string][] = [
    [
      'returns nothing',
      () => undefined as never,
      'got nothing for a reply, allowed: a reply with at least one of rcode',
    ],
    ['returns a number', () => 42 as never, 'got 42 for a reply'],
    ['returns text', () => 'NXDOMAIN' as never, "got 'NXDOMAIN' for a reply"],
    ['returns a list', () => [A('a.example')] as never, 'got a list for a reply'],
    [
      'returns another object',
      () => ({ answer: [] }) as never,
      "got an object with answer for a reply, allowed: a reply with at least one of rcode, flags, flag_aa, flag_tc, flag_ra, flag_ad, answers, authorities, additionals, extendedError, what next() gave, or DROP; did you mean 'answers'?",
    ],
    [
      'misspells a field',
      () => ({ rcode: 'NOERROR', answer: [] }) as never,
      "got a reply with 'answer', allowed: rcode",
    ],
    [
      'names no rcode',
      () => ({ rcode: 'NOSUCHDOMAIN' }) as never,
      "rcode: got 'NOSUCHDOMAIN', allowed: a name such as NXDOMAIN",
    ],
    ['names an rcode above all', () => ({ rcode: 4096 }), 'rcode: got 4096, allowed: a name such as NXDOMAIN'],
    ['names an rcode below all', () => ({ rcode: -1 }), 'rcode: got -1, allowed: a name such as NXDOMAIN'],
    ['names a part of an rcode', () => ({ rcode: 1.5 }), 'rcode: got 1.5, allowed: a name such as NXDOMAIN'],
    [
      'gives a record that is none',
      () => ({ answers: [A('a.example', 'localhost')] }),
      "answers[0].data: got 'localhost', allowed: an IPv4 address",
    ],
    ['lets it hold for less than nothing', () => ({ answers: [], validFor: -1 }), 'validFor: got -1, allowed: seconds'],
    [
      'lets it hold for no number',
      () => ({ answers: [], validFor: '60' as never }),
      "validFor: got '60', allowed: seconds, 0 or more",
    ],
    ['promises nonsense', async () => null as never, 'got null for a reply'],
    [
      'throws',
      () => {
        throw new TypeError('x is not a function');
      },
      'TypeError: x is not a function',
    ],
    [
      'throws text',
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw 'no';
      },
      'no',
    ],
    ['rejects', () => Promise.reject(new Error('no route')), 'no route'],
  ];
  it.each(bad)('%s: SERVFAIL, one line and a panic', async (_, handle, text) => {
    const server = await serve(handle);
    const answer = server.server.inject({ name: 'a.example.', type: 1 });
    await expect(answer).rejects.toThrow(`plugin/names: ${text}`);
    await server.server.stop();
  });

  it('what others behind it throw is not its fault', async () => {
    const fault = new Error('behind');
    const throwing: Next = () => {
      throw fault;
    };
    await expect(ask((_, next) => next(), throwing)).rejects.toBe(fault);
    await expect(
      ask(
        async (_, next) => await next(),
        () => Promise.reject(fault),
      ),
    ).rejects.toBe(fault);
    await expect(
      ask(
        (_, next) => next(),
        () => Promise.reject(fault),
      ),
    ).rejects.toBe(fault);
  });

  it('never settles: SERVFAIL when its time is up, and one line', async () => {
    const clock = new ManualClock();
    const server = await serve(() => new Promise(() => undefined), { clock });
    const answer = server.ask('a.example.');
    await clock.advanceAsync(9900);
    expect(server.lines('ERROR')).toEqual([]);
    await clock.advanceAsync(300);
    expect(await answer).toBe('SERVFAIL');
    expect(server.lines('ERROR')).toEqual([
      'plugin/names: "a.example. A": the promise for its answer was not settled in time',
    ]);
    await server.server.stop();
  });

  it('keeps the thread: it is named, once a minute', async () => {
    const clock = new ManualClock();
    const took = [6, 4, 9, 7];
    const server = await serve(
      () => {
        clock.advance(took.shift()!);
        return { rcode: 'NOERROR' };
      },
      { clock },
    );
    for (const wait of [0, 0, 60_000]) {
      await server.ask('a.example.');
      clock.advance(wait);
    }
    await server.ask('a.example.');
    expect(server.lines('WARNING')).toEqual([
      'plugin/names: handle kept the thread for 6.0 ms; no query is answered meanwhile, allowed: 5 ms',
      'plugin/names: handle kept the thread for 9.0 ms, the longest of 2 such times; no query is answered meanwhile, allowed: 5 ms',
    ]);
    await server.server.stop();
  });

  it('is not blamed for the time of those behind it', async () => {
    const clock = new ManualClock();
    const slow = plugin(
      () => {
        clock.advance(50);
        return { rcode: 'NOERROR' };
      },
      { name: 'slow' },
    );
    const server = await PluginServer.start(
      '. {\n names\n slow\n}\n',
      { clock },
      plugin((_, next) => next()),
      slow,
    );
    await server.ask('a.example.');
    expect(server.lines('WARNING')).toEqual([
      'plugin/slow: handle kept the thread for 50.0 ms; no query is answered meanwhile, allowed: 5 ms',
    ]);
    await server.server.stop();
  });

  it('leaves its timers behind at a reload: those of the block end', async () => {
    const clock = new ManualClock();
    const ticks: number[] = [];
    let instances = 0;
    const ticking: Plugin = {
      name: 'names',
      api: 1,
      setup: (block) => {
        const instance = ++instances;
        block.setInterval(() => ticks.push(instance), 1000);
        block.setTimeout(() => {
          throw new Error('in a timer');
        }, 500);
        block.signal.addEventListener('abort', () => ticks.push(-instance));
      },
    };
    const server = await PluginServer.start('. {\n names\n whoami\n}\n', { clock }, ticking);
    clock.advance(2000);
    await server.server.reload();
    clock.advance(2000);
    expect(ticks).toEqual([1, 1, -1, 2, 2]);
    expect(server.lines('ERROR')).toEqual([
      'plugin/names: a timer failed: in a timer',
      'plugin/names: a timer failed: in a timer',
    ]);
    server.corefile = '. {\n names\n whoami x\n}\n';
    expect(await server.server.reload()).toBe(false);
    expect(ticks.slice(5)).toEqual([-3]);
    await server.server.stop();
    clock.advance(5000);
    expect(ticks.slice(5)).toEqual([-3, -2]);
  });
});

describe('what is shared', () => {
  const lease = async (handle: HandleFunction, more: Partial<Plugin>, next: Next = () => behind): Promise<boolean> => {
    const outcome: Outcome = await setup(adaptPlugin(plugin(handle, more)), 'names').ask(query('a.example.'), next);
    return outcome instanceof Reply && outcome.lease !== undefined;
  };
  const kept: Next = () => behind.withLease(new ReplyLease(Infinity));
  const rows: [string, HandleFunction, Partial<Plugin>, Next | undefined, boolean][] = [
    ['nothing of a plugin that says nothing', () => ({ answers: [], validFor: 60 }), {}, undefined, false],
    ['nothing that it passes on either', (_, next) => next(), {}, kept, false],
    ['its own answer for a time', () => ({ answers: [], validFor: 60 }), { dependsOn: 'question' }, undefined, true],
    ['not an answer that promises nothing', () => ({ answers: [] }), { dependsOn: 'question' }, undefined, false],
    ['what it passes on', (_, next) => next(), { dependsOn: 'question' }, kept, true],
    ['what it passes on for clients', (_, next) => next(), { dependsOn: 'client' }, kept, true],
    [
      'what it passes on as it was promised',
      (_, next) => next(),
      { dependsOn: 'question' },
      async (q) => kept(q),
      true,
    ],
    [
      'not what it looked at after a wait',
      async (_, next) => await next(),
      { dependsOn: 'question' },
      async (q) => kept(q),
      false,
    ],
    [
      'not what it changed',
      async (_, next) => ({ ...(await next()), rcode: 'NXDOMAIN' as const }),
      { dependsOn: 'question' },
      kept,
      false,
    ],
  ];
  it.each(rows)('%s', async (_, handle, more, next, want) => expect(await lease(handle, more, next)).toBe(want));
});
