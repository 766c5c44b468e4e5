import type { Milliseconds } from '../lib/units.js';
import { ReplyLease, type LeaseHolder } from './lease.js';

/** The lease of a reply that was made from another: that of the other, but for no longer than `until`. */
export class DerivedLease extends ReplyLease implements LeaseHolder {
  private holding = 0;

  constructor(
    private readonly inner: ReplyLease,
    until: Milliseconds = inner.until,
  ) {
    super(Math.min(inner.until, until), inner.countdown);
  }

  override get origin(): ReplyLease {
    return this.inner.origin;
  }

  override get maker(): object | undefined {
    return this.inner.maker;
  }

  override get revoked(): boolean {
    return super.revoked || this.inner.revoked;
  }

  override hold(holder: LeaseHolder): void {
    super.hold(holder);
    if (this.holding++ === 0) this.inner.hold(this);
  }

  override release(holder: LeaseHolder): void {
    super.release(holder);
    if (--this.holding === 0) this.inner.release(this);
  }

  withdraw(): void {
    this.holding = 0;
    this.revoke();
  }
}
