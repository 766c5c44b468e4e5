import type { Octets } from '../../lib/units.js';
import { ProtobufCursor, WireType } from './cursor.js';
import { readObject } from './envelope.js';
import { Gathering } from './gathering.js';
import type { ProtobufObjectReader, ReadObject } from './objects.js';

/** As of {@link ProtobufListReader}: an event holds one object. */
const MAX_FRAME: Octets = 8 << 20;
/** What each frame begins with: the length of what follows, most significant byte first. */
const HEAD: Octets = 4;

/** Tags of `meta.v1.WatchEvent`, and of the `runtime.RawExtension` in it. */
const TYPE = (1 << 3) | WireType.Bytes;
const OBJECT = (2 << 3) | WireType.Bytes;
const RAW = (1 << 3) | WireType.Bytes;

/** One event of a watch: `type` and `object`, as JSON names them. */
export interface WatchEvent {
  readonly type: string;
  readonly object: ReadObject;
}

/** Cuts a watch in `application/vnd.kubernetes.protobuf;stream=watch` into its events. */
export class ProtobufWatchReader {
  private readonly gathering = new Gathering();

  constructor(private readonly reader: ProtobufObjectReader) {}

  /** Bytes of an event that has begun and not ended. */
  get pending(): Octets {
    return this.gathering.size;
  }

  /**
   * The events that the chunk completes. Throws a SyntaxError for what is none, and a RangeError when an event is
   * larger than 8 MiB; its announcement is enough.
   */
  *read(chunk: Uint8Array): Generator<WatchEvent> {
    const bytes = this.gathering.add(chunk);
    if (bytes === undefined) return;
    let at = 0;
    while (at < bytes.length) {
      const left = bytes.length - at;
      const length = left < HEAD ? 0 : bytes.readUInt32BE(at);
      if (length > MAX_FRAME) throw new RangeError(`a watch event is larger than ${MAX_FRAME} bytes`);
      if (left < HEAD + length || left < HEAD) return this.gathering.keep(bytes.subarray(at), HEAD + length);
      const end = at + HEAD + length;
      yield this.event(bytes, at + HEAD, end);
      at = end;
    }
  }

  private event(bytes: Buffer, start: number, end: number): WatchEvent {
    const cursor = new ProtobufCursor(bytes, start, end);
    let type = '';
    let object: ReadObject = {};
    while (cursor.at < end) {
      const tag = cursor.tag();
      if (tag === TYPE) type = cursor.text();
      else if (tag === OBJECT) object = this.object(cursor, cursor.lengthEnd());
      else cursor.skip(tag & 7);
    }
    return { type, object };
  }

  /** What a `runtime.RawExtension` holds. */
  private object(cursor: ProtobufCursor, end: number): ReadObject {
    let object: ReadObject = {};
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag !== RAW) {
        cursor.skip(tag & 7, end);
        continue;
      }
      const stop = cursor.lengthEnd(end);
      object = readObject(cursor.bytes, cursor.at, stop, this.reader);
      cursor.at = stop;
    }
    return object;
  }
}
