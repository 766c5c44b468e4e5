import { ResolvConfError, parseResolvConf, type ResolvConfFile } from '../../resolver/conf/resolv-conf.js';
import type { NodeFacts } from './facts.js';
import { socketsIn } from './kernel-files.js';
import { symptom, type Symptom } from './symptom.js';

/** resolv.conf(5): MAXNS. */
const NAMESERVERS = 3;
/** Queries for one name outside of all search domains, at most, before it is told. */
const DEAR = 8;
const DNS_PORT = 53;

const readConf = (text: string | undefined): ResolvConfFile | ResolvConfError | undefined => {
  try {
    return text === undefined ? undefined : parseResolvConf(text);
  } catch (error) {
    if (error instanceof ResolvConfError) return error;
    throw error;
  }
};

/** The nameservers that programs of this host ask; the C library takes 127.0.0.1 where none is named. */
export function nameservers(text: string | undefined): readonly string[] {
  const conf = readConf(text);
  if (conf === undefined || conf instanceof ResolvConfError || conf.nameservers.length === 0) return ['127.0.0.1'];
  return conf.nameservers.slice(0, NAMESERVERS).map(({ address }) => address);
}

/** What `/etc/resolv.conf` says, and whether there is who it names. */
export function* diagnoseResolvConf(facts: NodeFacts): Iterable<Symptom> {
  const conf = readConf(facts.resolvConf);
  if (conf === undefined) {
    yield symptom('resolv-conf-unreadable', 'there is no /etc/resolv.conf');
    return;
  }
  if (conf instanceof ResolvConfError) {
    yield symptom('resolv-conf-unreadable', conf.message);
    return;
  }
  if (conf.nameservers.length > NAMESERVERS)
    yield symptom('resolv-conf-too-many', `${conf.nameservers.length} nameservers`);
  yield* costs(conf);
  for (const address of nameservers(facts.resolvConf))
    if (isOwn(address, facts) && !listens(address, facts)) yield symptom('resolver-is-nobody', `nameserver ${address}`);
  yield* loops(facts);
}

function* costs({ search, options }: ResolvConfFile): Iterable<Symptom> {
  const domains = (search?.domains ?? []).length;
  const ndots = options.findLast(({ name }) => name === 'ndots')?.value ?? 1;
  const queries = 2 * (domains + 1);
  if (ndots > 1 && queries > DEAR)
    yield symptom(
      'resolv-conf-search',
      `${domains} search domains and ndots ${ndots}: up to ${queries} queries for a name outside`,
    );
}

const isOwn = (address: string, { addresses }: NodeFacts): boolean =>
  address.startsWith('127.') || address === '::1' || addresses.some((one) => one.address === address);

const EVERYWHERE = new Set(['0.0.0.0', '::']);

function listens(address: string, { sockets }: NodeFacts): boolean {
  const bound = [...socketsIn(sockets.udp), ...socketsIn(sockets.udp6)].filter(({ port }) => port === DNS_PORT);
  return bound.some((socket) => socket.address === address || EVERYWHERE.has(socket.address));
}

/** The file of upstreams names what the resolver itself listens at. */
function* loops(facts: NodeFacts): Iterable<Symptom> {
  const conf = readConf(facts.upstreamConf);
  if (conf === undefined || conf instanceof ResolvConfError) return;
  for (const { address } of conf.nameservers)
    if (isOwn(address, facts) && listens(address, facts))
      yield symptom('query-loop', `its upstream ${address} is an address of this host where port 53 is listened at`);
}
