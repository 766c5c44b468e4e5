import type { Runtime } from '../../chain/index.js';
import type { ServedZone } from '../../authority/index.js';
import type { Timer } from '../../lib/clock.js';
import { hostPort } from '../../lib/cidr.js';
import { formatDuration } from '../../lib/duration.js';
import type { Logger } from '../../lib/log.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import type { TsigKey } from '../../tsig/index.js';
import { Type, type Name } from '../../wire/index.js';
import { changed, inSteps, isBefore, soaNumbers, type SoaNumbers, type ZoneData } from '../../zone/index.js';
import { TransferError } from './errors.js';
import { enter, leave, type KeptZone } from './kept-zones.js';
import { Incoming, MAX_SIZE, type TransferContent } from './incoming.js';
import { Primary } from './primary.js';

/** Time to the second attempt to get a zone for the first time; it doubles with each one, up to MAX_AGAIN. */
const AGAIN: Milliseconds = 250;
const MAX_AGAIN: Milliseconds = 10_000;
/** Most that is added by chance to the time between two looks at a primary, as in CoreDNS. */
const REFRESH_JITTER: Milliseconds = 5_000;
const RETRY_JITTER: Milliseconds = 2_000;
/** Longer times than this are no timer's business: the zone is looked at earlier than it says. */
const MAX_WAIT: Milliseconds = 24 * 24 * 3_600_000;

/** What a zone's owner does with it. */
export interface ZoneOwner {
  readonly runtime: Runtime;
  readonly log: Logger;
  /** What transfers are signed with; nothing without it. */
  readonly key?: TsigKey | undefined;
  /** Looks at what has come before it is served; throws a TransferError for what cannot be used. */
  readonly accept?: (zone: ZoneData) => void;
  /** Told when another zone is served than before. */
  readonly transferred: (origin: Name) => void;
}

/** Keeps a zone as its primaries have it (RFC 1034 section 4.3.5, RFC 1995, RFC 1996). */
export class SecondaryZone implements KeptZone {
  private readonly primaries: readonly Primary[];
  private readonly stopping = new AbortController();
  /** Ends the present wait. */
  private wake: () => void = () => undefined;
  private notified = false;
  private wait: Timer | undefined;
  private expiry: Timer | undefined;
  private failing = false;
  confirmed: Milliseconds = 0;
  readonly identity: string;

  constructor(
    readonly served: ServedZone,
    readonly from: readonly Endpoint[],
    private readonly owner: ZoneOwner,
  ) {
    this.primaries = from.map((at) => new Primary(at, owner.runtime, owner.key));
    this.identity = [served.origin, owner.key?.name ?? '', ...from.map(spelt)].join(' ');
  }

  /** Gets the zone and keeps it; resolves after the first attempt, successful or not. */
  start(): Promise<void> {
    const before = enter(this.owner.runtime, this);
    if (before !== undefined && this.served.zone === undefined) this.adopt(before);
    return new Promise((tried) => void this.run(tried));
  }

  /** Goes on with what a configuration before this one has got. */
  private adopt({ served, confirmed }: KeptZone): void {
    this.confirmed = confirmed;
    try {
      this.owner.accept?.(served.zone!);
    } catch {
      // No catalog: it was none before.
      return;
    }
    this.served.replace(served.zone!);
    this.owner.transferred(served.origin);
  }

  stop(): void {
    leave(this.owner.runtime, this);
    this.stopping.abort(new DOMException('the zone is no longer kept', 'AbortError'));
    this.wait?.cancel();
    this.expiry?.cancel();
    this.wake();
  }

  /** A primary says that it has something new: looks at once, or once more after the look that is under way. */
  notify(): void {
    this.notified = true;
    this.wake();
  }

  private async run(tried: () => void): Promise<void> {
    const { served, stopping } = this;
    if (served.zone === undefined) {
      if (await this.begin(tried)) this.confirm();
    } else {
      // What another had of the zone is good for as long as it was there, and looked at first.
      this.notified = true;
      this.armExpiry();
    }
    tried();
    while (!stopping.signal.aborted) {
      await this.sleep(this.pause());
      if (stopping.signal.aborted) return;
      this.notified = false;
      if (await this.check()) this.confirm();
      else this.fail();
    }
  }

  /** Gets the zone for the first time, trying again and again; false where it is stopped before. */
  private async begin(tried: () => void): Promise<boolean> {
    const { served, owner, stopping } = this;
    for (let again = AGAIN; served.zone === undefined; again = Math.min(2 * again, MAX_AGAIN)) {
      this.notified = false;
      const fault = await this.transferFromAny();
      tried();
      if (stopping.signal.aborted) return false;
      if (fault === undefined) break;
      const { origin } = served;
      owner.log.warning(
        `All '${origin}' masters failed to transfer, retrying in ${formatDuration(again)}: ${fault.message}`,
      );
      await this.sleep(again);
    }
    return !stopping.signal.aborted;
  }

  private get numbers(): SoaNumbers {
    return soaNumbers(this.served.zone!.apex.soa);
  }

  /** Time to the next look at the primaries. */
  private pause(): Milliseconds {
    const { refresh, retry } = this.numbers;
    const [seconds, jitter] = this.failing ? [retry, RETRY_JITTER] : [refresh, REFRESH_JITTER];
    return Math.max(seconds, 1) * 1000 + randomBelow(this.owner.runtime.random, jitter);
  }

  private async sleep(time: Milliseconds): Promise<void> {
    if (this.notified || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      this.wait = this.owner.runtime.clock.setTimeout(resolve, Math.min(time, MAX_WAIT));
    });
    this.wait?.cancel();
  }

  private confirm(): void {
    this.failing = false;
    this.confirmed = this.owner.runtime.clock.monotonic();
    if (this.served.expired) this.served.revive();
    this.armExpiry();
  }

  private fail(): void {
    this.failing = true;
    this.armExpiry();
  }

  /** A zone that no primary has confirmed for the time that its SOA record says is served no longer. */
  private armExpiry(): void {
    const { clock } = this.owner.runtime;
    this.expiry?.cancel();
    if (this.stopping.signal.aborted || this.served.expired) return;
    const left = this.confirmed + Math.max(this.numbers.expire, 1) * 1000 - clock.monotonic();
    if (left > 0) {
      this.expiry = clock.setTimeout(() => this.armExpiry(), Math.min(left, MAX_WAIT));
    } else if (this.failing) {
      this.served.expire();
      this.owner.log.error(`Zone ${this.served.origin} is expired`);
    }
  }

  /** Looks whether a primary has something newer, and gets it; true where the zone is what they have. */
  private async check(): Promise<boolean> {
    const { served, owner, stopping } = this;
    const { origin } = served;
    const known = this.numbers.serial;
    let fine = false;
    let newest: number | undefined;
    for (const primary of this.primaries) {
      try {
        const serial = await primary.serial(origin, stopping.signal);
        if (newest === undefined || isBefore(newest, serial)) newest = serial;
        if (!isBefore(known, serial)) {
          fine = true;
          continue;
        }
        await this.transfer(primary);
        return true;
      } catch (error) {
        if (stopping.signal.aborted) return false;
        this.report(primary, error as Error);
      }
    }
    if (newest !== undefined && isBefore(newest, known))
      owner.log.warning(`Serial of '${origin}' went back from ${known} to ${newest}: keeping ${known}`);
    // One that is behind tells nothing about one that has more and fails.
    return fine && !(newest !== undefined && isBefore(known, newest));
  }

  /** Gets the zone from the first primary that gives it; why the last one did not, else. */
  private async transferFromAny(): Promise<Error | undefined> {
    let fault: Error | undefined;
    for (const primary of this.primaries) {
      try {
        await this.transfer(primary);
        return undefined;
      } catch (error) {
        fault = error as Error;
        if (this.stopping.signal.aborted) return fault;
        this.report(primary, fault);
      }
    }
    return fault;
  }

  private report(primary: Primary, error: Error): void {
    const { log } = this.owner;
    log.error(`Failed to transfer '${this.served.origin}' from "${spelt(primary.at)}": ${error.message}`);
  }

  /** Gets what has changed, or all of it where that cannot be had. */
  private async transfer(primary: Primary): Promise<void> {
    const { served, owner, stopping } = this;
    if (served.zone !== undefined) {
      try {
        return await this.receive(primary, Type.IXFR, served.zone);
      } catch (error) {
        if (stopping.signal.aborted) throw error;
        const { message } = error as Error;
        const what = `Incremental transfer of '${served.origin}' from "${spelt(primary.at)}"`;
        owner.log.info(`${what} failed, asking for all of it: ${message}`);
      }
    }
    await this.receive(primary, Type.AXFR, undefined);
  }

  /** @param base what changes are asked for since */
  private async receive(primary: Primary, type: number, base: ZoneData | undefined): Promise<void> {
    const { served, owner, stopping } = this;
    const { origin } = served;
    const incoming = new Incoming(origin, base?.serial, MAX_SIZE, served.zone);
    const authority = base === undefined ? [] : [base.apex.soa];
    let received: TransferContent | undefined;
    for await (const { answer } of primary.ask(origin, type, authority, stopping.signal)) {
      incoming.take(answer);
      received = incoming.received;
      if (received !== undefined) break;
    }
    if (received === undefined) throw new TransferError('it ended half way');
    if (received.kind === 'same') throw new TransferError('nothing new, where its SOA record said otherwise');
    const zone = received.kind === 'zone' ? received.zone : await this.apply(base!, received);
    const known = served.zone?.serial;
    if (known !== undefined && !isBefore(known, zone.serial!))
      throw new TransferError(`serial ${zone.serial} where ${known} is served`);
    owner.accept?.(zone);
    stopping.signal.throwIfAborted();
    const { outside } = received;
    if (outside > 0) owner.log.warning(`Left out ${outside} records of names that are not in '${origin}'`);
    served.replace(zone, received.kind === 'changes' ? received.changes : undefined);
    owner.log.info(`Transferred: ${origin} from ${spelt(primary.at)}`);
    owner.transferred(origin);
  }

  private async apply(base: ZoneData, { changes }: TransferContent & { kind: 'changes' }): Promise<ZoneData> {
    this.owner.log.debug(`Incremental transfer of ${base.origin}: ${changes.length} changes`);
    return inSteps(changed(base, changes), this.stopping.signal);
  }
}

const spelt = ({ address, port }: Endpoint): string => hostPort(address, port);
