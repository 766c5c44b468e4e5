import http from 'node:http';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { objectAt, textAt } from '../objects/raw.js';

/** An answer of the API other than success. */
export class ApiError extends NodensError {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status, or the code of a Status object within a watch. */
    readonly status: number,
    /** Machine-readable word, such as `Expired`; empty when the answer had none. */
    readonly reason: string,
    message: string,
    /** What the Retry-After header asks for; 0 without one. */
    readonly retryAfter: Milliseconds = 0,
    /** Sent as an event of a watch that had begun. */
    readonly streamed = false,
  ) {
    super('NODENS_KUBE_API', message);
  }

  /**
   * The version asked for is too old (or a page's token is): only a new list helps (API concepts, "410 Gone
   * responses").
   */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  /** The version asked for is newer than anything the server knows: it was set back to an earlier state. */
  get tooNew(): boolean {
    return this.status === 504 && /too large resource version/i.test(this.message);
  }

  static of(code: number, status: unknown, retryAfter: Milliseconds = 0, streamed = false): ApiError {
    const text = textAt(status, 'message') || http.STATUS_CODES[code] || 'unknown error';
    const causes = JSON.stringify(objectAt(status, 'details')['causes'] ?? '');
    return new ApiError(
      code,
      textAt(status, 'reason'),
      /ResourceVersionTooLarge/.test(causes) ? `Too large resource version: ${text}` : text,
      retryAfter,
      streamed,
    );
  }
}
