import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Endpoint, Network, OnDatagram } from '../../net/network.js';
import { StubResolver, type LookupStory, type ProfileName } from '../../resolver/index.js';
import { decodeMessage, typeName } from '../../wire/index.js';
import { adviceOf, type LiveExplanation } from './live.js';
import type { PodDnsFacts } from './pod-dns.js';
import { count, timeText } from './words.js';

/** Asks a running server to explain one query of the pod's. */
export type AskServer = (name: string, type: string, transport: 'udp' | 'tcp') => Promise<LiveExplanation>;

/** One lookup of a pod: each query of its resolver, explained by the server. Plain data. */
export interface PodExplanation {
  readonly pod: PodDnsFacts;
  readonly profile: ProfileName;
  readonly asked: string;
  readonly steps: readonly {
    readonly name: string;
    readonly why: string;
    readonly queries: readonly LiveExplanation[];
  }[];
  readonly addresses: readonly string[];
  readonly found: boolean;
  /** The name's addresses, or the error in the resolver's words. */
  readonly outcome: string;
  readonly cost: LookupStory['cost'];
}

/** Looks a name up as a program in the pod would; each of its queries is put to the server for an explanation. */
export async function explainForPod(
  pod: PodDnsFacts,
  name: string,
  profile: ProfileName,
  ask: AskServer,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<PodExplanation> {
  const asked: LiveExplanation[] = [];
  const network = askedNetwork(pod.ip, async (bytes, length) => {
    const query = Buffer.from(bytes.subarray(0, length));
    const { question } = decodeMessage(query);
    const explanation = await ask(question[0]!.name, typeName(question[0]!.type), 'udp');
    asked.push(explanation);
    if (explanation.message === undefined) return undefined;
    const reply = Buffer.from(explanation.message, 'base64');
    query.copy(reply, 0, 0, 2);
    return reply;
  });
  const resolver = new StubResolver({ network, clock, random, resolvConf: pod.resolvConf.text, profile });
  const story = await resolver.lookup(name);
  const { search } = resolver.settings;
  return {
    pod,
    profile,
    asked: name,
    steps: story.tried.map((tried) => ({
      name: tried,
      why: stepOf(tried, name, search),
      queries: asked.filter((one) => one.name.toLowerCase() === tried.toLowerCase()),
    })),
    addresses: story.addresses,
    found: story.error === undefined,
    outcome: story.error
      ? `${story.error.code}: ${story.error.text}`
      : `${story.canonical ?? name} has ${story.addresses.join(', ')}`,
    cost: story.cost,
  };
}

/** Why a resolver tries a name, in words. */
export function stepOf(tried: string, name: string, search: readonly string[]): string {
  const bare = tried.replace(/\.$/, '');
  if (bare.toLowerCase() === name.replace(/\.$/, '').toLowerCase()) return 'the name as it stands';
  const domain = search.find((suffix) => bare.toLowerCase() === `${name}.${suffix}`.toLowerCase());
  return domain === undefined ? 'an alias' : `search ${domain}`;
}

type AnswerDatagram = (bytes: Uint8Array, length: number) => Promise<Buffer | undefined>;

/** A network in which whoever is sent a datagram answers with what `answer` gives. */
function askedNetwork(ip: string, answer: AnswerDatagram): Network {
  const local = { address: ip, port: 40_000 };
  const close = (): void => undefined;
  const put = (bytes: Uint8Array, length: number, told: (reply: Buffer) => void): void =>
    // What cannot be had is lost, as datagrams are.
    void answer(bytes, length).then(
      (reply) => reply && told(reply),
      () => undefined,
    );
  return {
    bindUdp: (_at: Endpoint, onDatagram: OnDatagram) =>
      Promise.resolve({
        local,
        close,
        send: (bytes, length, to) => put(bytes, length, (reply) => onDatagram(reply, to)),
      }),
    connectUdp: (_to, onDatagram) =>
      Promise.resolve({ local, close, send: (bytes) => put(bytes, bytes.length, onDatagram) }),
    listenTcp: () => Promise.reject(new Error('nobody listens here')),
    connectTcp: () => Promise.reject(new Error('connection refused')),
    interfaces: () => [{ device: 'eth0', address: ip, loopback: false }],
  };
}

/** The page that a terminal shows: a step a line, with what each costs. */
export function podText({ pod, profile, asked, steps, outcome, cost }: PodExplanation): string {
  const { servers, searches, options } = pod.resolvConf;
  const reasons = steps.flatMap(({ queries }) => queries.flatMap((query) => query.reasons));
  return [
    `${pod.namespace}/${pod.name} (${pod.ip} on ${pod.node}) looks up ${asked} as ${profile} does`,
    `resolv.conf: nameserver ${servers.join(' ')}, search ${searches.join(' ') || 'nothing'}, options ${options.join(' ') || 'none'}`,
    ...pod.redirects,
    ...pod.assumed.map((text) => `assumed: ${text}`),
    '',
    ...steps.flatMap(({ name, why, queries }, i) => [
      `${i + 1}. ${name}  (${why})`,
      ...queries.map(
        ({ type, result, time, reasons: own }) =>
          `   ${type}: ${result ?? 'no answer'}, ${timeText(time)}: ${own.map(({ text }) => text).join('; ')}`,
      ),
    ]),
    '',
    outcome,
    `cost: ${count(cost.queries, 'query', 'queries')}, ${count(cost.packets, 'packet')}, ${timeText(cost.time)}`,
    ...adviceOf(reasons).map((advice) => `try: ${advice}`),
    '',
  ].join('\n');
}
