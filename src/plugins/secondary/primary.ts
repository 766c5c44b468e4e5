import type { Runtime } from '../../chain/index.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { SignedRequest, TsigError, type TsigKey } from '../../tsig/index.js';
import {
  Class,
  Flag,
  FrameReader,
  Rcode,
  Type,
  WireError,
  decodeMessage,
  encodeMessage,
  frame,
  lowerName,
  opcodeOf,
  rcodeName,
  typeName,
  type Message,
  type Name,
  type Rr,
} from '../../wire/index.js';
import { soaNumbers } from '../../zone/index.js';
import { TransferError } from './errors.js';
import { isWhole } from './incoming.js';

/** How long a connection may take to open. */
const CONNECT: Milliseconds = 5_000;
/** How long each message may take to come. */
const MESSAGE: Milliseconds = 10_000;
/** How long all messages of an answer may take. */
const ANSWER: Milliseconds = 30 * 60_000;

/** A server that a zone comes from; asked over TCP, where an answer cannot be forged from afar. */
export class Primary {
  /** @param key what questions are signed with, and answers have to be; nothing without it */
  constructor(
    readonly at: Endpoint,
    private readonly runtime: Runtime,
    private readonly key: TsigKey | undefined,
  ) {}

  /** The serial that it has. Rejects with a TransferError, or with an error of the network. */
  async serial(zone: Name, signal: AbortSignal): Promise<number> {
    for await (const { answer } of this.ask(zone, Type.SOA, [], signal)) {
      const soa = answer.find(({ name, type }) => type === Type.SOA && lowerName(name) === zone);
      if (soa === undefined || !isWhole(soa)) break;
      return soaNumbers(soa).serial;
    }
    throw new TransferError('no SOA record in the answer');
  }

  /**
   * The messages of an answer, each looked at before it is handed on; ends where the primary ends the connection. A
   * new connection for each question, which is closed when the iterator is left.
   */
  async *ask(
    zone: Name,
    type: number,
    authority: readonly Rr[],
    signal: AbortSignal,
  ): AsyncGenerator<Message, void, void> {
    const { clock, random } = this.runtime;
    const id = randomBelow(random, 0x10000);
    const question = [{ name: zone, type, class: Class.IN }];
    const empty = { flags: 0, rcode: 0, answer: [], additional: [] };
    const signatures = this.key && new SignedRequest(this.key, () => clock.now());
    const plain = encodeMessage({ ...empty, id, question, authority: [...authority] });
    const query = frame(signatures?.sign(plain) ?? plain);
    /** Messages that no signature covers yet. */
    const open: Message[] = [];
    const limit = new AbortController();
    const late = (what: string) => (): void => limit.abort(new TransferError(what));
    const whole = clock.setTimeout(late(`no end of the answer within ${ANSWER / 60_000} minutes`), ANSWER);
    let wait = clock.setTimeout(late(`no connection within ${CONNECT / 1000} seconds`), CONNECT);
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      const { stream } = await this.runtime.network.connectTcp(this.at, either);
      const end = (): void => void stream.destroy(either.reason as Error);
      stream.on('error', () => undefined);
      either.addEventListener('abort', end);
      try {
        stream.write(query);
        const frames = new FrameReader();
        const next = (): void => {
          wait.cancel();
          wait = clock.setTimeout(late(`no message within ${MESSAGE / 1000} seconds`), MESSAGE);
        };
        next();
        let first = true;
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          frames.push(chunk);
          for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
            wait.cancel();
            open.push(read(bytes, id, zone, type, first, signatures));
            first = false;
            if (signatures?.complete !== false) yield* open.splice(0);
            next();
          }
        }
      } finally {
        // Who stops reading closes the connection with that.
        either.removeEventListener('abort', end);
      }
    } finally {
      wait.cancel();
      whole.cancel();
    }
  }
}

/** Reads a message and judges whether it answers the question (RFC 5936 section 2.2). */
function read(
  bytes: Buffer,
  id: number,
  zone: Name,
  type: number,
  first: boolean,
  signatures: SignedRequest | undefined,
): Message {
  let message: Message;
  try {
    signatures?.check(bytes);
    message = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof TsigError) throw new TransferError(error.message);
    if (!(error instanceof WireError)) throw error;
    throw new TransferError(`a message that cannot be read: ${error.message}`);
  }
  const { flags, rcode, question } = message;
  if (message.id !== id || (flags & Flag.QR) === 0 || opcodeOf(flags) !== 0)
    throw new TransferError('a message that is no answer to the question');
  if (rcode !== Rcode.NOERROR) throw new TransferError(`rcode ${rcodeName(rcode)}`);
  if ((flags & Flag.TC) !== 0) throw new TransferError('an answer that is cut short (TC)');
  const [asked] = question;
  const another = asked !== undefined && (lowerName(asked.name) !== zone || asked.type !== type);
  if (another || (first && asked === undefined)) {
    const got = asked === undefined ? 'no question' : `${asked.name} ${typeName(asked.type)}`;
    throw new TransferError(`an answer to another question: ${got}`);
  }
  return message;
}
