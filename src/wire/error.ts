import { NodensError } from '../lib/errors.js';
import type { Octets } from '../lib/units.js';

/**
 * Bytes that are no DNS message, or a message that cannot be written. `offset` counts octets from the start of the
 * message.
 */
export class WireError extends NodensError {
  override readonly name = 'WireError';

  constructor(
    text: string,
    readonly offset: Octets,
  ) {
    super('NODENS_MESSAGE', `${text} at octet ${offset}`);
  }
}
