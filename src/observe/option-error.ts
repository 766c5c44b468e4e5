/** A command line that cannot be used. The message names the option, what was got and what is allowed. */
export class OptionError extends Error {
  override readonly name = 'OptionError';

  constructor(
    readonly program: string,
    message: string,
  ) {
    super(`${program}: ${message}`);
  }
}
