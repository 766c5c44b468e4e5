/** A template that cannot be read, or cannot be carried out for a query. */
export class GoTemplateError extends Error {
  override readonly name = 'GoTemplateError';
}
