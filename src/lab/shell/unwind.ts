/** Leaves loops, a function or the shell. */
export class Unwind extends Error {
  constructor(
    readonly kind: 'break' | 'continue' | 'return' | 'exit',
    readonly code: number,
    /** How many loops. */
    readonly levels = 1,
  ) {
    super(kind);
  }
}
