import { Class, Flag, Rcode, Type, rcodeName } from '../wire/index.js';
import { addressesIn, bare, endOfAliases, families } from './libc/addresses.js';
import { BindLookup, type BindOptions } from './tools/bind.js';
import { askAll, findingOf } from './tools/busybox.js';
import { Conversation, type ResolverEnv } from './conversation.js';
import { Glibc, type LookupResult } from './libc/glibc.js';
import { Go } from './libc/go.js';
import { Musl } from './libc/musl.js';
import { parseResolvConf } from './conf/resolv-conf.js';
import { settingsFor, type ProfileName, type ResolverSettings } from './conf/settings.js';
import { costOf, triedNames, type LookupStory } from './story.js';

export interface StubResolverOptions extends ResolverEnv {
  /** Text of the resolv.conf. */
  readonly resolvConf: string;
  readonly profile: ProfileName;
}

export type LookupType = 'A' | 'AAAA' | 'SRV' | 'PTR';

export interface StubLookupOptions {
  /** Which addresses are wanted; both when left out. Other types are searched for as res_search does, with glibc. */
  readonly types?: readonly LookupType[];
  /** Ask only for families that the machine has an address of (AI_ADDRCONFIG of getaddrinfo). */
  readonly addrConfig?: boolean;
}

/**
 * A pod's resolver: what a program gets that looks up a name, in the manner of its C library, of Go, or of nslookup.
 */
export class StubResolver {
  readonly settings: ResolverSettings;

  /** Throws a ResolvConfError. */
  constructor(private readonly options: StubResolverOptions) {
    this.settings = settingsFor(options.profile, parseResolvConf(options.resolvConf));
  }

  /** Looks a name up. Never rejects for what servers do: that is in the story. */
  async lookup(
    name: string,
    { types = ['A', 'AAAA'], addrConfig = false }: StubLookupOptions = {},
  ): Promise<LookupStory> {
    const { clock, network } = this.options;
    const conversation = new Conversation(this.options);
    const started = clock.monotonic();
    const have = families(network);
    const wanted = types
      .filter((type) => !addrConfig || (type === 'A' ? have.ipv4 : type !== 'AAAA' || have.ipv6))
      .map((type) => Type[type]);
    const found = await this.find(conversation, name, wanted);
    const { queries } = conversation;
    return {
      profile: this.settings.profile,
      asked: name,
      tried: triedNames(queries),
      queries,
      ...found,
      cost: costOf(queries, clock.monotonic() - started),
    };
  }

  private async find(conversation: Conversation, name: string, types: readonly number[]): Promise<LookupResult> {
    const { settings } = this;
    switch (settings.profile) {
      case 'glibc':
        return new Glibc(conversation, settings).lookup(name, types);
      case 'musl':
        return new Musl(conversation, settings).lookup(name, types);
      case 'go':
        return new Go(conversation, settings).lookup(name, types);
      case 'bind':
        return bindFind(conversation, settings, name, types);
      case 'busybox':
        return findingOf(
          await askAll(
            conversation,
            settings,
            settings.servers.map((address) => ({ address, port: 53 })),
            name,
            types,
          ),
          name,
          conversation,
        );
    }
  }
}

/** As nslookup of BIND: the first type through the search list, the others for the name that was found. */
async function bindFind(
  conversation: Conversation,
  settings: ResolverSettings,
  name: string,
  types: readonly number[],
): Promise<LookupResult> {
  const options: BindOptions = {
    servers: settings.servers.map((address) => ({ address, port: 53, label: address })),
    search: settings.search,
    ndots: settings.ndots,
    useSearch: true,
    showSearch: false,
    timeout: settings.timeout,
    tries: settings.attempts,
    tcp: false,
    ignoreTruncation: false,
    flags: Flag.RD,
    edns: undefined,
    class: Class.IN,
    servfailStops: false,
    checkRa: true,
  };
  const addresses: string[] = [];
  let target = name;
  let tcp = false;
  for (const [i, type] of types.entries()) {
    const result = await new BindLookup(conversation, { ...options, tcp, useSearch: i === 0 }, () => undefined).run(
      target,
      type,
    );
    const { reply } = result;
    if (reply === undefined)
      return { addresses: [], canonical: undefined, error: { code: 'TIMEOUT', text: 'no servers could be reached' } };
    if (reply.message.rcode !== Rcode.NOERROR) {
      return {
        addresses: [],
        canonical: undefined,
        error: {
          code: reply.message.rcode === Rcode.NXDOMAIN ? 'NOTFOUND' : 'SERVER',
          text: `server can't find ${bare(reply.packet.name)}: ${rcodeName(reply.message.rcode)}`,
        },
      };
    }
    addresses.push(...addressesIn(reply.message, type));
    target = bare(endOfAliases(reply.packet.name, reply.message));
    tcp = result.tcp;
  }
  if (addresses.length === 0)
    return { addresses, canonical: undefined, error: { code: 'NOTFOUND', text: `Can't find ${target}: No answer` } };
  return { addresses, canonical: target, error: undefined };
}
