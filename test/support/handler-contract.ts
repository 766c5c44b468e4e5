import { afterEach, describe, expect, it } from 'vitest';
import {
  DROP,
  Reply,
  ReplyLease,
  Transfer,
  definePlugin,
  type Client,
  type CountsHits,
  type Handler,
  type Outcome,
  type ProvidesMetadata,
  type Query,
} from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import type { HandleFunction } from '../../src/plugin-api/contract.js';
import type { PluginClient } from '../../src/plugin-api/messages.js';
import { PLUGINS } from '../../src/server/directives.js';
import type { ServerOptions } from '../../src/server/server-options.js';
import { Flag, Rcode, decodeMessage, rcodeName, type Message } from '../../src/wire/index.js';
import { query, rr, texts, type QuestionOptions } from './dns.js';
import { Reached, addressesOf, until, type Line, type Way } from './ways.js';

/** What a row's check has to do with. */
interface Around {
  readonly way: Way;
  readonly reached: Reached;
  /** A client at 127.0.0.1. */
  readonly line: Line;
  readonly clock: ManualClock | undefined;
}

/** One thing that holds for handlers, whichever way queries come in. */
interface Row {
  readonly name: string;
  readonly handlers: (seen: unknown[]) => readonly (Handler & Partial<CountsHits & ProvidesMetadata>)[];
  /** Directives beside the handlers' own. */
  readonly directives?: readonly string[];
  readonly options?: Partial<ServerOptions>;
  /** Where time is moved by hand. */
  readonly manual?: true;
  /** For ways that can have it; all where nothing is said. */
  readonly where?: (way: Way) => boolean;
  readonly check: (around: Around, seen: unknown[]) => Promise<void>;
}

const TXT = (name: string, text: string): Reply =>
  Reply.of(Flag.AA, 0, { answer: [rr(`${name} 60 IN TXT "${text}"`)] }).withLease(new ReplyLease(Infinity));

const handler = (name: string, handle: Handler['handle'], more: Partial<Handler & CountsHits> = {}): Handler => ({
  name,
  handle,
  ...more,
});

let ids = 0;
const message = (name: string, options: QuestionOptions = {}, type = 'TXT'): Buffer =>
  query(name, type, { id: ++ids, ...options }).bytes;

const summary = ({ rcode, question, answer }: Message): string =>
  [rcodeName(rcode), question[0]?.name ?? 'none', ...texts(answer)].join(' | ');

const ask = async (line: Line, name: string, options?: QuestionOptions): Promise<string> =>
  summary(decodeMessage(await line.ask(message(name, options))));

/** Sends what is to be passed over, and after it what is answered: nothing else has come by then. */
async function passedOver(line: Line, bytes: Uint8Array): Promise<void> {
  line.send(bytes);
  await line.ask(message('after.'));
  expect(line.got.length).toBe(1);
}

/** The name of the first label, and silence for `silent`. */
const answering = handler('answering', (asked) =>
  asked.name === 'silent.' ? DROP : TXT(asked.qname, asked.name.split('.')[0]!),
);

const plugin = (handle: HandleFunction): Handler =>
  ({ name: 'plugin', adapted: adaptPlugin({ name: 'plugin', api: 1, setup: () => handle }) }) as never;

/** A fault is SERVFAIL, one line and one more panic; a caller who is told of it gets it itself. */
async function failed({ way, reached, line }: Around, words: string): Promise<void> {
  if (way.rejects) {
    line.send(message('a.'));
    return until(() => line.faults.join() === words, words);
  }
  expect(await ask(line, 'a.')).toBe('SERVFAIL | a.');
  expect(reached.log.lines.filter((text) => text.includes('anic'))).toEqual([
    `[ERROR] Recovered from panic in server: "${reached.server.served[0]!.label}" ${words}`,
  ]);
  expect(await reached.server.runtime.metrics.text()).toContain('coredns_panics_total 1\n');
}

/** Answers when nobody waits any more. */
const untilAborted = (seen: unknown[]): Handler =>
  handler('late', ({ qname, context: { signal } }) => {
    seen.push(signal);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(TXT(qname, 'late'))));
  });

const signalOf = (seen: unknown[]): AbortSignal => seen[0] as AbortSignal;

const ROWS: readonly Row[] = [
  {
    name: 'a reply goes to its query, with the question as the client wrote it',
    handlers: () => [answering],
    check: async ({ line }) => {
      expect(await ask(line, 'WwW.Example.')).toBe('NOERROR | WwW.Example. | WwW.Example. 60 IN TXT "www"');
    },
  },
  {
    name: 'a handler hands on, and changes what comes back',
    handlers: () => [
      handler('wrapping', async (asked, next) => {
        const outcome = await next(asked);
        return outcome instanceof Reply ? outcome.withHeader({ rcode: Rcode.NXDOMAIN }) : outcome;
      }),
      handler('passing', (asked, next) => next(asked)),
      answering,
    ],
    check: async ({ line }) => {
      expect(await ask(line, 'a.')).toBe('NXDOMAIN | a. | a. 60 IN TXT "a"');
    },
  },
  {
    name: 'another question on the way is not seen by the client',
    handlers: () => [handler('renaming', (asked, next) => next(asked.withQuestion('other.'))), answering],
    check: async ({ line }) => {
      expect(await ask(line, 'a.')).toBe('NOERROR | a. | other. 60 IN TXT "other"');
    },
  },
  {
    name: 'silence is silence',
    handlers: () => [answering],
    check: ({ line }) => passedOver(line, message('silent.')),
  },
  {
    name: 'a promise is waited for, and holds nobody else up',
    handlers: (seen) => [
      handler('slow', (asked, next) =>
        asked.name === 'slow.'
          ? new Promise((resolve) => seen.push(() => resolve(TXT(asked.qname, 'slow'))))
          : next(asked),
      ),
      answering,
    ],
    check: async ({ line }, seen) => {
      const slow = message('slow.');
      line.send(slow);
      await until(() => seen.length === 1);
      expect(await ask(line, 'quick.')).toBe('NOERROR | quick. | quick. 60 IN TXT "quick"');
      expect(line.got.length).toBe(1);
      (seen[0] as () => void)();
      expect(summary(decodeMessage(await line.reply(slow.readUInt16BE(0))))).toContain('TXT "slow"');
    },
  },
  {
    name: 'a throw is SERVFAIL, one line and a panic',
    handlers: () => [
      handler('broken', () => {
        throw new Error('out of order');
      }),
    ],
    check: (around) => failed(around, 'out of order'),
  },
  {
    name: 'a promise that is rejected is SERVFAIL, one line and a panic',
    handlers: () => [handler('broken', () => Promise.reject(new Error('out of order')))],
    check: (around) => failed(around, 'out of order'),
  },
  {
    name: 'nonsense at once is SERVFAIL, one line and a panic',
    handlers: () => [handler('broken', () => 'NOERROR' as never)],
    check: (around) => failed(around, 'a handler gave string for a reply'),
  },
  {
    name: 'nonsense later is SERVFAIL, one line and a panic',
    handlers: () => [handler('broken', () => Promise.resolve(undefined as never))],
    check: (around) => failed(around, 'a handler gave undefined for a reply'),
  },
  {
    name: 'nonsense of a plugin is SERVFAIL, one line and a panic',
    handlers: () => [plugin(() => ({ rcode: 'NO' }) as never)],
    check: (around) =>
      failed(around, "plugin/plugin: rcode: got 'NO', allowed: a name such as NXDOMAIN, or a number from 0 to 4095"),
  },
  {
    name: 'the signal fires when the time for the query is up, which is SERVFAIL and one line',
    handlers: (seen) => [
      handler('never', (asked) => {
        seen.push(asked.context.signal);
        return new Promise<Outcome>(() => undefined);
      }),
    ],
    options: { queryTime: 50 },
    check: async ({ way, reached, line }, seen) => {
      expect(await ask(line, 'a.')).toBe('SERVFAIL | a.');
      expect((signalOf(seen).reason as Error).name).toBe('TimeoutError');
      expect(reached.log.lines.filter((text) => text.includes('[ERROR]'))).toEqual(
        way.rejects ? [] : ['[ERROR] "a. TXT" was not answered in time by any handler'],
      );
    },
  },
  {
    name: 'the signal fires when the client leaves',
    where: ({ connects }) => connects,
    handlers: (seen) => [untilAborted(seen)],
    check: async ({ line }, seen) => {
      line.send(message('a.'));
      await until(() => seen.length === 1);
      line.close();
      await until(() => signalOf(seen).aborted);
      expect((signalOf(seen).reason as Error).message).toBe('the client has closed its connection');
    },
  },
  {
    name: 'the signal fires when the configuration is gone, not before its queries had their time',
    manual: true,
    handlers: (seen) => [untilAborted(seen)],
    options: { queryTime: 60_000 },
    check: async ({ reached, line, clock }, seen) => {
      line.send(message('a.'));
      await until(() => seen.length === 1);
      const reloaded = reached.server.reload();
      await until(() => reached.log.lines.includes('[INFO] Reloading'));
      await clock!.advanceAsync(4900);
      expect(signalOf(seen).aborted).toBe(false);
      let over = false;
      void reloaded.then(() => (over = true));
      for (let i = 0; i < 100 && !over; i++) await clock!.advanceAsync(100);
      expect((signalOf(seen).reason as Error).message).toBe('the configuration has ended');
    },
  },
  {
    name: 'a copy of who asks has all of it',
    handlers: (seen) => [
      handler('looking', (asked, next) => {
        seen.push(asked.client, { ...asked.client });
        return next(asked);
      }),
      plugin((asked) => {
        seen.push(asked.client, { ...asked.client });
        return { rcode: 'NXDOMAIN' };
      }),
    ],
    check: async ({ way, reached, line }, seen) => {
      await ask(line, 'a.');
      const { port } = reached.server.served[0]!;
      const { server: at, clients } = addressesOf(way);
      const [client, copy, shown, itsCopy] = seen as [Client, Client, PluginClient, PluginClient];
      for (const { transport, remote, local, server, tls } of [client, copy]) {
        expect([transport, server.label]).toEqual([way.transport, `${way.scheme}://${at}:${port}`]);
        expect([remote.address, remote.port > 0, local.address, local.port]).toEqual([clients[0], true, at, port]);
        expect(tls?.version).toBe(way.scheme === 'dns' ? undefined : 'TLSv1.3');
      }
      expect(structuredClone(itsCopy)).toEqual({ ...shown });
      expect(itsCopy).toMatchObject({ address: clients[0], transport: way.transport, local: { port } });
    },
  },
  {
    name: 'labels are computed once for whoever reads them, and not where nobody does',
    directives: ['metadata'],
    handlers: (seen) => [
      {
        ...handler('knowing', (asked, next) => next(asked)),
        metadata: () => ({
          'knowing/name': (asked: Query) => {
            seen.push(asked.name);
            return `known as ${asked.name}`;
          },
        }),
      },
      handler('reading', (asked, next) => {
        if (asked.name === 'unread.') return next(asked);
        const label = (): string | undefined => asked.context.metadata?.get('knowing/name');
        return TXT(asked.qname, [label(), label()].join(', '));
      }),
      answering,
    ],
    check: async ({ line }, seen) => {
      expect(await ask(line, 'a.')).toContain('TXT "known as a., known as a."');
      await ask(line, 'unread.');
      expect(seen).toEqual(['a.']);
    },
  },
  {
    name: 'a handler that says nothing is asked every time, whatever it promises',
    handlers: (seen) => [handler('silent', (asked) => TXT(asked.qname, String(seen.push('asked'))))],
    check: async ({ line }) => {
      for (const count of [1, 2, 3]) expect(await ask(line, 'a.')).toBe(`NOERROR | a. | a. 60 IN TXT "${count}"`);
    },
  },
  {
    name: 'one that depends on the client gives no client what another was given',
    handlers: () => [
      handler('watchful', (asked) => TXT(asked.qname, asked.client.remote.address), { dependsOn: 'client' }),
    ],
    check: async ({ way, reached, line }) => {
      const { clients } = addressesOf(way);
      const other = await reached.connect(1);
      for (let i = 0; i < 3; i++) {
        expect(await ask(line, 'a.')).toContain(`"${clients[0]}"`);
        expect(await ask(other, 'a.')).toContain(`"${clients[1]}"`);
      }
    },
  },
  {
    name: 'one that depends on the question counts each query once, though answers be shared',
    handlers: (seen) => [
      handler('counting', (asked) => TXT(asked.qname, String(seen.push(1))), {
        dependsOn: 'question',
        hitCounter: () => (plain, edns) => void seen.push(...Array<number>(plain + edns).fill(2)),
      }),
    ],
    check: async ({ way, reached, line }, seen) => {
      const other = await reached.connect(1);
      const forms: [Line, string, QuestionOptions?][] = [
        [line, 'a.'],
        [other, 'a.'],
        [line, 'A.'],
        [other, 'a.', { edns: 1232 }],
        [line, 'A.', { edns: 4096, do: true }],
        [other, 'a.', { cd: true }],
        [line, 'a.'],
      ];
      for (const [from, name, options] of forms)
        expect(await ask(from, name, options)).toMatch(new RegExp(`^NOERROR \\| ${name} \\| ${name} 60 IN TXT "\\d"$`));
      await reached.server.runtime.metrics.text();
      expect(seen.length).toBe(forms.length);
      expect(seen.includes(2)).toBe(way.batched === true);
    },
  },
  {
    name: 'a reply is as long as its client takes',
    handlers: () => [
      handler('long', (asked) =>
        Reply.of(0, 0, {
          answer: Array.from({ length: 60 }, (_, i) => rr(`${asked.qname} 60 IN TXT "${i} ${'x'.repeat(40)}"`)),
        }),
      ),
    ],
    check: async ({ way, line }) => {
      const bounds: [QuestionOptions, number][] = [
        [{}, 512],
        [{ edns: 1232 }, 1232],
        [{ edns: 65_535 }, 4096],
      ];
      for (const [options, bound] of bounds) {
        const { flags, answer } = decodeMessage(await line.ask(message('a.', options)));
        const whole = way.transport !== 'udp' || bound === 4096;
        expect([answer.length === 60, (flags & Flag.TC) !== 0]).toEqual([whole, !whole]);
      }
    },
  },
  {
    name: 'a transfer is a stream of messages, where messages can follow each other',
    handlers: () => [handler('zone', () => new Transfer(['1', '2', '3'].map((text) => TXT('a.', text))))],
    check: async ({ way, line }) => {
      line.send(message('a.', {}, 'AXFR'));
      await until(() => line.got.length === (way.streams ? 3 : 1));
      expect(line.got.map((bytes) => summary(decodeMessage(bytes)))).toEqual(
        way.streams ? ['1', '2', '3'].map((text) => `NOERROR | a. | a. 60 IN TXT "${text}"`) : ['REFUSED | a.'],
      );
    },
  },
  {
    name: 'headers are judged before a handler is asked',
    handlers: (seen) => [
      handler('looking', (asked, next) => {
        seen.push(asked.name);
        return next(asked);
      }),
      answering,
    ],
    check: async ({ way, line }, seen) => {
      const altered = (change: (bytes: Buffer) => void): Buffer => {
        const bytes = message('bad.');
        change(bytes);
        return bytes;
      };
      const bad: [Buffer, string][] = [
        [altered((bytes) => (bytes[2] = 0x29)), 'NOTIMP'],
        [altered((bytes) => bytes.writeUInt16BE(2, 4)), 'FORMERR'],
        [altered((bytes) => bytes.writeUInt16BE(2, 6)), 'FORMERR'],
        [altered((bytes) => bytes.writeUInt16BE(3, 10)), 'FORMERR'],
      ];
      for (const [bytes, want] of bad)
        if (way.refusesOutside) line.send(bytes);
        else expect(rcodeName((await line.ask(bytes))[3]! & 15)).toBe(want);
      line.send(altered((bytes) => (bytes[2] = 0x81)));
      line.send(message('bad.').subarray(0, 11));
      await ask(line, 'good.');
      expect([line.got.length, seen]).toEqual([way.refusesOutside ? 1 : bad.length + 1, ['good.']]);
    },
  },
];

/** The tests of all that holds for handlers, or of the rows with such names. */
export function handlerContract(way: Way, only = /./): void {
  describe(`handlers reached by ${way.name}`, () => {
    let reached: Reached | undefined;
    let clock: ManualClock | undefined;
    afterEach(async () => {
      const stopped = reached?.stop();
      let over = false;
      void stopped?.finally(() => (over = true));
      // What waits at its sockets is given a moment.
      while (clock && stopped && !over) await clock.advanceAsync(10);
      await stopped;
      reached = undefined;
    });
    it.each(ROWS.filter(({ name, where }) => only.test(name) && (where?.(way) ?? true)))('$name', async (row) => {
      const seen: unknown[] = [];
      const handlers = row.handlers(seen);
      clock = row.manual === true ? new ManualClock() : undefined;
      reached = new Reached(way);
      await reached.start([...(row.directives ?? []), ...handlers.map(({ name }) => name)], {
        ...row.options,
        ...(clock && { clock }),
        plugins: [
          ...PLUGINS,
          ...handlers.map((one) => (one as { adapted?: never }).adapted ?? definePlugin(one.name, () => one)),
        ],
      });
      await row.check({ way, reached, line: await reached.connect(), clock }, seen);
    });
  });
}
