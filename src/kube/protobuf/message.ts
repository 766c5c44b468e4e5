import type { RawObject } from '../objects/raw.js';
import { WireType, type ProtobufCursor } from './cursor.js';

/** What a field holds, and what becomes of it in the object that is read. */
export type FieldType =
  /** Text. Empty text is left out, as JSON leaves it out. */
  | 'text'
  | 'texts'
  | 'integer'
  | 'flag'
  /** Seconds since 1970, as the text that JSON has. */
  | 'time'
  /** `intstr.IntOrString`: a number or text. */
  | 'integer-or-text'
  | 'message'
  | 'messages'
  /** Text by text. */
  | 'map';

export interface MessageField {
  /** Of the member in JSON. */
  readonly name: string;
  readonly type: FieldType;
  /** Of a message. */
  readonly fields?: MessageFields;
  /** Of a map: the keys that are wanted; all without it. */
  readonly keys?: ReadonlySet<string>;
}

/** The fields of a message that are wanted, by their numbers. */
export type MessageFields = readonly (MessageField | undefined)[];

/** A table of fields from pairs of number and field. */
export function fieldTable(fields: Readonly<Record<number, MessageField | undefined>>): MessageFields {
  const table: (MessageField | undefined)[] = [];
  for (const [number, field] of Object.entries(fields)) table[Number(number)] = field;
  // A list with holes is read more slowly than one without.
  return Array.from(table);
}

const TIME = fieldTable({ 1: { name: 'seconds', type: 'integer' }, 2: { name: 'nanos', type: 'integer' } });
const INTEGER_OR_TEXT = fieldTable({
  1: { name: 'type', type: 'integer' },
  2: { name: 'integer', type: 'integer' },
  3: { name: 'text', type: 'text' },
});
/** Of an entry of a map. */
const [KEY, VALUE] = [1, 2];
/** `IntOrString.type` of text. */
const TEXT = 1;
/** Times that a Date can hold, in seconds. */
const MAX_TIME = 8_640_000_000_000;

/**
 * The wanted fields of the message from where the cursor stands up to `end`, in the shape that the same object has in
 * JSON. Other fields are passed over unread. Throws a SyntaxError for what is no such message.
 */
export function readMessage(
  cursor: ProtobufCursor,
  fields: MessageFields,
  end: number = cursor.end,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    const field = fields[tag >>> 3];
    if (field === undefined) cursor.skip(tag & 7, end);
    else readField(cursor, object, field, tag, end);
  }
  return object;
}

function readField(
  cursor: ProtobufCursor,
  object: Record<string, unknown>,
  field: MessageField,
  tag: number,
  end: number,
): void {
  const { name, type } = field;
  const isNumber = type === 'integer' || type === 'flag';
  if ((tag & 7) !== (isNumber ? WireType.Varint : WireType.Bytes))
    throw new SyntaxError(`protobuf: ${name}, field ${tag >>> 3}, has the wire type ${tag & 7}`);
  if (isNumber) {
    const value = cursor.varint(end);
    object[name] = type === 'flag' ? value !== 0 : value;
  } else if (type === 'text' || type === 'texts') {
    const text = cursor.text(end);
    if (type === 'texts') add(object, name, text);
    else if (text !== '') object[name] = text;
  } else {
    const stop = cursor.lengthEnd(end);
    if (type === 'map') readEntry(cursor, object, field, stop);
    else if (type === 'time') object[name] = timeText(readMessage(cursor, TIME, stop));
    else if (type === 'integer-or-text') object[name] = integerOrText(readMessage(cursor, INTEGER_OR_TEXT, stop));
    else {
      const message = readMessage(cursor, field.fields!, stop);
      if (type === 'messages') add(object, name, message);
      else object[name] = message;
    }
  }
}

function add(object: Record<string, unknown>, name: string, value: unknown): void {
  const list = object[name] as unknown[] | undefined;
  if (list === undefined) object[name] = [value];
  else list.push(value);
}

function readEntry(
  cursor: ProtobufCursor,
  object: Record<string, unknown>,
  { name, keys }: MessageField,
  end: number,
): void {
  let [key, value] = ['', ''];
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag === ((KEY << 3) | WireType.Bytes)) {
      key = cursor.text(end);
      if (keys?.has(key) === false) return void (cursor.at = end);
    } else if (tag === ((VALUE << 3) | WireType.Bytes)) value = cursor.text(end);
    else cursor.skip(tag & 7, end);
  }
  const map = (object[name] ??= {}) as Record<string, unknown>;
  map[key] = value;
}

/** To the second, as Kubernetes writes times in JSON. */
function timeText({ seconds = 0 }: RawObject): string {
  const time = Number(seconds);
  if (time > MAX_TIME) throw new SyntaxError(`protobuf: ${time} s is no time`);
  return new Date(time * 1000).toISOString().replace('.000Z', 'Z');
}

function integerOrText({ type, integer = 0, text = '' }: RawObject): unknown {
  return type === TEXT ? text : integer;
}
