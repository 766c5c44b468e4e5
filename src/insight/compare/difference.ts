import type { Seconds } from '../../lib/units.js';
import {
  Flag,
  WireError,
  decodeMessage,
  formatRr,
  lowerName,
  rcodeName,
  type Message,
  type Rr,
} from '../../wire/index.js';

/** What differs, the worst first: one answer has it, it counts as that. */
export const DIFFERENCES = ['answer', 'malformed', 'rcode', 'records', 'flags', 'ttl', 'size', 'order'] as const;

export type DifferenceClass = (typeof DIFFERENCES)[number];

/** How two answers to one query differ. */
export interface Difference {
  readonly kind: DifferenceClass;
  /** What the old server said, and the new one. */
  readonly old: string;
  readonly new: string;
}

/** Apart from its id, which each server gets anew. */
const ID = 2;
const NO_ANSWER = 'no answer';

/**
 * What differs between two answers; undefined for nothing.
 *
 * @param slack TTLs that differ by no more are equal: the two caches were filled at different moments
 */
export function differenceOf(
  old: Uint8Array | undefined,
  fresh: Uint8Array | undefined,
  slack: Seconds,
): Difference | undefined {
  if (old === undefined || fresh === undefined) {
    if (old === fresh) return undefined;
    return { kind: 'answer', old: told(old), new: told(fresh) };
  }
  if (Buffer.compare(old.subarray(ID), fresh.subarray(ID)) === 0) return undefined;
  const [a, b] = [read(old), read(fresh)];
  if (a === undefined || b === undefined) {
    if (a === b) return undefined;
    const word = (message: Message | undefined): string => (message === undefined ? 'malformed' : 'well formed');
    return { kind: 'malformed', old: word(a), new: word(b) };
  }
  return differ(a, b, slack) ?? sizes(old, fresh);
}

const told = (bytes: Uint8Array | undefined): string => {
  const message = bytes && read(bytes);
  return message === undefined ? NO_ANSWER : `${rcodeName(message.rcode)} with ${message.answer.length} records`;
};

function read(bytes: Uint8Array): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function differ(a: Message, b: Message, slack: Seconds): Difference | undefined {
  if (a.rcode !== b.rcode) return { kind: 'rcode', old: rcodeName(a.rcode), new: rcodeName(b.rcode) };
  const [old, fresh] = [recordsOf(a), recordsOf(b)];
  const gone = without(old, fresh);
  const added = without(fresh, old);
  if (gone.length > 0 || added.length > 0) return { kind: 'records', old: list(gone), new: list(added) };
  const [oldFlags, freshFlags] = [flagsOf(a), flagsOf(b)];
  if (oldFlags !== freshFlags) return { kind: 'flags', old: oldFlags, new: freshFlags };
  return ttls(old, fresh, slack) ?? order(old, fresh);
}

/** A record and its section, with a key that is equal for equal data. */
interface PlacedRecord {
  readonly key: string;
  readonly section: string;
  readonly record: Rr;
}

const recordsOf = (message: Message): PlacedRecord[] =>
  (['answer', 'authority', 'additional'] as const).flatMap((section) =>
    message[section].map((record) => ({
      section,
      record,
      key: `${section} ${lowerName(record.name)} ${record.class} ${record.type} ${Buffer.from(record.rdata).toString('latin1')}`,
    })),
  );

/** Those of `all` that `others` do not have, each as often as it is missing. */
function without(all: readonly PlacedRecord[], others: readonly PlacedRecord[]): PlacedRecord[] {
  const counts = new Map<string, number>();
  for (const { key } of others) counts.set(key, (counts.get(key) ?? 0) + 1);
  return all.filter(({ key }) => {
    const left = counts.get(key) ?? 0;
    if (left > 0) counts.set(key, left - 1);
    return left === 0;
  });
}

/** Records that are shown of one difference. */
const SHOWN = 4;

function list(records: readonly PlacedRecord[]): string {
  if (records.length === 0) return 'nothing more';
  const shown = records
    .slice(0, SHOWN)
    .map(
      ({ section, record }) => `${section === 'answer' ? '' : `${section}: `}${formatRr(record).replace(/\s+/g, ' ')}`,
    );
  return `${shown.join(', ')}${records.length > SHOWN ? ` and ${records.length - SHOWN} more` : ''}`;
}

const FLAGS: readonly (readonly [string, number])[] = [
  ['qr', Flag.QR],
  ['aa', Flag.AA],
  ['tc', Flag.TC],
  ['rd', Flag.RD],
  ['ra', Flag.RA],
  ['ad', Flag.AD],
  ['cd', Flag.CD],
];

/** The flags of a message, and what its EDNS says beside the size. */
function flagsOf({ flags, edns }: Message): string {
  const set = FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
  if (edns === undefined) return `${set.join(' ')}, no EDNS`;
  const options = edns.options.map(({ code, data }) => `${code}=${Buffer.from(data).toString('hex')}`).sort();
  return [`${set.join(' ')}, EDNS ${edns.udpSize}${edns.do ? ' do' : ''}`, ...options].join(' ');
}

function ttls(old: readonly PlacedRecord[], fresh: readonly PlacedRecord[], slack: Seconds): Difference | undefined {
  const byKey = new Map(fresh.map((one) => [one.key, one.record.ttl]));
  const other = old.find(({ key, record }) => Math.abs(record.ttl - byKey.get(key)!) > slack);
  if (other === undefined) return undefined;
  return { kind: 'ttl', old: `${other.record.ttl} s`, new: `${byKey.get(other.key)} s` };
}

function order(old: readonly PlacedRecord[], fresh: readonly PlacedRecord[]): Difference | undefined {
  if (old.every(({ key }, i) => fresh[i]!.key === key)) return undefined;
  return { kind: 'order', old: list(old), new: list(fresh) };
}

/** The same content in another number of bytes: names are compressed otherwise. */
const sizes = (old: Uint8Array, fresh: Uint8Array): Difference | undefined =>
  old.length === fresh.length ? undefined : { kind: 'size', old: `${old.length} bytes`, new: `${fresh.length} bytes` };
