import { parseIp } from '../../lib/cidr.js';
import { Type, readName } from '../../wire/index.js';
import { bare, families } from '../libc/addresses.js';
import { Glibc, type LookupResult } from '../libc/glibc.js';
import { ToolProcess, reverseOf, type ToolEnv, type ToolRun } from './tool.js';

type Database = 'hosts' | 'ahosts' | 'ahostsv4' | 'ahostsv6';

const DATABASES: readonly string[] = ['hosts', 'ahosts', 'ahostsv4', 'ahostsv6'];
/** Width of the address column. */
const WIDTH = 15;

/**
 * getent of glibc 2.36 for hosts, where names come from DNS only: `runGetent(['ahosts', 'google.com'], env)`. `hosts`
 * asks for IPv6 addresses through the
 * whole search list before it asks for IPv4 addresses; the others ask for the families that the machine has addresses
 * of.
 */
export async function runGetent(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const [database, ...keys] = args;
  if (database === undefined || !DATABASES.includes(database)) {
    session.line(database === undefined ? 'getent: wrong number of arguments' : `Unknown database: ${database}`);
    session.line("Try `getent --help' or `getent --usage' for more information.");
    return session.done(1);
  }
  // Without keys getent lists what can be listed; DNS cannot.
  let exitCode = 0;
  for (const key of keys) {
    const lines = database === 'hosts' ? await hosts(session, key) : await ahosts(session, key, database as Database);
    if (lines.length === 0) exitCode = 2;
    for (const line of lines) session.line(line);
  }
  return session.done(exitCode);
}

/** getnameinfo of glibc, by DNS only: the name of an address; undefined for one that has none. */
export const nameOf = async (address: string, env: ToolEnv): Promise<string | undefined> =>
  reverse(new ToolProcess(env), reverseOf(address)!);

async function reverse(session: ToolProcess, name: string): Promise<string | undefined> {
  const step = await new Glibc(session.conversation, session.settings('glibc')).search(name, [Type.PTR]);
  const record = 'answers' in step ? step.answers[0]!.answer.find(({ type }) => type === Type.PTR) : undefined;
  return record && bare(readName(record.rdata, 0).name);
}

async function hosts(session: ToolProcess, key: string): Promise<string[]> {
  const backwards = reverseOf(key);
  if (backwards !== undefined) {
    const found = await reverse(session, backwards);
    return found === undefined ? [] : [`${key.padEnd(WIDTH)} ${found}`];
  }
  for (const type of [Type.AAAA, Type.A]) {
    const found = await new Glibc(session.conversation, session.settings('glibc')).lookup(key, [type]);
    if (found.addresses.length > 0)
      return found.addresses.map((address) => `${address.padEnd(WIDTH)} ${found.canonical!}${aliasOf(found)}`);
  }
  return [];
}

/** A name that turned out to be an alias is listed behind the canonical one. */
const aliasOf = ({ canonical, queried }: LookupResult): string =>
  queried === undefined || queried === canonical ? '' : ` ${queried}`;

async function ahosts(session: ToolProcess, key: string, database: Database): Promise<string[]> {
  const found =
    parseIp(key) === undefined ? await resolve(session, key, database) : { addresses: [key], canonical: key };
  return found.addresses.flatMap((address, i) =>
    ['STREAM', 'DGRAM', 'RAW'].map(
      (kind, k) => `${address.padEnd(WIDTH)} ${kind.padEnd(6)} ${i === 0 && k === 0 ? found.canonical! : ''}`,
    ),
  );
}

async function resolve(
  session: ToolProcess,
  key: string,
  database: Database,
): Promise<Pick<LookupResult, 'addresses' | 'canonical'>> {
  const have = families(session.env.network);
  const types = [
    database !== 'ahostsv6' && have.ipv4 ? Type.A : 0,
    database !== 'ahostsv4' && have.ipv6 ? Type.AAAA : 0,
  ].filter((type) => type !== 0);
  if (types.length === 0) return { addresses: [], canonical: undefined };
  return new Glibc(session.conversation, session.settings('glibc')).lookup(key, types);
}
