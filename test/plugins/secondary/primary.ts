import type { Duplex } from 'node:stream';
import type { Endpoint } from '../../../src/net/network.js';
import {
  Flag,
  FrameReader,
  Type,
  decodeMessage,
  encodeMessage,
  frame,
  typeName,
  type Message,
  type Rr,
} from '../../../src/wire/index.js';
import { soaNumbers } from '../../../src/zone/index.js';
import { rrs } from '../../support/dns.js';
import type { FakeNetwork } from '../../support/fake-network.js';

/** What a primary does when it is asked: sends messages, bytes as they are, or ends the connection. */
export type Act = Partial<Message> | Buffer | 'end';
export type Script = (asked: { zone: string; type: string; serial: number | undefined }) => readonly Act[];

/** Answers, each record group a message. */
export const messages = (...groups: string[][]): Partial<Message>[] =>
  groups.map((group) => ({ answer: rrs(...group) }));

/** A primary in memory that does as its script says. */
export class FakePrimary {
  /** What it was asked: `SOA`, `AXFR`, `IXFR 7`. */
  readonly asked: string[] = [];
  /** The same as messages. */
  readonly queries: Message[] = [];

  constructor(
    network: FakeNetwork,
    readonly at: Endpoint,
    public script: Script,
  ) {
    void network.listenTcp(at, ({ stream }) => this.serve(stream));
  }

  private serve(stream: Duplex): void {
    const frames = new FrameReader();
    stream.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      const bytes = frames.next();
      if (bytes !== undefined) this.answer(decodeMessage(bytes), stream);
    });
    stream.on('end', () => stream.destroy());
  }

  private answer(query: Message, stream: Duplex): void {
    this.queries.push(query);
    const [soa] = query.authority as [Rr?];
    const type = typeName(query.question[0]!.type);
    const serial = soa === undefined ? undefined : soaNumbers(soa).serial;
    this.asked.push(serial === undefined ? type : `${type} ${serial}`);
    for (const act of this.script({ zone: query.question[0]!.name, type, serial })) {
      if (act === 'end') return void stream.end();
      if (Buffer.isBuffer(act)) stream.write(act);
      else {
        const answer = { id: query.id, flags: Flag.QR | Flag.AA, rcode: 0, question: query.question };
        const none = { answer: [], authority: [], additional: [] };
        stream.write(frame(encodeMessage({ ...answer, ...none, ...act })));
      }
    }
  }
}

/** A well-behaved primary: the zone `example.` at a serial, and the changes that lead there. */
export function honest(serial: number, records: string[], changes: Record<number, string[]> = {}): Script {
  const soa = soaAt(serial);
  return ({ type, serial: known }) => {
    if (type === typeName(Type.SOA)) return messages([soa]);
    const since = known === undefined ? undefined : changes[known];
    return messages(since === undefined ? [soa, ...records, soa] : [soa, ...since, soa]);
  };
}

export const soaAt = (serial: number): string => `example. 60 IN SOA ns.example. host.example. ${serial} 100 10 1000 5`;
