import { ProtobufCursor, WireType } from './cursor.js';
import { readMessage } from './message.js';
import type { ProtobufObjectReader, ReadObject } from './objects.js';
import { STATUS } from './tables.js';

/** What an object begins with, before its `runtime.Unknown` (Kubernetes API concepts, "Kubernetes Protobuf encoding"). */
export const MAGIC: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** Fields of `runtime.Unknown`. */
export const Unknown = { TypeMeta: 1, Raw: 2, ContentEncoding: 3, ContentType: 4 } as const;

/** Tags of the fields of `runtime.TypeMeta`. */
const [API_VERSION, KIND] = [(1 << 3) | WireType.Bytes, (2 << 3) | WireType.Bytes];

/** Throws a SyntaxError unless the bytes from `at` on begin as an object does. */
export function checkMagic(bytes: Buffer, at: number, end: number): void {
  if (end - at >= MAGIC.length && MAGIC.every((byte, i) => bytes[at + i] === byte)) return;
  const got = bytes.subarray(at, Math.min(end, at + MAGIC.length)).toString('hex');
  throw new SyntaxError(`protobuf: an object begins with "${got}", not with "6b387300"`);
}

/** What the object is, and where its own bytes end: the cursor stands where they begin. */
export interface Envelope extends TypeMeta {
  readonly cursor: ProtobufCursor;
  readonly stop: number;
}

/** `runtime.TypeMeta` */
export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The `runtime.Unknown` from `at` to `end`. Throws a SyntaxError for bytes that are none, or that are encoded. */
export function openEnvelope(bytes: Buffer, at: number, end: number): Envelope {
  checkMagic(bytes, at, end);
  const cursor = new ProtobufCursor(bytes, at + MAGIC.length, end);
  let type: TypeMeta = { apiVersion: '', kind: '' };
  let [start, stop] = [end, end];
  while (cursor.at < end) {
    const tag = cursor.tag();
    if ((tag & 7) !== WireType.Bytes) {
      cursor.skip(tag & 7);
      continue;
    }
    const next = cursor.lengthEnd();
    if (tag >>> 3 === Unknown.TypeMeta) type = readTypeMeta(cursor, next);
    else if (tag >>> 3 === Unknown.Raw) [start, stop] = [cursor.at, next];
    else if (tag >>> 3 === Unknown.ContentEncoding && next > cursor.at) throw encoded(bytes, cursor.at, next);
    cursor.at = next;
  }
  cursor.at = start;
  return { ...type, cursor, stop };
}

/**
 * The object from `at` to `end`: of the reader's kind, or a Status, which has its `kind` and is all there can be without
 * a reader. Throws a SyntaxError.
 */
export function readObject(
  bytes: Buffer,
  at: number,
  end: number,
  reader: ProtobufObjectReader | undefined,
): ReadObject {
  const { kind, cursor, stop } = openEnvelope(bytes, at, end);
  if (reader !== undefined && kind === reader.kind) return reader.read(cursor, stop);
  if (kind === 'Status') return { ...readMessage(cursor, STATUS, stop), kind };
  const asked = reader?.kind ?? 'Status';
  throw new SyntaxError(`protobuf: got an object of kind ${JSON.stringify(kind)}, asked for ${asked}`);
}

/** The `runtime.TypeMeta` from where the cursor stands up to `end`. */
export function readTypeMeta(cursor: ProtobufCursor, end: number): TypeMeta {
  let [apiVersion, kind] = ['', ''];
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag === API_VERSION) apiVersion = cursor.text(end);
    else if (tag === KIND) kind = cursor.text(end);
    else cursor.skip(tag & 7, end);
  }
  return { apiVersion, kind };
}

/** What is thrown for objects in an encoding, whose name lies from `at` to `end`. */
export function encoded(bytes: Buffer, at: number, end: number): SyntaxError {
  return new SyntaxError(`protobuf: objects in the encoding ${JSON.stringify(bytes.toString('utf8', at, end))}`);
}
