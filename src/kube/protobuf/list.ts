import type { Octets } from '../../lib/units.js';
import type { ListMeta } from '../objects/list.js';
import { textAt, type RawObject } from '../objects/raw.js';
import { ProtobufCursor, MAX_VARINT, WireType } from './cursor.js';
import { MAGIC, Unknown, checkMagic, encoded, readTypeMeta } from './envelope.js';
import { Gathering } from './gathering.js';
import { readMessage } from './message.js';
import type { ProtobufObjectReader, ReadObject } from './objects.js';
import { LIST_META } from './tables.js';

/** etcd stores objects of at most 1.5 MiB; anything much larger is no Kubernetes object. */
const MAX_ITEM: Octets = 8 << 20;

/** Fields of every list. */
const Items = { Metadata: 1, Items: 2 } as const;

/** Where a field's content lies. */
interface FieldPlace {
  readonly number: number;
  readonly wireType: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a list in `application/vnd.kubernetes.protobuf` piece by piece as it arrives. Items are handed on one by one,
 * so that the whole never stands in memory.
 */
export class ProtobufListReader {
  private readonly gathering = new Gathering();
  private begun = false;
  /** What is still to come of the list itself; undefined outside of it. */
  private left: Octets | undefined;
  private kind = '';
  private meta: RawObject | undefined;

  constructor(private readonly reader: ProtobufObjectReader) {}

  /**
   * The items that the chunk completes. Throws a SyntaxError for what is no list, and a RangeError when an item is
   * larger than 8 MiB; its announcement is enough.
   */
  *read(chunk: Uint8Array): Generator<ReadObject> {
    const bytes = this.gathering.add(chunk);
    if (bytes === undefined) return;
    let at = 0;
    if (!this.begun) {
      if (bytes.length < MAGIC.length) return this.gathering.keep(bytes, MAGIC.length);
      checkMagic(bytes, 0, bytes.length);
      this.begun = true;
      at = MAGIC.length;
    }
    while (at < bytes.length) {
      const place = placeOf(bytes, at, this.left === undefined ? Infinity : at + this.left);
      if (place !== undefined) this.check(place, at);
      const enters = place !== undefined && this.left === undefined && isRaw(place);
      if (place === undefined || (place.end > bytes.length && !enters)) {
        this.gathering.keep(bytes.subarray(at), place === undefined ? bytes.length - at + 1 : place.end - at);
        return;
      }
      if (enters) {
        this.enter(place);
        at = place.start;
        continue;
      }
      const item = this.left === undefined ? this.readOuter(bytes, place) : this.readInner(bytes, place, at);
      at = place.end;
      if (item !== undefined) yield item;
    }
  }

  /** Throws a SyntaxError when the response was no complete list. */
  end(): ListMeta {
    if (this.meta === undefined || this.left !== undefined || this.gathering.size > 0)
      throw new SyntaxError('protobuf: the list is cut short');
    const resourceVersion = textAt(this.meta, 'resourceVersion');
    // An empty answer of some other kind must never be taken for "there are no objects".
    if (!this.kind.endsWith('List') || resourceVersion === '')
      throw new SyntaxError(
        `the response is no list: kind ${JSON.stringify(this.kind)}, resourceVersion ${JSON.stringify(resourceVersion)}`,
      );
    return { kind: this.kind, resourceVersion, continue: textAt(this.meta, 'continue') };
  }

  private check(place: FieldPlace, at: number): void {
    const { start, end } = place;
    if (this.left === undefined && isRaw(place)) return;
    if (this.left !== undefined && end > at + this.left)
      throw new SyntaxError(`protobuf: a field of ${end - start} bytes where ${at + this.left - start} are left`);
    if (end - start > MAX_ITEM) throw new RangeError(`an item of the list is larger than ${MAX_ITEM} bytes`);
  }

  private enter({ start, end }: FieldPlace): void {
    if (this.meta !== undefined) throw new SyntaxError('protobuf: two lists in one');
    this.meta = {};
    this.left = end > start ? end - start : undefined;
  }

  private readOuter(bytes: Buffer, { number, wireType, start, end }: FieldPlace): undefined {
    if (wireType !== WireType.Bytes) return;
    if (number === Unknown.TypeMeta) {
      this.kind = readTypeMeta(new ProtobufCursor(bytes, start, end), end).kind;
      // An object of another kind may have other things where a list has items.
      if (!this.kind.endsWith('List'))
        throw new SyntaxError(`the response is no list: kind ${JSON.stringify(this.kind)}`);
    } else if (number === Unknown.ContentEncoding && end > start) throw encoded(bytes, start, end);
  }

  private readInner(bytes: Buffer, { number, wireType, start, end }: FieldPlace, at: number): ReadObject | undefined {
    const left = this.left! - (end - at);
    this.left = left === 0 ? undefined : left;
    if (wireType !== WireType.Bytes) return undefined;
    const cursor = new ProtobufCursor(bytes, start, end);
    if (number === Items.Items) return this.reader.read(cursor);
    if (number === Items.Metadata) this.meta = readMessage(cursor, LIST_META);
    return undefined;
  }
}

const isRaw = ({ number, wireType }: FieldPlace): boolean => number === Unknown.Raw && wireType === WireType.Bytes;

/** The field at `at`, before `bound`; undefined when its head is not there yet. */
function placeOf(bytes: Buffer, at: number, bound: number): FieldPlace | undefined {
  if (!holdsVarint(bytes, at, bound)) return undefined;
  const cursor = new ProtobufCursor(bytes, at, Math.min(bytes.length, bound));
  const tag = cursor.tag();
  const [number, wireType] = [tag >>> 3, tag & 7];
  if (wireType === WireType.Fixed32 || wireType === WireType.Fixed64)
    return { number, wireType, start: cursor.at, end: cursor.at + (wireType === WireType.Fixed32 ? 4 : 8) };
  if (!holdsVarint(bytes, cursor.at, bound)) return undefined;
  if (wireType !== WireType.Bytes) {
    const start = cursor.at;
    cursor.skip(wireType);
    return { number, wireType, start, end: cursor.at };
  }
  const length = cursor.varint();
  return { number, wireType, start: cursor.at, end: cursor.at + length };
}

/** Whether a number at `at` can be read: it ends within the bytes, or is at fault. */
function holdsVarint(bytes: Buffer, at: number, bound: number): boolean {
  for (let i = at; i < bytes.length && i < at + MAX_VARINT; i++) if (bytes[i]! < 0x80) return true;
  return bytes.length >= Math.min(bound, at + MAX_VARINT);
}
