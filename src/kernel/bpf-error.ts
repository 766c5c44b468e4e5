/** A system call that failed. `code` is the error's name, as EPERM. */
export class BpfError extends Error {
  constructor(
    what: string,
    readonly code: string,
    /** The last lines of what the verifier said. */
    readonly verifier = '',
  ) {
    super(`${what}: ${code}${verifier === '' ? '' : `: ${verifier}`}`);
  }
}
