import { RefusedRequest, type HttpRequest } from '../../chain/index.js';
import { canonicalIp, parseIp } from '../../lib/cidr.js';
import type { Server } from '../../server/server.js';
import { encodeMessage, fqdn, isName, reverseName, typeFromName, type Message, type Name } from '../../wire/index.js';
import { jsonAnswer, type AdminRoute } from '../admin/admin-endpoint.js';
import { findOut } from './find-out.js';
import { explained, storyOf, type LiveExplanation } from './live.js';

/** What is asked, and as whom. */
export interface ExplainRequest {
  readonly name: Name;
  readonly type: number;
  /** Address of the client that it is asked as. */
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
}

/** `/explain?name=NAME[&type=TYPE][&client=IP][&transport=udp|tcp]`. */
export const explainRoute = (server: Server): AdminRoute => ({
  path: '/explain',
  answer: async (request) => jsonAnswer(await explainAt(server, requestFrom(request))),
});

/** One query through the chain of a running server, explained. */
export async function explainAt(server: Server, request: ExplainRequest): Promise<LiveExplanation> {
  const { name, type, client, transport } = request;
  const from = { transport, remote: { address: client, port: 0 } };
  const inspection = await server.inspect(messageFor(request, server), from);
  const story = storyOf(inspection, { name, type });
  return explained(inspection, { ...story, ...(await findOut(server, story, name, server.runtime)) });
}

/** With an OPT record, as extended errors are told to those who send one. */
function messageFor({ name, type }: ExplainRequest, { runtime }: Server): Buffer {
  const message: Message = {
    id: runtime.random.uint32() & 0xffff,
    flags: 0x100,
    rcode: 0,
    question: [{ name, type, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
    edns: { udpSize: 1232, version: 0, do: false, options: [] },
  };
  return encodeMessage(message);
}

function requestFrom({ query }: HttpRequest): ExplainRequest {
  const name = query.get('name') ?? '';
  const type = query.get('type');
  const client = query.get('client') ?? '127.0.0.1';
  const transport = query.get('transport') ?? 'udp';
  const refuse = (what: string): never => {
    throw new RefusedRequest(400, what);
  };
  const address = canonicalIp(client) ?? refuse(`client: got '${client}', allowed: an IP address`);
  if (transport !== 'udp' && transport !== 'tcp') return refuse(`transport: got '${transport}', allowed: udp, tcp`);
  return { ...questionOf(name, type, refuse), client: address, transport };
}

/**
 * The question that a name and a type mean. An address is asked for backwards.
 *
 * @param refuse told what is wrong
 */
export function questionOf(
  name: string,
  type: string | null,
  refuse: (what: string) => never,
): { readonly name: Name; readonly type: number } {
  const ip = parseIp(name);
  const number = typeFromName((type ?? (ip ? 'PTR' : 'A')).toUpperCase());
  if (number === undefined) return refuse(`type: got '${type}', allowed: A, AAAA, SRV, TYPE65280, ...`);
  if (ip !== undefined) return { name: reverseName(ip), type: number };
  if (name === '' || !isName(fqdn(name))) return refuse(`name: got '${name}', allowed: a domain name or an address`);
  return { name: fqdn(name), type: number };
}
