import type { Milliseconds } from '../../lib/units.js';
import { Type } from '../../wire/index.js';
import { MasterFile } from '../../zone/index.js';

const HOUR: Milliseconds = 3_600_000;
const DAY: Milliseconds = 24 * HOUR;
/** A zone is signed again so long after its signatures began, and so long before they end. */
const AGE: Milliseconds = 6 * DAY;
const LEFT: Milliseconds = 7 * DAY;
/** Records at the start of a signed zone among which its own signature is looked for. */
const LOOK = 100;

/**
 * Why a signed zone has to be signed again, by the signatures over its SOA record; undefined where it has not. Never
 * throws: a file that cannot be read is a reason.
 */
export function whyDue(file: string, read: (path: string) => Buffer, now: Milliseconds): string | undefined {
  try {
    const zone = new MasterFile(file, '.', read);
    let found = false;
    for (let i = 0; i < LOOK && zone.next(); i++) {
      const { bytes, length } = zone.data;
      const data = Buffer.from(bytes.subarray(0, length));
      if (zone.type !== Type.RRSIG || data.readUInt16BE(0) !== Type.SOA) continue;
      found = true;
      const reason = judge(timeOf(data.readUInt32BE(12), now), timeOf(data.readUInt32BE(8), now), now);
      if (reason !== undefined) return reason;
    }
    return found ? undefined : `no RRSIG record of the SOA record is among its first ${LOOK} records`;
  } catch (error) {
    return (error as Error).message;
  }
}

function judge(inception: Milliseconds, expiration: Milliseconds, now: Milliseconds): string | undefined {
  const date = (at: Milliseconds): string => new Date(at).toISOString();
  if (now < inception) return `its signature begins in the future, at ${date(inception)}`;
  if (now - inception > AGE) return `its signature began more than ${AGE / DAY} days ago, at ${date(inception)}`;
  if (expiration - now < LEFT) return `its signature ends in less than ${LEFT / DAY} days, at ${date(expiration)}`;
  return undefined;
}

/** The time near `now` that a field of 32 bits stands for (RFC 4034 section 3.1.5). */
function timeOf(seconds: number, now: Milliseconds): Milliseconds {
  const nowSeconds = Math.floor(now / 1000);
  return (nowSeconds + ((seconds - nowSeconds) | 0)) * 1000;
}
