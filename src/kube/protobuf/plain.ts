import { isIPv4 } from 'node:net';
import { canonicalIp } from '../../lib/cidr.js';
import type { Octets } from '../../lib/units.js';
import { LABEL } from '../intake/field-reader.js';
import type { Taken } from '../intake/intake.js';
import type { Interner } from '../intake/interner.js';
import { ProtobufCursor, WireType } from './cursor.js';

/**
 * Reads objects as nearly all of a kind are: from bytes to what the store holds, with nothing in between. What is in
 * any way out of the ordinary is left (undefined) to those who read every object and know each rule; what is read here
 * is the same as theirs.
 */
export interface PlainReader {
  /** Throws a SyntaxError for what is no object, where it comes upon that. */
  read(cursor: ProtobufCursor, end: number): Taken | undefined;
}

/** The tag of a field that holds bytes. */
export const tagOf = (field: number): number => (field << 3) | WireType.Bytes;

const NAME = tagOf(1);
const NAMESPACE = tagOf(3);
const VERSION = tagOf(6);
const LABELS = tagOf(11);
const ANNOTATIONS = tagOf(12);
/** Lists of ports of more bytes are hardly the same in two objects. */
const MAX_SHARED: Octets = 512;
/** As many are remembered before all are forgotten. */
const MAX_KEPT = 1024;
/** Those of an entry of a map. */
const [KEY, VALUE] = [tagOf(1), tagOf(2)];
/** Fields with a meaning, whatever their wire type. */
const isKnown = (tag: number): boolean =>
  tag >>> 3 === 1 || tag >>> 3 === 3 || tag >>> 3 === 6 || tag >>> 3 === 11 || tag >>> 3 === 12;

/** `meta.v1.ObjectMeta` of the object that was read last. */
export class PlainMetadata {
  name = '';
  namespace = '';
  version = '';
  readonly labels: PlainEntry;
  readonly annotations: PlainEntry;

  /** @param label that is wanted, and the `annotation`; of all others, `foreign` labels are out of the ordinary */
  constructor(
    private readonly interner: Interner,
    label = '',
    annotation = '',
    foreign = '',
  ) {
    this.labels = new PlainEntry(label, foreign);
    this.annotations = new PlainEntry(annotation, '');
  }

  /** Whether it is as usual, with a namespace that can be one. */
  read(cursor: ProtobufCursor, end: number): boolean {
    this.name = this.version = this.labels.value = this.annotations.value = '';
    let namespace = 'default';
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === NAME) this.name = cursor.fresh(end) || this.name;
      else if (tag === NAMESPACE) namespace = cursor.text(end) || namespace;
      else if (tag === VERSION) this.version = cursor.fresh(end) || this.version;
      else if (tag === LABELS) {
        if (!this.labels.read(cursor, cursor.lengthEnd(end))) return false;
      } else if (tag === ANNOTATIONS) {
        if (!this.annotations.read(cursor, cursor.lengthEnd(end))) return false;
      } else if (isKnown(tag)) return false;
      else cursor.skip(tag & 7, end);
    }
    this.namespace = this.interner.text(namespace);
    return LABEL.test(namespace);
  }
}

/** The value of one key of a map of texts. */
class PlainEntry {
  value = '';
  private readonly wanted: Buffer;
  private readonly foreign: Buffer;

  constructor(wanted: string, foreign: string) {
    this.wanted = Buffer.from(wanted);
    this.foreign = Buffer.from(foreign);
  }

  /** Reads an entry; false where it is out of the ordinary. */
  read(cursor: ProtobufCursor, end: number): boolean {
    const { bytes } = cursor;
    if (this.wanted.length > 0) {
      if (cursor.at === end || cursor.tag(end) !== KEY) return false;
      const stop = cursor.lengthEnd(end);
      const start = cursor.at;
      cursor.at = stop;
      if (isSame(bytes, start, stop, this.foreign)) return false;
      if (isSame(bytes, start, stop, this.wanted)) {
        if (cursor.at === end || cursor.tag(end) !== VALUE) return false;
        this.value = cursor.fresh(end);
        return cursor.at === end;
      }
    }
    cursor.at = end;
    return true;
  }
}

function isSame(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}

/** A field that comes several times, one time right behind the other, and often the same in many objects. */
export class PlainRepeated<T extends object> {
  private readonly known = new Map<string, T>();
  private start = 0;
  private end = 0;

  /** @param make of the bytes, by the general rules; undefined where these leave something out */
  constructor(private readonly make: (cursor: ProtobufCursor) => T | undefined) {}

  begin(): void {
    this.start = this.end = 0;
  }

  /** Passes over the field whose tag, read already, stands at `from`; false when another came in between. */
  add(cursor: ProtobufCursor, from: number, end: number): boolean {
    if (this.end === 0) this.start = from;
    else if (this.end !== from) return false;
    this.end = cursor.at = cursor.lengthEnd(end);
    return true;
  }

  /** What all of them say; `none` where there was none, undefined where it is out of the ordinary. */
  value(bytes: Buffer, none: T): T | undefined {
    const { start, end, known } = this;
    if (end === 0) return none;
    if (end - start > MAX_SHARED) return undefined;
    const key = bytes.toString('latin1', start, end);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = this.make(new ProtobufCursor(bytes, start, end));
    if (made === undefined) return undefined;
    if (known.size >= MAX_KEPT) known.clear();
    known.set(key, made);
    return made;
  }
}

/** The address in its canonical spelling; undefined for what is none. */
export function plainAddress(text: string): string | undefined {
  // net.isIPv4 takes only the spelling that is canonical already.
  return isIPv4(text) ? text : canonicalIp(text);
}
