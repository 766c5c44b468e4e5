import type { Milliseconds } from '../lib/units.js';
import { ReplyLease, type Lease, type LeaseHolder } from './lease.js';

/** The lease of a reply that was made from another: that of the other, but for no longer than `until`. */
export class DerivedLease extends ReplyLease implements LeaseHolder {
  private holding = 0;

  constructor(
    private readonly inner: Lease,
    until: Milliseconds = inner.until,
  ) {
    super(Math.min(inner.until, until), inner.countdown);
  }

  override get origin(): Lease {
    return this.inner.origin;
  }

  override get maker(): object | undefined {
    return this.inner.maker;
  }

  override get revoked(): boolean {
    return super.revoked || this.inner.revoked;
  }

  override hold(holder: LeaseHolder, place?: number): void {
    super.hold(holder, place);
    if (this.holding++ === 0) this.inner.hold(this);
  }

  override release(holder: LeaseHolder, place?: number): void {
    super.release(holder, place);
    if (--this.holding === 0) this.inner.release(this);
  }

  withdraw(): void {
    this.revoke();
  }
}
