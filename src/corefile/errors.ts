import { NodensError } from '../lib/errors.js';

/** A Corefile that cannot be used. The message is `FILE:LINE: text`; lines count from 1. */
export class CorefileError extends NodensError {
  override readonly name = 'CorefileError';
  constructor(
    readonly file: string,
    readonly line: number,
    text: string,
  ) {
    super('NODENS_COREFILE', `${file}:${line}: ${text}`, { place: { file, line } });
  }
}
