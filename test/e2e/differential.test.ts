import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reply, definePlugin, type DependsOn, type PluginDefinition } from '../../src/chain/index.js';
import { randomBelow, seededRandom, type Random } from '../../src/lib/random.js';
import { PLUGINS } from '../../src/server/directives.js';
import { Rcode, decodeMessage, type Rr } from '../../src/wire/index.js';
import { rr } from '../support/dns.js';
import { drawnHttpPorts, pageEnv, pageExamples } from '../support/manual-pages.js';
import { UdpClient, play, startUpstream, type Plan, type Result, type Step } from '../support/two-ways.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const missing = process.platform !== 'linux';
if (missing) console.log('test/e2e/differential: batched I/O is for Linux; skipped');

const clients = [1, 2, 3].map((last) => new UdpClient(`127.0.0.${last}`));
let upstream: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => void (upstream = await startUpstream()));
afterAll(() => {
  upstream.stop();
  for (const client of clients) client.close();
});

const pick = <T>(random: Random, from: readonly T[]): T => from[randomBelow(random, from.length)]!;

const NAMES = [
  'www.example.org.',
  'google.com.',
  'alias.example.org.',
  'many.example.org.',
  'nodata.example.org.',
  'fail.example.org.',
  'none.example.org.',
  'web.default.svc.cluster.local.',
  'headless.default.svc.cluster.local.',
  'none.default.svc.cluster.local.',
  '1.0.96.10.in-addr.arpa.',
];

/** Names that a Corefile itself has something to say about. */
const namesIn = (corefile: string): string[] =>
  [...corefile.matchAll(/(?:[a-z0-9-]+\.)+(?:org|com|net|local|test)\b/g)].map(([name]) => `${name}.`).slice(0, 4);

const capitals = (name: string): string => [...name].map((c, i) => (i % 2 ? c : c.toUpperCase())).join('');

/** Few names, asked often by several clients in all forms: what is shared comes up again. */
function script(seed: number, corefile: string, length = 50): Step[] {
  const random = seededRandom(seed);
  const names = [...namesIn(corefile), ...NAMES];
  const chosen = Array.from({ length: 5 }, () => pick(random, names));
  return Array.from({ length }, (_, id) => {
    const name = pick(random, chosen);
    const edns = pick(random, [undefined, undefined, 512, 1232, 4096]);
    return {
      id,
      name: randomBelow(random, 6) === 0 ? capitals(name) : name,
      type: pick(random, ['A', 'A', 'A', 'AAAA', 'SRV', 'TXT']),
      from: randomBelow(random, 3),
      at: randomBelow(random, 4) === 0 ? randomBelow(random, 4) : 0,
      edns,
      do: edns !== undefined && randomBelow(random, 4) === 0,
      cd: randomBelow(random, 8) === 0,
      rd: randomBelow(random, 8) !== 0,
      // What tells the client its port would tell another one for each connection.
      transport: randomBelow(random, 8) === 0 && !corefile.includes('whoami') ? 'tcp' : 'udp',
    };
  });
}

/** Seconds that passed between two runs, and an order that is drawn anew for each answer, are no difference. */
function comparable(answer: string): unknown {
  if (answer === 'none') return answer;
  const message = decodeMessage(Buffer.from(answer, 'hex'));
  const section = (records: readonly Rr[]): unknown[] =>
    records
      .map((record) => ({ ...record, ttl: undefined, rdata: steady(record) }))
      .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  const { answer: found, authority, additional, ...rest } = message;
  return { size: answer.length, ...rest, sections: [found, authority, additional].map(section) };
}

/**
 * The serial of a zone made of objects is the time at which they were read; a signature is no two times the same, and
 * says when it was made (RFC 4034 section 3.1).
 */
function steady({ type, rdata }: Rr): string {
  const bytes = Buffer.from(rdata);
  if (type === 6) return Buffer.concat([bytes.subarray(0, -20), bytes.subarray(-16)]).toString('hex');
  if (type === 46) return Buffer.concat([bytes.subarray(0, 8), bytes.subarray(16, 18)]).toString('hex');
  return bytes.toString('hex');
}

const ttls = (answer: string): number[] =>
  answer === 'none'
    ? []
    : decodeMessage(Buffer.from(answer, 'hex'))
        .answer.map(({ ttl }) => ttl)
        .sort((a, b) => a - b);

/** What the two runs differ in; empty when in nothing. */
function differences(plan: Plan, one: Result, other: Result): unknown[] {
  const answers = plan.script.flatMap((step, i) => {
    const [a, b] = [one.answers[i]!, other.answers[i]!];
    if (a === b) return [];
    const late = ttls(a).some((ttl, k) => Math.abs(ttl - (ttls(b)[k] ?? -10)) > 3);
    const [x, y] = [comparable(a), comparable(b)];
    return JSON.stringify(x) === JSON.stringify(y) && !late ? [] : [{ step, one: x, other: y }];
  });
  const counters = [
    ...one.counters.filter((line) => !other.counters.includes(line)).map((line) => `batched: ${line}`),
    ...other.counters.filter((line) => !one.counters.includes(line)).map((line) => `dgram: ${line}`),
  ];
  // What fails in both is no difference, and still a fault.
  return [...answers, ...counters, ...one.panics, ...other.panics];
}

async function compare(plan: Plan): Promise<unknown[]> {
  const around = { clients, upstream: upstream.port, cwd: ROOT };
  const batched = await play(plan, 'batched', around);
  const dgram = await play(plan, 'dgram', around);
  return differences(plan, batched, dgram);
}

/** Where zones are signed to: by the first run, for both. */
const signed = mkdtempSync(path.join(os.tmpdir(), 'nodens-signed-'));
afterAll(() => rmSync(signed, { recursive: true }));

/** Whether some key of a Corefile is for DNS in the clear: there is nothing to compare otherwise. */
const hasPlainAddress = (corefile: string): boolean =>
  [...corefile.matchAll(/^(?!\()\S.*(?=\{\s*$)/gm)].some(([keys]) =>
    keys.split(/[\s,]+/).some((key) => key !== '' && !/^(?!dns:)\w+:\/\//.test(key)),
  );

/** Drawn ports where a plugin listens for HTTP, and an end that does not wait. */
const quick = (text: string): string =>
  drawnHttpPorts(text)
    .replace(/lameduck \S+/g, 'lameduck 0s')
    // What the first run leaves is not for the second.
    .replace(/^\s*persist .*$/gm, '');

describe.skipIf(missing)('batched and plain datagrams give the same answers and counters', () => {
  const env = {
    ...pageEnv(signed),
    NODENS_PORT: '1053',
  };
  const corefiles = readdirSync(path.join(ROOT, 'corefiles'))
    .filter((file) => file.endsWith('.Corefile'))
    .map((file) => ({ name: file, text: readFileSync(path.join(ROOT, 'corefiles', file), 'utf8') }));
  it.each(corefiles)('of $name', async ({ name, text }) => {
    const corefile = quick(text);
    expect(await compare({ name, corefile, script: script(1, corefile), env })).toEqual([]);
  });

  /** Answers that are drawn by lot, or that tell how busy the machine is, are never the same. */
  const BY_CHANCE = new Set(['erratic', 'shed']);
  const examples = PLUGINS.filter(({ name }) => !BY_CHANCE.has(name)).flatMap(({ name }) => pageExamples(name));
  // The upstream of this test speaks plain DNS only: such examples would only show how long others are waited for.
  const plain = examples.filter(({ text }) => !/(tls|https):\/\/|^\s*grpc /m.test(text) && hasPlainAddress(text));
  it.each(plain)('of the manual page, example $name', async ({ name, text }) => {
    const corefile = quick(text);
    expect(await compare({ name, corefile, script: script(2, corefile, 25), env })).toEqual([]);
  });

  it('of an alias that is followed, where the log says where queries were sent to', async () => {
    const corefile = `.:1053 {
  log . "{local} {name} {rcode}"
  template IN A alias.example. {
    answer "alias.example. 60 IN CNAME target.example."
  }
  hosts {
    192.0.2.7 target.example
    fallthrough
  }
}
`;
    const asked: Step[] = [0, 1, 2, 0].map((from, id) => ({ id, name: 'alias.example.', from }));
    expect(await compare({ name: 'alias', corefile, script: asked })).toEqual([]);
  });

  it.each(Array.from({ length: 24 }, (_, seed) => ({ seed })))('of a chain drawn from seed $seed', async ({ seed }) => {
    const corefile = drawnCorefile(seededRandom(seed));
    const plan = { name: `seed ${seed}`, corefile, script: script(100 + seed, corefile), more: STRANGERS };
    expect(await compare(plan), corefile).toEqual([]);
  });
});

/** A plugin that refuses one client, the way a stranger would write it: `claims` is what it says of itself. */
const refusing = (name: string, claims: { dependsOn?: DependsOn }): PluginDefinition =>
  definePlugin(name, () => ({
    name,
    ...claims,
    handle: (query, next) => (query.client.remote.address === '127.0.0.2' ? Reply.empty(Rcode.REFUSED) : next(query)),
  }));

/** Counts the queries that reached it, and answers some of them with the number. */
const counting = definePlugin('counting', () => {
  let count = 0;
  return {
    name: 'counting',
    handle: (query, next) => {
      count++;
      return query.name.startsWith('none')
        ? Reply.of(0, 0, { answer: [rr(`${query.qname} 5 IN TXT "${count}"`)] })
        : next(query);
    },
  };
});

const STRANGERS: NonNullable<Plan['more']> = [
  { before: 'cache', plugin: refusing('silent', {}) },
  { before: 'cache', plugin: refusing('watchful', { dependsOn: 'client' }) },
  { before: 'loadbalance', plugin: counting },
];

const INGREDIENTS = [
  'cache',
  'cache 30',
  'cache {\n    success 5 60\n    denial 5 10\n  }',
  'cache {\n    disable success example.org\n  }',
  'cache {\n    keepttl\n  }',
  'cache {\n    prefetch 2 10s 50%\n  }',
  'loadbalance',
  'errors',
  'log',
  'log . "{local} {remote} {name}" {\n    class denial\n  }',
  'log . "{local} {name} {rcode}"',
  'prometheus 127.0.0.1:0',
  'silent',
  'watchful',
  'counting',
  'rewrite name exact google.com www.example.org',
  'rewrite edns0 local set 0xffee {client_ip}',
  'rewrite stop name regex none\\.(.*) www.{1} answer auto',
  'template IN TXT example.org {\n    answer "{{ .Name }} 60 IN TXT hello"\n    fallthrough\n  }',
  'template IN A none.example.org {\n    answer "{{ .Name }} 60 IN CNAME alias.example.org."\n    fallthrough\n  }',
  'hosts {\n    192.0.2.9 google.com\n    fallthrough\n  }',
  'kubernetes cluster.local in-addr.arpa {\n    fallthrough\n  }',
];

/** A server block of some plugins before `forward` or `whoami`; sometimes with a second block for a part of the names. */
function drawnCorefile(random: Random): string {
  const directives = (): string => {
    const kinds = new Map<string, string>();
    for (let i = 0; i < 6; i++) {
      const text = pick(random, INGREDIENTS);
      kinds.set(text.split(/[ \n]/)[0]!, text);
    }
    const last = randomBelow(random, 6) === 0 ? 'whoami' : 'forward . 192.0.2.53';
    return [...kinds.values(), last].map((text) => `  ${text}\n`).join('');
  };
  const second = randomBelow(random, 3) === 0 ? `example.org:1053 {\n${directives()}}\n` : '';
  return `.:1053 {\n${directives()}}\n${second}`;
}

describe.skipIf(missing)('the comparison notices', () => {
  const corefile = '.:1053 {\n  refuser\n  cache\n  forward . 192.0.2.53\n}\n';
  const asked: Step[] = [0, 0, 1, 0, 1].map((from, id) => ({ id, name: 'www.example.org.', from }));

  it('a plugin that looks at the client and says that it does not', async () => {
    const more = [{ before: 'cache', plugin: refusing('refuser', { dependsOn: 'question' }) }];
    expect(await compare({ name: 'lie', corefile, script: asked, more })).not.toEqual([]);
  });

  it.each<{ claims: { dependsOn?: DependsOn } }>([{ claims: {} }, { claims: { dependsOn: 'client' } }])(
    'nothing where it says $claims',
    async ({ claims }) => {
      const more = [{ before: 'cache', plugin: refusing('refuser', claims) }];
      expect(await compare({ name: 'truth', corefile, script: asked, more })).toEqual([]);
    },
  );
});
