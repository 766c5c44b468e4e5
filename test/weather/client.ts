import dgram from 'node:dgram';
import { once } from 'node:events';
import { Flag, encodeMessage, typeFromName } from '../../src/wire/index.js';

const RCODE = 0x0f;

export interface Asked {
  readonly port: number;
  readonly address?: string;
  /** The client's own address; 127.0.0.1 by default. */
  readonly from?: string;
  readonly names: readonly string[];
  /** Queries a second, evenly spread. */
  readonly rate: number;
  /** How long an answer is waited for, in milliseconds. */
  readonly patience?: number;
  /** Tells a right answer; by default NOERROR. */
  readonly isRight?: (answer: Buffer, name: string) => boolean;
}

export interface Answers {
  readonly asked: number;
  readonly right: number;
  /** Another answer than the right one. */
  readonly wrong: number;
  /** None in time. */
  readonly lost: number;
  /** Of right answers, in milliseconds, the shortest first. */
  readonly latencies: readonly number[];
}

/** An encoded query; RD set. */
export const queryFor = (name: string, type = 'A', id = 0): Buffer =>
  encodeMessage({
    id,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name, type: typeFromName(type)!, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
  });

const noError = (answer: Buffer): boolean => (answer[3]! & RCODE) === 0;

/** Asks each name once from one port. */
export async function askAll({
  port,
  address = '127.0.0.1',
  from = '127.0.0.1',
  names,
  rate,
  patience = 6000,
  isRight = noError,
}: Asked): Promise<Answers> {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.bind(0, from);
  await once(socket, 'listening');
  const sent = new Float64Array(names.length);
  const latencies: number[] = [];
  let wrong = 0;
  let answered = 0;
  let done = (): void => undefined;
  socket.on('error', () => undefined);
  socket.on('message', (answer) => {
    const at = answer.readUInt16BE(0);
    for (let i = at; i < names.length; i += 0x10000) {
      if (sent[i]! <= 0) continue;
      if (isRight(answer, names[i]!)) latencies.push(performance.now() - sent[i]!);
      else wrong++;
      sent[i] = -1;
      if (++answered === names.length) done();
      return;
    }
  });
  const start = performance.now();
  for (let i = 0; i < names.length;) {
    const due = Math.min(names.length, Math.floor(((performance.now() - start) / 1000) * rate) + 1);
    for (; i < due; i++) {
      sent[i] = performance.now();
      socket.send(queryFor(names[i]!, 'A', i & 0xffff), port, address);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (answered < names.length)
    await new Promise<void>((resolve) => {
      done = resolve;
      setTimeout(resolve, patience);
    });
  socket.close();
  latencies.sort((a, b) => a - b);
  return { asked: names.length, right: latencies.length, wrong, lost: names.length - answered, latencies };
}

export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
