import { NodensError } from '../../lib/errors.js';

/** Why a zone cannot be had from a primary. */
export class TransferError extends NodensError {
  override readonly name = 'TransferError';

  constructor(text: string) {
    super('NODENS_TRANSFER', text);
  }
}
