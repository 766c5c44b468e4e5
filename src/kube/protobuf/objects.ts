import type { Taken } from '../intake/intake.js';
import type { FieldChoice, KubeKind } from '../objects/objects.js';
import type { RawObject } from '../objects/raw.js';
import type { ProtobufCursor } from './cursor.js';
import { readMessage, type MessageFields } from './message.js';
import { PlainServices } from './plain-service.js';
import { PlainSlices } from './plain-slice.js';
import type { PlainReader } from './plain.js';
import { objectFields } from './tables.js';

/** An object as it would stand in JSON, or as the store holds it. */
export type ReadObject = RawObject | Taken;

/** Reads objects of one kind: as they would stand in JSON, or at once as the store holds them. */
export class ProtobufObjectReader {
  private readonly plain: PlainReader | undefined;

  private constructor(
    readonly kind: KubeKind,
    private readonly fields: MessageFields,
    choice: FieldChoice,
  ) {
    // Those that come by the ten thousand. What only few choose is read as in JSON.
    if (choice.labels || choice.selectors) return;
    if (kind === 'Service') this.plain = new PlainServices(choice);
    else if (kind === 'EndpointSlice') this.plain = new PlainSlices(choice);
  }

  /** undefined for kinds that an API has in JSON only. */
  static of(kind: KubeKind, choice: FieldChoice): ProtobufObjectReader | undefined {
    const fields = objectFields(kind, choice);
    return fields && new ProtobufObjectReader(kind, fields, choice);
  }

  /** The object from where the cursor stands up to `end`. Throws a SyntaxError for what is none. */
  read(cursor: ProtobufCursor, end: number = cursor.end): ReadObject {
    const { at } = cursor;
    const taken = this.plain?.read(cursor, end);
    if (taken !== undefined) return taken;
    cursor.at = at;
    return readMessage(cursor, this.fields, end);
  }
}
