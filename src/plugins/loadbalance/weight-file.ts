import { NodensError } from '../../lib/errors.js';
import type { Runtime } from '../../chain/index.js';
import { repeat, type Timer } from '../../lib/clock.js';
import { formatDuration } from '../../lib/duration.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import { readWeights, type Weights } from './weights.js';

/**
 * A weight file that is read again when its content changes. While it cannot be read, the weights that it gave last
 * stay.
 */
export class WeightFile {
  weights: Weights = new Map();
  private text: string | undefined;
  private timer: Timer | undefined;

  /** @param reload time between two looks at the file; 0: only one look, at the start */
  constructor(
    private readonly path: string,
    private readonly reload: Milliseconds,
    private readonly runtime: Runtime,
    private readonly log: Logger,
  ) {}

  /** Throws an Error when the file is malformed, or cannot be read and is not looked at again. */
  start(): void {
    const text = this.read();
    if (text instanceof Error) {
      if (this.reload === 0)
        throw new NodensError('NODENS_COREFILE', `loadbalance: cannot read weight file ${this.path}: ${text.message}`, {
          cause: text,
        });
      this.log.warning(
        `Failed to open weight file ${this.path}: ${text.message}. Will try again in ${formatDuration(this.reload)}`,
      );
    } else this.take(text);
    if (this.reload > 0) this.timer = repeat(this.runtime.clock, this.reload, () => this.refresh());
  }

  stop(): void {
    this.timer?.cancel();
  }

  private refresh(): void {
    const text = this.read();
    try {
      if (text instanceof Error) throw text;
      this.take(text);
    } catch (error) {
      this.log.error(`weight file ${this.path} is not read: ${(error as Error).message}`);
    }
  }

  private read(): string | Error {
    try {
      return this.runtime.readFile(this.path);
    } catch (error) {
      return error as Error;
    }
  }

  private take(text: string): void {
    if (text === this.text) return;
    // Kept before it is read: a malformed file is complained about once.
    this.text = text;
    this.weights = readWeights(text, this.path);
    this.log.info(`Successfully reloaded weight file ${this.path}`);
  }
}
