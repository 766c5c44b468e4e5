import dgram from 'node:dgram';
import { Flag, decodeMessage, encodeMessage, rcodeName, typeFromName } from '../../src/wire/index.js';
import type { Right } from './cluster.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How long an answer is waited for, and one of a server that may not be there yet, in milliseconds. */
const PATIENCE = 1000;
const STARTING_PATIENCE = 20;
/** A server may take so long to start, in milliseconds. */
const START = 60_000;
/** Between two questions of a sample, in milliseconds. */
const PAUSE = 5;

/**
 * Asks `NAME TYPE`; resolves with how long the right answer took in milliseconds, with what came in its place as
 * text, or with undefined when nothing came.
 */
function ask(port: number, question: string, right: Right, patience = PATIENCE): Promise<number | string | undefined> {
  const [name, type] = question.split(' ') as [string, string];
  const message = encodeMessage({
    id: 1,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name: `${name}.`, type: typeFromName(type)!, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
  });
  const asked = performance.now();
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const done = (result: number | string | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => done(undefined), patience);
    socket.on('error', () => done(undefined));
    socket.on('message', (reply) => {
      const { rcode, answer } = decodeMessage(reply);
      const got = [rcodeName(rcode), ...answer.map(({ rdata }) => rdata.join('.'))].join(' ');
      const wanted = [right.rcode, ...(right.address === undefined ? [] : [right.address])].join(' ');
      done(got === wanted ? performance.now() - asked : `got ${got}, right is ${wanted}`);
    });
    socket.send(message, port, '127.0.0.1');
  });
}

/** Resolves at the first right answer. */
export async function untilRight(port: number, question: string, right: Right): Promise<void> {
  const end = performance.now() + START;
  let last: number | string | undefined;
  while (performance.now() < end) {
    last = await ask(port, question, right, STARTING_PATIENCE);
    if (typeof last === 'number') return;
    // A wrong one comes at once.
    if (last !== undefined) await sleep(STARTING_PATIENCE);
  }
  throw new Error(`no right answer at port ${port} within ${START / 1000} s: ${question}: ${last ?? 'none'}`);
}

/** Resolves when the server says that it knows all objects. */
export async function untilReady(port: number): Promise<void> {
  const end = performance.now() + START;
  while (performance.now() < end) {
    if (
      await fetch(`http://127.0.0.1:${port}/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`not ready at port ${port} within ${START / 1000} s`);
}

export interface Sample {
  /** In milliseconds, the shortest first. */
  readonly latencies: readonly number[];
  readonly lost: number;
}

/** Asks all the while and looks at the answers. Rejects at the first that is wrong. */
export async function sample(
  port: number,
  questions: readonly string[],
  right: (question: string) => Right,
  seconds: number,
): Promise<Sample> {
  const end = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  let lost = 0;
  for (let i = 0; performance.now() < end; i++) {
    const question = questions[(i * 7) % questions.length]!;
    const result = await ask(port, question, right(question));
    if (typeof result === 'string') throw new Error(`wrong answer under load: ${question}: ${result}`);
    if (result === undefined) lost++;
    else latencies.push(result);
    await sleep(PAUSE);
  }
  return { latencies: latencies.sort((a, b) => a - b), lost };
}
