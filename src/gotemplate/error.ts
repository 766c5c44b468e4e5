import { NodensError } from '../lib/errors.js';

/** A template that cannot be read, or cannot be carried out for a query. */
export class GoTemplateError extends NodensError {
  override readonly name = 'GoTemplateError';

  constructor(message: string, options?: ErrorOptions) {
    super('NODENS_TEMPLATE', message, options);
  }
}
