import type { Runtime } from '../../chain/index.js';
import { exchangeOnce } from '../../exchange/index.js';
import { canonicalIp, formatIp } from '../../lib/cidr.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { Flag, Type, decodeMessage, encodeMessage, fqdn, lowerName, type Name } from '../../wire/index.js';

/** A resolver has this long for one question. */
const TIMEOUT: Milliseconds = 2000;
const PORT = 53;
const CLASS_IN = 1;

export type LookupRuntime = Pick<Runtime, 'network' | 'clock' | 'random' | 'readFile'>;

/**
 * The addresses of a host, IPv4 before IPv6, from the first resolver that knows some. Without resolvers those of this
 * host are asked, after its hosts file and with its search list. Rejects with an Error when nobody knows any.
 */
export async function addressesOfHost(
  host: string,
  resolvers: readonly Endpoint[] | undefined,
  runtime: LookupRuntime,
): Promise<readonly string[]> {
  if (resolvers !== undefined) return fromResolvers([lowerName(fqdn(host))], resolvers, runtime);
  const known = fromHostsFile(host, textOf('/etc/hosts', runtime));
  if (known.length > 0) return known;
  const { servers, search } = resolvConf(textOf('/etc/resolv.conf', runtime));
  const own = lowerName(fqdn(host));
  const searched = host.endsWith('.') ? [] : search.map((domain) => lowerName(fqdn(`${host}.${domain}`)));
  return fromResolvers(host.includes('.') ? [own, ...searched] : [...searched, own], servers, runtime);
}

async function fromResolvers(
  names: readonly Name[],
  resolvers: readonly Endpoint[],
  runtime: LookupRuntime,
): Promise<readonly string[]> {
  let fault: Error | undefined;
  for (const name of names)
    for (const resolver of resolvers) {
      const found: string[] = [];
      for (const type of [Type.A, Type.AAAA])
        try {
          found.push(...(await ask(name, type, resolver, runtime)));
        } catch (error) {
          fault = error as Error;
        }
      if (found.length > 0) return found;
    }
  throw new Error(`no addresses found for '${names[0]}'${fault === undefined ? '' : `: ${fault.message}`}`);
}

async function ask(name: Name, type: number, resolver: Endpoint, runtime: LookupRuntime): Promise<string[]> {
  const { network, clock, random } = runtime;
  const question = encodeMessage({
    id: randomBelow(random, 0x10000),
    flags: Flag.RD,
    rcode: 0,
    question: [{ name, type, class: CLASS_IN }],
    answer: [],
    authority: [],
    additional: [],
  });
  const over = async (transport: 'udp' | 'tcp') =>
    decodeMessage(await exchangeOnce(network, clock, random, question, resolver, { transport, timeoutMs: TIMEOUT }));
  let reply = await over('udp');
  if ((reply.flags & Flag.TC) !== 0) reply = await over('tcp');
  return reply.answer.filter((record) => record.type === type).map(({ rdata }) => formatIp(rdata));
}

function textOf(path: string, { readFile }: LookupRuntime): string {
  try {
    return readFile(path);
  } catch {
    return '';
  }
}

const wordsOf = (text: string): string[][] =>
  text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  );

function fromHostsFile(host: string, text: string): string[] {
  const wanted = lowerName(fqdn(host));
  return wordsOf(text).flatMap(([address = '', ...names]) => {
    const ip = canonicalIp(address);
    return ip !== undefined && names.some((name) => lowerName(fqdn(name)) === wanted) ? [ip] : [];
  });
}

/** What resolv.conf(5) says of servers and of domains to search in; the loopback address without servers. */
function resolvConf(text: string): { readonly servers: readonly Endpoint[]; readonly search: readonly string[] } {
  const lines = wordsOf(text);
  const servers = lines.flatMap(([word, address = '']) => {
    const usable = word === 'nameserver' && canonicalIp(address.replace(/%.*/, '')) !== undefined;
    return usable ? [{ address, port: PORT }] : [];
  });
  const [, ...search] = lines.filter(([word]) => word === 'search' || word === 'domain').at(-1) ?? [];
  return { servers: servers.length > 0 ? servers : [{ address: '127.0.0.1', port: PORT }], search };
}
