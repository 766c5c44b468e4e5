import type { Milliseconds } from '../../lib/units.js';
import { isQuery, RecordingError, type RecordedQuery } from './recorded-query.js';

/** Content type of dnstap in frame streams (https://dnstap.info). */
export const DNSTAP_TYPE = 'protobuf:dnstap.Dnstap';
const MAX_FRAME = 256 << 10;

/** Types of control frames (fstrm, fstrm/control.h). */
export const Control = { ACCEPT: 1, START: 2, STOP: 3, READY: 4, FINISH: 5 } as const;
const FIELD_CONTENT_TYPE = 1;

/** Whether a file is a frame stream: it begins with a control frame. */
export const isFrameStream = (bytes: Buffer): boolean =>
  bytes.length >= 12 && bytes.readUInt32BE(0) === 0 && bytes.readUInt32BE(8) === Control.START;

/** A piece of a frame stream: data, or a control frame's type. */
export type StreamFrame = { readonly data: Buffer } | { readonly control: number };

/** Takes a frame stream apart, however it is cut into chunks. Throws a RecordingError for what is none. */
export class FrameStream {
  private held: Buffer = Buffer.alloc(0);

  constructor(private readonly name: string) {}

  *take(chunk: Buffer): Iterable<StreamFrame> {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    for (;;) {
      const { held } = this;
      if (held.length < 4) return;
      const length = held.readUInt32BE(0);
      const isControl = length === 0;
      if (isControl && held.length < 8) return;
      const size = isControl ? held.readUInt32BE(4) : length;
      const start = isControl ? 8 : 4;
      if (size > MAX_FRAME)
        throw new RecordingError(this.name, `got a frame of ${size} bytes, allowed: at most ${MAX_FRAME}`);
      if (held.length < start + size) return;
      const body = held.subarray(start, start + size);
      this.held = held.subarray(start + size);
      if (!isControl) yield { data: body };
      else if (size >= 4) yield { control: body.readUInt32BE(0) };
    }
  }
}

/** A control frame; with the content type of dnstap where that has to be agreed on. */
export function controlFrame(type: number): Buffer {
  const content = Buffer.from(DNSTAP_TYPE);
  const withType = type === Control.ACCEPT || type === Control.START || type === Control.READY;
  const body = Buffer.alloc(4 + (withType ? 8 + content.length : 0));
  body.writeUInt32BE(type, 0);
  if (withType) {
    body.writeUInt32BE(FIELD_CONTENT_TYPE, 4);
    body.writeUInt32BE(content.length, 8);
    content.copy(body, 12);
  }
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** A field of a protobuf message: a number, or bytes. */
type Field = readonly [number: number, value: number | Buffer];

/** The fields of a protobuf message (https://protobuf.dev/programming-guides/encoding). Ends where it is cut off. */
function* fieldsOf(bytes: Buffer): Iterable<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    const length = wire === 0 ? 0 : wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : NaN;
    if (!(at + length <= bytes.length)) return;
    const value = wire === 0 ? varint() : wire === 5 ? bytes.readUInt32LE(at) : bytes.subarray(at, at + length);
    at += length;
    yield [Math.floor(tag / 8), value];
  }
}

/** Types of dnstap messages that hold what a client asked: AUTH_QUERY and CLIENT_QUERY. */
const QUERIES = new Set([1, 5]);
const PROTOCOL_UDP = 1;

/** The query in a dnstap frame; undefined for responses, and for what a resolver asks others. */
export function dnstapQuery(frame: Buffer): RecordedQuery | undefined {
  for (const [number, message] of fieldsOf(frame)) {
    if (number !== 14 || typeof message === 'number') continue;
    let [type, protocol, seconds, nanoseconds]: number[] = [0, PROTOCOL_UDP, 0, 0];
    let bytes: Buffer | undefined;
    for (const [field, value] of fieldsOf(message)) {
      if (field === 10 && typeof value !== 'number') bytes = value;
      if (typeof value !== 'number') continue;
      if (field === 1) type = value;
      if (field === 3) protocol = value;
      if (field === 8) seconds = value;
      if (field === 9) nanoseconds = value;
    }
    if (!QUERIES.has(type!) || bytes === undefined || !isQuery(bytes)) return undefined;
    const at: Milliseconds = seconds! * 1000 + nanoseconds! / 1e6;
    return { at, transport: protocol === PROTOCOL_UDP ? 'udp' : 'tcp', bytes };
  }
  return undefined;
}

/** The queries of a file of dnstap frames. */
export function* readDnstap(bytes: Buffer, file: string): Iterable<RecordedQuery> {
  for (const frame of new FrameStream(file).take(bytes)) {
    if (!('data' in frame)) continue;
    const query = dnstapQuery(frame.data);
    if (query !== undefined) yield query;
  }
}
