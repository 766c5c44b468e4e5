import { NodensError } from '../lib/errors.js';

/** What a TSIG record says is wrong with another (RFC 8945 section 3). */
export const TsigFault = { NONE: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** The fault's name, or its number. */
export const tsigFaultName = (fault: number): string =>
  Object.entries(TsigFault).find(([, number]) => number === fault)?.[0] ?? String(fault);

/** An answer that is not signed as it has to be. */
export class TsigError extends NodensError {
  override readonly name = 'TsigError';

  constructor(fault: string) {
    super('NODENS_SIGNATURE', fault);
  }
}
