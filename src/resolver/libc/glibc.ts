import { Flag, Rcode, Type, type Message, type Name } from '../../wire/index.js';
import { addressesIn, bare, endOfAliases, sortAddresses } from './addresses.js';
import type { Conversation } from '../conversation.js';
import { GlibcSender } from './glibc-send.js';
import { countDots, joined, makePacket } from '../packet.js';
import type { ResolverSettings } from '../conf/settings.js';
import type { LookupError } from '../story.js';

/** What a profile finds: addresses and their name, or an error. */
export interface LookupResult {
  readonly addresses: readonly string[];
  readonly canonical: string | undefined;
  readonly error: LookupError | undefined;
  /** The whole name that was asked for when the answer came, before aliases. */
  readonly queried?: string;
}

type HostError = 'HOST_NOT_FOUND' | 'TRY_AGAIN' | 'NO_RECOVERY' | 'NO_DATA';

/** One step of a search: an answer by type, or why not. */
type SearchStep =
  | { readonly answers: readonly Message[]; readonly name: Name }
  | { readonly error: HostError; readonly servfail: boolean; readonly refusedByAll: boolean };

/** Largest payload glibc names in its OPT record. */
const EDNS_SIZE = 1200;

/**
 * The stub resolver of glibc 2.36 (resolv.conf(5)): A and AAAA in one burst from one connected socket for each step
 * of the search, servers in order,
 * NXDOMAIN and NODATA go on to the next domain, SERVFAIL does after all servers failed, silence and REFUSED end the
 * search list.
 */
export class Glibc {
  private readonly sender: GlibcSender;

  constructor(
    private readonly conversation: Conversation,
    private readonly settings: ResolverSettings,
  ) {
    this.sender = new GlibcSender(conversation, settings);
  }

  /** getaddrinfo for the given types; with one type also gethostbyname2 (`getent hosts`). */
  async lookup(name: string, types: readonly number[]): Promise<LookupResult> {
    const wanted = this.settings.noAaaa ? types.filter((type) => type !== Type.AAAA) : types;
    const step = await this.search(name, wanted);
    if ('error' in step) return { addresses: [], canonical: undefined, error: gaiError(step.error) };
    const found = wanted.flatMap((type) => step.answers.flatMap((message) => addressesIn(message, type)));
    if (found.length === 0) return { addresses: [], canonical: undefined, error: gaiError('NO_DATA') };
    const canonical =
      step.answers.map((message) => endOfAliases(step.name, message)).find((end) => end !== step.name) ?? step.name;
    return {
      addresses: types.length > 1 ? sortAddresses(found, this.conversation.env.network) : found,
      canonical: bare(canonical),
      error: undefined,
      queried: bare(step.name),
    };
  }

  /** The search of res_search: gives the first step with an answer, or the error that counts. */
  async search(name: string, types: readonly number[]): Promise<SearchStep> {
    const { settings } = this;
    const dots = countDots(name);
    const rooted = name.endsWith('.');
    let asIs: HostError | undefined;
    if (dots >= settings.ndots || rooted) {
      const step = await this.ask(name, undefined, types);
      if ('answers' in step || rooted) return step;
      asIs = step.error;
    }
    let noData = false;
    let servfail = false;
    let last: SearchStep | undefined;
    let root = false;
    for (const domain of rooted ? [] : settings.search) {
      root ||= domain === '.';
      const step = await this.ask(name, domain, types);
      if ('answers' in step || step.refusedByAll) return step;
      last = step;
      noData ||= step.error === 'NO_DATA';
      servfail ||= step.servfail;
      const goOn = step.error === 'NO_DATA' || step.error === 'HOST_NOT_FOUND' || step.servfail;
      if (!goOn) break;
    }
    if (asIs === undefined && !root && (dots > 0 || last === undefined || !settings.noTldQuery)) {
      last = await this.ask(name, undefined, types);
      if ('answers' in last) return last;
    }
    const lastError = last !== undefined && 'error' in last ? last.error : 'HOST_NOT_FOUND';
    return { error: asIs ?? (noData ? 'NO_DATA' : servfail ? 'TRY_AGAIN' : lastError), servfail, refusedByAll: false };
  }

  private async ask(name: string, domain: string | undefined, types: readonly number[]): Promise<SearchStep> {
    const whole = joined(name, domain);
    // A name that cannot be written is never sent; the search goes on.
    if (whole === undefined) return { error: 'NO_RECOVERY', servfail: false, refusedByAll: false };
    const { settings, conversation } = this;
    const edns = settings.edns0 ? { udpSize: EDNS_SIZE, version: 0, do: false, options: [] } : undefined;
    const flags = Flag.RD | (settings.trustAd ? Flag.AD : 0);
    const packets = types.map((type) => makePacket(conversation.env.random, whole, type, { flags, edns }));
    const sent = await this.sender.send(packets);
    if (sent.answers.length === 0)
      return { error: 'TRY_AGAIN', servfail: sent.rcode === Rcode.SERVFAIL, refusedByAll: !sent.reached };
    if (sent.answers.some(({ rcode, answer }) => rcode === Rcode.NOERROR && answer.length > 0))
      return { answers: sent.answers, name: whole };
    const [{ rcode }] = sent.answers as [Message];
    return { error: hostError(rcode), servfail: rcode === Rcode.SERVFAIL, refusedByAll: false };
  }
}

function hostError(rcode: number): HostError {
  switch (rcode) {
    case Rcode.NXDOMAIN:
      return 'HOST_NOT_FOUND';
    case Rcode.SERVFAIL:
      return 'TRY_AGAIN';
    case Rcode.NOERROR:
      return 'NO_DATA';
    default:
      return 'NO_RECOVERY';
  }
}

/** getaddrinfo's error for what the resolver says, with the words of gai_strerror(3). */
function gaiError(error: HostError): LookupError {
  switch (error) {
    case 'NO_DATA':
      return { code: 'EAI_NODATA', text: 'No address associated with hostname' };
    case 'TRY_AGAIN':
      return { code: 'EAI_AGAIN', text: 'Temporary failure in name resolution' };
    default:
      return { code: 'EAI_NONAME', text: 'Name or service not known' };
  }
}
