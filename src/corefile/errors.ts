/** A Corefile that cannot be used. The message is `FILE:LINE: text`; lines count from 1. */
export class CorefileError extends Error {
  override readonly name = 'CorefileError';
  constructor(
    readonly file: string,
    readonly line: number,
    text: string,
  ) {
    super(`${file}:${line}: ${text}`);
  }
}
