import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runBusyboxNslookup, runDig, runGetent, runHost, runNslookup, type ToolEnv, type ToolRun } from '../../src/resolver/index.js';
import { FakeNetwork, lab } from './lab.js';

const PROGRAMS: Record<string, (args: string[], env: ToolEnv) => Promise<ToolRun>> = {
  nslookup: runNslookup, dig: runDig, host: runHost, getent: runGetent, busybox: (args, env) => runBusyboxNslookup(args.slice(1), env),
};

interface Recording {
  readonly name: string;
  readonly output: string;
  readonly queries: string[];
}

/** A file of recordings: `# ` resolv.conf, then for each command `$ command`, its output, `[exit N]`, and the queries that arrived, sockets numbered. */
function recordings(file: string): { resolvConf: string; list: Recording[] } {
  const [head, ...blocks] = readFileSync(new URL(`recorded/${file}.txt`, import.meta.url), 'latin1').split(/^\$ /m);
  const resolvConf = head!.replaceAll('# ', '');
  const list = blocks.map((block) => {
    const [name, ...lines] = block.trimEnd().split('\n') as [string, ...string[]];
    return { name, output: lines.filter((line) => !line.startsWith('> ')).join('\n'), queries: lines.filter((line) => line.startsWith('> ')).map((line) => line.slice(2)) };
  });
  return { resolvConf, list };
}

/** What differs from run to run: ids, times, cookies. */
const masked = (text: string): string => text
  .replace(/\bid: \d+/g, 'id: -').replace(/^;; Query time: \d+ msec$/gm, ';; Query time: - msec').replace(/^;; WHEN: .*$/gm, ';; WHEN: -')
  .replace(/ in \d+ (ms\.?)$/gm, ' in - $1').replace(/COOKIE: [\da-f]+/g, 'COOKIE: -').replace(/completed in \d+ms/g, 'completed in -ms');

/** Queries with the sockets numbered in the order of their first query. */
function numbered(asked: readonly string[]): string[] {
  const sockets = new Map<string, number>();
  return asked.map((line) => {
    const [protocol, server, port, ...rest] = line.split(' ') as [string, string, string];
    if (!sockets.has(port)) sockets.set(port, sockets.size);
    return [protocol, server, sockets.get(port), ...rest].join(' ');
  });
}

describe.each(['nslookup', 'nslookup-two-servers', 'dig', 'dig-two-servers', 'host', 'host-two-servers', 'getent', 'getent-two-servers', 'busybox', 'busybox-two-servers'])('%s', (file) => {
  const { resolvConf, list } = recordings(file);
  // The machine of the recordings had IPv4 addresses only.
  it.each(list)('$name', async ({ name, output, queries }) => {
    const { env, network, finish } = lab(resolvConf, new FakeNetwork());
    const [program, ...args] = name.split(' ') as [string, ...string[]];
    const run = await finish(PROGRAMS[program]!(args, env));
    expect(`${masked(run.text)}[exit ${run.exitCode}]`).toBe(masked(output));
    expect(numbered(network.asked)).toEqual(queries);
    expect(run.queries.filter((query) => query.local !== undefined)).toHaveLength(queries.length);
  });
});
