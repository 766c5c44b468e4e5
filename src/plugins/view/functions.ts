import type { Query } from '../../chain/index.js';
import { cidrContains, formatIp, parseCidr } from '../../lib/cidr.js';
import { sourceIp } from '../../lib/networks.js';
import type { Callable } from './expression/compile.js';
import { ExpressionError } from './expression/parse.js';
import type { Type, ExprValue } from './expression/types.js';

const about = (type: Type, run: (query: Query) => ExprValue): Callable<Query> => ({ args: [], type, run });

/** An address as Go writes it: IPv4 where it is IPv4 in the form of an IPv6 address. */
function addressText(address: string): string {
  const ip = sourceIp(address);
  return ip?.length === 4 ? formatIp(ip) : address;
}

/** What a listener says of the transport: DNS over TLS and HTTPS come over TCP, over QUIC over UDP. */
const proto = ({ transport }: Query): string => (transport === 'udp' || transport === 'quic' ? 'udp' : 'tcp');

/** What an expression of *view* may ask of a query. */
export const FUNCTIONS: ReadonlyMap<string, Callable<Query>> = new Map<string, Callable<Query>>([
  ['bufsize', about('int', (query) => query.maxSize)],
  ['class', about('string', (query) => query.className)],
  ['client_ip', about('string', (query) => addressText(query.client.remote.address))],
  ['do', about('bool', (query) => query.do)],
  ['id', about('int', (query) => query.id)],
  ['name', about('string', (query) => query.name)],
  ['opcode', about('int', (query) => query.opcode)],
  ['port', about('string', (query) => String(query.client.remote.port))],
  ['proto', about('string', proto)],
  ['server_ip', about('string', (query) => addressText(query.client.local.address))],
  ['server_port', about('string', (query) => String(query.client.local.port))],
  ['size', about('int', (query) => query.size)],
  ['type', about('string', (query) => query.typeName)],
  [
    'incidr',
    { args: ['string', 'string'], type: 'bool', run: (_query, [ip, block]) => inCidr(ip as string, block as string) },
  ],
  [
    'metadata',
    {
      args: ['string'],
      type: 'string',
      run: (query, [label]) => query.context.metadata?.get(label as string) ?? '',
    },
  ],
]);

function inCidr(ip: string, block: string): boolean {
  const address = sourceIp(ip);
  if (address === undefined) throw new ExpressionError(`incidr: got '${ip}', allowed: an IPv4 or IPv6 address`);
  const cidr = block.includes('/') ? parseCidr(block) : undefined;
  if (cidr === undefined)
    throw new ExpressionError(`incidr: got '${block}', allowed: an address block such as 10.0.0.0/8`);
  return cidrContains(cidr, address);
}
