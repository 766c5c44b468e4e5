import type { CommandNode, Pipeline } from 'unbash';
import type { ShellIo } from './io.js';
import { TextPipe } from './stream.js';

/** A program that read enough ends those before it when they write next; the rest of a pipe is let go. */
const ENDS_EARLY = ['head', 'timeout', 'read', 'grep', 'sed'];

/** What connects the stages of one pipeline, first to last. */
export class Pipes {
  private readonly stops: readonly AbortController[];
  /** After each stage but the last. */
  private readonly pipes: readonly TextPipe[];
  private readonly stopAll = (): void => this.stops.forEach((stop) => stop.abort());

  constructor(
    private readonly commands: readonly CommandNode[],
    private readonly operators: Pipeline['operators'],
    private readonly io: ShellIo,
  ) {
    this.stops = commands.map(() => new AbortController());
    this.pipes = commands.slice(1).map((_, i) => new TextPipe(() => this.stops[i]!.abort()));
    io.signal.addEventListener('abort', this.stopAll, { once: true });
  }

  /** Runs all stages beside each other; gives their exit codes. */
  async run(stage: (command: CommandNode, io: ShellIo) => Promise<number>): Promise<readonly number[]> {
    try {
      return await Promise.all(
        this.commands.map(async (command, i) => {
          try {
            return await stage(command, this.ioOf(i));
          } finally {
            this.ended(i);
          }
        }),
      );
    } finally {
      this.io.signal.removeEventListener('abort', this.stopAll);
    }
  }

  /** What a stage reads and writes. */
  private ioOf(stage: number): ShellIo {
    const { io } = this;
    const [input, output] = [this.pipes[stage - 1], this.pipes[stage]];
    const write = output ? (text: string) => output.write(text) : (text: string) => io.write(text);
    const endsEarly = this.commands.slice(stage + 1).some((later) => ENDS_EARLY.includes(programOf(later)));
    return {
      ...io,
      input: input ?? io.input,
      write,
      error: this.operators[stage] === '|&' ? write : (text) => io.error(text),
      signal: this.stops[stage]!.signal,
      endless: io.endless || endsEarly,
      interactive: io.interactive === true && output === undefined,
    };
  }

  private ended(stage: number): void {
    this.pipes[stage]?.end();
    this.pipes[stage - 1]?.close();
  }
}

const programOf = (node: CommandNode): string => (node.type === 'Command' ? (node.name?.value ?? '') : '');
