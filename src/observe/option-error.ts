import { NodensError } from '../lib/errors.js';

/** A command line that cannot be used. The message names the option, what was got and what is allowed. */
export class OptionError extends NodensError {
  override readonly name = 'OptionError';

  constructor(
    readonly program: string,
    message: string,
  ) {
    super('NODENS_OPTION', `${program}: ${message}`);
  }
}
