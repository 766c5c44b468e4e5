import { Reply } from '../../chain/index.js';
import { Deadline, type AttemptListener } from '../../exchange/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Flag, Rcode } from '../../wire/index.js';
import type { LookupSettings } from './lookup-settings.js';
import { expandOrTruncate, type LookedUp, type Try } from './try.js';

/** Waits for what comes of a look-up that was given up early: who asks again is answered with it. */
export class LateAnswer extends Deadline implements AttemptListener {
  /** @param until monotonic time after which nobody cares */
  constructor(
    private readonly settings: LookupSettings,
    private readonly outstanding: Pick<LookedUp, 'late'>,
    private readonly tries: readonly Try[],
    until: Milliseconds,
  ) {
    super();
    for (const attempt of tries) attempt.receiver = this;
    settings.deadlines.set(this, until);
  }

  override due(): void {
    for (const attempt of this.tries) attempt.abandon();
  }

  replied(attempt: Try, bytes: Buffer, records: number): boolean {
    try {
      const { flags, rcode, records: found, edns } = expandOrTruncate(bytes, records, attempt.stream);
      if ((flags & Flag.TC) !== 0 || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN)) return true;
      this.settings.deadlines.clear(this);
      this.due();
      this.outstanding.late(Reply.ofRecords(flags, rcode, found, undefined, edns));
      return true;
    } catch {
      return attempt.stream;
    }
  }

  mismatched(): void {
    // Counted by the upstream.
  }

  doubted(): void {
    // Nobody waits.
  }

  failed(): void {
    // Nobody waits.
  }
}
