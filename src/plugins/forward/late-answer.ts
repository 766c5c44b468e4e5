import { Reply } from '../../chain/index.js';
import { Deadline, type AttemptListener } from '../../exchange/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Flag, Rcode } from '../../wire/index.js';
import type { LookupSettings } from './lookup-settings.js';
import { expandOrTruncate, type LookedUp, type Try } from './try.js';

/** Each keeps its query: where many are given up, the upstream is gone, and it is not worth the memory. */
const MOST = 256;

/** Waits for what comes of a look-up that was given up early: who asks again is answered with it. */
export class LateAnswer extends Deadline implements AttemptListener {
  private constructor(
    private readonly settings: LookupSettings,
    private readonly outstanding: Pick<LookedUp, 'late'>,
    private readonly tries: readonly Try[],
    until: Milliseconds,
  ) {
    super();
    for (const attempt of tries) attempt.receiver = this;
    settings.late.waiting++;
    settings.deadlines.set(this, until);
  }

  /** @param until monotonic time after which nobody cares */
  static waitFor(
    settings: LookupSettings,
    outstanding: Pick<LookedUp, 'late'>,
    tries: readonly Try[],
    until: Milliseconds,
  ): void {
    if (tries.length > 0 && settings.late.waiting < MOST) new LateAnswer(settings, outstanding, tries, until);
  }

  override due(): void {
    this.settings.late.waiting--;
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
