import type { AttemptNote, CacheNote } from '../../chain/index.js';
import { NodensError } from '../../lib/errors.js';
import type { FlightQuery, FlightRecord } from '../../record/recorded-query.js';
import { nameOfError } from './ede.js';
import { adviceOf } from './live.js';
import { reasonsOf } from './reasons.js';
import type { Story } from './story.js';
import { askedOf, askedText, cacheText, count, placeText, timeText } from './words.js';

/** Reads what a recorder wrote. Throws a NodensError for what is something else. */
export function readRecording(text: string, file: string): FlightRecord {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    // Nor is what is no JSON a recording.
  }
  const recording = read as Partial<FlightRecord> | null | undefined;
  if (recording?.form !== 'nodens-record/1' || !Array.isArray(recording.queries) || !recording.queries.every(isQuery))
    throw new NodensError('NODENS_RECORDING', `${file}: got no recording, allowed: what nodens record writes`);
  return recording as FlightRecord;
}

function isQuery(value: unknown): value is FlightQuery {
  const query = value as Partial<FlightQuery> | null;
  return (
    typeof query?.name === 'string' &&
    typeof query.time === 'number' &&
    [query.why, query.notes, query.handlers, query.errors, query.asked, query.zones].every(Array.isArray) &&
    typeof query.client?.address === 'string'
  );
}

/** The part of a recorded query from which reasons come. */
export function storyOfRecorded(query: FlightQuery): Story {
  const { name, type, handlers, notes, result, cause, time } = query;
  const told = [...new Set(notes.map(({ plugin }) => plugin))];
  const last = handlers.findLast((handler) => told.includes(handler)) ?? told.at(-1);
  return {
    name,
    type,
    answeredBy: last === undefined ? undefined : { name: last },
    cached: handlers.includes('cache'),
    unready: [],
    notes,
    result,
    errors: query.errors.map(([code, text]) => ({ code, name: nameOfError(code), text })),
    end: 'answered',
    cause,
    time,
  };
}

/** The page that a terminal shows: a query a paragraph, oldest first. */
export function recordingText({ queries, written, occasion, omitted }: FlightRecord, name?: string): string {
  const wanted = name?.toLowerCase().replace(/\.?$/, '.');
  const shown = queries.filter((query) => wanted === undefined || query.name.toLowerCase() === wanted);
  const head = `${count(shown.length, 'query', 'queries')} of ${queries.length}, written ${written} (${occasion})`;
  const more = omitted > 0 ? `, ${omitted} more were not kept: more than 100 a second` : '';
  return [`${head}${more}`, '', ...shown.flatMap(queryLines)].join('\n');
}

function queryLines(query: FlightQuery): string[] {
  const { at, why, name, type, client, zones, place, notes, result, time, asked } = query;
  const story = storyOfRecorded(query);
  const reasons = reasonsOf(story);
  const where = zones.length === 0 ? 'no block' : `block ${zones.join(' ')}${place ? ` (${placeText(place)})` : ''}`;
  const steps = [
    ...notes
      .filter((note): note is CacheNote => note.kind === 'cache')
      .map((note) => `  ${note.plugin}  ${cacheText(note)}`),
    ...askedOf(notes.filter((note): note is AttemptNote => note.kind === 'attempt')).map(
      (one) => `  ${one.plugin}  ${askedText(one)}`,
    ),
  ];
  return [
    `${at} ${why.join(', ')}: ${name} ${type} from ${client.address} by ${client.transport.toUpperCase()}` +
      `${asked.length > 0 ? ` (${asked.join(', ')})` : ''}, ${where}`,
    ...steps,
    `  ${result ?? 'no answer'} after ${timeText(time)}`,
    ...story.errors.map((error) => `  EDE ${error.code} (${error.name})${error.text === '' ? '' : `: ${error.text}`}`),
    ...reasons.map(({ text }) => `  why: ${text}`),
    ...adviceOf(reasons).map((advice) => `  try: ${advice}`),
    '',
  ];
}
