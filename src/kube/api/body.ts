import type { Octets } from '../../lib/units.js';
import type { ListMeta } from '../objects/list.js';
import { objectAt, textAt, type RawObject } from '../objects/raw.js';
import { ProtobufListReader } from '../protobuf/list.js';
import type { ProtobufObjectReader } from '../protobuf/objects.js';
import { ProtobufWatchReader, type WatchEvent } from '../protobuf/watch.js';
import { LineReader } from './line-reader.js';
import { ListReader } from '../objects/list-reader.js';

export const JSON_TYPE = 'application/json';
/** Kubernetes API concepts, "Kubernetes Protobuf encoding". */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** Reads a list as it comes. What it throws says that the list cannot be used: SyntaxError, RangeError. */
export interface ListBody {
  /** The items that the chunk completes. */
  read(chunk: Uint8Array): Iterable<unknown>;
  end(): ListMeta;
}

/** Reads a watch as it comes. */
export interface WatchBody {
  /** Bytes of an event that has begun and not ended. */
  readonly pending: Octets;
  /** The events that the chunk completes. */
  read(chunk: Uint8Array): Iterable<WatchEvent>;
}

/** Whether a response is in protobuf, by its content type. */
export const isProtobuf = (contentType: string): boolean =>
  /^application\/vnd\.kubernetes\.protobuf\b/i.test(contentType);

/** @param reader of objects in protobuf; undefined where only JSON was asked for */
export function listBody(contentType: string, reader: ProtobufObjectReader | undefined): ListBody {
  return reader !== undefined && isProtobuf(contentType) ? new ProtobufListReader(reader) : new ListReader();
}

/** @param reader as of {@link listBody} */
export function watchBody(contentType: string, reader: ProtobufObjectReader | undefined): WatchBody {
  return reader !== undefined && isProtobuf(contentType) ? new ProtobufWatchReader(reader) : new JsonWatchReader();
}

/** One JSON object a line. */
class JsonWatchReader implements WatchBody {
  private readonly lines = new LineReader();

  get pending(): Octets {
    return this.lines.pending;
  }

  *read(chunk: Uint8Array): Generator<WatchEvent> {
    for (const line of this.lines.read(chunk)) {
      const event = JSON.parse(line) as unknown;
      const object: RawObject = objectAt(event, 'object');
      yield { type: textAt(event, 'type'), object };
    }
  }
}
