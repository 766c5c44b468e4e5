import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Reply, definePlugin, type DependsOn, type PluginDefinition } from '../../src/chain/index.js';
import { randomBelow, seededRandom, type Random } from '../../src/lib/random.js';
import { PLUGINS } from '../../src/server/directives.js';
import { Rcode } from '../../src/wire/index.js';
import { rr } from './dns.js';
import { drawnHttpPorts, pageEnv, pageExamples } from './manual-pages.js';
import type { Plan, Step } from './two-ways.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');

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
export function script(seed: number, corefile: string, length = 50): Step[] {
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

/** Answers that are drawn by lot, or that tell how busy the machine is, are never the same. */
const BY_CHANCE = new Set(['erratic', 'shed']);

const ALIAS = `.:1053 {
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
const ALIAS_ASKED: Step[] = [0, 1, 2, 0].map((from, id) => ({ id, name: 'alias.example.', from }));

/** A plugin that refuses one client, the way a stranger would write it: `claims` is what it says of itself. */
export const refusing = (name: string, claims: { dependsOn?: DependsOn }, client: string): PluginDefinition =>
  definePlugin(name, () => ({
    name,
    ...claims,
    handle: (query, next) => (query.client.remote.address === client ? Reply.empty(Rcode.REFUSED) : next(query)),
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

const strangers = (refused: string): NonNullable<Plan['more']> => [
  { before: 'cache', plugin: refusing('silent', {}, refused) },
  { before: 'cache', plugin: refusing('watchful', { dependsOn: 'client' }, refused) },
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

/** Those that let answers be shared. */
const SHARING = INGREDIENTS.filter((text) => !/^(silent|watchful|counting|log|rewrite|prometheus)/.test(text));

/** A server block of some plugins before `forward` or `whoami`; sometimes with a second block for a part of the names. */
function drawnCorefile(random: Random, from = INGREDIENTS): string {
  const directives = (): string => {
    const kinds = new Map<string, string>();
    for (let i = 0; i < 6; i++) {
      const text = pick(random, from);
      kinds.set(text.split(/[ \n]/)[0]!, text);
    }
    const last = randomBelow(random, 6) === 0 ? 'whoami' : 'forward . 192.0.2.53';
    return [...kinds.values(), last].map((text) => `  ${text}\n`).join('');
  };
  const second = randomBelow(random, 3) === 0 ? `example.org:1053 {\n${directives()}}\n` : '';
  return `.:1053 {\n${directives()}}\n${second}`;
}

/** Chains whose answers may be shared, asked often for few names. */
export const sharingPlans = (): Plan[] =>
  Array.from({ length: 8 }, (_, i) => {
    const corefile = drawnCorefile(seededRandom(1000 + i), SHARING);
    return { name: `seed ${1000 + i}, shared`, corefile, script: script(2000 + i, corefile, 200) };
  });

/** All of them: `signed` is a folder for signed zones, `refused` the address of the second client. */
export function drawnPlans(signed: string, refused: string): Plan[] {
  const env = { ...pageEnv(signed), NODENS_PORT: '1053' };
  const corefiles = readdirSync(path.join(ROOT, 'corefiles'))
    .filter((file) => file.endsWith('.Corefile'))
    .map((name) => ({ name, text: readFileSync(path.join(ROOT, 'corefiles', name), 'utf8') }));
  const examples = PLUGINS.filter(({ name }) => !BY_CHANCE.has(name)).flatMap(({ name }) => pageExamples(name));
  // The upstream of these tests speaks plain DNS only: such examples would only show how long others are waited for.
  const plain = examples.filter(({ text }) => !/(tls|https):\/\/|^\s*grpc /m.test(text) && hasPlainAddress(text));
  const planOf = ({ name, text }: { name: string; text: string }, seed: number, length: number): Plan => {
    const corefile = quick(text);
    return { name, corefile, script: script(seed, corefile, length), env };
  };
  const drawn = Array.from({ length: 24 }, (_, seed) => {
    const corefile = drawnCorefile(seededRandom(seed));
    return { name: `seed ${seed}`, corefile, script: script(100 + seed, corefile), more: strangers(refused) };
  });
  return [
    ...corefiles.map((one) => planOf(one, 1, 50)),
    ...plain.map((one) => ({ ...planOf(one, 2, 25), name: `the page's ${one.name}` })),
    {
      name: 'an alias that is followed, where the log says where queries were sent to',
      corefile: ALIAS,
      script: ALIAS_ASKED,
    },
    ...drawn,
  ];
}
