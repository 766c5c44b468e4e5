import { readFileSync } from 'node:fs';
import { isCapture, readCapture } from './capture.js';
import { isFrameStream, readDnstap } from './dnstap.js';
import { queriesIn, type Skipped } from './packets.js';
import { isLog, readList, readLog } from './query-text.js';
import { RecordingError, type RecordedQuery } from './recorded-query.js';

/** The forms that a recording may have. */
export type RecordingForm = 'capture' | 'dnstap' | 'log' | 'list';

/** The queries of a recording. */
export interface Recording {
  readonly form: RecordingForm;
  readonly queries: readonly RecordedQuery[];
  /** What could not be used, in words; empty for nothing. */
  readonly notes: readonly string[];
}

/**
 * Reads a recording, whose form its content tells: pcap, pcapng, dnstap frames, CoreDNS's log, or a list.
 *
 * @param port to which queries in a capture go
 * @throws RecordingError for what is none of these, or holds no query
 */
export function readRecording(file: string, port: number): Recording {
  const recording = recordingOf(readFileSync(file), file, port);
  if (recording.queries.length === 0)
    throw new RecordingError(
      file,
      `got ${recording.form === 'capture' ? `a capture without queries to port ${port}` : `no query (${recording.form})`}` +
        `${recording.notes.length === 0 ? '' : `: ${recording.notes.join('; ')}`}, allowed: at least one`,
    );
  return recording;
}

function recordingOf(bytes: Buffer, file: string, port: number): Recording {
  if (isCapture(bytes)) {
    const skipped: Skipped = { links: new Set(), packets: 0 };
    const queries = [...queriesIn(readCapture(bytes, file), port, skipped)];
    return { form: 'capture', queries, notes: notesOf(skipped) };
  }
  if (isFrameStream(bytes)) return { form: 'dnstap', queries: [...readDnstap(bytes, file)], notes: [] };
  if (bytes.subarray(0, 4096).includes(0))
    throw new RecordingError(
      file,
      'got bytes that are no recording, allowed: pcap, pcapng, dnstap frames, a log of CoreDNS, or a list of names and types',
    );
  const text = bytes.toString('utf8');
  if (isLog(text)) return { form: 'log', queries: [...readLog(text)], notes: [] };
  return { form: 'list', queries: [...readList(text, file)], notes: [] };
}

function notesOf({ links, packets }: Skipped): string[] {
  return [
    ...(packets === 0 ? [] : [`${packets} packets are fragments or no UDP or TCP`]),
    ...[...links].map((link) => `link type ${link} is not known`),
  ];
}
