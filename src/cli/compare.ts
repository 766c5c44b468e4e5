import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../corefile/environment.js';
import { compare, type CompareOptions, type Comparison } from '../insight/compare/comparison.js';
import {
  comparisonExitCode,
  comparisonJson,
  comparisonText,
  progressLine,
} from '../insight/compare/comparison-report.js';
import { serverAt, serverOfCorefile, type ComparedServer } from '../insight/compare/compared-server.js';
import { DIFFERENCES, type DifferenceClass } from '../insight/compare/difference.js';
import { AdminQueries } from '../insight/compare/admin-queries.js';
import { LiveQueries, type TapAddress } from '../insight/compare/live-queries.js';
import { readRecording } from '../insight/compare/recording.js';
import { ipFamily } from '../lib/cidr.js';
import { realClock, sleep } from '../lib/clock.js';
import { parseDuration } from '../lib/duration.js';
import { isExpected } from '../lib/errors.js';
import { FlagError } from '../lib/go-flags.js';
import { silentLog } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import { HostNetwork } from '../net/host-network.js';
import type { Endpoint } from '../net/network.js';
import { adminAddress, adminAddressText } from '../server/admin-flags.js';
import type { AdminCaller } from '../insight/admin/ask-admin.js';
import type { Command } from './command.js';
import { say } from './say.js';
import { callOf, misused } from './tool.js';
import { COMPARE } from './tools.js';

/** A command line, read. */
interface Wanted {
  readonly source:
    | { readonly from: string }
    | { readonly shadow: TapAddress; readonly sample: number }
    | { readonly admin: AdminCaller; readonly sample: number };
  readonly time: Milliseconds;
  readonly old: string;
  readonly new: string;
  readonly port: number;
  readonly timeout: Milliseconds;
  readonly examples: number;
  readonly json: boolean;
  readonly run: Omit<CompareOptions, 'clock'>;
}

/** `nodens compare`: asks two servers the same, and tells what they answer otherwise. */
export const compareCommand: Command = async (args, env) => {
  const call = callOf(COMPARE, args);
  if (typeof call === 'number') return call;
  const servers: ComparedServer[] = [];
  try {
    if (call.rest.length > 0) throw new FlagError(`unexpected argument '${call.rest[0]}'`);
    const wanted = wantedOf(call.values);
    const open = async (text: string): Promise<ComparedServer> => {
      const server = await serverFor(text, wanted.timeout, env);
      servers.push(server);
      return server;
    };
    const { queries, from, total, end } = await sourceOf(wanted);
    const [old, fresh] = [await open(wanted.old), await open(wanted.new)];
    const comparison = await compare(queries, old, fresh, { ...wanted.run, clock: realClock, ...bar(total) });
    await end();
    say(report(comparison, { from, old: wanted.old, new: wanted.new }, wanted));
    return comparisonExitCode(comparison);
  } catch (error) {
    if (error instanceof FlagError) return misused(COMPARE, error.message);
    if (!isExpected(error)) throw error;
    process.stderr.write(`nodens compare: ${error.message}\n`);
    return 2;
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
};

function report(
  comparison: Comparison,
  names: Parameters<typeof comparisonText>[1],
  { json, examples }: Wanted,
): string {
  if (json) return comparisonJson(comparison, names);
  const rate = Math.round((comparison.asked * 1000) / Math.max(comparison.time, 1));
  return `${comparisonText(comparison, names, examples)}\nin ${(comparison.time / 1000).toFixed(1)} s, ${rate} queries a second\n`;
}

/** A bar on a terminal; nothing elsewhere. */
function bar(total: number | undefined): Pick<CompareOptions, 'progress'> {
  if (!process.stderr.isTTY || total === undefined) return {};
  return {
    progress: (done) => void process.stderr.write(`\r${progressLine(done, total)}${done >= total ? '\r\x1b[K' : ''}`),
  };
}

type QuerySource = Parameters<typeof compare>[0];

/** Queries, where they are from, how many they are where that is known, and what is to be done after the last. */
interface WantedQueries {
  readonly queries: QuerySource;
  readonly from: string;
  readonly total: number | undefined;
  readonly end: () => void | Promise<void>;
}

async function sourceOf({ source, port, time }: Wanted): Promise<WantedQueries> {
  if ('from' in source) {
    const { queries, notes } = readRecording(source.from, port);
    for (const note of notes) process.stderr.write(`${source.from}: ${note}\n`);
    return { queries, from: source.from, total: queries.length, end: () => undefined };
  }
  if ('admin' in source) return adminSource(source.admin, source.sample, time);
  const { shadow, sample } = source;
  const live = new LiveQueries(sample, (text) => process.stderr.write(`${text}\n`));
  const opened = await live.listen(shadow);
  const from = 'path' in shadow ? shadow.path : `${shadow.host}:${opened}`;
  process.stderr.write(`waiting for dnstap at ${from}\n`);
  const stop = (): void => live.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  void sleep(realClock, time).then(stop);
  return { queries: live, from, total: undefined, end: () => tellLost(live.lost) };
}

/** What a server is asked that says so itself. */
function adminSource(caller: AdminCaller, sample: number, time: Milliseconds): WantedQueries {
  const live = new AdminQueries(caller, sample);
  const running = live.run();
  // Who waits for the end is told.
  running.catch(() => undefined);
  const stop = (): void => live.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  void sleep(realClock, time).then(stop);
  const end = async (): Promise<void> => {
    await running;
    tellLost(live.lost);
  };
  return { queries: live, from: adminAddressText(caller.at), total: undefined, end };
}

function tellLost(lost: number): void {
  if (lost > 0) process.stderr.write(`${lost} queries came faster than they could be asked\n`);
}

/** The server that a text means: an address, or a Corefile. */
function serverFor(text: string, timeout: Milliseconds, env: Environment): Promise<ComparedServer> {
  const to = endpoint(text, 53);
  if (to !== undefined) return serverAt(to, { network: new HostNetwork(), clock: realClock, timeout });
  const corefile = { name: text, read: () => readFileSync(path.resolve(text), 'utf8') };
  return serverOfCorefile(text, { corefile, env, cwd: process.cwd(), log: silentLog(), queryTime: timeout });
}

function endpoint(text: string, defaultPort: number): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const port = digits === undefined ? defaultPort : Number(digits);
  return ipFamily(address) === 0 || port > 65_535 ? undefined : { address, port };
}

function wantedOf(values: Readonly<Record<string, string>>): Wanted {
  const text = (name: string): string => values[name]!;
  for (const name of ['old', 'new'])
    if (text(name) === '') throw new FlagError(`-${name}: got nothing, allowed: a Corefile or IP[:PORT]`);
  if ((text('from') === '') === (text('shadow') === ''))
    throw new FlagError('got neither or both of -from and -shadow, allowed: one');
  const json = text('o') === 'json';
  if (!json && text('o') !== 'text') throw new FlagError(`-o: got '${text('o')}', allowed: text, json`);
  return {
    source:
      text('from') === '' ? liveSource(text('shadow'), text('token'), share(text('sample'))) : { from: text('from') },
    old: text('old'),
    new: text('new'),
    port: whole('port', text('port'), 65_535),
    timeout: time('timeout', text('timeout')),
    time: time('for', text('for')),
    examples: whole('examples', text('examples'), 10_000),
    json,
    run: {
      rate: rate(text('rate')),
      inFlight: whole('inflight', text('inflight'), 60_000),
      ttlSlack: time('ttl-slack', text('ttl-slack')) / 1000,
      ignore: classes(text('ignore')),
    },
  };
}

/** How long `/queries` of a server may take, which gathers for a second. */
const PATIENCE: Milliseconds = 10_000;

/** The -admin of a server where the text says so, else where dnstap comes in. */
function liveSource(text: string, token: string, sample: number): Wanted['source'] {
  const admin = text.replace(/^http:\/\//, '');
  if (!text.startsWith('unix:') && admin === text) return { shadow: tapAddress(text), sample };
  const at = adminAddress(admin);
  if (typeof at === 'string') throw new FlagError(`-shadow: ${at}`);
  return { admin: { at, timeout: PATIENCE, ...(token !== '' && { tokenFile: token }) }, sample };
}

function tapAddress(text: string): TapAddress {
  if (text.includes('/')) return { path: text };
  const at = endpoint(text, NaN);
  if (at === undefined || Number.isNaN(at.port))
    throw new FlagError(
      `-shadow: got '${text}', allowed: a path with a '/', IP:PORT, unix:/PATH or http://127.0.0.1:PORT`,
    );
  return { host: at.address, port: at.port };
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new FlagError(`-sample: got '${text}', allowed: above 0, at most 1`);
  return value;
}

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new FlagError(`-${name}: got '${text}', allowed: 1 to ${most}`);
  return value;
}

function time(name: string, text: string): Milliseconds {
  const value = parseDuration(text);
  if (value === undefined || value < 0)
    throw new FlagError(`-${name}: got '${text}', allowed: a duration such as 2s or 500ms`);
  return value;
}

function rate(text: string): CompareOptions['rate'] {
  if (text === 'max' || text === 'recorded') return text;
  const value = Number(text);
  if (!(value > 0)) throw new FlagError(`-rate: got '${text}', allowed: a number above 0, recorded, max`);
  return value;
}

const classes = (text: string): DifferenceClass[] =>
  text
    .split(',')
    .filter((word) => word !== '')
    .map((word) => {
      const known = DIFFERENCES.find((one) => one === word);
      if (known === undefined) throw new FlagError(`-ignore: got '${word}', allowed: ${DIFFERENCES.join(', ')}`);
      return known;
    });
