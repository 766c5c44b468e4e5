import type { Endpoint } from '../../net/network.js';
import {
  Flag,
  Rcode,
  Type,
  isName,
  fqdn,
  lowerName,
  rcodeName,
  readName,
  typeFromName,
  type Message,
  type Rr,
} from '../../wire/index.js';
import { addressesIn, bare, sortAddresses } from '../libc/addresses.js';
import { bindRdata } from './bind-text.js';
import { QuerySocket, type Conversation, type Received } from '../conversation.js';
import type { LookupResult } from '../libc/glibc.js';
import { makePacket, type QueryPacket } from '../packet.js';
import type { ResolverSettings } from '../conf/settings.js';
import { ToolProcess, reverseOf, type ToolEnv, type ToolRun } from './tool.js';

/** One query of a run with what came back for it. */
export interface BusyboxAnswer {
  readonly packet: QueryPacket;
  readonly received: Received | undefined;
}

export interface BusyboxRun {
  readonly answers: readonly BusyboxAnswer[];
  /** The server that answered; undefined when none did. */
  readonly server: Endpoint | undefined;
}

/**
 * How busybox 1.35's nslookup asks: all names and types at once from one connected socket, names with a dot as they
 * stand and others with every search
 * domain, whatever `ndots` says. What is not answered is sent again after half of five seconds, SERVFAIL at once;
 * then comes the next server.
 */
export async function askAll(
  conversation: Conversation,
  settings: ResolverSettings,
  servers: readonly Endpoint[],
  name: string,
  types: readonly number[],
): Promise<BusyboxRun> {
  const names =
    name.includes('.') || settings.search.length === 0
      ? [name]
      : settings.search.map((domain) => (domain === '.' ? name : `${name}.${domain}`));
  const packets = types.flatMap((type) =>
    names
      .map(fqdn)
      .filter(isName)
      .map((whole) => makePacket(conversation.env.random, whole, type)),
  );
  for (const server of servers) {
    const got = await askServer(conversation, settings, server, packets);
    if (got.size > 0) return { answers: packets.map((packet) => ({ packet, received: got.get(packet) })), server };
  }
  return { answers: packets.map((packet) => ({ packet, received: undefined })), server: undefined };
}

async function askServer(
  conversation: Conversation,
  settings: ResolverSettings,
  server: Endpoint,
  packets: readonly QueryPacket[],
): Promise<Map<QueryPacket, Received>> {
  const got = new Map<QueryPacket, Received>();
  const line = await conversation.connectUdp(server);
  if (!(line instanceof QuerySocket)) {
    for (const packet of packets) conversation.unsent(packet, server, 'udp', line);
    return got;
  }
  const total = settings.timeout * 1000;
  const interval = total / settings.attempts;
  const start = conversation.now;
  for (let round = start; round < start + total && got.size < packets.length; round += interval) {
    for (const packet of packets) if (!got.has(packet)) line.send(packet, server);
    let retries = 2 * packets.length;
    while (got.size < packets.length) {
      const received = await line.receive(round + interval);
      if (received === undefined) break;
      if (received instanceof Error) continue;
      if (received.message.rcode === Rcode.SERVFAIL && retries-- > 0) line.send(received.packet, server);
      else got.set(received.packet, received);
    }
  }
  line.close();
  return got;
}

/** The addresses that a run brought, for callers that want only those. */
export function findingOf(run: BusyboxRun, asked: string, conversation: Conversation): LookupResult {
  const addresses = run.answers.flatMap(({ packet, received }) =>
    received === undefined ? [] : addressesIn(received.message, packet.type),
  );
  if (addresses.length > 0) {
    const owner = run.answers.find(({ received }) => received !== undefined && received.message.answer.length > 0)!;
    return {
      addresses: sortAddresses(addresses, conversation.env.network),
      canonical: bare(owner.packet.name),
      error: undefined,
    };
  }
  if (run.server === undefined)
    return {
      addresses: [],
      canonical: undefined,
      error: { code: 'TIMEOUT', text: 'connection timed out; no servers could be reached' },
    };
  const failed = run.answers.find(({ received }) => received !== undefined && received.message.rcode !== Rcode.NOERROR);
  const text =
    failed === undefined
      ? `Can't find ${asked}: No answer`
      : `server can't find ${bare(failed.packet.name)}: ${rcodeName(failed.received!.message.rcode)}`;
  return { addresses: [], canonical: undefined, error: { code: 'NOTFOUND', text } };
}

const TYPES = new Set(['ANY', 'A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']);

const USAGE = `BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.

Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any
`;

/** nslookup of busybox 1.35: `runBusyboxNslookup(['webpod'], env)`. */
export async function runBusyboxNslookup(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const words = args.filter((arg) => !arg.startsWith('-'));
  const debug = args.includes('-debug');
  const typeNames = args
    .filter((arg) => /^-(type|querytype|q)=/.test(arg))
    .map((arg) => arg.replace(/^.*=/, '').toUpperCase());
  const unknown = typeNames.find((type) => !TYPES.has(type));
  const [name, serverWord] = words;
  if (unknown !== undefined) {
    session.line(
      `nslookup: invalid query type "${args.find((arg) => arg.toUpperCase().endsWith(`=${unknown}`))!.replace(/^.*=/, '')}"`,
    );
    return session.done(1);
  }
  if (name === undefined) {
    session.print(USAGE);
    return session.done(1);
  }
  const settings = session.settings('busybox');
  const servers = (serverWord === undefined ? settings.servers : [serverWord]).map((address) => ({
    address,
    port: 53,
  }));
  const reverse = reverseOf(name);
  const types =
    typeNames.length > 0
      ? typeNames.map((type) => typeFromName(type)!)
      : reverse === undefined
        ? [Type.A, Type.AAAA]
        : [Type.PTR];
  const run = await askAll(
    session.conversation,
    settings,
    servers,
    reverse === undefined ? name : bare(reverse),
    types,
  );
  if (run.server === undefined) {
    session.print(';; connection timed out; no servers could be reached\n\n');
    return session.done(1);
  }
  session.print(`Server:\t\t${run.server.address}\nAddress:\t${run.server.address}:${run.server.port}\n\n`);
  let failed = false;
  run.answers.forEach(({ packet, received }, i) => {
    failed = printAnswer(session, packet, received, i, debug) || failed;
  });
  return session.done(failed ? 1 : 0);
}

/** Prints what came back for one query; true for a failure. */
function printAnswer(
  session: ToolProcess,
  packet: QueryPacket,
  received: Received | undefined,
  index: number,
  debug: boolean,
): boolean {
  if (received === undefined) {
    session.print(`*** Can't find ${bare(packet.name)}: No answer\n\n`);
    return false;
  }
  const { message } = received;
  if (debug) session.line(`Query #${index} completed in ${Math.floor(received.took)}ms:`);
  if (message.rcode !== Rcode.NOERROR) {
    session.print(`** server can't find ${bare(packet.name)}: ${rcodeName(message.rcode)}\n\n`);
    return true;
  }
  if (!(message.flags & Flag.AA)) session.line('Non-authoritative answer:');
  for (const record of message.answer) session.line(describe(record, message));
  session.line();
  return false;
}

function describe(record: Rr, message: Message): string {
  const owner = bare(record.name);
  const data = Buffer.from(record.rdata);
  const named = (at: number): string => bare(readName(data, at).name);
  switch (record.type) {
    case Type.A:
    case Type.AAAA:
      return `Name:\t${owner}\nAddress: ${bindRdata(record)}`;
    case Type.CNAME:
      return `${owner}\tcanonical name = ${named(0)}`;
    case Type.NS:
      return `${owner}\tnameserver = ${named(0)}`;
    case Type.PTR:
      return `${owner}\tname = ${named(0)}`;
    case Type.MX:
      return `${owner}\tmail exchanger = ${data.readUInt16BE(0)} ${named(2)}`;
    case Type.SRV:
      return `${owner}\tservice = ${data.readUInt16BE(0)} ${data.readUInt16BE(2)} ${data.readUInt16BE(4)} ${named(6)}`;
    // Only the first string is shown.
    case Type.TXT:
      return `${owner}\ttext = "${data.toString('latin1', 1, 1 + data[0]!)}"`;
    case Type.SOA: {
      const origin = readName(data, 0);
      const mail = readName(data, origin.end);
      const numbers = ['serial', 'refresh', 'retry', 'expire', 'minimum'].map(
        (field, i) => `\t${field} = ${data.readUInt32BE(mail.end + 4 * i)}`,
      );
      return [owner, `\torigin = ${bare(origin.name)}`, `\tmail addr = ${bare(mail.name)}`, ...numbers].join('\n');
    }
    default:
      return `;; ${lowerName(owner)} has a record of type ${record.type} among ${message.answer.length}`;
  }
}
