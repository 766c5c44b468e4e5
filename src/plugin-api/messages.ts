import type { Transport } from '../chain/index.js';
import type { Milliseconds, Seconds } from '../lib/units.js';
import type { Rcode } from '../wire/index.js';
import type { ResourceRecord } from './records.js';
import type { TypeName } from './type-names.js';

/** A response code by name (RFC 1035 section 4.1.1 and the registry); `RCODE12` for one without a name. */
export type RcodeName = keyof typeof Rcode | `RCODE${number}`;

/** What is asked (RFC 1035 section 4.1.2), as dns-packet has it. */
export interface PluginQuestion {
  /** As the client spelt it, without the closing dot. */
  readonly name: string;
  readonly type: TypeName;
  /** `IN` and others; nothing but IN reaches plugins over the network. */
  readonly class: string;
}

/** Who asked, and how. Plain data. */
export interface PluginClient {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly transport: Transport;
  /** The address and port that the query was sent to. */
  readonly local: { readonly address: string; readonly port: number };
  /** The listening address, as in metrics: `dns://:53`. */
  readonly server: string;
  /** The name that the client asked for in its TLS handshake, if it did (RFC 6066 section 3). */
  readonly serverName?: string | undefined;
}

/** A query on its way through a block. It cannot be altered; `next` takes what is to be asked instead. */
export interface PluginQuery {
  /** Lower case, without the closing dot (`.` is the root): for matching. */
  readonly name: string;
  readonly type: TypeName;
  readonly question: PluginQuestion;
  /** 0 to 65535. */
  readonly id: number;
  readonly client: PluginClient;
  /** RD: the client wants recursion. */
  readonly recursionDesired: boolean;
  /** CD: the client checks signatures itself (RFC 4035 section 3.2.2). */
  readonly checkingDisabled: boolean;
  /** DO: the client wants DNSSEC records (RFC 3225). */
  readonly dnssecOk: boolean;
  /** The options of its OPT record, in its order (RFC 6891 section 6.1.2); none without one. */
  readonly ednsOptions: readonly { readonly code: number; readonly data: Uint8Array }[];
  /** When it came in, by the clock of `block.clock.monotonic()`. */
  readonly received: Milliseconds;
  /** Fires when nobody waits for the answer any more: the client went away, or the time is up (10 s). */
  readonly signal: AbortSignal;
  /** The value of a label `plugin/name` that another plugin provides; undefined where none does. */
  label(name: string): string | undefined;
}

/** What is asked instead of the query; what is left out stays. Client, flags and time stay in any case. */
export interface ChangedQuestion {
  readonly name?: string;
  /** Any type that `ResourceRecord` may have, such as `'A'` or `'TYPE65'`. */
  readonly type?: TypeName | (string & NonNullable<unknown>);
}

/** Why an answer is as it is, for the client to read (RFC 8914): `code` from 0 to 65535 and a text. */
export interface ExtendedError {
  readonly code: number;
  readonly text?: string;
}

/**
 * A reply, in the names of dns-packet. It cannot be altered: a change is a copy, such as
 * `{ ...reply, answers: [...] }`, which keeps what it does not name.
 */
export interface PluginReply {
  readonly rcode: RcodeName;
  /** AA: from an authority for the name. */
  readonly flag_aa: boolean;
  /** TC: cut short. */
  readonly flag_tc: boolean;
  /** RA: recursion is to be had. */
  readonly flag_ra: boolean;
  /** AD: signatures were checked (RFC 4035 section 3.2.3). */
  readonly flag_ad: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/**
 * What a handler may answer with. All of it may be left out but not everything at once: no `rcode` is NOERROR, no
 * `flag_aa` is true, other flags are false, sections are empty. A packet that dns-packet has decoded fits.
 */
export interface ReplyInit {
  /** A name, or a number from 0 to 4095. */
  readonly rcode?: RcodeName | number;
  /** The bits of dns-packet (`AUTHORITATIVE_ANSWER | ...`), in place of those below that are left out. */
  readonly flags?: number;
  readonly flag_aa?: boolean;
  readonly flag_tc?: boolean;
  readonly flag_ra?: boolean;
  readonly flag_ad?: boolean;
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  /** An OPT record among them is passed over: the server makes its own. */
  readonly additionals?: readonly (ResourceRecord | { readonly type: 'OPT' })[];
  readonly extendedError?: ExtendedError;
  /**
   * How long this answer may be given again without asking the plugin. Only where the plugin says that it depends on
   * the question or the client; what came from a table is given again until the table changes, without this.
   */
  readonly validFor?: Seconds;
}

/** In place of a reply: the query is left unanswered. */
export const DROP_REPLY: unique symbol = Symbol.for('nodens.drop') as never;

/** What a handler returns. */
export type HandlerResult = PluginReply | ReplyInit | typeof DROP_REPLY;
