import { NodensError } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';

/** One query as somebody sent it. */
export interface RecordedQuery {
  /** When, since any fixed time; 0 where the recording has no times. */
  readonly at: Milliseconds;
  readonly transport: 'udp' | 'tcp';
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** A recording that cannot be read. The message names the file, what was got and what is allowed. */
export class RecordingError extends NodensError {
  constructor(file: string, text: string, line?: number) {
    const place = line === undefined ? file : `${file}:${line}`;
    super('NODENS_RECORDING', `${place}: ${text}`, { place: { file, line }, exitCode: 2 });
  }
}

/** Whether bytes look like a query: a header, QR not set, one question. */
export const isQuery = (bytes: Uint8Array): boolean =>
  bytes.length > 12 && (bytes[2]! & 0x80) === 0 && bytes[4] === 0 && bytes[5] === 1;
