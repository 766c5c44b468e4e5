import { afterEach, describe, expect, it } from 'vitest';
import { Reply, definePlugin, type Query } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { PLUGINS } from '../../src/server/directives.js';
import { rr, texts } from '../support/dns.js';
import { running, type Running } from '../support/running.js';

let server: Running | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Answers each query with one more address, and remembers what reached it. */
function counting(asked: Query[]): ReturnType<typeof definePlugin> {
  return definePlugin('counting', () => ({
    name: 'counting',
    handle: (query) => {
      asked.push(query);
      return Reply.of(0, 0, { answer: [rr(`${query.qname} 1 IN A 192.0.2.${asked.length}`)] });
    },
  }));
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
};

describe('a changed copy of a query that came as a datagram keeps what is known of its client', () => {
  it('when an alias is followed with the local address in the log', async () => {
    server = await running(`
      .:0 {
        bind 127.0.0.1
        log . "{local} {name} {rcode}"
        template IN A alias.example. {
          answer "alias.example. 60 IN CNAME target.example."
        }
        hosts {
          192.0.2.7 target.example
          fallthrough
        }
      }`);
    const answer = await server.ask('alias.example.');
    expect([answer.rcode, texts(answer.answer)]).toEqual([
      0,
      ['alias.example. 60 IN CNAME target.example.', 'target.example. 3600 IN A 192.0.2.7'],
    ]);
    expect(server.log.filter((line) => line.includes('anic'))).toEqual([]);
    expect(server.log).toContain('[INFO] 127.0.0.1 alias.example. NOERROR');
  });

  it('when a stale answer is fetched anew: who asked whom, and the address of the server in an option', async () => {
    const asked: Query[] = [];
    const clock = new ManualClock();
    server = await running(
      `.:0 {
        bind 127.0.0.1
        cache {
          serve_stale 1h
        }
        rewrite edns0 local set 0xffee {server_ip}
        counting
      }`,
      { plugins: [...PLUGINS, counting(asked)], clock },
    );
    await server.ask('a.example.');
    clock.advance(10_000);
    await server.ask('a.example.');
    await until(() => asked.length === 2);
    expect(asked.map((query) => query.ednsOptions.map(({ data }) => [...data].join('.')))).toEqual([
      ['127.0.0.1'],
      ['127.0.0.1'],
    ]);
    // Each client has a port of its own.
    const [first, second] = asked.map(({ client }) => ({ ...client, remote: client.remote.address }));
    expect(first).toMatchObject({ local: { address: '127.0.0.1', port: server.port }, remote: '127.0.0.1' });
    // Nobody is waiting for the bytes: they may as well come over TCP.
    expect(second).toEqual({ ...first, transport: 'tcp' });
    expect(server.log.filter((line) => line.includes('ERROR'))).toEqual([]);
  });
});

describe('a query that no handler answers in time', () => {
  it('gets SERVFAIL, its signal fires, and the log names it', async () => {
    let signal: AbortSignal | undefined;
    const never = definePlugin('never', () => ({
      name: 'never',
      handle: (query) => {
        ({ signal } = query.context);
        return new Promise(() => undefined);
      },
    }));
    server = await running('.:0 {\nbind 127.0.0.1\nnever\n}', { plugins: [...PLUGINS, never], queryTime: 50 });
    expect((await server.ask('a.example.')).rcode).toBe(2);
    expect((signal!.reason as Error).name).toBe('TimeoutError');
    expect(server.log).toContain('[ERROR] "a.example. A" was not answered in time by any handler');
  });
});

describe('several blocks for one zone', () => {
  const view = definePlugin('only', ([directive], block) => {
    const [name = '', suffix = ''] = directive.args;
    block.settings.view = {
      name,
      dependsOn: 'client',
      matches: ({ client }) => client.remote.address.endsWith(suffix),
    };
    return undefined;
  });
  const plugins = [view, ...PLUGINS];

  it('the first that holds serves, the next one otherwise', async () => {
    server = await running(
      `.:0 {
        bind 127.0.0.1
        only two .2
        hosts {
          192.0.2.2 a.example
        }
      }
      .:0 {
        bind 127.0.0.1
        hosts {
          192.0.2.1 a.example
        }
      }`,
      { plugins },
    );
    const address = async (from: string): Promise<string[]> =>
      texts((await server!.ask('a.example.', 'A', { from })).answer);
    expect(await address('127.0.0.2')).toEqual(['a.example. 3600 IN A 192.0.2.2']);
    expect(await address('127.0.0.1')).toEqual(['a.example. 3600 IN A 192.0.2.1']);
  });

  it('a block behind one that serves everybody is refused', async () => {
    await expect(
      running('.:0 {\nbind 127.0.0.1\nwhoami\n}\n.:0 {\nbind 127.0.0.1\nonly two .2\nwhoami\n}', { plugins }),
    ).rejects.toThrow('Corefile:5: cannot serve dns://.:0 on 127.0.0.1 - it is already defined');
  });

  it('a query that no block serves goes to the zone above', async () => {
    server = await running(
      `example.:0 {
        bind 127.0.0.1
        only two .2
        hosts {
          192.0.2.2 a.example
        }
      }
      .:0 {
        bind 127.0.0.1
        hosts {
          192.0.2.1 a.example
        }
      }`,
      { plugins },
    );
    expect(texts((await server.ask('a.example.')).answer)).toEqual(['a.example. 3600 IN A 192.0.2.1']);
  });
});
