import { describe, expect, it } from 'vitest';
import { ReplyLease, type LeaseHolder } from '../../src/chain/index.js';
import { ReadLease, Reads } from '../../src/plugin-api/reads.js';

/** A lease over one entry of a table, with those whom the table tells of a change. */
function leased(inner?: ReplyLease) {
  const watching = new Set<ReadLease>();
  const reads = new Reads();
  const table = {
    isSame: () => true,
    watch: (_: string, lease: ReadLease) => void watching.add(lease),
    unwatch: (_: string, lease: ReadLease) => void watching.delete(lease),
  };
  reads.add(table, 'a.example', 1, '192.0.2.1');
  return { lease: new ReadLease(reads, Infinity, inner, {}), watching };
}
function holder(): LeaseHolder & { withdrawn: number } {
  const made = { withdrawn: 0, withdraw: () => void made.withdrawn++ };
  return made;
}

describe('the lease of an answer that was made from a table', () => {
  it('is known to the table while one of its holders has the answer', () => {
    const { lease, watching } = leased();
    const [first, second] = [holder(), holder()];
    lease.hold(first);
    lease.hold(second);
    lease.release(first);
    expect(watching.size).toBe(1);
    lease.release(second);
    expect(watching.size).toBe(0);
    lease.hold(first);
    expect(watching.size).toBe(1);
  });

  it('tells those who hold the answer when it ends, and no other', () => {
    const { lease, watching } = leased();
    const [first, second] = [holder(), holder()];
    lease.hold(first);
    lease.hold(second);
    lease.release(first);
    lease.revoke();
    expect([first.withdrawn, second.withdrawn, watching.size, lease.revoked]).toEqual([0, 1, 0, true]);
  });

  it('ends with that of the answer that was passed on, while somebody holds it', () => {
    const inner = new ReplyLease(Infinity);
    const { lease, watching } = leased(inner);
    const [first, second] = [holder(), holder()];
    lease.hold(first);
    lease.hold(second);
    lease.release(second);
    inner.revoke();
    expect([first.withdrawn, second.withdrawn, watching.size]).toEqual([1, 0, 0]);
  });
});
