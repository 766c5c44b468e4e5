import { NodensError } from '../lib/errors.js';

/** A Corefile that cannot be used. The message is `FILE:LINE: text`; lines count from 1. */
export class CorefileError extends NodensError {
  override readonly name: string = 'CorefileError';
  constructor(
    readonly file: string,
    readonly line: number,
    readonly text: string,
  ) {
    super('NODENS_COREFILE', `${file}:${line}: ${text}`, { place: { file, line } });
  }
}

/** Several faults of one Corefile. The message has a line for each; the place is that of the first. */
export class CorefileFaults extends CorefileError {
  override readonly name = 'CorefileFaults';

  constructor(readonly faults: readonly [CorefileError, ...CorefileError[]]) {
    const [first, ...others] = faults;
    super(first.file, first.line, [first.text, ...others.map(({ message }) => message)].join('\n'));
  }
}
