import type { RawObject } from '../objects/raw.js';
import { textAt } from '../objects/raw.js';
import { ProtobufCursor, WireType } from './cursor.js';
import { readMessage, type MessageFields } from './message.js';
import { STATUS, TYPE_META } from './tables.js';

/** What an object begins with, before its `runtime.Unknown` (Kubernetes API concepts, "Kubernetes Protobuf encoding"). */
export const MAGIC: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** Fields of `runtime.Unknown`. */
export const Unknown = { TypeMeta: 1, Raw: 2, ContentEncoding: 3, ContentType: 4 } as const;

/** Throws a SyntaxError unless the bytes from `at` on begin as an object does. */
export function checkMagic(bytes: Buffer, at: number, end: number): void {
  if (end - at >= MAGIC.length && MAGIC.every((byte, i) => bytes[at + i] === byte)) return;
  const got = bytes.subarray(at, Math.min(end, at + MAGIC.length)).toString('hex');
  throw new SyntaxError(`protobuf: an object begins with "${got}", not with "6b387300"`);
}

/** The object from `at` to `end`, with its `kind`: of `kind` by its `fields`, or a Status. Throws a SyntaxError. */
export function readObject(bytes: Buffer, at: number, end: number, kind: string, fields: MessageFields): RawObject {
  checkMagic(bytes, at, end);
  const cursor = new ProtobufCursor(bytes, at + MAGIC.length, end);
  let type: RawObject = {};
  let raw = [end, end] as const;
  while (cursor.at < end) {
    const tag = cursor.tag();
    if ((tag & 7) !== WireType.Bytes) {
      cursor.skip(tag & 7);
      continue;
    }
    const stop = cursor.lengthEnd();
    if (tag >>> 3 === Unknown.TypeMeta) type = readMessage(cursor, TYPE_META, stop);
    else if (tag >>> 3 === Unknown.Raw) raw = [cursor.at, stop];
    else if (tag >>> 3 === Unknown.ContentEncoding && stop > cursor.at) throw encoded(bytes, cursor.at, stop);
    cursor.at = stop;
  }
  const found = textAt(type, 'kind');
  if (found !== kind && found !== 'Status')
    throw new SyntaxError(`protobuf: got an object of kind ${JSON.stringify(found)}, asked for ${kind}`);
  const object = readMessage(new ProtobufCursor(bytes, ...raw), found === kind ? fields : STATUS);
  object['kind'] = found;
  return object;
}

export function encoded(bytes: Buffer, at: number, end: number): SyntaxError {
  return new SyntaxError(`protobuf: objects in the encoding ${JSON.stringify(bytes.toString('utf8', at, end))}`);
}
