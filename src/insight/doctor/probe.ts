import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint, Network } from '../../net/network.js';
import { Flag, Type, WireError, decodeMessage, encodeMessage, type Message } from '../../wire/index.js';
import { serverAt, type ComparedServer } from '../compare/compared-server.js';
import type { ServerFacts } from './facts.js';

/** How servers are asked. */
export interface ProbeOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly timeout: Milliseconds;
  /** A name that they are to resolve. */
  readonly name: string;
}

/** Questions with large answers, which every resolver of the internet can get. */
const LARGE: readonly { readonly name: string; readonly type: number }[] = [
  { name: '.', type: Type.DNSKEY },
  { name: 'org.', type: Type.DNSKEY },
];
/** What a client says it takes, to have the whole answer in one datagram. */
const EDNS_SIZE = 4096;

/** Asks a server in several ways: over UDP and TCP, and for what does not fit into one packet. */
export async function probeServer(to: Endpoint, options: ProbeOptions): Promise<ServerFacts> {
  const server = await serverAt(to, options);
  try {
    const small = query(options.name, Type.A, false);
    const [udp, tcp] = await Promise.all([timed(server, 'udp', small, options), timed(server, 'tcp', small, options)]);
    const answers = tcp === undefined ? [] : await largeAnswers(server);
    const [largest] = answers.toSorted((a, b) => b.bytes.length - a.bytes.length);
    return {
      address: to.address,
      port: to.port,
      udp: udp && { time: udp.time, rcode: udp.message.rcode },
      tcp: tcp && { time: tcp.time, rcode: tcp.message.rcode },
      large: largest && { size: largest.bytes.length, udp: await overUdp(server, largest) },
      signatures: signaturesOf(answers.map(({ message }) => message)),
    };
  } finally {
    await server.close();
  }
}

const query = (name: string, type: number, large: boolean): Buffer =>
  encodeMessage({
    id: 0,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name, type, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
    ...(large && { edns: { udpSize: EDNS_SIZE, version: 0, do: true, options: [] } }),
  });

function read(bytes: Uint8Array | undefined): Message | undefined {
  try {
    return bytes && decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

async function timed(
  server: ComparedServer,
  transport: 'udp' | 'tcp',
  bytes: Buffer,
  { clock }: ProbeOptions,
): Promise<{ readonly message: Message; readonly time: Milliseconds } | undefined> {
  const began = clock.monotonic();
  const message = read(await server.ask({ at: 0, transport, bytes }));
  return message && { message, time: clock.monotonic() - began };
}

interface LargeAnswer {
  readonly question: (typeof LARGE)[number];
  readonly bytes: Uint8Array;
  readonly message: Message;
}

/** What is answered over TCP, where nothing is cut off. */
async function largeAnswers(server: ComparedServer): Promise<LargeAnswer[]> {
  const all = await Promise.all(
    LARGE.map(async (question) => {
      const bytes = await server.ask({ at: 0, transport: 'tcp', bytes: query(question.name, question.type, true) });
      const message = read(bytes);
      return bytes === undefined || message === undefined || message.answer.length === 0
        ? []
        : [{ question, bytes, message }];
    }),
  );
  return all.flat();
}

async function overUdp(
  server: ComparedServer,
  { question, message: whole }: LargeAnswer,
): Promise<NonNullable<ServerFacts['large']>['udp']> {
  const bytes = await server.ask({ at: 0, transport: 'udp', bytes: query(question.name, question.type, true) });
  const message = read(bytes);
  if (message === undefined) return 'none';
  if ((message.flags & Flag.TC) !== 0) return 'truncated';
  return message.answer.length < whole.answer.length ? 'smaller' : 'whole';
}

/**
 * When the signatures of the root's keys are valid (RFC 4034 section 3.1.5: seconds, by 32 bits). A message with one
 * that is cut short was not read.
 */
function signaturesOf(messages: readonly Message[]): ServerFacts['signatures'] {
  const records = messages.flatMap(({ answer }) => answer.filter(({ type }) => type === Type.RRSIG));
  const times = records
    .map(({ rdata }) => Buffer.from(rdata))
    .map((rdata) => ({ until: rdata.readUInt32BE(8) * 1000, from: rdata.readUInt32BE(12) * 1000 }));
  return times[0];
}
