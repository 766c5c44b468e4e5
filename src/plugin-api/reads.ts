import { ReplyLease, type Lease, type LeaseHolder } from '../chain/index.js';
import type { Milliseconds } from '../lib/units.js';

/** A table whose entries answers are made from. */
export interface ReadFrom {
  /** Whether what was read under `key` is still what stands there; `ALL` is everything. */
  isSame(key: string, version: number, value: unknown): boolean;
  /** Tells `lease` when what stands under `key` changes. */
  watch(key: string, lease: ReadLease): void;
  unwatch(key: string, lease: ReadLease): void;
}

/** A key for all entries of a table: no name has a blank at its start. */
export const ALL = ' ';

interface Read {
  readonly table: ReadFrom;
  readonly key: string;
  readonly version: number;
  readonly value: unknown;
}

/** What a handler has looked up while it made an answer. */
export class Reads {
  readonly list: Read[] = [];

  add(table: ReadFrom, key: string, version: number, value: unknown): void {
    this.list.push({ table, key, version, value });
  }

  get current(): boolean {
    return this.list.every(({ table, key, version, value }) => table.isSame(key, version, value));
  }
}

let recorder: Reads | undefined;

/** Does `work`; what it looks up in tables meanwhile is written to `reads`, or to nobody. */
export function recording<T>(reads: Reads | undefined, work: () => T): T {
  const before = recorder;
  recorder = reads;
  try {
    return work();
  } finally {
    recorder = before;
  }
}

/** Called by tables at each look-up. */
export const noteRead = (table: ReadFrom, key: string, version: number, value: unknown): void =>
  recorder?.add(table, key, version, value);

/**
 * The lease of an answer that was made from entries of tables, or passed on after a look at them: it ends when one
 * of those changes, or with the lease of the answer that was passed on. It is only known to the tables while
 * somebody holds the answer.
 */
export class ReadLease extends ReplyLease implements LeaseHolder {
  private holding = 0;

  constructor(
    private readonly reads: Reads,
    until: Milliseconds,
    private readonly inner: Lease | undefined,
    private readonly by: object,
  ) {
    super(until, inner?.countdown);
  }

  override get origin(): Lease {
    return this.inner?.origin ?? this;
  }

  override get maker(): object | undefined {
    return this.inner === undefined ? this.by : this.inner.maker;
  }

  override get revoked(): boolean {
    return super.revoked || this.inner?.revoked === true || !this.reads.current;
  }

  override hold(holder: LeaseHolder, place?: number): void {
    super.hold(holder, place);
    if (this.holding++ > 0) return;
    this.inner?.hold(this);
    for (const { table, key } of this.reads.list) table.watch(key, this);
  }

  override release(holder: LeaseHolder, place?: number): void {
    super.release(holder, place);
    if (--this.holding === 0) this.detach();
  }

  override revoke(): void {
    this.detach();
    super.revoke();
  }

  withdraw(): void {
    this.revoke();
  }

  private detach(): void {
    this.inner?.release(this);
    for (const { table, key } of this.reads.list) table.unwatch(key, this);
  }
}
