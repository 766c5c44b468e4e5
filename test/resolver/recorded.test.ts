import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  StubResolver,
  runBusyboxNslookup,
  runDig,
  runGetent,
  runHost,
  runNslookup,
  type LookupErrorCode,
  type ProfileName,
  type ToolEnv,
  type ToolRun,
} from '../../src/resolver/index.js';
import { FakeNetwork, lab } from './lab.js';

const PROGRAMS: Record<string, (args: string[], env: ToolEnv) => Promise<ToolRun>> = {
  nslookup: runNslookup,
  dig: runDig,
  host: runHost,
  getent: runGetent,
  busybox: (args, env) => runBusyboxNslookup(args.slice(1), env),
  'gai-glibc': getaddrinfo('glibc'),
  'gai-musl': getaddrinfo('musl'),
  'gai-go': getaddrinfo('go'),
};

/** Numbers of getaddrinfo's errors in netdb.h. */
const EAI: Partial<Record<LookupErrorCode, number>> = { EAI_NONAME: -2, EAI_AGAIN: -3, EAI_NODATA: -5 };

/** A program that prints the addresses of a name, one on a line, or the error. */
function getaddrinfo(profile: ProfileName) {
  return async ([name]: string[], env: ToolEnv): Promise<ToolRun> => {
    const { addresses, error, queries } = await new StubResolver({ ...env, profile }).lookup(name!);
    if (error === undefined) return { text: addresses.map((address) => `${address}\n`).join(''), exitCode: 0, queries };
    return { text: `${profile === 'go' ? '' : `error ${EAI[error.code]} `}${error.text}\n`, exitCode: 2, queries };
  };
}

interface Recording {
  readonly name: string;
  readonly output: string;
  readonly queries: string[];
}

/**
 * A file of recordings: `# ` resolv.conf, then for each command `$ command`, its output, `[exit N]`, and the queries
 * that arrived, sockets numbered.
 */
function recordings(file: string): { resolvConf: string; list: Recording[] } {
  const [head, ...blocks] = readFileSync(new URL(`recorded/${file}.txt`, import.meta.url), 'latin1').split(/^\$ /m);
  const resolvConf = head!.replaceAll('# ', '');
  const list = blocks.map((block) => {
    const [name, ...lines] = block.trimEnd().split('\n') as [string, ...string[]];
    return {
      name,
      output: lines.filter((line) => !line.startsWith('> ')).join('\n'),
      queries: lines.filter((line) => line.startsWith('> ')).map((line) => line.slice(2)),
    };
  });
  return { resolvConf, list };
}

/** What differs from run to run: ids, times, cookies. */
const masked = (text: string): string =>
  text
    .replace(/\bid: \d+/g, 'id: -')
    .replace(/^;; Query time: \d+ msec$/gm, ';; Query time: - msec')
    .replace(/^;; WHEN: .*$/gm, ';; WHEN: -')
    .replace(/ in \d+ (ms\.?)$/gm, ' in - $1')
    .replace(/COOKIE: [\da-f]+/g, 'COOKIE: -')
    .replace(/completed in \d+ms/g, 'completed in -ms')
    .replace(/(read (?:udp|tcp)) \S+:\d+->/g, '$1 -->');

/** Queries with the sockets numbered in the order of their first query. */
function numbered(asked: readonly string[]): string[] {
  const sockets = new Map<string, number>();
  return asked.map((line) => {
    const [protocol, server, port, ...rest] = line.split(' ') as [string, string, string];
    if (!sockets.has(port)) sockets.set(port, sockets.size);
    return [protocol, server, sockets.get(port), ...rest].join(' ');
  });
}

describe.each([
  'nslookup',
  'nslookup-two-servers',
  'dig',
  'dig-two-servers',
  'host',
  'host-two-servers',
  'getent',
  'getent-two-servers',
  'busybox',
  'busybox-two-servers',
  'no-search',
  'words',
  'getaddrinfo-pod',
  'getaddrinfo-two',
  'getaddrinfo-three',
  'getaddrinfo-attempts',
  'getaddrinfo-single',
  'getaddrinfo-reopen',
  'getaddrinfo-vc',
  'getaddrinfo-edns',
  'getaddrinfo-dot',
  'getaddrinfo-none',
])('%s', (file) => {
  const { resolvConf, list } = recordings(file);
  it.each(list)('$name', async ({ name, output, queries }) => {
    const [program, ...args] = name.split(' ') as [string, ...string[]];
    // The machine of the recordings had an IPv4 address for its servers, but no route to the addresses that were found.
    const { env, network, finish } = lab(
      resolvConf,
      new FakeNetwork(undefined, program.startsWith('gai-') ? ['127.0.0.1'] : ['127.0.0.1', '10.244.0.5']),
    );
    const run = await finish(PROGRAMS[program]!(args, env));
    // Go leaves addresses that it cannot reach in the order in which they came.
    const lines = (text: string): string => (program === 'gai-go' ? text.split('\n').sort().join('\n') : text);
    expect(lines(`${masked(run.text)}[exit ${run.exitCode}]`)).toBe(lines(masked(output)));
    // What leaves side by side, or for several servers at once, arrives in any order.
    const order = /gai-(go|musl)/.test(program)
      ? (asked: string[]) => asked.map((line) => line.replace(/^(\S+ \S+) \d+/, '$1')).sort()
      : (asked: string[]) => asked;
    expect(order(numbered(network.asked))).toEqual(order(queries));
    expect(run.queries.filter((query) => query.local !== undefined && query.server.port === 53)).toHaveLength(
      queries.length,
    );
  });
});
