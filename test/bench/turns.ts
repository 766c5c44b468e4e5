import { sample, untilRight } from './ask.js';
import { rightAnswers } from './cluster.js';
import { load, type LoadResult } from './load.js';
import { write, type Command } from './peer.js';
import { SERVER_CORE, cpuTime, residentMemory, startPinned, stop } from './process.js';

/** A server that is compared with others: all run, and are asked in turns, so that what else the machine does hits all. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly command: Command;
  /** `NAME TYPE` lines. */
  readonly questions: readonly string[];
  /** Time for which it is asked before anything is measured, in seconds. */
  readonly warmUp: number;
  /** How many times each question is asked before that. */
  readonly rounds?: number;
  /** Services of its cluster. */
  readonly services?: number;
}

/** What a contestant took. */
export interface Result {
  readonly name: string;
  /** CPU time of a query in microseconds: the median of all turns. */
  readonly cost: number;
  /** The median of the costs of each turn over those of the first contestant in it. */
  readonly ratio: number;
  /** Resident at the end, in MB (10^6 bytes). */
  readonly memory: number;
  /** Queries that were sent in all, and of those the answered ones that were waited for. */
  readonly sent: number;
  readonly answered: number;
}

const TURNS = 7;

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Starts all, asks each in turn, and stops them. Rejects at the first answer that is wrong. */
export async function inTurns(contestants: readonly Contestant[], seconds: number, turns = TURNS): Promise<Result[]> {
  const running = contestants.map((contestant) => {
    const { port, command, questions } = contestant;
    const queries = write(`queries-${port}`, questions.map((line) => `${line}\n`).join(''));
    const child = startPinned(SERVER_CORE, command.command, command.args, command.env);
    return { ...contestant, queries, child, costs: [] as number[], sent: 0, answered: 0 };
  });
  try {
    for (const one of running) {
      const [first] = one.questions as [string];
      await untilRight(one.port, first, rightAnswers(one.services)(first)).catch((error: Error) => {
        throw new Error(`${one.name}: ${error.message}\n${one.child.output()}`, { cause: error });
      });
      if (one.rounds !== undefined) counted(one, await load({ ...one, clients: 10, seconds: 0 }));
      counted(one, await load({ ...one, rounds: undefined, clients: 10, seconds: one.warmUp }));
    }
    for (let turn = 0; turn < turns; turn++)
      for (const one of turn % 2 === 0 ? running : running.toReversed()) {
        const before = cpuTime(one.child.pid!);
        const result = await load({ ...one, rounds: undefined, clients: 10, seconds });
        one.costs.push((cpuTime(one.child.pid!) - before) / result.completed);
        counted(one, result);
      }
    for (const one of running) {
      const right = rightAnswers(one.services);
      const { latencies } = await sample(one.port, one.questions.slice(0, 100), right, 0.3);
      counted(one, { sent: latencies.length, completed: latencies.length });
    }
    const [first] = running;
    return running.map(({ name, costs, sent, answered, child }) => ({
      name,
      cost: median(costs),
      ratio: median(costs.map((cost, i) => cost / first!.costs[i]!)),
      memory: residentMemory(child.pid!),
      sent,
      answered,
    }));
  } finally {
    await Promise.all(running.map(({ child }) => stop(child)));
  }
}

function counted(
  one: { sent: number; answered: number },
  { sent, completed }: Pick<LoadResult, 'sent' | 'completed'>,
): void {
  one.sent += sent;
  one.answered += completed;
}
