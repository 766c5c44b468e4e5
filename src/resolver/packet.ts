import { randomBelow, type Random } from '../lib/random.js';
import { Class, Flag, encodeMessage, fqdn, isName, type Edns, type Message, type Name } from '../wire/index.js';

/** A query as it is sent. */
export interface QueryPacket {
  readonly id: number;
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  readonly message: Message;
  readonly bytes: Buffer;
}

export interface PacketOptions {
  readonly class?: number;
  /** RD and other flags of the header's second word; RD alone when left out. */
  readonly flags?: number;
  readonly edns?: Edns | undefined;
  /** Drawn when left out. */
  readonly id?: number;
}

/** Makes a query. The name must be writable (`isName`). */
export function makePacket(random: Random, name: string, type: number, options: PacketOptions = {}): QueryPacket {
  const question = { name: fqdn(name), type, class: options.class ?? Class.IN };
  const message: Message = {
    id: options.id ?? randomBelow(random, 0x10000),
    flags: options.flags ?? Flag.RD,
    rcode: 0,
    question: [question],
    answer: [],
    authority: [],
    additional: [],
    edns: options.edns,
  };
  return { id: message.id, ...question, message, bytes: encodeMessage(message) };
}

/** The text as a name with the suffix behind it; undefined where that makes no name. `.` adds nothing. */
export function joined(name: string, suffix: string | undefined): Name | undefined {
  const whole = suffix === undefined || suffix === '.' ? fqdn(name) : fqdn(`${name.replace(/\.$/, '')}.${suffix}`);
  return isName(whole) ? whole : undefined;
}

/** Dots in a name, as resolvers count them: escapes do not matter to them. */
export const countDots = (name: string): number => name.split('.').length - 1;
